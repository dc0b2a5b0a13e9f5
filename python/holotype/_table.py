"""The declaration of a registry, as the engine describes it."""

from __future__ import annotations

from holotype import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LAST = ("version_tag", "is_latest", "is_locked", "is_type", "created_at")


class Column:
    """A column: `name` in look-ups, `column` in the database, which differ for foreign keys."""

    __slots__ = ("column", "doc", "kind", "name", "null", "position", "private", "required", "target")

    def __init__(self, position: int, data: dict[str, Any]) -> None:
        self.position = position
        self.name: str = data["name"]
        self.column: str = data["column"]
        self.kind: str = data["kind"]
        self.null: bool = data["null"]
        self.required: bool = data["required"]
        self.private: bool = data["private"]
        self.doc: str = data["doc"]
        self.target: str | None = data.get("target")


class Table:
    """A registry: columns in declaration order, relations to many, and the laws it follows."""

    __slots__ = (
        "by_name",
        "columns",
        "data",
        "module",
        "name",
        "name_field",
        "qualified",
        "relations",
        "traits",
    )

    def __init__(self, qualified: str) -> None:
        data = _native.describe(qualified)
        self.data = data
        self.qualified = qualified
        self.name: str = data["name"]
        self.module: str = data["module"]
        self.name_field: str | None = data["name_field"]
        self.traits: dict[str, bool] = data["traits"]
        self.columns = [Column(position, column) for position, column in enumerate(data["columns"])]
        self.by_name = {name: column for column in self.columns for name in (column.column, column.name)}
        self.relations: list[dict[str, Any]] = data["relations"]

    def frame_columns(self, privates: bool = False) -> list[str]:
        """Returns the columns of a data frame in order; the second one, `id`, becomes the index.

        Args:
            privates: Keep the fields whose name starts with an underscore.
        """
        own = [c for c in self.columns if c.target is None and c.name not in ("uid", "id", "updated_at")]
        dtype = self.name == "Feature"
        own = [c for c in own if privates or not c.private or (dtype and c.name == "_dtype_str")]
        names: list[str] = [name for name in ("uid", "id") if name in self.by_name]
        names += [c.column for c in own if c.name not in _LAST]
        present = {c.name for c in own}
        names += [name for name in _LAST if name in present]
        return names + [c.column for c in self.columns if c.target is not None]

    def label_field(self) -> str:
        """Returns the field that names a record for people."""
        return str(self.data["lookup_field"] or "uid")
