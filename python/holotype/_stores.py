"""What a stored object is and how to reach it, without the libraries that read it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Literal

    ZarrKind = Literal["AnnData", "MuData", "SpatialData"]

# Where a column that is a group (nullable values, categories) keeps one entry per row.
_COLUMN_PARTS = ("values", "codes")


def _json(path: Any) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def zarr_attributes(group: Any) -> dict[str, Any] | None:
    """Returns the attributes of a zarr group of either format version; None if there is no group."""
    version3 = _json(group / "zarr.json")
    if version3.get("node_type") == "group":
        return dict(version3.get("attributes") or {})
    if (group / ".zgroup").exists():
        return _json(group / ".zattrs")
    consolidated = _json(group / ".zmetadata").get("metadata", {})
    if ".zgroup" in consolidated:
        return dict(consolidated.get(".zattrs") or {})
    return None


def zarr_is_consolidated(group: Any) -> bool:
    """Returns whether a zarr group has a listing of all it contains."""
    return (group / ".zmetadata").exists() or _json(group / "zarr.json").get(
        "consolidated_metadata"
    ) is not None


def zarr_length(column: Path) -> int | None:
    """Returns the length of a table's column in a local zarr store, None if there is none."""
    for part in ("", *_COLUMN_PARTS):
        shape = (_json(column / part / "zarr.json") or _json(column / part / ".zarray")).get("shape")
        if shape:
            return int(shape[0])
    return None


def column_length(column: Any) -> int:
    """Returns the length of a table's column in an open HDF5 file or zarr group."""
    if hasattr(column, "shape"):
        return int(column.shape[0])
    part = next(name for name in _COLUMN_PARTS if name in column)
    return int(column[part].shape[0])


def zarr_kind(path: Any) -> ZarrKind | None:
    """Returns which of the known objects a zarr store holds, None if it is another store.

    Raises:
        FileNotFoundError: If there is nothing at the path.
        ValueError: If there is no zarr group at the path.
    """
    if not path.exists():
        raise FileNotFoundError(f"No such file or directory: '{path}'")
    attributes = zarr_attributes(path)
    if attributes is None:
        raise ValueError(f"Could not open zarr store: No group found at {path}")
    if "spatialdata_attrs" in attributes:
        return "SpatialData"
    encoding = str(attributes.get("encoding-type", "")).lower()
    if encoding == "anndata":
        return "AnnData"
    if encoding == "mudata":
        return "MuData"
    # Early stores carry no mark; they still have both annotation tables.
    if encoding == "" and all((path / name).exists() for name in ("obs", "var", "X")):
        return "AnnData"
    return None


@contextmanager
def decompressed(path: Path, suffix: str) -> Iterator[Path]:
    """Yields the content of a `.gz` or `.tar.gz` file as a temporary file; other files as they are.

    Args:
        path: Local file.
        suffix: Its raw suffix, such as `.h5ad.tar.gz`.

    Raises:
        ValueError: If an archive does not hold exactly one file.
    """
    if not suffix.endswith(".gz"):
        yield path
        return
    import gzip
    import shutil
    import tarfile
    import tempfile

    with tempfile.TemporaryDirectory(prefix="holotype-") as folder:
        plain = Path(folder) / ("content" + suffix.removesuffix(".gz").removesuffix(".tar"))
        if suffix.endswith(".tar.gz"):
            with tarfile.open(path, "r:gz") as archive:
                members = [member for member in archive.getmembers() if member.isfile()]
                if len(members) != 1:
                    raise ValueError(
                        f"Cannot read {path}: the archive holds {len(members)} files instead of one."
                    )
                source = archive.extractfile(members[0])
                with plain.open("wb") as target:
                    shutil.copyfileobj(source, target)  # type: ignore[arg-type]
        else:
            with gzip.open(path, "rb") as zipped, plain.open("wb") as target:
                shutil.copyfileobj(zipped, target)
        yield plain
