"""`ln.context`: which run is being tracked, and what is set before."""

from __future__ import annotations

import os
from pathlib import Path

from holotype import _ended, _session, _started
from holotype.registry import registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._console import Console
    from holotype._notebook_path import Running

__all__ = ["Context", "Live", "context"]


class Live:
    """What is known about the tracked run beside its records."""

    def __init__(self, source: Running | None, console: Console | None) -> None:
        self.source = source
        self.console = console
        # The user was asked to save the notebook.
        self.asked = False


def _slot(name: str, doc: str) -> Any:
    """Returns a property for what is set before a run is tracked, and shows where the session stands."""

    def get(self: Context) -> Any:
        return self._shown(name)

    def set(self: Context, value: Any) -> None:
        self._wanted[name] = value

    return property(get, set, doc=doc)


class Context:
    """The run that is being tracked; what is set here before `ln.track()` holds for it.

    Example:
        >>> ln.context.version = "2"
        >>> ln.track()
        >>> ln.context.run
        Run(uid='fpM04qKzPpFUYqjc', ...)
    """

    def __init__(self) -> None:
        self._wanted: dict[str, Any] = {}
        self._run: Any = None
        self._transform: Any = None
        self._live: Live | None = None
        _session.on_change(self._forget)

    @property
    def transform(self) -> Any:
        """The transform of the tracked run, or None."""
        call = _started.current()
        return self._transform if call is None else call.transform

    @property
    def run(self) -> Any:
        """The tracked run, or None; within a function that is tracked, the run of its call."""
        call = _started.current()
        return self._run if call is None else call.run

    uid = _slot("uid", "The uid of the transform.")
    description = _slot("description", "The description of the transform.")
    version = _slot("version", "The version label of the transform.")
    project = _slot("project", "The project of the run.")
    space = _slot("space", "The space of what is made from now on.")
    branch = _slot("branch", "The branch of what is made from now on.")

    def __dir__(self) -> list[str]:
        return ["branch", "description", "project", "run", "space", "transform", "uid", "version"]

    # Older releases had these on the context.

    @property
    def name(self) -> Any:
        """The older name of `description`."""
        return self.description

    @name.setter
    def name(self, value: str) -> None:
        self.description = value

    @property
    def path(self) -> Path | None:
        """The file that runs, or None."""
        return self._live.source.path if self._live is not None and self._live.source is not None else None

    def track(self, *args: Any, **options: Any) -> None:
        """Tracks a run: the older place of `ln.track`."""
        from holotype._track import track

        track(*args, **options)

    def finish(self, **options: Any) -> None:
        """Finishes the run: the older place of `ln.finish`."""
        from holotype._track import finish

        finish(**options)

    def _shown(self, name: str) -> Any:
        if name in ("space", "branch"):
            if name in self._wanted or not _session.connected():
                return self._wanted.get(name)
            cls = registry_class(f"lamindb.{name.capitalize()}")
            return cls._by_id(_session.current().context()[name])
        if self._transform is None or name in self._wanted:
            return self._wanted.get(name)
        return self._run.projects.first() if name == "project" else getattr(self._transform, name)

    def _forget(self) -> None:
        if self._live is not None and self._live.console is not None:
            self._live.console.stop()
        if self._live is not None and self._run is not None:
            _ended.unmark(self._run.uid)
            if os.environ.get(_started.PARENT) == self._run.uid:
                del os.environ[_started.PARENT]
        self._run = self._transform = self._live = None
        if _inherited and _session.connected():
            self._adopt(*_inherited.pop())

    def _adopt(self, run: Any, transform: Any) -> None:
        """Goes on with the run of the process that this one was forked from."""
        _started.forget()
        instance = _session.current()
        self._run = type(run)._wrap(run._row, instance)
        self._transform = type(transform)._wrap(transform._row, instance)
        instance.set_context("run", run.id)
        os.environ[_started.PARENT] = run.uid

    def __repr__(self) -> str:
        return f"Context(transform={self._transform!r}, run={self._run!r})"


# Run and transform that the parent process tracked when this one was forked from it.
_inherited: list[tuple[Any, Any]] = []


def _forked() -> None:
    _inherited.clear()
    if context.run is not None:
        _inherited.append((context.run, context.transform))


context = Context()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
