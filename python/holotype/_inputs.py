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
        is_run_input: False for not; a run to note it there; None for what `ln.settings.track_run_inputs` says.
    """
    from holotype import _voice
    from holotype._settings import settings
    from holotype.registry import SQLRecord

    if is_run_input is None:
        is_run_input = settings.track_run_inputs
    if is_run_input is False or record.id is None:
        return
    instance = record._instance
    run = is_run_input.id if isinstance(is_run_input, SQLRecord) else instance.context()["run"]
    if run is None:
        _voice.warning("run input wasn't tracked, call `ln.track()` and re-run")
        return
    # What a run makes, or makes again, is not its input: lineage would go in a circle.
    again = run in instance.related(record._row, "recreating_runs").ids()
    if not again and run != record.run_id:  # type: ignore[attr-defined]
        instance.link(record._row, "input_of_runs", [run])
