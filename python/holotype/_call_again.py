"""Does the call of a tracked function again: a process of its own, which `holotype rerun` starts."""

from __future__ import annotations

import asyncio
import collections.abc
import datetime
import importlib.util
import inspect
import json
import os
import re
import sys
import types
import typing
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["main"]

_RECORD = re.compile(r"(?:(\w+)\.)?([A-Z]\w*)\[(\w+)\]")
_UNIONS = (typing.Union, types.UnionType)
_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable)


def main(note: Path) -> None:
    """Imports the file of a function and calls it, unless importing has done so already.

    Args:
        note: File that tells what to call, with which parameters.

    Raises:
        SystemExit: For a function that is not there, and for a method.
        DoesNotExist: For a record that is no longer in the database.
    """
    import holotype as ln
    from holotype._calls import doing_again

    told = json.loads(note.read_text(encoding="utf-8"))
    sys.path[:0] = told["path"]
    # What the file does as it is imported is none of this command line's.
    sys.argv = [told["file"]]
    function = _function(_imported(Path(told["file"])), told["entrypoint"])
    _, _, uid = os.environ["HOLOTYPE_RERUN"].partition(":")
    # A file without a guard calls its functions as it is imported.
    if ln.Run.filter(uid=uid).exists():
        return
    args, kwargs = _arguments(function, told["params"])
    with doing_again():
        _to_its_end(function, args, kwargs)


def _imported(file: Path) -> Any:
    """Returns a file as the module as which other files import it."""
    names, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if names[-1] == "__init__":
        names.pop()
    sys.path.insert(0, str(folder))
    name = ".".join(names)
    found = importlib.util.find_spec(name) if len(names) > 1 else None
    spec = found or importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{file} is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _function(module: Any, entrypoint: str) -> Any:
    holder, found = None, module
    for name in entrypoint.split("."):
        holder, found = found, getattr(found, name, None)
    if not callable(found):
        raise SystemExit(f"{module.__file__} defines no function {entrypoint}")
    if inspect.isclass(holder) and not isinstance(
        inspect.getattr_static(holder, entrypoint.rpartition(".")[2]), (staticmethod, classmethod)
    ):
        raise SystemExit(f"{entrypoint} is a method: the object that it was called on was not kept")
    return found


def _arguments(function: Callable[..., Any], params: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Returns the arguments that had these parameters; those that are absent were None or an empty list."""
    from holotype._annotations import hints

    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    annotations, left = hints(inspect.unwrap(function)), dict(params)
    for name, parameter in inspect.signature(function).parameters.items():
        annotation = annotations.get(name, typing.Any)
        if parameter.kind is parameter.VAR_KEYWORD:
            kwargs |= {key: _value(value, annotation) for key, value in left.items()}
        elif parameter.kind is parameter.VAR_POSITIONAL:
            args += [_value(value, annotation) for value in left.pop(name, [])]
        else:
            given = name in left
            value = _value(left.pop(name), annotation) if given else _absent(parameter, annotation)
            if parameter.kind is parameter.KEYWORD_ONLY:
                kwargs[name] = value
            else:
                args.append(value)
    return args, kwargs


def _absent(parameter: inspect.Parameter, annotation: Any) -> Any:
    default = parameter.default
    if isinstance(default, (list, tuple, set, frozenset)) and not default:
        return default
    optional = default is None or type(None) in _kinds(annotation)
    empty = next((kind for kind in _kinds(annotation) if kind in (list, tuple, set, frozenset)), None)
    return None if optional or empty is None else empty()


def _value(value: Any, annotation: Any) -> Any:
    """Returns what a parameter was made of: a record, a path, a moment, or itself."""
    kinds = _kinds(annotation)
    if isinstance(value, list):
        items = [_value(item, _element(annotation)) for item in value]
        made = next((kind for kind in kinds if kind in (tuple, set, frozenset)), None)
        return items if made is None or list in kinds else made(items)
    if isinstance(value, dict):
        return {key: _value(item, typing.Any) for key, item in value.items()}
    if not isinstance(value, str) or kinds == {str}:
        return value
    named = _RECORD.fullmatch(value)
    if named is not None:
        return _record(*named.groups()) or value
    if str in kinds:
        return value
    for kind in (datetime.datetime, datetime.date, datetime.time):
        if kind in kinds:
            return kind.fromisoformat(value)
    paths = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, os.PathLike)]
    return Path(value) if paths else value


def _record(module: str | None, name: str, uid: str) -> Any:
    """Returns a record, None where there is no such registry."""
    from holotype.errors import FieldError
    from holotype.registry import registry_class

    try:
        registry = registry_class(f"{module or 'lamindb'}.{name}")
    except FieldError:
        return None
    return registry.get(uid)


def _kinds(annotation: Any) -> set[Any]:
    """Returns the classes that an annotation speaks of."""
    origin = typing.get_origin(annotation)
    if origin in _UNIONS:
        return set().union(*(_kinds(part) for part in typing.get_args(annotation)))
    if origin is typing.Annotated:
        return _kinds(typing.get_args(annotation)[0])
    return {origin or annotation}


def _element(annotation: Any) -> Any:
    """Returns the annotation of what a list or the like holds."""
    parts = typing.get_args(annotation) if typing.get_origin(annotation) in _UNIONS else (annotation,)
    held = (typing.get_args(part) for part in parts if typing.get_origin(part) in _LISTS)
    return next((args[0] for args in held if args), typing.Any)


def _to_its_end(function: Callable[..., Any], args: list[Any], kwargs: dict[str, Any]) -> None:
    made = function(*args, **kwargs)
    if inspect.iscoroutine(made):
        asyncio.run(made)
    elif inspect.isasyncgen(made):
        asyncio.run(_all_of(made))
    elif inspect.isgenerator(made):
        for _ in made:
            pass


async def _all_of(generator: Any) -> None:
    async for _ in generator:
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
