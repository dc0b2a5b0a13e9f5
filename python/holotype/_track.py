"""`ln.track()` and `ln.finish()`: the beginning and the end of the run of a script or notebook."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

from holotype import _ended, _native, _session, _started, _voice
from holotype._context import Live, context
from holotype.errors import InvalidArgument, TrackNotCalled
from holotype.registry import SQLRecord, registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from holotype._console import Console
    from holotype._notebook_path import Running

__all__ = ["finish", "track"]


def track(
    transform: Any = None,
    *,
    project: Any = None,
    space: Any = None,
    branch: Any = None,
    plan: Any = None,
    features: dict[str, Any] | None = None,
    params: dict[str, Any] | None = None,
    new_run: bool | None = None,
    pypackages: bool | None = None,
    key: str | None = None,
    initiated_by_run: Any = None,
    path: str | os.PathLike[str] | None = None,
) -> None:
    """Starts a run of the script or notebook that calls it; what is made or read from now on belongs to it.

    Args:
        transform: Uid that identifies the file across renames, of 12 characters, or 16 for one version; or a
            transform that is no file.
        project: Project of the run, by record, name or uid.
        space: Space of everything made from now on.
        branch: Branch of everything made from now on.
        plan: Artifact with the plan that the run follows, by record, key or uid.
        features: Values of features that the run holds, as `run.features.add_values` takes them; where one
            cannot be given, no run starts.
        params: Parameters of the run; secrets are blanked out.
        new_run: False goes on with the latest run; by default so in a notebook that a person runs.
        pypackages: True prints the packages that a notebook imports.
        key: Key of the transform instead of the path of the file.
        initiated_by_run: Run that started this one, by record or uid.
        path: The file that runs, where this cannot be found out.

    Raises:
        InvalidArgument: For names that nothing answers to, malformed uids, and where no file can be found.
        ValidationError: For features that do not exist or cannot have these values.
        UpdateContext: If the file no longer is what the given uid stands for.
        CurrentInstanceNotConfigured: If no instance is connected.

    Example:
        >>> ln.track(params={"rate": 0.1})
        → created Transform('4MuxEYZwGF5q0000', key='train.py'), started new Run('fpM04qKzPpFUYqjc') at ...
    """
    instance = _session.current()
    wanted = context._wanted
    options: dict[str, Any] = {
        "uid": wanted.get("uid"),
        "key": key,
        "version_tag": wanted.get("version"),
        "description": wanted.get("description"),
        "project": named(project or wanted.get("project") or os.environ.get("LAMIN_CURRENT_PROJECT")),
        "space": named(space or wanted.get("space")),
        "branch": named(branch or wanted.get("branch")),
        "plan": named(plan),
        "initiated_by_run": named(initiated_by_run or os.environ.get("LAMIN_INITIATED_BY_RUN_UID")),
        "params": None if params is None else json_params(params),
        "new_run": new_run,
    }
    if features is not None:
        from holotype._features import given

        options["features"] = given(features)
    source = None
    from holotype._environment import process

    if isinstance(transform, SQLRecord):
        options["transform"] = transform._row
        options["process"] = process(None)
    else:
        options["uid"] = transform or options["uid"]
        source = _source(path, options)
        options["process"] = process(source.path)
    if os.environ.get("LAMIN_TESTING") == "true":
        options["renamed"] = True
    # Nothing is written when the repository does not hold the file.
    reference = None if source is None or source.notebook else repository_address(source.path)
    _ended.close_killed(instance)
    started, asked = instance.track(source and source.path, **options)
    if asked is not None:
        options["renamed"] = _renamed(asked[0])
        started, _ = instance.track(source and source.path, **options)
    if started is None:
        return
    _begin(instance, started, source)
    if reference is not None:
        refer(context._transform, reference)
    if source is not None and source.notebook and pypackages:
        from holotype._environment import imports
        from holotype._notebook_path import code

        _voice.important(f"notebook imports: {' '.join(imports(code(source.path)))}")


def _source(path: str | os.PathLike[str] | None, options: dict[str, Any]) -> Running:
    """Returns the file that runs, and completes the options with what is known about it."""
    from holotype._notebook_path import running

    source = running(path)
    options["key"] = options["key"] or source.key
    options["notebook"], options["interactive"] = source.notebook, source.interactive
    if not source.notebook:
        options["arguments"] = sys.argv[1:]
    return source


def repository_address(path: Path) -> str | None:
    """Returns the address of a file in the repository that scripts are matched with; None without one.

    Raises:
        BlobHashNotFound: If the repository does not hold the file as it is.
        RuntimeError: If the repository can't be read, or git is not installed.
    """
    from holotype._settings import settings

    url = settings.sync_git_repo
    if url is None:
        return None
    from holotype._git import address

    return address(path, url)


def refer(transform: Any, reference: str) -> None:
    """Lets a saved transform say where its code is."""
    if transform.reference == reference:
        return
    if transform.reference is not None:
        _voice.important("updated transform reference")
    transform.reference, transform.reference_type = reference, "url"
    transform.save()


def _begin(
    instance: _native.Instance,
    started: tuple[_native.Record, _native.Record],
    source: Running | None,
) -> None:
    """Makes a started run the one of this process."""
    if context._live is not None and context._live.console is not None:
        # A script that tracks another run is done with this one.
        _end_early("completed")
    context._forget()
    context._run = registry_class("lamindb.Run")._wrap(started[0], instance)
    context._transform = registry_class("lamindb.Transform")._wrap(started[1], instance)
    context._wanted.clear()
    console = None
    if source is not None and not source.notebook:
        console = console_for(instance, context._run.uid, _end_early)
        _ended.mark(instance, context._run.uid)
    os.environ[_started.PARENT] = context._run.uid
    context._live = Live(source, console)


def console_for(instance: _native.Instance, uid: str, end: Callable[[str], None]) -> Console | None:
    """Starts to log what is printed; notebooks show it themselves."""
    from holotype._notebook_path import running_kernel

    if running_kernel() is not None:
        return None
    from holotype._console import Console

    slug = instance.settings()["slug"]
    try:
        return Console(instance.run_log(uid), f"\033[1;92m→\033[0m connected lamindb: {slug}\n", end)
    except OSError as error:
        _voice.warning(f"what the script prints is not kept: {error}")
        return None


def _end_early(outcome: str) -> None:
    """Finishes the run of a script that an error or a signal ends, and the calls that go on within it."""
    _started.abort_all()
    with _voice.lowered("error"):
        _finish(outcome=outcome)


def _end_unfinished() -> None:
    """Finishes the run of a script that ends without a word: by its last line, or by leaving."""
    live = context._live
    if live is None or live.console is None or live.source is None or not live.console.owned:
        return
    try:
        if live.console.exit_code not in (None, 0, False):
            outcome = "errored"
        else:
            # What it raised by hand to end itself, nobody is told.
            raises = "SystemExit" in live.source.path.read_text(encoding="utf-8", errors="replace")
            outcome = "aborted" if raises and live.console.exit_code is None else "completed"
        _end_early(outcome)
    except Exception as error:
        print(f"could not finish the run: {error}", file=sys.stderr)


atexit.register(_end_unfinished)


def finish(ignore_non_consecutive: bool | None = None) -> None:
    """Finishes the tracked run; of a notebook, this stores the code and a page with the results.

    Args:
        ignore_non_consecutive: True says nothing about cells that did not run one after the other, False asks
            whether to go on; by default there is a warning.

    Raises:
        TrackNotCalled: If no run is being tracked.

    Example:
        >>> ln.finish()
        → finished Run('TM6tukPnyhDYwvZx') after 3s at 2026-11-22 00:00:46 UTC
    """
    _finish(ignore_non_consecutive=ignore_non_consecutive)


def _finish(**options: Any) -> None:
    live = context._live
    if live is None:
        if _session.connected() and _session.current().read_only:
            return
        raise TrackNotCalled("Please run `ln.track()` before `ln.finish()`")
    instance = _session.current()
    options["run"] = context._run.id
    path = None
    if live.console is not None:
        live.console.stop()
        # It may be gone when an earlier attempt failed half-way.
        options["report"] = live.console.path if live.console.path.is_file() else None
    elif live.source is not None and live.source.notebook:
        from holotype._notebook_path import renamed

        live.source = renamed(live.source)
        path = live.source.path
        if not _read_notebook(live, path, options):
            return
    done, asked = instance.finish(path, **options)
    while asked is not None:
        question, answer = asked
        options[answer] = _voice.ask(question)
        done, asked = instance.finish(path, **options)
    if done is None:
        return
    take(context._run, done[0])
    take(context._transform, done[1])
    context._forget()


def take(record: Any, row: _native.Record) -> None:
    """Lets a record that a user may hold show how the run ended."""
    if record.id == row.id:
        record._row = row
        record._related.clear()
        record._documents.clear()


def _read_notebook(live: Live, path: Path, options: dict[str, Any]) -> bool:
    """Completes the options with what is known about a notebook; false while it has to be saved first."""
    from holotype import _notebook_report as report

    assert live.source is not None
    if live.source.copied:
        from holotype._colab import fetch

        fetch(path)
    options["notebook"], options["interactive"] = True, live.source.interactive
    jupyter = path.suffix == ".ipynb"
    if live.source.interactive and jupyter:
        if not report.is_saved(path, live.asked):
            live.asked = True
            return False
        options["report"] = report.page(path, _native.cache_dir(), context._run.uid)
    elif jupyter:
        _voice.important(f"to save the notebook html, run: {_native.command()} save {path.name}")
    if jupyter:
        options["gaps"] = report.gaps(path)
    return True


def named(given: Any) -> Any:
    """Returns how the engine finds a record: by the id of a saved one, else by name or uid."""
    if not isinstance(given, SQLRecord):
        return given
    if given.id is None:
        raise InvalidArgument(f"{given!r} is not saved: save it before passing it to `ln.track()`")
    return given.id


def _renamed(question: str) -> bool:
    """Returns true for a renamed file, false for a copy; with nobody to ask, it is a copy."""
    while True:
        try:
            answer = input(f"{question} ").strip()
        except (EOFError, OSError, NotImplementedError):
            return False
        if answer in ("1", "2"):
            return answer == "1"


def json_params(params: dict[str, Any]) -> dict[str, Any]:
    """Returns the parameters that can be kept; what they leave out is mentioned."""
    kept = {}
    for name, value in params.items():
        try:
            kept[name] = _plain(value)
        except TypeError:
            _voice.warning(f"skipping param {name} with value {value} and dtype ? not JSON serializable")
    return kept


def _plain(value: Any) -> Any:
    """Returns a value as JSON knows it; records by registry and uid.

    Raises:
        TypeError: If there is no such form.
    """
    if isinstance(value, SQLRecord):
        table = type(value)._table
        prefix = "" if table.module == "lamindb" else f"{table.module}."
        return f"{prefix}{table.name}[{value._row.uid}]"
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        # Their order is another one in every process.
        return sorted((_plain(item) for item in value), key=repr)
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    # Scalars of numpy and pandas know how to become plain; arrays do too, but only one value.
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return _plain(value.item())
    raise TypeError(f"A {type(value).__name__} has no form in JSON")
