"""Lists that queries and constructors return."""

from __future__ import annotations

from holotype.errors import MultipleObjectsReturned, ObjectDoesNotExist
from holotype.fields import field_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["RecordList", "ValueList"]


class RecordList(list):  # type: ignore[type-arg]
    """Records in order, saved or not.

    Example:
        >>> artifacts = ln.Artifact.from_dir("raw/").save()
    """

    def save(self) -> RecordList:
        """Saves all records in as few transactions as possible and returns the list."""
        from holotype._saving import save

        if self:
            save(list(self))
        return self

    def one(self) -> Any:
        """Returns the one record.

        Raises:
            ObjectDoesNotExist: If the list is empty.
            MultipleObjectsReturned: If it holds several.
        """
        if not self:
            raise ObjectDoesNotExist("The list holds no record.")
        if len(self) > 1:
            raise MultipleObjectsReturned(repr(list(self)))
        return self[0]

    def to_list(self, field: Any = None) -> list[Any]:
        """Returns the records, or the values of a field, as a plain list."""
        return list(self) if field is None else [getattr(record, field_name(field)) for record in self]

    def list(self, field: Any = None) -> Any:
        """Returns the records, or the values of a field: the older name of `to_list`."""
        return self.to_list(field)

    def to_dataframe(self) -> Any:
        """Returns the records as a pandas data frame, in the order of the list."""
        from holotype.frames import list_to_dataframe

        return list_to_dataframe(self)

    def df(self) -> Any:
        """Returns the records as a pandas data frame: the older name of `to_dataframe`."""
        return self.to_dataframe()


class ValueList(list):  # type: ignore[type-arg]
    """Values of the records of a query."""

    def distinct(self) -> ValueList:
        """Returns the values without repetition, in the order of their first appearance."""
        seen: list[Any] = []
        for value in self:
            if value not in seen:
                seen.append(value)
        return ValueList(seen)

    def first(self) -> Any:
        """Returns the first value, or None."""
        return self[0] if self else None

    def last(self) -> Any:
        """Returns the last value, or None."""
        return self[-1] if self else None

    def exists(self) -> bool:
        """Returns true when there is a value."""
        return bool(self)
