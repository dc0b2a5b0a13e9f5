"""Guards the referee itself: LaminDB against LaminDB, before it judges anything of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from referee.client import Referee, RefereeError
from referee.instances import expected, unpack


@pytest.fixture
def fresh(tmp_path: Path) -> Referee:
    """An empty instance made by LaminDB."""
    referee = Referee(tmp_path / "home", tmp_path / "work")
    referee.init(tmp_path / "store")
    return referee


def without(rows: list[dict[str, Any]], *names: str) -> list[dict[str, Any]]:
    """Returns rows without some of their fields."""
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def test_round_trip(fresh: Referee, tmp_path: Path) -> None:
    info, first, nokey, folder, real = fresh.run(
        {"do": "info"},
        {"do": "save_file", "key": "raw/a.txt", "content": "one", "description": "First"},
        {"do": "save_file", "content": "no key", "description": "Without key"},
        {"do": "save_folder", "key": "runs/f", "files": {"x.txt": "x", "deep/y.txt": "y"}},
        {"do": "save_file", "key": "real/b.txt", "content": "real", "key_is_virtual": False},
    )
    assert info["lamindb"] == "2.12.1"
    assert info["slug"] == "anonymous/store"
    assert info["storage"] == str(tmp_path / "store")
    assert first["path"] == f".lamindb/{first['uid']}.txt"
    assert (folder["n_files"], folder["hash_type"]) == (2, "md5-d")
    assert real["path"] == "real/b.txt"

    second, label, collection, grown, _ = fresh.run(
        {"do": "save_new_version", "uid": first["uid"], "content": "two"},
        {"do": "create_ulabel", "label": "data", "uids": [first["uid"], folder["uid"]]},
        {"do": "create_collection", "key": "sets/a", "uids": [nokey["uid"], first["uid"]]},
        {"do": "create_collection", "key": "sets/a", "uids": [nokey["uid"], first["uid"], folder["uid"]]},
        {"do": "delete", "uid": real["uid"], "permanent": True},
    )
    assert second["uid"] == first["uid"][:-4] + "0001"
    assert collection["artifacts"] == [nokey["uid"], first["uid"]]
    assert grown["uid"] == collection["uid"][:-4] + "0001"

    listed, labels, collections, names, text, features = fresh.run(
        {"do": "list_artifacts"},
        {"do": "list_labels"},
        {"do": "list_collections"},
        {"do": "query", "name": "ULabel", "fields": ["uid", "name"], "lookups": {"name": "data"}},
        {"do": "read", "uid": second["uid"]},
        {"do": "get_features", "uid": first["uid"]},
    )
    by_uid = {row["uid"]: row for row in listed}
    assert set(by_uid) == {first["uid"], second["uid"], nokey["uid"], folder["uid"]}
    assert all(row["exists"] and row["hash_matches"] and row["complete"] for row in listed)
    assert [by_uid[uid]["is_latest"] for uid in (first["uid"], second["uid"])] == [False, True]
    assert labels == {first["uid"]: ["data"], folder["uid"]: ["data"]}
    assert [row["is_latest"] for row in collections] == [False, True]
    assert names == [[label, "data"]]
    assert text == "two"
    assert features == {}
    assert not (tmp_path / "store" / "real" / "b.txt").exists()


def test_the_kept_instance_still_says_what_it_said(tmp_path: Path) -> None:
    unpack("2.12.1", tmp_path)
    known = expected("2.12.1")
    listed, labels, cells, collections, branches, runs, visible = Referee(
        tmp_path / "home", tmp_path / "work"
    ).run(
        {"do": "list_artifacts"},
        {"do": "list_labels"},
        {"do": "list_labels", "field": "cell_types"},
        {"do": "list_collections"},
        {"do": "list_branches"},
        {"do": "list_runs"},
        {"do": "list_artifacts", "visible": True},
    )
    assert without(listed, "exists", "hash_matches", "complete") == known["artifacts"]
    assert all(row["exists"] and row["hash_matches"] and row["complete"] for row in listed)
    assert labels == known["labels"]
    assert cells == known["cell_types"]
    assert [row["artifacts"] for row in collections] == [row["artifacts"] for row in known["collections"]]
    assert branches == known["branches"]
    assert [(row["uid"], row["params"]) for row in runs] == [
        (row["uid"], row["params"]) for row in known["runs"]
    ]
    assert {row["branch"] for row in visible} == {"main"}


def test_every_other_command(fresh: Referee, tmp_path: Path) -> None:
    lying = tmp_path / "store" / "lying" / "here.txt"
    lying.parent.mkdir(parents=True)
    lying.write_text("in place")
    placed, kind, member, depth, record, project = fresh.run(
        {"do": "save_in_place", "path": str(lying)},
        {"do": "create", "name": "ULabel", "values": {"name": "Fruit", "is_type": True}},
        {"do": "create", "name": "ULabel", "values": {"name": "apple", "type": "Fruit"}},
        {"do": "create", "name": "Feature", "values": {"name": "depth", "dtype": "int"}},
        {"do": "create", "name": "Record", "values": {"name": "sample"}},
        {"do": "create", "name": "Project", "values": {"name": "Atlas"}},
    )
    uid = placed["uid"]
    assert placed["path"] == placed["key"] == "lying/here.txt"
    assert len({kind, member, depth, record, project}) == 5
    collection = fresh.do("create_collection", key="sets/a", uids=[uid])
    other = fresh.do("save_file", key="b.txt", content="b")
    answers = fresh.run(
        {"do": "add_label", "uid": uid, "field": "projects", "name": "Project", "label": "Atlas"},
        {"do": "set_features", "uid": uid, "values": {"depth": 3}},
        {"do": "set_features", "uid": record, "name": "Record", "values": {"depth": 4}},
        {"do": "change", "name": "Artifact", "uid": uid, "values": {"description": "Lies here"}},
        {"do": "append_to_collection", "uid": collection["uid"], "artifact": other["uid"]},
        {"do": "delete", "uid": member, "name": "ULabel"},
        {"do": "query", "name": "ULabel", "fields": ["name"]},
        {"do": "restore", "uid": member, "name": "ULabel"},
        {"do": "query", "name": "ULabel", "fields": ["name", "type__name"]},
        {"do": "list_labels", "field": "projects"},
        {"do": "get_features", "uid": uid},
        {"do": "get_features", "uid": record, "name": "Record"},
        {"do": "search", "name": "Artifact", "text": "lies"},
        {"do": "columns", "name": "Artifact"},
        {"do": "describe", "uid": uid},
    )
    (grown, _, hidden, _, back, projects, features, record_features, found, frame, tree) = answers[4:]
    assert grown["artifacts"] == [uid, other["uid"]]
    assert (hidden, back) == ([["Fruit"]], [["Fruit", None], ["apple", "Fruit"]])
    assert projects == {uid: ["Atlas"]}
    assert (features, record_features) == ({"depth": 3}, {"depth": 4})
    assert found == [uid]
    assert frame["rows"] == 2
    assert "key" in frame["columns"]
    assert "lying/here.txt" in tree


def test_damage_is_seen(fresh: Referee, tmp_path: Path) -> None:
    changed, gone = fresh.run(
        {"do": "save_file", "key": "a.txt", "content": "right"},
        {"do": "save_file", "key": "b.txt", "content": "there"},
    )
    (tmp_path / "store" / changed["path"]).write_text("wrong")
    (tmp_path / "store" / gone["path"]).unlink()
    listed = fresh.do("list_artifacts")
    assert [(row["exists"], row["hash_matches"]) for row in listed] == [(True, False), (False, False)]


def test_a_refusal_names_its_kind_and_stops_nothing(fresh: Referee) -> None:
    refused, after = fresh.outcomes(
        [
            {"do": "save_file", "key": "a.csv", "content": "x", "suffix": ".csv", "storage": 3},
            {"do": "list_branches"},
        ]
    )
    assert refused["error"]["kind"]
    assert [row["name"] for row in after["result"]] == ["trash", "archive", "main"]
    with pytest.raises(RefereeError, match="ObjectDoesNotExist"):
        fresh.do("delete", uid="absent")


def test_a_tracked_script(fresh: Referee, tmp_path: Path) -> None:
    script = tmp_path / "work" / "analysis.py"
    script.write_text(
        "import lamindb as ln\n"
        "ln.setup.settings.instance._is_on_hub = False\n"
        "ln.track(params={'rate': 0.1})\n"
        "open('out.txt', 'w').write('out')\n"
        "ln.Artifact('out.txt', key='out.txt').save()\n"
        "ln.finish()\n"
    )
    fresh.script(script, "--dry")
    (run,) = fresh.do("list_runs")
    assert (run["key"], run["kind"], run["status"]) == ("analysis.py", "script", "completed")
    assert (run["params"], run["cli_args"]) == ({"rate": 0.1}, "--dry")
    assert run["source_code"] == script.read_text()
    assert len(run["outputs"]) == 1


def test_an_instance_it_cannot_open_is_an_error(tmp_path: Path) -> None:
    database = unpack("2.12.1", tmp_path)
    database.write_bytes(b"no database")
    with pytest.raises(RefereeError):
        Referee(tmp_path / "home", tmp_path / "work").do("list_artifacts")
