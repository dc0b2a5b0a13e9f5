"""Unpacks the instances that LaminDB made once and for all, for tests that need one it wrote."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[3] / "engine" / "tests" / "data" / "instances"
PLACEHOLDER = "/holotype-fixture"


def expected(release: str) -> dict[str, Any]:
    """Returns what LaminDB `release` itself listed when it had made the instance."""
    content: dict[str, Any] = json.loads((DATA / release / "expected.json").read_text())
    return content


def unpack(release: str, target: Path) -> Path:
    """Unpacks the instance of `release` into `target`, sets its paths, and returns its database.

    Afterwards `target/home` is the settings home, `target/work` the working directory, `target/root` the
    storage.

    Example:
        `unpack("2.12.1", tmp_path)`
    """
    target = target.resolve()
    with tarfile.open(DATA / release / "instance.tar.gz") as archive:
        archive.extractall(target)
    for file in (target / "home" / ".lamin").iterdir():
        file.write_text(file.read_text().replace(PLACEHOLDER, str(target)))
    (database,) = [*target.glob("root/.lamindb/lamin.db"), *target.glob("root/*.lndb")]
    db = sqlite3.connect(database)
    tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    storage = next(name for name in tables if name.endswith("_storage"))
    db.execute(f'UPDATE "{storage}" SET root = replace(root, ?, ?)', (PLACEHOLDER, str(target)))
    db.commit()
    db.close()
    return database
