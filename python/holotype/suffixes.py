"""Suffixes of file names: which ones are known, and how a name is split.

The engine holds the lists; what is added at run time, for example `suffixes.simple_formats.add(".mzml")`,
counts for all instances of this process.
"""

from __future__ import annotations

from collections.abc import MutableSet

from holotype import _native
from holotype._native import name_suffixes, split_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FormatSet",
    "composite_formats",
    "encoding_formats",
    "name_suffixes",
    "raw_suffix",
    "simple_formats",
    "split_suffix",
]


class FormatSet(MutableSet[str]):
    """A list of suffixes of the engine, used like a set.

    Example:
        >>> ".csv" in simple_formats
        True
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __contains__(self, suffix: object) -> bool:
        return suffix in _native.suffixes(self._name)

    def __iter__(self) -> Iterator[str]:
        return iter(_native.suffixes(self._name))

    def __len__(self) -> int:
        return len(_native.suffixes(self._name))

    @classmethod
    def _from_iterable(cls, suffixes: object) -> set[str]:  # type: ignore[override]
        return set(suffixes)  # type: ignore[call-overload]

    def add(self, suffix: str) -> None:
        """Adds a suffix, such as `".mzml"`.

        Raises:
            ValueError: For what no file name of that format can end in.
        """
        _native.set_suffix(self._name, suffix, True)

    def update(self, *others: object) -> None:
        """Adds all suffixes of other collections."""
        for other in others:
            for suffix in other:  # type: ignore[attr-defined]
                self.add(suffix)

    def discard(self, suffix: str) -> None:
        """Takes a suffix off the list, if it is there."""
        _native.set_suffix(self._name, suffix, False)

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self))}}}"


simple_formats = FormatSet("simple")
composite_formats = FormatSet("composite")
encoding_formats = FormatSet("encoding")


def raw_suffix(name: str) -> str:
    """Returns the suffix that decides how a file is read.

    Example:
        >>> raw_suffix("cells.h5ad.tar.gz")
        '.h5ad.tar.gz'
    """
    return split_suffix(name)[1]
