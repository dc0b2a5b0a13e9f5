"""Registries as classes, rows as objects: all of it built from the table that the engine describes."""

from __future__ import annotations

from holotype import _native, _session, _voice
from holotype._describing import Describe
from holotype._table import Table
from holotype.errors import (
    FieldValidationError,
    InvalidArgument,
    MultipleObjectsReturned,
    ObjectDoesNotExist,
)
from holotype.fields import Alias, Document, FieldAttr, ToMany, ToOne, Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.queryset import BasicQuerySet, QuerySet

__all__ = ["FieldAttr", "Registry", "SQLRecord", "registry_class"]

# Registries with laws of their own, and the modules that hold their classes.
_SPECIAL = {
    "lamindb.Artifact": "holotype.artifact",
    "lamindb.Collection": "holotype.collection",
    "lamindb.Feature": "holotype.feature",
    "lamindb.Run": "holotype.transform",
    "lamindb.Storage": "holotype.storage",
    "lamindb.Transform": "holotype.transform",
}
_classes: dict[str, Registry] = {}


def registry_class(qualified: str) -> Registry:
    """Returns the class of a registry.

    Args:
        qualified: Name with module, such as `lamindb.ULabel`.

    Raises:
        FieldError: For an unknown registry.

    Example:
        >>> registry_class("bionty.CellType")
        <class 'holotype.bionty.CellType'>
    """
    if qualified not in _classes:
        special = _SPECIAL.get(qualified)
        if special is not None:
            __import__(special)
        else:
            Registry(Table(qualified).name, (SQLRecord,), {}, registry=qualified)
    return _classes[qualified]


class Registry(type):
    """The class of registries: what can be asked of all records of a kind."""

    _table: Table
    DoesNotExist: type[ObjectDoesNotExist]
    MultipleObjectsReturned: type[MultipleObjectsReturned]

    def __new__(
        mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], registry: str | None = None
    ) -> Registry:
        if registry is None:
            return super().__new__(mcls, name, bases, namespace)
        table = Table(registry)
        module = "holotype.bionty" if table.module == "bionty" else "holotype.models"
        if table.traits["top_level"] and table.module == "lamindb":
            module = "holotype"
        namespace = {"__doc__": table.data["doc"], "__slots__": ("__dict__", "__weakref__")} | namespace
        namespace["__module__"] = module
        from holotype._laws import aliases, laws

        bases = tuple(law for law in laws(table) if not any(issubclass(base, law) for base in bases)) + bases
        cls = super().__new__(mcls, name, bases, namespace)
        cls._table = table
        cls.DoesNotExist = _own(cls, ObjectDoesNotExist, "DoesNotExist")
        cls.MultipleObjectsReturned = _own(cls, MultipleObjectsReturned, "MultipleObjectsReturned")
        for column in table.columns:
            kind = Document if column.kind == "JSONField" else Value
            attributes: dict[str, Any] = {column.column: kind(cls, column)}
            if column.target is not None:
                attributes[column.name] = ToOne(cls, column)
            for attribute, descriptor in attributes.items():
                if attribute not in namespace:
                    type.__setattr__(cls, attribute, descriptor)
        for relation in table.relations:
            if relation["name"] not in namespace:
                type.__setattr__(cls, relation["name"], ToMany(cls, relation))
        for alias, field in aliases(table).items():
            if alias not in namespace:
                type.__setattr__(cls, alias, Alias(field))
        _classes[registry] = cls
        return cls

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], registry: str | None = None
    ):
        super().__init__(name, bases, namespace)

    def __dir__(cls) -> list[str]:
        return sorted({*super().__dir__(), *(name for name in vars(Registry) if not name.startswith("_"))})

    def filter(cls, *conditions: Any, **expressions: Any) -> QuerySet:
        """Returns the visible records for which conditions hold.

        Args:
            *conditions: `Q` objects.
            **expressions: Look-ups with what they are compared with, such as `name__startswith="a"`.

        Raises:
            FieldError: For an unknown field, relation or look-up.

        Example:
            >>> ln.ULabel.filter(name__in=["apple", "pear"]).order_by("name").df()
        """
        found: QuerySet = cls._query().filter(*conditions, **expressions)
        return found

    def get(cls, idlike: int | str | None = None, /, *conditions: Any, **expressions: Any) -> Any:
        """Returns one record.

        Args:
            idlike: Id, or beginning of a uid; among versions the latest is returned.
            *conditions: `Q` objects.
            **expressions: Look-ups with what they are compared with.

        Raises:
            ObjectDoesNotExist: If no record matches.
            MultipleObjectsReturned: If several do.

        Example:
            >>> ln.ULabel.get(name="apple")
        """
        return cls._query().get(idlike, *conditions, **expressions)

    def to_dataframe(cls, **options: Any) -> Any:
        """Returns the newest visible records as a data frame; see `QuerySet.to_dataframe`.

        Example:
            >>> ln.Artifact.to_dataframe(include="created_by__handle", limit=100)
        """
        return cls.filter().to_dataframe(**options)

    def df(cls, **options: Any) -> Any:
        """Returns the newest visible records as a data frame: the older name of `to_dataframe`."""
        return cls.filter().to_dataframe(**options)

    def search(cls, string: str, **options: Any) -> BasicQuerySet:
        """Returns the visible records that match a text, best first; see `QuerySet.search`.

        Example:
            >>> ln.ULabel.search("appl").df()
        """
        found: BasicQuerySet = cls.filter().search(string, **options)
        return found

    def lookup(cls, field: Any = None, return_field: Any = None, keep: str = "first") -> Any:
        """Returns an object with one attribute per record; see `QuerySet.lookup`.

        Example:
            >>> labels = ln.ULabel.lookup()
            >>> labels.apple
        """
        return cls.filter().lookup(field=field, return_field=return_field, keep=keep)

    def connect(cls, instance: str | None) -> QuerySet:
        """Returns the records of another instance.

        Args:
            instance: Name or `owner/name`; None means the current instance.

        Raises:
            InstanceNotFoundError: If this machine does not know the instance.

        Example:
            >>> ln.Artifact.connect("me/other").filter(suffix=".csv").df()
        """
        return cls._query(_session.other(instance))

    def using(cls, instance: str | None) -> QuerySet:
        """Returns the records of another instance: the older name of `connect`."""
        return cls.connect(instance)

    @property
    def objects(cls) -> BasicQuerySet:
        """All records, on every branch."""
        from holotype.queryset import basic_class

        instance = _session.current()
        return basic_class(cls)(cls, instance.query(cls._table.qualified), instance)

    def _query(cls, instance: _native.Instance | None = None) -> QuerySet:
        from holotype.queryset import query_class

        instance = instance or _session.current()
        return query_class(cls)(cls, instance.query(cls._table.qualified), instance)

    def _wrap(cls, row: _native.Record, instance: _native.Instance | None = None) -> Any:
        """Returns the object for a row; one of another instance remembers it."""
        record: Any = cls.__new__(cls)  # type: ignore[call-arg, arg-type]
        adopt(record, row, instance)
        return record

    def _by_id(cls, id: int, instance: _native.Instance | None = None) -> Any:
        instance = instance or _session.current()
        try:
            return cls._wrap(instance.by_id(cls._table.qualified, id), instance)
        except ObjectDoesNotExist as error:
            raise cls.DoesNotExist(str(error)) from None


def _own(cls: Registry, base: type[Exception], name: str) -> Any:
    return type(name, (base,), {"__module__": cls.__module__, "__qualname__": f"{cls.__name__}.{name}"})


def adopt(record: SQLRecord, row: _native.Record, instance: _native.Instance | None = None) -> None:
    """Makes an object the one for a row of an instance, by default the current one."""
    record._row = row
    record._home = _session.name(instance)
    record._related = {}
    record._documents = {}


def belonging(record: Any, instance: _native.Instance | None = None) -> Any:
    """Returns a record, once it is known to belong to the instance whose records shall point at it.

    Args:
        record: The record.
        instance: The instance, by default the current one.

    Raises:
        InvalidArgument: If it belongs to another instance, where its id means another record.
    """
    home = _session.name(instance)
    if record._home != home:
        raise InvalidArgument(
            f"{record!r} belongs to the instance {record._home}, not to {home}: get or create it there"
        )
    return record


class _State:
    """Where a record stands with the database."""

    __slots__ = ("_record",)

    def __init__(self, record: SQLRecord) -> None:
        self._record = record

    @property
    def adding(self) -> bool:
        """True until the record is saved."""
        return self._record._row.id is None

    @property
    def db(self) -> str:
        """`"default"`, or the instance that the record lives in."""
        return _session.slug(self._record._instance)


class SQLRecord(metaclass=Registry):
    """A record of a registry.

    Args:
        **fields: Values by name; relations take records.

    Raises:
        FieldValidationError: For unknown or missing fields.

    Example:
        >>> ln.ULabel(name="apple").save()
    """

    __slots__ = ("_documents", "_home", "_related", "_row")
    _positional_error: str | None = None

    if TYPE_CHECKING:
        id: int | None
        __dict__: dict[str, Any]
        _row: _native.Record
        _home: str
        _related: dict[str, Any]
        _documents: dict[str, Any]

    def __init__(self, *args: Any, **fields: Any) -> None:
        if args:
            raise self._no_positionals()
        self._construct(fields)

    @classmethod
    def _no_positionals(cls) -> Exception:
        if cls._table.name in ("ULabel", "Record", "Schema"):
            return ValueError("Only one non-keyword arg allowed")
        if cls._table.name in ("Feature", "Project", "Reference"):
            return ValueError("Only keyword args allowed")
        return FieldValidationError(
            f"Use keyword arguments instead of positional arguments, e.g.: {cls.__name__}(name='...')."
        )

    def _construct(self, fields: dict[str, Any], search_names: bool | None = None) -> None:
        """Makes this object the record that the engine constructs, or the existing one of that name."""
        instance = _session.current()
        if search_names is None:
            search_names = instance.creation()["search_names"]
        plain, unsaved = {}, {}
        for name, value in fields.items():
            if isinstance(value, SQLRecord):
                if value.id is None:
                    unsaved[name] = value
                value = belonging(value, instance).id
            plain[name] = value
        adopt(self, self._constructed(instance, plain, search_names), instance)
        self._related.update(unsaved)

    def _constructed(
        self, instance: _native.Instance, fields: dict[str, Any], search_names: bool
    ) -> _native.Record:
        """Returns the row that the engine makes of keywords, or finds by them."""
        row, _ = instance.construct(type(self)._table.qualified, fields, search_names)
        return row

    @property
    def _instance(self) -> _native.Instance:
        return _session.at(self._home)

    @property
    def _state(self) -> _State:
        return _State(self)

    @property
    def pk(self) -> int | None:
        """The primary key, None before the record is saved."""
        return self._row.id

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Writes the record to the database and returns it.

        Raises:
            IntegrityError: If a constraint would break.
            NoWriteAccess: If the record is locked.

        Example:
            >>> label = ln.ULabel(name="apple").save()
        """
        self._settle()
        self._instance.save(self._row)
        return self

    def _settle(self) -> None:
        """Hands to the row what is kept beside it: changed documents, and records saved meanwhile."""
        for name, document in self._documents.items():
            self._row.set(name, document)
        columns = type(self)._table.by_name
        for name, related in self._related.items():
            column = columns[name]
            if self._row.get(column.position) is not None:
                continue
            if related.id is None:
                raise ValueError(
                    f"{related!r} is not saved: save it before the {type(self).__name__} that uses it"
                )
            self._row.set(column.column, related.id)

    def delete(self, permanent: bool | None = None, **kwargs: Any) -> tuple[int, dict[str, int]] | None:
        """Moves the record to the trash, or deletes it permanently.

        Args:
            permanent: True deletes the row; False moves it to the trash; None does the latter, and asks
                before deleting what is in the trash already.

        Returns:
            How many rows went, in all and by registry; None when it went to the trash.

        Raises:
            ProtectedError: If other records still point at it.
            ValueError: For `permanent=False` on a registry without trash.

        Example:
            >>> label.delete(permanent=True)
            (1, {'lamindb.ULabel': 1})
        """
        if self._row.id is None:
            _voice.warning("record is not yet saved, delete has no effect")
            return None
        table = type(self)._table
        softly = table.traits["branch_aware"] and table.name != "Storage"
        if permanent is None and softly and self._row.get(table.by_name["branch_id"].position) == -1:
            permanent = self._confirm_delete()
            if not permanent:
                return None
        if permanent is False or (permanent is None and softly):
            self._instance.trash(self._row)
            return None
        return self._delete_permanently(**kwargs)

    def _confirm_delete(self) -> bool:
        return _voice.ask(
            f"{type(self).__name__} {self._row.uid} is already in trash! Are you sure you want to delete it "
            "from your database? You can't undo this action. (y/n) "
        )

    def _delete_permanently(self) -> tuple[int, dict[str, int]] | None:
        return self._instance.delete(self._row)

    def restore(self) -> Any:
        """Moves the record from the trash to the main branch and returns it.

        Example:
            >>> ln.ULabel.get("Tq3bMX4e").restore()
        """
        self._instance.restore(self._row)
        return self

    def refresh_from_db(self) -> None:
        """Reads the record again; changes that were not saved are lost."""
        if self._row.id is None:
            raise ValueError(f"{self!r} is not saved yet")
        instance = self._instance
        adopt(self, instance.by_id(type(self)._table.qualified, self._row.id), instance)

    describe = Describe()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        assert isinstance(other, SQLRecord)
        if self is other:
            return True
        return self._row.id is not None and self._row.id == other._row.id and self._home == other._home

    def __hash__(self) -> int:
        if self._row.id is None:
            raise TypeError("Model instances without primary key value are unhashable")
        return hash((type(self), self._row.id))

    def __repr__(self) -> str:
        return self._row.repr()

    def _repr_html_(self) -> str:
        from holotype._html import record_table

        return record_table(self)

    def __copy__(self) -> Any:
        return type(self)._wrap(self._row.copy(), self._instance)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        self._settle()
        return _restore, (type(self)._table.qualified, self._row, _session.slug(self._instance))


def _restore(qualified: str, row: _native.Record, slug: str) -> SQLRecord:
    """Returns a record that was pickled."""
    using = None if slug == "default" else _session.other(slug)
    record: SQLRecord = registry_class(qualified)._wrap(row, using)
    return record
