"""Objects in memory: what they are, which suffix they are stored under, and writing them to disk."""

from __future__ import annotations

from pathlib import Path

from holotype._optional import present, require
from holotype._places import is_url
from holotype._stores import column_length, zarr_attributes, zarr_kind, zarr_length
from holotype.suffixes import raw_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    Kind = Literal["DataFrame", "AnnData", "MuData", "SpatialData"]

__all__ = ["kind_of", "n_observations", "suffix_of_object", "to_disk"]

_CLASSES: dict[tuple[str, str], Kind] = {
    ("pandas", "DataFrame"): "DataFrame",
    ("polars", "DataFrame"): "DataFrame",
    ("anndata", "AnnData"): "AnnData",
    ("mudata", "MuData"): "MuData",
    ("spatialdata", "SpatialData"): "SpatialData",
}
_ANNDATA_FORMATS = ("h5ad", "zarr", "anndata.zarr")


def _library_class(obj: object) -> tuple[str, Kind] | None:
    """Returns the library and the kind of an object, by the names of its class and base classes."""
    for cls in type(obj).__mro__:
        library = cls.__module__.split(".", 1)[0]
        kind = _CLASSES.get((library, cls.__name__))
        if kind:
            return library, kind
    return None


def kind_of(obj: object) -> Kind | None:
    """Returns which known dataset type an object is, without importing the library that defines it.

    Returns:
        `"DataFrame"` (pandas or polars), `"AnnData"`, `"MuData"`, `"SpatialData"`, or None for anything else.

    Example:
        >>> kind_of(pd.DataFrame({"a": [1]})), kind_of("path.csv")
        ('DataFrame', None)
    """
    found = _library_class(obj)
    return found[1] if found else None


def suffix_of_object(obj: object, key: str | None = None, format: str | None = None) -> str:
    """Returns the suffix under which an object in memory is stored.

    Args:
        obj: DataFrame (pandas or polars), AnnData, MuData or SpatialData.
        key: Key of the artifact, whose suffix may choose the format.
        format: Name of the format, such as `"csv"` or `"zarr"`; goes before the key.

    Raises:
        TypeError: If the object is none of the known types.
        ValueError: If the type can't be stored in the format.

    Example:
        >>> suffix_of_object(pd.DataFrame({"a": [1]}), key="table.csv")
        '.csv'
    """
    kind = kind_of(obj)
    wanted = format.removeprefix(".").lower() if format else raw_suffix(key or "").removeprefix(".")
    if kind == "DataFrame":
        if format and wanted not in ("csv", "parquet"):
            raise ValueError(
                "Error when specifying DataFrame storage format, it should be 'parquet', 'csv', "
                f"not '{format}'."
            )
        return ".csv" if wanted == "csv" else ".parquet"
    if kind == "AnnData":
        if wanted and wanted not in _ANNDATA_FORMATS:
            raise ValueError(
                f"Error when specifying AnnData storage format, it should be 'h5ad', 'zarr', not '{wanted}'. "
                "Check 'format' or the suffix of 'key'."
            )
        return f".{wanted}" if wanted else ".h5ad"
    if kind == "MuData":
        return ".h5mu"
    if kind == "SpatialData":
        return ".zarr"
    raise TypeError("data has to be a string, Path, UPath")


def to_disk(obj: Any, path: str | Path, **kwargs: Any) -> Path:
    """Writes an object in memory to a local path, in the format that the path's suffix names.

    Args:
        obj: DataFrame (`.parquet`, `.csv`), AnnData (`.h5ad`, `.zarr`), MuData (`.h5mu`, `.zarr`) or
            SpatialData (`.zarr`).
        path: File or folder to write; parent folders are created.
        **kwargs: Passed to the writer of the object's library.

    Returns:
        The path.

    Raises:
        TypeError: If the object is none of the known types.
        ValueError: If the type can't be stored under that suffix.

    Example:
        >>> to_disk(pd.DataFrame({"a": [1]}), "table.csv")
        PosixPath('table.csv')
    """
    path = Path(path)
    found = _library_class(obj)
    if found is None:
        raise TypeError("data has to be a string, Path, UPath")
    library, kind = found
    suffix = raw_suffix(path.name)
    method = _WRITERS.get((kind, suffix))
    if method is None:
        known = ", ".join(f"'{s}'" for k, s in _WRITERS if k == kind)
        raise ValueError(
            f"Cannot write {kind} to '{path}': its suffix is '{suffix}' but should be one of {known}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if library == "polars":
        writer = obj.write_csv if suffix == ".csv" else obj.write_parquet
        writer(path, **kwargs)
        return path
    if method == "to_csv" and "index" not in kwargs:
        # An index nobody set would come back as a column "Unnamed: 0".
        kwargs["index"] = not _has_default_index(obj)
    if method == "to_parquet":
        if kwargs.get("engine", "auto") != "fastparquet":
            require("pyarrow")
        obj = _with_plain_attrs(obj)
    getattr(obj, method)(path, **kwargs)
    return path


_WRITERS: dict[tuple[Kind, str], str] = {
    ("DataFrame", ".parquet"): "to_parquet",
    ("DataFrame", ".csv"): "to_csv",
    ("AnnData", ".h5ad"): "write_h5ad",
    ("AnnData", ".zarr"): "write_zarr",
    ("AnnData", ".anndata.zarr"): "write_zarr",
    ("MuData", ".h5mu"): "write",
    ("MuData", ".zarr"): "write_zarr",
    ("SpatialData", ".zarr"): "write",
}


def _with_plain_attrs(df: Any) -> Any:
    """Returns a data frame whose metadata can be stored: dates and the like become text.

    Parquet keeps the metadata as JSON, and writing fails where that can't express it.
    """
    import json

    def plain(value: Any) -> Any:
        for method in ("isoformat", "tolist"):
            if hasattr(value, method):
                return getattr(value, method)()
        return str(value)

    try:
        json.dumps(df.attrs)
    except TypeError:
        attrs = json.loads(json.dumps(df.attrs, default=plain, skipkeys=True))
        df = df.copy(deep=False)
        df.attrs = attrs
    return df


def _has_default_index(df: Any) -> bool:
    index = df.index
    return (
        type(index).__name__ == "RangeIndex"
        and (index.start, index.step, index.name) == (0, 1, None)
        and df.columns.nlevels == 1
    )


def n_observations(data: object) -> int | None:
    """Returns the number of observations where it is cheap to know, else None.

    Args:
        data: An object in memory, or the path of a local `.parquet`, `.h5ad` or AnnData `.zarr`; only footers
            and headers are read, of `.parquet` where pyarrow and of `.h5ad` where h5py is installed.

    Example:
        >>> n_observations(pd.DataFrame({"a": [1, 2]}))
        2
    """
    kind = kind_of(data)
    if kind == "DataFrame":
        return len(data)  # type: ignore[arg-type]
    if kind in ("AnnData", "MuData"):
        return int(data.n_obs)  # type: ignore[attr-defined]
    if not isinstance(data, (str, Path)) or is_url(str(data)):
        return None
    path = Path(data)
    suffix = raw_suffix(path.name)
    if suffix == ".parquet" and present("pyarrow"):
        return _parquet_rows(path)
    if suffix == ".h5ad" and present("h5py"):
        return _h5ad_observations(path)
    if suffix in (".zarr", ".anndata.zarr") and zarr_kind(path) == "AnnData":
        index = (zarr_attributes(path / "obs") or {}).get("_index")
        return zarr_length(path / "obs" / index) if index else None
    return None


def _parquet_rows(path: Path) -> int:
    if path.is_dir():
        dataset = require("pyarrow.dataset")
        return int(dataset.dataset(str(path), format="parquet").count_rows())
    return int(require("pyarrow.parquet").read_metadata(path).num_rows)


def _h5ad_observations(path: Path) -> int | None:
    with require("h5py").File(path, "r") as file:
        obs = file.get("obs")
        # Old files hold the annotation as one compound dataset.
        if obs is not None and hasattr(obs, "shape"):
            return int(obs.shape[0])
        index = obs.attrs.get("_index") if obs is not None else None
        return column_length(obs[index]) if index is not None else None
