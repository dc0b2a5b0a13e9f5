"""The walk-through of keeping artifacts local that users of LaminDB know runs, and shows what it did.

`data/seed_local.ipynb` holds its code cells; they import `lamindb`, which `compat/lamindb` provides. A folder
stands in for the bucket. As a folder of this machine it would be the first local storage location that is
found, so the one that is meant is named.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from notebooks import Notebook, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = Path(__file__).parent / "data" / "seed_local.ipynb"
INSTANCE_UID = "6uGWmLpZlNoJ"
HOST = "abc-institute-drive1"


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """The executed notebook, up to the deletion of what it made."""
    folder = tmp_path_factory.mktemp("seed")
    notebook = nbformat.read(SEED, as_version=4)
    cells = {cell["id"]: cell for cell in notebook.cells}
    cells["init"]["source"] = cells["init"]["source"].replace("s3://lamindb-ci/", "./")
    made = cells["storage"]["source"]
    cells["storage"]["source"] = f'_ = {made}\nln.settings.local_storage = "./our_local_storage"'
    # What the cells have made is looked at before it is deleted.
    gone = cells["delete-artifacts"]["source"]
    cells["delete-artifacts"]["source"] = f"kept = [a.path.exists() for a in ln.Artifact.filter()]\n{gone}"
    changed = folder / "seed_local.ipynb"
    nbformat.write(notebook, changed)
    with running(changed, folder / "run") as executed:
        yield executed


def tree(text: str) -> tuple[str, str, set[str]]:
    """Returns the summary of a printed tree, its root and the names in it."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if re.match(r"\d+ sub-director(y|ies) & \d+ files", line))
    names = {line.lstrip("│├└─ \xa0") for line in lines[start + 2 :]}
    return lines[start], lines[start + 1], names


def uid(seed: Notebook, artifact: str) -> str:
    """Returns the uid of an artifact of the notebook."""
    return str(seed.ask(f"{artifact}.uid"))


def frame(seed: Notebook, cell: str, column: str) -> list[object]:
    """Returns a column of a displayed table."""
    values: list[object] = seed.ask(f"list({seed.out(cell)}['{column}'])")
    return values


def test_the_instance_is_that_of_the_user(seed: Notebook) -> None:
    assert "logged in as testuser1" in seed.printed("login")
    assert "testuser1/keep-artifacts-local" in seed.printed("init")
    assert "connected lamindb: testuser1/keep-artifacts-local" in seed.printed("import")
    assert "Transform('l9lFf83aPwRc0000', key='seed_local.ipynb')" in seed.printed("track")


def test_the_mode_is_switched_without_a_word(seed: Notebook) -> None:
    assert seed.printed("toggle") == ""


def test_a_local_location_is_made_and_marked(seed: Notebook) -> None:
    root = seed.folder / "our_local_storage"
    assert seed.printed("storage").splitlines()[0] == f"→ created managed storage location at {root}"
    mark = (root / ".lamindb" / "storage_uid.txt").read_text().splitlines()
    assert mark[0] == frame(seed, "storages", "uid")[0]
    assert mark[1:3] == ["creation info:", "instance_slug=testuser1/keep-artifacts-local"]
    assert mark[4] == f"instance_uid={INSTANCE_UID}"


def test_both_locations_are_listed_newest_first(seed: Notebook) -> None:
    roots = frame(seed, "storages", "root")
    assert roots == [str(seed.folder / "our_local_storage"), str(seed.folder / "keep-artifacts-local")]
    assert seed.ask(f"list(map(int, {seed.out('storages')}.index))") == [2, 1]
    assert frame(seed, "storages", "instance_uid") == [INSTANCE_UID] * 2
    assert frame(seed, "storages", "type")[0] == "local"
    assert frame(seed, "storages", "region")[0] == HOST


def test_an_artifact_is_stored_locally(seed: Notebook) -> None:
    fcs = uid(seed, "artifact")
    place = seed.folder / "our_local_storage" / ".lamindb" / f"{fcs}.fcs"
    assert re.fullmatch(rf"Posix(U)?Path\('{re.escape(str(place))}'\)", seed.shown("save-local"))
    summary, root, names = tree(seed.printed("local-tree"))
    assert summary == "1 sub-directory & 2 files with suffixes '.fcs', '.txt'"
    assert root == str(seed.folder / "our_local_storage")
    assert names == {".lamindb/", f"{fcs}.fcs", "storage_uid.txt"}


def test_an_existing_file_is_registered_where_it_is(seed: Notebook) -> None:
    before, after = tree(seed.printed("bam")), tree(seed.printed("register-bam"))
    assert before == after
    assert before[0] == "1 sub-directory & 3 files with suffixes '.bam', '.fcs', '.txt'"
    assert "output.bam" in before[2]
    place = seed.folder / "our_local_storage" / "output.bam"
    assert re.fullmatch(rf"Posix(U)?Path\('{re.escape(str(place))}'\)", seed.shown("bam-path"))


def test_the_location_is_switched(seed: Notebook) -> None:
    root = seed.folder / "our_local_storage2"
    assert seed.printed("switch").splitlines() == [
        f"→ created managed storage location at {root}",
        f"→ defaulting to local storage: {root}",
    ]
    assert seed.ask(f"list({seed.out('where')}.columns)") == [
        "uid",
        "key",
        "storage__root",
        "storage__region",
    ]
    assert frame(seed, "where", "key") == [
        "example_datasets/file.fastq.gz",
        "output.bam",
        "example_datasets/file1.fcs",
    ]
    first = str(seed.folder / "our_local_storage")
    assert frame(seed, "where", "storage__root") == [str(root), first, first]
    assert frame(seed, "where", "storage__region") == [HOST] * 3


def test_an_upload_moves_the_content(seed: Notebook) -> None:
    fcs = uid(seed, "artifact")
    cached = seed.folder.parent / "home" / ".cache" / "lamindb" / f"{fcs}.fcs"
    assert seed.printed("upload").splitlines() == [f"→ moved local artifact to cache: {cached}"]
    assert cached.exists()
    shown = seed.shown("upload")
    assert shown.startswith(f"Artifact(uid='{fcs}'")
    assert "storage_id=1" in shown
    assert "key='example_datasets/file1.fcs'" in shown
    _, root, names = tree(seed.printed("cloud-tree"))
    assert root == str(seed.folder / "keep-artifacts-local")
    assert {".lamindb/", f"{fcs}.fcs", "lamin.db", "storage_uid.txt"} <= names
    summary, root, names = tree(seed.printed("moved"))
    assert summary == "1 sub-directory & 2 files with suffixes '.fastq.gz', '.txt'"
    assert root == str(seed.folder / "our_local_storage2")
    assert names == {".lamindb/", "storage_uid.txt", f"{uid(seed, 'artifact3')}.fastq.gz"}


def test_new_content_is_uploaded_directly(seed: Notebook) -> None:
    place = seed.folder / "keep-artifacts-local" / ".lamindb" / f"{uid(seed, 'artifact2')}.csv"
    assert str(place) in seed.shown("direct")
    assert "moved local artifact" not in seed.printed("direct")
    cloud, local = str(seed.folder / "keep-artifacts-local"), str(seed.folder / "our_local_storage")
    assert frame(seed, "both", "storage__root") == [cloud, f"{local}2", local, cloud]
    assert seed.ask("kept") == [True] * 4


def test_a_location_is_described(seed: Notebook) -> None:
    descriptions = frame(seed, "describe", "description")
    assert descriptions == [None, "Our shared directory for project X", None]


def test_everything_is_deleted_but_the_files_of_the_user(seed: Notebook) -> None:
    bam = seed.folder / "our_local_storage" / "output.bam"
    assert seed.printed("delete-artifacts").splitlines() == [f"→ a file/folder remains here: {bam}"]
    assert bam.exists()
    left = [path.name for path in (seed.folder / "our_local_storage2" / ".lamindb").iterdir()]
    assert left == ["storage_uid.txt"]
    assert not (seed.folder / "keep-artifacts-local").exists()
    assert not (seed.folder / ".lamin" / "current_instance").exists()
    assert not list((seed.folder.parent / "home" / ".lamin").glob("instance--*keep-artifacts-local.env"))
