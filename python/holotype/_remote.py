"""Moving files between local folders and remote file systems."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import datetime
from pathlib import Path

from holotype import _voice
from holotype._places import is_remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_PROGRESS_INTERVAL = 0.25


class _Progress:
    """A line that shows how far a transfer is; the methods are those fsspec calls on a callback."""

    def __init__(self, action: str, name: str, total: int, enabled: bool) -> None:
        self._label = f"... {action} {name}: "
        self._total = total
        self._enabled = enabled
        # A line that overwrites itself reads badly in a log file.
        self._live = enabled and _voice.colours()
        self._finished_files = 0
        self._done = 0
        self._last = 0.0

    def __enter__(self) -> _Progress:
        self._show(0.0)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._enabled:
            return
        if kind is None:
            sys.stdout.write(f"\r{self._label}{100:4.1f}%\n" if self._live else f"{self._label}{100:4.1f}%\n")
        elif self._live:
            sys.stdout.write("\n")
        sys.stdout.flush()

    def file_done(self, size: int) -> None:
        """Counts a whole file, whatever its callbacks reported."""
        self._finished_files += size
        self._done = 0
        self._report()

    def set_size(self, size: int | None) -> None:
        """Takes the size of the current file, which is known already."""

    def absolute_update(self, value: int) -> None:
        """Takes how many bytes of the current file are done."""
        self._done = value
        self._report()

    def relative_update(self, inc: int = 1) -> None:
        """Takes how many more bytes of the current file are done."""
        self._done += inc
        self._report()

    def branch(self, path_1: str, path_2: str, kwargs: dict[str, Any]) -> None:
        """Makes no callbacks of its own for parts."""

    def branched(self, path_1: str, path_2: str, **kwargs: Any) -> _Progress:
        """Returns the callback for one of several files: this one."""
        return self

    def call(self, *_: Any, **__: Any) -> None:
        """Takes a general update."""

    def wrap(self, iterable: Any) -> Any:
        """Returns an iterable unchanged."""
        return iterable

    def close(self) -> None:
        """Ends the callback."""

    def _report(self) -> None:
        if self._total and time.monotonic() - self._last >= _PROGRESS_INTERVAL:
            self._show(min(100.0, 100.0 * (self._finished_files + self._done) / self._total))

    def _show(self, percent: float) -> None:
        if self._live:
            self._last = time.monotonic()
            sys.stdout.write(f"\r{self._label}{percent:4.1f}%")
            sys.stdout.flush()


def _place(path: Any) -> str:
    """Returns a path as its file system names it."""
    return str(path.path) if is_remote(path) else os.path.abspath(path)


def _local_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yields relative name and path of every file below a folder, sorted."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def _remote_files(path: Any) -> dict[str, dict[str, Any]]:
    """Returns relative name and description of every file below a remote folder."""
    root = _place(path).rstrip("/")
    found = path.fs.find(root, detail=True)
    return {name.removeprefix(root).lstrip("/"): info for name, info in sorted(found.items())}


def upload(
    path: Any, local: Path, create_folder: bool | None, print_progress: bool, options: dict[str, Any]
) -> Any:
    """Uploads a local file or folder; returns the destination."""
    if not local.exists():
        raise FileNotFoundError(f"No such file or directory: '{local.absolute()}'")
    if not local.is_dir():
        if create_folder:
            raise ValueError(f"`create_folder` is for folders, but '{local}' is a file.")
        destination, files = path, [("", local)]
    else:
        destination = path / local.absolute().name if create_folder in (None, True) else path
        files = list(_local_files(local))
    total = sum(file.stat().st_size for _, file in files)
    root = _place(destination).rstrip("/")
    with _Progress("uploading", local.name, total, print_progress) as progress:
        for name, file in files:
            target = f"{root}/{name}" if name else root
            parent = target.rsplit("/", 1)[0]
            if parent:
                # Does nothing where folders are but prefixes of keys.
                _make_folder(path.fs, parent)
            path.fs.put_file(str(file), target, callback=progress, **options)
            progress.file_done(file.stat().st_size)
    path.fs.invalidate_cache()
    return destination


def _make_folder(file_system: Any, folder: str) -> None:
    if not _has_prefixes_only(file_system):
        file_system.makedirs(folder, exist_ok=True)


def _has_prefixes_only(file_system: Any) -> bool:
    """Returns whether a file system is an object store, where making a folder could try to make a bucket."""
    protocol = file_system.protocol
    protocols = (protocol,) if isinstance(protocol, str) else protocol
    return not {"s3", "s3a", "gs", "gcs", "az", "abfs", "hf"}.isdisjoint(protocols)


def download(path: Any, local: Path, print_progress: bool, options: dict[str, Any]) -> Path:
    """Downloads a file or folder; returns the local path."""
    path.fs.invalidate_cache()
    place = _place(path)
    if not path.fs.exists(place):
        raise FileNotFoundError(f"No such file or directory: '{path}'")
    if local.is_dir():
        local = local / path.name
    if path.fs.isfile(place):
        files = {"": path.fs.info(place)}
    else:
        files = _remote_files(path)
        local.mkdir(parents=True, exist_ok=True)
    _fetch(path, files, local, print_progress, "downloading", options)
    return local


def _fetch(
    path: Any, files: dict[str, dict[str, Any]], local: Path, show: bool, action: str, options: dict[str, Any]
) -> None:
    """Downloads files, each under a temporary name that is renamed at the end; keeps their times."""
    total = sum(int(info.get("size") or 0) for info in files.values())
    root = _place(path).rstrip("/")
    with _Progress(action, local.name, total, show) as progress:
        for name, info in files.items():
            target = _below(local, name) if name else local
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.{os.getpid()}.part")
            try:
                path.fs.get_file(
                    f"{root}/{name}" if name else root, str(partial), callback=progress, **options
                )
                size = info.get("size")
                if size is not None and partial.stat().st_size != size:
                    raise OSError(f"'{path}' is incomplete: got {partial.stat().st_size} of {size} bytes.")
                changed = _timestamp(info)
                if changed is not None:
                    os.utime(partial, (changed, changed))
                os.replace(partial, target)
            finally:
                partial.unlink(missing_ok=True)
            progress.file_done(int(info.get("size") or 0))


def _below(folder: Path, name: str) -> Path:
    """Returns a path below a folder; refuses a name that leads out of it."""
    if any(part in ("..", "") for part in name.split("/")):
        raise ValueError(f"The name '{name}' leads out of the folder '{folder}'.")
    return folder / name


def synchronize(
    path: Any,
    local: Path,
    error_no_origin: bool,
    print_progress: bool,
    just_check: bool,
    options: dict[str, Any],
) -> bool:
    """Makes a local path equal to a remote one; returns whether anything had to change."""
    path.fs.invalidate_cache()
    place = _place(path)
    if not path.fs.exists(place):
        if not error_no_origin or local.exists():
            return _keep_local(path, local)
        raise FileNotFoundError(
            f"The original path {path} does not exist anymore.\nIt is not possible to synchronize."
        )
    if path.fs.isfile(place):
        files, extra = {"": path.fs.info(place)}, []
        if local.is_dir():
            extra = [local]
    else:
        _refuse_home(local)
        files = _remote_files(path)
        extra = [file for name, file in _local_files(local) if name not in files] if local.is_dir() else []
        if local.is_file():
            extra = [local]
    stale = {name: info for name, info in files.items() if _is_stale(local / name if name else local, info)}
    if just_check or not (stale or extra):
        return bool(stale or extra)
    for file in extra:
        _remove(file)
    _fetch(path, stale, local, print_progress, "synchronizing", options)
    _remove_empty_folders(local)
    return True


def _keep_local(path: Any, local: Path) -> bool:
    if local.exists():
        import warnings

        warnings.warn(
            f"The original path {path} does not exist anymore.\nHowever, the local path {local.absolute()} "
            "still exists, you might want to reupload the object back.",
            stacklevel=4,
        )
    return False


def _refuse_home(local: Path) -> None:
    place = local.resolve()
    for kept in (Path.cwd(), Path.home()):
        if place == kept.resolve() or place in kept.resolve().parents:
            raise ValueError(
                f"Cannot synchronize to '{local}': files that the origin does not have would be removed from "
                "a folder that is or contains the current or the home directory. Choose a folder of its own."
            )


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _remove_empty_folders(root: Path) -> None:
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _is_stale(local: Path, info: dict[str, Any]) -> bool:
    if not local.is_file():
        return True
    status = local.stat()
    size = info.get("size")
    if size is not None and size != status.st_size:
        return True
    changed = _timestamp(info)
    return changed is not None and int(changed) > int(status.st_mtime)


def _timestamp(info: dict[str, Any]) -> float | None:
    """Returns the time of the last change in seconds, from a file system's description of a file."""
    for name in ("LastModified", "last_modified", "updated", "mtime", "modified", "created"):
        value = info.get(name)
        if value is None:
            continue
        if isinstance(value, str):
            try:
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
            except ValueError:
                continue
        return value.timestamp() if isinstance(value, datetime) else float(value)
    return None


def modified(path: Any) -> datetime | None:
    """Returns the time of the last change in local time without time zone."""
    info = path.fs.info(_place(path))
    changed = None if info.get("type") == "directory" and is_remote(path) else _timestamp(info)
    return None if changed is None else datetime.fromtimestamp(changed)


def cache(path: Any, key: str | None, directory: Path, options: dict[str, Any]) -> Path:
    """Returns a local copy of a remote path, a local path as it is."""
    if not is_remote(path):
        return Path(path)
    relative = (key if key is not None else _place(path)).split("://", 1)[-1]
    if key is None:
        relative = relative.lstrip("/")
    local = Path(os.path.normpath(directory / relative))
    if not local.is_relative_to(os.path.normpath(directory)) or local == Path(os.path.normpath(directory)):
        raise ValueError(f"cache key {relative} resolves outside the cache directory.")
    synchronize(path, local, True, bool(options.pop("print_progress", True)), False, options)
    return local


def to_url(path: Any) -> str:
    """Returns the public address of an S3 object."""
    if getattr(path, "protocol", "") not in ("s3", "s3a"):
        raise ValueError("The provided UPath must be an S3 path.")
    from urllib.parse import quote

    bucket, _, key = str(path.path).partition("/")
    endpoint = getattr(path.fs, "endpoint_url", None) or (getattr(path.fs, "client_kwargs", None) or {}).get(
        "endpoint_url"
    )
    if endpoint:
        return f"{endpoint.rstrip('/')}/{bucket}/{quote(key)}"
    region = _region(path.fs, bucket)
    host = f"{bucket}.s3.amazonaws.com" if region == "us-east-1" else f"{bucket}.s3-{region}.amazonaws.com"
    return f"https://{host}/{quote(key)}"


def _region(file_system: Any, bucket: str) -> str:
    answer = file_system.call_s3("head_bucket", Bucket=bucket)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    return headers.get("x-amz-bucket-region") or "us-east-1"
