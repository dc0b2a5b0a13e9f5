"""Opening files and folders without reading them whole, on this machine or where they lie."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import groupby
from pathlib import Path

from holotype._optional import require
from holotype._places import is_remote
from holotype._stores import decompressed, zarr_kind
from holotype.suffixes import raw_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    import polars as pl
    import pyarrow.dataset as pads

    from holotype import _native

PYARROW_SUFFIXES = (".parquet", ".csv", ".json", ".orc", ".arrow", ".feather", ".ipc")
POLARS_SUFFIXES = (".parquet", ".csv", ".tsv", ".ndjson", ".ipc")
TABLE_SUFFIXES = tuple(dict.fromkeys(PYARROW_SUFFIXES + POLARS_SUFFIXES))
_ZARR_SUFFIXES = (".zarr", ".anndata.zarr")
_HDF5_SUFFIXES = tuple(stem + code for stem in (".h5", ".hdf5", ".h5ad") for code in ("", ".gz", ".tar.gz"))
_PYARROW_FORMATS = {".arrow": "ipc", ".feather": "ipc"}


def streams(suffix: str) -> bool:
    """Returns true for suffixes whose files can be read in parts from another machine.

    Example:
        >>> streams(".parquet"), streams(".h5ad.gz")
        (True, False)
    """
    return suffix in (*TABLE_SUFFIXES, *_ZARR_SUFFIXES, "") or (
        suffix in _HDF5_SUFFIXES and not suffix.endswith(".gz")
    )


def open_(
    path: Any,
    mode: str = "r",
    engine: str = "pyarrow",
    *,
    suffix_raw: str | None = None,
    on_close: Callable[[], None] | None = None,
    parts: Callable[[], _native.Parts] | None = None,
    **kwargs: Any,
) -> Any:
    """Opens a file or folder without reading it whole.

    Args:
        path: Local file or folder, or the `UPath` of a remote one whose suffix `streams`.
        mode: `"r"` to read; `"w"` for a `.tiledbsoma` store; `"r+"` for a zarr store of AnnData or
            SpatialData.
        engine: `"pyarrow"` or `"polars"`, for tables.
        suffix_raw: Raw suffix that says what the object is; by default that of the path's name.
        on_close: Called when the accessor of a zarr store is closed.
        parts: Returns what reads a remote file in parts; by default its own file system does.
        **kwargs: Passed to `pyarrow.dataset.dataset` or the `scan` function of polars.

    Returns:
        For tables a PyArrow dataset, or a context manager that yields a polars LazyFrame; a folder without
        suffix counts as a table if all its files have one of the suffixes. An accessor for AnnData (`.h5ad`,
        `.zarr`), SpatialData (`.zarr`) and other HDF5 and zarr stores; the store itself for `.tiledbsoma`.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If the suffix, the mode or the engine is not among those above.
        ImportError: If the library for the format is absent; the message says how to install it.

    Example:
        >>> open_("table.parquet").head(5).to_pandas()
        >>> with open_("table.parquet", engine="polars") as lazy:
        ...     lazy.select("a").collect()
    """
    path = path if is_remote(path) else Path(path)
    suffix = raw_suffix(path.name) if suffix_raw is None else suffix_raw
    is_table = suffix in TABLE_SUFFIXES or suffix == ""
    if not (is_table or suffix in _ZARR_SUFFIXES or suffix in _HDF5_SUFFIXES or suffix == ".tiledbsoma"):
        raise ValueError(_unsupported_message())
    _check_mode(path, suffix, mode)
    if not path.exists():
        raise FileNotFoundError(f"No such file or directory: '{path}'")
    if is_table:
        files, table_suffix = table_files(path, suffix)
        return open_tables(files, table_suffix, engine, folder=path if path.is_dir() else None, **kwargs)
    if suffix == ".tiledbsoma":
        return require("tiledbsoma").open(str(path), mode=mode)
    from holotype import accessors

    if suffix in _ZARR_SUFFIXES:
        return accessors.open_zarr(path, mode, zarr_kind(path), on_close)
    # A compressed file is unpacked for as long as it is open.
    source = _in_blocks(path, parts) if is_remote(path) else decompressed(path, suffix)
    return accessors.open_hdf5(source, path.name, is_anndata=suffix.startswith(".h5ad"))


def _in_blocks(path: Any, parts: Callable[[], _native.Parts] | None) -> Any:
    """Returns a remote file that keeps the blocks it has read."""
    from holotype._blocks import BLOCK, BLOCKS, BlockFile

    if parts is not None:
        return BlockFile(parts())
    return path.open("rb", cache_type="blockcache", block_size=BLOCK, cache_options={"maxblocks": BLOCKS})


def table_files(path: Any, suffix: str) -> tuple[list[Any], str]:
    """Returns the files of a table and their common suffix.

    Args:
        path: A file, a folder with a table suffix, or a folder without suffix that holds files of one table
            suffix.
        suffix: Raw suffix of the file or folder.

    Raises:
        ValueError: If a folder without suffix holds no files or files of several formats.
    """
    if suffix in TABLE_SUFFIXES and not path.is_dir():
        return [path], suffix
    # Hidden files and those with an underscore (such as `_SUCCESS`) are notes of the program that wrote the
    # table.
    files = sorted(p for p in _files_below(path) if not p.name.startswith((".", "_")))
    found = {raw_suffix(file.name) for file in files}
    if len(found) != 1 or not found <= set(TABLE_SUFFIXES):
        raise ValueError(
            "The object should have .h5, .hdf5, .h5ad, .zarr, .tiledbsoma suffix be compatible with "
            f"pyarrow.dataset.dataset or polars.scan_* functions, instead of being {suffix} object."
        )
    return files, found.pop()


def _files_below(folder: Any) -> Iterator[Any]:
    if not is_remote(folder):
        yield from (path for path in folder.rglob("*") if path.is_file())
        return
    # One listing, instead of a question for every file.
    root = folder.path.rstrip("/") + "/"
    yield from (folder / name.removeprefix(root) for name in folder.fs.find(folder.path))


def open_tables(files: Sequence[Any], suffix: str, engine: str, *, folder: Any = None, **kwargs: Any) -> Any:
    """Opens files of one table format together, in the given order.

    Args:
        files: The files.
        suffix: Their common suffix.
        engine: `"pyarrow"` or `"polars"`.
        folder: Folder that holds these files and nothing else; its sub-folders may name partitions.
        **kwargs: Passed to the engine.
    """
    if engine not in ("pyarrow", "polars"):
        raise ValueError(f"Unknown engine: {engine}. It should be 'pyarrow' or 'polars'.")
    known = PYARROW_SUFFIXES if engine == "pyarrow" else POLARS_SUFFIXES
    if suffix not in known:
        raise ValueError(
            f"{suffix} files are not supported by {engine}, they should have one of these formats: "
            f"{', '.join(known)}."
        )
    if engine == "polars":
        return _scan_polars(files, suffix, **kwargs)
    return _pyarrow_dataset([folder] if folder is not None else files, suffix, **kwargs)


def _by_place(files: Sequence[Any]) -> list[list[Any]]:
    """Returns the files in their order, in groups of which each lies on one server or here."""

    def server(file: Any) -> str:
        return f"{file.protocol} {sorted(file.storage_options.items())}" if is_remote(file) else ""

    return [list(group) for _, group in groupby(files, key=server)]


def _pyarrow_dataset(files: Sequence[Any], suffix: str, **kwargs: Any) -> pads.Dataset:
    dataset = require("pyarrow.dataset").dataset
    kwargs.setdefault("format", _PYARROW_FORMATS.get(suffix, suffix.removeprefix(".")))
    parts = []
    for group in _by_place(files):
        if is_remote(group[0]):
            from holotype._arrow_files import ranges

            names, place = [file.path.rstrip("/") for file in group], {"filesystem": ranges(group[0].fs)}
        else:
            names, place = [str(file.absolute()) for file in group], {}
        parts.append(dataset(names[0] if len(names) == 1 else names, **{**place, **kwargs}))
    return parts[0] if len(parts) == 1 else dataset(parts)


def _scan_polars(files: Sequence[Any], suffix: str, **kwargs: Any) -> AbstractContextManager[pl.LazyFrame]:
    polars = require("polars")
    name = suffix.removeprefix(".")
    if name == "tsv":
        name = "csv"
        kwargs.setdefault("separator", "\t")
    scan = getattr(polars, f"scan_{name}")

    def part(group: list[Any]) -> pl.LazyFrame:
        if not is_remote(group[0]):
            return scan([file.absolute() for file in group], **kwargs)
        from holotype._clouds import polars_options

        return scan([str(file) for file in group], **{"storage_options": polars_options(group[0]), **kwargs})

    @contextmanager
    def lazy() -> Iterator[pl.LazyFrame]:
        parts = [part(group) for group in _by_place(files)]
        yield parts[0] if len(parts) == 1 else polars.concat(parts)

    return lazy()


def _check_mode(path: Path, suffix: str, mode: str) -> None:
    if mode == "r" or (mode == "w" and suffix == ".tiledbsoma"):
        return
    if (
        mode == "r+"
        and suffix in _ZARR_SUFFIXES
        and path.exists()
        and zarr_kind(path) in ("AnnData", "SpatialData")
    ):
        return
    raise ValueError(
        f"It is not allowed to open a {suffix} object with `mode='{mode}'`. You can open all supported "
        "formats with `mode='r'`, a tiledbsoma store with `mode='w'`, AnnData or SpatialData zarr store with "
        "`mode='r+'`."
    )


def _unsupported_message() -> str:
    tables = ", ".join(TABLE_SUFFIXES)
    stores = ", ".join([*_ZARR_SUFFIXES, ".tiledbsoma", *_HDF5_SUFFIXES])
    return (
        "Artifact should have a zarr, h5, tiledbsoma object or a compatible `pyarrow.dataset.dataset` or "
        "`polars.scan_*` directory as the underlying data, please use one of the following suffixes for the "
        "object "
        f"name: {stores}, {tables}. Or no suffix for a folder with {tables} files (no mixing allowed)."
    )
