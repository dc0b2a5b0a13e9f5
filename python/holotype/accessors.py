"""Accessors: objects in HDF5 and zarr stores that read only what is asked for."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from holotype._optional import require
from holotype._places import is_remote
from holotype._selection import Axis, read_element
from holotype._stores import zarr_is_consolidated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Literal

    import numpy as np
    import pandas as pd
    from anndata import AnnData

    from holotype._stores import ZarrKind

__all__ = ["AnnDataAccessor", "AnnDataAccessorSubset", "BackedAccessor", "SpatialDataAccessor"]

# Axes of each slot: observations or variables.
_SLOT_AXES = {
    "layers": ("obs", "var"),
    "obsm": ("obs",),
    "varm": ("var",),
    "obsp": ("obs", "obs"),
    "varp": ("var", "var"),
}


def open_zarr(path: Any, mode: str, kind: ZarrKind | None, on_close: Callable[[], None] | None = None) -> Any:
    """Returns the accessor for a zarr store.

    Args:
        path: A local path or a `UPath`.
        mode: `"r"` or `"r+"`.
        kind: What the store holds.
        on_close: Called once, when the accessor is closed.
    """
    storage = _zarr_group(path, mode)
    resources = ExitStack()
    if on_close is not None:
        resources.callback(on_close)
    if kind == "AnnData":
        return AnnDataAccessor(storage, path.name, resources, folders=[path])
    if kind == "SpatialData":
        return SpatialDataAccessor(storage, path, resources)
    return BackedAccessor(None, storage, resources)


def _zarr_group(path: Any, mode: str) -> Any:
    zarr = require("zarr")
    # Since version 3, zarr refuses to write through a consolidated listing; before, it never used one here.
    how: dict[str, Any] = {}
    if mode != "r" and int(zarr.__version__.split(".")[0]) >= 3:
        how["use_consolidated"] = False
    if is_remote(path):
        from holotype._clouds import options

        how["storage_options"] = options(path.protocol, path.storage_options)
    return zarr.open_group(str(path), mode=mode, **how)


def open_hdf5(source: AbstractContextManager[Any], filename: str, *, is_anndata: bool) -> Any:
    """Returns the accessor for an HDF5 file.

    Args:
        source: Gives the path, or an open file, while entered; left when the accessor is closed.
        filename: Name to show.
        is_anndata: Whether the file holds an AnnData object.
    """
    with ExitStack() as stack:
        path = stack.enter_context(source)
        storage = stack.enter_context(require("h5py").File(path, "r"))
        resources = stack.pop_all()
    if is_anndata:
        return AnnDataAccessor(storage, filename, resources)
    return BackedAccessor(None, storage, resources)


@dataclass
class BackedAccessor:
    """An open HDF5 file or zarr group.

    Args:
        connection: Connection to a remote store, None for local ones.
        storage: The open file or group.

    Example:
        >>> with ln.Artifact.get(key="data.h5").open() as access:
        ...     access.storage["d"][:10]
    """

    connection: Any
    storage: Any
    _resources: ExitStack | None = None

    def __repr__(self) -> str:
        return f"BackedAccessor(connection={self.connection!r}, storage={self.storage!r})"

    def close(self) -> None:
        """Closes the file; further reads fail."""
        if self._resources is not None:
            self._resources.close()

    def __enter__(self) -> BackedAccessor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Slot:
    """One of the mappings of an AnnData object, such as `layers`; reads an element when it is asked for."""

    def __init__(self, name: str, group: Any, axes: tuple[Axis, ...]) -> None:
        self._name = name
        self._group = group
        self._axes = axes

    def keys(self) -> list[str]:
        return sorted(self._group.keys()) if self._group is not None else []

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __getitem__(self, key: str) -> Any:
        if key not in self:
            raise KeyError(f"{key!r} is not in {self._name}, which has {self.keys()}.")
        return read_element(self._group[key], self._axes)

    def to_dict(self) -> dict[str, Any]:
        """Returns all elements in memory."""
        return {key: read_element(self._group[key], self._axes, in_memory=True) for key in self}

    def __repr__(self) -> str:
        return f"Accessor for the AnnData attribute {self._name}\n  with keys: {self.keys()}"


class _Frame:
    """What an AnnData object and its `raw` share: a matrix between two axes."""

    def __init__(self, storage: Any, obs: Axis, var: Axis) -> None:
        self.storage = storage
        self._axis = {"obs": obs, "var": var}

    def _element(self, name: str) -> Any:
        # A closed file does not complain: it just contains nothing.
        if type(self.storage).__module__.startswith("h5py") and not self.storage:
            raise ValueError("The file is closed; open it again.")
        return self.storage[name] if name in self.storage else None

    def _slot(self, name: str) -> _Slot:
        return _Slot(name, self._element(name), tuple(self._axis[axis] for axis in _SLOT_AXES[name]))

    @property
    def X(self) -> Any:
        """The matrix: an object on disk, or an array in memory for a subset."""
        element = self._element("X")
        return None if element is None else read_element(element, (self._axis["obs"], self._axis["var"]))

    @property
    def var(self) -> pd.DataFrame:
        """Annotation of the variables, in memory."""
        return self._axis["var"].annotation()

    @property
    def var_names(self) -> pd.Index[str]:
        """Names of the variables."""
        return self._axis["var"].names()

    @property
    def varm(self) -> _Slot:
        """Multi-dimensional annotation of the variables."""
        return self._slot("varm")

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of observations and variables."""
        return len(self._axis["obs"]), len(self._axis["var"])


class AnnDataRawAccessor(_Frame):
    """The `raw` part of a stored AnnData object."""

    def __repr__(self) -> str:
        n_obs, n_vars = self.shape
        return f"AnnDataRawAccessor object with n_obs × n_vars = {n_obs} × {n_vars}"


class _AnnDataBase(_Frame):
    @property
    def obs(self) -> pd.DataFrame:
        """Annotation of the observations, in memory."""
        return self._axis["obs"].annotation()

    @property
    def obs_names(self) -> pd.Index[str]:
        """Names of the observations."""
        return self._axis["obs"].names()

    @property
    def uns(self) -> dict[str, Any]:
        """Unstructured metadata, in memory."""
        element = self._element("uns")
        return {} if element is None else require("anndata.io").read_elem(element)

    @property
    def layers(self) -> _Slot:
        """Further matrices."""
        return self._slot("layers")

    @property
    def obsm(self) -> _Slot:
        """Multi-dimensional annotation of the observations."""
        return self._slot("obsm")

    @property
    def obsp(self) -> _Slot:
        """Pairwise annotation of the observations."""
        return self._slot("obsp")

    @property
    def varp(self) -> _Slot:
        """Pairwise annotation of the variables."""
        return self._slot("varp")

    @property
    def raw(self) -> AnnDataRawAccessor | None:
        """The raw data, None if there is none."""
        raw = self._element("raw")
        if raw is None or not hasattr(raw, "keys") or "var" not in raw:
            return None
        return AnnDataRawAccessor(raw, self._axis["obs"], Axis(raw["var"]))

    def __getitem__(self, index: Any) -> AnnDataAccessorSubset:
        obs, var = index if isinstance(index, tuple) else (index, slice(None))
        return AnnDataAccessorSubset(self.storage, self._axis["obs"][obs], self._axis["var"][var])

    def to_dict(self) -> dict[str, Any]:
        """Returns the parts in memory, as AnnData's constructor takes them."""
        element = self._element("X")
        axes = (self._axis["obs"], self._axis["var"])
        parts: dict[str, Any] = {
            "X": None if element is None else read_element(element, axes, in_memory=True),
            "obs": self.obs,
            "var": self.var,
            "uns": self.uns,
            **{name: self._slot(name).to_dict() for name in _SLOT_AXES},
        }
        raw = self.raw
        if raw is not None:
            matrix = read_element(raw.storage["X"], (raw._axis["obs"], raw._axis["var"]), in_memory=True)
            parts["raw"] = {"X": matrix, "var": raw.var, "varm": raw.varm.to_dict()}
        return parts

    def to_memory(self) -> AnnData:
        """Returns an AnnData object in memory."""
        return require("anndata").AnnData(**self.to_dict())

    def _describe(self, title: str) -> str:
        n_obs, n_vars = self.shape
        lines = [f"{title} object with n_obs × n_vars = {n_obs} × {n_vars}"]
        for name in ("obs", "var", "uns", *_SLOT_AXES, "raw"):
            element = self._element(name)
            if element is not None and hasattr(element, "keys") and len(element):
                lines.append(f"    {name}: {sorted(element.keys())}")
        return "\n".join(lines)


class AnnDataAccessor(_AnnDataBase):
    """A stored AnnData object, read in parts.

    Slicing by positions, masks or names gives a subset, which `to_memory()` reads; nothing else is.

    Args:
        storage: Open HDF5 file or zarr group.
        filename: Name to show.
        resources: What to close together with the accessor.
        folders: Paths of zarr groups that contain the object, innermost first.

    Example:
        >>> with ln.Artifact.get(key="cells.h5ad").open() as access:
        ...     adata = access[access.obs.cell_type == "T cell"].to_memory()
    """

    def __init__(
        self, storage: Any, filename: str, resources: ExitStack | None = None, folders: Sequence[Any] = ()
    ) -> None:
        super().__init__(storage, Axis(storage["obs"]), Axis(storage["var"]))
        self._filename = filename
        self._resources = resources
        self._folders = folders
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the store has been closed."""
        return self._closed

    def close(self) -> None:
        """Closes the file, if the store is one; further reads of it fail.

        What was written to the store of an artifact becomes its next version.
        """
        if self._resources is not None:
            self._resources.close()
        self._closed = True

    def __enter__(self) -> AnnDataAccessor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add_column(
        self, where: Literal["obs", "var"], col_name: str, col: np.ndarray[Any, Any] | pd.Categorical
    ) -> None:
        """Adds a column to the annotation in the store.

        Args:
            where: `"obs"` or `"var"`.
            col_name: Name of the new column.
            col: Its values, one per observation or variable.

        Raises:
            ValueError: If the store is not a zarr store opened with `mode="r+"`, the column exists already or
                its length is wrong.

        Example:
            >>> with ln.Artifact.get(key="cells.zarr").open(mode="r+") as access:
            ...     access.add_column("obs", "is_control", mask)
        """
        if getattr(self.storage, "read_only", True):
            raise ValueError(f"Cannot add a column to {self._filename}: open a zarr store with mode='r+'.")
        if where not in ("obs", "var"):
            raise ValueError(f"Cannot add a column to {where!r}: choose 'obs' or 'var'.")
        axis, group = self._axis[where], self.storage[where]
        if col_name in group:
            raise ValueError(f"Column {col_name!r} exists already in {where} of {self._filename}.")
        if len(col) != len(axis):
            raise ValueError(f"Column {col_name!r} has {len(col)} values but {where} has {len(axis)} rows.")
        require("anndata.io").write_elem(group, col_name, col)
        group.attrs["column-order"] = [*list(group.attrs["column-order"]), col_name]
        for folder in self._folders:
            if zarr_is_consolidated(folder):
                # Readers trust the consolidated listing, in which the new column is missing yet.
                group = _zarr_group(folder, "r+")
                require("zarr").consolidate_metadata(group.store, path=group.path or None)
        self._axis[where] = Axis(self.storage[where])

    def __repr__(self) -> str:
        first, *rest = self._describe("AnnDataAccessor").split("\n")
        return "\n".join([first, f"  constructed for the AnnData object {self._filename}", *rest])


class AnnDataAccessorSubset(_AnnDataBase):
    """Some observations and variables of a stored AnnData object; made by slicing an accessor."""

    def __repr__(self) -> str:
        return self._describe("AnnDataAccessorSubset")


class SpatialDataAccessor:
    """A stored SpatialData object whose tables are read in parts.

    Args:
        storage: Open zarr group.
        path: Its folder.
        resources: What to close together with the accessor.

    Example:
        >>> access = ln.Artifact.get(key="section.zarr").open()
        >>> access["table"][:10].to_memory()
    """

    def __init__(self, storage: Any, path: Any, resources: ExitStack | None = None) -> None:
        self.storage = storage
        self._path = path
        self._resources = resources

    def keys(self) -> list[str]:
        """Returns the names of the tables."""
        return sorted(self.storage["tables"].keys()) if "tables" in self.storage else []

    @property
    def tables(self) -> dict[str, AnnDataAccessor]:
        """Accessors for all tables."""
        return {name: self[name] for name in self.keys()}

    def __getitem__(self, name: str) -> AnnDataAccessor:
        if name not in self.keys():
            raise KeyError(f"{name!r} is no table of {self._path.name}, which has {self.keys()}.")
        tables = self._path / "tables"
        return AnnDataAccessor(
            self.storage["tables"][name], name, folders=[tables / name, tables, self._path]
        )

    def close(self) -> None:
        """Ends the work with the store; what was written to that of an artifact becomes its next version."""
        if self._resources is not None:
            self._resources.close()

    def __enter__(self) -> SpatialDataAccessor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"SpatialDataAccessor object\n  constructed for the SpatialData object {self._path.name}\n"
            f"    with tables: {self.keys()}"
        )
