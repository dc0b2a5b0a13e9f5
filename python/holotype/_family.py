"""Parents and children of a record, drawn as a tree of text."""

from __future__ import annotations

from holotype.fields import field_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.registry import SQLRecord


def draw(record: SQLRecord, field: Any, sides: tuple[str, ...], distance: int) -> str:
    """Returns the records that a record reaches along some of its relations as a tree.

    Args:
        record: A saved record.
        field: Field that names the records; by default that of the registry.
        sides: `"parents"`, `"children"` or both.
        distance: How many steps away a record may be.

    Raises:
        ValueError: If the record is not saved, or for a distance below 0.
    """
    if record.id is None:
        raise ValueError(f"{record!r} is not saved: save it before viewing its family")
    if distance < 0:
        raise ValueError(f"distance is a number of steps, not {distance}")
    name = type(record)._table.label_field() if field is None else field_name(field)
    lines: list[str] = []
    for side in sides:
        steps = _steps(record, side, distance)
        ids = {record.id, *(id for found in steps.values() for id in found)}
        names = dict(type(record).objects.filter(id__in=ids).values_list("id", name))
        if not lines:
            lines.append(str(names[record.id]))
        if len(sides) > 1:
            lines.append(f"{side}:")
        _branches(record.id, steps, names, "", (record.id,), lines)
    return "\n".join(lines)


def _steps(record: SQLRecord, side: str, distance: int) -> dict[int, list[int]]:
    """Returns for every record on the way the ids one step further, reading one level at a time."""
    steps: dict[int, list[int]] = {}
    assert record.id is not None
    level = {record.id}
    for _ in range(distance):
        pairs = type(record).objects.filter(id__in=level)._native.related(f"{side}__id")
        level = set()
        for near, far in pairs:
            steps.setdefault(near, []).append(far)
            level.add(far)
        # What was reached before is not read again: families may hold circles.
        level -= steps.keys()
        if not level:
            break
    return steps


def _branches(
    id: int,
    steps: dict[int, list[int]],
    names: dict[int, Any],
    indent: str,
    above: tuple[int, ...],
    lines: list[str],
) -> None:
    found = sorted(steps.get(id, []), key=lambda each: str(names[each]))
    for number, each in enumerate(found, start=1):
        last = number == len(found)
        circle = " (above)" if each in above else ""
        lines.append(f"{indent}{'└── ' if last else '├── '}{names[each]}{circle}")
        if not circle:
            _branches(each, steps, names, indent + ("    " if last else "│   "), (*above, each), lines)
