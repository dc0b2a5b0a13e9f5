"""The walk-through of keys that users of LaminDB know runs unchanged, and shows what it did.

`data/seed_key.ipynb` holds its code cells; they import `lamindb`, which `compat/lamindb` provides. Wordings
are those of LaminDB 2.12; where releases differ, only what they share is compared.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from notebooks import Notebook, running

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = Path(__file__).parent / "data" / "seed_key.ipynb"

ARTIFACT_COLUMNS = (
    "uid key description suffix kind otype size hash n_files n_observations extra_data version_tag is_latest "
    "is_locked created_at branch_id created_on_id space_id storage_id run_id schema_id created_by_id"
).split()
COLLECTION_COLUMNS = (
    "uid key description hash reference reference_type version_tag is_latest is_locked created_at branch_id "
    "created_on_id space_id created_by_id run_id schema_id meta_artifact_id"
).split()


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """The executed notebook."""
    with running(SEED, tmp_path_factory.mktemp("seed")) as notebook:
        yield notebook


def root(seed: Notebook) -> Path:
    """Returns the storage root that the notebook initialises."""
    return seed.folder / "key-eval"


def tree(text: str) -> tuple[str, set[str]]:
    """Returns the summary of a printed tree and the names in it; their order is up to the file system."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if " sub-directories & " in line)
    return lines[start], {line.lstrip("│├└─ ") for line in lines[start + 2 :]}


def columns(seed: Notebook, cell: str) -> list[str]:
    """Returns the columns of a displayed data frame."""
    return seed.ask(f"list({seed.out(cell)}.columns)")


def keys(seed: Notebook, cell: str) -> dict[int, str]:
    """Returns the keys of a displayed data frame by number, in the order of its rows.

    The numbers are those of the known walk-through: tracking stores the environment first, out of sight.
    """
    hidden = seed.ask("artifact_no_key_1.id") - 1
    ids = [id - hidden for id in seed.ask(f"list(map(int, {seed.out(cell)}.index))")]
    return dict(zip(ids, seed.ask(f"list({seed.out(cell)}['key'])"), strict=True))


def is_path(shown: str, path: Path | str) -> bool:
    """Returns whether a cell displays this path, whatever class of paths the Python release picks."""
    return re.fullmatch(rf"Posix(U|QueryU)?Path\('{re.escape(str(path))}'\)", shown) is not None


def file_hash(path: Path) -> str:
    """Returns the hash that the format gives to a small file."""
    return base64.urlsafe_b64encode(hashlib.md5(path.read_bytes()).digest()).decode().rstrip("=")


def test_the_folder_is_shown_two_levels_deep(seed: Notebook) -> None:
    summary, names = tree(seed.printed("tree"))
    assert summary == "4 sub-directories & 8 files with suffixes '.txt'"
    results = {f"{kind}_{i}.txt" for kind in ("raw_data", "result") for i in range(1, 5)}
    assert names == results | {"raw/", "preprocessed/", "Collection_1/", "Collection_2/"}


def test_init_connects_and_the_import_finds_the_instance(seed: Notebook) -> None:
    assert "anonymous/key-eval" in seed.printed("init")
    assert "connected lamindb: anonymous/key-eval" in seed.printed("import")
    storage_uid = (root(seed) / ".lamindb" / "storage_uid.txt").read_text().splitlines()[0]
    assert seed.shown("storage") == f"StorageSettings(root='{root(seed)}', uid='{storage_uid}')"


def test_tracking_starts_a_run_of_the_notebook(seed: Notebook) -> None:
    assert re.search(
        r"created Transform\('\w{12,16}'.*\), started new Run\('\w{8,20}'\) at "
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC",
        seed.printed("track"),
    )
    assert seed.ask("[ln.context.transform.key, ln.context.transform.kind]") == ["seed_key.ipynb", "notebook"]
    runs = seed.ask("[artifact.run_id for artifact in ln.Artifact.filter(kind=None)]")
    assert set(runs) == {seed.ask("ln.context.run.id")}


def test_without_a_key_the_uid_names_the_stored_file(seed: Notebook) -> None:
    hints = re.findall(
        r"path content will be copied to default storage upon `save\(\)` with key `None` "
        r"\('(\.lamindb/\w{16}0000\.txt)'\)",
        seed.printed("no-key"),
    )
    assert len(set(hints)) == 2
    for i, place in enumerate(hints, start=1):
        uid = seed.ask(f"artifact_no_key_{i}.uid")
        assert place == f".lamindb/{uid}.txt"
        assert f"storing artifact '{uid}' at '{root(seed) / place}'" in seed.printed("save-no-key")
        source = seed.folder / f"complex_biological_project/raw/raw_data_{i}.txt"
        assert (root(seed) / place).read_bytes() == source.read_bytes()
    second = seed.shown("save-no-key")
    assert re.match(r"Artifact\(uid='\w{20}', .*suffix='\.txt', .*size=10, hash='[\w-]{22}'", second)


def test_virtual_keys_leave_storage_flat_but_are_queryable(seed: Notebook) -> None:
    for i in (3, 4):
        hint = f"path content will be copied to default storage upon `save()` with key 'raw/raw_data_{i}.txt'"
        assert hint in seed.printed("with-key")
        uid = seed.ask(f"artifact_key_{i}.uid")
        assert f"storing artifact '{uid}' at '{root(seed)}/.lamindb/{uid}.txt'" in seed.printed(
            "save-with-key"
        )
    assert not (root(seed) / "raw").exists()
    assert re.match(r"Artifact\(uid='\w{16}0000', .*key='raw/raw_data_4\.txt'", seed.shown("save-with-key"))
    assert columns(seed, "filter-raw") == ARTIFACT_COLUMNS
    found = keys(seed, "filter-raw")
    assert found == {3: "raw/raw_data_3.txt", 4: "raw/raw_data_4.txt"}
    assert "<table" in seed.shown("filter-raw", "text/html")


def test_an_unsaved_collection_knows_its_hash(seed: Notebook) -> None:
    raw = seed.folder / "complex_biological_project" / "raw"
    hashes = sorted(file_hash(raw / f"raw_data_{i}.txt") for i in (1, 2))
    expected = base64.urlsafe_b64encode(hashlib.md5(":".join(hashes).encode()).digest()).decode()[:22]
    shown = seed.shown("collections")
    assert re.match(r"Collection\(uid='\w{16}0000', .*'no key collection'", shown)
    assert f"hash='{expected}'" in shown


def test_moving_the_source_changes_neither_path_nor_key(seed: Notebook) -> None:
    place = root(seed) / ".lamindb" / f"{seed.ask('artifact_key_3.uid')}.txt"
    assert seed.shown("path-before-move") == seed.shown("path-after-move")
    assert is_path(seed.shown("path-after-move"), place)
    assert seed.shown("key-before-move") == seed.shown("key-after-move") == "'raw/raw_data_3.txt'"
    moved = seed.folder / "complex_biological_project" / "moved_artifacts" / "raw_data_3.txt"
    assert seed.ask("[loaded_artifact, artifact_3]") == [moved.read_text()] * 2


def test_changing_a_virtual_key_leaves_the_path(seed: Notebook) -> None:
    place = root(seed) / ".lamindb" / f"{seed.ask('artifact_key_4.uid')}.txt"
    assert seed.shown("path-before-rename") == seed.shown("path-after-rename")
    assert is_path(seed.shown("path-after-rename"), place)
    assert seed.shown("key-before-rename") == "'raw/raw_data_4.txt'"
    assert seed.shown("key-after-rename") == "'bad_samples/sample_data_4.txt'"
    assert seed.ask("artifact_4") == place.read_text()


def test_the_path_cannot_be_assigned(seed: Notebook) -> None:
    assert seed.printed("assign-path").strip().endswith("of 'Artifact' object has no setter")


def test_clashing_keys_are_refused(seed: Notebook) -> None:
    assert seed.printed("clash-key-3") == seed.printed("clash-key-4") == "raw/raw_data_3.txt\n"
    assert columns(seed, "clash-filter") == ["uid", "id", *ARTIFACT_COLUMNS[1:]]
    assert seed.ask(f"len({seed.out('clash-filter')})") == 0
    assert keys(seed, "clash-hit") == {3: "raw/raw_data_3.txt"}
    assert seed.shown("clash-uid-3") != seed.shown("clash-uid-4")
    assert seed.printed("clash-save") == (
        "It is not possible to save artifacts to the same key. This results in an Integrity Error!\n"
    )
    assert seed.ask("[ln.Artifact.get(artifact_key_4.uid).key, artifact_key_4.key]") == [
        "raw/raw_data_4.txt",
        "raw/raw_data_3.txt",
    ]
    refusal = "(lambda: [artifact_key_4.save(), None])"
    assert seed.ask(f"__import__('pytest').raises(ln.errors.IntegrityError, {refusal}).typename").endswith(
        "IntegrityError"
    )


def test_saving_a_hierarchy_returns_what_is_known_and_registers_the_rest(seed: Notebook) -> None:
    printed = seed.printed("save-hierarchy")
    known = re.findall(r"returning (?:existing )?artifact with same hash: Artifact\(uid='(\w{20})'", printed)
    assert set(known) == set(
        seed.ask("[a.uid for a in (artifact_no_key_1, artifact_no_key_2, artifact_key_4)]")
    )
    assert (
        "key raw/raw_data_4.txt on existing artifact differs from passed key /raw/raw_data_4.txt" in printed
    )
    for i in (1, 2):
        assert f"updated key from None to /raw/raw_data_{i}.txt" in printed
    new = {f"/raw/Collection_{i}/raw_data_{j}.txt" for i in (1, 2) for j in range(1, 5)}
    assert set(re.findall(r"upon `save\(\)` with key '(/raw/.*)'", printed)) == new
    assert (
        len(
            re.findall(
                rf"storing artifact '(\w{{20}})' at '{re.escape(str(root(seed)))}/\.lamindb/\1\.txt'", printed
            )
        )
        == 8
    )
    assert keys(seed, "filter-hierarchy") == {3: "raw/raw_data_3.txt", 4: "raw/raw_data_4.txt"}


def test_a_collection_gathers_the_hierarchy(seed: Notebook) -> None:
    printed = seed.printed("all-paths")
    assert len(re.findall(r"returning (?:existing )?artifact with same hash: Artifact\(", printed)) == 11
    assert re.match(r"Collection\(uid='\w{16}0000', .*'data'", seed.shown("all-paths"))
    assert columns(seed, "filter-collection") == COLLECTION_COLUMNS
    assert list(keys(seed, "filter-collection").values()) == ["data"]
    assert seed.ask("data_ds.artifacts.count()") == 11


def test_one_label_marks_the_hierarchy(seed: Notebook) -> None:
    printed = seed.printed("label-all")
    assert (
        len(re.findall(r"(?i)returning (?:existing )?ulabel (?:record )?with same name: 'data'", printed))
        == 10
    )
    assert seed.ask("[ln.ULabel.filter(name='data').count(), labels.data.name]") == [1, "data"]
    assert columns(seed, "filter-label") == ARTIFACT_COLUMNS
    labelled = keys(seed, "filter-label")
    assert sorted(labelled) == [1, 2, *range(4, 13)]
    assert labelled[1] == "/raw/raw_data_1.txt"
    assert labelled[4] == "raw/raw_data_4.txt"


def test_real_keys_say_where_the_content_lies(seed: Notebook) -> None:
    printed = seed.printed("save-legacy")
    for i in range(1, 5):
        name = f"preprocessed/result_{i}.txt"
        hint = f"path content will be copied to default storage upon `save()` with key './/{name}'"
        assert hint in printed
        assert re.search(rf"storing artifact '\w{{20}}' at '{re.escape(str(root(seed) / name))}'", printed)
        assert (root(seed) / name).read_bytes() == (
            seed.folder / "complex_biological_project" / name
        ).read_bytes()
    assert list(keys(seed, "all-artifacts")) == list(range(16, 0, -1)), "newest first"
    assert {key for id, key in keys(seed, "all-artifacts").items() if id > 12} == {
        f".//preprocessed/result_{i}.txt" for i in range(1, 5)
    }
    assert columns(seed, "all-artifacts") == ARTIFACT_COLUMNS


def test_a_collection_spans_virtual_and_real_keys(seed: Notebook) -> None:
    uid = seed.ask("artifact_from_raw.uid")
    assert seed.printed("pick").splitlines() == [
        f"{root(seed)}/.lamindb/{uid}.txt",
        f"{root(seed)}/preprocessed/result_1.txt",
    ]
    assert seed.ask("[artifact_from_raw._key_is_virtual, artifact_from_preprocessed._key_is_virtual]") == [
        True,
        False,
    ]
    assert re.match(
        r"Collection\(uid='\w{16}0000', .*'raw_and_processed_collection_2'", seed.shown("distributed")
    )
    assert set(keys(seed, "distributed-artifacts").values()) == {
        "/raw/Collection_2/raw_data_1.txt",
        ".//preprocessed/result_1.txt",
    }


def test_the_cellranger_folder_is_shown(seed: Notebook) -> None:
    printed = seed.printed("cellranger")
    assert "file has more than one suffix (path.suffixes), using only last suffix: '.bai'" in printed
    summary, names = tree(printed)
    assert summary.startswith("3 sub-directories & 15 files with suffixes ")
    suffixes = {".bam", ".h5", ".bai", ".html", ".csv", ".tsv.gz", ".mtx.gz", ".cloupe"}
    assert set(re.findall(r"'([^']*)'", summary)) == suffixes
    assert {"raw_feature_bc_matrix/", "analysis/", "possorted_genome_bam.bam.bai", "matrix.mtx.gz"} <= names


def test_from_dir_makes_one_artifact_per_file(seed: Notebook) -> None:
    printed = seed.printed("from-dir")
    target = root(seed) / "raw_feature_bc_matrix"
    outside = "folder is outside existing storage location, will copy files from"
    assert f"{outside} sample_001/raw_feature_bc_matrix/ to {target}" in printed
    assert (
        f"created 3 artifacts from directory using storage {root(seed)} and key = raw_feature_bc_matrix/"
        in printed
    )
    stored = re.findall(r"storing artifact '(\w{20})' at '(.*)'", seed.printed("save-from-dir"))
    assert len(stored) == 3
    for uid, place in stored:
        assert re.fullmatch(rf"{re.escape(str(root(seed)))}/\.lamindb/{uid}\.(mtx|tsv)\.gz", place)
    names = {
        f"raw_feature_bc_matrix/{name}" for name in ("matrix.mtx.gz", "barcodes.tsv.gz", "features.tsv.gz")
    }
    assert set(keys(seed, "filter-matrix").values()) == names
    uid = seed.ask("ln.Artifact.get(key='raw_feature_bc_matrix/matrix.mtx.gz').uid")
    assert is_path(seed.shown("matrix-path"), f"{root(seed)}/.lamindb/{uid}.mtx.gz")


def test_a_folder_is_one_artifact(seed: Notebook) -> None:
    stem = seed.ask("cellranger_raw_folder.stem_uid")
    assert f"with key `None` ('.lamindb/{stem}')" in seed.printed("folder")
    assert re.search(
        rf"storing artifact '{stem}0000' at '{root(seed)}/\.lamindb/{stem}'", seed.printed("folder")
    )
    shown = seed.shown("folder")
    assert "description='cellranger raw'" in shown
    assert "n_files=3" in shown
    assert seed.ask("[artifact.n_files, artifact._hash_type, artifact.suffix]") == [3, "md5-d", ""]
    matrix = seed.folder / "sample_001" / "raw_feature_bc_matrix"
    assert seed.ask("artifact.size") == sum(file.stat().st_size for file in matrix.iterdir())
    stored = seed.ask(f"sorted(path.name for path in {seed.out('folder-glob')})")
    assert stored == sorted(file.name for file in matrix.iterdir())
