"""Features: names with a data type, and how Python spells the types."""

from __future__ import annotations

from holotype import _native, _session, _voice
from holotype.conditions import Q
from holotype.errors import InvalidArgument
from holotype.fields import FieldAttr
from holotype.registry import Registry, SQLRecord, registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._registries import FeatureFields
    from holotype.lists import RecordList
else:
    FeatureFields = SQLRecord

__all__ = ["Feature", "FeaturePredicate", "dtype_text"]

_TYPES = {bool: "bool", int: "int", float: "float", str: "str", dict: "dict", object: "object"}
# Texts for which Python has no object.
_TEXTS = ("num", "path", "url")
# What pandas and numpy call their types.
_SERIES = {"i": "int", "u": "int", "f": "float", "b": "bool", "M": "datetime", "O": "str", "U": "str"}


class Feature(FeatureFields, registry="lamindb.Feature"):
    """A feature: what a column or an annotation means, and which values it takes.

    Args:
        name: Name.
        dtype: Python type, registry, field of a registry, a list of these, or the text that is stored.
        type: Type of the feature, or None.
        is_type: This feature is a type of others.
        description: A description.
        unit: Unit of measure.
        synonyms: Other names, separated by `|`.
        nullable: Values may be missing.
        default_value: What stands for missing values.
        coerce: Turn values into the type.
        cat_filters: Look-ups that labels have to match, such as `{"source": source}`; part of the type.

    Raises:
        ValueError: For an unknown type.
        ValidationError: Without a type, or if a feature of the name has another one.
        InvalidArgument: For a type that is a record which is no type, or not saved.

    Example:
        >>> ln.Feature(name="cell_type", dtype=bt.CellType).save()
    """

    __hash__ = SQLRecord.__hash__

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args:
            raise ValueError("Only keyword args allowed")
        dtype = kwargs.pop("dtype", kwargs.pop("_dtype_str", None))
        if isinstance(dtype, str) and dtype not in _TEXTS:
            _voice.warning(
                f"rather than passing a string '{dtype}' to dtype, consider passing a Python object"
            )
        if dtype is not None:
            kwargs["dtype"] = dtype if isinstance(dtype, str) else dtype_text(dtype)
        filters = kwargs.pop("cat_filters", None)
        if filters is not None:
            kwargs["cat_filters"] = dict(_filter(name, value) for name, value in filters.items())
        if kwargs.pop("values_through", None) is not None:
            raise NotImplementedError("Feature(values_through=...) is not supported yet: leave it out")
        self._construct(kwargs)

    def _constructed(
        self, instance: _native.Instance, fields: dict[str, Any], search_names: bool
    ) -> _native.Record:
        return instance.feature(fields, search_names)

    @classmethod
    def from_dict(
        cls, dictionary: dict[str, Any], field: Any = None, *, type: Feature | None = None, mute: bool = False
    ) -> RecordList:
        """Returns a feature for every key, new or existing, with the type that fits its value; unsaved.

        Args:
            dictionary: Values by the names of features.
            field: Accepted for other releases.
            type: Type of the features.
            mute: Print nothing.

        Raises:
            ValueError: For a value that no type fits.

        Example:
            >>> ln.Feature.from_dict({"temperature": 21.5, "tags": ["a"]}).save()
        """
        from holotype._features import value_of

        types = {}
        for name, value in dictionary.items():
            types[name] = _native.inferred_dtype(value_of(value))
            if types[name] is None:
                raise ValueError(
                    f"cannot infer feature type of {name}={value!r}: construct the Feature with a dtype"
                )
        return cls._of_types(types, mute, **({} if type is None else {"type": type}))

    @classmethod
    def from_dataframe(cls, df: Any, field: Any = None, *, mute: bool = False) -> RecordList:
        """Returns a feature for every column of a data frame, new or existing, with its type; unsaved.

        Args:
            df: A pandas data frame.
            field: Accepted for other releases.
            mute: Print nothing.

        Example:
            >>> ln.Feature.from_dataframe(df).save()
        """
        return cls._of_types({str(name): dtype_text(dtype) for name, dtype in df.dtypes.items()}, mute)

    @classmethod
    def from_df(cls, df: Any, field: Any = None, *, mute: bool = False) -> RecordList:
        """Returns a feature for every column of a data frame: the older name of `from_dataframe`."""
        return cls.from_dataframe(df, field, mute=mute)

    @classmethod
    def _of_types(cls, types: dict[str, Any], mute: bool, **fields: Any) -> RecordList:
        from contextlib import nullcontext

        from holotype.lists import RecordList

        with _voice.lowered("error") if mute else nullcontext():
            instance = _session.current()
            searched = instance.creation()["search_names"]
            features = []
            for name, dtype in types.items():
                feature = cls.__new__(cls)
                feature._construct({"name": name, "dtype": dtype, **fields}, searched)
                features.append(feature)
            return RecordList(features)

    def with_config(self, optional: bool | None = None) -> tuple[Feature, dict[str, bool]]:
        """Returns the feature with what a schema is to know of it, as `ln.Schema` takes it.

        Example:
            >>> feature.with_config(optional=True)
            (Feature(...), {'optional': True})
        """
        return self, {} if optional is None else {"optional": optional}

    @property
    def dtype_as_object(self) -> Any:
        """The type as a Python object: a type, a field, a type record, a list of fields; None for paths.

        Example:
            >>> ln.Feature.get(name="cell_type").dtype_as_object
            FieldAttr(CellType.name)
        """
        if self._dtype_str is None:
            return None
        parts: Any = _native.dtype_parts(self._dtype_str)
        if parts["simple"] is not None:
            item = _OBJECTS.get(parts["simple"])
        else:
            objects = [_target_object(target) for target in parts["targets"]]
            item = objects[0] if len(objects) == 1 else objects
        import types

        return types.GenericAlias(list, (item,)) if parts["list"] and item is not None else item

    @property
    def dtype_as_str(self) -> str | None:
        """The type as the text that is stored."""
        return self._dtype_str

    @property
    def dtype(self) -> str | None:
        """The type as the text that is stored: the older name of `dtype_as_str`."""
        return self._dtype_str

    def __eq__(self, other: object) -> Any:  # type: ignore[override]
        if other is None or isinstance(other, SQLRecord):
            return super().__eq__(other)
        return self._predicate("exact", other)

    def __ne__(self, other: object) -> Any:  # type: ignore[override]
        if other is None or isinstance(other, SQLRecord):
            return not super().__eq__(other)
        return ~self._predicate("exact", other)

    def __gt__(self, other: object) -> FeaturePredicate:
        return self._predicate("gt", other)

    def __ge__(self, other: object) -> FeaturePredicate:
        return self._predicate("gte", other)

    def __lt__(self, other: object) -> FeaturePredicate:
        return self._predicate("lt", other)

    def __le__(self, other: object) -> FeaturePredicate:
        return self._predicate("lte", other)

    def is_null(self, value: bool = True) -> FeaturePredicate:
        """Returns the condition that records have no value of the feature, or with False that they have one.

        Example:
            >>> ln.Run.filter(temperature.is_null(False))
        """
        return self._predicate("isnull", value)

    def _predicate(self, op: str, value: object) -> FeaturePredicate:
        suffix = "" if op == "exact" else f"__{op}"
        return FeaturePredicate(**{f"features__{self._row.uid}{suffix}": value})


class FeaturePredicate(Q):
    """A condition on the values of a feature, for `filter()` of artifacts, runs and records.

    Example:
        >>> temperature = ln.Feature.get(name="temperature")
        >>> ln.Run.filter(temperature > 20.0)
    """

    __slots__ = ()

    def __invert__(self) -> FeaturePredicate:
        inverted = FeaturePredicate()
        inverted._node = ("not", self._node)
        return inverted

    def __bool__(self) -> bool:
        raise TypeError("Feature predicates cannot be used as booleans. Pass them into `.filter(...)`.")


def _filter(name: str, value: Any) -> tuple[str, Any]:
    """Returns a look-up of a type as it is kept: records by their uid."""
    return (f"{name}__uid", value._row.uid) if isinstance(value, SQLRecord) else (name, value)


def _target_object(target: dict[str, Any]) -> Any:
    cls = registry_class(target["registry"])
    if target["within"] is not None:
        return cls.get(target["within"])
    return getattr(cls, target["field"])


def dtype_text(dtype: Any) -> str:
    """Returns the text that is stored for a type.

    Args:
        dtype: Python type, registry, field of a registry, record type, list of these, or the text itself.

    Raises:
        ValueError: For what is no type.
        InvalidArgument: For a record that is no type, or not saved.

    Example:
        >>> dtype_text(list[str]), dtype_text(bt.CellType.ontology_id)
        ('list[str]', 'cat[bionty.CellType.ontology_id]')
    """
    import datetime
    import types

    if isinstance(dtype, str):
        return dtype
    if isinstance(dtype, type) and dtype in _TYPES:
        return _TYPES[dtype]
    if dtype is datetime.datetime:
        return "datetime"
    if dtype is datetime.date:
        return "date"
    origin = getattr(dtype, "__origin__", None)
    if origin is list:
        return f"list[{dtype_text(dtype.__args__[0])}]"
    if hasattr(dtype, "kind") and hasattr(dtype, "name") and not isinstance(dtype, (SQLRecord, Registry)):
        return _series_text(dtype)
    if isinstance(dtype, types.UnionType):
        dtype = list(dtype.__args__)
    targets = dtype if isinstance(dtype, (list, tuple)) else [dtype]
    several = len(targets) > 1
    if several and any(isinstance(target, SQLRecord) for target in targets):
        raise InvalidArgument(
            "Cannot create a union dtype that includes a `Record` or `ULabel` subtype: unions are only "
            "supported for registries and their fields. To restrict to a single subtype, pass it directly, "
            "e.g. `dtype=record_type`."
        )
    return f"cat[{'|'.join(_target(target) for target in targets)}]"


def _series_text(dtype: Any) -> str:
    """Returns the text for a type of pandas or numpy."""
    name = str(dtype.name)
    if name == "category":
        return "cat[ULabel]"
    if name.startswith("string"):
        return "str"
    if dtype.kind == "M" and getattr(dtype, "tz", None) is not None:
        return "datetime64[ns, UTC]"
    if dtype.kind not in _SERIES:
        raise ValueError(f"A series of type {name} is no value of a feature: pass a dtype")
    return _SERIES[dtype.kind]


def _target(target: Any) -> str:
    if isinstance(target, Registry):
        return _registry_text(target)
    if isinstance(target, FieldAttr):
        table = target.model._table
        named = target.name == table.label_field()
        return _registry_text(target.model) + ("" if named else f".{target.name}")
    if isinstance(target, SQLRecord):
        name = type(target).__name__
        if target.id is None:
            raise InvalidArgument(f"Cannot serialize unsaved objects. Save {target!r} via `.save()`.")
        if not getattr(target, "is_type", False):
            raise InvalidArgument(
                f"Cannot serialize non-type {name} '{getattr(target, 'name', target._row.uid)}'. Only types "
                "(is_type=True) are allowed in dtypes."
            )
        return f"{_registry_text(type(target))}[{target._row.uid}]"
    raise ValueError(
        "dtype has to be a registry, a ulabel subtype, a registry field, or a list of registries or fields, "
        f"not {target!r}"
    )


def _registry_text(cls: Registry) -> str:
    table = cls._table
    return table.name if table.module == "lamindb" else table.qualified


def _objects() -> dict[str, Any]:
    import datetime

    spelled: dict[str, Any] = {text: python for python, text in _TYPES.items() if python is not object}
    moments = {"datetime": datetime.datetime, "datetime64[ns, UTC]": datetime.datetime}
    return spelled | moments | {"date": datetime.date, "num": float, "url": str}


_OBJECTS = _objects()
