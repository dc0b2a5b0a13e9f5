"""Selecting parts of arrays that lie in HDF5 files and zarr groups."""

from __future__ import annotations

from holotype._optional import require
from holotype._stores import column_length

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import numpy as np
    import pandas as pd


class Axis:
    """The observations or the variables of a stored AnnData object, all or a selection.

    Args:
        group: The stored annotation table.
        positions: Selected rows of it in order; None for all.
    """

    def __init__(self, group: Any, positions: np.ndarray[Any, Any] | None = None) -> None:
        self._group = group
        self.positions = positions
        self._annotation: pd.DataFrame | None = None
        self._names: pd.Index[str] | None = None

    def annotation(self) -> pd.DataFrame:
        """Returns the annotation table of the selected rows."""
        if self._annotation is None:
            table = require("anndata.io").read_elem(self._group)
            self._annotation = table if self.positions is None else table.iloc[self.positions]
        return self._annotation

    def names(self) -> pd.Index[str]:
        """Returns the names of the selected rows."""
        if self._names is None:
            pd = require("pandas")

            if "_index" in self._group.attrs:
                values = require("anndata.io").read_elem(self._group[self._group.attrs["_index"]])
                names = pd.Index(values)
                self._names = names if self.positions is None else names[self.positions]
            else:
                self._names = self.annotation().index
        return self._names

    def __len__(self) -> int:
        if self.positions is not None:
            return len(self.positions)
        if "_index" in self._group.attrs:
            return column_length(self._group[self._group.attrs["_index"]])
        return len(self.annotation())

    def __getitem__(self, index: Any) -> Axis:
        """Returns the axis restricted to a slice, position, name, mask or list of positions or names."""
        chosen = self._resolve(index)
        return Axis(self._group, chosen if self.positions is None else self.positions[chosen])

    def _resolve(self, index: Any) -> np.ndarray[Any, Any]:
        np = require("numpy")
        pd = require("pandas")

        size = len(self)
        if isinstance(index, slice):
            return np.arange(size)[index]
        values = np.asarray(index)
        if values.ndim > 1:
            raise IndexError(f"An index has one dimension, not {values.ndim}.")
        if values.dtype == bool:
            if values.shape != (size,):
                raise IndexError(f"A mask needs {size} values but has {values.size}.")
            return np.flatnonzero(values)
        values = np.atleast_1d(values)
        if values.size == 0:
            return np.empty(0, dtype=int)
        if not np.issubdtype(values.dtype, np.integer):
            names = values.astype(str)
            found = self.names().get_indexer(pd.Index(names))
            if (found < 0).any():
                raise KeyError(f"Not among the names: {names[found < 0].tolist()[:5]}")
            return found
        outside = values[(values < -size) | (values >= size)]
        if outside.size:
            raise IndexError(f"index {outside[0]} is out of bounds for axis with size {size}")
        return values % size


def read_element(element: Any, axes: tuple[Axis, ...], *, in_memory: bool = False) -> Any:
    """Returns a stored array or table, restricted to the selections of the axes.

    Args:
        element: Array or group.
        axes: One axis per leading dimension.
        in_memory: Read also when nothing is selected; otherwise a whole array stays on disk.
    """
    selections = [axis.positions for axis in axes]
    encoding = str(element.attrs.get("encoding-type", ""))
    io = require("anndata.io")
    if encoding in ("csr_matrix", "csc_matrix"):
        return _read_sparse(io.sparse_dataset(element), selections, encoding == "csr_matrix", in_memory)
    if hasattr(element, "keys"):
        return _take(io.read_elem(element), selections)
    if all(selection is None for selection in selections):
        return io.read_elem(element) if in_memory else element
    return _read_dense(element, selections)


def _take(value: Any, selections: list[np.ndarray[Any, Any] | None]) -> Any:
    """Restricts a table or array in memory."""
    for dimension, selection in enumerate(selections):
        if selection is not None:
            index = (slice(None),) * dimension + (selection,)
            value = value.iloc[index] if hasattr(value, "iloc") else value[index]
    return value


def _read_sparse(
    matrix: Any, selections: list[np.ndarray[Any, Any] | None], by_row: bool, in_memory: bool
) -> Any:
    np = require("numpy")

    if all(selection is None for selection in selections):
        return matrix.to_memory() if in_memory else matrix
    # Only along the compressed axis can parts be read: this one from the store, the other one in memory.
    major = selections[0] if by_row or len(selections) < 2 else selections[1]
    if major is None or (not by_row and len(selections) < 2):
        return _take(matrix.to_memory(), selections)
    wanted, order = np.unique(major, return_inverse=True)
    part = matrix[wanted] if by_row else matrix[:, wanted]
    if by_row:
        return _take(part, [order, *selections[1:]])
    return _take(part, [selections[0], order])


def _read_dense(array: Any, selections: list[np.ndarray[Any, Any] | None]) -> Any:
    np = require("numpy")

    first, rest = selections[0], [None, *selections[1:]]
    if first is None:
        return _read_columns(array, rest)
    if first.size == 0:
        return _take(array[:0], rest)
    wanted, order = np.unique(first, return_inverse=True)
    start, stop = int(wanted[0]), int(wanted[-1]) + 1
    if 4 * wanted.size >= stop - start:
        # Reading a span and dropping some rows is faster than many single reads.
        part = array[start:stop][wanted - start]
    elif hasattr(array, "oindex"):
        part = array.oindex[wanted]
    else:
        part = array[wanted]
    return _take(part[order], rest)


def _read_columns(array: Any, selections: list[np.ndarray[Any, Any] | None]) -> Any:
    """Reads a span of columns of all rows, then drops those between the wanted ones."""
    columns = selections[1]
    if columns is None or columns.size == 0:
        return _take(array[:, :0], selections)
    start = int(columns.min())
    return array[:, start : int(columns.max()) + 1][:, columns - start]
