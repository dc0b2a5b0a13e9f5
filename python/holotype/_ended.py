"""Runs whose process ended without a word: killed, out of memory, power cut. The next start closes them."""

from __future__ import annotations

import atexit
import os

from holotype import _native, _voice

__all__ = ["close_killed", "mark", "unmark"]

# The signs of the runs that go on in this process: the system takes them away, however it ends.
_held: dict[str, _native.Going] = {}


def mark(instance: _native.Instance, uid: str) -> None:
    """Notes that a run goes on in this process."""
    _held[uid] = instance.mark_going(uid)


def unmark(uid: str) -> None:
    """Notes that a run has ended, or that its process ends as it should."""
    going = _held.pop(uid, None)
    if going is not None:
        going.ended()


def _unmark_all() -> None:
    for uid in list(_held):
        unmark(uid)


def close_killed(instance: _native.Instance) -> None:
    """Marks the runs of processes that were killed as aborted, with what they printed as their report."""
    with _voice.lowered("warning"):
        instance.close_killed()


atexit.register(_unmark_all)
if hasattr(os, "register_at_fork"):
    # A child that holds the sign of its parent would make it look alive when it is not.
    os.register_at_fork(after_in_child=_held.clear)
