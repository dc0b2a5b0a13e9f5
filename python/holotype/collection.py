"""Collections: ordered sets of artifacts with a hash and versions of their own."""

from __future__ import annotations

from holotype import _session
from holotype.artifact import Artifact, _run
from holotype.errors import FieldValidationError
from holotype.registry import SQLRecord, adopt, belonging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

    from holotype._labels import LabelManager
    from holotype._registries import CollectionFields
    from holotype.queryset import ArtifactBasicQuerySet
else:
    CollectionFields = SQLRecord

__all__ = ["Collection"]

_LISTED = (
    "artifacts",
    "key",
    "description",
    "schema",
    "meta",
    "reference",
    "reference_type",
    "run",
    "revises",
    "skip_hash_lookup",
    "branch",
    "space",
)
_NAMES = {"meta": "meta_artifact", "version": "version_tag"} | {
    f"{relation}_id": relation for relation in ("run", "branch", "space", "schema")
}
_FURTHER = ("meta_artifact", "version_tag", "name")


class Collection(CollectionFields, registry="lamindb.Collection"):
    """An ordered set of artifacts.

    A set of the same artifacts gives the collection that is registered already; a key in use gives a new
    version.

    Args:
        artifacts: Saved artifacts, or one.
        key: Virtual path; `name` is the older word.
        description: A description.
        meta_artifact: An artifact that holds metadata about the collection.
        reference: Id or URL in another system.
        reference_type: What the reference is, such as `"url"`.
        run: The run that made it; by default the tracked one, False for none.
        revises: The collection of which this is a new version.
        skip_hash_lookup: Make a new one even of the same artifacts.
        branch: Branch; by default the current one.
        space: Space; by default the current one.
        version: Version tag.

    Raises:
        ValueError: For what is no artifact, or not saved.
        FieldValidationError: Without a key, or for an unknown keyword.

    Example:
        >>> ln.Collection([first, second], key="batches/all").save()
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            raise ValueError("Only one non-keyword arg allowed: artifacts")
        given = {_NAMES.get(name, name): value for name, value in kwargs.items()}
        unknown = {k: v for k, v in given.items() if k not in _LISTED and k not in _FURTHER}
        if unknown:
            raise FieldValidationError(f"Only {', '.join(_LISTED)} can be passed, you passed: {unknown}")
        artifacts = _artifacts(args[0] if args else given.pop("artifacts", ()))
        classes: dict[str, type[SQLRecord]] = {"revises": Collection, "meta_artifact": Artifact}
        for name, cls in classes.items():
            value = given.get(name)
            if value is not None:
                if not isinstance(value, cls):
                    raise TypeError(f"`{name}` has to be of type `{cls.__name__}`")
                given[name] = belonging(value)._row
        instance = _session.current()
        run = _run(given.pop("run", None))
        for name in ("branch", "space", "schema"):
            given[name] = _run(given.get(name))
        row = instance.collection([belonging(artifact)._row for artifact in artifacts], run, **given)
        adopt(self, row)

    @property
    def name(self) -> str | None:
        """The last part of the key."""
        key = self.key
        return None if key is None else key.split("/")[-1]

    @name.setter
    def name(self, name: str) -> None:
        self.key = name

    @property
    def labels(self) -> LabelManager:
        """The labels of all registries.

        Example:
            >>> collection.labels.add(pilot)
        """
        from holotype._labels import LabelManager

        return LabelManager(self)

    @property
    def transform(self) -> Any:
        """The transform whose run made the collection, or None."""
        run = self.run
        return None if run is None else run.transform

    @property
    def ordered_artifacts(self) -> ArtifactBasicQuerySet:
        """The artifacts in the order in which they were given."""
        from holotype.queryset import ArtifactBasicQuerySet

        native = self._instance.ordered_artifacts(self._row)
        return ArtifactBasicQuerySet(Artifact, native, self._instance)

    @property
    def data_artifact(self) -> Artifact | None:
        """The artifact that was registered first, or None."""
        first: Artifact | None = self.artifacts.first()
        return first

    def save(self, *args: Any, **kwargs: Any) -> Collection:
        """Writes the collection and its links, and returns it.

        Raises:
            IntegrityError: If another collection has this key and these artifacts.
        """
        self._settle()
        self._instance.save_collection(self._row)
        return self

    def append(self, artifact: Artifact, run: Any = None) -> Collection:
        """Returns a new version, not yet saved, with one artifact more.

        Args:
            artifact: The artifact.
            run: The run that makes it.

        Example:
            >>> collection = collection.append(artifact).save()
        """
        return type(self)(
            [*self.ordered_artifacts, artifact],
            key=self.key,
            description=self.description,
            revises=self,
            run=run,
        )

    def cache(self, is_run_input: Any = None) -> list[Path]:
        """Returns local paths of all artifacts, in order, and notes the collection as an input of the run.

        What lies in buckets and is not in the cache yet is fetched in parallel.

        Args:
            is_run_input: Note it as an input or not; by default `ln.settings.track_run_inputs`.
        """
        paths = self._instance.cache_collection(self._row)
        self._track_input(is_run_input)
        return paths

    def load(self, join: str = "outer", is_run_input: Any = None, **kwargs: Any) -> Any:
        """Returns the content of all artifacts, concatenated in order.

        Args:
            join: `"outer"` keeps all columns, `"inner"` the common ones.
            is_run_input: As for `cache`.
            **kwargs: Passed to the concatenating function of the format's library.

        Raises:
            ValueError: If the artifacts have different suffixes or can't be concatenated.

        Example:
            >>> df = ln.Collection.get(key="batches/all").load()
        """
        self._instance.collection_suffix(self._row, "load")
        from holotype import loaders

        uids, suffixes = self._members()
        paths = self._instance.cache_collection(self._row)
        loaded = loaders.load_collection(paths, uids, suffixes_raw=suffixes, join=join, **kwargs)
        self._track_input(is_run_input)
        return loaded

    def open(self, engine: str = "pyarrow", is_run_input: Any = None, **kwargs: Any) -> Any:
        """Opens the content of all artifacts as one table, in order.

        Args:
            engine: `"pyarrow"` or `"polars"`.
            is_run_input: As for `cache`.
            **kwargs: Passed to the engine.

        Raises:
            ValueError: If the artifacts have different formats.

        Example:
            >>> ln.Collection.get(key="batches/all").open().count_rows()
        """
        if self._row.id is None:
            from holotype import _voice

            _voice.warning("the collection isn't saved, consider calling `.save()`")
        self._instance.collection_suffix(self._row, "open")
        from holotype import _contents

        opened = _contents.open_together(list(self.ordered_artifacts), engine, **kwargs)
        self._track_input(is_run_input)
        return opened

    def _members(self) -> tuple[list[str], list[str]]:
        artifacts = list(self.ordered_artifacts)
        return [artifact.uid for artifact in artifacts], [artifact._raw_suffix() for artifact in artifacts]

    def _track_input(self, is_run_input: Any) -> None:
        from holotype._inputs import track_input

        track_input(self, is_run_input)


def _artifacts(artifacts: Any) -> Iterable[Artifact]:
    """Returns artifacts given as one, as a list or as a query.

    Raises:
        ValueError: For anything else.
    """
    from holotype.managers import RelatedManager
    from holotype.queryset import BasicQuerySet

    if isinstance(artifacts, Artifact):
        return [artifacts]
    if not isinstance(artifacts, (list, tuple, BasicQuerySet, RelatedManager)):
        raise ValueError("Artifact or list[Artifact] is allowed.")
    listed = list(artifacts)
    if not listed or not all(isinstance(artifact, Artifact) for artifact in listed):
        raise ValueError("Artifact or list[Artifact] is allowed.")
    return listed
