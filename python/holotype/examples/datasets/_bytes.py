"""Byte-level helpers whose output depends on nothing but their input.

Compressed files use stored (uncompressed) deflate blocks: a compressor's output changes between versions of
the compression library, and with it the hash of an example file.
"""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from pathlib import Path

_STORED_BLOCK = 65535


def deflate_stored(data: bytes) -> bytes:
    """Returns `data` as a raw deflate stream of stored blocks."""
    chunks = [data[start : start + _STORED_BLOCK] for start in range(0, len(data), _STORED_BLOCK)] or [b""]
    stream = bytearray()
    for number, chunk in enumerate(chunks):
        final = number == len(chunks) - 1
        stream += struct.pack("<BHH", final, len(chunk), len(chunk) ^ 0xFFFF) + chunk
    return bytes(stream)


def gzip_stored(data: bytes, comment: str = "") -> bytes:
    """Returns `data` as a gzip member without name and time stamp.

    A comment makes files of equal content differ in their bytes.
    """
    header = b"\x1f\x8b\x08" + (b"\x10" if comment else b"\x00") + b"\x00\x00\x00\x00\x00\xff"
    if comment:
        header += comment.replace("\x00", "").encode() + b"\x00"
    return header + deflate_stored(data) + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def seeded(name: str) -> random.Random:
    """Returns a random generator that depends on `name` alone."""
    return random.Random(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def write_file(content: bytes | str, name: str, basedir: str | Path = ".") -> Path:
    """Writes `content` to `basedir/name`, creating the folder, and returns the path."""
    path = Path(basedir) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def place(in_storage_root: bool, basedir: str | Path) -> Path:
    """Returns the folder to write into: the root of the default storage location or `basedir`."""
    if not in_storage_root:
        return Path(basedir)
    import holotype

    return Path(str(holotype.settings.storage.root))  # type: ignore[attr-defined]
