"""Whether arguments are what the annotations of a function say."""

from __future__ import annotations

import types
import typing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["expected", "fits", "hints"]

_UNIONS = (typing.Union, types.UnionType)


def hints(function: Callable[..., Any]) -> dict[str, Any]:
    """Returns the annotations of a function; none where they name what cannot be found."""
    try:
        return typing.get_type_hints(function)
    except Exception:
        return {}


def fits(value: Any, annotation: Any) -> bool:
    """Returns false when a value is certainly not what an annotation says; contents are not looked at."""
    if annotation is typing.Any:
        return True
    if annotation is None:
        return value is None
    origin = typing.get_origin(annotation)
    if origin in _UNIONS:
        return any(fits(value, part) for part in typing.get_args(annotation))
    if origin is typing.Literal:
        return value in typing.get_args(annotation)
    if origin is typing.Annotated:
        return fits(value, typing.get_args(annotation)[0])
    kind = origin or annotation
    if not isinstance(kind, type):
        return True
    if kind is float and isinstance(value, int):
        return True
    try:
        return isinstance(value, kind)
    except TypeError:
        return True


def expected(annotation: Any) -> str:
    """Returns an annotation as a person writes it."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
