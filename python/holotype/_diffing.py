"""`artifact.diff(other)`: how two records differ."""

from __future__ import annotations

import json

from holotype import _native
from holotype.registry import SQLRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["Difference", "HasDiff"]

# Cells of a table that are looked at: more would not fit into memory twice.
_CELLS = 20_000_000


class Difference:
    """How two records differ; shown as text, with the parts as data.

    Example:
        >>> after.diff(before).to_dict()["content"]["counts"]
        {'added': 1, 'removed': 0, 'changed': 2, 'same': 997}
    """

    def __init__(self, text: str, data: dict[str, Any]) -> None:
        self.text = text.rstrip("\n")
        self._data = data

    def to_dict(self) -> dict[str, Any]:
        """Returns the difference as plain data."""
        return self._data

    @property
    def fields(self) -> dict[str, list[str]]:
        """The fields whose values differ, with both values."""
        return self._data["fields"]  # type: ignore[no-any-return]

    def __bool__(self) -> bool:
        return not self._data["same"]

    def __repr__(self) -> str:
        return self.text


class HasDiff(SQLRecord):
    """Records whose content can be compared."""

    __slots__ = ()

    def diff(
        self, other: Any, key: str | Iterable[str] = (), *, context: int = 3, most: int = 100
    ) -> Difference:
        """Returns how the record and another differ: fields, text by line, folders by file, tables by row.

        Args:
            other: Record of the same registry, taken as the later one.
            key: Columns that tell the rows of a table apart; found out by default.
            context: Lines of context around changes of a text.
            most: Lines, rows or files told at most; counts are complete.

        Raises:
            TypeError: If the other is of another registry.
            ValueError: If the key is no column of both tables, or does not tell rows apart.

        Example:
            >>> artifact.versions.first().diff(artifact)
        """
        if not isinstance(other, SQLRecord):
            raise TypeError(f"{other!r} is no record to compare with")
        keys = [key] if isinstance(key, str) else list(key)
        text, data = self._instance.diff_records(
            self._row, other._row, [] if _tables(self, other) else keys, context, most
        )
        found = json.loads(data)
        if found["content"] is not None and found["content"]["kind"] == "differs" and _tables(self, other):
            return _with_tables(self, other, text, found, keys, most)
        return Difference(text, found)


def _tables(first: Any, second: Any) -> bool:
    return type(first)._table.name == "Artifact" and all(a.suffix == ".parquet" for a in (first, second))


def _with_tables(
    first: Any, second: Any, text: str, data: dict[str, Any], key: list[str], most: int
) -> Difference:
    """Returns the difference of two Parquet files row by row, where they can be read here."""
    from importlib.util import find_spec

    if find_spec("pyarrow") is None:
        return Difference(text, data)
    import pyarrow.parquet as parquet

    paths = [record._instance.cache(record._row) for record in (first, second)]
    sizes = [parquet.read_metadata(path) for path in paths]
    if any(size.num_rows * size.num_columns > _CELLS for size in sizes):
        return Difference(text, data)
    before, after = (_columns(parquet.read_table(path)) for path in paths)
    more, content = _native.diff_tables(before, after, key, most)
    data["content"] = json.loads(content)
    fields = "".join(line for line in text.splitlines(True) if not line.startswith("content: "))
    return Difference(fields + more, data)


def _columns(table: Any) -> list[tuple[str, str, list[str | None]]]:
    """Returns the columns of a table: name, type, values as text."""
    found = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        cells = [None if value is None else str(value) for value in column.to_pylist()]
        found.append((name, str(column.type), cells))
    return found
