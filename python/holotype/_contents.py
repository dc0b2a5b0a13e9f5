"""Content between memory, disk and registry: what artifacts and queries over artifacts share."""

from __future__ import annotations

import os
import shutil
import weakref
from contextlib import contextmanager

from holotype import _native, _places, _session, _voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


@contextmanager
def on_disk(
    data: Any, given: dict[str, Any], tuning: dict[str, Any], count: bool = True
) -> Iterator[tuple[str, bool]]:
    """Yields the path of data and whether it was written there only now; a failing block removes what was
    written.

    Args:
        data: Path or object in memory.
        given: Keywords of the artifact; the type of the object is added.
        tuning: `format` and `to_disk_kwargs` for objects.
        count: Add the number of observations of objects.

    Raises:
        TypeError: For data that is neither.
    """
    if _places.is_path(data):
        yield _session.local_path(_places.spelled(data)), False
        return
    from holotype import inmemory

    kind = inmemory.kind_of(data)
    if kind is None:
        raise TypeError("data has to be a string, Path, UPath")
    if given.get("otype") is None:
        given["otype"] = kind
    if count and "n_observations" not in given:
        rows = inmemory.n_observations(data)
        if rows is not None:
            given["n_observations"] = rows
    suffix = inmemory.suffix_of_object(data, given.get("key"), tuning.get("format"))
    folder = _native.cache_dir()
    path = str(folder / f"{os.urandom(12).hex()}{suffix}")
    _voice.say(_voice.INFO, "writing the in-memory object into cache")
    try:
        inmemory.to_disk(data, path, **tuning.get("to_disk_kwargs") or {})
        yield path, True
    except BaseException:
        discard(path)
        raise


def discard(path: str) -> None:
    """Removes a file or folder that was written for an object in memory."""
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.exists(path):
        os.remove(path)


def discard_with(owner: object, path: str) -> None:
    """Removes a path when its owner goes away; saving may have taken it before."""
    weakref.finalize(owner, discard, path)


def storage_id(storage: Any) -> int:
    """Returns the id of a registered storage location given by its root.

    Raises:
        ValueError: If it is not registered.
    """
    root = _native.normalize_root(_session.local_path(_places.spelled(storage)))
    query = _session.current().query("lamindb.Storage").filter(("is", "root", root))
    found = query.first()
    if found is None or found.id is None:
        raise ValueError(
            f"Storage location {root} is not registered: create it by ln.Storage(root='{root}').save()"
        )
    return found.id


def path_condition(instance: _native.Instance, path: Any) -> tuple[Any, ...]:
    """Returns the condition for the artifacts whose content lies at a path.

    Args:
        instance: The instance.
        path: Path in a registered storage location.
    """
    text, server = _places.spelled(path), ""
    if _places.is_url(text):
        text, server = _places.split_query(text)
    else:
        text = os.path.abspath(os.path.expanduser(text))
    locations: list[tuple[int, str]] = instance.query("lamindb.Storage").table(["id", "root"]).rows()
    nodes: list[tuple[Any, ...]] = []
    for id, location in sorted(locations, key=lambda location: -len(location[1])):
        root, its_server = _places.split_query(location)
        if not text.startswith(f"{root}/") or server not in ("", its_server):
            continue
        relative = text[len(root) + 1 :]
        here = ("is", "storage_id", id)
        if relative.startswith(".lamindb/"):
            uid = relative.removeprefix(".lamindb/").split("/")[0].split(".")[0]
            auto = [("is", "_key_is_virtual", True), ("is", "_real_key__isnull", True)]
            uids = [("is", "uid__gte", uid), ("is", "uid__lt", f"{uid}\x7f")]
            nodes.append(("and", [here, *uids, *auto]))
            continue
        keys = [relative, f"./{relative}", f".//{relative}"]
        by_key = ("and", [("is", "_key_is_virtual", False), ("is", "key__in", keys)])
        nodes.append(("and", [here, ("or", [("is", "_real_key__in", keys), by_key])]))
    return ("or", nodes)


def load_many(artifacts: Any, **options: Any) -> Any:
    """Returns the content of several artifacts, concatenated in their order."""
    from holotype import loaders

    listed = _in_order(artifacts)
    paths = [artifact.cache(is_run_input=options.get("is_run_input")) for artifact in listed]
    options.pop("is_run_input", None)
    suffixes = [artifact._raw_suffix() for artifact in listed]
    return loaders.load_collection(paths, [a.uid for a in listed], suffixes_raw=suffixes, **options)


def open_many(artifacts: Any, engine: str, is_run_input: Any = None, **options: Any) -> Any:
    """Opens the content of several artifacts as one table, in their order."""
    listed = _in_order(artifacts)
    opened = open_together(listed, engine, **options)
    for artifact in listed:
        artifact._track_input(is_run_input)
    return opened


def open_together(artifacts: list[Any], engine: str, **options: Any) -> Any:
    """Opens the content of artifacts as one table; what is not in the cache is read from where it lies."""
    from holotype import loaders

    paths = [artifact._readable() for artifact in artifacts]
    suffixes = [artifact._raw_suffix() for artifact in artifacts]
    return loaders.open_collection(paths, engine, suffixes_raw=suffixes, **options)


def _in_order(artifacts: Any) -> list[Any]:
    if not getattr(artifacts, "ordered", True):
        _voice.warning(
            "this query set is unordered, consider using `.order_by()` first to avoid opening the "
            "artifacts in an arbitrary order"
        )
    return list(artifacts)
