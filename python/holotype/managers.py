"""Relations to many records: reading and changing what belongs to a record."""

from __future__ import annotations

from holotype.registry import SQLRecord, belonging, registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from holotype.queryset import BasicQuerySet

__all__ = ["RelatedManager"]


class RelatedManager:
    """The records at the other end of a relation; everything a query can do, it can do.

    Example:
        >>> artifact.ulabels.add(label)
        >>> artifact.ulabels.filter(name__startswith="a").df()
    """

    __slots__ = ("_name", "_record", "_target")

    def __init__(self, record: SQLRecord, name: str, target: str) -> None:
        self._record = record
        self._name = name
        self._target = target

    @property
    def model(self) -> Any:
        """The registry of the records."""
        return registry_class(self._target)

    def all(self) -> BasicQuerySet:
        """Returns the query for all related records, on every branch.

        Raises:
            ValueError: If the record is not saved yet.
        """
        from holotype.queryset import basic_class

        cls = registry_class(self._target)
        instance = self._record._instance
        native = instance.related(self._record._row, self._name)
        return basic_class(cls)(cls, native, instance)

    def add(self, *records: Any) -> None:
        """Relates records to this one; those that are related already are passed over.

        Args:
            *records: Records or ids, also as lists or query sets.

        Raises:
            ValueError: If a record is not saved.
            TypeError: If a record is of another registry.

        Example:
            >>> artifact.ulabels.add(apple, pear)
        """
        self._record._instance.link(self._record._row, self._name, self._ids(records))

    def remove(self, *records: Any) -> None:
        """Takes the relation to records away; those that are not related are passed over.

        Example:
            >>> artifact.ulabels.remove(apple)
        """
        self._record._instance.unlink(self._record._row, self._name, self._ids(records))

    def set(self, records: Any, **kwargs: Any) -> None:
        """Makes these the only related records.

        Example:
            >>> artifact.ulabels.set([apple])
        """
        self._record._instance.set_links(self._record._row, self._name, self._ids((records,)))

    def clear(self) -> None:
        """Takes the relation to all records away."""
        self._record._instance.set_links(self._record._row, self._name, [])

    def create(self, **fields: Any) -> Any:
        """Makes and saves a record and relates it to this one; returns it."""
        record = self.model(**fields).save()
        self.add(record)
        return record

    def _ids(self, records: tuple[Any, ...]) -> list[int]:
        from holotype.queryset import BasicQuerySet

        target = registry_class(self._target)
        ids: list[int] = []
        for record in records:
            if isinstance(record, SQLRecord):
                if not isinstance(record, target):
                    raise TypeError(f"'{target.__name__}' instance expected, got {record!r}")
                if record.id is None:
                    raise ValueError(f"{record!r} is not saved: save it before adding it to {self._name}")
                ids.append(belonging(record, self._record._instance).id)
            elif isinstance(record, (BasicQuerySet, RelatedManager, list, tuple, set, frozenset)):
                ids += self._ids(tuple(record))
            elif isinstance(record, int):
                ids.append(record)
            else:
                raise TypeError(f"'{target.__name__}' instance expected, got {record!r}")
        return ids

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.all(), name)

    def __dir__(self) -> list[str]:
        from holotype.queryset import BasicQuerySet

        return sorted(
            {*object.__dir__(self), *(name for name in dir(BasicQuerySet) if not name.startswith("_"))}
        )

    def __iter__(self) -> Iterator[Any]:
        return iter(self.all())

    def __len__(self) -> int:
        return self.all().count()

    def __bool__(self) -> bool:
        return self.all().exists()

    def __contains__(self, record: object) -> bool:
        return record in self.all()

    def __getitem__(self, index: Any) -> Any:
        return self.all()[index]

    def __repr__(self) -> str:
        if self._record.id is None:
            return f"<RelatedManager of an unsaved {type(self._record).__name__}>"
        return repr(self.all()).replace("QuerySet", "RelatedManager", 1)

    def _repr_html_(self) -> str:
        return self.all()._repr_html_()
