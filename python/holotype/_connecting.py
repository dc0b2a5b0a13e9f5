"""Connecting to an instance from Python."""

from __future__ import annotations

from holotype import _native, _session
from holotype.errors import CannotSwitchDefaultInstance

__all__ = ["connect", "init"]


def connect(instance: str | None = None, *, wait: float = 0, **kwargs: object) -> None:
    """Connects this session to an instance; nothing is written to the settings.

    An instance whose database lies in a bucket is locked for everybody else until `ln.setup.disconnect()`, if
    it is named here; the current instance is locked by the first write, until the end of the session.

    Args:
        instance: Name, `owner/name` or URL, that of its bucket or of its PostgreSQL database if this machine
            does not know it yet; by default the current instance of this directory or machine.
        wait: Seconds to wait for somebody else's lock.

    Raises:
        InstanceNotFoundError: If this machine does not know the instance.
        CannotSwitchDefaultInstance: While a run is being tracked.
        CurrentInstanceNotConfigured: If no instance is named and none is current.
        InstanceLockedException: While somebody else works with the instance.

    Example:
        >>> ln.connect("me/my-instance")
    """
    present = _session.current() if _session.connected() else None
    if instance is None and present is not None:
        return
    if instance is None:
        found = _native.Instance.connect_current()
        _session.use(found)
        _session.current()
        return
    if present is not None:
        settings = present.settings()
        own = _native.current_user()["handle"] == settings["owner"]
        if instance == settings["slug"] or (own and instance == settings["name"]):
            return
        refuse_while_tracking(present)
        present.leave()
    _session.use(_native.Instance.hold(instance, wait))


def refuse_while_tracking(present: _native.Instance) -> None:
    """Refuses to leave an instance in which a run is being tracked.

    Raises:
        CannotSwitchDefaultInstance: If so.
    """
    if present.context()["run"] is not None:
        raise CannotSwitchDefaultInstance(
            "Cannot switch default instance while `ln.track()` is live: call `ln.finish()`"
        )


def init(
    *,
    storage: str = "./storage",
    name: str | None = None,
    db: str | None = None,
    modules: str | list[str] | None = None,
    schema: str | list[str] | None = None,
) -> None:
    """Initialises an instance and connects to it; an existing one of that name is connected.

    Args:
        storage: Root of its storage location, made if need be.
        name: Name; by default the name of the storage folder.
        db: URL of a database server.
        modules: Modules with further registries, such as `"bionty"`, separated by commas.
        schema: The older name of `modules`.

    Raises:
        ValueError: For a name or root that can't be used.
        StorageAlreadyManaged: If the location belongs to another instance.

    Example:
        >>> ln.setup.init(storage="./my-data", modules="bionty")
    """
    if storage is None:
        raise SystemExit("✗ `storage` argument can't be `None`")
    wanted = modules if modules is not None else schema
    listed = wanted.split(",") if isinstance(wanted, str) else list(wanted or [])
    if _session.connected():
        refuse_while_tracking(_session.current())
        _session.current().leave()
    names = [module.strip() for module in listed if module.strip()]
    _session.use(_native.Instance.init(str(storage), name, db, names))
