"""A file elsewhere that the engine reads in blocks, for libraries that want a file of Python."""

from __future__ import annotations

import io
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype import _native

__all__ = ["BLOCK", "BLOCKS", "BlockFile"]

# What is asked of a store at once, and how many such blocks are kept.
BLOCK, BLOCKS = 1 << 20, 64


class BlockFile(io.RawIOBase):
    """A file elsewhere, to read.

    HDF5's library holds a lock while it reads, and takes it to free any of its objects, in whichever thread
    Python finds them to be garbage. A reader that waited for another thread of Python, as those of fsspec do,
    would wait for ever once that thread had to free such an object. The engine waits for none.

    Args:
        parts: Reads the file.
    """

    def __init__(self, parts: _native.Parts) -> None:
        super().__init__()
        self._parts, self._size = parts, len(parts)
        self._at = 0
        # What was used last stands last.
        self._blocks: OrderedDict[int, bytes] = OrderedDict()

    def readable(self) -> bool:
        """Returns true."""
        return True

    def seekable(self) -> bool:
        """Returns true."""
        return True

    def tell(self) -> int:
        """Returns the position."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position and returns it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"There is no position {start + offset} in a file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fills a buffer from the position on, as far as the file reaches; returns how many bytes it got."""
        view = memoryview(buffer).cast("B")
        end = min(self._at + len(view), self._size)
        filled = 0
        while self._at < end:
            number, skip = divmod(self._at, BLOCK)
            piece = self._block(number)[skip : skip + end - self._at]
            view[filled : filled + len(piece)] = piece
            filled += len(piece)
            self._at += len(piece)
        return filled

    def _block(self, number: int) -> bytes:
        block = self._blocks.pop(number, None)
        if block is None:
            block = self._fetch(number * BLOCK)
            if len(self._blocks) == BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks[number] = block
        return block

    def _fetch(self, start: int) -> bytes:
        return self._parts.read(start, min(start + BLOCK, self._size))
