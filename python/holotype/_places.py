"""Paths of this machine and URLs: one spelling for the engine, one object for users."""

from __future__ import annotations

import os
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["is_path", "is_remote", "is_url", "place", "spelled", "split_query"]


def is_url(text: str) -> bool:
    """Returns true for the address of something on another machine."""
    return "://" in text and not text.startswith(("file://", "local://"))


def split_query(url: str) -> tuple[str, str]:
    """Returns a URL without its query, and the query, as the engine takes URLs apart.

    In keys of buckets a question mark is a character like any other: only pairs of name and value behind the
    last one are a query.

    Example:
        >>> split_query("s3://bucket/what?.csv?endpoint_url=http://localhost:9000")
        ('s3://bucket/what?.csv', 'endpoint_url=http://localhost:9000')
    """
    if not is_url(url):
        return url, ""
    if url.lower().startswith(("http://", "https://", "hf://")):
        place, _, query = url.partition("?")
        return place, query
    place, mark, query = url.rpartition("?")
    return (place, query) if mark and all("=" in pair for pair in query.split("&")) else (url, "")


def is_remote(path: Any) -> bool:
    """Returns true for a path object of another machine."""
    # A table may have a column of that name.
    protocol = getattr(path, "protocol", None)
    return isinstance(protocol, str) and protocol not in ("", "file", "local")


def is_path(data: Any) -> bool:
    """Returns true for text and path objects, as opposed to data in memory."""
    return isinstance(data, (str, os.PathLike)) or is_remote(data)


def spelled(path: Any) -> str:
    """Returns a path that a user gives as text; a remote `UPath` becomes its URL, with the server it names.

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
    if not is_remote(path):
        return os.fspath(path)
    text = str(path).rstrip("/")
    endpoint, account = (path.storage_options.get(name) for name in ("endpoint_url", "account_name"))
    if account is not None:
        # The path object takes the account out of `az://container@account.blob.core.windows.net`.
        protocol, _, rest = text.partition("://")
        container, slash, key = rest.partition("/")
        return f"{protocol}://{container}@{account}.blob.core.windows.net{slash}{key}"
    return text + ("" if endpoint is None else f"?endpoint_url={endpoint}")


def place(text: str, root: str = "") -> Any:
    """Returns the path object for a path of this machine, or for a URL.

    Args:
        text: Path or URL.
        root: Root of the storage location it lies in, which may name the server.

    Example:
        >>> place("s3://bucket/x.csv")
        S3QueryPath('s3://bucket/x.csv')
    """
    if not is_url(text):
        return Path(text)
    from holotype.upath import UPath

    url, query = split_query(text)
    server = query or split_query(root)[1]
    return UPath(f"{url}?{server}" if server else url)
