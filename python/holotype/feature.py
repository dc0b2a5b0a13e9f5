"""Features: names with a data type, and how Python spells the types."""

from __future__ import annotations

from holotype import _voice
from holotype.errors import InvalidArgument, ValidationError
from holotype.fields import FieldAttr
from holotype.registry import Registry, SQLRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._registries import FeatureFields
else:
    FeatureFields = SQLRecord

__all__ = ["Feature", "dtype_text"]

SIMPLE = frozenset(
    {
        "bool",
        "date",
        "datetime",
        "datetime64[ns, UTC]",
        "dict",
        "float",
        "int",
        "num",
        "object",
        "path",
        "str",
        "url",
    }
)
# Texts for which Python has an object.
_SPELLED = SIMPLE - {"num", "path", "url"}
_TYPES = {bool: "bool", int: "int", float: "float", str: "str", dict: "dict", object: "object"}


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

    Raises:
        ValueError: For an unknown type.
        ValidationError: Without a type, or if a feature of the name has another one.

    Example:
        >>> ln.Feature(name="cell_type", dtype=bt.CellType).save()
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args:
            raise ValueError("Only keyword args allowed")
        dtype = kwargs.pop("dtype", kwargs.pop("_dtype_str", None))
        if dtype is None and not kwargs.get("is_type"):
            raise ValidationError(
                f"Please pass dtype, one of {sorted(SIMPLE)} or a composed categorical dtype"
            )
        if isinstance(dtype, str) and dtype in _SPELLED:
            _voice.warning(
                f"rather than passing a string '{dtype}' to dtype, consider passing a Python object"
            )
        text = None if dtype is None else dtype_text(dtype)
        if not kwargs.get("is_type"):
            kwargs.setdefault("nullable", True)
        for name in ("cat_filters", "values_through"):
            if kwargs.pop(name, None) is not None:
                raise NotImplementedError(
                    f"Feature({name}=...) is not supported yet: write the dtype as text"
                )
        self._construct(kwargs)
        known = self._dtype_str
        if self.id is not None and text is not None and known != text:
            raise ValidationError(
                f"Feature {kwargs['name']} already exists with dtype {known}, you passed {text}"
            )
        self._dtype_str = text

    @property
    def dtype_as_str(self) -> str | None:
        """The type as the text that is stored."""
        return self._dtype_str

    @property
    def dtype(self) -> str | None:
        """The type as the text that is stored: the older name of `dtype_as_str`."""
        return self._dtype_str


def dtype_text(dtype: Any) -> str:
    """Returns the text that is stored for a type.

    Args:
        dtype: Python type, registry, field of a registry, record type, list of these, or the text itself.

    Raises:
        ValueError: For what is no type.
        ValidationError: For a registry that does not exist.
        InvalidArgument: For a record that is no type, or not saved.

    Example:
        >>> dtype_text(list[str]), dtype_text(bt.CellType.ontology_id)
        ('list[str]', 'cat[bionty.CellType.ontology_id]')
    """
    import datetime
    import types

    if isinstance(dtype, str):
        return _checked(dtype)
    if isinstance(dtype, type) and dtype in _TYPES:
        return _TYPES[dtype]
    if dtype is datetime.datetime:
        return "datetime"
    if dtype is datetime.date:
        return "date"
    origin = getattr(dtype, "__origin__", None)
    if origin is list:
        return f"list[{dtype_text(dtype.__args__[0])}]"
    if isinstance(dtype, types.UnionType):
        dtype = list(dtype.__args__)
    targets = dtype if isinstance(dtype, (list, tuple)) else [dtype]
    if not targets:
        raise ValueError(f"dtype is {dtype!r} but has to be one of {sorted(SIMPLE)}!")
    return f"cat[{'|'.join(_target(target) for target in targets)}]"


def _target(target: Any) -> str:
    if isinstance(target, Registry):
        return _registry_text(target)
    if isinstance(target, FieldAttr):
        table = target.model._table
        plain = target.name == table.label_field()
        return _registry_text(target.model) + ("" if plain else f".{target.name}")
    if isinstance(target, SQLRecord):
        if target.id is None or not getattr(target, "is_type", False):
            raise InvalidArgument(f"{target!r} is no saved type: save it with is_type=True first")
        return f"{_registry_text(type(target))}[{target._row.uid}]"
    raise ValueError(f"dtype is {target!r} but has to be one of {sorted(SIMPLE)}!")


def _registry_text(cls: Registry) -> str:
    table = cls._table
    return table.name if table.module == "lamindb" else table.qualified


def _checked(text: str) -> str:
    """Returns a type given as text, if it is one."""
    inner = text
    if inner.startswith("list[") and inner.endswith("]"):
        inner = inner[5:-1]
    if inner in SIMPLE:
        return text
    if not (inner.startswith("cat[") and inner.endswith("]")):
        raise ValueError(f"dtype is '{text}' but has to be one of {sorted(SIMPLE)}!")
    from holotype import _native

    known = {name for name, _ in _native.registries()}
    for target in inner[4:-1].split("|"):
        name = target.split("[")[0]
        parts = name.split(".")
        candidates = {f"lamindb.{parts[0]}", ".".join(parts[:2])}
        if not candidates & known:
            raise ValidationError(
                f"'{target}' is an invalid dtype, has to be registry, e.g. ULabel or bionty.CellType"
            )
    return text
