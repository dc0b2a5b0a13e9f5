"""Lineage: what records were made from, as graphs that notebooks draw and terminals print."""

from __future__ import annotations

import sys

from holotype import _native, _voice
from holotype.registry import SQLRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from holotype.queryset import QuerySet

__all__ = ["HasLineage", "LineageGraph"]

_FORMS = {".svg": "svg", ".html": "html", ".mmd": "mermaid", ".md": "mermaid", ".dot": "dot", ".gv": "dot"}
_FORMS |= {".json": "json", ".txt": "text"}


class LineageGraph:
    """A graph of data and runs; notebooks show it as a drawing, `str()` is its Graphviz source.

    Example:
        >>> graph = artifact.view_lineage(return_graph=True)
        >>> graph.save("lineage.svg")
    """

    def __init__(self, graph: _native.Graph, everything: bool = False) -> None:
        self._graph = graph
        self._everything = everything

    def _text(self, form: str) -> str:
        return self._graph.text(form, self._everything)

    @property
    def source(self) -> str:
        """The graph in the language of Graphviz."""
        return self._text("dot")

    @property
    def svg(self) -> str:
        """The drawing."""
        return self._text("svg")

    @property
    def html(self) -> str:
        """The drawing on a page of its own."""
        return self._text("html")

    @property
    def mermaid(self) -> str:
        """The graph in the language of Mermaid."""
        return self._text("mermaid")

    @property
    def text(self) -> str:
        """The graph as a tree of text."""
        return self._text("text").rstrip("\n")

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """What takes part: name, type, uid, label, size, moment, user."""
        return self.to_dict()["nodes"]  # type: ignore[no-any-return]

    @property
    def edges(self) -> list[dict[str, str]]:
        """The connections, by the names of nodes, with their type."""
        return self.to_dict()["edges"]  # type: ignore[no-any-return]

    def to_dict(self) -> dict[str, Any]:
        """Returns nodes and edges as plain data."""
        import json

        return json.loads(self._text("json"))  # type: ignore[no-any-return]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the graph to a file in the form that its suffix names: svg, html, mmd, dot, json or txt.

        Args:
            path: File.

        Raises:
            ValueError: For another suffix.

        Example:
            >>> artifact.view_lineage(return_graph=True).save("lineage.html")
        """
        from pathlib import Path

        target = Path(path)
        form = _FORMS.get(target.suffix)
        if form is None:
            raise ValueError(f"{target.name} has to end in one of {', '.join(_FORMS)}")
        target.write_text(self._text(form), encoding="utf-8")

    def __len__(self) -> int:
        return len(self._graph)

    def __str__(self) -> str:
        return self.source

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text, "text/html": f"<div style='overflow:auto'>{self.svg}</div>"}

    def _show(self) -> None:
        """Draws in notebooks, prints elsewhere."""
        if not _voice.in_notebook():
            print(self.text)
            return
        from holotype._optional import require

        require("IPython.display").display(self)


def _shown(graph: LineageGraph, return_graph: bool) -> LineageGraph | None:
    if return_graph:
        return graph
    graph._show()
    return None


def _around(record: SQLRecord, direction: str, depth: int | None, everything: bool = False) -> LineageGraph:
    record._settle()
    found = record._instance.lineage(record._row, direction, depth, everything)
    return LineageGraph(found, everything)


class HasLineage(SQLRecord):
    """Records that are made from others, or make others."""

    __slots__ = ()

    def view_lineage(
        self,
        with_children: bool = True,
        return_graph: bool = False,
        *,
        with_parents: bool = True,
        depth: int | None = None,
        everything: bool = False,
    ) -> LineageGraph | None:
        """Shows what the record was made from and what was made from it: a drawing in notebooks, else a tree.

        Args:
            with_children: What was made from it, too.
            return_graph: Return the graph instead.
            with_parents: What it was made from.
            depth: Generations of data; all by default.
            everything: Draw every node, however many look alike.

        Raises:
            ValueError: If the record is not saved.

        Example:
            >>> artifact.view_lineage()
        """
        direction = "both" if with_parents and with_children else "up" if with_parents else "down"
        return _shown(_around(self, direction, depth, everything), return_graph)

    def upstream(self, depth: int | None = None) -> QuerySet:
        """Returns the artifacts that the record was made from, the nearest first.

        Args:
            depth: Generations; all by default. One means what the run behind the record read.

        Raises:
            ValueError: If the record is not saved.

        Example:
            >>> artifact.upstream().filter(suffix=".fastq.gz").df()
        """
        return _along(self, True, depth)

    def downstream(self, depth: int | None = None) -> QuerySet:
        """Returns the artifacts that were made from the record, the nearest first.

        Args:
            depth: Generations; all by default.

        Raises:
            ValueError: If the record is not saved.

        Example:
            >>> artifact.downstream(depth=1).df()
        """
        return _along(self, False, depth)


def _along(record: SQLRecord, upstream: bool, depth: int | None) -> QuerySet:
    from holotype.queryset import query_class
    from holotype.registry import registry_class

    artifacts = registry_class("lamindb.Artifact")
    record._settle()
    instance = record._instance
    native = instance.along(record._row, upstream, depth)
    found: QuerySet = query_class(artifacts)(artifacts, native, instance)
    return found


class TransformLineage(HasLineage):
    """Transforms, around which all runs of a transform are one node."""

    __slots__ = ()

    def view_lineage(  # type: ignore[override]
        self,
        with_successors: bool = False,
        distance: int | None = 5,
        *,
        return_graph: bool = False,
        everything: bool = False,
    ) -> LineageGraph | None:
        """Shows the transforms and data around the transform: a drawing in notebooks, else a tree.

        Args:
            with_successors: What came of it, too.
            distance: Generations of data; None for all.
            return_graph: Return the graph instead.
            everything: Draw every node, however many look alike.

        Example:
            >>> ln.Transform.get(key="align.py").view_lineage(with_successors=True)
        """
        direction = "both" if with_successors else "up"
        return _shown(_around(self, direction, distance, everything), return_graph)

    view_parents = view_lineage


def family(
    record: SQLRecord, field: Any, direction: str, distance: int | None, return_graph: bool
) -> LineageGraph | None:
    """Shows what stands above or below a record with parents."""
    from holotype import _family
    from holotype.fields import field_name

    if not return_graph and not _voice.in_notebook():
        sides = {"up": ("parents",), "down": ("children",), "both": ("parents", "children")}[direction]
        print(_family.draw(record, field, sides, sys.maxsize if distance is None else distance))
        return None
    name = None if field is None else field_name(field)
    found = record._instance.family_tree(record._row, name, direction, distance)
    return _shown(LineageGraph(found), return_graph)
