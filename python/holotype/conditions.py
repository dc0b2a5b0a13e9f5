"""Conditions: keywords and `Q` objects as the engine takes them."""

from __future__ import annotations

from holotype.fields import FieldAttr, field_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype import _native

__all__ = ["Avg", "Count", "Max", "Min", "Q", "Sum"]


class Q:
    """A condition that combines with others by `|`, `&` and `~`.

    Args:
        *conditions: Other conditions, all of which must hold.
        **expressions: Look-ups with what they are compared with, all of which must hold.

    Example:
        >>> ln.Artifact.filter(ln.Q(suffix=".csv") | ln.Q(key__startswith="raw/"))
    """

    __slots__ = ("_node",)

    def __init__(self, *conditions: Q, **expressions: Any) -> None:
        self._node: tuple[Any, ...] = ("and", _parts(conditions, expressions))

    @classmethod
    def _of(cls, node: tuple[Any, ...]) -> Q:
        condition = cls.__new__(cls)
        condition._node = node
        return condition

    def __or__(self, other: Q) -> Q:
        if not isinstance(other, Q):
            return NotImplemented
        return Q._of(("or", [self._node, other._node]))

    def __and__(self, other: Q) -> Q:
        if not isinstance(other, Q):
            return NotImplemented
        return Q._of(("and", [self._node, other._node]))

    def __invert__(self) -> Q:
        return Q._of(("not", self._node))

    def __repr__(self) -> str:
        return f"<Q: {_text(self._node)}>"


def _text(node: tuple[Any, ...]) -> str:
    if node[0] == "is":
        return f"{node[1]}={node[2]!r}"
    if node[0] == "not":
        return f"NOT ({_text(node[1])})"
    return f"({node[0].upper()}: {', '.join(_text(part) for part in node[1])})"


def _parts(conditions: tuple[Any, ...], expressions: dict[str, Any]) -> list[tuple[Any, ...]]:
    nodes = []
    for condition in conditions:
        if not isinstance(condition, Q):
            raise TypeError(f"Conditions are Q objects or keywords, not {type(condition).__name__}")
        nodes.append(condition._node)
    return nodes + [_is(name, value) for name, value in expressions.items()]


def _is(name: str, value: Any) -> tuple[Any, ...]:
    # On every branch: the engine shows all of them to a query that names the branch itself.
    if value is None and name in ("branch", "branch_id", "visibility"):
        return ("is", "branch_id__isnull", False)
    return ("is", name, value)


def node(
    conditions: tuple[Any, ...], expressions: dict[str, Any], instance: _native.Instance
) -> tuple[Any, ...]:
    """Returns the condition that all of these hold for records of an instance, as the engine takes it.

    Raises:
        ValueError: For a record that is not saved.
        InvalidArgument: For a record, or a query, of another instance.
    """
    return _resolved(("and", _parts(conditions, expressions)), instance)


def _resolved(node: tuple[Any, ...], instance: _native.Instance) -> tuple[Any, ...]:
    if node[0] == "is":
        return ("is", node[1], operand(node[2], instance))
    if node[0] == "not":
        return ("not", _resolved(node[1], instance))
    return (node[0], [_resolved(part, instance) for part in node[1]])


def operand(value: Any, instance: _native.Instance) -> Any:
    """Returns what a look-up in an instance is compared with: records by id, query sets as queries.

    Raises:
        ValueError: For a record that is not saved.
        InvalidArgument: For a record, or a query, of another instance.
    """
    from holotype.managers import RelatedManager
    from holotype.queryset import BasicQuerySet
    from holotype.registry import SQLRecord, belonging

    if isinstance(value, SQLRecord):
        if value.id is None:
            raise ValueError(f"{value!r} is not saved: save it before querying with it")
        return belonging(value, instance).id
    if isinstance(value, RelatedManager):
        value = value.all()
    if isinstance(value, BasicQuerySet):
        return belonging(value, instance)._native
    if isinstance(value, (list, tuple, set, frozenset)):
        return [operand(item, instance) for item in value]
    if isinstance(value, FieldAttr):
        return value.name
    if isinstance(value, (range, type({}.keys()), type({}.values()))):
        return [operand(item, instance) for item in value]
    return value


class Aggregate:
    """A number computed over the rows of a query."""

    function = ""

    def __init__(self, field: Any, *, distinct: bool = False) -> None:
        self.field = field if field == "*" else field_name(field)
        self.distinct = distinct

    @property
    def alias(self) -> str:
        """The name of the result when none is given."""
        return f"{self.field}__{self.function}"

    @property
    def native(self) -> tuple[str, str]:
        """The name that the engine knows, and the field."""
        return (f"{self.function}_distinct" if self.distinct else self.function), self.field


class Count(Aggregate):
    """Number of values that are not null."""

    function = "count"


class Sum(Aggregate):
    """Sum of the values."""

    function = "sum"


class Avg(Aggregate):
    """Mean of the values."""

    function = "avg"


class Min(Aggregate):
    """Least value."""

    function = "min"


class Max(Aggregate):
    """Greatest value."""

    function = "max"


def aggregates(unnamed: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Aggregate]:
    """Returns aggregates by name.

    Raises:
        TypeError: If something else is among them.
    """
    for each in (*unnamed, *named.values()):
        if not isinstance(each, Aggregate):
            raise TypeError(f"{each!r} is no aggregate: pass Count, Sum, Avg, Min or Max of a field")
    return {each.alias: each for each in unnamed} | named
