"""Folders drawn as trees."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

import holotype.upath
from holotype.examples import datasets
from holotype.upath import UPath

pytestmark = pytest.mark.usefixtures("scratch")


def tree(path: Any, *args: Any, **options: Any) -> list[str]:
    printed: list[str] = []
    assert path.view_tree(*args, print_fn=printed.append, **options) is None
    assert len(printed) == 1
    return printed[0].split("\n")


def test_tree_of_two_levels(folder: Path) -> None:
    assert tree(folder) == [
        "5 sub-directories & 5 files with suffixes '', '.cloupe', '.csv', '.txt'",
        str(folder.resolve()),
        "├── .hidden",
        "├── a/",
        "│   ├── 1.csv",
        "│   └── b/",
        "├── empty/",
        "├── s.zarr/",
        "│   └── 0/",
        "├── x.txt",
        "├── y.cloupe",
        "└── z",
    ]


def test_tree_of_all_levels(folder: Path) -> None:
    lines = tree(UPath(folder), -1)
    assert lines[0] == (
        "7 sub-directories & 9 files with suffixes '', '.bai', '.cloupe', '.csv', '.fastq.gz', '.txt'"
    )
    assert lines[3:10] == [
        "├── a/",
        "│   ├── 1.csv",
        "│   └── b/",
        "│       ├── 2.bam.bai",
        "│       └── c/",
        "│           ├── 3.TXT",
        "│           └── d/",
    ]


def test_tree_of_one_level_and_none(folder: Path) -> None:
    lines = tree(folder, level=1)
    assert lines[0] == "3 sub-directories & 4 files with suffixes '', '.cloupe', '.txt'"
    assert len(lines) == 9
    assert tree(folder, level=0) == ["0 sub-directories & 0 files", str(folder.resolve())]
    assert tree(folder / "empty") == ["0 sub-directories & 0 files", str((folder / "empty").resolve())]


def test_tree_of_a_relative_path_shows_the_whole_path(folder: Path) -> None:
    assert tree(Path("t"))[1] == str(folder.resolve())
    assert tree(UPath("t/a"), level=1)[0] == "1 sub-directory & 1 files with suffixes '.csv'"


def test_tree_of_folders_only(folder: Path) -> None:
    assert tree(folder, only_dirs=True)[0] == "5 sub-directories & 0 files"
    assert tree(folder / "s.zarr", only_dirs=True) == [
        "1 sub-directory & 0 files",
        str((folder / "s.zarr").resolve()),
        "└── 0/",
    ]


def test_tree_skips_folders_by_suffix(folder: Path) -> None:
    lines = tree(folder, level=-1, skip_suffixes=[".zarr"])
    assert lines[0].startswith("6 sub-directories & 8 files")
    assert "├── s.zarr/" in lines
    assert "│   └── 0/" not in lines


@pytest.mark.parametrize("make", [str, Path, UPath])
def test_tree_of_included_paths(folder: Path, make: Any) -> None:
    lines = tree(Path("t"), level=-1, include_paths={make("t/a/1.csv")})
    assert lines[0] == "1 sub-directory & 1 files with suffixes '.csv'"
    assert lines[2:] == ["└── a/", "    └── 1.csv"]
    assert tree(folder, level=-1, include_paths=[make("t/a/b/c")])[2:] == [
        "└── a/",
        "    └── b/",
        "        └── c/",
        "            ├── 3.TXT",
        "            └── d/",
        "                └── 4.fastq.gz",
    ]


def test_tree_limits_lines_but_counts_all(folder: Path) -> None:
    assert tree(folder, level=-1, n_max_files=3)[2:] == [
        "├── .hidden",
        "├── a/",
        "│   ├── 1.csv",
        "... only showing 3 out of 9 files",
    ]
    assert tree(folder, level=-1, n_max_files=16)[-1] == "└── z"
    assert tree(folder, n_max_files=0)[2:] == ["... only showing 0 out of 5 files"]


def test_tree_limits_files_of_one_kind(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.txt").touch()
        (tmp_path / f"{number}.csv").touch()
    (tmp_path / "z").mkdir()
    assert tree(tmp_path, n_max_files_per_dir_and_type=3) == [
        "1 sub-directory & 8 files with suffixes '.csv', '.txt'",
        str(tmp_path.resolve()),
        "├── 0.csv",
        "├── 0.txt",
        "├── 1.csv",
        "├── 1.txt",
        "...",
        "...",
        "└── z/",
    ]
    assert "..." not in tree(tmp_path, n_max_files_per_dir_and_type=4)
    assert tree(tmp_path, n_max_files_per_dir_and_type=1)[2:] == ["...", "...", "└── z/"]


def test_tree_of_a_pipeline_folder_hints_at_suffixes() -> None:
    sample = datasets.dir_scrnaseq_cellranger("sample_001")
    printed: list[str] = []
    hints: list[str] = []
    holotype.upath.set_output(printed.append, hints.append)
    sample.view_tree()
    lines = printed[0].split("\n")
    assert lines[0].startswith("3 sub-directories & 15 files with suffixes ")
    assert set(lines[0].split("suffixes ")[1].split(", ")) == {
        "'.bam'",
        "'.h5'",
        "'.bai'",
        "'.html'",
        "'.csv'",
        "'.tsv.gz'",
        "'.mtx.gz'",
        "'.cloupe'",
    }
    assert len(lines) == 2 + 18
    assert len(hints) == 1
    assert hints[0].startswith(
        "file has more than one suffix (path.suffixes), using only last suffix: '.bai'"
    )


def test_tree_is_printed_by_default(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a").view_tree()  # type: ignore[attr-defined]
    assert capsys.readouterr().out.startswith("2 sub-directories & 2 files with suffixes '.bai', '.csv'\n")


def test_tree_needs_a_folder(folder: Path) -> None:
    for path in (Path("absent"), UPath("memory://absent")):
        with pytest.raises(FileNotFoundError, match="absent"):
            tree(path)
    UPath("memory://b/file").write_text("x")
    for path in (folder / "x.txt", UPath("memory://b/file")):
        with pytest.raises(NotADirectoryError):
            tree(path)


def test_tree_ends_at_links_to_folders_above(folder: Path) -> None:
    (folder / "empty" / "up").symlink_to(folder)
    (folder / "empty" / "broken").symlink_to("nowhere")
    lines = tree(folder / "empty", level=-1)
    assert lines[2:5] == ["├── broken", "└── up/", "    ├── .hidden"]
    assert tree(folder, level=-1).count("│   └── up/") == 1


def test_tree_escapes_names_that_break_the_line(tmp_path: Path) -> None:
    (tmp_path / "new\nline\x1b[31m.txt").touch()
    (tmp_path / "süß 🤩.txt").touch()
    if sys.platform == "linux":
        Path(os.fsdecode(bytes(tmp_path) + b"/bad\xff.txt")).touch()
        assert "├── bad\\udcff.txt" in tree(tmp_path)
    lines = tree(tmp_path)
    assert "├── new\\nline\\x1b[31m.txt" in lines
    assert lines[-1] == "└── süß 🤩.txt"


def test_tree_of_an_unreadable_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("s.zarr"):
            raise PermissionError(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "├── s.zarr/" in tree(folder)
    with pytest.raises(PermissionError):
        tree(folder / "s.zarr")


def test_tree_of_a_remote_folder(folder: Path) -> None:
    UPath("memory://b").upload_from(folder, create_folder=False, print_progress=False)
    remote, local = tree(UPath("memory://b"), level=-1), tree(folder, level=-1)
    assert remote[1] == "memory://b"
    # Empty folders have no file to upload.
    assert remote[2:] == [line for line in local[2:] if line != "├── empty/"]
    included = tree(UPath("memory://b"), level=-1, include_paths=[UPath("memory://b/s.zarr")])
    assert included[2:] == ["└── s.zarr/", "    └── 0/", "        └── x"]
