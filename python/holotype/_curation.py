"""Values against registries: find, create, validate, inspect, standardise."""

from __future__ import annotations

from holotype import _session
from holotype._optional import present, require
from holotype.fields import field_name
from holotype.registry import SQLRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from holotype.lists import RecordList

__all__ = ["CanCurate", "InspectResult"]


class InspectResult:
    """What is known of values: which are valid, which are synonyms, which are neither.

    Example:
        >>> ln.ULabel.inspect(["apple", "Kiwi"]).non_validated
        ['Kiwi']
    """

    def __init__(self, found: dict[str, Any]) -> None:
        self.field: str = found["field"]
        self.validated: list[str] = found["validated"]
        self.non_validated: list[str] = found["non_validated"]
        self.synonyms_mapper: dict[str, str] = dict(found["synonyms"])
        self.frac_validated: float = found["frac_validated"]
        self.n_empty: int = found["n_empty"]
        self.n_unique: int = found["n_unique"]

    @property
    def df(self) -> Any:
        """A data frame that says of every unique value whether it is valid."""
        values = [*self.validated, *self.non_validated]
        flags = [True] * len(self.validated) + [False] * len(self.non_validated)
        return require("pandas").DataFrame({"__validated__": flags}, index=values)

    def __getitem__(self, name: str) -> Any:
        parts = {
            "validated": self.validated,
            "non_validated": self.non_validated,
            "mapped": self.validated,
            "not_mapped": self.non_validated,
        }
        return parts[name]

    def __repr__(self) -> str:
        return (
            f"InspectResult(field='{self.field}', validated={self.validated}, "
            f"non_validated={self.non_validated}, synonyms_mapper={self.synonyms_mapper}, "
            f"frac_validated={self.frac_validated})"
        )


def _texts(values: Any) -> list[str]:
    """Returns values as texts; nothing and missing numbers are empty ones."""
    if isinstance(values, str):
        values = [values]
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return ["" if value is None or value != value else str(value) for value in listed]


def _id(cls: type[SQLRecord], relation: str, value: Any) -> int | None:
    """Returns the id of a record given as such, by id, or by name."""
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, SQLRecord):
        return value.id
    target = cls._table.by_name[f"{relation}_id"].target if f"{relation}_id" in cls._table.by_name else None
    if target is None:
        return None
    from holotype.registry import registry_class

    record = registry_class(target).get(**{registry_class(target)._table.label_field(): value})
    return record.id  # type: ignore[no-any-return]


def _within(
    cls: type[SQLRecord],
    organism: Any = None,
    source: Any = None,
    strict_source: bool = False,
    mute: bool = False,
) -> tuple[int | None, int | None, bool, None, bool]:
    return _id(cls, "organism", organism), _id(cls, "source", source), strict_source, None, mute


class CanCurate(SQLRecord):
    """Records whose registry can validate and standardise values."""

    __slots__ = ()

    @classmethod
    def from_values(
        cls,
        values: Iterable[Any],
        field: Any = None,
        create: bool = False,
        organism: Any = None,
        source: Any = None,
        standardize: bool = True,
        mute: bool = False,
    ) -> RecordList:
        """Returns the records that hold values; with `create`, one record per value, existing or new.

        Args:
            values: Values; empty and repeated ones are passed over.
            field: Field that holds them; by default the name.
            create: Make records for values that have none; save them by `.save()`.
            organism: Organism, for registries that know organisms.
            source: Public source.
            standardize: Take synonyms for what they stand for.
            mute: Print nothing.

        Raises:
            FieldError: For an unknown field or one without text.

        Example:
            >>> ln.ULabel.from_values(["apple", "kiwi"], create=True).save()
        """
        from holotype.lists import RecordList

        instance = _session.current()
        rows = instance.records_from_values(
            cls._table.qualified,
            _texts(values),
            None if field is None else field_name(field),
            create,
            standardize,
            _within(cls, organism, source, mute=mute),
        )
        return RecordList(cls._wrap(row, instance) for row in rows)

    @classmethod
    def validate(
        cls,
        values: Iterable[Any],
        field: Any = None,
        *,
        mute: bool = False,
        organism: Any = None,
        source: Any = None,
        strict_source: bool = False,
    ) -> Any:
        """Returns an array that says of every value whether a record holds it; synonyms do not count.

        Where numpy is not installed, it is a list.

        Args:
            values: Values.
            field: Field that holds them; by default the name.
            mute: Print nothing.
            organism: Organism, for registries that know organisms.
            source: Public source.
            strict_source: Only records of the source count.

        Raises:
            FieldError: For an unknown field or one without text.

        Example:
            >>> ln.ULabel.validate(["apple", "Kiwi"])
            array([ True, False])
        """
        within = _within(cls, organism, source, strict_source, mute)
        name = None if field is None else field_name(field)
        flags = _session.current().validate(cls._table.qualified, _texts(values), name, within)
        return require("numpy").array(flags, dtype=bool) if present("numpy") else flags

    @classmethod
    def inspect(
        cls,
        values: Iterable[Any],
        field: Any = None,
        *,
        mute: bool = False,
        organism: Any = None,
        source: Any = None,
        strict_source: bool = False,
    ) -> InspectResult:
        """Returns what is known of values: which are valid, which are synonyms, which are neither.

        Args:
            values: Values.
            field: Field that holds them; by default the name.
            mute: Print nothing.
            organism: Organism, for registries that know organisms.
            source: Public source.
            strict_source: Only records of the source count.

        Raises:
            FieldError: For an unknown field or one without text.

        Example:
            >>> ln.ULabel.inspect(["apple", "Kiwi"]).frac_validated
            50.0
        """
        within = _within(cls, organism, source, strict_source, mute)
        name = None if field is None else field_name(field)
        return InspectResult(_session.current().inspect(cls._table.qualified, _texts(values), name, within))

    @classmethod
    def standardize(
        cls,
        values: Iterable[Any],
        field: Any = None,
        *,
        return_field: Any = None,
        return_mapper: bool = False,
        case_sensitive: bool = False,
        mute: bool = False,
        from_source: bool = True,
        source_aware: bool | None = None,
        keep: str | bool = "first",
        synonyms_field: Any = "synonyms",
        organism: Any = None,
        source: Any = None,
        strict_source: bool = False,
    ) -> Any:
        """Returns values with synonyms replaced by the standard ones; unknown values stay as they are.

        Args:
            values: Values.
            field: Field that holds the standard values; by default the name.
            return_field: Field whose values are returned in place of the standard ones.
            return_mapper: Return a dict of the replaced values only.
            case_sensitive: Tell capital from small letters.
            mute: Print nothing.
            from_source: Accepted; public sources are not consulted.
            source_aware: The older name of `from_source`.
            keep: `"first"`, `"last"`, or False for all values of an ambiguous synonym.
            synonyms_field: Field that holds the synonyms.
            organism: Organism, for registries that know organisms.
            source: Public source.
            strict_source: Only records of the source count.

        Raises:
            FieldError: For an unknown field or one without text.

        Example:
            >>> bt.CellType.standardize(["T-cell", "B cell"])
            ['T cell', 'B cell']
        """
        standard, mapper = _session.current().standardize(
            cls._table.qualified,
            _texts(values),
            None if field is None else field_name(field),
            None if return_field is None else field_name(return_field),
            case_sensitive,
            "all" if keep is False else str(keep),
            field_name(synonyms_field),
            _within(cls, organism, source, strict_source, mute),
        )
        return dict(mapper) if return_mapper else standard

    def add_synonym(self, synonym: str | list[str], force: bool = False, save: bool | None = None) -> None:
        """Adds synonyms to the record; a saved record is saved again.

        Args:
            synonym: One or several.
            force: Add them even if another record has them.
            save: Save the record or not.

        Raises:
            ValidationError: For a synonym with `|` in it, or one that another record has.

        Example:
            >>> t_cell.add_synonym("T lymphocyte")
        """
        self._instance.add_synonym(self._row, _texts(synonym), force, save)

    def remove_synonym(self, synonym: str | list[str]) -> None:
        """Takes synonyms away from the record; unknown ones are passed over."""
        self._instance.remove_synonym(self._row, _texts(synonym))

    def set_abbr(self, value: str) -> None:
        """Sets the abbreviation, which becomes a synonym as well."""
        self._instance.set_abbr(self._row, value)
