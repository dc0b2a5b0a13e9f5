"""The care of stored content: whether it is right, what can be put right, and what belongs to nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from holotype import _native, _session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import pandas as pd

_SOUND = ("sound", "overwritten")


@dataclass(frozen=True)
class Finding:
    """An artifact and what was found of its content.

    `state` is `"sound"`, `"overwritten"` (an older version whose place a later one has taken, as it happens),
    `"missing"`, `"damaged"`, `"incomplete"` or `"unreachable"`; `detail` puts the difference in words, and
    `read` tells whether every byte was compared.
    """

    artifact: Any
    state: str
    detail: str
    path: Path
    read: bool

    @property
    def ok(self) -> bool:
        """True when the content is as it should be."""
        return self.state in _SOUND


@dataclass(frozen=True)
class Verification:
    """What a verification found: how much was looked at, and everything that is wrong."""

    checked: int
    read: int
    bytes: int
    overwritten: int
    wrong: list[Finding]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong."""
        return not self.wrong

    def to_dataframe(self) -> pd.DataFrame:
        """Returns what is wrong as a table, one row per artifact.

        Example:
            >>> ln.verify(full=True).to_dataframe()
        """
        import pandas as pd

        columns = ["uid", "key", "state", "detail", "path"]
        rows = [(f.artifact.uid, f.artifact.key, f.state, f.detail, str(f.path)) for f in self.wrong]
        return pd.DataFrame(rows, columns=columns)


@dataclass(frozen=True)
class Repair:
    """What a repair planned and did; a step has `step`, `uid`, `key`, `reason`, `path`, `from`, `error`."""

    planned: list[dict[str, Any]]
    done: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)

    @property
    def lost(self) -> list[dict[str, Any]]:
        """The steps about content of which no copy was found."""
        return [step for step in self.planned if step["step"] in ("mark as incomplete", "needs its source")]


@dataclass(frozen=True)
class Collected:
    """What nobody needs: `unused` and `young` hold path, kind and bytes; `trash` and `kept` artifacts.

    `unnamed` holds environments, reports and logs of deleted runs, `documents` counts what else those left.
    """

    unused: list[tuple[str, str, int]]
    young: list[tuple[str, str, int]]
    trash: list[Any]
    kept: list[tuple[Any, str]]
    bytes: int
    unnamed: list[Any]
    documents: int
    moved: int = 0
    deleted: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def _artifacts(query: Any) -> tuple[_native.Instance, _native.QuerySet]:
    """Returns the instance and the artifacts that a query means; for None all of them, trash included."""
    if query is None:
        instance = _session.current()
        return instance, instance.query("lamindb.Artifact")
    if not hasattr(query, "_native") or query._cls._table.name != "Artifact":
        raise TypeError("Pass a query over artifacts, such as ln.Artifact.filter(key__startswith='raw/')")
    return query._instance, query._native


def _finding(instance: _native.Instance, found: tuple[Any, str, str, str, bool]) -> Finding:
    row, state, detail, path, read = found
    return Finding(_artifact(instance, row), state, detail, Path(path), read)


def _artifact(instance: _native.Instance, row: _native.Record) -> Any:
    from holotype.registry import registry_class

    return registry_class("lamindb.Artifact")._wrap(row, instance)


def verify(query: Any = None, *, full: bool = False, sample: int | None = None) -> Verification:
    """Compares the stored content of artifacts with what the registry says of it.

    Nothing is changed but the time at which a digest was confirmed, when every byte was read.

    Args:
        query: Which artifacts; by default all of them, those in the trash and on other branches too.
        full: Read and compare every byte; otherwise existence and sizes are compared.
        sample: Read and compare every byte of so many artifacts picked at random.

    Raises:
        TypeError: If `query` is no query over artifacts.

    Example:
        >>> ln.verify(ln.Artifact.filter(key__startswith="raw/"), full=True).ok
        True
    """
    instance, artifacts = _artifacts(query)
    found = instance.verify(artifacts, full, sample)
    found["wrong"] = [_finding(instance, wrong) for wrong in found["wrong"]]
    return Verification(**found)


def verify_artifact(artifact: Any, full: bool = True) -> Finding:
    """Returns what was found of one artifact's content; see `Artifact.verify`."""
    return _finding(artifact._instance, artifact._instance.verify_artifact(artifact._row, full))


def repair(
    query: Any = None, *, dry_run: bool = False, fast: bool = False, older_than: float = 1 / 6
) -> Repair:
    """Puts right what is wrong with stored content.

    Finishes what killed processes began, fetches damaged or missing content from the cache, from quarantine
    or from another artifact that holds the same bytes, and marks what is lost, so that nobody reads it.

    Args:
        query: Which artifacts; by default all of them.
        dry_run: Only plan.
        fast: Compare existence and sizes instead of every byte.
        older_than: Hours for which nobody must have touched a temporary name before it is removed.

    Raises:
        TypeError: If `query` is no query over artifacts.

    Example:
        >>> ln.repair(dry_run=True).planned
        []
    """
    instance, artifacts = _artifacts(query)
    return Repair(**instance.repair(artifacts, not fast, older_than, dry_run))


def gc(
    *, apply: bool = False, purge: bool = False, older_than: float = 24, trash_days: float = 30
) -> Collected:
    """Finds what no artifact uses, what deleted runs have left, and what has been in the trash for long.

    Args:
        apply: Move what was found to quarantine and delete the rows of old trash.
        purge: Afterwards, remove for good what is in quarantine.
        older_than: Hours for which nobody must have touched a thing: a running save may still enter it.
        trash_days: Days for which an artifact must have been in the trash.

    Example:
        >>> ln.gc().unused
        []
    """
    instance = _session.current()
    found = instance.collect(older_than, trash_days, apply)
    found["trash"] = [_artifact(instance, row) for row in found["trash"]]
    found["unnamed"] = [_artifact(instance, row) for row in found["unnamed"]]
    found["kept"] = [(_artifact(instance, row), why) for row, why in found["kept"]]
    if purge:
        instance.purge()
    return Collected(**found)
