"""What artifacts, runs and records hold of features."""

from __future__ import annotations

from holotype import _native
from holotype.errors import ValidationError
from holotype.registry import SQLRecord, belonging, registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from holotype.queryset import BasicQuerySet

__all__ = ["FeatureManager", "HasFeatures"]


class HasFeatures(SQLRecord):
    """Records that hold values of features."""

    __slots__ = ()

    if TYPE_CHECKING:
        _given: dict[Any, Any] | None

    def _construct(self, fields: dict[str, Any], search_names: bool | None = None) -> None:
        values = fields.pop("features", None)
        super()._construct(fields, search_names)
        self.__dict__["_given"] = values

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Writes the record and the values of features that were given with it, and returns it."""
        saved = super().save(*args, **kwargs)
        self._give()
        return saved

    def _give(self) -> None:
        """Gives the record the values of features with which it was constructed."""
        values = self.__dict__.pop("_given", None)
        if values:
            # A record that was there already keeps what else it holds.
            self.features.update_values(values)

    @property
    def features(self) -> FeatureManager:
        """The values of features.

        Example:
            >>> run.features.add_values({"temperature": 21.5})
            >>> run.features["temperature"]
            21.5
        """
        return FeatureManager(self)


class FeatureManager:
    """The values that an artifact, run or record holds of features.

    Features are named by their names, or by `Feature` objects. Values are scalars, dates, dicts, labels or
    their names, and lists of these, as the type of the feature says. What is given is written at once, or not
    at all.

    Example:
        >>> artifact.features.add_values({"temperature": 21.5, "cell_type": "T cell"})
        >>> artifact.features.get_values()
        {'cell_type': 'T cell', 'temperature': 21.5}
    """

    __slots__ = ("_host",)

    def __init__(self, host: SQLRecord) -> None:
        self._host = host

    def add_values(self, values: dict[Any, Any], schema: Any = None) -> None:
        """Gives further values; what is there stays.

        Args:
            values: Values by feature. None and empty lists give nothing.
            schema: Not supported yet.

        Raises:
            ValidationError: For unknown features, values of another type, and labels that do not exist.
            InvalidArgument: For labels with which the format links no records of this kind.
            ValueError: If the record is not saved.

        Example:
            >>> run.features.add_values({"temperature": 21.5, "sample": sample})
        """
        self._annotate(values, "add", schema)

    def set_values(self, values: dict[Any, Any], schema: Any = None) -> None:
        """Gives values and takes away those of all other features, except for those found in the content.

        Args:
            values: Values by feature; an empty dict takes all away.
            schema: Not supported yet.

        Raises:
            ValidationError: As for `add_values`; then nothing is taken away.

        Example:
            >>> artifact.features.set_values({"temperature": 21.5})
        """
        self._annotate(values, "set", schema)

    def update_values(self, values: dict[Any, Any]) -> None:
        """Gives values in the place of those that the given features have.

        Args:
            values: Values by feature. None, and an empty list or dict, leave it without a value.

        Raises:
            ValidationError: As for `add_values`; then nothing is taken away.

        Example:
            >>> artifact.features.update_values({"temperature": 22.0, "cell_type": None})
        """
        self._annotate({name: None if value == {} else value for name, value in values.items()}, "update")

    def remove_values(self, feature: Any = None, *, value: Any = None) -> None:
        """Takes values away.

        Args:
            feature: A feature, a list of features, or a dict with one value of each; None for all features
                except for those found in the content.
            value: The one value that goes; by default all of the feature.

        Raises:
            ValidationError: For unknown features.
            ValueError: For features that were found in the content.

        Example:
            >>> artifact.features.remove_values("temperature")
        """
        wanted: dict[Any, Any] | None
        if feature is None:
            wanted = None
        elif isinstance(feature, dict):
            wanted = feature
        else:
            several = feature if isinstance(feature, (list, tuple, set)) else [feature]
            wanted = dict.fromkeys(several, value)
        host = self._host
        host._instance.remove_features(host._row, None if wanted is None else given(wanted, host._instance))

    def get_values(self, external_only: bool = False) -> dict[str, Any]:
        """Returns the values by the names of features; labels by what they are called.

        Several values of one feature come as a set, unless its type is a list.

        Args:
            external_only: Leave out features that were found in the content.

        Example:
            >>> artifact.features.get_values()
            {'cell_type': 'T cell', 'temperature': 21.5}
        """
        values = {held["name"]: shown(held) for held, _ in self._held()}
        if external_only:
            for name in self._content_features():
                values.pop(name, None)
        return values

    def get(self, feature: Any, default: Any = None) -> Any:
        """Returns what `features[feature]` does, or a default where there is no value."""
        found = self[feature]
        return default if found is None else found

    @property
    def slots(self) -> dict[str, Any]:
        """The schemas found in the content, by the part of it that they speak of."""
        if type(self._host)._table.name != "Artifact":
            return {}
        links = registry_class("lamindb.ArtifactSchema")._query(self._host._instance)
        return {link.slot: link.schema for link in links.filter(artifact_id=self._host.id)}

    def describe(self, return_str: bool = False) -> str | None:
        """Prints the features as a tree, or returns it."""
        if return_str:
            return repr(self)
        print(repr(self))
        return None

    def __getitem__(self, feature: Any) -> Any:
        """Returns the label, a query for several, or the plain value of a feature; None without one."""
        key = _key(feature)
        for held, labels in self._held():
            if key not in (held["name"], held["uid"]):
                continue
            if not labels:
                values = plain(held)
                return values[0] if len(values) == 1 else values
            instance = self._host._instance
            if len(labels) > 1 and not held["dtype"].startswith("list"):
                return query_of(labels, instance)
            found = [registry_class(label.registry)._wrap(label, instance) for label in labels]
            return found[0] if len(found) == 1 else found
        known = registry_class("lamindb.Feature")._query(self._host._instance)
        if not (known.filter(name=key).exists() or known.filter(uid=key).exists()):
            raise ValidationError(f"Feature with name {key} not found")
        return None

    def __repr__(self) -> str:
        text: str = self._host.describe(return_str=True)
        lines = text.splitlines()
        kept, inside = [lines[0]], False
        for line in lines[1:]:
            if line.startswith(("├── ", "└── ")):
                inside = line[4:] in ("Features", "Dataset features", "External features")
            if inside:
                kept.append(line)
        # The last section ends the tree.
        last = max((i for i, line in enumerate(kept) if line.startswith("├── ")), default=None)
        if last is not None and not any(line.startswith("└── ") for line in kept):
            rest = [line.replace("│", " ", 1) if line.startswith("│") else line for line in kept[last + 1 :]]
            kept[last:] = ["└── " + kept[last][4:], *rest]
        return "\n".join(kept)

    def _annotate(self, values: dict[Any, Any], how: str, schema: Any = None) -> None:
        if schema is not None:
            raise NotImplementedError("Values cannot be validated with a schema yet: leave out `schema`")
        if not isinstance(values, dict):
            raise TypeError(f"Pass values as a dict by feature, not a {type(values).__name__}")
        instance = self._host._instance
        instance.annotate(self._host._row, given(values, instance), how)

    def _held(self) -> list[tuple[Any, list[_native.Record]]]:
        host = self._host
        if host._row.id is None:
            return []
        return host._instance.features_of(type(host)._table.qualified, [host._row.id])

    def _content_features(self) -> list[str]:
        return [feature.name for schema in self.slots.values() for feature in schema.features.all()]


def query_of(labels: list[_native.Record], instance: _native.Instance) -> BasicQuerySet:
    """Returns labels of one registry as a query."""
    from holotype.queryset import basic_class

    cls = registry_class(labels[0].registry)
    ids = [label.id for label in labels]
    native = instance.query(cls._table.qualified).filter(("is", "id__in", ids))
    return basic_class(cls)(cls, native, instance)


def given(values: dict[Any, Any], instance: _native.Instance | None = None) -> dict[str, Any]:
    """Returns values by feature as the engine takes them for an instance, by default the current one."""
    return {_key(feature): value_of(value, instance) for feature, value in values.items()}


def _key(feature: Any) -> str:
    """Returns the name of a feature, or the uid where a record is given."""
    return feature._row.uid if isinstance(feature, SQLRecord) else str(feature)


def value_of(value: Any, instance: _native.Instance | None = None) -> Any:
    """Returns a value as the engine takes it: records by their rows, several items as a list."""
    from holotype.queryset import BasicQuerySet

    if isinstance(value, SQLRecord):
        return belonging(value, instance)._row
    if isinstance(value, (list, tuple, set, frozenset, BasicQuerySet)):
        return [value_of(item, instance) for item in value]
    # There is no value in what is not a number.
    return None if isinstance(value, float) and value != value else value


def plain(held: Any) -> list[Any]:
    """Returns the values that name no record, as Python has them."""
    dtype = held["dtype"]
    convert = _CONVERT.get(dtype.removeprefix("list[").rstrip("]") if dtype.startswith("list[") else dtype)
    if convert is None:
        return list(held["values"])
    if dtype.startswith("list["):
        return [[convert(item) for item in value] for value in held["values"]]
    return [convert(value) for value in held["values"]]


def shown(held: Any) -> Any:
    """Returns what a record holds of a feature as one object: a value, a set of several, or a list."""
    is_list = held["dtype"].startswith("list")
    if held["names"]:
        names: list[Any] = held["names"]
        return names if is_list else names[0] if len(names) == 1 else set(names)
    values = plain(held)
    if is_list:
        return [item for value in values for item in (value if isinstance(value, list) else [value])]
    if len(values) == 1:
        return values[0]
    return values if any(isinstance(value, (dict, list)) for value in values) else set(values)


def _moment(text: Any) -> Any:
    import datetime

    return datetime.datetime.fromisoformat(text) if isinstance(text, str) else text


def _day(text: Any) -> Any:
    import datetime

    return datetime.date.fromisoformat(text[:10]) if isinstance(text, str) else text


_CONVERT = {"date": _day, "datetime": _moment, "datetime64[ns, UTC]": _moment}


def columns(
    instance: _native.Instance, qualified: str, ids: Iterable[int], wanted: set[str] | None
) -> dict[str, tuple[str, dict[int, Any]]]:
    """Returns features as columns, in their order: by name the type, and what each record holds."""
    found: dict[str, tuple[int, str, dict[int, Any]]] = {}
    for held, _ in instance.features_of(qualified, list(ids)):
        name = held["name"]
        if wanted is None or name in wanted:
            column = found.setdefault(name, (held["feature"], held["dtype"], {}))
            # Of features of one name, the first one counts.
            if column[0] == held["feature"]:
                column[2][held["host"]] = shown(held)
    ordered = sorted(found.items(), key=lambda item: item[1][0])
    return {name: (dtype, values) for name, (_, dtype, values) in ordered}
