"""Artifacts in a bucket, seen from Python."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

import holotype as ln

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An object store on this machine, for as long as the module's tests run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).with_name("moto_server")
    server = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The root of a fresh bucket; keys are in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    name = f"bucket-{os.urandom(4).hex()}"
    request = urllib.request.Request(f"{endpoint}/{name}", method="PUT")
    assert urllib.request.urlopen(request).status == 200
    return f"s3://{name}/data?endpoint_url={endpoint}"


@pytest.fixture
def storage(bucket: str, instance: Path) -> ln.Storage:
    """The bucket, registered and made the default of a new instance."""
    location = ln.Storage(root=bucket).save()
    ln.settings.storage = bucket
    return location


def _objects(storage: ln.Storage) -> list[str]:
    """Returns what lies below the root besides the mark."""
    found = [str(path) for path in storage.path.rglob("*")]
    return [path for path in found if not path.endswith(("storage_uid.txt", ".lamindb"))]


def test_a_file_goes_to_the_bucket_and_comes_back(bucket: str, storage: ln.Storage) -> None:
    assert (storage.type, storage.root) == ("s3", bucket)
    Path("x.txt").write_text("hello")
    artifact = ln.Artifact("x.txt", key="raw/x.txt").save()
    assert str(artifact.path) == f"{bucket.split('?')[0]}/.lamindb/{artifact.uid}.txt"
    assert artifact.path.read_text() == "hello"
    assert artifact.load() == "hello"
    cached = artifact.cache()
    assert cached.read_text() == "hello"
    assert cached.is_relative_to(ln.settings.cache_dir)
    artifact.delete(permanent=True)
    assert not _objects(storage)


def test_what_lies_in_the_bucket_is_registered(
    bucket: str, storage: ln.Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    (storage.path / "raw/x.csv").write_text("a\n1\n")
    artifact = ln.Artifact(storage.path / "raw/x.csv").save()
    assert (artifact.key, artifact._hash_type, artifact.size) == ("raw/x.csv", "md5", 4)
    assert ln.Artifact.get(key="raw/x.csv").load()["a"].tolist() == [1]
    capsys.readouterr()
    storage.path.view_tree()
    shown = capsys.readouterr().out
    assert shown.splitlines()[1] == bucket.split("?")[0]
    assert "x.csv" in shown
    assert ".lamindb/" in shown
