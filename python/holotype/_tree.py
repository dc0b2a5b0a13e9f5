"""Drawing a folder as a tree."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

from holotype._places import is_remote, split_query
from holotype.suffixes import name_suffixes, split_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_BRANCH, _LAST, _PIPE, _BLANK = "├── ", "└── ", "│   ", "    "


@dataclass(frozen=True)
class Limits:
    """What of a tree to show; the fields are the arguments of `view_tree`."""

    level: int
    only_dirs: bool
    per_suffix: int
    lines: int
    include: Callable[[str, bool], bool] | None
    skip: frozenset[str]


@dataclass
class _Entry:
    name: str
    location: str
    is_dir: bool
    suffix: str = field(init=False)
    is_reduced: bool = field(init=False)

    def __post_init__(self) -> None:
        canonical, self.suffix = split_suffix(self.name)
        # Of several suffixes only the last one counts, and it is not a known one.
        self.is_reduced = not canonical and len(name_suffixes(self.name)) > 1


@dataclass
class _Count:
    folders: int = 0
    files: int = 0
    suffixes: set[str] = field(default_factory=set)
    reduced: set[str] = field(default_factory=set)


def draw(path: Any, limits: Limits) -> tuple[list[str], list[str]]:
    """Returns the lines of the tree of a local or remote folder, and the hints on names in it."""
    lister = _lister(path)
    count, lines = _Count(), list[str]()
    _walk(lister, lister.root, 1, "", limits, count, lines, (lister.identity(lister.root),))
    if len(lines) > limits.lines:
        lines[limits.lines :] = [f"... only showing {limits.lines} out of {count.files} files"]
    hints = [
        f"file has more than one suffix (path.suffixes), using only last suffix: '{name}' - if you want your "
        "composite suffix to be recognized add it to lamindb.core.storage.VALID_SIMPLE_SUFFIXES.add()"
        for name in sorted(count.reduced)
    ]
    noun = "sub-directory" if count.folders == 1 else "sub-directories"
    summary = f"{count.folders} {noun} & {count.files} files"
    if count.files:
        summary += " with suffixes " + ", ".join(f"'{suffix}'" for suffix in sorted(count.suffixes))
    return [summary, lister.title, *lines], hints


def _walk(
    lister: _LocalLister | _RemoteLister,
    folder: str,
    depth: int,
    indent: str,
    limits: Limits,
    count: _Count,
    lines: list[str],
    ancestors: tuple[object, ...],
) -> None:
    if limits.level != -1 and depth > limits.level:
        return
    shown = _shown_entries(lister, folder, limits, count)
    last = max((number for number, entry in enumerate(shown) if entry is not None), default=-1)
    for number, entry in enumerate(shown):
        if entry is None:
            lines.append(f"{indent}...")
            continue
        line = indent + (_LAST if number == last else _BRANCH) + _printable(entry.name)
        lines.append(line + "/" if entry.is_dir else line)
        if not entry.is_dir or not limits.skip.isdisjoint(name_suffixes(entry.name)):
            continue
        identity = lister.identity(entry.location)
        # A link to a folder above would never end.
        if identity not in ancestors:
            deeper = indent + (_BLANK if number == last else _PIPE)
            _walk(lister, entry.location, depth + 1, deeper, limits, count, lines, (*ancestors, identity))


def _shown_entries(
    lister: _LocalLister | _RemoteLister, folder: str, limits: Limits, count: _Count
) -> list[_Entry | None]:
    """Counts what a folder holds and returns the entries to show; None stands for the files left out."""
    entries = [entry for entry in lister.entries(folder) if _is_shown(entry, limits)]
    totals = Counter(entry.suffix for entry in entries if not entry.is_dir)
    ranks: Counter[str] = Counter()
    shown: list[_Entry | None] = []
    for entry in entries:
        if entry.is_dir:
            count.folders += 1
            shown.append(entry)
            continue
        count.files += 1
        count.suffixes.add(entry.suffix)
        if entry.is_reduced:
            count.reduced.add(entry.suffix)
        ranks[entry.suffix] += 1
        rank, limit = ranks[entry.suffix], limits.per_suffix
        if totals[entry.suffix] <= limit or rank < limit:
            shown.append(entry)
        elif rank == max(limit, 1):
            shown.append(None)
    return shown


def _is_shown(entry: _Entry, limits: Limits) -> bool:
    if limits.only_dirs and not entry.is_dir:
        return False
    return limits.include is None or limits.include(entry.location, entry.is_dir)


def _printable(name: str) -> str:
    """Returns a name that can't break the line or the terminal."""
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


class _LocalLister:
    """Lists local folders."""

    def __init__(self, path: Any) -> None:
        self.root = os.fspath(path)
        self.title = _printable(os.path.realpath(self.root))

    def entries(self, folder: str) -> list[_Entry]:
        try:
            with os.scandir(folder) as found:
                entries = [_Entry(item.name, item.path, item.is_dir()) for item in found]
        except PermissionError:
            if folder == self.root:
                raise
            return []
        return sorted(entries, key=lambda entry: entry.name)

    def identity(self, folder: str) -> object:
        status = os.stat(folder)
        return (status.st_dev, status.st_ino)


class _RemoteLister:
    """Lists folders of a remote file system."""

    def __init__(self, path: Any) -> None:
        self._fs = path.fs
        self.root = path.path.rstrip("/") or path.path
        self.title = _printable(split_query(str(path))[0].rstrip("/"))
        # The folder may have changed behind the file system's back.
        self._fs.invalidate_cache()
        # To list is to ask once; some servers fail when they are asked for a folder itself.
        self._top = self._list(self.root)
        if [(item["name"], item["type"]) for item in self._top] == [(self.root, "file")]:
            raise NotADirectoryError(f"Not a directory: '{self.title}'")

    def _list(self, folder: str) -> list[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self._fs.ls(folder, detail=True)
        except FileNotFoundError:
            raise FileNotFoundError(f"No such file or directory: '{self.title}'") from None
        return found

    def entries(self, folder: str) -> list[_Entry]:
        found = []
        for item in self._top if folder == self.root else self._list(folder):
            location = item["name"].rstrip("/")
            # Object stores list a folder's own marker object among its content.
            if location != folder.rstrip("/"):
                found.append(_Entry(location.rsplit("/", 1)[-1], location, item["type"] == "directory"))
        return sorted(found, key=lambda entry: entry.name)

    def identity(self, folder: str) -> object:
        return folder


def _lister(path: Any) -> _LocalLister | _RemoteLister:
    return _RemoteLister(path) if is_remote(path) else _LocalLister(path)


def including(root: Any, paths: Iterable[Any]) -> Callable[[str, bool], bool]:
    """Returns a test for whether a location is, leads to or lies below one of the paths."""

    def normal(path: Any) -> str:
        if is_remote(path):
            return str(path.path).strip("/")
        return str(path).split("://", 1)[-1].strip("/") if is_remote(root) else os.path.abspath(path)

    wanted = [normal(path) for path in paths]
    separator = "/" if is_remote(root) else os.sep

    def is_included(location: str, is_dir: bool) -> bool:
        place = location.strip("/") if is_remote(root) else os.path.abspath(location)
        return any(
            place == target
            or place.startswith(target + separator)
            or (is_dir and target.startswith(place + separator))
            for target in wanted
        )

    return is_included
