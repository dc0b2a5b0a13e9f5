"""Paths: transfers, cache and addresses."""

from __future__ import annotations

import os
import sys
import types
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import upath

import holotype.upath
from conftest import FILES
from holotype import _remote
from holotype.upath import UPath

pytestmark = pytest.mark.usefixtures("scratch")


def test_upath_is_the_class_of_universal_pathlib() -> None:
    assert UPath is upath.UPath
    local = UPath("x")
    assert isinstance(local, Path)
    assert str(local / "y") == os.path.join("x", "y")
    assert str(local) == "x"
    assert str(UPath("memory://b/x")) == "memory://b/x"
    with pytest.raises(AttributeError, match="no_such_name"):
        holotype.upath.no_such_name  # noqa: B018


@pytest.mark.parametrize(
    "name",
    ["view_tree", "upload_from", "download_to", "synchronize_to", "modified", "cache", "to_url", "from_auth"],
)
def test_methods_are_on_local_and_remote_paths(name: str) -> None:
    for cls in (UPath, type(UPath("x")), type(UPath("memory://x"))):
        assert getattr(cls, name).__doc__ or getattr(cls, name).fget.__doc__
    assert hasattr(Path, "view_tree")


def contents(path: Any) -> dict[str, str]:
    if isinstance(path, Path):
        return {p.relative_to(path).as_posix(): p.read_text() for p in path.rglob("*") if p.is_file()}
    root = path.path.rstrip("/") + "/"
    return {name.removeprefix(root): path.fs.cat_file(name).decode() for name in path.fs.find(path.path)}


def test_upload_and_download_a_file(folder: Path) -> None:
    remote = UPath("memory://b/deep/up.txt")
    assert remote.upload_from("t/x.txt") == remote
    assert remote.read_text() == "x.txt"
    assert remote.download_to("new/name.txt") == Path("new/name.txt")
    assert Path("new/name.txt").read_text() == "x.txt"
    assert remote.download_to("new") == Path("new/up.txt")
    assert sorted(os.listdir("new")) == ["name.txt", "up.txt"]


def test_upload_and_download_a_folder(folder: Path) -> None:
    expected = {name: name for name in FILES}
    assert str(UPath("memory://b").upload_from(folder)) == "memory://b/t"
    assert contents(UPath("memory://b/t")) == expected
    assert str(UPath("memory://c").upload_from("t/", create_folder=False)) == "memory://c"
    assert contents(UPath("memory://c")) == expected
    UPath("memory://c").download_to("d")
    assert contents(Path("d")) == expected
    Path("there").mkdir()
    assert UPath("memory://c").download_to("there") == Path("there/c")
    assert contents(Path("there/c")) == expected


def test_transfers_work_between_local_folders(folder: Path) -> None:
    assert UPath("copy").upload_from(folder) == UPath("copy/t")
    assert contents(Path("copy/t")) == {name: name for name in FILES}
    UPath("copy/t").download_to("back")
    assert contents(Path("back")) == contents(folder)


def test_transfer_errors(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        UPath("memory://b/x").upload_from("absent")
    with pytest.raises(ValueError, match="is a file"):
        UPath("memory://b/x").upload_from("t/x.txt", create_folder=True)
    with pytest.raises(FileNotFoundError, match="memory://b/absent"):
        UPath("memory://b/absent").download_to("q")
    assert not Path("q").exists()


def test_a_broken_download_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    remote = UPath("memory://b/x.txt")
    remote.write_text("new content")
    Path("x.txt").write_text("old")

    def half(source: str, target: str, **_: Any) -> None:
        Path(target).write_text("new")

    monkeypatch.setattr(remote.fs, "get_file", half)
    with pytest.raises(OSError, match="got 3 of 11 bytes"):
        remote.synchronize_to("x.txt")
    assert Path("x.txt").read_text() == "old"
    assert os.listdir() == ["x.txt"]


def test_progress_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    UPath("memory://b").upload_from(folder)
    assert capsys.readouterr().out.split("\r")[-1].strip() == "... uploading t: 100.0%"
    UPath("memory://b/t").download_to("d", print_progress=False)
    assert capsys.readouterr().out == ""


def test_progress_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    now = iter([0.0, 1.0, 1.0, 1.1, 2.0, 2.0, 3.0])
    monkeypatch.setattr(_remote.time, "monotonic", lambda: next(now))
    with _remote._Progress("uploading", "x", 1000, True) as progress:
        progress.absolute_update(123)
        progress.relative_update(10)
        progress.relative_update(367)
    assert capsys.readouterr().out == (
        "\r... uploading x:  0.0%\r... uploading x: 12.3%\r... uploading x: 50.0%\r... uploading x: 100.0%\n"
    )


def test_synchronize_a_file() -> None:
    remote = UPath("memory://b/x.txt")
    remote.write_text("one")
    assert remote.synchronize_to("x.txt", just_check=True)
    assert not Path("x.txt").exists()
    assert remote.synchronize_to("x.txt")
    assert Path("x.txt").read_text() == "one"
    # The time of the copy is that of the origin.
    assert datetime.fromtimestamp(Path("x.txt").stat().st_mtime) == remote.modified
    assert not remote.synchronize_to("x.txt")
    # Edited here to another size, or older here in whole seconds: fetched again.
    Path("x.txt").write_text("edited")
    assert remote.synchronize_to("x.txt")
    os.utime("x.txt", (0, 0))
    assert remote.synchronize_to("x.txt")
    assert Path("x.txt").read_text() == "one"
    # Newer here, same size: left alone.
    os.utime("x.txt", (2**33, 2**33))
    assert not remote.synchronize_to("x.txt")


def test_synchronize_a_folder_mirrors_it(folder: Path) -> None:
    remote = UPath("memory://b")
    remote.upload_from(folder, create_folder=False, print_progress=False)
    assert remote.synchronize_to("copy")
    assert contents(Path("copy")) == contents(folder)
    assert not remote.synchronize_to("copy")
    Path("copy/extra").write_text("x")
    Path("copy/a/1.csv").unlink()
    (remote / "x.txt").unlink()
    assert remote.synchronize_to("copy", just_check=True)
    assert Path("copy/extra").exists()
    assert remote.synchronize_to("copy")
    expected = {name: name for name in FILES if name != "x.txt"}
    assert contents(Path("copy")) == expected
    (remote / "s.zarr" / "0" / "x").unlink()
    assert remote.synchronize_to("copy")
    assert not Path("copy/s.zarr").exists()


def test_synchronize_replaces_a_folder_by_a_file_and_back() -> None:
    UPath("memory://b/file").write_text("f")
    UPath("memory://b/dir/inner").write_text("i")
    UPath("memory://b/dir").synchronize_to("x")
    assert UPath("memory://b/file").synchronize_to("x")
    assert Path("x").read_text() == "f"
    assert UPath("memory://b/dir").synchronize_to("x")
    assert contents(Path("x")) == {"inner": "i"}


def test_synchronize_without_origin() -> None:
    absent = UPath("memory://b/absent")
    with pytest.raises(FileNotFoundError) as caught:
        absent.synchronize_to("x")
    assert str(caught.value) == (
        "The original path memory://b/absent does not exist anymore.\nIt is not possible to synchronize."
    )
    assert absent.synchronize_to("x", error_no_origin=False) is False
    Path("x").write_text("kept")
    with pytest.warns(UserWarning, match="you might want to reupload the object back"):
        assert absent.synchronize_to("x") is False
    assert Path("x").read_text() == "kept"


def test_synchronize_refuses_to_empty_the_working_directory(folder: Path) -> None:
    UPath("memory://b/dir/inner").write_text("i")
    for destination in (".", "..", str(Path.home())):
        with pytest.raises(ValueError, match="Choose a folder of its own"):
            UPath("memory://b/dir").synchronize_to(destination)
    assert (folder / "x.txt").exists()


def test_names_that_lead_out_are_refused() -> None:
    for name in ("../x", "a/../../x", "a//x", "/x"):
        with pytest.raises(ValueError, match="leads out of the folder"):
            _remote._below(Path("d"), name)


def test_modified(folder: Path) -> None:
    remote = UPath("memory://b/x")
    remote.write_text("x")
    assert abs(remote.modified - datetime.now()) < timedelta(minutes=1)
    assert UPath("memory://b").modified is None
    os.utime(folder / "x.txt", (1_000_000_000, 1_000_000_000))
    assert UPath(folder / "x.txt").modified == datetime.fromtimestamp(1_000_000_000)
    with pytest.raises(FileNotFoundError):
        _ = UPath("memory://b/absent").modified


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"LastModified": datetime.fromisoformat("2025-01-01T00:00:00+00:00")}, 1735689600.0),
        ({"updated": "2025-01-01T00:00:00.000Z"}, 1735689600.0),
        ({"mtime": 12.5}, 12.5),
        ({"updated": "yesterday", "created": 3}, 3.0),
        ({"LastModified": None}, None),
        ({}, None),
    ],
)
def test_times_of_several_file_systems(info: dict[str, Any], expected: float | None) -> None:
    assert _remote._timestamp(info) == expected


def test_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remote = UPath("memory://bucket/folder/x.txt")
    remote.write_text("one")
    assert remote.cache() == tmp_path / "cache/bucket/folder/x.txt"
    assert remote.cache().read_text() == "one"
    assert capsys.readouterr().out.split("\r")[-1].strip() == "... synchronizing x.txt: 100.0%"
    assert UPath("memory://bucket").cache(print_progress=False) == tmp_path / "cache/bucket"
    assert remote.cache("other/name") == tmp_path / "cache/other/name"
    local = UPath("memory://bucket/folder/x.txt").cache()
    assert UPath(local).cache() == local
    holotype.upath.set_cache_dir(tmp_path / "elsewhere")
    assert remote.cache() == tmp_path / "elsewhere/bucket/folder/x.txt"
    holotype.upath.set_cache_dir(lambda: tmp_path / "computed")
    assert remote.cache() == tmp_path / "computed/bucket/folder/x.txt"
    for key in ("../x", "/etc/passwd", "a/../..", "."):
        with pytest.raises(ValueError, match="resolves outside the cache directory.$"):
            remote.cache(key)


def test_default_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMIN_CACHE_DIR", "/given")
    assert holotype.upath.default_cache_dir() == Path("/given")


def s3_path(region: str | None, endpoint: str | None = None) -> Any:
    headers = {"x-amz-bucket-region": region} if region else {}
    file_system = types.SimpleNamespace(
        endpoint_url=endpoint,
        call_s3=lambda method, Bucket: {"ResponseMetadata": {"HTTPHeaders": headers}},  # noqa: N803
    )
    return types.SimpleNamespace(protocol="s3", path="bucket/a b/x.txt", fs=file_system)


@pytest.mark.parametrize(
    ("region", "endpoint", "expected"),
    [
        ("us-east-1", None, "https://bucket.s3.amazonaws.com/a%20b/x.txt"),
        (None, None, "https://bucket.s3.amazonaws.com/a%20b/x.txt"),
        ("eu-central-1", None, "https://bucket.s3-eu-central-1.amazonaws.com/a%20b/x.txt"),
        ("us-east-1", "http://localhost:9000/", "http://localhost:9000/bucket/a%20b/x.txt"),
    ],
)
def test_to_url(region: str | None, endpoint: str | None, expected: str) -> None:
    assert UPath.to_url(s3_path(region, endpoint)) == expected


def test_to_url_needs_s3() -> None:
    for path in (UPath("memory://b/x"), UPath("x")):
        with pytest.raises(ValueError, match="^The provided UPath must be an S3 path.$"):
            path.to_url()


def test_from_auth() -> None:
    path = UPath("memory://b/x")
    assert UPath.from_auth(path) is path
    assert UPath.from_auth("memory://b/x") == path
    assert isinstance(UPath.from_auth("x"), Path)
