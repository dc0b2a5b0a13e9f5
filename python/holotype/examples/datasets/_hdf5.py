"""A writer for small HDF5 files: nested groups of one-dimensional integer and text datasets.

Writes the oldest layout of the format (superblock 0, symbol-table groups, contiguous data), which every
reader knows, so that the example folders need no HDF5 library.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Tree: TypeAlias = "dict[str, Tree | list[int] | list[str]]"

_UNDEFINED = 0xFFFF_FFFF_FFFF_FFFF
_LEAF_K = 8
_INTERNAL_K = 16
_SUPERBLOCK_SIZE = 96


def hdf5_bytes(tree: Tree) -> bytes:
    """Returns an HDF5 file.

    Args:
        tree: Names mapped to groups (again a mapping) or datasets (a list of integers or of ASCII strings);
            at most 16 names per group.

    Example:
        >>> hdf5_bytes({"matrix": {"data": [1, 2], "barcodes": ["AAAC-1", "AAAG-1"]}})[:4]
        b'\\x89HDF'
    """
    file = _File()
    root, index, heap = file.group(tree)
    end = _SUPERBLOCK_SIZE + len(file.body)
    versions = bytes([0, 0, 0, 0, 0, 8, 8, 0])
    superblock = b"\x89HDF\r\n\x1a\n" + versions + struct.pack("<HHI", _LEAF_K, _INTERNAL_K, 0)
    superblock += struct.pack("<QQQQ", 0, _UNDEFINED, end, _UNDEFINED)
    superblock += struct.pack("<QQIIQQ", 0, root, 1, 0, index, heap)
    return superblock + bytes(file.body)


class _File:
    """The growing part of a file after its superblock; every method returns absolute addresses."""

    def __init__(self) -> None:
        self.body = bytearray()

    def _append(self, block: bytes) -> int:
        address = _SUPERBLOCK_SIZE + len(self.body)
        self.body += _padded(block)
        return address

    def group(self, tree: Tree) -> tuple[int, int, int]:
        """Appends a group with all it holds; returns its header, index and heap."""
        if len(tree) > 2 * _LEAF_K:
            raise ValueError(f"Cannot write a group with {len(tree)} names; at most {2 * _LEAF_K} fit.")
        names, places, entries = b"\x00" * 8, [0], b""
        for name in sorted(tree):
            content = tree[name]
            header = self.group(content)[0] if isinstance(content, dict) else self._dataset(content)
            places.append(len(names))
            entries += struct.pack("<QQII16x", len(names), header, 0, 0)
            names += _padded(name.encode() + b"\x00")
        names_at = self._append(names)
        heap = self._append(b"HEAP" + bytes(4) + struct.pack("<QQQ", len(names), 1, names_at))
        node = b"SNOD" + struct.pack("<BBH", 1, 0, len(tree)) + entries
        node_at = self._append(node.ljust(8 + 2 * _LEAF_K * 40, b"\x00"))
        index = b"TREE" + struct.pack("<BBHQQ", 0, 0, 1, _UNDEFINED, _UNDEFINED)
        index += struct.pack("<QQQ", 0, node_at, places[-1])
        index_at = self._append(index.ljust(24 + (4 * _INTERNAL_K + 1) * 8, b"\x00"))
        header = self._append(_object_header([(0x11, struct.pack("<QQ", index_at, heap))]))
        return header, index_at, heap

    def _dataset(self, values: list[int] | list[str]) -> int:
        if values and isinstance(values[0], str):
            encoded = [str(value).encode("ascii") for value in values]
            width = max(len(value) for value in encoded)
            datatype = struct.pack("<BBBBI", 0x13, 1, 0, 0, width)
            data = b"".join(value.ljust(width, b"\x00") for value in encoded)
        else:
            datatype = struct.pack("<BBBBIHH", 0x10, 0x08, 0, 0, 8, 0, 64)
            data = struct.pack(f"<{len(values)}q", *values)
        address = self._append(data)
        dataspace = struct.pack("<BBBBIQ", 1, 1, 0, 0, 0, len(values))
        fill = bytes([2, 2, 2, 0])
        layout = struct.pack("<BBQQ", 3, 1, address, len(data))
        return self._append(
            _object_header([(0x01, dataspace), (0x03, datatype), (0x05, fill), (0x08, layout)])
        )


def _object_header(messages: list[tuple[int, bytes]]) -> bytes:
    body = b""
    for kind, content in messages:
        padded = _padded(content)
        body += struct.pack("<HHB3x", kind, len(padded), 0) + padded
    return struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body


def _padded(block: bytes) -> bytes:
    return block.ljust(-(-len(block) // 8) * 8, b"\x00")
