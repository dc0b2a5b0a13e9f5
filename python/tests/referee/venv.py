"""Creates, once, the virtual environment in which the real LaminDB lives apart from Holotype."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = {"lamindb": "2.12.1", "bionty": "2.5.2", "psycopg2-binary": "2.9.13"}
"""The exact releases that judge; the format this project writes is theirs."""

_VERSIONS = "import sys\nfrom importlib.metadata import version\nprint(*map(version, sys.argv[1:]))"


def location() -> Path:
    """Returns `$HOLOTYPE_REFEREE_VENV`, else `.venv-lamindb` at the root of the repository."""
    chosen = os.environ.get("HOLOTYPE_REFEREE_VENV")
    return Path(chosen) if chosen else Path(__file__).resolve().parents[3] / ".venv-lamindb"


def installed(python: Path) -> bool:
    """Returns whether `python` exists and sees exactly the required releases."""
    if not python.exists():
        return False
    command = [str(python), "-c", _VERSIONS, *REQUIREMENTS]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return found.stdout.split() == list(REQUIREMENTS.values())


def referee_python() -> Path:
    """Returns the interpreter that can import LaminDB, after creating its environment if it is missing.

    Two test processes may ask at the same time: a lock lets one of them install and the other wait.

    Raises:
        RuntimeError: creation or installation failed; the text ends with what the tool printed.

    Example:
        `subprocess.run([referee_python(), "-c", "import lamindb"])`
    """
    venv = location()
    venv.mkdir(parents=True, exist_ok=True)
    python = venv / "bin" / "python"
    with open(venv / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not installed(python):
            _run(sys.executable, "-m", "venv", str(venv))
            wanted = [f"{name}=={release}" for name, release in REQUIREMENTS.items()]
            _run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted)
            if not installed(python):
                raise RuntimeError(f"The environment {venv} holds other releases than {wanted}; remove it")
    return python


def _run(*command: str) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")


if __name__ == "__main__":
    sys.stdout.write(f"{referee_python()}\n")
