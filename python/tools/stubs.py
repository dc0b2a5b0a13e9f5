"""Writes the stub of the native module, or checks with `--check` that it is up to date.

Run `python python/tools/stubs.py` after a change of the border in `python/src`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from native import stub

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "holotype" / "_native.pyi"


def main(arguments: list[str]) -> int:
    """Returns the exit code: 1 if the stub is out of date and only checked."""
    text = stub(ROOT / "src")
    if "--check" in arguments:
        if TARGET.exists() and TARGET.read_text() == text:
            return 0
        print(f"{TARGET} is out of date: run python python/tools/stubs.py")
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
