"""Runs, done again: the engine prepares and compares, this runs the command in between."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["rerun"]


def rerun(run: Any, folder: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Runs the command of a run again; see `Run.rerun`."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="holotype-rerun-") as passing:
            return _in(Path(passing), run)
    return _in(Path(folder), run)


def _in(folder: Path, run: Any) -> dict[str, Any]:
    folder = folder.absolute()
    words, cwd, variables, warnings = run._instance.prepare_rerun(run._row, folder)
    env = os.environ | dict(variables)
    code = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False).returncode
    judged: dict[str, Any] = run._instance.judge_rerun(run._row, folder, warnings, code)
    return judged
