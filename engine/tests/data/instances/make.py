"""Makes the fixture of one LaminDB release: an instance written by it, and the list of what it must contain.

Run it with the Python of a virtual environment that holds the release, see `README.md`:

    python make.py

It works in a temporary directory, needs no network, and rewrites `<release>/instance.tar.gz` and
`<release>/expected.json`. Uids and times are new in every run, so both files always change together.

The scratch directory holds `root` (the default storage), `home` (with `.lamin`), and `work` (where the
scripts of the release run).
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

PLACEHOLDER = "/holotype-fixture"
"""Stands in the archive for the scratch directory; a test replaces it by the place it unpacks to."""


def environment(scratch: Path) -> dict[str, str]:
    """Returns the variables that keep LaminDB inside `scratch`: its home, settings and cache."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {
        "HOME": str(scratch / "home"),
        "LAMIN_SETTINGS_DIR": str(scratch / "home"),
        "LAMIN_CACHE_DIR": str(scratch / "cache"),
        "PYTHONWARNINGS": "ignore",
    }


def run(scratch: Path, *command: str) -> None:
    """Runs one command in `work`, without a terminal.

    Raises:
        RuntimeError: the command failed; the text holds all it printed.
    """
    done = subprocess.run(
        command,
        cwd=scratch / "work",
        env=environment(scratch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stdout}")


def database(scratch: Path) -> Path:
    """Returns the one database file below the default storage, whatever layout the release uses."""
    found = [*scratch.glob("root/.lamindb/lamin.db"), *scratch.glob("root/*.lndb")]
    if len(found) != 1:
        raise RuntimeError(f"Expected one database, found {found}")
    return found[0]


def table_counts(path: Path) -> dict[str, int]:
    """Returns the number of rows of every table, empty tables included."""
    with sqlite3.connect(path) as db:
        names = [
            row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        return {
            name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
            for name in names
            if not name.startswith("sqlite_")
        }


def neutralise(scratch: Path) -> None:
    """Puts the placeholder into settings and database, and compacts the database."""
    for file in (scratch / "home" / ".lamin").iterdir():
        file.write_text(file.read_text().replace(str(scratch), PLACEHOLDER))
    db = sqlite3.connect(database(scratch))
    storage = next(
        row[0]
        for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        if row[0].endswith("_storage")
    )
    db.execute(f'UPDATE "{storage}" SET root = replace(root, ?, ?)', (str(scratch), PLACEHOLDER))
    db.commit()
    db.execute("VACUUM")
    db.close()


def pack(scratch: Path, archive: Path) -> None:
    """Writes storage, settings and directory marker as a tar.gz without times, owners or machine paths.

    Raises:
        RuntimeError: a packed file still names the scratch directory.
    """
    names = ["root", "second", "home/.lamin", "work/.lamin"]
    files = sorted(
        file
        for name in names
        if (scratch / name).exists()
        for file in (scratch / name).rglob("*")
        if file.is_file()
    )
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for file in files:
            content = file.read_bytes()
            if str(scratch).encode() in content:
                raise RuntimeError(f"{file} names the scratch directory")
            entry = tarfile.TarInfo(str(file.relative_to(scratch)))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    with (
        open(archive, "wb") as sink,
        gzip.GzipFile("", "wb", compresslevel=9, fileobj=sink, mtime=0) as squeezed,
    ):
        squeezed.write(raw.getvalue())


def as_lines(content: dict[str, object]) -> str:
    """Returns JSON text with one line per member, and per item of a list, so that differences read well."""
    lines = []
    for name, value in content.items():
        if isinstance(value, list):
            items = ",\n".join("  " + json.dumps(item, ensure_ascii=False) for item in value)
            lines.append(f" {json.dumps(name)}: [\n{items}\n ]")
        else:
            lines.append(f" {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def finish(scratch: Path, target: Path) -> None:
    """Adds the table counts to `expected.json`, then writes it and the archive into `target`."""
    expected = json.loads((scratch / "expected.json").read_text())
    neutralise(scratch)
    expected["counts"] = table_counts(database(scratch))
    stored = next(count for name, count in expected["counts"].items() if name.endswith("_artifact"))
    if len(expected["artifacts"]) != stored:
        raise RuntimeError(f"Listed {len(expected['artifacts'])} of {stored} artifacts")
    (target / "expected.json").write_text(as_lines(expected).replace(str(scratch), PLACEHOLDER))
    pack(scratch, target / "instance.tar.gz")


def main() -> None:
    """Makes the instance in a temporary directory, with the scripts of the release at hand, and packs it."""
    target = Path(__file__).parent / version("lamindb")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name).resolve()
        for folder in ("home", "work", "cache"):
            (scratch / folder).mkdir()
        for script in target.glob("*.py"):
            shutil.copy(script, scratch / "work")
        root = str(scratch / "root")
        if (target / "init.py").exists():
            run(scratch, sys.executable, "init.py", root)
        else:
            lamin = str(Path(sys.executable).with_name("lamin"))
            modules = ("--modules", "bionty") if target.name == "2.12.1" else ()
            run(scratch, lamin, "init", "--storage", root, "--name", "fixture", *modules)
        run(scratch, sys.executable, "fill.py")
        if (target / "analysis.py").exists():
            run(scratch, sys.executable, "analysis.py", "--dry", "1")
            run(scratch, sys.executable, "analysis.py")
        run(scratch, sys.executable, "expected.py")
        finish(scratch, target)


if __name__ == "__main__":
    main()
