"""Another instance as an object: `ln.DB`."""

from __future__ import annotations

from holotype import _native, _session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DB"]


class DB:
    """The registries of an instance that is not the current one, for reading.

    Args:
        instance: Name or `owner/name`.

    Raises:
        InstanceNotFoundError: If this machine does not know the instance.

    Example:
        >>> db = ln.DB("me/other")
        >>> db.Artifact.filter(suffix=".csv").df()
        >>> db.bionty.CellType.get(name="T cell")
    """

    def __init__(self, instance: str) -> None:
        self._native = _session.other(instance)
        self._slug = self._native.settings()["slug"]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name == "bionty":
            return _Module(self, "bionty")
        if f"lamindb.{name}" not in dict(_native.registries()):
            raise AttributeError(
                f"Registry '{name}' not found in lamindb core registries. "
                f"Use .bionty.{name} or .pertdb.{name} for schema-specific registries."
            )
        return _Entry(self, f"lamindb.{name}")

    def __dir__(self) -> list[str]:
        return sorted(
            [name.split(".")[1] for name, top in _native.registries() if top and name[0] == "l"] + ["bionty"]
        )

    def __repr__(self) -> str:
        return f"DB('{self._slug}')"


class _Module:
    """The registries of a module of another instance."""

    def __init__(self, db: DB, module: str) -> None:
        self._db = db
        self._module = module

    def __getattr__(self, name: str) -> Any:
        qualified = f"{self._module}.{name}"
        if qualified not in dict(_native.registries()):
            raise AttributeError(f"Registry '{name}' not found in {self._module} registries.")
        return _Entry(self._db, qualified)


class _Entry:
    """A registry of another instance: what its class offers for reading."""

    def __init__(self, db: DB, qualified: str) -> None:
        from holotype.registry import registry_class

        self._cls = registry_class(qualified)
        self._query = self._cls._query(db._native).filter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._query, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self._cls.__name__
        raise TypeError(
            f"Cannot instantiate {name} from DB. Use {name}.filter(), {name}.get(), etc. to query records."
        )

    def __repr__(self) -> str:
        return f"<QuerySet [{self._cls.__name__}]>"
