"""The instance that this process works with."""

from __future__ import annotations

import atexit
import os

from holotype import _native, _voice
from holotype.errors import no_instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_instance: _native.Instance | None = None
# Slug of the instance to connect again, after a fork.
_again: str | None = None
_failure: BaseException | None = None
_others: dict[str, _native.Instance] = {}
# Slugs of the instances above, by their identity.
_slugs: dict[int, str] = {}
# Instances of a parent process: their connections must not be used, nor closed, after a fork.
_inherited: list[_native.Instance] = []
# What keeps state about the connected instance forgets it when another one is connected.
_listeners: list[Callable[[], None]] = []


def current() -> _native.Instance:
    """Returns the connected instance.

    Raises:
        CurrentInstanceNotConfigured: If none is connected.
    """
    if _instance is None and _again is not None:
        with _voice.lowered("error"):
            use(_native.Instance.connect(_again))
    if _instance is None:
        raise no_instance(None if _failure is None else str(_failure)) from _failure
    return _instance


def connected() -> bool:
    """Returns true when an instance is connected."""
    return _instance is not None or _again is not None


def use(instance: _native.Instance | None) -> None:
    """Makes an instance the current one of this process."""
    global _instance, _again, _failure
    _instance = instance
    _again = _failure = None
    if instance is not None:
        _slugs[id(instance)] = str(instance.settings()["slug"])
    for forget in _listeners:
        forget()


def on_change(forget: Callable[[], None]) -> None:
    """Registers a function to call whenever another instance is connected."""
    _listeners.append(forget)


def auto_connect() -> None:
    """Connects to the current instance of this directory or machine; a failure is told, not raised."""
    global _failure
    try:
        use(_native.Instance.connect_current())
    except Exception as error:
        _failure = error
        _voice.say(_voice.ERROR, f"could not connect: {error}")


def other(identifier: str | None) -> _native.Instance:
    """Returns the instance that an identifier names, connected beside the current one.

    Args:
        identifier: Name or `owner/name`; None and `"default"` mean the current instance.
    """
    if identifier in (None, "default") or (_instance and identifier == _instance.settings()["slug"]):
        return current()
    assert identifier is not None
    if identifier not in _others:
        with _voice.lowered("error"):
            found = _others[identifier] = _native.Instance.connect(identifier)
        _slugs[id(found)] = str(found.settings()["slug"])
    return _others[identifier]


def forget(gone: str) -> None:
    """Drops what is connected beside the current instance to one that was deleted."""
    for identifier in [key for key, instance in _others.items() if name(instance) == gone]:
        del _others[identifier]


def at(slug: str) -> _native.Instance:
    """Returns the instance of this slug: the current one, or one connected beside it.

    Records name theirs so: they stay where they belong when another instance is connected, and find it again
    after a fork.

    Raises:
        CurrentInstanceNotConfigured: If none is connected.
    """
    present = current()
    return present if name(present) == slug else other(slug)


def name(instance: _native.Instance | None = None) -> str:
    """Returns the slug of an instance, by default the current one."""
    return _slugs[id(instance or current())]


def slug(instance: _native.Instance) -> str:
    """Returns `"default"` for the current instance, else `owner/name`."""
    return "default" if instance is _instance else name(instance)


def local_path(path: str, instance: _native.Instance | None = None) -> str:
    """Returns a path in the form that the engine resolves to what the user means.

    The engine keeps the working directory of the moment it was connected; a relative path given after a
    change of directory is made absolute here.
    """
    if "://" in path or path.startswith(("/", "~")):
        return path
    here = os.getcwd()
    return path if (instance or current()).cwd == here else os.path.join(here, path)


def _leave() -> None:
    """Sends what was written to databases in buckets, at the end of the process."""
    for instance in [*_others.values(), *([] if _instance is None else [_instance])]:
        try:
            instance.leave()
        except Exception as error:
            _voice.say(_voice.ERROR, str(error))


# What ends runs at the end of the process was registered later, and so happens before.
atexit.register(_leave)


def _after_fork() -> None:
    global _instance, _again
    _inherited.extend(_others.values())
    _others.clear()
    if _instance is not None:
        _inherited.append(_instance)
        _again = _instance.settings()["slug"]
        _instance = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
