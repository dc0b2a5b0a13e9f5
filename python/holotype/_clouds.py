"""File systems of buckets and servers as the engine sees them: the same keys and servers, nothing stale."""

from __future__ import annotations

import os
from urllib.parse import parse_qs

from upath import UPath
from upath.implementations.cloud import S3Path

from holotype._optional import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["ArtifactPath", "S3QueryPath", "file_system", "options"]

# Which package knows the file system of a protocol.
_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "adlfs"),
    **dict.fromkeys(("http", "https"), "aiohttp"),
    "hf": "huggingface_hub",
}
# What says who asks a bucket of S3.
_IDENTITY = {"anon", "key", "secret", "token", "profile", "session"}
# Environments in which keys were found.
_signing: set[tuple[tuple[str, str], ...]] = set()


class S3QueryPath(S3Path):
    """A path in a bucket; `?endpoint_url=` names a server other than Amazon's.

    Example:
        >>> ln.UPath("s3://bucket/folder?endpoint_url=http://localhost:9000") / "cells.csv"
        S3QueryPath('s3://bucket/folder/cells.csv')
    """

    __slots__ = ()

    @classmethod
    def _transform_init_args(
        cls, args: tuple[Any, ...], protocol: str, storage_options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], str, dict[str, Any]]:
        if args and isinstance(args[0], str):
            url, _, query = args[0].partition("?")
            named = parse_qs(query)
            if "endpoint_url" in named:
                if len(named["endpoint_url"]) > 1:
                    raise ValueError("Multiple values for endpoint_url query parameter")
                args = (url, *args[1:])
                storage_options = {"endpoint_url": named["endpoint_url"][0], **storage_options}
        return super()._transform_init_args(args, protocol, storage_options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"


class ArtifactPath(UPath):
    """The address of an artifact, as `holotype.filesystem` reads it."""

    __slots__ = ()


def file_system(cls: type, urlpath: str, protocol: str, storage_options: Mapping[str, Any]) -> Any:
    """Returns the file system for a path.

    Raises:
        ImportError: If the package for the protocol is absent; the message says how to install it.
    """
    from fsspec.registry import get_filesystem_class

    if protocol in _PACKAGES:
        require(_PACKAGES[protocol])
    return get_filesystem_class(protocol)(**options(protocol, storage_options))


def options(protocol: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the options of a file system: those of the path, and what it cannot find out by itself.

    Args:
        protocol: Protocol of the path.
        given: Its `storage_options`.
    """
    if protocol not in ("s3", "s3a"):
        return dict(given)
    # The engine changes buckets as well: a listing that is kept would not show it.
    made = {"use_listings_cache": False, **given}
    if _IDENTITY.isdisjoint(made) and not _has_keys():
        made["anon"] = True
    return made


def _has_keys() -> bool:
    """Returns true when the environment, files or the machine say with which keys to ask."""
    here = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    if here not in _signing:
        if require("botocore.session").get_session().get_credentials() is None:
            return False
        _signing.add(here)
    return True
