"""Remote files for Arrow, which itself says which ranges it needs."""

from __future__ import annotations

from pyarrow.fs import FSSpecHandler, PyFileSystem
from pyarrow.lib import PythonFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ranges"]


class _Ranges(FSSpecHandler):  # type: ignore[misc]
    """Opens files without reading ahead: what lies between two ranges is not wanted."""

    def open_input_file(self, path: str) -> PythonFile:
        # What keeps it from being described is no sign that it is not there.
        if self.fs.info(path)["type"] != "file":
            raise FileNotFoundError(path)
        return PythonFile(self.fs.open(path, mode="rb", cache_type="none"), mode="r")


def ranges(file_system: Any) -> PyFileSystem:
    """Returns a file system of fsspec as one of Arrow."""
    return PyFileSystem(_Ranges(file_system))
