"""A baseline JPEG encoder for small pictures, in plain Python.

Arithmetic is on integers (after a fixed cosine table), so that the bytes are the same on every machine.
"""

from __future__ import annotations

import math
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ZIGZAG = sorted(
    ((row, column) for row in range(8) for column in range(8)),
    key=lambda p: (p[0] + p[1], p[0] if (p[0] + p[1]) % 2 else p[1]),
)
# One quantisation step for all frequencies: smooth synthetic pictures need no finer table.
_QUANTUM = 16
_SCALE = 1 << 12
_COSINE = [
    [
        round(_SCALE * math.cos((2 * x + 1) * u * math.pi / 16) * (math.sqrt(0.125) if u == 0 else 0.5))
        for x in range(8)
    ]
    for u in range(8)
]
# Fixed-length Huffman codes: every difference category in 4 bits, every run/size symbol in 8 bits. The
# all-ones code must stay unused, hence one bit more than the count of symbols asks for.
_DC_SYMBOLS = list(range(12))
_AC_SYMBOLS = [0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))]


def jpeg_bytes(width: int, height: int, pixel: Callable[[int, int], tuple[int, int, int]]) -> bytes:
    """Returns a baseline JPEG picture in colour.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        pixel: Function from column and row to red, green and blue (0 to 255).
    """
    columns, rows = -(-width // 8), -(-height // 8)
    bits = _BitWriter()
    previous = [0, 0, 0]
    for block_row in range(rows):
        for block_column in range(columns):
            square = [
                [
                    _ycbcr(*pixel(min(8 * block_column + x, width - 1), min(8 * block_row + y, height - 1)))
                    for x in range(8)
                ]
                for y in range(8)
            ]
            for component in range(3):
                plane = [[value[component] - 128 for value in line] for line in square]
                previous[component] = _encode_block(bits, _transform(plane), previous[component])
    return _headers(width, height) + bits.finish() + b"\xff\xd9"


def _ycbcr(red: int, green: int, blue: int) -> tuple[int, int, int]:
    luma = (299 * red + 587 * green + 114 * blue) // 1000
    blueness = 128 + (-168736 * red - 331264 * green + 500000 * blue) // 1_000_000
    redness = 128 + (500000 * red - 418688 * green - 81312 * blue) // 1_000_000
    return luma, min(255, blueness), min(255, redness)


def _transform(plane: list[list[int]]) -> list[int]:
    """Returns the quantised cosine coefficients of a block in zigzag order."""
    by_row = [[sum(c * v for c, v in zip(_COSINE[u], line, strict=True)) for u in range(8)] for line in plane]
    step = _QUANTUM * _SCALE * _SCALE
    coefficients = []
    for row, column in _ZIGZAG:
        total = sum(_COSINE[row][y] * by_row[y][column] for y in range(8))
        coefficients.append((abs(total) + step // 2) // step * (1 if total >= 0 else -1))
    return coefficients


def _encode_block(bits: _BitWriter, coefficients: list[int], previous: int) -> int:
    difference = coefficients[0] - previous
    size = abs(difference).bit_length()
    bits.write(_DC_SYMBOLS.index(size), 4)
    bits.write(_magnitude(difference, size), size)
    run = 0
    last = max((i for i in range(1, 64) if coefficients[i]), default=0)
    for value in coefficients[1 : last + 1]:
        if value == 0:
            run += 1
            continue
        while run > 15:
            bits.write(_AC_SYMBOLS.index(0xF0), 8)
            run -= 16
        size = abs(value).bit_length()
        bits.write(_AC_SYMBOLS.index(run << 4 | size), 8)
        bits.write(_magnitude(value, size), size)
        run = 0
    if last < 63:
        bits.write(_AC_SYMBOLS.index(0x00), 8)
    return coefficients[0]


def _magnitude(value: int, size: int) -> int:
    return value if value >= 0 else value + (1 << size) - 1


def _headers(width: int, height: int) -> bytes:
    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    def table(kind: int, code_length: int, symbols: Iterable[int]) -> bytes:
        listed = bytes(symbols)
        counts = bytes(len(listed) if length == code_length else 0 for length in range(1, 17))
        return segment(0xC4, bytes([kind]) + counts + listed)

    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    return b"".join(
        [
            b"\xff\xd8",
            segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"),
            segment(0xDB, b"\x00" + bytes([_QUANTUM]) * 64),
            segment(0xC0, frame),
            table(0x00, 4, _DC_SYMBOLS),
            table(0x10, 8, _AC_SYMBOLS),
            segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])),
        ]
    )


class _BitWriter:
    """Collects bits, most significant first, with the zero byte that JPEG puts after 0xFF."""

    def __init__(self) -> None:
        self._done = bytearray()
        self._pending = 0
        self._count = 0

    def write(self, value: int, count: int) -> None:
        self._pending = self._pending << count | value
        self._count += count
        while self._count >= 8:
            self._count -= 8
            byte = self._pending >> self._count & 0xFF
            self._done.append(byte)
            if byte == 0xFF:
                self._done.append(0)
        self._pending &= (1 << self._count) - 1

    def finish(self) -> bytes:
        if self._count:
            padding = 8 - self._count
            self.write((1 << padding) - 1, padding)
        return bytes(self._done)
