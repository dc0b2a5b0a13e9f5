"""Lazy queries: nothing is read before records, a table or a number is asked for."""

from __future__ import annotations

from holotype import _native, _session, _voice, conditions
from holotype.errors import FieldError, InvalidArgument, MultipleObjectsReturned, ObjectDoesNotExist
from holotype.fields import field_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from holotype.conditions import Q
    from holotype.lists import ValueList
    from holotype.registry import Registry

    # The class has a method of that name.
    List = list

__all__ = ["ArtifactBasicQuerySet", "ArtifactQuerySet", "BasicQuerySet", "QuerySet"]

_SHOWN = 20
DEFAULT_LIMIT = 20


class BasicQuerySet:
    """A query over one registry that shows the records of every branch.

    Iterating, `len` and indexing read the records once; every method that restricts or sorts returns a new
    query.
    """

    __slots__ = ("_cls", "_instance", "_native", "_records")

    def __init__(self, cls: Registry, native: _native.QuerySet, instance: _native.Instance) -> None:
        self._cls = cls
        self._native = native
        self._instance = instance
        self._records: List[Any] | None = None

    def _condition(self, queries: tuple[Q, ...], expressions: dict[str, Any] | None = None) -> Any:
        return conditions.node(queries, expressions or {}, self._instance)

    def _made(self, native: _native.QuerySet) -> Any:
        return type(self)(self._cls, native, self._instance)

    @property
    def model(self) -> Registry:
        """The registry that is queried."""
        return self._cls

    @property
    def ordered(self) -> bool:
        """True once the records have an order of their own."""
        return self._native.ordered

    @property
    def _home(self) -> str:
        return _session.name(self._instance)

    @property
    def db(self) -> str:
        """`"default"`, or the instance that is queried."""
        return _session.slug(self._instance)

    def all(self) -> Any:
        """Returns the same query, not read yet."""
        return self._made(self._native)

    def filter(self, *queries: Q, **expressions: Any) -> Any:
        """Returns the query restricted to records for which conditions hold.

        Args:
            *queries: `Q` objects.
            **expressions: Look-ups with what they are compared with.

        Raises:
            FieldError: For an unknown field, relation or look-up.

        Example:
            >>> artifact.ulabels.filter(name__startswith="a")
        """
        if not queries and not expressions:
            return self.all()
        return self._made(self._native.filter(self._condition(queries, expressions)))

    def exclude(self, *queries: Q, **expressions: Any) -> Any:
        """Returns the query without the records for which all of the conditions hold."""
        return self._made(self._native.filter(("not", self._condition(queries, expressions))))

    def none(self) -> Any:
        """Returns a query without records."""
        return self._made(self._native.filter(("or", [])))

    def order_by(self, *fields: Any) -> Any:
        """Returns the query sorted by fields; a leading `-` sorts downwards.

        Example:
            >>> ln.Artifact.filter().order_by("-created_at", "key")
        """
        return self._made(self._native.order_by([field_name(field) for field in fields]))

    def reverse(self) -> Any:
        """Returns the query with its order turned round."""
        return self._made(self._native.reverse())

    def distinct(self, *fields: Any) -> Any:
        """Returns the query itself: no record comes twice, whatever relations a condition crosses."""
        if fields:
            raise NotImplementedError("distinct() takes no fields: use values_list(...).distinct()")
        return self.all()

    def only(self, *fields: Any) -> Any:
        """Returns the query itself: records are always read whole."""
        return self.all()

    defer = select_related = prefetch_related = only

    def using(self, instance: str | None) -> Any:
        """Returns all records of the registry in another instance."""
        return self._cls.connect(instance)

    def get(self, idlike: int | str | None = None, /, *queries: Q, **expressions: Any) -> Any:
        """Returns one record.

        Args:
            idlike: Id, or beginning of a uid; among versions the latest is returned.
            *queries: `Q` objects.
            **expressions: Look-ups with what they are compared with.

        Raises:
            ObjectDoesNotExist: If no record matches.
            MultipleObjectsReturned: If several do.

        Example:
            >>> ln.Artifact.get(key="raw/cells.csv")
        """
        from holotype.conditions import Q

        if isinstance(idlike, Q):
            queries, idlike = (idlike, *queries), None
        try:
            if idlike is None:
                row = self._native.get_where(self._condition(queries, expressions))
            elif isinstance(idlike, str):
                row = self._native.get_uid(idlike)
            else:
                row = self._native.filter(("is", "id", conditions.operand(idlike, self._instance))).one()
        except ObjectDoesNotExist as error:
            raise (ObjectDoesNotExist if isinstance(idlike, str) else self._cls.DoesNotExist)(
                str(error)
            ) from None
        except MultipleObjectsReturned as error:
            raise self._cls.MultipleObjectsReturned(str(error)) from None
        return self._wrap(row)

    def one(self) -> Any:
        """Returns the one record.

        Raises:
            ObjectDoesNotExist: If there is none.
            MultipleObjectsReturned: If there are several.
        """
        record = self.one_or_none()
        if record is None:
            raise ObjectDoesNotExist(f"{self._cls.__name__} matching query does not exist.")
        return record

    def one_or_none(self) -> Any:
        """Returns the one record, or None.

        Raises:
            MultipleObjectsReturned: If there are several.
        """
        rows = self._native.slice(0, 2).all()
        if len(rows) > 1:
            raise MultipleObjectsReturned(repr(self))
        return self._wrap(rows[0]) if rows else None

    def first(self) -> Any:
        """Returns the first record, by id if there is no order; None if there is none."""
        row = self._native.first()
        return None if row is None else self._wrap(row)

    def last(self) -> Any:
        """Returns the last record, by id if there is no order; None if there is none."""
        row = self._native.last()
        return None if row is None else self._wrap(row)

    def latest(self, *fields: Any) -> Any:
        """Returns the record that is last by these fields, by default the time of creation.

        Raises:
            ObjectDoesNotExist: If there is none.
        """
        return self._end(self.order_by(*fields or ["created_at"]).reverse())

    def earliest(self, *fields: Any) -> Any:
        """Returns the record that is first by these fields, by default the time of creation.

        Raises:
            ObjectDoesNotExist: If there is none.
        """
        return self._end(self.order_by(*fields or ["created_at"]))

    def _end(self, ordered: BasicQuerySet) -> Any:
        record = ordered.first()
        if record is None:
            raise self._cls.DoesNotExist(f"{self._cls.__name__} matching query does not exist.")
        return record

    def count(self) -> int:
        """Returns the number of records."""
        return self._native.count() if self._records is None else len(self._records)

    def exists(self) -> bool:
        """Returns true when there is a record."""
        return self._native.exists() if self._records is None else bool(self._records)

    def explain(self, **options: Any) -> str:
        """Returns how the database reads the records, a line per step; options are ignored.

        Example:
            >>> print(ln.Artifact.filter(key="raw/cells.csv").explain())
        """
        return self._native.explain()

    def intersection(self, *others: BasicQuerySet) -> Any:
        """Returns the records that are in all of the queries."""
        query = self
        for other in others:
            query = query & other
        return query

    def difference(self, *others: BasicQuerySet) -> Any:
        """Returns the records that are in none of the other queries."""
        from holotype.conditions import Q

        query = self._base().filter(self._condition((Q(id__in=self),)))
        for other in others:
            query = query.filter(self._condition((~Q(id__in=other),)))
        return self._made(query)

    def contains(self, record: Any) -> bool:
        """Returns true when a record is among those of the query."""
        if not isinstance(record, self._cls) or record.id is None:
            return False
        if self._records is not None:
            return record in self._records
        if self._native.sliced:
            return record.id in self._native.ids()
        return self._native.filter(("is", "id", record.id)).exists()

    def aggregate(self, *aggregates: Any, **named: Any) -> dict[str, Any]:
        """Returns numbers computed over the records.

        Args:
            *aggregates: `Count`, `Sum`, `Avg`, `Min`, `Max` of a field; named `<field>__<function>`.
            **named: The same under names of your own.

        Raises:
            TypeError: If something else than an aggregate is passed.

        Example:
            >>> ln.Artifact.filter().aggregate(ln.models.Sum("size"))
            {'size__sum': 4711}
        """
        wanted = conditions.aggregates(aggregates, named)
        numbers = self._native.aggregate([each.native for each in wanted.values()])
        return dict(zip(wanted, numbers, strict=True))

    def annotate(self, *aggregates: Any, **named: Any) -> Any:
        """Returns the query whose records each have numbers computed over what they lead to.

        The records have them as attributes; `filter`, `order_by`, `values`, `values_list` and `to_list` take
        their names like those of fields, and a data frame shows them if they are in `include`.

        Args:
            *aggregates: `Count`, `Sum`, `Avg`, `Min`, `Max` of a look-up; named `<look-up>__<function>`.
            **named: The same under names of your own.

        Raises:
            FieldError: For an unknown look-up.
            TypeError: If something else than an aggregate is passed.
            ValueError: If a field or another annotation has the name.

        Example:
            >>> labels = ln.ULabel.filter().annotate(uses=ln.models.Count("artifacts"))
            >>> labels.filter(uses__gte=2).order_by("-uses").values_list("name", "uses")
        """
        wanted = conditions.aggregates(aggregates, named)
        return self._made(self._native.annotate([(name, *each.native) for name, each in wanted.items()]))

    def values(self, *fields: Any) -> ValueList:
        """Returns a dict per record, of these fields or of all columns."""
        from holotype.lists import ValueList

        names = [field_name(f) for f in fields] or [c.column for c in self._cls._table.columns]
        return ValueList(dict(zip(names, row, strict=True)) for row in self._native.table(names).rows())

    def values_list(self, *fields: Any, flat: bool = False) -> ValueList:
        """Returns a tuple per record, or with `flat` the values of one field.

        Raises:
            TypeError: If `flat` is asked for several fields.

        Example:
            >>> ln.ULabel.filter().values_list("name", flat=True)
        """
        from holotype.lists import ValueList

        names = [field_name(f) for f in fields] or [c.column for c in self._cls._table.columns]
        if not flat:
            return ValueList(self._native.table(names).rows())
        if len(names) != 1:
            raise TypeError("'flat' is not valid when values_list is called with more than one field.")
        return ValueList(self._column(names[0]))

    def _column(self, name: str) -> List[Any]:
        try:
            return self._native.table([name]).values(0)
        except FieldError as error:
            if "many records" not in str(error):
                raise
            return [value for _, value in self._native.related(name)]

    def to_list(self, field: Any = None) -> List[Any]:
        """Returns the records, or the values of a field, as a list.

        Example:
            >>> ln.ULabel.filter().to_list("name")
        """
        return list(self) if field is None else self._column(field_name(field))

    def list(self, field: Any = None) -> Any:
        """Returns the records, or the values of a field: the older name of `to_list`."""
        return self.to_list(field)

    def in_bulk(self, ids: Any = None) -> dict[int, Any]:
        """Returns the records by id."""
        query = self if ids is None else self.filter(id__in=list(ids))
        return {record.id: record for record in query}

    def iterator(self, chunk_size: int | None = None) -> Iterator[Any]:
        """Yields the records without keeping them."""
        yield from self._wrap_all(self._native.all())

    def update(self, **fields: Any) -> int:
        """Sets fields of all records and returns how many there were.

        Raises:
            NoWriteAccess: If one of them is locked.

        Example:
            >>> ln.ULabel.filter(name__startswith="old").update(description="outdated")
        """
        return self._instance.update(
            self._native, {name: conditions.operand(v, self._instance) for name, v in fields.items()}
        )

    def delete(
        self, *args: Any, permanent: bool | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]] | None:
        """Moves all records to the trash, or deletes them permanently.

        Args:
            permanent: True deletes the rows; what has no trash is always deleted.

        Returns:
            How many rows went, in all and by registry; None when they went to the trash.

        Raises:
            ProtectedError: If other records still point at one of them.
        """
        table = self._cls._table
        softly = table.traits["branch_aware"] and table.name != "Storage"
        if table.name in ("Artifact", "Collection", "Storage"):
            for record in self:
                record.delete(*args, permanent=permanent if softly else True, **kwargs)
            return None
        if permanent is True or not softly:
            return self._instance.delete_all(self._native)
        if table.traits["versioned"] or table.traits["has_type"]:
            with _voice.lowered("error"):
                for record in self:
                    record.delete(permanent=False)
        else:
            self.update(branch_id=-1)
        _voice.warning("moved records to trash (branch_id = -1)")
        return None

    def search(
        self, string: str, *, field: Any = None, limit: int | None = 20, case_sensitive: bool = False
    ) -> Any:
        """Returns the records that match a text, best first.

        Args:
            string: The text.
            field: Field or fields to search; by default all texts of the registry.
            limit: How many records to return; None for all.
            case_sensitive: Tell capital from small letters.

        Raises:
            ValueError: For None as text.
            TypeError: For a field that holds no text.

        Example:
            >>> ln.ULabel.search("appl", field="name")
        """
        if string is None:
            raise ValueError("Cannot search for None value! Please pass a valid string.")
        chosen = [] if field is None else list(field) if isinstance(field, (list, tuple)) else [field]
        names = [field_name(f) for f in chosen]
        return self._made(self._native.search(str(string), names, limit, case_sensitive))

    def lookup(self, field: Any = None, return_field: Any = None, keep: str | bool = "first") -> Any:
        """Returns a named tuple with one attribute per record, for completion while typing.

        Args:
            field: Field whose values become attributes; by default the one that names records.
            return_field: Field whose values are returned instead of records.
            keep: What stands for several records of one value: `"first"`, `"last"`, or False for a list of
                them.

        Example:
            >>> labels = ln.ULabel.lookup()
            >>> labels.apple
        """
        from holotype._lookups import lookup

        return lookup(self, field, return_field, keep)

    def to_dataframe(
        self,
        *,
        include: str | List[str] | None = None,
        features: str | List[str] | bool | None = None,
        limit: int | None | object = DEFAULT_LIMIT,
        order_by: str | None = "-id",
    ) -> Any:
        """Returns the records as a pandas data frame, newest first unless the query has an order.

        Args:
            include: Further look-ups as columns, such as `"created_by__handle"`; look-ups that lead to many
                records give sets; `"privates"` adds the private fields, `"features"` every feature that the
                records hold.
            features: Features as columns, by name; True for all of them.
            limit: How many records; None for all.
            order_by: Order of a query without one; None for the order of the database.

        Raises:
            FieldError: For an unknown look-up.

        Example:
            >>> ln.Artifact.filter(suffix=".csv").to_dataframe(include=["storage__root"])
        """
        from holotype.frames import to_dataframe

        return to_dataframe(self, include, features, limit, order_by)

    def df(self, **options: Any) -> Any:
        """Returns the records as a pandas data frame: the older name of `to_dataframe`."""
        return self.to_dataframe(**options)

    def to_arrow(self, *fields: Any) -> Any:
        """Returns the records as a PyArrow table.

        Args:
            *fields: Look-ups as columns; by default the columns of a data frame.

        Raises:
            ImportError: If pyarrow is not installed.

        Example:
            >>> ln.Artifact.filter().to_arrow("uid", "size")
        """
        from holotype._optional import require

        return require("pyarrow").table(self._table(fields))

    def to_polars(self, *fields: Any) -> Any:
        """Returns the records as a polars data frame.

        Args:
            *fields: Look-ups as columns; by default the columns of a data frame.

        Raises:
            ImportError: If polars is not installed.

        Example:
            >>> ln.Artifact.filter().to_polars("uid", "size")
        """
        from holotype._optional import require

        return require("polars").DataFrame(self._table(fields))

    def _table(self, fields: tuple[Any, ...] = ()) -> _native.Table:
        names = [field_name(field) for field in fields] or self._cls._table.frame_columns()
        return self._native.table(names)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table().__arrow_c_stream__(requested_schema)

    def _wrap(self, row: _native.Record) -> Any:
        return self._wrap_all([row])[0]

    def _wrap_all(self, rows: List[_native.Record]) -> List[Any]:
        records = [self._cls._wrap(row, self._instance) for row in rows]
        names = self._native.annotations
        if names and records:
            numbers = {
                row[0]: row[1:]
                for row in self._native.annotated([row.id for row in rows if row.id is not None]).rows()
            }
            for record in records:
                # Gone meanwhile: another process deleted the record.
                found = numbers.get(record.id, [None] * len(names))
                record.__dict__.update(zip(names, found, strict=True))
        return records

    def _read(self) -> List[Any]:
        if self._records is None:
            self._records = self._wrap_all(self._native.all())
        return self._records

    def __iter__(self) -> Iterator[Any]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def __bool__(self) -> bool:
        return self.exists()

    def __contains__(self, record: object) -> bool:
        return self.contains(record)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            start, stop = index.start or 0, index.stop
            if start < 0 or (stop is not None and stop < 0):
                raise ValueError("Negative indexing is not supported.")
            if self._records is not None:
                return self._records[index]
            sliced = self._made(self._native.slice(start, stop))
            return sliced if index.step is None else list(sliced)[:: index.step]
        if index < 0:
            raise ValueError("Negative indexing is not supported.")
        if self._records is not None:
            return self._records[index]
        rows = self._native.slice(index, index + 1).all()
        if not rows:
            raise IndexError("list index out of range")
        return self._wrap(rows[0])

    def __or__(self, other: BasicQuerySet) -> Any:
        from holotype.conditions import Q

        return self._made(self._base().filter(self._condition((Q(id__in=self) | Q(id__in=other),))))

    def __and__(self, other: BasicQuerySet) -> Any:
        from holotype.conditions import Q

        return self._made(self._base().filter(self._condition((Q(id__in=self) & Q(id__in=other),))))

    union = __or__

    def _base(self) -> _native.QuerySet:
        return self._instance.query(self._cls._table.qualified)

    def __repr__(self) -> str:
        rows = (
            self._native.slice(0, _SHOWN + 1).all()
            if self._records is None
            else [r._row for r in self._records]
        )
        shown = [row.repr() for row in rows[:_SHOWN]]
        if len(rows) > _SHOWN:
            shown.append("'...(remaining elements truncated)...'")
        return f"<{type(self).__name__} [{', '.join(shown)}]>"

    def _repr_html_(self) -> str:
        from holotype._html import query_table

        return query_table(self)


class QuerySet(BasicQuerySet):
    """A query over one registry that hides trash, archive and other branches unless they are asked for."""

    __slots__ = ()

    def filter(self, *queries: Q, **expressions: Any) -> Any:
        """Returns the visible records for which conditions hold; see `BasicQuerySet.filter`.

        `branch=None` shows the records of every branch.

        Raises:
            FieldError: For an unknown field, relation or look-up.
            InvalidArgument: The same, on registries that take features as well.

        Example:
            >>> ln.Artifact.filter(suffix=".csv", ulabels__name="apple").exclude(key__startswith="old/")
        """
        self._refuse_predicates(queries)
        try:
            native = (
                self._native.filter(self._condition(queries, expressions)) if queries or expressions else None
            )
        except FieldError as error:
            raise self._reworded(error) from None
        return self._made((native or self._native).visible())

    def get(self, idlike: int | str | None = None, /, *queries: Q, **expressions: Any) -> Any:
        """Returns one record; see `BasicQuerySet.get`."""
        try:
            return super().get(idlike, *queries, **expressions)
        except FieldError as error:
            raise self._reworded(error) from None

    def _refuse_predicates(self, queries: tuple[Q, ...]) -> None:
        from holotype._features import HasFeatures

        table = self._cls._table
        if not queries or issubclass(self._cls, HasFeatures):
            return
        from holotype.feature import FeaturePredicate

        if any(isinstance(query, FeaturePredicate) for query in queries):
            raise FieldError(
                f"Feature predicates are only supported for Artifact, Run, and Record, not {table.name}."
            )

    def _reworded(self, error: FieldError) -> Exception:
        """Returns the error of registries whose keywords may be features."""
        text = str(error)
        if self._cls._table.name not in ("Artifact", "Run", "Record") or not text.startswith(
            "Unknown field '"
        ):
            return error
        name = text.split("'")[1]
        fields = text.split("Available fields: ")[-1]
        hint = text.split("Did you mean ")[1].split("?")[0] if "Did you mean " in text else None
        tip = f" Did you mean {hint}?" if hint else ""
        return InvalidArgument(
            f"You can query either by available fields: {fields}\nOr fix invalid feature names: {name}{tip}"
        )


class ArtifactBasicQuerySet(BasicQuerySet):
    """A query over artifacts that shows those of every branch."""

    __slots__ = ()

    def load(self, **options: Any) -> Any:
        """Returns the content of all artifacts, concatenated; see `Collection.load`."""
        from holotype._contents import load_many

        return load_many(self, **options)

    def open(self, engine: str = "pyarrow", **options: Any) -> Any:
        """Opens the content of all artifacts as one table; see `Collection.open`."""
        from holotype._contents import open_many

        return open_many(self, engine, **options)


class ArtifactQuerySet(QuerySet, ArtifactBasicQuerySet):
    """A query over artifacts that hides trash, archive and other branches unless they are asked for."""

    __slots__ = ()

    def get(self, idlike: int | str | None = None, /, *queries: Q, **expressions: Any) -> Any:
        """Returns one artifact; see `BasicQuerySet.get`.

        Args:
            idlike: Id, or beginning of a uid.
            *queries: `Q` objects.
            **expressions: Look-ups; `path=` finds the artifact whose content lies there; `is_run_input=True`
                records it as an input of the run.
        """
        is_run_input = expressions.pop("is_run_input", False)
        if "path" in expressions:
            from holotype._contents import path_condition

            node = path_condition(self._instance, expressions.pop("path"))
            there = ArtifactQuerySet(self._cls, self._native.filter(node), self._instance)
            return there.get(None, *queries, **expressions)
        artifact = super().get(idlike, *queries, **expressions)
        if is_run_input:
            artifact._track_input(is_run_input)
        return artifact


def query_class(cls: Registry) -> type[QuerySet]:
    """Returns the class of class-level queries over a registry."""
    return ArtifactQuerySet if cls._table.name == "Artifact" else QuerySet


def basic_class(cls: Registry) -> type[BasicQuerySet]:
    """Returns the class of other queries over a registry."""
    return ArtifactBasicQuerySet if cls._table.name == "Artifact" else BasicQuerySet
