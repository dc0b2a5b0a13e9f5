"""The process that records what the jobs of a workflow did."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from typing import Any

__all__ = ["Recorder"]


class Recorder:
    """`holotype record -`, which is told one line of JSON at a time."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = subprocess.Popen(
            [_command(), "record", "-"],
            stdin=subprocess.PIPE,
            # What Snakemake prints for other programs stays its own.
            stdout=sys.stderr.fileno(),
            text=True,
            # Who stops Snakemake with Ctrl-C wants to know what was done until then.
            start_new_session=True,
        )

    def tell(self, entry: dict[str, Any]) -> None:
        """Tells what happened; once the recorder has given up, nothing is told any more."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(entry, default=str) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            # It has said why.
            self._process.wait()
            self._process = None
            print("holotype: the jobs of this workflow are not recorded any more", file=sys.stderr)

    def close(self) -> None:
        """Waits until all is recorded."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def _command() -> str:
    """Returns the command of the environment that this package is installed in, else the one on the path."""
    own = os.path.join(sysconfig.get_path("scripts"), "holotype")
    found = own if os.path.exists(own) else shutil.which("holotype")
    if found is None:
        raise FileNotFoundError("the command holotype is not on the path: install holotype")
    return found
