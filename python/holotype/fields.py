"""Fields and relations as attributes: on the class they name themselves, on a record they hold values."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._table import Column
    from holotype.registry import Registry, SQLRecord

__all__ = ["FieldAttr", "field_name"]


class FieldAttr:
    """A field or relation of a registry, as its class names it: `ULabel.name`.

    Accepted wherever the name of a field is.

    Example:
        >>> ln.ULabel.name
        FieldAttr(ULabel.name)
    """

    def __init__(self, model: Registry, name: str, doc: str = "") -> None:
        self.model = model
        self.name = name
        self.__doc__ = doc

    @property
    def field(self) -> FieldAttr:
        """The field itself."""
        return self

    def __repr__(self) -> str:
        return f"FieldAttr({self.model.__name__}.{self.name})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldAttr) and (self.model, self.name) == (other.model, other.name)

    def __hash__(self) -> int:
        return hash((self.model, self.name))


def field_name(field: Any) -> str:
    """Returns the name of a field given as text or as attribute of a class.

    Raises:
        TypeError: For anything else.
    """
    if isinstance(field, FieldAttr):
        return field.name
    if isinstance(field, str):
        return field
    raise TypeError("Please pass a SQLRecord string field, e.g., `CellType.name`!")


class _Described:
    """What all attributes share: on the class they name themselves."""

    def on_class(self, owner: Registry, name: str, doc: str) -> None:
        self.attr = FieldAttr(owner, name, doc)
        self.__doc__ = doc


class Value(_Described):
    """A column that holds a value, or the id behind a foreign key."""

    def __init__(self, owner: Registry, column: Column) -> None:
        self.on_class(owner, column.column, column.doc)
        self.name = column.column
        self.position = column.position
        self.relation = column.name if column.target else None

    def __get__(self, record: SQLRecord | None, owner: Registry) -> Any:
        return self.attr if record is None else record._row.get(self.position)

    def __set__(self, record: SQLRecord, value: Any) -> None:
        record._row.set(self.name, value)
        if self.relation is not None:
            record._related.pop(self.relation, None)


class Document(Value):
    """A JSON column: the object handed out may be changed in place, saving writes the changes."""

    def __get__(self, record: SQLRecord | None, owner: Registry) -> Any:
        if record is None:
            return self.attr
        documents = record._documents
        if self.name not in documents:
            documents[self.name] = record._row.get(self.position)
        return documents[self.name]

    def __set__(self, record: SQLRecord, value: Any) -> None:
        record._row.set(self.name, value)
        record._documents.pop(self.name, None)


class ToOne(_Described):
    """A foreign key as the record it points at, read when it is asked for."""

    def __init__(self, owner: Registry, column: Column) -> None:
        self.on_class(owner, column.name, column.doc)
        self.column = column
        self.position = column.position
        self.target = column.target

    def __get__(self, record: SQLRecord | None, owner: Registry) -> Any:
        if record is None:
            return self.attr
        id = record._row.get(self.position)
        known = record._related.get(self.column.name)
        if known is not None and (id is None or known.id == id):
            return known
        if id is None:
            return None
        from holotype.registry import registry_class

        assert self.target is not None
        found = registry_class(self.target)._by_id(id, record._instance)
        record._related[self.column.name] = found
        return found

    def __set__(self, record: SQLRecord, value: SQLRecord | None) -> None:
        from holotype.registry import belonging, registry_class

        assert self.target is not None
        target = registry_class(self.target)
        if value is not None and not isinstance(value, target):
            name, cls = f"{type(record).__name__}.{self.column.name}", target.__name__
            raise ValueError(
                f'Cannot assign {value!r}: "{name}" must be a {cls} (assign an id to {self.column.column}).'
            )
        record._row.set(self.column.column, None if value is None else belonging(value, record._instance).id)
        record._related.pop(self.column.name, None)
        if value is not None:
            record._related[self.column.name] = value


class ToMany(_Described):
    """A relation to many records, as a manager."""

    def __init__(self, owner: Registry, relation: dict[str, Any]) -> None:
        self.on_class(owner, relation["name"], f"Records of {relation['target']} that belong to this one.")
        self.name: str = relation["name"]
        self.target: str = relation["target"]

    def __get__(self, record: SQLRecord | None, owner: Registry) -> Any:
        if record is None:
            return self.attr
        from holotype.managers import RelatedManager

        return RelatedManager(record, self.name, self.target)

    def __set__(self, record: SQLRecord, value: Any) -> None:
        raise TypeError(
            f"Direct assignment to the {self.name} of a record is not possible: use {self.name}.set(...)."
        )


class Alias:
    """An attribute of another name, for code written for another release."""

    def __init__(self, field: str) -> None:
        self.field = field
        self.__doc__ = f"Another name of `{field}`."

    def __get__(self, record: SQLRecord | None, owner: Registry) -> Any:
        return getattr(owner if record is None else record, self.field)

    def __set__(self, record: SQLRecord, value: Any) -> None:
        setattr(record, self.field, value)
