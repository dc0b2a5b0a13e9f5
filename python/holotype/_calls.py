"""`@ln.flow()` and `@ln.step()`: every call of a function is a run of its own."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import inspect
import os
from pathlib import Path

from holotype import _native, _session, _voice
from holotype._context import context
from holotype._started import PARENT, Started, current_call
from holotype._track import json_params, named, refer, repository_address
from holotype.registry import registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Literal, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])
    GlobalRun = Literal["memorize", "clear", "none"]

__all__ = ["flow", "step", "tracked"]

# True for the next call, which is the one that this process was started to do again.
_again: contextvars.ContextVar[bool] = contextvars.ContextVar("holotype_again", default=False)

# Arguments of a flow that say what its run belongs to.
_ALIASES = ("project", "space", "branch", "plan", "initiated_by_run")
_NO_RUN = "Please track the global run context before using @ln.step(): ln.track() or @ln.flow()"
_A_RUN = (
    "Please use @ln.step() or clear the global run context before using @ln.flow(): no `ln.track()` or "
    "`@ln.flow(global_run='clear')`"
)


def flow(
    uid: Any = None, global_run: GlobalRun = "clear", track_arg_aliases: bool = True
) -> Callable[[F], F]:
    """Makes every call of a function a run, to which belongs what is made and read meanwhile.

    Works on plain functions, generators, and async functions and generators.

    Args:
        uid: Uid that identifies the file across renames.
        global_run: `"clear"` lets `ln.context.run` be the run during the call, `"memorize"` also afterwards,
            `"none"` only within the function itself.
        track_arg_aliases: Arguments called project, space, branch, plan and initiated_by_run say what the run
            belongs to.

    Raises:
        RuntimeError: When called while a run is being tracked.
        ValueError: For another `global_run`.

    Example:
        >>> @ln.flow()
        ... def align(key: str, threads: int = 4):
        ...     return ln.Artifact.get(key=key).cache()
    """
    if global_run not in ("memorize", "clear", "none"):
        raise ValueError(f"global_run is 'memorize', 'clear' or 'none', not '{global_run}'")
    if callable(uid):
        return _wrapped(uid, Flow(uid, None, global_run, track_arg_aliases))
    return lambda function: _wrapped(function, Flow(function, uid, global_run, track_arg_aliases))


def step(uid: Any = None) -> Callable[[F], F]:
    """Makes every call of a function a run that the present run started.

    Works on plain functions, generators, and async functions and generators; in threads and in processes that
    a tracked run started.

    Args:
        uid: Uid that identifies the file across renames.

    Raises:
        RuntimeError: When called while no run is being tracked.

    Example:
        >>> @ln.step()
        ... def count(path, min_quality: int = 20):
        ...     return ln.Artifact(counts_of(path, min_quality), key="counts.csv").save()
    """
    if callable(uid):
        return _wrapped(uid, Step(uid, None))
    return lambda function: _wrapped(function, Step(function, uid))


def tracked(uid: Any = None) -> Callable[[F], F]:
    """Makes every call of a function a run that the present run started: the older name of `step`.

    Args:
        uid: Uid that identifies the file across renames.

    Example:
        >>> @ln.tracked()
        ... def count(path): ...
    """
    return step(uid)


@contextlib.contextmanager
def doing_again() -> Iterator[None]:
    """Lets the call that follows be the one which is done again: it needs no run that called it."""
    before = _again.set(True)
    try:
        yield
    finally:
        _again.reset(before)


class Step:
    """What is known of a decorated function."""

    console = False

    def __init__(self, function: Callable[..., Any], uid: str | None) -> None:
        self.function = function
        self.uid = uid
        self._transform: tuple[Any, Any] | None = None

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Started | None:
        """Starts the run of a call; None on a read-only connection."""
        instance = _session.current()
        self._check(instance)
        arguments = self._arguments(args, kwargs)
        if instance.read_only:
            _voice.warning("skipping the tracking of functions, connected in read-only mode")
            return None
        options = self._options(instance, arguments)
        options["params"] = json_params(self._fitting(arguments))
        # None and empty lists are no parameters either, and that is known.
        options["unkept"] = [
            name
            for name, value in arguments.items()
            if name not in options["params"] and not (value is None or value == [])
        ]
        options["again"] = _again.get()
        _again.set(False)
        transform = self._source(instance)
        run = instance.start_call(transform, self.function.__qualname__, **options)
        return Started(instance, run, transform)

    def _check(self, instance: _native.Instance) -> None:
        if self._parent(instance) is None and not _again.get():
            raise RuntimeError(_NO_RUN)

    def _parent(self, instance: _native.Instance) -> Any:
        """Returns the run that calls: its id, or its uid where the process that started this tracks it."""
        return instance.context()["run"] or os.environ.get(PARENT)

    def _options(self, instance: _native.Instance, arguments: dict[str, Any]) -> dict[str, Any]:
        parent = self._parent(instance)
        return {"initiated_by_run": parent} if parent is not None else {"process": self._process()}

    def _process(self) -> Any:
        from holotype._environment import process

        path = inspect.getsourcefile(inspect.unwrap(self.function))
        return process(Path(path) if path and os.path.isfile(path) else None)

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments of a call by name, defaults included."""
        signature = inspect.signature(self.function)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        named: dict[str, Any] = {}
        for i, (name, value) in enumerate(bound.arguments.items()):
            if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                named |= value
            elif not (i == 0 and name in ("self", "cls") and "." in self.function.__qualname__):
                named[name] = value
        return named

    def _fitting(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Returns the arguments that are what their annotations say; others are mentioned and left out."""
        from holotype._annotations import expected, fits, hints

        kept = {}
        types = hints(self.function)
        for name, parameter in inspect.signature(self.function).parameters.items():
            # The annotation is that of each one of several.
            if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
                types.pop(name, None)
        for name, value in arguments.items():
            if name in types and value is not None and not fits(value, types[name]):
                _voice.warning(
                    f"skipping param {name}: value {value!r} does not match annotation {types[name]} "
                    f"(expected {expected(types[name])})"
                )
            else:
                kept[name] = value
        return kept

    def _source(self, instance: _native.Instance) -> _native.Record:
        """Returns the transform of the file that defines the function, found once per state of the file."""
        path = inspect.getsourcefile(inspect.unwrap(self.function))
        if context._transform is not None and (path is None or not os.path.isfile(path)):
            # Defined in a cell of a notebook, or typed in: the code belongs to what is tracked.
            return context._transform._row
        if path is None or not os.path.isfile(path):
            name = self.function.__qualname__
            raise RuntimeError(f"{name} is defined in no file: call `ln.track()` first, or define it in one")
        changed = (id(instance), path, os.stat(path).st_mtime_ns)
        if self._transform is None or self._transform[0] != changed:
            reference = None if instance.read_only else repository_address(Path(path))
            found = instance.source_transform(Path(path), self.uid)
            if reference is not None:
                transform = registry_class("lamindb.Transform")._wrap(found, instance)
                refer(transform, reference)
                found = transform._row
            self._transform = changed, found
        return self._transform[1]  # type: ignore[no-any-return]


class Flow(Step):
    """What is known of a decorated function whose calls are started by no other run."""

    console = True

    def __init__(
        self, function: Callable[..., Any], uid: str | None, global_run: GlobalRun, aliases: bool
    ) -> None:
        super().__init__(function, uid)
        self.global_run = global_run
        self._aliases = aliases

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Started | None:
        from holotype import _ended

        started = super().start(args, kwargs)
        if started is not None:
            _ended.close_killed(started.instance)
            started.begin(self.global_run)
        return started

    def _check(self, instance: _native.Instance) -> None:
        if instance.context()["run"] is not None:
            raise RuntimeError(_A_RUN)

    def _options(self, instance: _native.Instance, arguments: dict[str, Any]) -> dict[str, Any]:
        given = {name: arguments[name] for name in _ALIASES if self._aliases and arguments.get(name)}
        given.setdefault("project", os.environ.get("LAMIN_CURRENT_PROJECT"))
        given.setdefault("initiated_by_run", os.environ.get("LAMIN_INITIATED_BY_RUN_UID"))
        options = {name: named(value) for name, value in given.items()}
        return options | {"process": self._process()}


def _wrapped(function: Any, spec: Step) -> Any:
    """Returns the function whose calls are runs; it is of the same sort: plain, async, generator."""
    if inspect.isasyncgenfunction(function):
        wrapper: Any = _async_generator(function, spec)
    elif inspect.iscoroutinefunction(function):
        wrapper = _coroutine(function, spec)
    elif inspect.isgeneratorfunction(function):
        wrapper = _generator(function, spec)
    else:
        wrapper = _plain(function, spec)
    return functools.wraps(function)(wrapper)


def _plain(function: Any, spec: Step) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        started = spec.start(args, kwargs)
        if started is None:
            return function(*args, **kwargs)
        with started, current_call(started):
            return function(*args, **kwargs)

    return call


def _coroutine(function: Any, spec: Step) -> Any:
    async def call(*args: Any, **kwargs: Any) -> Any:
        started = spec.start(args, kwargs)
        if started is None:
            return await function(*args, **kwargs)
        # A task has variables of its own: what runs beside it sees nothing of this.
        with started, current_call(started):
            return await function(*args, **kwargs)

    return call


def _generator(function: Any, spec: Step) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        started = spec.start(args, kwargs)
        if started is None:
            return (yield from function(*args, **kwargs))
        # Between two values the caller works on its own account.
        with started:
            generator = function(*args, **kwargs)
            resume, value = generator.send, None
            while True:
                with current_call(started):
                    try:
                        made = resume(value)
                    except StopIteration as end:
                        return end.value
                try:
                    resume, value = generator.send, (yield made)
                except GeneratorExit:
                    with current_call(started):
                        generator.close()
                    raise
                except BaseException as error:
                    resume, value = generator.throw, error

    return call


def _async_generator(function: Any, spec: Step) -> Any:
    async def call(*args: Any, **kwargs: Any) -> Any:
        started = spec.start(args, kwargs)
        if started is None:
            async for made in function(*args, **kwargs):
                yield made
            return
        with started:
            generator = function(*args, **kwargs)
            resume, value = generator.asend, None
            while True:
                with current_call(started):
                    try:
                        made = await resume(value)
                    except StopAsyncIteration:
                        return
                try:
                    resume, value = generator.asend, (yield made)
                except GeneratorExit:
                    with current_call(started):
                        await generator.aclose()
                    raise
                except BaseException as error:
                    resume, value = generator.athrow, error

    return call
