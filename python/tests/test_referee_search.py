"""LaminDB works on an instance with a search index, of which it knows nothing, and the search stays right."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from referee.client import Holotype, Referee

ROWS = 25_000
"""More than a registry needs to get an index."""

MANY = f"""\
INSERT INTO lamindb_ulabel
    (uid, name, is_type, is_locked, branch_id, created_on_id, space_id, created_by_id, created_at, updated_at)
WITH RECURSIVE numbers(at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM numbers WHERE at < {ROWS})
SELECT printf('%08d', at), 'tissue ' || at, 0, 0, 1, 1, 1, 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00'
FROM numbers
"""

BULK = """\
import lamindb as ln

ln.setup.settings.instance._is_on_hub = False
ln.ULabel.filter(name__in=["tissue 70", "tissue 7000"]).update(description="Changed in bulk")
ln.save([ln.ULabel(name=f"fresh {at}") for at in range(3)])
ln.ULabel.filter(name__startswith="tissue 800").delete(permanent=True)
"""

REMADE = """\
import lamindb as ln
from django.db import connection

ln.setup.settings.instance._is_on_hub = False
with connection.schema_editor() as editor:
    editor._remake_table(ln.ULabel)
ln.ULabel.filter(name="tissue 90").update(description="After the migration")
"""


def searched(side: Referee, *texts: str) -> list[list[str]]:
    """Returns what a side finds for each text, sorted: the sides break ties in their own ways."""
    return [
        sorted(found)
        for found in side.run(*({"do": "search", "name": "ULabel", "text": text} for text in texts))
    ]


def names(database: Path, kind: str) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        sql = "SELECT name FROM sqlite_master WHERE type = ? AND name GLOB 'holotype_search*' ORDER BY name"
        return [name for (name,) in connection.execute(sql, [kind])]


def test_the_search_stays_right_whatever_lamindb_writes(tmp_path: Path) -> None:
    ours, theirs = (side(tmp_path / "home", tmp_path / "work") for side in (Holotype, Referee))
    theirs.init(tmp_path / "store")
    database = tmp_path / "store" / ".lamindb" / "lamin.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(MANY)
    searched(ours, *["tissue 1234"] * 60)
    triggers = ["holotype_search_ulabel_inserted", "holotype_search_ulabel_updated"]
    assert names(database, "trigger") == triggers

    created = theirs.run(
        {"do": "create_ulabel", "label": "hepatocyte"},
        {"do": "change", "name": "ULabel", "uid": "00000010", "values": {"name": "renamed by LaminDB"}},
        {"do": "change", "name": "ULabel", "uid": "00000011", "values": {"description": "Kupffer cell"}},
        {"do": "delete", "name": "ULabel", "uid": "00001234", "permanent": True},
    )[0]
    script = tmp_path / "work" / "bulk.py"
    script.write_text(BULK)
    theirs.script(script)
    texts = [
        "hepatocyte",
        "renamed",
        "KUPFFER",
        "tissue 1234",
        "sue 557",
        "changed in bulk",
        "fresh",
        "tissue 800",
    ]
    found = searched(ours, *texts)
    assert found == searched(theirs, *texts)
    assert found[:3] == [[created], ["00000010"], ["00000011"]]
    assert (found[5], len(found[6]), found[7]) == (["00000070", "00007000"], 3, [])

    script.write_text(REMADE)
    theirs.script(script)
    assert names(database, "trigger") == [], "a table made anew has lost its triggers"
    texts.append("after the migration")
    found = searched(ours, *texts)
    assert found == searched(theirs, *texts)
    assert found[-1] == ["00000090"]
    assert names(database, "trigger") == triggers
