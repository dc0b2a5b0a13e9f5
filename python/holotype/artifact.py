"""Artifacts: files, folders and objects in memory, registered with hash, version and origin."""

from __future__ import annotations

from pathlib import Path

import holotype.upath  # noqa: F401  (gives local paths their view_tree)
from holotype import _contents, _places, _session, _voice
from holotype.errors import FieldValidationError
from holotype.registry import SQLRecord, adopt, belonging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype._care import Finding
    from holotype._labels import LabelManager
    from holotype._registries import ArtifactFields
    from holotype.lists import RecordList
    from holotype.registry import SQLRecord as Run
else:
    ArtifactFields = SQLRecord

__all__ = ["Artifact"]

_KEYWORDS = (
    "path",
    "key",
    "description",
    "kind",
    "otype",
    "features",
    "schema",
    "revises",
    "overwrite_versions",
    "run",
    "storage",
    "skip_hash_lookup",
    "key_is_virtual",
    "branch",
    "space",
)
_RELATIONS = ("run", "storage", "schema", "branch", "space")
# Keywords that are taken but not listed: other names, and what tunes the storing of objects in memory.
_SILENT = {
    "version": "version_tag",
    "version_tag": "version_tag",
    "type": "kind",
    "_key_is_virtual": "key_is_virtual",
    "data": "path",
    "visibility": "branch_id",
    "_branch_code": "branch_id",
    "n_observations": "n_observations",
}
_TUNING = ("skip_check_exists", "format", "to_disk_kwargs", "using")


class Artifact(ArtifactFields, registry="lamindb.Artifact"):
    """A file, a folder or an object, registered with hash, version and origin.

    Constructing looks at the content and decides: equal content that is registered already gives that
    artifact, a key in use gives a new version. Nothing is stored before `save()`.

    Args:
        path: Path of a file or folder, or an object in memory (a DataFrame, AnnData, MuData or SpatialData).
        key: Virtual path, such as `"raw/cells.csv"`.
        description: A description.
        kind: Kind, such as `"dataset"` or `"model"`.
        otype: Type of the object, such as `"DataFrame"`.
        revises: The artifact of which this is a new version.
        overwrite_versions: All versions share one place in storage; by default for folders.
        run: The run that made it; by default the tracked one, False for none.
        storage: Storage location for the content; by default the current one.
        skip_hash_lookup: Register equal content once more.
        key_is_virtual: False stores the content under its key; see `ln.settings.creation`.
        branch: Branch; by default the current one.
        space: Space; by default the current one.
        version: Version tag.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        InvalidArgument: If key and path have different suffixes.
        ValueError: For a key that can't be, or without key, description and run.
        FieldValidationError: For an unknown keyword.

    Example:
        >>> ln.Artifact("cells.csv", key="raw/cells.csv").save()
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            raise ValueError("Only one non-keyword arg allowed: path")
        tuning = {name: kwargs.pop(name) for name in _TUNING if name in kwargs}
        features = kwargs.pop("features", None)
        given = _arguments(kwargs)
        if args:
            given["path"] = args[0]
        if "path" not in given:
            raise TypeError("Artifact() needs a path or an object: Artifact(path, key=...)")
        data = given.pop("path")
        named = given.get("otype") is not None
        with _contents.on_disk(data, given, tuning) as (source, temporary):
            row = _session.current().artifact(source, given.pop("run", None), temporary=temporary, **given)
        adopt(self, row)
        self.__dict__["_given"] = features
        # Of paths, only those of tables say by their suffix what they hold.
        otype = self.otype or ""
        if not named and (temporary or otype == "DataFrame"):
            _voice.warning(f"data is a {otype}, please use .from_{otype.lower()}()")
        if temporary and row.pending:
            self._memory = data
            _contents.discard_with(self, source)

    @classmethod
    def from_dataframe(cls, df: Any, *, key: str | None = None, **kwargs: Any) -> Artifact:
        """Returns an artifact of a data frame.

        Args:
            df: A pandas or polars data frame, or the path of a table.
            key: Key; its suffix chooses the format, parquet by default.
            **kwargs: As for `Artifact`.

        Raises:
            TypeError: For another object.

        Example:
            >>> ln.Artifact.from_dataframe(df, key="tables/cells.parquet").save()
        """
        return cls._from_dataset("DataFrame", df, key, kwargs)

    from_df = from_dataframe

    @classmethod
    def from_anndata(cls, adata: Any, *, key: str | None = None, **kwargs: Any) -> Artifact:
        """Returns an artifact of an AnnData object, or of the path of one.

        Args:
            adata: The object or its path.
            key: Key; its suffix chooses the format, h5ad by default.
            **kwargs: As for `Artifact`.

        Raises:
            TypeError: For another object.

        Example:
            >>> ln.Artifact.from_anndata(adata, key="counts.h5ad").save()
        """
        return cls._from_dataset("AnnData", adata, key, kwargs)

    @classmethod
    def from_mudata(cls, mdata: Any, *, key: str | None = None, **kwargs: Any) -> Artifact:
        """Returns an artifact of a MuData object, or of the path of one; see `from_anndata`."""
        return cls._from_dataset("MuData", mdata, key, kwargs)

    @classmethod
    def from_spatialdata(cls, sdata: Any, *, key: str | None = None, **kwargs: Any) -> Artifact:
        """Returns an artifact of a SpatialData object, or of the path of one; see `from_anndata`."""
        return cls._from_dataset("SpatialData", sdata, key, kwargs)

    @classmethod
    def from_tiledbsoma(cls, path: Any, *, key: str | None = None, **kwargs: Any) -> Artifact:
        """Returns an artifact of a tiledbsoma store, whose observations are not counted.

        Args:
            path: Path of the store, a folder with the suffix `.tiledbsoma`.
            key: Key, with the same suffix.
            **kwargs: As for `Artifact`.

        Raises:
            ValueError: For another suffix.

        Example:
            >>> ln.Artifact.from_tiledbsoma("atlas.tiledbsoma", key="atlas.tiledbsoma").save()
        """
        if not _places.split_query(_places.spelled(path))[0].rstrip("/").endswith(".tiledbsoma"):
            raise ValueError(f"'{path}' is no tiledbsoma store: its name has to end in .tiledbsoma")
        kwargs.setdefault("kind", "dataset")
        return cls(path, key=key, otype="tiledbsoma", **kwargs)

    @classmethod
    def _from_dataset(cls, otype: str, data: Any, key: str | None, kwargs: dict[str, Any]) -> Artifact:
        from holotype.inmemory import kind_of, n_observations

        if not _places.is_path(data) and kind_of(data) != otype:
            raise TypeError(f"data has to be a {otype} or a path, not {type(data).__name__}")
        kwargs.setdefault("kind", "dataset")
        kwargs.setdefault("n_observations", n_observations(data))
        return cls(data, key=key, otype=otype, **kwargs)

    @classmethod
    def from_dir(cls, path: Any, *, key: str | None = None, run: Any = None) -> RecordList:
        """Returns one artifact per file below a folder, sorted by key.

        Args:
            path: Folder, on this machine or in a bucket; what lies in a storage location stays where it is.
            key: What goes before the path of each file below the folder; by default the folder's path in its
                storage location, else its name.
            run: The run that made them; by default the tracked one, False for none.

        Raises:
            FileNotFoundError: If there is nothing at the path.
            InvalidArgument: If it is no folder, or an empty one.
            UnknownStorageLocation: If it lies in a bucket that no storage location of the instance holds.

        Example:
            >>> ln.Artifact.from_dir("raw/").save()
            >>> ln.Artifact.from_dir("s3://bucket/atlas/raw").save()
        """
        from holotype.lists import RecordList

        instance = _session.current()
        text = _session.local_path(_places.spelled(path))
        rows = instance.artifacts_from_dir(text, key, _run(run))
        return RecordList(cls._wrap(row, instance) for row in rows)

    @classmethod
    def from_lazy(
        cls,
        suffix: str,
        overwrite_versions: bool,
        *,
        key: str | None = None,
        description: str | None = None,
        run: Any = None,
        **kwargs: Any,
    ) -> Artifact:
        """Returns an artifact with a path to write to; `save()` registers what was written there.

        Args:
            suffix: Suffix of the content.
            overwrite_versions: All versions share one place in storage.
            key: Key, with the same suffix.
            description: A description.
            run: The run that makes it; by default the tracked one, False for none.
            **kwargs: Accepted for other releases, such as `space`.

        Raises:
            ValueError: If the key has another suffix.

        Example:
            >>> lazy = ln.Artifact.from_lazy(".zarr", overwrite_versions=True, key="stream.zarr")
            >>> adata.write_zarr(lazy.path)
            >>> lazy.save()
        """
        instance = _session.current()
        row = instance.lazy_artifact(suffix, overwrite_versions, key, description, _run(run))
        artifact: Artifact = cls._wrap(row, instance)
        return artifact

    @property
    def path(self) -> Any:
        """Where the content lies, as a `UPath` if remote: before saving the source, then its place."""
        source = self._row.source
        text = source if source is not None else self._instance.artifact_path(self._row)
        return self._placed(text)

    @path.setter
    def path(self, value: object) -> None:
        # The same words on every release of Python, for code that prints them.
        raise AttributeError("property of 'Artifact' object has no setter")

    @property
    def overwrite_versions(self) -> bool:
        """True when all versions share one place in storage."""
        return bool(self._overwrite_versions)

    @property
    def labels(self) -> LabelManager:
        """The labels of all registries.

        Example:
            >>> artifact.labels.add(pilot)
        """
        from holotype._labels import LabelManager

        return LabelManager(self)

    @property
    def transform(self) -> Any:
        """The transform whose run made the artifact, or None."""
        run = self.run
        return None if run is None else run.transform

    def save(self, upload: bool | None = None, **kwargs: Any) -> Artifact | None:
        """Stores the content, if that is still to be done, writes the row, and returns the artifact.

        Args:
            upload: While artifacts are kept local, bring the content to the default storage location; what
                was stored locally moves to the cache, files that were registered in place stay there too.
            **kwargs: Accepted for other releases.

        Returns:
            The artifact; None if the user refused to have content moved.

        Raises:
            FileNotFoundError: If the source is gone.
            IntegrityError: If the key belongs to another artifact.

        Example:
            >>> artifact = ln.Artifact("cells.csv", key="raw/cells.csv").save()
        """
        self._settle()
        instance = self._instance
        if not self._row.pending:
            if self._row.id is None:
                raise ValueError(f"Artifact {self._row.uid} was deleted: construct it anew from its content")
            move = instance.artifact_move(self._row)
            if move is not None:
                question = (
                    f"You are about to move artifact from '{move[0]}' to '{move[1]}'.\nContinue? (y/n) "
                )
                if not _voice.ask(question):
                    _voice.warning("saving was cancelled")
                    return None
        instance.save_artifact(self._row, bool(upload))
        self._give()
        return self

    def cache(self, *, is_run_input: Any = None, mute: bool = False, **kwargs: Any) -> Path:
        """Returns a local path from which the content can be read, and notes it as an input of the run.

        Args:
            is_run_input: Note it as an input or not; a run to note it there; by default
                `ln.settings.track_run_inputs`.
            mute: Print nothing.
            **kwargs: Accepted for other releases.

        Raises:
            IncompleteArtifact: If the content was never completely stored.
            FileNotFoundError: If it is gone.

        Example:
            >>> artifact.cache()
            PosixPath('/home/me/data/.lamindb/hrKjgpEM9vB8U8XR0000.csv')
        """
        path = self._instance.cache(self._row)
        self._track_input(is_run_input)
        return path

    def load(self, *, is_run_input: Any = None, mute: bool = False, **kwargs: Any) -> Any:
        """Returns the content in memory, read by the loader for its suffix, and notes it as an input of the
        run.

        Args:
            is_run_input: As for `cache`.
            mute: Print nothing.
            **kwargs: Passed to the reading function of the format's library.

        Raises:
            NotImplementedError: If no loader knows the suffix.
            IncompleteArtifact: If the content was never completely stored.

        Example:
            >>> df = ln.Artifact.get(key="raw/cells.csv").load()
        """
        if self._in_memory() is not None:
            return self._in_memory()
        from holotype import loaders

        # Before anything is fetched in vain.
        loaders.loader_of(self._raw_suffix())
        path = self._instance.cache(self._row)
        loaded = loaders.load(path, self._raw_suffix(), on_warning=_voice.warning, **kwargs)
        self._track_input(is_run_input)
        return loaded

    def open(self, mode: str = "r", engine: str = "pyarrow", is_run_input: Any = None, **kwargs: Any) -> Any:
        """Opens the content without reading it whole, and notes it as an input of the run.

        What lies in a bucket and not in the cache is read from the bucket, part by part as it is asked for,
        unless its format has to be unpacked. What is written to a zarr store opened by `"r+"`, here or in a
        bucket, becomes the next version when the accessor is closed; the object is that version then.

        Args:
            mode: `"r"` to read; `"w"` and `"r+"` where the format allows.
            engine: `"pyarrow"` or `"polars"`, for tables.
            is_run_input: As for `cache`.
            **kwargs: Passed to the engine.

        Raises:
            ValueError: If the format can't be opened.
            IncompleteArtifact: If the content was never completely stored.

        Example:
            >>> artifact.open().head(5).to_pandas()
        """
        from holotype import loaders, opening

        suffix = self._raw_suffix()
        if mode == "w" and self.storage.type != "local":
            raise ValueError(
                f"Artifact {self.uid} lies in {self.storage.root} and can't be opened with `mode='w'`: "
                "save a changed copy of `.cache()` as its next version"
            )
        if mode == "r":
            path = self._readable() if opening.streams(suffix) else self._instance.cache(self._row)
        else:
            path, kwargs["on_close"] = self.path, self._save_written
            self._instance.check_writable(self._row)
        if self.storage.type not in ("http", "https"):
            # Servers of the web may give files only whole, which their file system copes with.
            kwargs["parts"] = lambda: self._instance.parts(self._row)
        opened = loaders.open_(path, mode, engine, suffix_raw=suffix, **kwargs)
        self._track_input(is_run_input)
        return opened

    def _save_written(self) -> None:
        """Becomes the next version if what lies in storage was changed."""
        saved = self._instance.save_written(self._row, _run(None))
        if saved is not None:
            adopt(self, saved, self._instance)

    def _readable(self) -> Any:
        """Returns the path that the content can be read from in parts: its copy, or where it lies."""
        return self._placed(self._instance.readable(self._row))

    def _placed(self, text: str) -> Any:
        """Returns the path object for a path or URL of the content."""
        return _places.place(text, self.storage.root) if _places.is_url(text) else Path(text)

    def _in_memory(self) -> Any:
        return getattr(self, "_memory", None)

    def _raw_suffix(self) -> str:
        """Returns the suffix that chooses the loader."""
        from holotype.suffixes import raw_suffix

        suffix: str = self.suffix
        return suffix or raw_suffix(self.key or "") if not self.n_files else suffix

    def _track_input(self, is_run_input: Any) -> None:
        from holotype._inputs import track_input

        track_input(self, is_run_input)

    def replace(self, data: Any, run: Any = None, format: str | None = None) -> Artifact | None:
        """Gives the artifact other content, stored by `save()`, without making a version.

        Args:
            data: Path or object in memory.
            run: The run that made it.
            format: Format of an object in memory.

        Returns:
            The artifact that holds the same content already, if there is one; nothing changes then.

        Raises:
            ValueError: If a file would replace a folder, or the path lies in a storage location.

        Example:
            >>> artifact.replace("corrected.csv")
            >>> artifact.save()
        """
        instance = self._instance
        given: dict[str, Any] = {"key": self.key, "otype": self.otype}
        with _contents.on_disk(data, given, {"format": format}, count=False) as (source, temporary):
            found = instance.replace_content(self._row, source, temporary, _run(run))
        if temporary:
            self._memory = data
            _contents.discard_with(self, source)
        return None if found is None else type(self)._wrap(found, instance)

    def verify(self, *, full: bool = True) -> Finding:
        """Returns whether the stored content is there and right, and what is wrong with it if it is not.

        Args:
            full: Read and compare every byte; otherwise existence and sizes are compared.

        Raises:
            DoesNotExist: If the artifact is not in the database.

        Example:
            >>> artifact.verify().ok
            True
        """
        from holotype._care import verify_artifact

        return verify_artifact(self, full)

    def delete(
        self, permanent: bool | None = None, storage: bool | None = None, **kwargs: Any
    ) -> tuple[int, dict[str, int]] | None:
        """Moves the artifact to the trash, or deletes it permanently.

        Args:
            permanent: True deletes the row; False moves it to the trash; None does the latter, and asks
                before deleting what is in the trash already.
            storage: Whether a permanent deletion removes the content; None removes what has a virtual key
                and asks about the rest.
            **kwargs: Accepted for other releases.

        Raises:
            ProtectedError: If a collection or another record needs the artifact.
            IntegrityError: If the content lies in a location that this instance does not manage.

        Example:
            >>> artifact.delete(permanent=True)
        """
        return super().delete(permanent, storage=storage)

    def _delete_permanently(self, storage: bool | None = None) -> None:
        plan = self._instance.plan_artifact_delete(self._row, storage)
        content = storage is True
        if plan.question:
            content = _voice.ask(
                "Artifact record deleted. Do you ALSO want to delete the data in storage at "
                f"{plan.path}? (y/n) You can't undo this action. "
            )
        plan.apply(content)
        self._row.set("id", None)


def _run(run: Run | bool | int | None) -> Any:
    """Returns a run as the engine takes it: None for the tracked one, False for none, an id."""
    if isinstance(run, SQLRecord):
        if run.id is None:
            raise ValueError(f"{run!r} is not saved: save it before linking to it")
        return belonging(run).id
    return run


def _arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Returns the keywords of the constructor as the engine takes them.

    Raises:
        FieldValidationError: For an unknown one.
        ValueError: For a relation given twice.
        TypeError: If `revises` is no artifact.
    """
    ids = {f"{relation}_id": relation for relation in _RELATIONS}
    unknown = {k: v for k, v in kwargs.items() if k not in _KEYWORDS and k not in _SILENT and k not in ids}
    if unknown:
        raise FieldValidationError(f"Only {', '.join(_KEYWORDS)} can be passed, you passed: {unknown}")
    if "key_is_virtual" in kwargs and "_key_is_virtual" in kwargs:
        raise ValueError("Do not pass both key_is_virtual and _key_is_virtual.")
    given: dict[str, Any] = {}
    for name, value in kwargs.items():
        name = _SILENT.get(name, name)
        relation = ids.get(name, name)
        if relation in _RELATIONS and relation in given:
            raise ValueError(f"Do not pass both {relation.capitalize()} and its id at the same time.")
        given[relation] = value
    if given.pop("schema", None) is not None:
        raise NotImplementedError("Artifact(schema=...) is not supported yet: validate the data apart")
    revises = given.get("revises")
    if revises is not None:
        if not isinstance(revises, Artifact):
            raise TypeError("`revises` has to be of type `Artifact`")
        given["revises"] = belonging(revises)._row
    for relation in _RELATIONS:
        value = given.get(relation)
        if isinstance(value, SQLRecord):
            given[relation] = _run(value)
        elif relation == "storage" and value is not None and not isinstance(value, int):
            given[relation] = _contents.storage_id(value)
    return {name: value for name, value in given.items() if value is not None or name == "path"}
