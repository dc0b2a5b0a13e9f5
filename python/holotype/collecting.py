"""Reading several datasets as one: concatenation in memory, or one lazy table over all files."""

from __future__ import annotations

from pathlib import Path

from holotype._optional import require
from holotype._places import is_remote
from holotype.opening import TABLE_SUFFIXES, open_tables, table_files
from holotype.suffixes import raw_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_TABLES = (".csv", ".tsv", ".parquet")
_ANNDATA = (".h5ad", ".zarr", ".anndata.zarr")


def _suffixes(paths: Sequence[Any], suffixes_raw: Sequence[str] | None) -> tuple[list[Any], list[str]]:
    files = [path if is_remote(path) else Path(path) for path in paths]
    if not files:
        raise ValueError("The collection holds no artifacts.")
    suffixes = [raw_suffix(file.name) for file in files] if suffixes_raw is None else list(suffixes_raw)
    return files, suffixes


def load_collection(
    paths: Sequence[str | Path],
    uids: Sequence[str],
    *,
    suffixes_raw: Sequence[str] | None = None,
    join: str = "outer",
    label: str | None = "artifact_uid",
    keys: Sequence[object] | None = None,
    **kwargs: Any,
) -> Any:
    """Returns the datasets at several paths concatenated in order.

    Args:
        paths: Local files or folders.
        uids: Uid of the artifact behind each path.
        suffixes_raw: Raw suffix of each; by default that of the path's name.
        join: `"outer"` keeps all columns (or variables), `"inner"` the common ones.
        label: AnnData only: the `obs` column that says where an observation comes from; None for none.
        keys: AnnData only: what stands in that column; by default the uids.
        **kwargs: Passed to `pandas.concat` or `anndata.concat`.

    Returns:
        A DataFrame with the rows of all tables and their own index, or an AnnData object.

    Raises:
        ValueError: If the suffixes differ or the objects can't be concatenated.

    Example:
        >>> load_collection(["a.csv", "b.csv"], ["uid1", "uid2"], join="inner")
    """
    from holotype.loaders import load

    files, suffixes = _suffixes(paths, suffixes_raw)
    if len(set(suffixes)) != 1:
        raise ValueError("Can only load collections where all artifacts have the same suffix")
    suffix = suffixes[0]
    plain = suffix.removesuffix(".gz").removesuffix(".tar")
    if plain not in _TABLES + _ANNDATA:
        raise ValueError(f"Unable to concatenate {suffix} objects.")
    objects = [load(file, suffix) for file in files]
    if plain in _TABLES:
        return require("pandas").concat(objects, join=join, **kwargs)
    if any(not hasattr(loaded, "obs_names") or hasattr(loaded, "mod") for loaded in objects):
        raise ValueError(f"Unable to concatenate {suffix} objects.")
    if label is not None:
        kwargs |= {"label": label, "keys": list(uids if keys is None else keys)}
    return require("anndata").concat(objects, join=join, **kwargs)


def open_collection(
    paths: Sequence[Any],
    engine: str = "pyarrow",
    *,
    suffixes_raw: Sequence[str] | None = None,
    **kwargs: Any,
) -> Any:
    """Opens the tables at several paths as one, in order, without reading them.

    Args:
        paths: Files, or folders of files of one format: local ones, or `UPath`s of remote ones.
        engine: `"pyarrow"` or `"polars"`.
        suffixes_raw: Raw suffix of each; by default that of the path's name.
        **kwargs: Passed to `pyarrow.dataset.dataset` or the `scan` function of polars.

    Returns:
        A PyArrow dataset, or a context manager that yields a polars LazyFrame.

    Raises:
        ValueError: If formats differ or the engine does not know them.

    Example:
        >>> open_collection(["a.parquet", "b.parquet"]).to_table().num_rows
    """
    files, suffixes = _suffixes(paths, suffixes_raw)
    members: list[Any] = []
    formats: list[str] = []
    for file, suffix in zip(files, suffixes, strict=True):
        is_table = suffix in TABLE_SUFFIXES or (suffix == "" and file.is_dir())
        inner, format = table_files(file, suffix) if is_table else ([file], suffix)
        members += inner
        formats.append(format)
    if len(set(formats)) != 1:
        raise ValueError(
            "The artifacts in the collection have different file formats: "
            f"{', '.join(sorted(set(formats)))}.\n"
            "It is not possible to open such stores with pyarrow or polars."
        )
    return open_tables(members, formats[0], engine, **kwargs)
