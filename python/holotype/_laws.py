"""What records gain from the laws that their registry follows: versions, types, parents, curation."""

from __future__ import annotations

from holotype.registry import SQLRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._lineage import LineageGraph
    from holotype._table import Table
    from holotype.queryset import BasicQuerySet

# Names that other releases use, by registry.
_ALIASES = {
    "lamindb.Artifact": {"n_objects": "n_files", "_accessor": "otype", "type": "kind"},
    "lamindb.Transform": {"type": "kind"},
    "lamindb.Feature": {"dtype_as_str": "_dtype_str", "dtype": "_dtype_str"},
}

_WITH_LINEAGE = frozenset(f"lamindb.{name}" for name in "Artifact Collection Record Run Transform".split())


def aliases(table: Table) -> dict[str, str]:
    """Returns the further names of a registry's fields."""
    names = dict(_ALIASES.get(table.qualified, {}))
    if table.traits["branch_aware"]:
        names["visibility"] = "branch_id"
    return names


def laws(table: Table) -> list[type]:
    """Returns the classes whose methods a registry's records gain."""
    found: list[type] = []
    if table.traits["versioned"]:
        found.append(Versioned)
    if table.traits["has_type"]:
        found.append(HasType)
    if table.traits["has_parents"]:
        found.append(HasParents)
    if table.data["statuses"]:
        found.append(HasStatus)
    if table.qualified in _WITH_LINEAGE:
        from holotype._lineage import HasLineage, TransformLineage

        found.append(TransformLineage if table.name == "Transform" else HasLineage)
    if table.qualified in ("lamindb.Artifact", "lamindb.Transform"):
        from holotype._diffing import HasDiff

        found.append(HasDiff)
    if table.qualified in ("lamindb.Artifact", "lamindb.Record", "lamindb.Run"):
        from holotype._features import HasFeatures

        found.append(HasFeatures)
    if table.traits["can_curate"]:
        from holotype._curation import CanCurate

        found.append(CanCurate)
    return found


class Versioned(SQLRecord):
    """Records that come in families of versions."""

    __slots__ = ()

    @property
    def version(self) -> str | None:
        """The version tag, or the last four characters of the uid."""
        return self._row.version

    @version.setter
    def version(self, tag: str | None) -> None:
        self._row.set("version_tag", tag)

    @property
    def stem_uid(self) -> str:
        """The part of the uid that all versions share."""
        return self._row.stem_uid

    @property
    def versions(self) -> BasicQuerySet:
        """All versions of the family, on every branch.

        Example:
            >>> artifact.versions.df()
        """
        found: BasicQuerySet = type(self).objects.filter(uid__startswith=self.stem_uid)
        return found


class HasType(SQLRecord):
    """Records that have a type, or are one."""

    __slots__ = ()

    def query_types(self) -> Any:
        """Returns the types above this record, nearest first.

        Example:
            >>> granny_smith.query_types()
            [ULabel(... name='Apple' ...), ULabel(... name='Fruit' ...)]
        """
        from holotype.lists import RecordList

        return RecordList(_reach(self, "types"))

    def _members(self, depth: int | None = None) -> BasicQuerySet:
        return _reach(self, "members", depth)


def _add_member_queries() -> None:
    for name in ("ulabels", "records", "features", "schemas", "projects", "references"):

        def query(self: HasType, depth: int | None = None, *, _name: str = name) -> BasicQuerySet:
            if not hasattr(type(self), _name):
                raise AttributeError(f"{type(self).__name__} has no {_name}")
            return self._members(depth)

        query.__name__ = f"query_{name}"
        query.__qualname__ = f"HasType.query_{name}"
        query.__doc__ = f"Returns all {name} below this type, of so many levels (all by default)."
        type.__setattr__(HasType, f"query_{name}", query)


_add_member_queries()


class HasParents(SQLRecord):
    """Records with parents and children."""

    __slots__ = ()

    def query_parents(self) -> BasicQuerySet:
        """Returns all records above this one.

        Example:
            >>> cell_type.query_parents().df()
        """
        return _reach(self, "parents")

    def query_children(self) -> BasicQuerySet:
        """Returns all records below this one.

        Example:
            >>> cell_type.query_children().df()
        """
        return _reach(self, "children")

    def view_parents(
        self,
        field: Any = None,
        with_children: bool = False,
        distance: int | None = 5,
        *,
        return_graph: bool = False,
    ) -> LineageGraph | None:
        """Shows the records above this one: a drawing in notebooks, else a tree.

        Args:
            field: What to call the records by; the name by default.
            with_children: The records below it, too.
            distance: Levels; None for all.
            return_graph: Return the graph instead.

        Raises:
            ValueError: If the record is not saved.

        Example:
            >>> t_cell.view_parents()
            T cell
            └── lymphocyte
                └── leukocyte
        """
        from holotype._lineage import family

        return family(self, field, "both" if with_children else "up", distance, return_graph)

    def view_children(
        self, field: Any = None, distance: int | None = 5, *, return_graph: bool = False
    ) -> LineageGraph | None:
        """Shows the records below this one; see `view_parents`.

        Example:
            >>> cell_type.view_children(distance=2)
        """
        from holotype._lineage import family

        return family(self, field, "down", distance, return_graph)


def _reach(record: SQLRecord, what: str, depth: int | None = None) -> BasicQuerySet:
    """Returns what a record reaches along a relation of its registry to itself."""
    from holotype.queryset import basic_class

    cls, instance = type(record), record._instance
    return basic_class(cls)(cls, instance.reach(record._row, what, depth), instance)


class HasStatus(SQLRecord):
    """Records whose status is stored as a number and spoken of as a word."""

    __slots__ = ()

    if TYPE_CHECKING:
        _status_code: int

    @property
    def status(self) -> str | None:
        """The status as a word."""
        code = self._status_code
        return next((word for word, number in type(self)._table.data["statuses"] if number == code), None)

    @status.setter
    def status(self, word: str) -> None:
        codes = dict(type(self)._table.data["statuses"])
        if word not in codes:
            valid = ", ".join(f"'{known}'" for known in codes)
            raise ValueError(f"Invalid {type(self).__name__} status '{word}'. Expected one of: {valid}.")
        setattr(self, "_status_code", codes[word])  # noqa: B010 (a column, which no slot holds)
