"""File systems of buckets and servers as the engine sees them: the same keys and servers, nothing stale."""

from __future__ import annotations

import json
import os
from urllib.parse import parse_qs

from upath import UPath
from upath.implementations.cloud import S3Path

from holotype._optional import require
from holotype._places import split_query

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["ArtifactPath", "S3QueryPath", "file_system", "options", "polars_options"]

# Which package knows the file system of a protocol.
_PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "adlfs"),
    **dict.fromkeys(("http", "https"), "aiohttp"),
    "hf": "huggingface_hub",
}
# Which options say who asks.
_IDENTITY = {
    "s3": {"anon", "key", "secret", "token", "profile", "session"},
    "gs": {"token"},
    "az": {"anon", "account_key", "connection_string", "credential", "sas_token", "client_id"},
}
# Which store a protocol means.
_KINDS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az"}
# Names of variables that the engine and the programs of Azure know, and this library does not.
_AZURE = {"account_name": "AZURE_STORAGE_ACCOUNT", "account_key": "AZURE_STORAGE_KEY"}
# Environments in which keys were found.
_signing: set[tuple[tuple[str, str], ...]] = set()


class _Travelling(UPath):
    """A path that other processes, which may not know these classes yet, can take out of a pickle."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (str(self), dict(self.storage_options))


def _arrived(url: str, storage_options: dict[str, Any]) -> Any:
    """Returns the path that another process has sent."""
    from holotype.upath import UPath as Extended

    return Extended(url, **storage_options)


class S3QueryPath(_Travelling, S3Path):
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
            url, query = split_query(args[0])
            named = parse_qs(query)
            if "endpoint_url" in named:
                if len(named["endpoint_url"]) > 1:
                    raise ValueError("Multiple values for endpoint_url query parameter")
                args = (url, *args[1:])
                storage_options = {"endpoint_url": named["endpoint_url"][0], **storage_options}
        return super()._transform_init_args(args, protocol, storage_options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"


class ArtifactPath(_Travelling):
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
    kind = _KINDS.get(protocol)
    if kind is None:
        return dict(given)
    # The engine changes buckets as well: a listing that is kept would not show it.
    made = {"use_listings_cache": False, **given}
    if _IDENTITY[kind].isdisjoint(made):
        made = {**_identity(kind), **made}
    return made


def _identity(kind: str) -> dict[str, Any]:
    """Returns what the engine takes from the environment and the library of the store does not."""
    if kind == "s3":
        return {"anon": True} if _anonymous() or not _has_keys() else {}
    if kind == "az":
        return {name: os.environ[variable] for name, variable in _AZURE.items() if os.environ.get(variable)}
    if os.environ.get("STORAGE_EMULATOR_HOST"):
        return {"token": "anon"}
    if key := os.environ.get("GOOGLE_SERVICE_ACCOUNT_KEY"):
        return {"token": json.loads(key)}
    # The library looks for the files of Google's programs, and asks the machine, by itself.
    account = os.environ.get("GOOGLE_SERVICE_ACCOUNT")
    return {"token": account} if account else {}


def polars_options(path: Any) -> dict[str, str] | None:
    """Returns what polars, which reads buckets by itself, does not find out about the server of a path.

    Args:
        path: A remote `UPath`.
    """
    kind = _KINDS.get(path.protocol)
    if kind == "s3":
        named = path.storage_options.get("endpoint_url")
        server = named or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        if not server:
            return None
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        return {"aws_endpoint_url": server, "aws_region": region, **_unguarded(server)}
    if kind == "gs" and (server := os.environ.get("STORAGE_EMULATOR_HOST")):
        server = server if "://" in server else f"http://{server}"
        return {"google_base_url": server, "google_skip_signature": "true", **_unguarded(server)}
    return _polars_azure(path.fs) if kind == "az" else None


def _polars_azure(fs: Any) -> dict[str, str] | None:
    """Returns what a file system found out about its account."""
    pairs = (part.partition("=")[::2] for part in (fs.connection_string or "").split(";"))
    said = {name.strip().lower(): value.strip() for name, value in pairs}
    server = said.get("blobendpoint")
    found = {
        "azure_storage_account_name": said.get("accountname") or fs.account_name,
        "azure_storage_account_key": said.get("accountkey") or fs.account_key,
        "azure_storage_sas_token": said.get("sharedaccesssignature") or fs.sas_token,
        "azure_storage_endpoint": server,
        "azure_skip_signature": "true" if fs.anon else None,
    }
    return {name: value for name, value in found.items() if value} | _unguarded(server or "")


def _unguarded(server: str) -> dict[str, str]:
    return {"allow_http": "true"} if server.startswith("http://") else {}


def _anonymous() -> bool:
    """Returns true when S3 is to be asked as nobody in particular, whatever keys there are."""
    wanted = os.environ.get("HOLOTYPE_S3_ANON") or os.environ.get("LAMIN_S3_ANON") or ""
    return wanted.lower() in ("true", "1")


def _has_keys() -> bool:
    """Returns true when the environment, files or the machine say with which keys to ask."""
    here = tuple(sorted(item for item in os.environ.items() if item[0].startswith("AWS_")))
    if here not in _signing:
        if require("botocore.session").get_session().get_credentials() is None:
            return False
        _signing.add(here)
    return True
