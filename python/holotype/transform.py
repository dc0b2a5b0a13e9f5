"""Transforms and runs: the code that makes data, and its executions."""

from __future__ import annotations

from pathlib import Path

from holotype import _session, _voice
from holotype.registry import SQLRecord, adopt, belonging

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from holotype._registries import RunFields, TransformFields
    from holotype.queryset import QuerySet
else:
    RunFields = TransformFields = SQLRecord

__all__ = ["Run", "Transform"]


def _fields(given: dict[str, Any]) -> dict[str, Any]:
    """Returns fields as the engine takes them: records by id."""
    fields = {}
    for name, value in given.items():
        if not isinstance(value, SQLRecord):
            fields[name] = value
        elif value.id is None:
            raise ValueError(f"{value!r} is not saved: save it before passing it")
        else:
            fields[f"{name}_id"] = belonging(value).id
    return fields


class Transform(TransformFields, registry="lamindb.Transform"):
    """Code that makes data: a pipeline, script, notebook or function.

    Scripts and notebooks are best tracked with `ln.track()`.

    Args:
        key: Key, such as `"pipelines/align"`.
        kind: `"pipeline"` (the default), `"script"`, `"notebook"` or `"function"`.
        version: Version label.
        description: A description.
        reference: Where the code is, such as a URL.
        reference_type: What the reference is.
        source_code: The code; secrets are blanked out.
        revises: The transform of which this is a new version.
        skip_hash_lookup: Make a new transform although there is one of the same source code.

    Raises:
        FieldValidationError: Without a key, or with an unknown kind.
        ValueError: For unknown keywords, and a version label that is taken.

    Example:
        >>> transform = ln.Transform(key="pipelines/align", version="1.2").save()
        >>> ln.track(transform)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args:
            raise ValueError("Only keyword args allowed: Transform(key='...')")
        skip = bool(kwargs.pop("skip_hash_lookup", False))
        revises = kwargs.pop("revises", None)
        if revises is not None and not isinstance(revises, Transform):
            raise TypeError("`revises` has to be of type `Transform`")
        fields = _fields(kwargs)
        instance = _session.current()
        row = instance.transform(None if revises is None else belonging(revises)._row, skip, fields)
        adopt(self, row)

    def save(self, *args: Any, **kwargs: Any) -> Transform:
        """Writes the transform to the database and returns it.

        Raises:
            IntegrityError: If a constraint would break.

        Example:
            >>> transform = ln.Transform(key="pipelines/align").save()
        """
        self._settle()
        self._instance.save_transform(self._row)
        return self

    @classmethod
    def from_path(
        cls,
        path: str | os.PathLike[str],
        key: str | None = None,
        kind: str | None = None,
        version: str | None = None,
        description: str | None = None,
    ) -> Transform:
        """Saves the source code of a script or notebook and returns its transform, without a run.

        Args:
            path: The file.
            key: Key; by default the path below the directory that is bound to the instance.
            kind: Kind; by default what the suffix says.
            version: Version label.
            description: A description; by default the title of a notebook.

        Raises:
            FileNotFoundError: If there is no such file.
            FieldValidationError: For an unknown kind.

        Example:
            >>> ln.Transform.from_path("analysis.py")
        """
        instance = _session.current()
        row = instance.transform_from_path(Path(path), key, version, description)
        transform: Transform = cls._wrap(row, instance)
        if kind is not None and kind != transform.kind:
            transform.kind = kind
            transform.save()
        return transform

    @classmethod
    def from_git(
        cls,
        url: str,
        path: str,
        key: str | None = None,
        version: str | None = None,
        entrypoint: str | None = None,
        branch: str | None = None,
        **kwargs: Any,
    ) -> Transform:
        """Returns a transform for a pipeline in a git repository; it keeps the commit, not the code.

        Args:
            url: Address of the repository, anything that `git clone` takes.
            path: File or folder in the repository.
            key: Key; by default `<owner>/<repository>/<path>`.
            version: Version label, a tag or commit of the repository; by default the newest commit. Where it
                equals `branch`, the transform follows the branch and keeps no commit.
            entrypoint: What is called in the file.
            branch: Branch; by default that of the repository.
            **kwargs: As for `Transform`.

        Raises:
            ValueError: If the repository lacks the version, the branch or the path.
            RuntimeError: If the repository can't be read, or git is not installed.

        Example:
            >>> url = "https://github.com/nf-core/rnaseq"
            >>> ln.Transform.from_git(url, "main.nf", version="3.14.0").save()
        """
        from holotype._git import pipeline

        inferred, source = pipeline(url, path, version, entrypoint, branch)
        if key is None:
            key = inferred
            _voice.say(_voice.IMPORTANT, f"inferred key '{key}' from url & path")
        kwargs.setdefault("kind", "pipeline")
        return cls(key=key, version=version, source_code=source, **kwargs)

    @property
    def latest_run(self) -> Any:
        """The run that started last, or None."""
        return self.runs.order_by("-started_at").first()

    def _delete_permanently(self, **kwargs: Any) -> None:
        for run in self.runs.all():
            run.delete(permanent=True)
        super()._delete_permanently()


class Run(RunFields, registry="lamindb.Run"):
    """An execution of a transform.

    Runs of scripts and notebooks are best started with `ln.track()`.

    Args:
        transform: What is executed.
        name: Name.
        description: A description.
        entrypoint: What is called in the transform.
        params: Parameters; secrets are blanked out.
        status: `"scheduled"` (the default) or `"started"`.
        reference: Where the run is described, such as a URL.
        reference_type: What the reference is.
        initiated_by_run: The run that started this one.
        plan: Artifact with the plan that the run follows.

    Raises:
        TypeError: Without a transform.
        ValueError: For a transform that is not saved, unknown keywords, and another status.

    Example:
        >>> run = ln.Run(transform, name="first try").save()
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if len(args) > 1:
            raise ValueError("Only one non-keyword arg allowed: transform")
        transform = args[0] if args else kwargs.pop("transform", None)
        row = belonging(transform)._row if isinstance(transform, SQLRecord) else None
        adopt(self, _session.current().new_run(row, _fields(kwargs)))

    def query_output_artifacts(self, include_recreated: bool = True) -> QuerySet:
        """Returns the artifacts that the run made, on every branch.

        Args:
            include_recreated: Those as well that existed already when the run made them again.

        Example:
            >>> ln.Run.filter().last().query_output_artifacts().df()
        """
        from holotype.artifact import Artifact
        from holotype.conditions import Q

        made = Q(run=self) | Q(recreating_runs=self) if include_recreated else Q(run=self)
        found: QuerySet = Artifact._query(self._instance).filter(made, branch=None)
        return found

    def surroundings(self) -> dict[str, Any] | None:
        """Returns what surrounded the run and may have changed what came of it; None where nothing is kept.

        That is the `interpreter`, the `system`, the `packages` by language and the `sources` of those that no
        index gave, `variables`, digests of the `locks`, and in the `origin` how it was called and the state
        of the `repository`: commit, branch, changed and untracked files, and the `difference` from the
        commit. Secrets are blanked out. Runs that ended without a word have none.

        Raises:
            IntegrityError: If what was kept is damaged.

        Example:
            >>> ln.Run.get("fpM04qKzPpFUYqjc").surroundings()["origin"]["repository"]["commit"]
            '0e25fe06a3c1f8d2b94e5e7a6c80d1f23b4a5968'
        """
        return self._instance.surroundings(self._row)  # type: ignore[no-any-return]

    def rerun(self, folder: str | os.PathLike[str] | None = None) -> dict[str, Any]:
        """Does the run again and compares what it makes, byte by byte.

        Code and inputs, as they were, are put into a folder of their own: the commit of a repository with
        what was changed in it, else the files beside the code that are older than the run. A command runs
        there and nothing is tracked; a script or notebook that tracks itself is a new run. So is the call of
        a tracked function: its file is imported, and it is called with the recorded parameters, where records
        are looked up again. Notebooks need nbconvert.

        Args:
            folder: New folder to run in, which is kept; by default a passing one.

        Returns:
            Whether all is the `same`, the `exit_code`, the uid of the `new_run`, a verdict for each of the
            `outputs`, and as `differences` and `warnings` what is no longer as it was.

        Raises:
            ValueError: For a run of which too little is kept, and for the call of a function with arguments
                that had no form in JSON, or held secrets.

        Example:
            >>> ln.Run.get("fpM04qKzPpFUYqjc").rerun()["same"]
            True
        """
        from holotype._rerun import rerun

        return rerun(self, folder)

    def _delete_permanently(self, **kwargs: Any) -> None:
        from holotype.conditions import Q

        hidden = [artifact for artifact in (self.report, self.environment) if artifact is not None]
        super()._delete_permanently()
        for artifact in hidden:
            # Runs of equal software share one environment.
            used = Run.objects.filter(Q(report=artifact) | Q(environment=artifact)).exists()
            if not used:
                artifact.delete(permanent=True, storage=True)
