"""Writes the type stubs that are derived: of the native module, the registries, and the names of the package.

python python/tools/stubs.py            writes them
python python/tools/stubs.py --check    fails when they are out of date
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "holotype"


def stubs() -> dict[Path, str]:
    """Returns the text of every derived stub by its path.

    Those of the registries need the compiled module; where it is absent, as in a lint, they are left to the
    tests.
    """
    sys.path.insert(0, str(ROOT / "python" / "tools"))
    import native
    import registries

    made = {PACKAGE / "_native.pyi": native.stub(ROOT / "python" / "src")}
    # Importing connects to the current instance: here there is to be none.
    with tempfile.TemporaryDirectory() as nowhere:
        before, here = dict(os.environ), Path.cwd()
        os.environ["LAMIN_SETTINGS_DIR"] = nowhere
        os.environ.pop("LAMIN_CURRENT_INSTANCE", None)
        os.chdir(nowhere)
        try:
            import holotype
        except ImportError:
            return made
        finally:
            os.chdir(here)
            os.environ.clear()
            os.environ.update(before)
    tables = registries.Stubs(holotype._native)
    made[PACKAGE / "_registries.pyi"] = tables.registries()
    made[PACKAGE / "__init__.pyi"] = tables.package(holotype._HOMES, sorted(holotype._MODULES))
    made[PACKAGE / "bionty.pyi"] = tables.bionty()
    return made


def main() -> None:
    """Writes or checks the stubs."""
    outdated = []
    for path, text in stubs().items():
        if path.exists() and path.read_text() == text:
            continue
        outdated.append(path.relative_to(ROOT))
        if "--check" not in sys.argv:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    if outdated and "--check" in sys.argv:
        sys.exit(f"out of date: {', '.join(map(str, outdated))}; run python python/tools/stubs.py")


if __name__ == "__main__":
    main()
