"""Reading local files and folders into memory, by suffix.

`load` reads one object, `open_` opens it without reading it whole, `load_collection` and `open_collection` do
so for several together; `to_disk` writes an object. The libraries that read a format are imported when a file
of it is read.
"""

from __future__ import annotations

import sys
from pathlib import Path

from holotype._optional import require
from holotype._stores import decompressed, zarr_kind
from holotype.collecting import load_collection, open_collection
from holotype.inmemory import kind_of, n_observations, suffix_of_object, to_disk
from holotype.opening import open_
from holotype.suffixes import raw_suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = [
    "kind_of",
    "load",
    "load_collection",
    "loader_of",
    "n_observations",
    "open_",
    "open_collection",
    "suffix_of_object",
    "suffixes_with_loader",
    "to_disk",
]


def load(
    path: str | Path,
    suffix_raw: str | None = None,
    *,
    on_warning: Callable[[str], None] | None = None,
    **kwargs: Any,
) -> Any:
    """Returns the content of a local file or folder as an object in memory.

    Args:
        path: Local file or folder.
        suffix_raw: Raw suffix that chooses the loader; by default that of the path's name.
        on_warning: Called with a message for the user; by default a Python warning.
        **kwargs: Passed to the reading function of the format's library.

    Returns:
        A DataFrame (`.csv`, `.tsv`, `.parquet`), AnnData (`.h5ad`, `.zarr`, `.fcs`), MuData (`.h5mu`,
        `.zarr`), SpatialData (`.zarr`), dict or list (`.json`, `.yaml`) or str (`.txt`, `.fasta`). Pages and
        pictures (`.html`, `.jpg`, `.png`, `.gif`, `.svg`) are shown in a notebook, which returns None, and
        elsewhere give the path, as does `.rds`.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        NotImplementedError: If no loader knows the suffix.
        ImportError: If the library for the format is absent; the message says how to install it.

    Example:
        >>> load("table.csv", usecols=["a"])
           a
        0  1
    """
    path = Path(path)
    suffix = raw_suffix(path.name) if suffix_raw is None else suffix_raw
    loader = loader_of(suffix)
    if not path.exists():
        raise FileNotFoundError(f"No such file or directory: '{path}'")
    if suffix == ".rds":
        _warn("Please use `laminr` to load `.rds` files", on_warning)
    return loader(path, suffix, **kwargs)


def loader_of(suffix: str) -> Callable[..., Any]:
    """Returns what reads files with a raw suffix.

    Raises:
        NotImplementedError: If there is none.

    Example:
        >>> loader_of(".csv")("table.csv", ".csv")
    """
    loader = _LOADERS.get(suffix)
    if loader is None:
        raise NotImplementedError(f"There is no loader for {suffix} files. Use .cache() to get the path.")
    return loader


def suffixes_with_loader() -> list[str]:
    """Returns the raw suffixes that `load` can read, sorted."""
    return sorted(_LOADERS)


def _warn(message: str, on_warning: Callable[[str], None] | None) -> None:
    if on_warning is not None:
        on_warning(message)
        return
    import warnings

    warnings.warn(message, stacklevel=3)


def _load_delimited(path: Path, suffix: str, **kwargs: Any) -> Any:
    # The suffix decides, not the name of the file: a cached copy may be named otherwise.
    if suffix.endswith(".tar.gz"):
        kwargs.setdefault("compression", {"method": "tar", "mode": "r:gz"})
    elif suffix.endswith(".gz"):
        kwargs.setdefault("compression", "gzip")
    if suffix.startswith(".tsv") and "sep" not in kwargs and "delimiter" not in kwargs:
        kwargs["sep"] = "\t"
    return require("pandas").read_csv(path, **kwargs)


def _load_parquet(path: Path, suffix: str, **kwargs: Any) -> Any:
    pandas = require("pandas")
    if kwargs.get("engine", "auto") != "fastparquet":
        require("pyarrow")
    return pandas.read_parquet(path, **kwargs)


def _load_h5ad(path: Path, suffix: str, **kwargs: Any) -> Any:
    anndata = require("anndata")
    with decompressed(path, suffix) as plain:
        return anndata.read_h5ad(plain, **kwargs)


def _load_zarr(path: Path, suffix: str, **kwargs: Any) -> Any:
    kind = "AnnData" if suffix == ".anndata.zarr" else zarr_kind(path)
    if kind is None:
        raise ValueError("Unable to determine zarr store format and therefore cannot load Artifact.")
    require("zarr")
    if kind == "AnnData":
        return require("anndata").read_zarr(path, **kwargs)
    if kind == "MuData":
        return require("mudata").read_zarr(path, **kwargs)
    return require("spatialdata").read_zarr(path, **kwargs)


def _load_h5mu(path: Path, suffix: str, **kwargs: Any) -> Any:
    return require("mudata").read_h5mu(path, **kwargs)


def _load_fcs(path: Path, suffix: str, **kwargs: Any) -> Any:
    return require("readfcs").read(path, **kwargs)


def _load_json(path: Path, suffix: str, **kwargs: Any) -> Any:
    import json

    with path.open(encoding="utf-8") as file:
        return json.load(file, **kwargs)


def _load_yaml(path: Path, suffix: str, **kwargs: Any) -> Any:
    yaml = require("yaml")
    with path.open(encoding="utf-8") as file:
        return yaml.safe_load(file, **kwargs)


def _load_text(path: Path, suffix: str, **kwargs: Any) -> str:
    return path.read_text(**{"encoding": "utf-8", **kwargs})


def _show(path: Path, suffix: str, **kwargs: Any) -> Path | None:
    """Shows a page or picture in a notebook; elsewhere returns its path."""
    if not _in_notebook():
        return path
    display: Any = require("IPython.display")
    if suffix == ".html":
        shown = display.HTML(filename=str(path), **kwargs)
    elif suffix == ".svg":
        shown = display.SVG(filename=str(path), **kwargs)
    else:
        shown = display.Image(filename=str(path), **kwargs)
    display.display(shown)
    return None


def _in_notebook() -> bool:
    # A kernel has imported IPython long before: no need to import it to ask.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None
    return getattr(shell, "kernel", None) is not None


def _path_itself(path: Path, suffix: str, **kwargs: Any) -> Path:
    return path


_LOADERS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys([".csv", ".csv.gz", ".csv.tar.gz", ".tsv", ".tsv.gz", ".tsv.tar.gz"], _load_delimited),
    ".parquet": _load_parquet,
    **dict.fromkeys([".h5ad", ".h5ad.gz", ".h5ad.tar.gz"], _load_h5ad),
    **dict.fromkeys([".zarr", ".anndata.zarr"], _load_zarr),
    ".h5mu": _load_h5mu,
    ".fcs": _load_fcs,
    **dict.fromkeys([".json", ".vitessce.json"], _load_json),
    **dict.fromkeys([".yaml", ".yml"], _load_yaml),
    **dict.fromkeys([".txt", ".fasta"], _load_text),
    **dict.fromkeys([".html", ".jpg", ".png", ".gif", ".svg"], _show),
    ".rds": _path_itself,
}
