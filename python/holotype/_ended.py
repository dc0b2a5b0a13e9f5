"""Runs whose process ended without a word: killed, out of memory, power cut. The next start closes them."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from holotype import _native, _voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO

__all__ = ["close_killed", "log_of", "mark", "unmark"]

# Files that this process holds locked while its runs go on: the system takes locks off, however it ends.
_held: dict[str, tuple[int, IO[str]]] = {}


def log_of(uid: str) -> Path:
    """Returns where the console of a run is logged."""
    return _native.cache_dir() / f"run_logs_{uid}.txt"


def _folder() -> Path:
    return _native.cache_dir() / "runs"


def _lock(file: IO[str]) -> bool:
    """Locks a file unless another process has; false as well where there are no such locks."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def mark(instance: _native.Instance, uid: str) -> None:
    """Notes that a run goes on in this process."""
    try:
        _folder().mkdir(parents=True, exist_ok=True)
        # Held open as long as the run goes on.
        file = open(_folder() / uid, "w", encoding="utf-8")  # noqa: SIM115
    except OSError:
        return
    if not _lock(file):
        file.close()
        return
    file.write(str(instance.settings()["slug"]))
    file.flush()
    _held[uid] = os.getpid(), file


def unmark(uid: str) -> None:
    """Notes that a run has ended, or that its process ends as it should."""
    pid, file = _held.pop(uid, (None, None))
    if file is None:
        return
    if pid == os.getpid():
        with contextlib.suppress(OSError):
            os.unlink(file.name)
    file.close()


def _unmark_all() -> None:
    for uid in list(_held):
        unmark(uid)


def close_killed(instance: _native.Instance) -> None:
    """Marks the runs of processes that were killed as aborted, with what they printed as their report."""
    with _voice.lowered("warning"):
        _native.close_killed(instance)


def _forked() -> None:
    # The files, and so the locks, belong to the parent.
    _held.clear()


import atexit  # noqa: E402

atexit.register(_unmark_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
