"""A file system of fsspec whose files are artifacts: `holotype://owner/name/artifact/uid`, or `lamin://`.

Every library that opens files through fsspec can read artifacts by such an address.

Example:
    >>> pd.read_parquet("holotype://me/my-data/artifact/hrKjgpEM9vB8U8XR")
"""

from __future__ import annotations

from fsspec.implementations.local import LocalFileSystem
from fsspec.spec import AbstractFileSystem

from holotype._places import is_remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ArtifactFileSystem"]


class _Place:
    """Where the content at an address lies.

    Args:
        address: `owner/name/artifact/uid`, and the path of a file below it if that is a folder.

    Raises:
        FileNotFoundError: If the address has another form, or there is no such artifact.
    """

    def __init__(self, address: str) -> None:
        owner, name, registry, uid, *names = [*address.strip("/").split("/"), "", "", ""]
        below = [part for part in names if part]
        if registry != "artifact" or len(uid) not in (16, 20) or ".." in below:
            raise FileNotFoundError(
                f"'{address}' names no artifact: addresses look like holotype://owner/name/artifact/uid"
            )
        path = _artifact(f"{owner}/{name}", uid)._readable()
        self._shown = f"{owner}/{name}/{registry}/{uid}"
        if is_remote(path):
            self.fs, self._root = path.fs, path.path.rstrip("/")
        else:
            self.fs, self._root = LocalFileSystem(), path.as_posix()
        self.inner = "/".join([self._root, *below])

    def renamed(self, info: dict[str, Any]) -> dict[str, Any]:
        """Returns the description of a file with its name here."""
        return {**info, "name": self._shown + info["name"].rstrip("/").removeprefix(self._root)}


def _artifact(slug: str, uid: str) -> Any:
    from holotype.errors import ObjectDoesNotExist
    from holotype.registry import registry_class

    try:
        return registry_class("lamindb.Artifact").connect(slug).get(uid)
    except ObjectDoesNotExist as error:
        raise FileNotFoundError(f"Instance {slug} holds no artifact {uid}") from error


class ArtifactFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The artifacts of the instances that this machine knows, to read.

    A uid of 16 characters means the latest version of a family, one of 20 that very version. Below a folder
    the address goes on with the names of files. Content is read from the cache where it holds a copy, else
    from where it lies.

    Example:
        >>> import fsspec
        >>> with fsspec.open("holotype://me/my-data/artifact/hrKjgpEM9vB8U8XR0000") as file:
        ...     head = file.read(100)
    """

    protocol = ("holotype", "lamin")

    def info(self, path: str, **kwargs: Any) -> dict[str, Any]:
        """Returns name, size and type of what lies at a path."""
        place = _Place(self._strip_protocol(path))
        return place.renamed(place.fs.info(place.inner, **kwargs))

    def ls(self, path: str, detail: bool = True, **kwargs: Any) -> list[Any]:
        """Returns what a folder holds, or the file itself."""
        place = _Place(self._strip_protocol(path))
        found = [place.renamed(info) for info in place.fs.ls(place.inner, detail=True, **kwargs)]
        return found if detail else [info["name"] for info in found]

    def _open(self, path: str, mode: str = "rb", **kwargs: Any) -> Any:
        if mode != "rb":
            raise ValueError(f"{path} can only be read: save a new version of the artifact instead")
        place = _Place(self._strip_protocol(path))
        return place.fs.open(place.inner, mode, **kwargs)
