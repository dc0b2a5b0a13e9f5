"""A call that is a run: from its start to its end, whichever way it ends."""

from __future__ import annotations

import contextlib
import contextvars
import os
import sys
import traceback

from holotype import _native, _voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

__all__ = ["PARENT", "Started", "abort_all", "current", "current_call"]

# Names the tracked run to processes that this one starts.
PARENT = "HOLOTYPE_RUN_UID"

# The engine looks here for the run that a call of the present thread and task belongs to.
_engine: contextvars.ContextVar[Any] = _native.call_variable()
_present: contextvars.ContextVar[Started | None] = contextvars.ContextVar("holotype_started", default=None)
_going: dict[int, Started] = {}


def current() -> Started | None:
    """Returns the call that the present thread and task works for."""
    return _present.get()


@contextlib.contextmanager
def current_call(started: Started) -> Iterator[None]:
    """Lets what is made and read belong to a call."""
    engine = _engine.set((started.instance, started.run.id))
    present = _present.set(started)
    try:
        yield
    finally:
        _present.reset(present)
        _engine.reset(engine)


def abort_all() -> None:
    """Ends every call of this process that goes on, the innermost first: a signal ends the process."""
    for started in reversed(list(_going.values())):
        started.end("aborted")


def forget() -> None:
    """Leaves the calls of a parent process to it: they are that process's to end."""
    _going.clear()
    _present.set(None)
    _engine.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_going.clear)


class Started:
    """The run of a call; used as a context manager, it ends the run as the call ends."""

    def __init__(self, instance: _native.Instance, run: _native.Record, transform: _native.Record) -> None:
        from holotype.registry import registry_class

        self.instance = instance
        self.run: Any = registry_class("lamindb.Run")._wrap(run, instance)
        self.transform: Any = registry_class("lamindb.Transform")._wrap(transform, instance)
        self._options: dict[str, Any] = {}
        self._console: Any = None
        self._scope: str | None = None
        self._parent = os.environ.get(PARENT)
        self._owner = os.getpid()
        _going[id(self)] = self

    def begin(self, scope: str) -> None:
        """Makes it the call of the whole process: the run of its other threads, with a log of the output."""
        from holotype import _ended
        from holotype._context import context
        from holotype._track import console_for

        self._scope = scope
        self._console = console_for(self.instance, self.run.uid, self._stopped)
        _ended.mark(self.instance, self.run.uid)
        if scope != "none":
            self.instance.set_context("run", self.run.id)
            context._run, context._transform = self.run, self.transform
            os.environ[PARENT] = self.run.uid

    def __enter__(self) -> Started:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        outcome = _outcome(error)
        if self._console is not None and outcome != "completed":
            if outcome == "aborted":
                self._console.log("Process terminated by signal 2 (SIGINT)\n")
            self._console.log("".join(traceback.format_exception(kind, error, trace)))
        try:
            self.end(outcome)
        except Exception as failure:
            if error is None:
                raise
            # How the call itself ended is what matters.
            print(f"could not finish the run: {failure}", file=sys.stderr)

    def end(self, outcome: str) -> None:
        """Ends the run, once, in the process that started it."""
        if _going.pop(id(self), None) is None or self._owner != os.getpid():
            return
        if self._console is not None:
            self._console.stop()
            if self._console.path.is_file():
                self._options["report"] = self._console.path
        try:
            with _voice.lowered("error"):
                done, _ = self.instance.finish(None, run=self.run.id, outcome=outcome, **self._options)
        finally:
            self._leave()
        if done is not None:
            from holotype._track import take

            take(self.run, done[0])

    def _leave(self) -> None:
        if self._scope is None:
            return
        from holotype import _ended
        from holotype._context import context

        _ended.unmark(self.run.uid)
        if self._scope == "memorize":
            self.instance.set_context("run", self.run.id)
        elif self._scope == "clear":
            self.instance.set_context("run", None)
            context._run = context._transform = None
        if self._parent is None:
            os.environ.pop(PARENT, None)
        else:
            os.environ[PARENT] = self._parent

    def _stopped(self, outcome: str) -> None:
        """Ends the call when a signal or an error ends the process."""
        abort_all() if outcome == "aborted" else self.end(outcome)


def _outcome(error: BaseException | None) -> str:
    """Returns how a call ended: closing a generator early and leaving a program are no errors."""
    if error is None or isinstance(error, GeneratorExit):
        return "completed"
    if isinstance(error, SystemExit):
        return "completed" if error.code in (None, 0) else "errored"
    # A cancelled task was stopped from outside.
    if isinstance(error, KeyboardInterrupt) or type(error).__name__ == "CancelledError":
        return "aborted"
    return "errored"
