"""Saving many records at once."""

from __future__ import annotations

from holotype import _session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from holotype.registry import SQLRecord

__all__ = ["save"]


def save(
    records: Iterable[SQLRecord], ignore_conflicts: bool = False, batch_size: int = 10000, using: Any = None
) -> None:
    """Saves records of any registries in as few transactions as possible.

    Args:
        records: Records, saved or not.
        ignore_conflicts: Leave out rows that break a constraint.
        batch_size: Accepted; the engine chooses the size of its statements.
        using: Accepted for other releases.

    Raises:
        ValueError: For a single record.
        IntegrityError: If a constraint would break; nothing is written then.

    Example:
        >>> ln.save([ln.ULabel(name="apple"), ln.ULabel(name="pear")])
    """
    from holotype._features import HasFeatures
    from holotype.artifact import Artifact
    from holotype.collection import Collection
    from holotype.registry import SQLRecord
    from holotype.storage import Storage
    from holotype.transform import Transform

    if isinstance(records, SQLRecord):
        raise ValueError("Please use record.save() if saving a single record.")
    listed = list(records)
    instance = _session.current()
    plain: list[SQLRecord] = []
    artifacts: list[SQLRecord] = []
    alone: list[SQLRecord] = []
    for record in listed:
        if not isinstance(record, SQLRecord):
            raise TypeError(f"save() takes records, not {type(record).__name__}")
        if record._instance is not instance:
            alone.append(record)
        elif isinstance(record, Artifact):
            artifacts.append(record)
        elif isinstance(record, (Collection, Storage, Transform)):
            alone.append(record)
        else:
            plain.append(record)
    for group in _by_need(plain):
        for record in group:
            record._settle()
        instance.save_many([record._row for record in group], ignore_conflicts)
    for record in artifacts:
        record._settle()
    if artifacts:
        instance.save_artifacts([record._row for record in artifacts])
    for record in (*plain, *artifacts):
        if isinstance(record, HasFeatures):
            record._give()
    for record in alone:
        record.save()


def _by_need(records: list[SQLRecord]) -> list[list[SQLRecord]]:
    """Returns records in groups, those that others of the list point at first."""
    groups: list[list[SQLRecord]] = []
    left = records
    while left:
        waiting = {id(record) for record in left}
        ready = [r for r in left if not any(id(other) in waiting for other in r._related.values())]
        # Records that point at each other cannot be ordered: their save says what is missing.
        ready = ready or left
        groups.append(ready)
        done = {id(record) for record in ready}
        left = [record for record in left if id(record) not in done]
    return groups
