"""Lineage: graphs, their forms, queries along them, and differences of records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def made(key: str, run: Any = False) -> Any:
    import holotype as ln

    path = Path("in") / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(key)
    return ln.Artifact(str(path), key=key, run=run).save()


@pytest.fixture
def pipeline(instance: Path) -> dict[str, Any]:
    """raw > align > bam > count > table."""
    import holotype as ln

    raw = made("raw.txt")
    align = ln.Run(ln.Transform(key="align").save()).save()
    raw.cache(is_run_input=align)
    bam = made("a.bam", align)
    count = ln.Run(ln.Transform(key="count").save()).save()
    bam.cache(is_run_input=count)
    return {"raw": raw, "align": align, "bam": bam, "count": count, "table": made("t.csv", count)}


def test_the_graph_has_the_names_of_the_format(pipeline: dict[str, Any]) -> None:
    bam = pipeline["bam"]
    graph = bam.view_lineage(return_graph=True)
    assert len(graph) == 5
    assert str(graph) == graph.source
    assert graph.source.startswith(f"digraph artifact_{bam.uid} {{")
    assert f"run_{pipeline['align'].uid} -> artifact_{bam.uid} [color=dimgrey]" in graph.source
    assert {node["type"] for node in graph.nodes} == {"artifact", "run"}
    assert sorted(edge["type"] for edge in graph.edges) == ["input", "input", "output", "output"]
    assert len(bam.view_lineage(with_children=False, return_graph=True)) == 3
    assert len(bam.view_lineage(with_parents=False, return_graph=True)) == 3


def test_it_is_a_tree_outside_of_notebooks(pipeline: dict[str, Any], capsys: Any) -> None:
    assert pipeline["table"].view_lineage(depth=1) is None
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  [")[0] for line in lines] == [
        "t.csv", "└── upstream", "    └── ▶ count", "        └── a.bam",
    ]  # fmt: skip


def test_every_form_is_saved_by_its_suffix(pipeline: dict[str, Any]) -> None:
    graph = pipeline["bam"].view_lineage(return_graph=True)
    starts = {".svg": "<svg ", ".html": "<!DOCTYPE", ".mmd": "flowchart", ".dot": "digraph", ".json": "{"}
    for suffix, start in starts.items():
        graph.save(f"graph{suffix}")
        assert Path(f"graph{suffix}").read_text().startswith(start)
    with pytest.raises(ValueError, match="has to end in one of"):
        graph.save("graph.png")
    bundle = graph._repr_mimebundle_()
    assert "<svg" in bundle["text/html"]
    assert "a.bam" in bundle["text/plain"]


def test_queries_go_along_it(pipeline: dict[str, Any]) -> None:
    import holotype as ln

    def keys(found: Any) -> list[str]:
        return [artifact.key for artifact in found]

    table, raw = pipeline["table"], pipeline["raw"]
    assert keys(table.upstream()) == ["a.bam", "raw.txt"]
    assert keys(table.upstream(depth=1)) == ["a.bam"]
    assert keys(table.upstream().filter(suffix=".txt")) == ["raw.txt"]
    assert keys(raw.downstream()) == ["a.bam", "t.csv"]
    assert keys(pipeline["count"].upstream()) == ["a.bam", "raw.txt"]
    assert keys(ln.Artifact.filter(run__transform__key="align")) == ["a.bam"]
    both = ln.Collection([raw, table], key="both").save()
    assert set(keys(both.upstream())) == {"raw.txt", "a.bam", "t.csv"}
    assert "both" in str(both.view_lineage(return_graph=True))


def test_transforms_are_drawn_in_place_of_runs(pipeline: dict[str, Any]) -> None:
    import holotype as ln

    align = ln.Transform.get(key="align")
    graph = align.view_lineage(with_successors=True, return_graph=True)
    assert {node["label"] for node in graph.nodes} == {"raw.txt", "align", "a.bam", "count", "t.csv"}
    assert len(align.view_lineage(return_graph=True)) == 2
    assert len(align.view_lineage(True, 1, return_graph=True)) == 3


def test_records_with_parents_have_family_trees(instance: Path, capsys: Any) -> None:
    import holotype as ln

    cell, t_cell, cd8 = (ln.Record(name=name).save() for name in ("cell", "T cell", "CD8"))
    t_cell.parents.add(cell)
    cd8.parents.add(t_cell)
    assert len(t_cell.view_parents(return_graph=True)) == 2
    assert len(t_cell.view_parents(with_children=True, return_graph=True)) == 3
    assert len(cell.view_children(distance=1, return_graph=True)) == 2
    capsys.readouterr()
    cd8.view_parents()
    assert capsys.readouterr().out.splitlines() == ["CD8", "└── T cell", "    └── cell"]
    with pytest.raises(ln.errors.FieldError):
        cell.view_parents(field="colour", return_graph=True)


def test_what_is_not_saved_has_no_lineage(instance: Path) -> None:
    import holotype as ln

    Path("x.txt").write_text("x")
    with pytest.raises(ValueError, match="not saved yet"):
        ln.Artifact("x.txt", key="x.txt", run=False).view_lineage()


def test_texts_and_tables_are_compared(instance: Path) -> None:
    import pandas as pd

    import holotype as ln

    def versions(key: str, *contents: str) -> list[Any]:
        found = []
        for content in contents:
            Path(key).write_text(content)
            found.append(ln.Artifact(key, key=key, run=False).save())
        return found

    before, after = versions("a.txt", "one\ntwo\n", "one\n2\n")
    found = before.diff(after)
    assert found
    assert "-two\n+2" in found.text
    assert found.fields["size"] == ["8", "6"]
    assert not before.diff(before)
    frame = pd.DataFrame({"gene": ["TP53", "MYC"], "n": [1.0, 2.0]})
    first = ln.Artifact.from_dataframe(frame, key="t.parquet", run=False).save()
    frame = pd.DataFrame({"gene": ["TP53", "MYC", "EGFR"], "n": [1.0, None, 3.0], "x": [1, 2, 3]})
    second = ln.Artifact.from_dataframe(frame, key="t.parquet", run=False).save()
    table = first.diff(second).to_dict()["content"]
    assert table["counts"] == {"added": 1, "removed": 0, "changed": 1, "same": 1}
    assert table["key"] == ["gene"]
    assert table["columns"]["added"] == [["x", "int64"]]
    assert "~ MYC: n 2.0 → —" in str(first.diff(second, key="gene"))
    with pytest.raises(ValueError, match="'colour' is not a column"):
        first.diff(second, key="colour")
    with pytest.raises(TypeError):
        first.diff("second")
