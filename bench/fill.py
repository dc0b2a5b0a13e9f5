"""Fills the database of an instance with rows, past both sides, so that both meet the same contents."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters, digits

from workloads import BATCH, key_of

ALPHABET = digits + ascii_letters
CREATED = "2025-06-01 12:00:00.000000"
COMMON: dict[str, object] = {"is_locked": 0, "created_at": CREATED, "updated_at": CREATED}
COMMON |= dict.fromkeys(("branch_id", "created_on_id", "space_id", "created_by_id"), 1)


def artifacts(database: Path, count: int) -> None:
    """Adds complete rows without content: one version per key, 20 of them per folder and description.

    Where the instance keeps digests beside the rows, each gets one too.

    Raises:
        sqlite3.Error: the database is no instance, or holds the rows already.
    """
    with _Bulk(database, "lamindb_artifact") as connection:
        _insert(connection, "lamindb_artifact", _artifact_rows(count))
        if _columns(connection, "holotype_content"):
            _insert(connection, "holotype_content", _content_rows(count))


def content(store: Path, count: int) -> None:
    """Adds a file of the right size for each of those artifacts, as holes that take no room."""
    (store / ".lamindb").mkdir(exist_ok=True)
    for row in _artifact_rows(count):
        with open(store / ".lamindb" / f"{row['uid']}{row['suffix']}", "wb") as file:
            file.truncate(int(str(row["size"])))


def labels(database: Path, count: int) -> None:
    """Adds labels with names unlike those that the workload makes."""
    draw = random.Random(count)
    names = (f"tissue {_text(draw, 6)} {at}" for at in range(count))
    with _Bulk(database, "lamindb_ulabel") as connection:
        rows = (COMMON | {"uid": _text(draw, 8), "name": name, "is_type": 0} for name in names)
        _insert(connection, "lamindb_ulabel", rows)


def lineage(database: Path, count: int) -> None:
    """Adds artifacts and runs: every run reads one artifact and makes one, so that they form a binary tree.

    The first artifact has a run as well: LaminDB draws nothing around one that has none.

    Raises:
        sqlite3.Error: the database is no instance, or holds the rows already.
    """
    draw = random.Random(count)
    run = {name: value for name, value in COMMON.items() if name != "updated_at"}
    run |= {"updated_at": CREATED, "started_at": CREATED, "finished_at": CREATED, "_status_code": 0}
    transform = COMMON | {
        "id": 1,
        "uid": _text(draw, 12) + "0000",
        "key": "split.py",
        "kind": "script",
        "is_latest": 1,
    }
    with _Bulk(database, "lamindb_artifact") as connection:
        _insert(connection, "lamindb_transform", iter([transform]))
        runs = (
            run | {"id": at, "uid": _text(draw, 16), "transform_id": 1} for at in range(1, count // 2 + 2)
        )
        _insert(connection, "lamindb_run", runs)
        rows = (
            {"run_id": at or count // 2 + 1} | row for at, row in enumerate(_artifact_rows(count // 2 + 1))
        )
        _insert(connection, "lamindb_artifact", rows)
        inputs = ({"artifact_id": (at + 1) // 2, "run_id": at} for at in range(1, count // 2 + 1))
        _insert(connection, "lamindb_artifact_input_of_runs", inputs)


def _artifact_rows(count: int) -> Iterator[dict[str, object]]:
    draw = random.Random(count)
    common = COMMON | {"storage_id": 1, "is_latest": 1, "_key_is_virtual": 1, "_overwrite_versions": 0}
    common |= {"_hash_type": "md5", "suffix": ".csv"}
    for at in range(count):
        yield common | {
            "id": at + 1,
            "uid": _text(draw, 16) + "0000",
            "key": key_of(at),
            "description": f"batch {at // BATCH}",
            "size": 100 + at,
            "hash": _text(draw, 22),
        }


def _content_rows(count: int) -> Iterator[dict[str, object]]:
    draw = random.Random(count)
    for at in range(1, count + 1):
        digest = draw.randbytes(32).hex()
        yield {"artifact_id": at, "digest": digest, "size": 99 + at, "computed_at": CREATED}


def _text(draw: random.Random, length: int) -> str:
    return "".join(draw.choices(ALPHABET, k=length))


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[dict[str, object]]) -> None:
    first = next(rows)
    marks = ", ".join(f":{name}" for name in first)
    sql = f"INSERT INTO {table} ({', '.join(first)}) VALUES ({marks})"
    connection.execute(sql, first)
    connection.executemany(sql, rows)


class _Bulk:
    """A connection without the indexes of one table; closing makes them again, which is far quicker."""

    def __init__(self, database: Path, table: str) -> None:
        if not database.is_file():
            raise FileNotFoundError(f"There is no database at {database}")
        self.connection = sqlite3.connect(database, isolation_level=None)
        self.table = table
        self.indexes: list[str] = []

    def __enter__(self) -> sqlite3.Connection:
        db = self.connection
        for setting in ("synchronous = OFF", "foreign_keys = OFF", "cache_size = -400000"):
            db.execute(f"PRAGMA {setting}")
        db.execute("BEGIN IMMEDIATE")
        sql = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL"
        known = db.execute(sql, [self.table]).fetchall()
        self.indexes = [sql for _, sql in known]
        for name, _ in known:
            db.execute(f'DROP INDEX "{name}"')
        return db

    def __exit__(self, kind: object, *rest: object) -> None:
        db = self.connection
        if kind is None:
            for sql in self.indexes:
                db.execute(sql)
            db.execute("COMMIT")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
