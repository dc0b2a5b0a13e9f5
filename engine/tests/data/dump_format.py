"""Writes the observed format of a SQLite instance as JSON: what PRAGMA statements tell, one line per table.

`format-sqlite-2.12.1.json` beside it was made so, from a fresh instance of LaminDB 2.12.1 with bionty 2.5.2:

    lamin init --storage ./fresh --modules bionty
    python dump_format.py fresh/.lamindb/lamin.db > format-sqlite-2.12.1.json

Per table: `columns` [name, type, notnull, default, primary key], `indexes` [name, unique, columns, where]
with expressions in brackets among the columns, `unique` (columns of constraints that name no index),
`foreign_keys` [column, table, column, on delete], `checks`, and whether ids are `autoincrement`.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys


def bracketed(sql: str, start: int) -> str:
    """Returns the text between the bracket at `start` and its partner."""
    depth = 0
    for end in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[end], 0)
        if depth == 0:
            return sql[start + 1 : end]
    raise ValueError(f"Unbalanced brackets in {sql!r}")


def table_format(db: sqlite3.Connection, table: str, sql: str) -> dict[str, object]:
    """Returns the facts about one table, lists sorted except for the columns."""
    indexes: list[list[object]] = []
    unique: list[list[str]] = []
    for _, name, is_unique, origin, _ in db.execute(f'PRAGMA index_list("{table}")').fetchall():
        columns = [row[2] for row in db.execute(f'PRAGMA index_info("{name}")')]
        if origin != "c":
            unique.append(columns)
            continue
        (made_by,) = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", (name,)).fetchone()
        if None in columns:
            columns = [bracketed(made_by, made_by.index("("))]
        where = made_by.split(" WHERE ", 1)[1] if " WHERE " in made_by else None
        indexes.append([name, bool(is_unique), columns, where])
    keys = db.execute(f'PRAGMA foreign_key_list("{table}")').fetchall()
    return {
        "columns": [
            [name, kind, bool(notnull), default, pk]
            for _, name, kind, notnull, default, pk in db.execute(f'PRAGMA table_info("{table}")')
        ],
        "indexes": sorted(indexes, key=str),
        "unique": sorted(unique),
        "foreign_keys": sorted(
            [column, to, target, delete] for _, _, to, column, target, _, delete, _ in keys
        ),
        "checks": sorted(bracketed(sql, found.end() - 1) for found in re.finditer(r"\bCHECK \(", sql)),
        "autoincrement": "AUTOINCREMENT" in sql,
    }


def main(path: str) -> None:
    """Prints the format of the database at `path`."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        tables = db.execute(
            "SELECT name, sql FROM sqlite_master"
            " WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        ).fetchall()
        lines = [f" {json.dumps(name)}: {json.dumps(table_format(db, name, sql))}" for name, sql in tables]
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main(sys.argv[1])
