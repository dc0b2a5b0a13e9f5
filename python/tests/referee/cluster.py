"""A private PostgreSQL server for one run of the tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "engine" / "tests" / "support" / "postgres.sh"


class Cluster:
    """A server that lives in a folder.

    Args:
        folder: where its files go; made when it is missing.

    Raises:
        RuntimeError: PostgreSQL is not installed, or does not start.

    Example:
        `Cluster(tmp_path / "cluster").database("mine")`
    """

    def __init__(self, folder: Path) -> None:
        """Starts the server."""
        self.folder = folder
        self._made = 0
        self._script("start")

    def database(self) -> str:
        """Makes a database without tables and returns its URL."""
        self._made += 1
        return self._script("create", f"made{self._made}").strip()

    def stop(self) -> None:
        """Stops the server at once."""
        self._script("stop", "immediate")

    def _script(self, verb: str, *more: str) -> str:
        command = [str(SCRIPT), verb, str(self.folder), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
        return done.stdout
