"""Writes the type stubs that are derived: of the native module, the registries, and the names of the package.

python python/tools/stubs.py            writes them
python python/tools/stubs.py --check    fails when they are out of date
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "holotype"


def stubs() -> dict[Path, str]:
    """Returns the text of every derived stub by its path."""
    sys.path.insert(0, str(ROOT / "python" / "tools"))
    import native
    import registries

    import holotype

    made = registries.Stubs(holotype._native)
    return {
        PACKAGE / "_native.pyi": native.stub(ROOT / "python" / "src"),
        PACKAGE / "_registries.pyi": made.registries(),
        PACKAGE / "__init__.pyi": made.package(holotype._HOMES, sorted(holotype._MODULES)),
        PACKAGE / "bionty.pyi": made.bionty(),
    }


def formatted(text: str, path: Path) -> str:
    """Returns a stub in the house's format."""
    command = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(path), "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{path.name} cannot be formatted: {done.stderr}")
    return done.stdout


def main() -> None:
    """Writes or checks the stubs."""
    outdated = []
    for path, text in stubs().items():
        wanted = formatted(text, path)
        if path.exists() and path.read_text() == wanted:
            continue
        outdated.append(path.relative_to(ROOT))
        if "--check" not in sys.argv:
            path.write_text(wanted)
            print(f"wrote {path.relative_to(ROOT)}")
    if outdated and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(map(str, outdated))}; run python python/tools/stubs.py")


if __name__ == "__main__":
    main()
