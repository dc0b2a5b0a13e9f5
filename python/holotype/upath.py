"""Paths: universal-pathlib's `UPath` with what data folders need, and `view_tree` for every local path.

Importing this module gives `pathlib.Path` the method `view_tree`. `UPath` itself is imported at its first
use, because the libraries behind it take a while; from then on it carries the methods below.
"""

from __future__ import annotations

from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime
    from typing import Any

    from upath import UPath

__all__ = [
    "UPath",
    "cache",
    "default_cache_dir",
    "download_to",
    "from_auth",
    "modified",
    "set_cache_dir",
    "set_output",
    "synchronize_to",
    "to_url",
    "upload_from",
    "view_tree",
]


def __getattr__(name: str) -> Any:
    if name != "UPath":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    extended = globals()["UPath"] = _extended_upath()
    return extended


def view_tree(
    self: Any,
    level: int = 2,
    only_dirs: bool = False,
    n_max_files_per_dir_and_type: int = 100,
    n_max_files: int = 1000,
    include_paths: Collection[Any] | None = None,
    skip_suffixes: Collection[str] | None = None,
    *,
    print_fn: Callable[[str], None] | None = None,
    hint_fn: Callable[[str], None] | None = None,
) -> None:
    """Prints the folders and files below a folder as a tree.

    The first line counts them and names the suffixes, the second is the folder. Folders at the last level are
    counted, their content is not.

    Args:
        level: How many levels to enter; -1 for all.
        only_dirs: Show folders only.
        n_max_files_per_dir_and_type: How many files of one suffix to show per folder; `...` stands for the
            rest.
        n_max_files: How many lines to show; the counts cover all.
        include_paths: Show only these paths, what is below them and the folders that lead to them.
        skip_suffixes: Do not enter folders whose names have these suffixes.
        print_fn: Takes the text; by default what `set_output` says.
        hint_fn: Takes a hint for each kind of name of which only the last suffix counts; by default what
            `set_output` says.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        NotADirectoryError: If it is a file.

    Example:
        >>> ln.UPath("sample_001").view_tree(level=1)
        1 sub-directory & 1 files with suffixes '.csv'
        /home/me/sample_001
        ├── analysis/
        └── metrics_summary.csv
    """
    from holotype import _tree

    lines, hints = _tree.draw(
        self,
        _tree.Limits(
            level=level,
            only_dirs=only_dirs,
            per_suffix=n_max_files_per_dir_and_type,
            lines=n_max_files,
            include=None if include_paths is None else _tree.including(self, include_paths),
            skip=frozenset(skip_suffixes or ()),
        ),
    )
    for hint in hints:
        (hint_fn or _hint)(hint)
    (print_fn or _print)("\n".join(lines))


def set_output(
    print_fn: Callable[[str], None] | None = None, hint_fn: Callable[[str], None] | None = None
) -> None:
    """Sets where `view_tree` sends its text when a call names no function of its own.

    Args:
        print_fn: Takes the text of a tree; None for `print`.
        hint_fn: Takes hints on suffixes; None for the package's voice at level hint.

    Example:
        >>> set_output(hint_fn=lambda text: logger.hint(text))
    """
    global _print, _hint
    _print = print_fn or print
    _hint = hint_fn or _say_hint


def _say_hint(text: str) -> None:
    from holotype import _voice

    _voice.say(_voice.HINT, text)


_print: Callable[[str], None] = print
_hint: Callable[[str], None] = _say_hint


def upload_from(
    self: Any,
    local_path: str | Path,
    create_folder: bool | None = None,
    print_progress: bool = True,
    **kwargs: Any,
) -> Any:
    """Uploads a local file or folder to this path.

    Args:
        local_path: Local file or folder; of a folder only its files are uploaded.
        create_folder: For a folder: put it below this path under its own name (the default), or put its
            content directly here.
        print_progress: Print a line that shows how far the upload is.
        **kwargs: Passed to the file system for every file.

    Returns:
        The destination.

    Raises:
        FileNotFoundError: If there is nothing at the local path.
        ValueError: If `create_folder` is set for a file.

    Example:
        >>> ln.UPath("s3://bucket/raw").upload_from("./sample_001")
    """
    from holotype import _remote

    return _remote.upload(self, Path(local_path), create_folder, print_progress, kwargs)


def download_to(self: Any, local_path: str | Path, print_progress: bool = True, **kwargs: Any) -> Path:
    """Downloads this file or folder to a local path.

    A file is written under a temporary name and renamed when it is complete.

    Args:
        local_path: Where to put it. If a folder is there already, the file or folder goes into it under its
            own name.
        print_progress: Print a line that shows how far the download is.
        **kwargs: Passed to the file system for every file.

    Returns:
        The local path.

    Raises:
        FileNotFoundError: If there is nothing at this path.

    Example:
        >>> ln.UPath("s3://bucket/cells.h5ad").download_to("cells.h5ad")
    """
    from holotype import _remote

    return _remote.download(self, Path(local_path), print_progress, kwargs)


def synchronize_to(
    self: Any,
    destination: str | Path,
    error_no_origin: bool = True,
    print_progress: bool = False,
    just_check: bool = False,
    **kwargs: Any,
) -> bool:
    """Makes a local path equal to this file or folder, downloading only what is missing or older.

    A local file is up to date if its size is the same and it is no older than the origin (in whole seconds).
    Local files that the origin does not have are removed from a folder.

    Args:
        destination: Local file or folder.
        error_no_origin: Raise an error if there is nothing at this path.
        print_progress: Print a line that shows how far the download is.
        just_check: Change nothing, just tell.
        **kwargs: Passed to the file system for every file.

    Returns:
        Whether something was (or would be) downloaded or removed.

    Raises:
        FileNotFoundError: If there is nothing at this path and `error_no_origin` is set.
        ValueError: If the destination is the current or home directory, or contains it, and this is a folder.

    Example:
        >>> ln.UPath("s3://bucket/folder").synchronize_to("local_copy")
        True
    """
    from holotype import _remote

    return _remote.synchronize(self, Path(destination), error_no_origin, print_progress, just_check, kwargs)


def modified(self: Any) -> datetime | None:
    """Time of the last change, in local time without time zone; None if the file system does not tell."""
    from holotype import _remote

    return _remote.modified(self)


def cache(self: Any, cache_key: str | None = None, **kwargs: Any) -> Path:
    """Returns a local copy of this file or folder, downloaded if missing or older; local paths as they are.

    Args:
        cache_key: Path below the cache directory; by default bucket and key.
        **kwargs: Passed to `synchronize_to`.

    Raises:
        FileNotFoundError: If there is nothing at this path.
        ValueError: If the key leads out of the cache directory.

    Example:
        >>> ln.UPath("s3://bucket/cells.h5ad").cache()
    """
    from holotype import _remote

    return _remote.cache(self, cache_key, _cache_dir(), kwargs)


def to_url(self: Any) -> str:
    """Returns the public address of an S3 object.

    Raises:
        ValueError: If this is no S3 path.

    Example:
        >>> ln.UPath("s3://bucket/cells.h5ad").to_url()
        'https://bucket.s3.amazonaws.com/cells.h5ad'
    """
    from holotype import _remote

    return _remote.to_url(self)


def from_auth(cls: type, path: str | Path) -> Any:
    """Returns a path object with the credentials of the environment.

    Args:
        path: Address or path object; an object is returned unchanged.

    Example:
        >>> ln.UPath.from_auth("s3://bucket/folder")
    """
    return path if isinstance(path, _extended_upath()) else _extended_upath()(path)


def default_cache_dir() -> Path:
    """Returns where copies of remote files are kept unless `set_cache_dir` says otherwise."""
    from holotype import _native

    return Path(_native.cache_dir())


def set_cache_dir(directory: Path | Callable[[], Path] | None) -> None:
    """Sets where `cache` keeps copies: a folder, a function that returns one, or None for the default.

    Example:
        >>> set_cache_dir(lambda: settings.cache_dir)
    """
    global _cache_dir
    if directory is None:
        _cache_dir = default_cache_dir
    elif callable(directory):
        _cache_dir = directory
    else:
        fixed = Path(directory)
        _cache_dir = lambda: fixed  # noqa: E731


_cache_dir: Callable[[], Path] = default_cache_dir


def _extended_upath() -> Any:
    """Returns universal-pathlib's class, which carries this module's methods, as does its local one.

    Its file systems are made as `_clouds` says.
    """
    from holotype._optional import require

    base = require("upath").UPath
    if "synchronize_to" not in base.__dict__:
        import warnings

        from upath.registry import register_implementation

        from holotype._clouds import ArtifactPath, S3QueryPath, file_system

        base._fs_factory = classmethod(file_system)
        own = dict.fromkeys(("s3", "s3a"), S3QueryPath) | dict.fromkeys(("holotype", "lamin"), ArtifactPath)
        for protocol, path in own.items():
            register_implementation(protocol, path, clobber=True)
        # That library is told above how to read these addresses, and wonders all the same.
        warnings.filterwarnings("ignore", "Could not find default for known protocol '(holotype|lamin)'")
    for cls in (base, type(base("."))):
        if "synchronize_to" in cls.__dict__:
            continue
        cls.view_tree = view_tree
        cls.upload_from = upload_from
        cls.download_to = download_to
        cls.synchronize_to = synchronize_to
        cls.modified = property(modified)
        cls.cache = cache
        cls.to_url = to_url
        cls.from_auth = classmethod(from_auth)
    return base


Path.view_tree = view_tree  # type: ignore[attr-defined]
