"""Paths of this machine and URLs: one spelling for the engine, one object for users."""

from __future__ import annotations

import os
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["place", "spelled"]


def spelled(path: Any) -> str:
    """Returns a path that a user gives as text; a remote `UPath` becomes its URL.

    Args:
        path: Text or path object.

    Raises:
        TypeError: If it is neither.

    Example:
        >>> spelled(ln.UPath("s3://bucket/x.csv"))
        's3://bucket/x.csv'
    """
    if isinstance(path, str):
        return path
    if getattr(path, "protocol", "") not in ("", "file", "local"):
        return str(path)
    return os.fspath(path)


def place(text: str, root: str | None = None) -> Any:
    """Returns the path object for a path of this machine, or for a URL.

    Args:
        text: Path or URL.
        root: Root of the storage location, which may name an endpoint.

    Example:
        >>> place("s3://bucket/x.csv")
        S3Path('s3://bucket/x.csv')
    """
    if "://" not in text:
        return Path(text)
    from urllib.parse import parse_qs

    from holotype.upath import UPath

    query = (root or text).partition("?")[2]
    endpoint = parse_qs(query).get("endpoint_url")
    return UPath(text.partition("?")[0], **({"endpoint_url": endpoint[0]} if endpoint else {}))
