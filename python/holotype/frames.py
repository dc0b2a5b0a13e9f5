"""Queries as pandas data frames."""

from __future__ import annotations

from holotype import _voice
from holotype._optional import require
from holotype.errors import FieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from holotype import _native
    from holotype.queryset import BasicQuerySet
    from holotype.registry import SQLRecord

_DEFAULT_LIMIT = 20


def to_dataframe(
    query: BasicQuerySet,
    include: str | list[str] | None,
    features: Any,
    limit: int | None | object,
    order_by: str | None,
) -> Any:
    """Returns the records of a query as a data frame; see `BasicQuerySet.to_dataframe`."""
    require("pandas")
    table = query.model._table
    included = [include] if isinstance(include, str) else list(include or [])
    privates = "privates" in included
    wanted = [name for name in included if name not in ("privates", "features")]
    with_features = features not in (None, False) or "features" in included
    native = query._native
    if not native.sliced:
        native = without_own(query)
    if not native.ordered and order_by is not None and not native.sliced:
        native = native.order_by([order_by])
    base = table.frame_columns(privates)
    if wanted or with_features:
        base = base[:3]
    cut = False
    if limit is not None:
        # One more than shown tells whether something was cut.
        native = native.slice(0, int(limit) + 1)  # type: ignore[call-overload]
    single, many = _split(native, wanted)
    data = native.table([*base, *single])
    rows = len(data)
    if limit is not None and rows > int(limit):  # type: ignore[call-overload]
        cut = True
        rows = int(limit)  # type: ignore[call-overload]
    columns = {name: _column(data, i, rows) for i, name in enumerate([*base, *single])}
    ids = data.values(base.index("id"))[:rows] if many or with_features else []
    for name in many:
        columns[name] = _sets(native, name, ids)
    if with_features:
        named = [features] if isinstance(features, str) else features
        for name, values in _features(query, ids, set(named) if isinstance(named, (list, tuple)) else None):
            # A feature may be called like a field, which then gives way.
            if name in columns:
                aside = f"__lamindb_{table.name.lower()}_{name}__"
                columns[aside] = columns.pop(name)
                base = [aside if field == name else field for field in base]
                wanted = [aside if field == name else field for field in wanted]
            columns[name] = values
            wanted = [*wanted, name]
    if cut and limit == _DEFAULT_LIMIT:
        _voice.warning(f"truncated query result to limit={limit} {table.name} objects")
    return _frame([*base, *wanted], columns, rows)


def without_own(query: BasicQuerySet) -> _native.QuerySet:
    """Returns a query without the artifacts that tracking made, unless it asks for a kind itself."""
    native = query._native
    if query.model._table.name != "Artifact" or native.mentions(["kind", "type"]):
        return native
    others = ("not", ("is", "kind__startswith", "__lamindb"))
    return native.filter(("or", [("is", "kind__isnull", True), others]))


def _split(native: _native.QuerySet, names: list[str]) -> tuple[list[str], list[str]]:
    """Returns the look-ups that have one value per record, and those that lead to many."""
    single, many = [], []
    for name in names:
        try:
            native.slice(0, 0).table([name])
            single.append(name)
        except FieldError as error:
            if "many records" not in str(error):
                raise
            many.append(name)
    return single, many


def _sets(native: _native.QuerySet, name: str, ids: list[int]) -> Any:
    """Returns the values at the end of a relation to many as one set per record."""
    values: dict[int, set[Any]] = {id: set() for id in ids}
    for id, value in native.related(name):
        if id in values:
            values[id].add(tuple(value) if isinstance(value, list) else value)
    return _objects([found or {None} for found in values.values()])


def _features(query: BasicQuerySet, ids: list[int], wanted: set[str] | None) -> Iterator[tuple[str, Any]]:
    """Returns the columns of features; those asked for that no record holds are mentioned."""
    from holotype._features import HasFeatures, columns

    table = query.model._table
    if not issubclass(query.model, HasFeatures):
        raise FieldError(f"A {table.name} holds no features: leave out `features`")
    found = columns(query._instance, table.qualified, ids, wanted)
    if wanted is not None and wanted != set(found):
        lists = f"\n - passed: {sorted(wanted)}\n - found: {list(found)}"
        _voice.warning(f"found features and passed features differ:{lists}")
    for name, (dtype, by_id) in found.items():
        yield name, _feature_column(dtype, [by_id.get(id) for id in ids])


def _feature_column(dtype: str, values: list[Any]) -> Any:
    """Returns the values of a feature as an array of the type that pandas has for them."""
    pandas = require("pandas")

    several = any(isinstance(value, (set, list, dict)) for value in values)
    complete = all(value is not None for value in values)
    if not several and dtype in ("float", "num"):
        numbers = [float("nan") if value is None else value for value in values]
        return require("numpy").array(numbers, dtype="float64")
    if not several and dtype in ("int", "bool"):
        whole = "int64" if complete else "Int64"
        return pandas.array(values, dtype=whole if dtype == "int" else "boolean")
    if not several and dtype == "datetime":
        return pandas.to_datetime(pandas.Series(values, dtype=object)).astype("datetime64[ns]").array
    if not several and dtype.startswith("cat["):
        return pandas.Categorical(values)
    return _objects([float("nan") if value is None else value for value in values])


def _column(data: _native.Table, position: int, rows: int) -> Any:
    """Returns a column as an array; moments in UTC."""
    np = require("numpy")

    dtype, values = data.buffer(position)
    if dtype == "object":
        listed = values[:rows]
        numbers = [value for value in listed if value is not None]
        # Foreign keys of which some are missing are floats, as pandas has no integers that may be missing.
        if numbers and all(type(value) is int for value in numbers):
            return np.array([np.nan if value is None else value for value in listed], dtype="float64")
        return _objects(listed)
    array = np.frombuffer(values, dtype=dtype)[:rows].copy()
    if dtype != "datetime64[ns]":
        return array
    return require("pandas").DatetimeIndex(array).tz_localize("UTC")


def _objects(values: list[Any]) -> Any:
    """Returns an array of Python objects, whatever their own shape is."""
    np = require("numpy")

    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _frame(names: list[str], columns: dict[str, Any], rows: int) -> Any:
    pandas = require("pandas")
    if rows == 0:
        return pandas.DataFrame({name: pandas.Series([], dtype=object) for name in names}, columns=names)
    index = pandas.Index(columns["id"], name="id")
    names = [name for name in names if name != "id"]
    # Without a type of its own, pandas 3 would turn texts into its string type and None into NaN.
    dtypes = {name: getattr(columns[name], "dtype", None) for name in names}
    series = {
        name: pandas.Series(columns[name], index=index, name=name, dtype=dtypes[name]) for name in names
    }
    return pandas.DataFrame(series, index=index, columns=names)


def list_to_dataframe(records: list[SQLRecord]) -> Any:
    """Returns records as a data frame in the order of the list, saved or not."""
    pandas = require("pandas")
    if not records:
        return pandas.DataFrame()
    names = type(records[0])._table.frame_columns()
    columns = {name: _objects([getattr(record, name) for record in records]) for name in names}
    frame = _frame(names, columns, len(records))
    return frame.infer_objects()
