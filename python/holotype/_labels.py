"""Labels of all registries on an artifact or collection, under one name."""

from __future__ import annotations

from holotype.errors import ValidationError
from holotype.registry import SQLRecord, registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.managers import RelatedManager
    from holotype.queryset import BasicQuerySet

__all__ = ["LabelManager"]

_SHOWN = 10


class LabelManager:
    """The labels of an artifact or collection: universal labels, records, projects, cell types and so on.

    Example:
        >>> artifact.labels.add(pilot)
        >>> artifact.labels
        Entities
        └── .ulabels  ULabel   pilot
    """

    __slots__ = ("_host",)

    def __init__(self, host: SQLRecord) -> None:
        self._host = host

    def add(self, records: Any, feature: Any = None) -> None:
        """Adds labels of any registry; those that are there already are passed over.

        Args:
            records: A record, a list of records, or a query set.
            feature: The feature that the labels are values of.

        Raises:
            TypeError: If something else than a record is passed, or one of a registry without labels.
            ValueError: If a record is not saved.
            ValidationError: For a feature whose values are no such records.

        Example:
            >>> artifact.labels.add([pilot, project])
        """
        if feature is not None:
            self._add_values(records, feature)
            return
        listed = [records] if isinstance(records, SQLRecord) else records
        if isinstance(listed, str) or not hasattr(listed, "__iter__"):
            raise TypeError(f"Labels are records, not {records!r}")
        by_accessor: dict[str, list[SQLRecord]] = {}
        for record in listed:
            if not isinstance(record, SQLRecord):
                raise TypeError(f"Labels are records, not {record!r}")
            by_accessor.setdefault(self._accessor(type(record)), []).append(record)
        for name, labels in by_accessor.items():
            self._manager(name).add(*labels)

    def get(self, registry: Any, mute: bool = False, flat_names: bool = False) -> BasicQuerySet | list[Any]:
        """Returns the labels of one registry.

        Args:
            registry: The registry, such as `ln.ULabel`, or a feature whose values they are.
            mute: Accepted; nothing is printed.
            flat_names: Return the names only.

        Raises:
            TypeError: For something else, or a registry without labels.

        Example:
            >>> artifact.labels.get(ln.ULabel).to_list("name")
            ['pilot']
        """
        if isinstance(registry, SQLRecord) and type(registry)._table.name == "Feature":
            return self._values(registry, flat_names)
        if not (isinstance(registry, type) and issubclass(registry, SQLRecord)):
            raise TypeError(f"labels.get() takes a registry, such as ln.ULabel, not {registry!r}")
        found = self._manager(self._accessor(registry)).all()
        return found.to_list(registry._table.label_field()) if flat_names else found

    def _add_values(self, records: Any, feature: Any) -> None:
        from holotype._features import FeatureManager

        dtype = feature._dtype_str
        if not dtype.startswith(("cat[", "list[cat[")):
            raise ValidationError(
                f"Feature {feature.name} needs a categorical dtype for label annotation, "
                f"currently has dtype='{dtype}'"
            )
        listed = [records] if isinstance(records, SQLRecord) else list(records)
        FeatureManager(self._host).add_values({feature: listed})

    def _values(self, feature: Any, flat_names: bool) -> BasicQuerySet | list[Any]:
        from holotype._features import query_of

        host = self._host
        held = host._instance.features_of(type(host)._table.qualified, [host._row.id or 0])
        for found, labels in held:
            if found["uid"] == feature._row.uid and labels:
                names: list[Any] = found["names"]
                return names if flat_names else query_of(labels, host._instance)
        return []

    def add_from(self, data: SQLRecord) -> None:
        """Adds the labels of another artifact or collection.

        Args:
            data: An artifact or collection; of another instance only if this one holds equal labels.

        Raises:
            TypeError: For something else.
            ObjectDoesNotExist: If this instance lacks a label of another one.

        Example:
            >>> artifact.labels.add_from(older)
        """
        other = getattr(data, "labels", None)
        if not isinstance(other, LabelManager):
            raise TypeError(f"Labels come from an artifact or collection, not {data!r}")
        foreign = data._instance is not self._host._instance
        for accessor in other._accessors().values():
            labels = list(other._manager(accessor).all())
            if foreign:
                labels = [type(label).get(label._row.uid) for label in labels]
            if labels:
                self.add(labels)

    def describe(self, return_str: bool = True) -> str | None:
        """Returns the labels as a tree, or prints it."""
        if return_str:
            return repr(self)
        print(repr(self))
        return None

    def _accessors(self) -> dict[str, str]:
        """Returns the registries of labels with the names under which the host has them."""
        table = type(self._host)._table
        modules = {"lamindb", *self._host._instance.settings()["modules"]}
        found = {}
        for relation in table.relations:
            module, target = relation["target"].split(".")
            # Labels have a link table of their own, named after both ends.
            linked = relation.get("through", "").endswith(f".{table.name}{target}")
            if not linked or relation["private"] or module not in modules or target in ("Feature", "Schema"):
                continue
            traits = registry_class(relation["target"])._table.traits
            if traits["can_curate"] or traits["has_type"]:
                found[relation["target"]] = relation["name"]
        return found

    def _accessor(self, registry: type[SQLRecord]) -> str:
        name = self._accessors().get(registry._table.qualified)
        if name is None:
            host = type(self._host).__name__
            raise TypeError(
                f"A {registry.__name__} is no label of a {host}: labels are "
                f"{', '.join(sorted(self._accessors()))}"
            )
        return name

    def _manager(self, name: str) -> RelatedManager:
        manager: RelatedManager = getattr(self._host, name)
        return manager

    def __repr__(self) -> str:
        rows = []
        for target, name in self._accessors().items():
            registry = registry_class(target)
            names = [str(value) for value in self._manager(name).to_list(registry._table.label_field())]
            if names:
                more = ", ..." if len(names) > _SHOWN else ""
                rows.append((f".{name}", registry.__name__, ", ".join(names[:_SHOWN]) + more))
        lines = ["Entities"]
        for accessor, registry_name, labels in rows:
            branch = "└── " if len(lines) == 1 else "    "
            widths = [max(len(row[i]) for row in rows) for i in (0, 1)]
            lines.append(f"{branch}{accessor:<{widths[0]}}  {registry_name:<{widths[1]}}   {labels}")
        return "\n".join(lines)
