"""Flow and mass cytometry files in the FCS 3.1 format."""

from __future__ import annotations

import struct
from pathlib import Path

from holotype.examples.datasets._bytes import seeded, write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLE_CHANNELS = (
    "FSC-A FSC-H SSC-A KI67 CD3 CD28 CD45RO CD8 CD4 CD57 CD14 CCR5 CD19 CD27 CCR7 CD127".split()
)
_ALPERT_CHANNELS = (
    "Time Cell_length CD57 Dead (Ba138)Dd Bead CD19 CD4 CD8 IgD CD85j CD11c CD16 CD3 CD38 CD27 CD11b CD14 "
    "Ccr6 CD94 CD86 CXCR5 CXCR3 Ccr7 CD45RA CD20 CD127 CD33 CD28 CD24 ICOS CD161 TCRgd PD-1 CD123 CD56 HLADR "
    "CD25 DNA1 DNA2"
).split()


def fcs_bytes(
    channels: Sequence[tuple[str, str]],
    events: Sequence[Sequence[float]],
    keywords: dict[str, str] | None = None,
) -> bytes:
    """Returns an FCS 3.1 file with 32-bit floating point data in list mode.

    Args:
        channels: Short name (`$PnN`) and label (`$PnS`, may be empty) of each channel.
        events: One row of values per event.
        keywords: Further keywords of the text segment, such as `{"$CYT": "Analyser"}`.
    """
    data = b"".join(struct.pack(f"<{len(channels)}f", *event) for event in events)
    text_start = 256
    # The text segment holds the offsets of the data, whose place depends on the length of the text:
    # fixed-width numbers make that length known beforehand.
    text = _fcs_text(channels, events, keywords, 0, 0)
    data_start = text_start + len(text)
    data_end = data_start + len(data) - 1
    text = _fcs_text(channels, events, keywords, data_start, data_end)
    # Offsets over 99,999,999 do not fit the header; the format then wants zeros there.
    in_header = (data_start, data_end) if data_end <= 99_999_999 else (0, 0)
    offsets = (text_start, text_start + len(text) - 1, *in_header, 0, 0)
    header = b"FCS3.1    " + b"".join(b"%8d" % offset for offset in offsets)
    return header.ljust(text_start, b" ") + text + data + b"00000000"


def _fcs_text(
    channels: Sequence[tuple[str, str]],
    events: Sequence[Sequence[float]],
    keywords: dict[str, str] | None,
    data_start: int,
    data_end: int,
) -> bytes:
    pairs = {
        "$BEGINANALYSIS": "0",
        "$ENDANALYSIS": "0",
        "$BEGINSTEXT": "0",
        "$ENDSTEXT": "0",
        "$BEGINDATA": f"{data_start:012d}",
        "$ENDDATA": f"{data_end:012d}",
        "$BYTEORD": "1,2,3,4",
        "$DATATYPE": "F",
        "$MODE": "L",
        "$NEXTDATA": "0",
        "$PAR": str(len(channels)),
        "$TOT": str(len(events)),
        **(keywords or {}),
    }
    for number, (short, label) in enumerate(channels, start=1):
        highest = max((event[number - 1] for event in events), default=0.0)
        pairs[f"$P{number}N"] = short
        if label:
            pairs[f"$P{number}S"] = label
        pairs[f"$P{number}B"] = "32"
        pairs[f"$P{number}E"] = "0,0"
        pairs[f"$P{number}R"] = str(int(highest) + 1)
    # A delimiter inside a value is written twice.
    return ("/" + "".join(f"{key}/{value.replace('/', '//')}/" for key, value in pairs.items())).encode()


def file_fcs(basedir: str | Path = ".") -> Path:
    """Writes `example.fcs`: a flow cytometry run of 1,000 events and 16 channels.

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> path = ln.examples.datasets.file_fcs()
        >>> ln.Artifact(path, key="example_datasets/file1.fcs").save()
    """
    rng = seeded("example.fcs")
    scatter = [name.startswith(("FSC", "SSC")) for name in _EXAMPLE_CHANNELS]
    events = [
        [rng.uniform(2e4, 2e5) if is_scatter else rng.uniform(-100, 1) ** 2 for is_scatter in scatter]
        for _ in range(1000)
    ]
    channels = [
        (name, "" if is_scatter else name)
        for name, is_scatter in zip(_EXAMPLE_CHANNELS, scatter, strict=True)
    ]
    keywords = {"$CYT": "Synthetic cytometer", "$FIL": "example.fcs", "$DATE": "01-JAN-2025"}
    return write_file(fcs_bytes(channels, events, keywords), "example.fcs", basedir)


def file_fcs_alpert19(basedir: str | Path = ".") -> Path:
    """Writes `Alpert19.fcs`: a mass cytometry run of 500 events and the 40 channels of Alpert et al. (2019).

    Args:
        basedir: Folder to write into; created if absent.

    Returns:
        Path of the file.

    Example:
        >>> adata = ln.loaders.load(ln.examples.datasets.file_fcs_alpert19())
    """
    rng = seeded("Alpert19.fcs")
    events = []
    for number in range(500):
        markers = [max(0.0, rng.uniform(-5, 10)) ** 2 for _ in _ALPERT_CHANNELS[2:]]
        events.append([float(number * 13), float(20 + number % 30), *markers])
    channels = [(name, name) for name in _ALPERT_CHANNELS]
    keywords = {"$CYT": "Synthetic mass cytometer", "$FIL": "Alpert19.fcs", "$DATE": "14-MAR-2007"}
    return write_file(fcs_bytes(channels, events, keywords), "Alpert19.fcs", basedir)
