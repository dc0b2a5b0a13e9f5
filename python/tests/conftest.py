"""What the tests share: the package from the source tree, and an instance of their own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import servers

if TYPE_CHECKING:
    from servers import Server

# Variables that say where things are and who asks for them.
_SETTINGS = ("LAMIN", "HOLOTYPE_", "JPY_", "AWS_", "AZURE_", "GOOGLE_", "GCE_", "STORAGE_EMULATOR")
FILES = "a/1.csv a/b/2.bam.bai a/b/c/3.TXT a/b/c/d/4.fastq.gz s.zarr/0/x .hidden x.txt y.cloupe z".split()

if importlib.util.find_spec("holotype") is None:
    sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working directory of the test's own; the working directory is returned."""
    import os

    for name in [name for name in os.environ if name.startswith(_SETTINGS)]:
        if name != "HOLOTYPE_REFEREE_VENV":
            monkeypatch.delenv(name)
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LAMIN_CACHE_DIR", str(home / "cache"))
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def instance(home: Path) -> Iterator[Path]:
    """A new, connected instance with the ontology registries; its storage root is returned."""
    import holotype as ln
    from holotype import _native, _session

    before = _native.verbosity()
    ln.settings.verbosity = "error"
    ln.setup.init(storage="./store", modules="bionty")
    ln.settings.verbosity = "warning"
    yield home / "store"
    _session.use(None)
    _session._others.clear()
    _native.set_verbosity(before)


@pytest.fixture(scope="session")
def moto() -> Iterator[Server]:
    """A server that answers like S3, for as long as the tests run."""
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def s3s(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that checks signatures, for as long as the tests run."""
    with servers.s3s(tmp_path_factory.mktemp("s3s")) as server:
        yield server


@pytest.fixture
def bucket(request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A root in a fresh bucket, which names its server: `moto`, unless a test asks for `s3s`. Keys are in the
    environment."""
    server: Server = request.getfixturevalue(getattr(request, "param", "moto"))
    for name, value in server.variables.items():
        if name != "AWS_ENDPOINT_URL":
            monkeypatch.setenv(name, value)
    return f"s3://{server.make_bucket()}/data?endpoint_url={server.endpoint}"


@pytest.fixture
def cloud(bucket: str, instance: Path) -> Any:
    """A new, connected instance that stores its content in a bucket, whose root is returned."""
    import holotype as ln
    from holotype import _voice

    with _voice.lowered("error"):
        ln.Storage(root=bucket).save()
    ln.settings.storage = bucket
    return ln.settings.storage.root


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, which is returned, and an empty file system in memory."""
    import fsspec

    import holotype.upath

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAMIN_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path
    holotype.upath.set_output()
    holotype.upath.set_cache_dir(None)
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    memory.pseudo_dirs[:] = [""]


@pytest.fixture
def folder(scratch: Path) -> Path:
    """The folder `t` in the working directory, with files of many suffixes."""
    for name in FILES:
        path = scratch / "t" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (scratch / "t" / "empty").mkdir()
    return scratch / "t"
