"""`ln.setup`: instances, identity, and where things lie on this machine.

Example:
    >>> ln.setup.init(storage="./my-data")
    >>> ln.setup.settings.instance.slug
    'me/my-data'
"""

from __future__ import annotations

from pathlib import Path

from holotype import _native, _session, _voice
from holotype._connecting import connect, init
from holotype._settings import StorageSettings
from holotype._settings import settings as _session_settings
from holotype.errors import no_instance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "close",
    "connect",
    "delete",
    "disconnect",
    "init",
    "login",
    "logout",
    "migrate",
    "settings",
    "switch",
]


def disconnect() -> None:
    """Ends the connection and makes the instance no longer the current one of this machine.

    A database in a bucket gets what it does not have yet, and is unlocked.

    Raises:
        SyncConflict: If somebody else changed that database meanwhile; what was written is kept.

    Example:
        >>> ln.setup.disconnect()
    """
    if not _session.connected():
        _voice.say(_voice.INFO, "no instance loaded")
        return
    from holotype._connecting import refuse_while_tracking

    present = _session.current()
    refuse_while_tracking(present)
    slug = present.settings()["slug"]
    present.disconnect()
    _native.disconnect(slug)
    _session.use(None)
    _voice.say(_voice.SUCCESS, f"disconnected instance: {slug}")


close = disconnect


def login(
    user: str | None = None, *, name: str | None = None, email: str | None = None, **kwargs: Any
) -> None:
    """Takes an identity on this machine; no service is asked.

    Args:
        user: Handle.
        name: Name for people.
        email: Address.
        **kwargs: Accepted for other releases, such as `api_key`.

    Raises:
        ValueError: For a handle that can't be used.

    Example:
        >>> ln.setup.login("jdoe", name="Jane Doe")
    """
    if user is None:
        user = input("Your handle: ").strip()
    _native.login(user, name, email)
    taken = _native.current_user()
    _voice.say(_voice.SUCCESS, f"logged in as {taken['handle']} (uid: {taken['uid']})")
    if _session.connected():
        slug = _session.current().settings()["slug"]
        _session.current().leave()
        with _voice.lowered("error"):
            _session.use(_native.Instance.connect(slug))


def logout() -> None:
    """Gives the identity on this machine up."""
    if _native.logout():
        _voice.say(_voice.SUCCESS, "logged out")
    else:
        _voice.important("already logged out")


def delete(slug: str | None = None, force: bool = False, require_empty: bool = True) -> int | None:
    """Deletes an instance: its database, mark and settings; other files stay.

    Args:
        slug: Name or `owner/name`; by default the connected instance.
        force: Do not ask.
        require_empty: Refuse while content is stored; False leaves the content.

    Returns:
        None; -1 if the user refused.

    Raises:
        InstanceNotFoundError: If this machine does not know the instance.
        StorageNotEmpty: While content is stored.

    Example:
        >>> ln.setup.delete("my-data", force=True)
    """
    present = _session.current().settings()["slug"] if _session.connected() else None
    if slug is None and present is None:
        raise no_instance()
    found = _native.find_instance(str(slug or present))
    if not force and not _voice.ask(f"Are you sure you want to delete instance {found}? (y/n) "):
        return -1
    if found == present:
        # Else this very session counts as another process that works with it.
        _session.current().leave()
    _native.delete_instance(found, require_empty)
    _session.forget(found)
    if found == present:
        _session.use(None)
    return None


def switch(target: str, *, space: bool = False, create: bool = False) -> None:
    """Works on another branch, or in another space, from now on.

    Args:
        target: Name or uid.
        space: The target is a space.
        create: Make the branch.

    Raises:
        ObjectDoesNotExist: If there is none of that name.
        BranchAlreadyExists: If a branch that is to be made exists.

    Example:
        >>> ln.setup.switch("my-branch", create=True)
    """
    if space:
        _session.current().switch_space(target)
    else:
        _session.current().switch_branch(target, create)


class migrate:
    """Migrations of the database; there is nothing to do by hand."""

    @staticmethod
    def deploy() -> None:
        """Connects again, which brings a database of an older release up to date."""
        slug = _session.current().settings()["slug"]
        _session.use(_native.Instance.connect(slug))


class UserSettings:
    """Who works here."""

    def __init__(self) -> None:
        user = _native.current_user()
        self.handle: str = user["handle"]
        self.uid: str = user["uid"]
        self.name: str | None = user["name"]
        self.email: str | None = user["email"]

    @property
    def id(self) -> int:
        """The id of the user in the connected instance."""
        return int(_session.current().context()["user"])

    def __repr__(self) -> str:
        return f"UserSettings(handle='{self.handle}', uid='{self.uid}', name={self.name!r})"


class InstanceSettings:
    """The connected instance."""

    def _get(self, name: str) -> Any:
        return _session.current().settings()[name]

    @property
    def owner(self) -> str:
        """The handle of the account that owns it."""
        return str(self._get("owner"))

    @property
    def name(self) -> str:
        """Its name."""
        return str(self._get("name"))

    @property
    def slug(self) -> str:
        """`owner/name`."""
        return str(self._get("slug"))

    @property
    def uid(self) -> str:
        """Its uid."""
        return str(self._get("uid"))

    @property
    def _id(self) -> str:
        return str(self._get("id"))

    @property
    def storage(self) -> StorageSettings:
        """The storage location that it was made with."""
        from holotype.storage import Storage

        return StorageSettings(Storage.objects.get(root=self._get("storage_root")))

    @property
    def local_storage(self) -> StorageSettings:
        """The local location of an instance that keeps artifacts local."""
        return _session_settings.local_storage

    @local_storage.setter
    def local_storage(self, storage: Any) -> None:
        _session_settings.local_storage = storage

    @property
    def keep_artifacts_local(self) -> bool:
        """True when artifacts stay in local storage until they are uploaded; set for this session."""
        return bool(self._get("keep_artifacts_local"))

    @keep_artifacts_local.setter
    def keep_artifacts_local(self, on: bool) -> None:
        if not isinstance(on, bool):
            raise ValueError("keep_artifacts_local must be a boolean value.")
        _session.current().set_keep_artifacts_local(on)

    _keep_artifacts_local = keep_artifacts_local

    @property
    def db(self) -> str:
        """The URL of the database."""
        return str(self._get("db"))

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.db.split(":", 1)[0]

    vendor = dialect

    @property
    def modules(self) -> set[str]:
        """Modules with further registries."""
        return set(self._get("modules"))

    @property
    def git_repo(self) -> str | None:
        """The git repository that scripts are matched with."""
        return self._get("git_repo")  # type: ignore[no-any-return]

    @property
    def is_remote(self) -> bool:
        """True when storage or database are on another machine."""
        return "://" in self._get("storage_root") or self.dialect != "sqlite"

    is_on_hub = False
    is_managed_by_hub = False
    is_read_only_connection = False

    def __repr__(self) -> str:
        return f"InstanceSettings(slug='{self.slug}', storage='{self._get('storage_root')}', db='{self.db}')"


class SetupSettings:
    """What holds for this machine and the connected instance."""

    @property
    def instance(self) -> InstanceSettings:
        """The connected instance."""
        _session.current()
        return InstanceSettings()

    @property
    def user(self) -> UserSettings:
        """Who works here."""
        return UserSettings()

    @property
    def storage(self) -> StorageSettings:
        """The storage location of the connected instance."""
        return self.instance.storage

    @property
    def cache_dir(self) -> Path:
        """The directory for copies of remote content."""
        return _native.cache_dir()

    @property
    def settings_dir(self) -> Path:
        """The directory of settings files."""
        return _native.settings_dir()

    @property
    def dev_dir(self) -> Path | None:
        """The directory that is bound to the connected instance and holds the working directory."""
        return _native.dev_dir(self.instance.slug)

    @dev_dir.setter
    def dev_dir(self, path: str | Path | None) -> None:
        if path is None:
            present = self.dev_dir
            if present is not None:
                _native.unbind_dir(present)
        else:
            _native.bind_dir(Path(path).expanduser().absolute(), self.instance.slug)

    def _chosen(self, slot: str) -> Any:
        from holotype.registry import registry_class

        return registry_class(f"lamindb.{slot.capitalize()}")._by_id(_session.current().context()[slot])

    @property
    def branch(self) -> Any:
        """The branch that new records go to."""
        return self._chosen("branch")

    @branch.setter
    def branch(self, branch: Any) -> None:
        switch(getattr(branch, "uid", branch))

    @property
    def space(self) -> Any:
        """The space that new records go to."""
        return self._chosen("space")

    @space.setter
    def space(self, space: Any) -> None:
        switch(getattr(space, "uid", space), space=True)

    @property
    def modules(self) -> set[str]:
        """Modules of the connected instance."""
        return self.instance.modules

    @property
    def is_connected(self) -> bool:
        """True when an instance is connected."""
        return _session.connected()

    is_configured = is_connected
    auto_connect = True

    def __repr__(self) -> str:
        if not _session.connected():
            return f"Current user:\n - {self.user.handle}\nNo instance connected"
        instance = self.instance
        region = _session.current().settings()["storage_region"]
        modules = ",".join(sorted(instance.modules))
        empty = '""'
        default = f"{instance._get('storage_root')}" + (f" ({region})" if region else "")
        places = [f" - storage: {default}"]
        if instance.keep_artifacts_local:
            places = [f" - local storage: {_local_place(instance)}", f" - cloud storage: {default}"]
        return "\n".join(
            [
                f"Instance: {instance.slug}",
                f" - branch: {self.branch.name}",
                f" - space: {self.space.name}",
                f" - dev-dir: {self.dev_dir}",
                "Details:",
                *places,
                f" - db: {instance.db}",
                f" - modules: {modules or 'set()'}",
                f" - git_repo: {instance.git_repo}",
                "Settings:",
                f" - modules: {modules or empty}",
                f" - cache: {self.cache_dir}",
                f" - user settings: {self.settings_dir}",
                f" - system settings: {_native.system_dir()}",
                f"User: {self.user.handle}",
            ]
        )


def _local_place(instance: InstanceSettings) -> str:
    """Returns root and host of the local storage location, or None where there is none."""
    try:
        local = instance.local_storage
    except ValueError:
        return "None"
    return local.root_as_str + (f" ({local.host})" if local.host else "")


settings = SetupSettings()
