"""The cache, as tests of remote storage look at it."""

from __future__ import annotations

import shutil
from pathlib import Path

import holotype as ln


def forget_copies() -> None:
    """Empties the cache."""
    shutil.rmtree(ln.settings.cache_dir)


def copies() -> list[str]:
    """Returns the names of the copies in the cache."""
    found = (path for path in Path(ln.settings.cache_dir).rglob("*") if path.is_file())
    return sorted(path.name for path in found if path.parent.name != ".holotype")
