"""Progress of operations that take longer than a second."""

from __future__ import annotations

import sys
import time

from holotype import _voice

_WIDTH = 30
_PATIENCE = 1.0
_PAUSE = 0.25


class _Operation:
    """What is known of the operation that runs."""

    def __init__(self, title: tuple[str, str]) -> None:
        self.title = title
        self.started = time.monotonic()
        self.shown = 0.0


_operation: _Operation | None = None


def show(verb: str, name: str, done: int, total: int) -> None:
    """Draws a bar on terminals and in notebooks; elsewhere one plain line when the work is done.

    Args:
        verb: Operation, such as `copying`.
        name: What it works on.
        done: How much is done.
        total: How much there is.
    """
    global _operation
    if _operation is None or _operation.title != (verb, name):
        _operation = _Operation((verb, name))
    now = time.monotonic()
    over = total > 0 and done >= total
    late = now - _operation.started >= _PATIENCE
    share = min(done / total, 1.0) if total else 0.0
    text = f"... {verb} {name}: {share:.1%}"
    if _voice.colours():
        if late and (over or now - _operation.shown >= _PAUSE):
            _operation.shown = now
            filled = round(share * _WIDTH)
            sys.stdout.write(f"\r[{'#' * filled}{'.' * (_WIDTH - filled)}] {text}" + ("\n" if over else ""))
            sys.stdout.flush()
    elif over and late:
        print(text)
    if over:
        _operation = None
