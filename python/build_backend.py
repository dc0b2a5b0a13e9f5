"""Builds the wheel: the Python package, its native module, and the native command beside it.

The command is a program of its own: `holotype` starts without an interpreter even when pip installed it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import maturin
from maturin import (  # noqa: F401
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "python" / "holotype.data" / "scripts"

# Even for metadata alone, maturin wants the folder to be there; no clone has it.
SCRIPTS.mkdir(parents=True, exist_ok=True)


def _place_command(*profile: str) -> None:
    """Compiles the command and puts it where the wheel takes its scripts from."""
    cargo = os.environ.get("CARGO", "cargo")
    command = [
        cargo,
        "build",
        "--package",
        "holotype-cli",
        "--bin",
        "holotype",
        "--message-format",
        "json",
        *profile,
    ]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed: is Rust installed?")
    built = [json.loads(line).get("executable") for line in done.stdout.splitlines() if line.startswith("{")]
    program = Path(next(path for path in reversed(built) if path))
    SCRIPTS.mkdir(parents=True, exist_ok=True)
    target = SCRIPTS / program.name
    shutil.copyfile(program, target)
    target.chmod(0o755)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):  # type: ignore[no-untyped-def]
    """Returns the name of the wheel."""
    _place_command("--release")
    return maturin.build_wheel(wheel_directory, config_settings, metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):  # type: ignore[no-untyped-def]
    """Returns the name of a wheel that points at this folder."""
    _place_command()
    return maturin.build_editable(wheel_directory, config_settings, metadata_directory)


def build_sdist(sdist_directory, config_settings=None):  # type: ignore[no-untyped-def]
    """Returns the name of the source archive; the command is compiled when it is installed."""
    shutil.rmtree(SCRIPTS.parent, ignore_errors=True)
    SCRIPTS.mkdir(parents=True)
    return maturin.build_sdist(sdist_directory, config_settings)
