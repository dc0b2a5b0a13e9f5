"""Pictures: JPEG, TIFF and a folder of labelled photographs."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from holotype.examples.datasets._bytes import seeded, write_file
from holotype.examples.datasets._jpeg import jpeg_bytes

_SPECIES_COLOUR = {"setosa": (120, 90, 200), "versicolor": (90, 110, 220), "virginica": (160, 70, 180)}


def _nuclei(width: int, height: int, count: int, seed: str) -> list[tuple[int, int, int]]:
    """Returns places and radii of round nuclei."""
    rng = seeded(seed)
    return [(rng.randrange(width), rng.randrange(height), rng.randrange(12, 24)) for _ in range(count)]


def file_jpg_paradisi05(basedir: str | Path = ".") -> Path:
    """Writes `paradisi05_laminopathic_nuclei.jpg`: a synthetic micrograph of 160 by 120 pixels.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> path = ln.examples.datasets.file_jpg_paradisi05()
        >>> ln.Artifact(path, key="images/my_image.jpg").save()
    """
    width, height = 160, 120
    nuclei = _nuclei(width, height, 9, "paradisi05")

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        glow = 0
        for centre_x, centre_y, radius in nuclei:
            distance = (x - centre_x) ** 2 + (y - centre_y) ** 2
            glow = max(glow, 230 - 230 * distance // (radius * radius))
        return (glow // 6, glow // 3, min(255, 15 + glow))

    return write_file(jpeg_bytes(width, height, pixel), "paradisi05_laminopathic_nuclei.jpg", basedir)


def tiff_bytes(width: int, height: int, rgb: bytes) -> bytes:
    """Returns an uncompressed RGB TIFF picture.

    Args:
        width: Width in pixels.
        height: Height in pixels.
        rgb: Three bytes per pixel, row by row.
    """
    short, long, rational = 3, 4, 5
    entry_count = 12
    after_directory = 8 + 2 + entry_count * 12 + 4
    bits_offset, resolution_offset = after_directory, after_directory + 6
    pixels_offset = resolution_offset + 8
    entries = [
        (256, long, 1, width),
        (257, long, 1, height),
        (258, short, 3, bits_offset),
        (259, short, 1, 1),
        (262, short, 1, 2),
        (273, long, 1, pixels_offset),
        (277, short, 1, 3),
        (278, long, 1, height),
        (279, long, 1, len(rgb)),
        (282, rational, 1, resolution_offset),
        (283, rational, 1, resolution_offset),
        (296, short, 1, 2),
    ]
    directory = struct.pack("<H", entry_count) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    extras = struct.pack("<HHH", 8, 8, 8) + struct.pack("<II", 72, 1)
    return b"II*\x00" + struct.pack("<I", 8) + directory + struct.pack("<I", 0) + extras + rgb


def tissue_pixels(width: int, height: int, seed: str) -> bytes:
    """Returns the RGB pixels of a synthetic haematoxylin-eosin section."""
    nuclei = _nuclei(width, height, 24, seed)
    pixels = bytearray()
    for y in range(height):
        for x in range(width):
            inside = any((x - cx) ** 2 + (y - cy) ** 2 < r * r // 4 for cx, cy, r in nuclei)
            shade = (x * 7 + y * 13) % 16
            pixels += bytes(
                (90 + shade, 60 + shade, 140 + shade) if inside else (225 + shade, 160 + shade, 190)
            )
    return bytes(pixels)


def file_tiff_suo22(basedir: str | Path = ".") -> Path:
    """Writes `F121_LP1_4LIV.tiff`: a synthetic tissue section, 200 by 150 pixels.

    Belongs to the spots of `anndata_suo22_Visium10X`.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> ln.Artifact(ln.examples.datasets.file_tiff_suo22(), key="images/liver.tiff").save()
    """
    width, height = 200, 150
    return write_file(
        tiff_bytes(width, height, tissue_pixels(width, height, "suo22")), "F121_LP1_4LIV.tiff", basedir
    )


def dir_iris_images(basedir: str | Path = ".") -> Path:
    """Writes the folder `iris_studies`: three studies with 135 photographs each, and their metadata.

    Every study folder `study<n>_raw_images` holds pictures of 16 by 16 pixels, named after the hash of their
    content, and `meta.csv` with columns `0` (file name) and `1` (species).

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the folder.

    Example:
        >>> folder = ln.examples.datasets.dir_iris_images()
        >>> ln.Artifact(folder / "study0_raw_images", key="iris_studies/study0_raw_images").save()
    """
    root = Path(basedir) / "iris_studies"
    for study in range(3):
        folder = root / f"study{study}_raw_images"
        lines = ["0,1"]
        for number in range(135):
            species = sorted(_SPECIES_COLOUR)[number % 3]
            content = _iris_photograph(species, f"iris/{study}/{number}")
            name = f"iris-{hashlib.sha256(content).hexdigest()}.jpg"
            write_file(content, name, folder)
            lines.append(f"{name},{species}")
        write_file("\n".join(lines) + "\n", "meta.csv", folder)
    return root


def _iris_photograph(species: str, seed: str) -> bytes:
    rng = seeded(seed)
    tilt = [(rng.randrange(-60, 60), rng.randrange(-60, 60)) for _ in range(3)]
    offset = [rng.randrange(-30, 30) for _ in range(3)]
    base = _SPECIES_COLOUR[species]

    def pixel(x: int, y: int) -> tuple[int, int, int]:
        red, green, blue = (
            max(0, min(255, base[i] + offset[i] + (tilt[i][0] * (x - 8) + tilt[i][1] * (y - 8)) // 8))
            for i in range(3)
        )
        return red, green, blue

    return jpeg_bytes(16, 16, pixel)
