"""A notebook as it is when its run is finished: saved or not, in which order it ran, and as a page."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from holotype import _native, _voice
from holotype._notebook_path import cells, executed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["gaps", "is_saved", "page"]

_SAVE = "save the notebook"
_RECENT, _PATIENCE = 10, 30


def gaps(path: Path) -> list[tuple[int | None, int | None]] | None:
    """Returns the neighbouring cells that did not run one after the other; None for what the file says.

    The kernel knows better than the file, which may have been saved before the cells ran.

    Args:
        path: The notebook.
    """
    runs: dict[str, list[int]] = {}
    for count, source in executed():
        runs.setdefault(source, []).append(count)
    text = path.read_text(encoding="utf-8")
    found = cells(text)
    if not any(source in runs for _, source in found):
        return None
    # Equal cells: the last executions, in the order of the cells.
    same: dict[str, int] = {}
    for _, source in found:
        same[source] = same.get(source, 0) + 1
    left = {source: counts[-same.get(source, 0) :] for source, counts in runs.items()}
    for cell, source in found:
        counts = left.get(source)
        cell["execution_count"] = counts.pop(0) if counts else None
    return _native.notebook_gaps(json.dumps({"cells": [cell for cell, _ in found]}))


def is_saved(path: Path, again: bool) -> bool:
    """Returns whether a notebook was saved just now, after waiting for it.

    Args:
        path: The notebook.
        again: The user was asked before, and this is the second attempt: a warning has to do.
    """
    if os.environ.get("LAMIN_TESTING") == "true" or _age(path) < _RECENT:
        return True
    if again:
        _voice.warning(f"the notebook on disk wasn't saved within the last {_RECENT} sec")
        return True
    key = "CMD" if sys.platform == "darwin" else "CTRL"
    asked = f"please hit {key} + s to {_SAVE} in your editor"
    print(asked, end="", flush=True)
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        time.sleep(1)
        print(".", end="", flush=True)
        if _age(path) < _RECENT:
            print()
            # An editor may still be writing.
            time.sleep(0.5)
            return True
    print()
    _voice.warning(f"{asked} and re-run finish()")
    return False


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def page(path: Path, folder: Path, run: str) -> Path | None:
    """Returns a new page in which a notebook can be read, without prompts, title and metadata.

    Args:
        path: The notebook.
        folder: Where the page goes.
        run: Uid of the run.
    """
    try:
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError:
        _voice.warning("no html of the notebook was saved: install the package nbconvert to have one")
        return None
    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    _tidy(notebook)
    exporter: Any = HTMLExporter(exclude_input_prompt=True, exclude_output_prompt=True)  # type: ignore[no-untyped-call]
    html, _ = exporter.from_notebook_node(notebook)
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"report_{run}.html"
    made.write_text(html, encoding="utf-8")
    return made


def _tidy(notebook: Any) -> None:
    """Takes out what says nothing about the analysis, so that equal notebooks give equal pages."""
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code" and any(_SAVE in json.dumps(output) for output in cell.outputs):
            cell.outputs = [output for output in cell.outputs if output.output_type == "error"]
    notebook.metadata = {}
    for i, cell in enumerate(notebook.cells):
        lines = cell.source.splitlines()
        title = next((n for n, line in enumerate(lines) if line.startswith("# ")), None)
        if cell.cell_type == "markdown" and title is not None:
            cell.source = "\n".join(lines[:title] + lines[title + 1 :]).strip("\n")
            if not cell.source:
                del notebook.cells[i]
            return
