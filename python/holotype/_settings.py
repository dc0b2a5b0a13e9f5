"""`ln.settings`: how this session works."""

from __future__ import annotations

import os
from pathlib import Path

import holotype.upath  # noqa: F401  (gives local paths their view_tree)
from holotype import _native, _places, _session, _voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.storage import Storage

__all__ = ["CreationSettings", "Settings", "StorageSettings", "settings"]


class StorageSettings:
    """A storage location: its root and who manages it.

    Example:
        >>> ln.settings.storage
        StorageSettings(root='/home/me/data', uid='uZJLSN0HO3TH')
    """

    def __init__(self, record: Storage) -> None:
        self.record = record

    @property
    def root(self) -> Any:
        """The root as a path; a `UPath` if it is remote."""
        return _places.place(self.root_as_str)

    @property
    def root_as_str(self) -> str:
        """The root as text."""
        return str(self.record.root)  # type: ignore[attr-defined]

    @property
    def uid(self) -> str:
        """The uid of the location."""
        return self.record._row.uid

    @property
    def type(self) -> str:
        """The protocol, such as `local`."""
        return str(self.record.type)  # type: ignore[attr-defined]

    @property
    def region(self) -> str | None:
        """The region, or the host of a local location."""
        return self.record.region  # type: ignore[attr-defined, no-any-return]

    @property
    def host(self) -> str | None:
        """The machine that a local location is on."""
        return self.record.host

    @property
    def instance_uid(self) -> str | None:
        """The uid of the instance that writes to the location."""
        return self.record.instance_uid  # type: ignore[attr-defined, no-any-return]

    @property
    def cache_dir(self) -> Path:
        """The directory for copies of remote content."""
        return settings.cache_dir

    @property
    def type_is_cloud(self) -> bool:
        """True for locations that are not on this machine."""
        return self.type != "local"

    def key_to_filepath(self, key: str) -> Any:
        """Returns the path of a key below the root."""
        return self.root / key

    def cloud_to_local(self, path: Any) -> Path:
        """Returns the local path for a path: itself, or for a remote one that of its copy in the cache."""
        from holotype.upath import UPath

        return UPath(_places.spelled(path)).cache()  # type: ignore[attr-defined, no-any-return]

    def __truediv__(self, key: str) -> Any:
        return self.root / key

    def __fspath__(self) -> str:
        return self.root_as_str

    def __str__(self) -> str:
        return self.root_as_str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StorageSettings) and self.record == other.record

    def __hash__(self) -> int:
        return hash(self.record)

    def __repr__(self) -> str:
        return f"StorageSettings(root='{self.root_as_str}', uid='{self.uid}')"


def _flag(native: str, doc: str) -> Any:
    def get(self: CreationSettings) -> bool:
        return bool(_session.current().creation()[native])

    def set(self: CreationSettings, on: bool) -> None:
        _session.current().set_creation(native, bool(on))

    return property(get, set, doc=doc)


class CreationSettings:
    """How new records are made.

    Example:
        >>> ln.settings.creation.search_names = False
    """

    search_names = _flag("search_names", "Look for records of the same or a similar name.")
    _artifact_use_virtual_keys = _flag("use_virtual_keys", "Keys of new artifacts say nothing about storage.")
    artifact_use_virtual_keys = _artifact_use_virtual_keys
    artifact_skip_size_hash = _flag("skip_size_hash", "Register artifacts without size and hash.")
    artifact_silence_missing_run_warning = _flag(
        "silence_missing_run", "Do not mention that no run is tracked."
    )
    allow_key_clash = _flag("allow_key_clash", "Let artifacts of different families share a key.")
    keep_versions = _flag(
        "keep_versions", "Keep the content of a real key when a new version takes its place."
    )
    durable = _flag("durable", "Return from saving only once everything is on the device.")

    def __repr__(self) -> str:
        names = [name for name in vars(type(self)) if not name.startswith("__")]
        return f"CreationSettings({', '.join(f'{name}={getattr(self, name)}' for name in names)})"


class Settings:
    """The settings of this session.

    Example:
        >>> ln.settings.verbosity = "hint"
        >>> ln.settings.storage = "./other-folder"
    """

    def __init__(self) -> None:
        self._creation = CreationSettings()
        self._sync_git_repo: str | None = None
        self.track_run_inputs = True

    @property
    def creation(self) -> CreationSettings:
        """How new records are made."""
        return self._creation

    @property
    def verbosity(self) -> str:
        """How much is told: `error`, `warning`, `success`, `info`, `hint` or `debug`, or 0 to 5."""
        return _native.verbosity()

    @verbosity.setter
    def verbosity(self, verbosity: str | int) -> None:
        _native.set_verbosity(str(verbosity))

    @property
    def storage(self) -> StorageSettings:
        """The storage location that new content goes to."""
        from holotype.storage import Storage

        return StorageSettings(Storage._by_id(_session.current().context()["storage"]))

    @storage.setter
    def storage(self, storage: Any) -> None:
        record = self._location(storage, "yet exist in the current instance")
        if record is not None:
            _session.current().use_storage(record._row)

    @property
    def local_storage(self) -> StorageSettings:
        """The local location that new content goes to while artifacts are kept local; set for this session.

        Raises:
            ValueError: If artifacts are not kept local, if no location is on this machine, or when the one to
                set belongs to another instance.

        Example:
            >>> ln.settings.local_storage = "./our_local_storage2"
            → defaulting to local storage: /home/me/our_local_storage2
        """
        from holotype.storage import Storage

        instance = _session.current()
        return StorageSettings(Storage._wrap(instance.local_storage(), instance))

    @local_storage.setter
    def local_storage(self, storage: Any) -> None:
        instance = _session.current()
        if not instance.settings()["keep_artifacts_local"]:
            raise ValueError("`keep_artifacts_local` is not enabled for this instance.")
        record = self._location(storage, "yet exist")
        if record is not None:
            instance.use_local_storage(record._row)

    def _location(self, storage: Any, missing: str) -> Storage | None:
        """Returns a registered location, or the one that the user agrees to create."""
        from holotype.storage import Storage

        if isinstance(storage, Storage):
            return storage
        host = None
        if isinstance(storage, tuple):
            storage, option = storage
            host = option if isinstance(option, str) else None
        root = _native.normalize_root(_session.local_path(_places.spelled(storage)))
        found: Storage | None = Storage.objects.filter(root=root).one_or_none()
        if found is not None:
            return found
        question = (
            f"Storage location {root} does not {missing}. Do you want to continue with creating it? (y/n) "
        )
        if os.environ.get("LAMIN_TESTING") == "true" or _voice.ask(question):
            return Storage(root=root, host=host).save()
        return None

    @property
    def cache_dir(self) -> Path:
        """The directory for copies of remote content."""
        return _native.cache_dir()

    @cache_dir.setter
    def cache_dir(self, path: str | os.PathLike[str] | None) -> None:
        _native.set_cache_dir(None if path is None else Path(path))

    @property
    def instance_uid(self) -> str:
        """The uid of the connected instance."""
        return str(_session.current().settings()["uid"])

    @property
    def sync_git_repo(self) -> str | None:
        """The git repository that scripts are matched with; by default that of the instance, if any."""
        chosen = self._sync_git_repo or os.environ.get("LAMINDB_SYNC_GIT_REPO")
        if chosen or not _session.connected():
            return chosen
        return _session.current().settings().get("git_repo")  # type: ignore[no-any-return]

    @sync_git_repo.setter
    def sync_git_repo(self, url: str | None) -> None:
        if url is not None and not url.startswith("https://"):
            raise ValueError(f"The git repository has to start with https://, not {url}")
        self._sync_git_repo = url

    def __repr__(self) -> str:
        lines = ["Settings"]
        if _session.connected():
            lines += [f"  instance: {self.instance_uid}", f"  storage: {self.storage.root_as_str}"]
        lines += [f"  verbosity: {self.verbosity}", f"  track_run_inputs: {self.track_run_inputs}"]
        return "\n".join(lines)


settings = Settings()
