"""Storage locations: folders that artifacts are stored in."""

from __future__ import annotations

import holotype.upath  # noqa: F401  (gives local paths their view_tree)
from holotype import _native, _places, _session
from holotype.registry import SQLRecord, adopt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._registries import StorageFields
else:
    StorageFields = SQLRecord

__all__ = ["Storage"]


class Storage(StorageFields, registry="lamindb.Storage"):
    """A location that artifacts are stored in.

    Nothing happens before `save()`: it marks the folder and registers it.

    Args:
        root: Folder.
        description: A description.
        space: The space that it belongs to; by default the current one.
        host: Name of the machine that the folder is on.

    Raises:
        InvalidArgument: If the location is registered for another host.

    Example:
        >>> ln.Storage(root="./shared", host="lab-server").save()
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            raise ValueError(
                "Storage can only be initialized with a single positional argument, the root path."
            )
        if args:
            kwargs["root"] = args[0]
        if kwargs.get("root") is None:
            raise ValueError("Storage needs a root: ln.Storage(root='./folder')")
        known = {"root", "description", "host", "type", "region", "space", "instance_uid", "branch"}
        unknown = set(kwargs) - known
        if unknown:
            from holotype.errors import FieldValidationError

            raise FieldValidationError(
                f"Only root, description, host, space can be passed, you passed: {unknown}"
            )
        host = kwargs.get("host")
        root = _session.local_path(_places.spelled(kwargs["root"]))
        if host is not None and "://" in root:
            from holotype.errors import InvalidArgument

            raise InvalidArgument("root must be a local path if host is set")
        normal = _native.normalize_root(root)
        table = type(self)._table
        values: list[Any] = [None] * len(table.columns)
        fields = {
            "root": normal,
            "description": kwargs.get("description"),
            "region": host,
            "type": normal.split("://", 1)[0] if "://" in normal else "local",
            "space_id": _space_id(kwargs.get("space")),
        }
        for name, value in fields.items():
            values[table.by_name[name].position] = value
        adopt(self, _native.Record(table.qualified, values))

    @property
    def host(self) -> str | None:
        """The machine that a local folder is on."""
        return self.region if self.type == "local" else None

    @property
    def path(self) -> Any:
        """The root as a path; a `UPath` if it is remote."""
        return _places.place(self.root)

    def save(self, *args: Any, **kwargs: Any) -> Storage:
        """Marks and registers the location, or returns the registered one of the same root.

        Raises:
            InvalidArgument: If it is registered for another host.
            PermissionError: If the folder can't be written.
        """
        if self._row.id is not None:
            super().save()
            return self
        instance = self._instance
        get = {name: getattr(self, name) for name in ("root", "description", "region", "space_id")}
        self._row = instance.create_storage(get["root"], get["description"], get["region"], get["space_id"])
        return self

    def delete(self, permanent: bool | None = None, **kwargs: Any) -> None:
        """Takes the registration and the mark of an empty location away; the folder stays.

        Args:
            permanent: False is refused: there is no trash for locations.

        Raises:
            InvalidArgument: While artifacts lie there, or if it is the current location.
            StorageNotEmpty: While its managed folder holds objects.
        """
        if permanent is False:
            raise ValueError(
                "Soft delete is not possible for Storage, use 'permanent=True' or 'permanent=None' for "
                "permanent deletion."
            )
        if self._row.id is None:
            super().delete()
            return
        self._instance.delete_storage(self._row)
        self._row.set("id", None)


def _space_id(space: Any) -> int | None:
    """Returns the id of a space, given as record, id, name or uid."""
    if space is None or isinstance(space, int):
        return space
    if isinstance(space, SQLRecord):
        if space.id is None:
            raise ValueError(f"{space!r} is not saved: save it first")
        return int(space.id)
    from holotype.registry import registry_class

    spaces = registry_class("lamindb.Space")
    found = spaces.objects.filter(name=space).one_or_none() or spaces.get(uid=space)
    return int(found.id)
