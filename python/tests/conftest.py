"""What the tests share: the package from the source tree, and an instance of their own."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

if importlib.util.find_spec("holotype") is None:
    sys.path.insert(0, str(Path(__file__).parents[1]))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a working directory of the test's own; the working directory is returned."""
    import os

    for name in [name for name in os.environ if name.startswith(("LAMIN", "HOLOTYPE_", "JPY_"))]:
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
    _native.set_verbosity(before)
