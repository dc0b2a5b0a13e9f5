"""`lookup()`: records as attributes of a named tuple, for completion while typing."""

from __future__ import annotations

from collections import namedtuple

from holotype import _native, _voice
from holotype.fields import field_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.queryset import BasicQuerySet


def lookup(query: BasicQuerySet, field: Any, return_field: Any, keep: str | bool) -> Any:
    """Returns a named tuple `Lookup` with one attribute per value of a field.

    Args:
        query: The records.
        field: Field whose values become attributes; None for the one that names records.
        return_field: Field whose values are returned; None for records.
        keep: `"first"`, `"last"`, or False for lists.

    Raises:
        ValueError: For another `keep`.
    """
    if keep not in ("first", "last", False):
        raise ValueError(f"keep takes 'first', 'last' or False, not {keep!r}")
    name = query.model._table.label_field() if field is None else field_name(field)
    records = list(query)
    values = query._column(name) if "__" in name else [getattr(record, name) for record in records]
    results = records if return_field is None else [getattr(r, field_name(return_field)) for r in records]
    groups: dict[str, list[Any]] = {}
    attributes: dict[str, str] = {}
    for value, result in zip(values, results, strict=True):
        if value is None or value == "":
            continue
        groups.setdefault(str(value), []).append(result)
    for attribute, text in _native.attribute_names(list(groups), False):
        attributes.setdefault(attribute, text)

    def chosen(value: str) -> Any:
        found = groups[value]
        if keep is False:
            return found if len(found) > 1 else found[0]
        return found[0] if keep == "first" else found[-1]

    attributes.pop("dict", None)
    base: Any = namedtuple("Lookup", [*attributes, "dict"], rename=True)  # type: ignore[misc]
    warned: set[str] = set()

    class Lookup(base):  # type: ignore[misc]
        __slots__ = ()

        def __getattribute__(self, attribute: str) -> Any:
            value = attributes.get(attribute)
            if value is not None and len(groups[value]) > 1 and keep is not False and attribute not in warned:
                warned.add(attribute)
                n = len(groups[value])
                _voice.warning(f"{n} records found for '{value}'. Returning based on keep='{keep}'.")
            return super().__getattribute__(attribute)

    Lookup.__qualname__ = "Lookup"
    results = [chosen(value) for value in attributes.values()]
    return Lookup._make([*results, lambda: {value: chosen(value) for value in groups}])
