"""Artifacts in a bucket, seen from Python."""

from __future__ import annotations

import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest

import holotype as ln
import holotype.upath
import servers
from cached import copies, forget_copies
from holotype import _blocks, _clouds
from samples import small_anndata
from servers import Server
from writing import check_writing

# Other libraries announce changes of their own in the writing of stores.
pytestmark = pytest.mark.filterwarnings("ignore:.*zarr v[23].*", "ignore:Consolidated metadata")


def saved(data: Any, key: str) -> ln.Artifact:
    """Returns a saved artifact without a run."""
    artifact = ln.Artifact(data, key=key, run=False).save()
    assert artifact is not None
    return artifact


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of what is read from buckets in parts."""
    import s3fs

    sizes: list[int] = []
    for cls, method in ((s3fs.S3File, "_fetch_range"), (_blocks.BlockFile, "_fetch")):
        plain = getattr(cls, method)

        def counting(*args: Any, plain: Any = plain) -> bytes:
            content: bytes = plain(*args)
            sizes.append(len(content))
            return content

        monkeypatch.setattr(cls, method, counting)
    return sizes


both_servers = pytest.mark.parametrize("bucket", ["moto", "s3s"], indirect=True)


@both_servers
def test_a_file_goes_to_the_bucket_and_comes_back(cloud: Any, bucket: str) -> None:
    assert (ln.settings.storage.type, ln.settings.storage.root_as_str) == ("s3", bucket)
    assert (str(cloud), cloud) == (bucket.split("?")[0], ln.Storage.get(root=bucket).path)
    Path("x.txt").write_text("hello")
    artifact = saved("x.txt", "raw/x.txt")
    place = f"{cloud}/.lamindb/{artifact.uid}.txt"
    assert (str(artifact.path), artifact.path.as_posix()) == (place, place)
    assert isinstance(artifact.path, ln.UPath)
    assert repr(artifact.path) == f"S3QueryPath('{place}')"
    assert artifact.path.exists()
    assert artifact.path.read_text() == "hello"
    # What was saved is in the cache already.
    copy = artifact.cache()
    assert copy == ln.settings.cache_dir / bucket.split("?")[0].removeprefix("s3://") / "raw/x.txt"
    assert ln.settings.storage.cloud_to_local(artifact.path).read_text() == "hello"
    forget_copies()
    assert (artifact.cache(), artifact.load()) == (copy, "hello")
    artifact.delete(permanent=True)
    assert not artifact.path.exists()
    assert [path.name for path in (cloud / ".lamindb").iterdir()] == ["storage_uid.txt"]


def test_what_cannot_be_loaded_is_not_fetched(cloud: Any) -> None:
    Path("x.bai").write_text("index")
    artifact = saved("x.bai", "raw/x.bai")
    forget_copies()
    with pytest.raises(NotImplementedError, match=r"There is no loader for \.bai files"):
        artifact.load()
    assert not list(ln.settings.cache_dir.rglob("*.bai"))
    assert artifact.cache().read_text() == "index"


def test_what_lies_in_the_bucket_is_registered_and_found(
    cloud: Any, bucket: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (cloud / "raw/x.csv").write_text("a\n1\n")
    artifact = ln.Artifact(cloud / "raw/x.csv", run=False).save()
    assert artifact is not None
    assert (artifact.key, artifact._hash_type, artifact.size) == ("raw/x.csv", "md5", 4)
    assert artifact.path == cloud / "raw/x.csv"
    assert artifact.load()["a"].tolist() == [1]
    other = saved(pd.DataFrame({"a": [1]}), "t.parquet")
    for known in (artifact, other):
        assert ln.Artifact.get(path=known.path) == known
        assert ln.Artifact.get(path=str(known.path)) == known
    # Consoles mark folders by empty objects.
    bucket_name, _, key = cloud.path.partition("/")
    cloud.fs.call_s3("put_object", Bucket=bucket_name, Key=f"{key}/", Body=b"")
    capsys.readouterr()
    cloud.view_tree()
    summary, title, *lines = capsys.readouterr().out.splitlines()
    assert summary == "2 sub-directories & 3 files with suffixes '.csv', '.parquet', '.txt'"
    assert title == bucket.split("?")[0]
    names = {line.lstrip("│├└─ \xa0") for line in lines}
    assert names == {".lamindb/", f"{other.uid}.parquet", "storage_uid.txt", "raw/", "x.csv"}


def test_a_question_mark_is_part_of_a_name(cloud: Any, bucket: str) -> None:
    (cloud / "raw/a").write_text("another file")
    (cloud / "raw/a?b.txt").write_text("wanted")
    for path in (
        cloud / "raw/a?b.txt",
        f"{cloud}/raw/a?b.txt",
        f"{cloud}/raw/a?b.txt?{bucket.partition('?')[2]}",
    ):
        artifact = ln.Artifact(path, run=False).save()
        assert artifact is not None
        assert (artifact.key, artifact.load(), artifact.path.read_text()) == (
            "raw/a?b.txt",
            "wanted",
            "wanted",
        )
        assert ln.Artifact.get(path=artifact.path) == artifact == ln.Artifact.get(path=str(artifact.path))
    assert [artifact.key for artifact in ln.Artifact.from_dir(cloud / "raw", run=False)] == [
        "raw/a",
        "raw/a?b.txt",
    ]


def test_the_files_of_a_prefix_are_registered_where_they_lie(cloud: Any, bucket: str) -> None:
    for name in ("a.csv", "b/c.csv"):
        (cloud / "raw" / name).write_text(f"name\n{name}\n")
    for folder in (cloud / "raw", f"{cloud}/raw", f"{cloud}/raw?{bucket.partition('?')[2]}"):
        artifacts = ln.Artifact.from_dir(folder, run=False).save()
        assert [artifact.key for artifact in artifacts] == ["raw/a.csv", "raw/b/c.csv"]
    assert ln.Artifact.filter(key__startswith="raw/").count() == 2
    assert artifacts[1].path == cloud / "raw/b/c.csv"
    assert artifacts[1].load()["name"].tolist() == ["b/c.csv"]


def test_other_processes_read_what_they_are_sent(cloud: Any) -> None:
    """A process that starts anew, as those of dask and joblib do, gets artifacts and paths in pickles."""
    artifact = saved(pd.DataFrame({"a": [1, 2]}), "t.parquet")
    (cloud / "x.txt").write_text("hello")
    sent = pickle.dumps(((cloud / "x.txt"), artifact, artifact.path))
    code = (
        "import pickle, sys\n"
        "text, artifact, path = pickle.load(sys.stdin.buffer)\n"
        "print(text.read_text(), len(artifact.load()), path == artifact.path, repr(path))\n"
    )
    environment = os.environ | {"PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, "-c", code], input=sent, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines()[-1] == f"hello 2 True {artifact.path!r}"


def test_only_folders_have_trees(cloud: Any) -> None:
    (cloud / "x.csv").write_text("a\n")
    with pytest.raises(NotADirectoryError):
        (cloud / "x.csv").view_tree()
    with pytest.raises(FileNotFoundError):
        (cloud / "none").view_tree()


def test_a_path_that_names_another_server_is_not_known(cloud: Any) -> None:
    (cloud / "x.csv").write_text("a\n")
    elsewhere = f"{cloud}/x.csv?endpoint_url=http://127.0.0.1:9"
    with pytest.raises(OSError, match="cannot be reached at http://127.0.0.1:9"):
        ln.Artifact(elsewhere, run=False)
    with pytest.raises(OSError, match="cannot be reached at http://127.0.0.1:9"):
        ln.Artifact(ln.UPath(elsewhere), run=False)
    with pytest.raises(ln.errors.ObjectDoesNotExist):
        ln.Artifact.get(path=elsewhere)


@both_servers
def test_tables_are_read_in_parts(cloud: Any, fetched: list[int]) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.random(400_000) for name in "abcdef"})
    frame.to_parquet("t.parquet", row_group_size=20_000)
    size = Path("t.parquet").stat().st_size
    table, text = saved("t.parquet", "t.parquet"), saved(frame.head(10), "t.csv")
    forget_copies()
    rows = table.open().scanner(columns=["b"]).head(5)
    assert rows.column("b").to_pylist() == frame["b"].head(5).tolist()
    assert 0 < sum(fetched) < size / 2
    assert text.open().count_rows() == 10
    with table.open(engine="polars") as lazy:
        assert lazy.select("c").head(2).collect()["c"].to_list() == frame["c"].head(2).tolist()
    with text.open(engine="polars") as lazy:
        assert isinstance(lazy, polars.LazyFrame)
        assert lazy.collect().height == 10
    assert not copies()
    table.cache()
    assert table.open().count_rows() == len(frame)
    assert copies() == ["t.parquet"]


def test_a_network_that_fails_while_a_table_is_open_is_named(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    artifact = saved(pd.DataFrame({"a": [1]}), "t.parquet")
    forget_copies()
    table = artifact.open()

    async def cut(*_: Any, **__: Any) -> None:
        raise ConnectionError("the network is gone")

    monkeypatch.setattr(s3fs.S3FileSystem, "_call_s3", cut)
    with pytest.raises(ConnectionError, match="the network is gone"):
        table.to_table()


def test_folders_of_tables_are_read_in_parts(cloud: Any) -> None:
    for part in ("k=1", "k=2"):
        Path("parts", part).mkdir(parents=True)
        pd.DataFrame({"a": [1, 2]}).to_parquet(f"parts/{part}/x.parquet")
    folder = saved("parts", "parts")
    forget_copies()
    assert folder.open(partitioning="hive").to_table().column("k").to_pylist() == [1, 1, 2, 2]
    with folder.open(engine="polars") as lazy:
        assert lazy.collect().height == 4
    assert not copies()


def test_collections_are_read_in_parts(cloud: Any) -> None:
    parts = [saved(pd.DataFrame({"a": [n]}), f"{n}.parquet") for n in range(3)]
    collection = ln.Collection(parts, key="parts", run=False).save()
    together = ln.Artifact.filter(suffix=".parquet").order_by("id")
    forget_copies()
    for table in (collection, together):
        assert table.open().to_table().column("a").to_pylist() == [0, 1, 2]
        with table.open(engine="polars") as lazy:
            assert lazy.collect()["a"].to_list() == [0, 1, 2]
    assert not copies()
    # What is here already is read here.
    ln.Artifact.get(parts[1].uid).cache()
    assert collection.open().to_table().column("a").to_pylist() == [0, 1, 2]
    with collection.open(engine="polars") as lazy:
        assert lazy.collect()["a"].to_list() == [0, 1, 2]
    assert copies() == ["1.parquet"]
    assert collection.load()["a"].tolist() == [0, 1, 2]
    assert copies() == ["0.parquet", "1.parquet", "2.parquet"]


@pytest.mark.parametrize("suffix", [".h5ad", ".zarr"])
def test_arrays_are_read_in_parts(cloud: Any, suffix: str, fetched: list[int]) -> None:
    adata = small_anndata()
    # Much of the file is nobody's concern here.
    adata.obsm["large"] = np.random.default_rng(0).random((adata.n_obs, 100_000))
    path = Path(f"cells{suffix}")
    (adata.write_h5ad if suffix == ".h5ad" else adata.write_zarr)(path)
    artifact = saved(path, f"cells{suffix}")
    forget_copies()
    with artifact.open() as access:
        subset = access[:5, :7].to_memory if suffix == ".zarr" else None
        assert access.shape == adata.shape
        pd.testing.assert_frame_equal(access.obs, adata.obs, check_dtype=False)
        part = access[:5, :7].X
        assert np.allclose(part if isinstance(part, np.ndarray) else part.toarray(), adata[:5, :7].X)
        assert subset is None or subset().shape == (5, 7)
    if suffix == ".h5ad":
        assert 0 < sum(fetched) < path.stat().st_size / 2
    assert not copies()
    with pytest.raises(ValueError, match=r"`mode='w'`"):
        artifact.open(mode="w")


def test_reading_hdf5_does_not_wait_for_garbage(cloud: Any) -> None:
    """An object of HDF5 that the thread of fsspec finds to be garbage is not freed while a file is read."""
    saved(small_anndata(), "cells.h5ad")
    forget_copies()
    code = """\
import faulthandler, gc
import holotype as ln
import s3fs.core

faulthandler.dump_traceback_later(30, exit=True)
artifact = ln.Artifact.get(key="cells.h5ad")


class Circle:
    pass


garbage = Circle()
garbage.itself, garbage.access = garbage, artifact.open()
fetch = s3fs.core._inner_fetch


async def collecting(*args, **kwargs):
    global garbage
    garbage = None
    gc.collect()
    return await fetch(*args, **kwargs)


s3fs.core._inner_fetch = collecting
with artifact.open() as access:
    print(access[:5].to_memory().shape[0])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == ["5"], done.stderr


def test_what_is_changed_while_it_is_open_is_not_read(cloud: Any) -> None:
    import h5py

    with h5py.File("x.h5", "w") as file:
        file["d"] = np.zeros(1 << 20)
    artifact = saved("x.h5", "x.h5")
    forget_copies()
    with artifact.open() as access:
        artifact.path.write_bytes(Path("x.h5").read_bytes().replace(b"\0", b"\1"))
        with pytest.raises(OSError, match="changed"):
            access.storage["d"][1 << 19 :]


def test_what_is_written_to_a_store_in_a_bucket_is_a_version(cloud: Any) -> None:
    check_writing()


@both_servers
def test_other_stores_are_read_in_parts(cloud: Any) -> None:
    import h5py

    with h5py.File("x.h5", "w") as file:
        file["d"] = np.arange(3)
    artifact = saved("x.h5", "x.h5")
    forget_copies()
    with artifact.open() as access:
        assert access.storage["d"][:2].tolist() == [0, 1]
    assert not copies()


def test_what_was_changed_behind_the_registry_is_not_read(cloud: Any) -> None:
    artifact = ln.Artifact.get(saved(pd.DataFrame({"a": [1]}), "t.csv").uid)
    content = artifact.path.read_bytes()
    forget_copies()
    artifact.path.write_bytes(content.replace(b"1", b"2"))
    for read in (artifact.open, artifact.load, artifact.cache):
        with pytest.raises(ln.errors.CorruptArtifact):
            read()
    artifact.path.unlink()
    told = f"{artifact.path}: the content of artifact {artifact.uid} is gone; `holotype repair` looks for it"
    for read in (artifact.open, artifact.load, artifact.cache):
        with pytest.raises(FileNotFoundError, match=re.escape(told)):
            read()


def test_the_missing_package_is_named(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = ln.Artifact.get(saved(pd.DataFrame({"a": [1]}), "t.csv").uid)
    forget_copies()
    monkeypatch.setitem(sys.modules, "s3fs", None)
    wanted = r"^Please install s3fs: pip install 'holotype\[s3\]'$"
    with pytest.raises(ImportError, match=wanted):
        artifact.path.exists()
    with pytest.raises(ImportError, match=wanted):
        artifact.open()
    # The engine needs none of it.
    assert artifact.load()["a"].tolist() == [1]


def test_who_asks_a_bucket_is_found_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert _clouds.options("s3", {}) == {"use_listings_cache": False, "anon": True}
    assert _clouds.options("s3", {"key": "k"}) == {"use_listings_cache": False, "key": "k"}
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = k\naws_secret_access_key = s\n")
    assert _clouds.options("s3", {}) == {"use_listings_cache": False}
    (home / ".aws/credentials").unlink()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "k")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    assert "anon" not in _clouds.options("s3", {})
    assert _clouds.options("http", {"token": "t"}) == {"token": "t"}


def test_an_address_names_its_server() -> None:
    path = ln.UPath("s3://bucket/a?endpoint_url=http%3A%2F%2Flocalhost:9000") / "b.csv"
    assert (str(path), path.storage_options["endpoint_url"]) == (
        "s3://bucket/a/b.csv",
        "http://localhost:9000",
    )
    assert str(ln.UPath("s3://bucket/what?")) == "s3://bucket/what?"
    with pytest.raises(ValueError, match="Multiple values for endpoint_url query parameter"):
        ln.UPath("s3://bucket/a?endpoint_url=http://x&endpoint_url=http://y")
    assert holotype.upath.UPath is ln.UPath


def test_a_table_with_a_column_named_like_a_path_is_a_table(cloud: Any) -> None:
    frame = pd.DataFrame({"protocol": ["s3"], "path": ["x"]})
    assert saved(frame, "t.parquet").load().equals(frame)


def test_waiting_for_a_server_is_broken_off(home: Path) -> None:
    """A server that never answers is left at once when the user wants to."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        code = (
            "import holotype as ln, sys\n"
            "ln.setup.init(storage='./store')\n"
            "print('ready', flush=True)\n"
            f"ln.Storage(root='s3://bucket?endpoint_url=http://127.0.0.1:{silent.getsockname()[1]}').save()\n"
        )
        keys = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s"}
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | keys,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        silent.settimeout(30)
        connection, _ = silent.accept()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=20)
        connection.close()
    assert error.rstrip().endswith("KeyboardInterrupt") or "KeyboardInterrupt: " in error


def test_an_upload_is_broken_off_and_done_again(home: Path, moto: Server) -> None:
    """What the user breaks off ends at once, leaves nothing behind, and succeeds when it is done again."""
    bucket = moto.make_bucket()
    with servers.stuck_parts(moto) as (endpoint, stuck):
        ln.setup.init(storage="./store")
        ln.Storage(root=f"s3://{bucket}?endpoint_url={endpoint}").save()
        with Path("large.bin").open("wb") as large:
            large.truncate(51 << 20)
        code = (
            "import holotype as ln\n"
            f"ln.settings.storage = 's3://{bucket}?endpoint_url={endpoint}'\n"
            "artifact = ln.Artifact('large.bin', key='large.bin', run=False)\n"
            "print('ready', flush=True)\n"
            "artifact.save()\n"
        )
        stuck.set()
        process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        uploads = f"{moto.endpoint}/{bucket}?uploads"
        while "<UploadId>" not in urllib.request.urlopen(uploads).read().decode():
            assert process.poll() is None
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        begun = time.monotonic()
        _, error = process.communicate(timeout=20)
        assert time.monotonic() - begun < 5
        assert "KeyboardInterrupt: Interrupted: what was under way was broken off" in error
        assert "<UploadId>" not in urllib.request.urlopen(uploads).read().decode()
        assert ln.Artifact.filter(key="large.bin").count() == 0
        stuck.clear()
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    assert ln.Artifact.get(key="large.bin").size == 51 << 20
