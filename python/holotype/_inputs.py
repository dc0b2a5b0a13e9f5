"""Noting what a run reads."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.registry import SQLRecord


def track_input(record: SQLRecord, is_run_input: Any) -> None:
    """Notes a record as an input of a run.

    Args:
        record: Artifact or collection that was read.
        is_run_input: False for not; a run to note it there; None for what `ln.settings.track_run_inputs` is.
    """
    from holotype import _session, _voice
    from holotype._settings import settings
    from holotype.registry import SQLRecord

    if is_run_input is None:
        is_run_input = settings.track_run_inputs
    if is_run_input is False or record.id is None:
        return
    instance = record._instance
    tracked = _session.current()
    if instance is not tracked and tracked.context()["run"] is not None:
        _voice.warning(f"run input wasn't tracked: {record._row.uid} belongs to another instance")
        return
    run = is_run_input.id if isinstance(is_run_input, SQLRecord) else None
    instance.track_input(record._row, run)
