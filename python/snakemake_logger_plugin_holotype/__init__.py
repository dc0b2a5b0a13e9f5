"""Lets Snakemake tell Holotype what its jobs did: `snakemake --logger holotype`.

Snakemake finds the plugin by its name and imports it whenever it starts, so nothing heavy is imported here.
What the jobs did is written, one line of JSON each, to `holotype record -`, a process of its own: it saves
files while the workflow goes on, and marks the run as aborted should Snakemake be killed.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from ._jobs import Jobs, workflow
from ._recorder import Recorder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LogHandler"]

# How the message begins that Snakemake gives when somebody stops it; no event tells that.
STOPPED = "Terminating processes on user request"


class LogHandler(LogHandlerBase):
    """Makes each job of a workflow a run of its rule, within one run of the workflow.

    Example:
        $ snakemake --cores 4 --logger holotype
    """

    writes_to_stream = False
    writes_to_file = False
    # Snakemake would keep back what `--quiet` hides.
    has_filter = True
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        self._recorder: Recorder | None = None
        self._jobs = Jobs()
        # Jobs that have not ended, by the id that Snakemake gives them.
        self._open: dict[int, dict[str, Any]] = {}
        # Jobs that failed and have not been tried again with success.
        self._broken: set[int] = set()
        self._failed = self._stopped = False
        self._takers: dict[Any, Callable[[Any], None]] = {
            LogEvent.WORKFLOW_STARTED: self._begin,
            LogEvent.JOB_INFO: self._take_up,
            LogEvent.JOB_STARTED: self._start,
            LogEvent.JOB_FINISHED: self._finish,
            LogEvent.JOB_ERROR: self._break,
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Takes what Snakemake says; whatever goes wrong with that, the workflow goes on."""
        if self.common_settings.dryrun:
            return
        self._failed |= record.levelno >= logging.ERROR
        self._stopped |= record.getMessage().startswith(STOPPED)
        take = self._takers.get(getattr(record, "event", None))
        if take is not None:
            try:
                take(record)
            except Exception:
                self.handleError(record)

    def close(self) -> None:
        """Tells how the workflow ended, and waits until all is saved."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None:
            ends = [self._end_unseen(recorder, job) for job in self._open.values()]
            self._open.clear()
            aborted = self._stopped or "aborted" in ends
            errored = self._failed or self._broken
            outcome = "aborted" if aborted else "errored" if errored else "completed"
            recorder.tell({"event": "end", "outcome": outcome, "logs": _logs(), "at": time.time()})
            recorder.close()
        super().close()

    def _begin(self, record: Any) -> None:
        self._recorder = Recorder()
        around = workflow()
        self._recorder.tell(
            {
                "event": "workflow",
                "source": os.path.abspath(record.snakefile_main),
                "words": ["snakemake", *sys.argv[1:]],
                "folder": os.getcwd(),
                "params": {} if around is None else around.config,
                "at": record.created,
            }
        )

    def _take_up(self, record: Any) -> None:
        job = self._jobs.describe(record)
        if job is not None:
            self._open[record.jobid] = job

    def _start(self, record: Any) -> None:
        # The workflow goes on: an error was that of a job, which may be tried again.
        self._failed = False
        for job in record.jobs:
            if job in self._open:
                self._open[job]["started_at"] = record.created

    def _finish(self, record: Any) -> None:
        self._broken.discard(record.job_id)
        self._end(record.job_id, "completed", record.created)

    def _break(self, record: Any) -> None:
        self._broken.add(record.jobid)
        self._end(record.jobid, "errored", record.created)

    def _end(self, jobid: int, outcome: str, at: float) -> None:
        job = self._open.pop(jobid, None)
        if job is not None and self._recorder is not None:
            self._recorder.tell({**job, "outcome": outcome, "ended_at": at})

    def _end_unseen(self, recorder: Recorder, job: dict[str, Any]) -> str:
        """Ends a job whose end was not told: with `--quiet progress`, and when the workflow is stopped."""
        done = not (self._failed or self._broken) and all(os.path.exists(path) for path in job["outputs"])
        outcome = "completed" if done else "aborted"
        recorder.tell({**job, "outcome": outcome})
        return outcome


def _logs() -> list[str]:
    """Returns the files in which Snakemake keeps what it says."""
    around = workflow()
    try:
        return [] if around is None else [str(log) for log in around.logger_manager.get_logfile()]
    except AttributeError:
        return []
