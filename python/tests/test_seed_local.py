"""The walk-through of keeping artifacts local that users of LaminDB know runs, and shows what it did.

`data/seed_local.ipynb` holds its code cells; they import `lamindb`, which `compat/lamindb` provides. It runs
word for word against two object stores, one of which checks signatures; the environment says where they are.
It runs once more with a folder in place of the bucket. As a folder of this machine that would be the first
local storage location that is found, so the one that is meant is named.
"""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

import servers
from notebooks import Notebook, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers import Server

SEED = Path(__file__).parent / "data" / "seed_local.ipynb"
INSTANCE_UID = "6uGWmLpZlNoJ"
HOST = "abc-institute-drive1"
BUCKET, PREFIX = "lamindb-ci", "keep-artifacts-local"


@dataclass
class Seed:
    """The executed notebook, and where it stored things."""

    notebook: Notebook
    # The server, unless a folder stands in for the bucket.
    server: Server | None
    # What was there before it was deleted: whether each artifact's content was, and the keys of all objects.
    kept: list[bool]
    objects: set[str]

    @property
    def folder(self) -> Path:
        """The working directory."""
        return self.notebook.folder

    @property
    def cloud(self) -> str:
        """The root of the default storage location."""
        return f"s3://{BUCKET}/{PREFIX}" if self.server else str(self.folder / PREFIX)

    def keys(self) -> set[str]:
        """Returns the paths below the root of everything that is stored there now."""
        if self.server:
            return {key.removeprefix(f"{PREFIX}/") for key in self.server.keys(BUCKET)}
        root = self.folder / PREFIX
        return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}

    def printed(self, cell: str) -> str:
        """Returns what a cell printed."""
        return self.notebook.printed(cell)

    def shown(self, cell: str) -> str:
        """Returns how the value of a cell was displayed."""
        return self.notebook.shown(cell)

    def uid(self, artifact: str) -> str:
        """Returns the uid of an artifact of the notebook."""
        return str(self.notebook.ask(f"{artifact}.uid"))

    def column(self, cell: str, name: str) -> list[object]:
        """Returns a column of a displayed table."""
        values: list[object] = self.notebook.ask(f"list({self.notebook.out(cell)}['{name}'])")
        return values


@contextmanager
def prepared(place: str, folder: Path) -> Iterator[tuple[Path, Server | None]]:
    """Yields the notebook, and the server that it needs."""
    changed = Path(shutil.copy(SEED, folder))
    if place == "folder":
        notebook = nbformat.read(SEED, as_version=4)
        cells = {cell["id"]: cell for cell in notebook.cells}
        cells["init"]["source"] = cells["init"]["source"].replace(f"s3://{BUCKET}/", "./")
        made = cells["storage"]["source"]
        cells["storage"]["source"] = f'_ = {made}\nln.settings.local_storage = "./our_local_storage"'
        nbformat.write(notebook, changed)
        yield changed, None
        return
    buckets = folder / "buckets"
    buckets.mkdir()
    with servers.moto() if place == "moto" else servers.s3s(buckets) as server:
        server.make_bucket(BUCKET)
        yield changed, server


@pytest.fixture(scope="module", params=["folder", "moto", "s3s"])
def seed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seed]:
    """The executed notebook; what it deletes at its end was looked at before."""
    folder = tmp_path_factory.mktemp("seed")
    with prepared(request.param, folder) as (source, server):
        variables = server.variables if server else None
        with opened(source, folder / "run", variables) as notebook:
            notebook.run(until="delete-artifacts")
            seed = Seed(notebook, server, [], set())
            seed.kept = notebook.ask("[a.path.exists() for a in ln.Artifact.filter()]")
            seed.objects = seed.keys()
            notebook.run()
            yield seed


def tree(text: str) -> tuple[str, str, set[str]]:
    """Returns the summary of a printed tree, its root and the names in it."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if re.match(r"\d+ sub-director(y|ies) & \d+ files", line))
    names = {line.lstrip("│├└─ \xa0") for line in lines[start + 2 :]}
    return lines[start], lines[start + 1], names


def test_the_instance_is_that_of_the_user(seed: Seed) -> None:
    assert "logged in as testuser1" in seed.printed("login")
    assert "testuser1/keep-artifacts-local" in seed.printed("init")
    assert "connected lamindb: testuser1/keep-artifacts-local" in seed.printed("import")
    assert "Transform('l9lFf83aPwRc0000', key='seed_local.ipynb')" in seed.printed("track")


def test_the_mode_is_switched_without_a_word(seed: Seed) -> None:
    assert seed.printed("toggle") == ""


def test_a_local_location_is_made_and_marked(seed: Seed) -> None:
    root = seed.folder / "our_local_storage"
    assert seed.printed("storage").splitlines()[0] == f"→ created managed storage location at {root}"
    mark = (root / ".lamindb" / "storage_uid.txt").read_text().splitlines()
    assert mark[0] == seed.column("storages", "uid")[0]
    assert mark[1:3] == ["creation info:", "instance_slug=testuser1/keep-artifacts-local"]
    assert mark[4] == f"instance_uid={INSTANCE_UID}"


def test_both_locations_are_listed_newest_first(seed: Seed) -> None:
    roots = seed.column("storages", "root")
    assert roots == [str(seed.folder / "our_local_storage"), seed.cloud]
    assert seed.notebook.ask(f"list(map(int, {seed.notebook.out('storages')}.index))") == [2, 1]
    assert seed.column("storages", "instance_uid") == [INSTANCE_UID] * 2
    assert seed.column("storages", "type") == ["local", "s3" if seed.server else "local"]
    assert seed.column("storages", "region")[0] == HOST


def test_an_artifact_is_stored_locally(seed: Seed) -> None:
    fcs = seed.uid("artifact")
    place = seed.folder / "our_local_storage" / ".lamindb" / f"{fcs}.fcs"
    assert re.fullmatch(rf"Posix(U)?Path\('{re.escape(str(place))}'\)", seed.shown("save-local"))
    summary, root, names = tree(seed.printed("local-tree"))
    assert summary == "1 sub-directory & 2 files with suffixes '.fcs', '.txt'"
    assert root == str(seed.folder / "our_local_storage")
    assert names == {".lamindb/", f"{fcs}.fcs", "storage_uid.txt"}


def test_an_existing_file_is_registered_where_it_is(seed: Seed) -> None:
    before, after = tree(seed.printed("bam")), tree(seed.printed("register-bam"))
    assert before == after
    assert before[0] == "1 sub-directory & 3 files with suffixes '.bam', '.fcs', '.txt'"
    assert "output.bam" in before[2]
    place = seed.folder / "our_local_storage" / "output.bam"
    assert re.fullmatch(rf"Posix(U)?Path\('{re.escape(str(place))}'\)", seed.shown("bam-path"))


def test_the_location_is_switched(seed: Seed) -> None:
    root = seed.folder / "our_local_storage2"
    assert seed.printed("switch").splitlines() == [
        f"→ created managed storage location at {root}",
        f"→ defaulting to local storage: {root}",
    ]
    assert seed.notebook.ask(f"list({seed.notebook.out('where')}.columns)") == [
        "uid",
        "key",
        "storage__root",
        "storage__region",
    ]
    assert seed.column("where", "key") == [
        "example_datasets/file.fastq.gz",
        "output.bam",
        "example_datasets/file1.fcs",
    ]
    first = str(seed.folder / "our_local_storage")
    assert seed.column("where", "storage__root") == [str(root), first, first]
    assert seed.column("where", "storage__region") == [HOST] * 3


def test_an_upload_moves_the_content(seed: Seed) -> None:
    fcs = seed.uid("artifact")
    cached = seed.folder.parent / "home" / ".cache" / "lamindb" / f"{fcs}.fcs"
    assert seed.printed("upload").splitlines() == [f"→ moved local artifact to cache: {cached}"]
    assert cached.exists()
    shown = seed.shown("upload")
    assert shown.startswith(f"Artifact(uid='{fcs}'")
    assert "storage_id=1" in shown
    assert "key='example_datasets/file1.fcs'" in shown
    assert f".lamindb/{fcs}.fcs" in seed.objects
    if seed.server:
        # A second copy lies where the artifact's key says.
        assert (
            cached.parent / BUCKET / PREFIX / "example_datasets/file1.fcs"
        ).read_bytes() == cached.read_bytes()
    summary, root, names = tree(seed.printed("moved"))
    assert summary == "1 sub-directory & 2 files with suffixes '.fastq.gz', '.txt'"
    assert root == str(seed.folder / "our_local_storage2")
    assert names == {".lamindb/", "storage_uid.txt", f"{seed.uid('artifact3')}.fastq.gz"}


def test_the_default_location_shows_what_it_holds(seed: Seed) -> None:
    summary, root, names = tree(seed.printed("cloud-tree"))
    assert root == seed.cloud
    held = {".lamindb/", f"{seed.uid('artifact')}.fcs", "lamin.db", "storage_uid.txt"}
    if seed.server:
        assert summary == "2 sub-directories & 3 files with suffixes '.db', '.fcs', '.txt'"
        assert names == held | {"_exclusion/"}
    else:
        assert held <= names


def test_new_content_is_uploaded_directly(seed: Seed) -> None:
    name = f".lamindb/{seed.uid('artifact2')}.csv"
    shown = seed.shown("direct")
    assert f"'{seed.cloud}/{name}'" in shown
    assert shown.startswith("S3QueryPath(") == bool(seed.server)
    assert name in seed.objects
    assert "moved local artifact" not in seed.printed("direct")
    cloud, local = seed.cloud, str(seed.folder / "our_local_storage")
    assert seed.column("both", "storage__root") == [cloud, f"{local}2", local, cloud]
    assert seed.kept == [True] * 4


def test_a_location_is_described(seed: Seed) -> None:
    descriptions = seed.column("describe", "description")
    assert descriptions == [None, "Our shared directory for project X", None]


def test_everything_is_deleted_but_the_files_of_the_user(seed: Seed) -> None:
    bam = seed.folder / "our_local_storage" / "output.bam"
    assert seed.printed("delete-artifacts").splitlines() == [f"→ a file/folder remains here: {bam}"]
    assert bam.exists()
    left = [path.name for path in (seed.folder / "our_local_storage2" / ".lamindb").iterdir()]
    assert left == ["storage_uid.txt"]
    assert not seed.keys()
    assert not (seed.folder / ".lamin" / "current_instance").exists()
    assert not list((seed.folder.parent / "home" / ".lamin").glob("instance--*keep-artifacts-local.env"))
