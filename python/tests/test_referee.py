"""The real LaminDB judges: each opens what the other made, and both go on from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from referee.client import Holotype, Referee
from referee.cluster import Cluster
from referee.instances import expected, unpack

TRACKED = """\
import lamindb as ln

ln.setup.settings.instance._is_on_hub = False
ln.track(params={"lr": 0.1, "name": "first"})
source = ln.Artifact.get(key="raw/a.txt")
text = source.cache().read_text()
with open("result.txt", "w") as file:
    file.write(text.upper())
ln.Artifact("result.txt", key="results/a.txt").save()
ln.finish()
"""


def fill(side: Referee) -> dict[str, Any]:
    """Fills an instance with one of everything and returns what was saved, by name."""
    made = side.run(
        {"do": "save_file", "key": "raw/a.txt", "content": "one", "description": "First"},
        {"do": "save_file", "content": "no key", "description": "Without key"},
        {"do": "save_file", "key": "real/b.txt", "content": "real", "key_is_virtual": False},
        {"do": "save_folder", "key": "runs/f", "files": {"x.txt": "x", "deep/y.txt": "y"}},
        {"do": "save_file", "key": "raw/trash.txt", "content": "to be thrown away"},
    )
    first, nokey, real, folder, trash = made
    second, *_ = side.run(
        {"do": "save_new_version", "uid": first["uid"], "content": "two"},
        {"do": "create_ulabel", "label": "parent"},
        {
            "do": "create_ulabel",
            "label": "data",
            "uids": [first["uid"], folder["uid"]],
            "parents": ["parent"],
        },
        {"do": "create_collection", "key": "sets/a", "uids": [nokey["uid"], first["uid"]]},
        {"do": "create_collection", "key": "sets/a", "uids": [nokey["uid"], first["uid"], folder["uid"]]},
        {"do": "delete", "uid": trash["uid"]},
    )
    return {"first": first, "nokey": nokey, "real": real, "folder": folder, "trash": trash, "second": second}


QUESTIONS: list[dict[str, Any]] = [
    {"do": "list_artifacts"},
    {"do": "list_artifacts", "visible": True},
    {"do": "list_labels"},
    {"do": "list_collections"},
    {"do": "list_branches"},
    {"do": "list_runs"},
    {"do": "columns", "name": "Artifact"},
    {"do": "columns", "name": "ULabel"},
    {"do": "columns", "name": "Collection"},
    {"do": "query", "name": "ULabel", "fields": ["uid", "name"], "lookups": {"children__name": "data"}},
    {"do": "query", "name": "Artifact", "fields": ["uid"], "lookups": {"ulabels__name__startswith": "da"}},
    {"do": "query", "name": "Artifact", "fields": ["uid"], "lookups": {"collections__key__contains": "sets"}},
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL server, whose own user may enter the folder it lives in."""
    folder = tmp_path_factory.mktemp("server")
    for place in [folder, *folder.parents[:2]]:
        place.chmod(0o755)
    running = Cluster(folder / "cluster")
    yield running
    running.stop()


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize(("maker", "judge"), [(Holotype, Referee), (Referee, Holotype)])
def test_each_opens_what_the_other_made(
    maker: type[Referee],
    judge: type[Referee],
    database: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    one, other = maker(home, work), judge(home, work)
    db = request.getfixturevalue("cluster").database() if database == "postgresql" else None
    # On a server, LaminDB makes no tables of modules that nobody asks for.
    modules = None if db and maker is Referee else "bionty"
    one.init(tmp_path / "store", modules=modules, db=db)
    made = fill(one)
    script = work / "analysis.py"
    script.write_text(TRACKED)
    one.script(script)

    for question, ours, theirs in zip(QUESTIONS, one.run(*QUESTIONS), other.run(*QUESTIONS), strict=True):
        if question["do"] == "query":
            # LaminDB repeats a record for every related one that matches; Holotype returns it once.
            ours, theirs = ({tuple(row) for row in rows} for rows in (ours, theirs))
        assert theirs == ours, question
    listed = other.do("list_artifacts")
    assert all(row["exists"] and row["complete"] and row["hash_matches"] for row in listed)

    next_version, label, _, collection = other.run(
        {"do": "save_new_version", "uid": made["second"]["uid"], "content": "three"},
        {"do": "create_ulabel", "label": "judged", "uids": [made["nokey"]["uid"]]},
        {"do": "delete", "uid": made["real"]["uid"], "permanent": True},
        {"do": "create_collection", "key": "sets/b", "uids": [made["folder"]["uid"]]},
    )
    assert next_version["uid"] == made["first"]["uid"][:-4] + "0002"
    after = {row["uid"]: row for row in one.do("list_artifacts")}
    assert made["real"]["uid"] not in after
    assert not (tmp_path / "store" / "real" / "b.txt").exists()
    family = [after[made[name]["uid"]]["is_latest"] for name in ("first", "second")]
    assert [*family, after[next_version["uid"]]["is_latest"]] == [False, False, True]
    assert one.do("read", uid=next_version["uid"]) == "three"
    assert one.do("list_labels")[made["nokey"]["uid"]] == ["judged"]
    found = one.run({"do": "query", "name": "ULabel", "fields": ["uid"], "lookups": {"name": "judged"}})
    assert found == [[[label]]]
    assert one.do("list_collections")[-1]["uid"] == collection["uid"]
    restored = one.run(
        {"do": "restore", "uid": made["trash"]["uid"]}, {"do": "list_artifacts", "visible": True}
    )
    assert made["trash"]["uid"] in {row["uid"] for row in restored[1]}


def test_lamindb_goes_on_where_holotype_moved_its_instance(cluster: Cluster, tmp_path: Path) -> None:
    """From a file to a server and back: LaminDB finds everything, and its ids go on."""
    home, work = tmp_path / "home", tmp_path / "work"
    theirs = Referee(home, work)
    theirs.init(tmp_path / "store", modules="bionty")
    last = fill(theirs)["second"]["uid"]
    command = shutil.which("holotype")
    assert command, "the command is installed beside the package"

    def answers() -> list[str]:
        # The databases differ in the order of what is asked for without one.
        found = theirs.run(*QUESTIONS)
        return [
            json.dumps(sorted(map(json.dumps, one)) if isinstance(one, list) else one, sort_keys=True)
            for one in found
        ]

    for words in (["to-postgres", cluster.database()], ["to-sqlite"]):
        before = answers()
        theirs.command(command, "migrate", *words)
        for question, one, other in zip(QUESTIONS, before, answers(), strict=True):
            assert other == one, (words[0], question)
        last = theirs.do("save_new_version", uid=last, content=f"saved after {words[0]}")["uid"]
        theirs.do("create_ulabel", label=f"after {words[0]}", uids=[last])
    assert last.endswith("0003")
    assert theirs.do("read", uid=last) == "saved after to-sqlite"
    theirs.command(command, "verify", "--full")


def test_lamindb_reads_what_holotype_hashed_in_its_own_way(tmp_path: Path) -> None:
    """Swapped files give a version of their own, whose hash the format's rules would have called equal."""
    ours = Holotype(tmp_path / "home", tmp_path / "work")
    ours.init(tmp_path / "store")
    first = ours.do("save_folder", key="f", files={"x": "1", "y": "22"})
    swapped = ours.do("save_folder", key="f", files={"x": "22", "y": "1"})
    assert (swapped["uid"], swapped["hash_type"]) == (first["uid"][:-4] + "0001", "blake3")
    theirs = Referee(tmp_path / "home", tmp_path / "work")
    listed = {row["uid"]: row for row in theirs.do("list_artifacts")}
    assert listed[swapped["uid"]]["is_latest"]
    third = theirs.do("save_folder", key="f", files={"x": "333"})
    assert third["uid"] == first["uid"][:-4] + "0002"


def test_an_upload_left_half_done_by_lamindb_is_resumed(tmp_path: Path) -> None:
    import sqlite3

    theirs = Referee(tmp_path / "home", tmp_path / "work")
    theirs.init(tmp_path / "store")
    saved = theirs.do("save_file", key="a.txt", content="whole")
    path = tmp_path / "store" / saved["path"]
    path.write_text("wh")
    with sqlite3.connect(tmp_path / "store" / ".lamindb" / "lamin.db") as database:
        database.execute("UPDATE lamindb_artifact SET _aux = '{\"so\": 1}'")
    ours = Holotype(tmp_path / "home", tmp_path / "work")
    refused = ours.outcomes([{"do": "read", "uid": saved["uid"]}])[0]
    assert refused["error"]["kind"] == "IncompleteArtifact"
    resumed = ours.do("save_file", key="a.txt", content="whole")
    assert (resumed["uid"], resumed["complete"]) == (saved["uid"], True)
    assert theirs.do("read", uid=saved["uid"]) == "whole"


def test_holotype_says_of_a_kept_instance_what_lamindb_said(tmp_path: Path) -> None:
    unpack("2.12.1", tmp_path)
    known = expected("2.12.1")
    ours = Holotype(tmp_path / "home", tmp_path / "work")
    listed, labels, collections = ours.run(
        {"do": "list_artifacts"}, {"do": "list_labels"}, {"do": "list_collections"}
    )
    assert {row["uid"]: (row["key"], row["hash"], row["path"]) for row in listed} == {
        row["uid"]: (row["key"], row["hash"], row["path"]) for row in known["artifacts"]
    }
    assert labels == known["labels"]
    assert [row["artifacts"] for row in collections] == [row["artifacts"] for row in known["collections"]]


CALLS = """\
import lamindb as ln

ln.setup.settings.instance._is_on_hub = False


@ln.step()
def count(key: str, factor: int = 2) -> str:
    text = ln.Artifact.get(key=key).cache().read_text()
    with open("count.txt", "w") as file:
        file.write(text * factor)
    return ln.Artifact("count.txt", key="results/count.txt").save().key


@ln.step()
def fail():
    raise ValueError("on purpose")


@ln.flow()
def main(source: str, token: str = "secret"):
    made = count(source)
    try:
        fail()
    except ValueError:
        pass
    text = ln.Artifact.get(key=made).cache().read_text()
    with open("report.txt", "w") as file:
        file.write(text + " in all")
    ln.Artifact("report.txt", key="results/report.txt").save()


if __name__ == "__main__":
    ln.Artifact("source.txt", key="raw/source.txt", run=False).save()
    main("raw/source.txt")
"""


def test_both_see_the_same_calls_inputs_and_outputs(tmp_path: Path) -> None:
    told = []
    for maker, judge in ((Referee, Holotype), (Holotype, Referee)):
        place = tmp_path / maker.__name__
        one, other = (side(place / "home", place / "work") for side in (maker, judge))
        one.init(place / "store")
        (place / "work" / "source.txt").write_text("data")
        script = place / "work" / "calls.py"
        script.write_text(CALLS)
        one.script(script)
        calls = one.do("list_calls")
        assert other.do("list_calls") == calls
        names = {call["uid"]: call["entrypoint"] for call in calls}
        told.append(
            [
                call | {"uid": None, "parent": names.get(call["parent"])}
                for call in sorted(calls, key=lambda call: str(call["entrypoint"]))
            ]
        )
        keys = {row["key"]: row["uid"] for row in one.do("list_artifacts") if row["key"]}
        # LaminDB draws nothing around data that no run made; that a run started another one it does not draw.
        graphs = [side.do("lineage", uid=keys["results/count.txt"]) for side in (one, other)]
        flows = [[edge for edge in graph if not edge[0][:4] == edge[1][:4] == "run_"] for graph in graphs]
        assert flows[0] == flows[1]
        assert len(flows[0]) == 4
    assert told[0] == told[1]


FEATURES = """\
import datetime
import bionty as bt
import lamindb as ln

ln.setup.settings.instance._is_on_hub = False
sample = ln.Record(name="Sample", is_type=True).save()
dtypes = dict(
    temp=float, n=int, ok=bool, note=str, config=dict, day=datetime.date, at=datetime.datetime,
    tags=list[str], label=ln.ULabel, labels=list[ln.ULabel], cell=bt.CellType.ontology_id,
    sample=sample, source=ln.Artifact, either=[bt.CellType, bt.Tissue],
)
for name, dtype in dtypes.items():
    ln.Feature(name=name, dtype=dtype).save()
ln.Record(name="s1", type=sample).save()
ln.ULabel(name="A").save()
ln.ULabel(name="B").save()
bt.CellType(name="T cell", ontology_id="CL:9").save()
source = ln.Artifact("source.txt", key="source.txt", run=False).save()
at = datetime.datetime(2024, 1, 2, 3)
ln.track(features={"temp": 3.2, "sample": "s1", "note": "ü", "at": at})
artifact = ln.Artifact("made.txt", key="made.txt").save()
artifact.features.add_values({
    "temp": 3.2, "n": 3, "ok": True, "config": {"b": 1, "a": [1.5, None]}, "day": datetime.date(2024, 1, 2),
    "tags": ["p", "q"], "label": "A", "labels": ["A", "B"], "cell": "CL:9", "sample": "s1", "source": source,
    "either": "T cell",
})
ln.Record(name="row", features={"temp": 1.5, "labels": ["A"], "note": "n", "tags": ["t"]}).save()
ln.finish()
"""


@pytest.mark.parametrize(
    ("maker", "judge", "database"),
    [(Holotype, Referee, "sqlite"), (Referee, Holotype, "sqlite"), (Holotype, Referee, "postgresql")],
)
def test_both_read_and_write_the_same_features(
    maker: type[Referee],
    judge: type[Referee],
    database: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    one, other = maker(home, work), judge(home, work)
    db = request.getfixturevalue("cluster").database() if database == "postgresql" else None
    one.init(tmp_path / "store", modules="bionty", db=db)
    for name in ("source", "made"):
        (work / f"{name}.txt").write_text(name)
    script = work / "features.py"
    script.write_text(FEATURES)
    one.script(script)
    found = one.run(
        {"do": "query", "name": "Run", "fields": ["uid"]},
        {"do": "query", "name": "Artifact", "fields": ["uid"], "lookups": {"key": "made.txt"}},
        {"do": "query", "name": "Record", "fields": ["uid"], "lookups": {"name": "row"}},
    )
    run, artifact, record = (rows[0][0] for rows in found)
    hosts = {"Run": run, "Artifact": artifact, "Record": record}
    questions: list[dict[str, Any]] = [
        *({"do": "get_features", "uid": uid, "name": name} for name, uid in hosts.items()),
        {"do": "query", "name": "Feature", "fields": ["name", "_dtype_str", "nullable"]},
        *(
            {"do": "query", "name": name, "fields": ["uid"], "lookups": lookups}
            for name in hosts
            for lookups in [{"temp__gt": 3.0}, {"temp": 1.5}, {"note__icontains": "Ü"}]
        ),
        {"do": "query", "name": "Artifact", "fields": ["uid"], "lookups": {"labels": "B"}},
        {"do": "query", "name": "Artifact", "fields": ["uid"], "lookups": {"label__isnull": False}},
        {"do": "query", "name": "Artifact", "fields": ["uid"], "lookups": {"ok": True, "n": 3}},
    ]

    def answers(side: Referee, *changes: dict[str, Any]) -> list[Any]:
        told = side.run(*changes, *questions)[len(changes) :]
        return [answer if isinstance(answer, dict) else sorted(answer, key=str) for answer in told]

    said = answers(one)
    assert answers(other) == said
    assert said[0] == {"at": "2024-01-02 03:00:00", "note": "ü", "sample": "s1", "temp": 3.2}
    assert (said[1]["cell"], said[1]["labels"], said[2]["labels"]) == ("CL:9", ["A", "B"], ["A"])
    # Each goes on with what the other made.
    said = answers(
        other,
        {"do": "add_features", "uid": run, "name": "Run", "values": {"n": 7}},
        {"do": "set_features", "uid": artifact, "values": {"temp": 3.2, "label": "B"}},
        {"do": "set_features", "uid": record, "name": "Record", "values": {"temp": 2.5, "label": "B"}},
    )
    assert answers(one) == said
    assert said[0]["n"] == 7
    assert said[1] == {"label": "B", "temp": 3.2}
    assert said[2] == {"label": "B", "temp": 2.5}
