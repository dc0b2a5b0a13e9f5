"""Runs notebooks in a real Jupyter kernel, in a folder and a home of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbclient import NotebookClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Notebook:
    """A notebook whose cells have run, with its kernel still alive."""

    def __init__(self, client: NotebookClient, folder: Path) -> None:
        """Runs nothing; `running` does."""
        self._client = client
        self.folder = folder
        self._cells = {cell["id"]: cell for cell in client.nb.cells}
        self._waiting = list(client.nb.cells)

    def run(self, until: str | None = None) -> None:
        """Runs every cell that did not run yet, up to the cell `until`; the first failure is raised."""
        while self._waiting and self._waiting[0]["id"] != until:
            cell = self._waiting.pop(0)
            if "ln.finish()" in cell["source"]:
                # As a person does before the end.
                for saved in self.folder.glob("*.ipynb"):
                    saved.touch()
            self._client.execute_cell(cell, self._client.nb.cells.index(cell))

    def printed(self, cell: str) -> str:
        """Returns what a cell printed, both streams in order, without colours."""
        texts = [out["text"] for out in self._cells[cell]["outputs"] if out["output_type"] == "stream"]
        return _COLOUR.sub("", "".join(texts))

    def shown(self, cell: str, mime: str = "text/plain") -> str:
        """Returns how the value of the last expression of a cell was displayed."""
        for output in self._cells[cell]["outputs"]:
            if output["output_type"] in ("execute_result", "display_data"):
                return str(output["data"][mime])
        raise AssertionError(f"cell {cell} displays nothing: {self._cells[cell]['outputs']}")

    def out(self, cell: str) -> str:
        """Returns the expression under which the kernel keeps the value of a cell."""
        return f"Out[{self._cells[cell]['execution_count']}]"

    def ask(self, expression: str) -> Any:
        """Returns the value of an expression in the kernel, passed through JSON."""
        source = f"import json as _json\nprint(_json.dumps({expression}, default=str))"
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1, store_history=False)
        lines = [out["text"] for out in cell["outputs"] if out["output_type"] == "stream"]
        return json.loads("".join(lines).strip().splitlines()[-1])


def environment(home: Path, notebook: Path) -> dict[str, str]:
    """Returns the variables of a kernel: those of this process, but with settings and cache below `home`, and
    without the keys of any cloud.

    A Jupyter server tells the kernel which notebook it serves; so does this.
    """
    ours = ("LAMIN", "HOLOTYPE", "XDG_", "JPY_", "AWS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    commands = str(Path(sys.executable).parent)
    return kept | {
        "HOME": str(home),
        "PATH": f"{commands}{os.pathsep}{kept.get('PATH', '')}",
        "JPY_SESSION_NAME": str(notebook),
        "MPLBACKEND": "agg",
    }


@contextmanager
def running(source: Path, folder: Path) -> Iterator[Notebook]:
    """Copies a notebook into `folder`, runs it there, and keeps the kernel until the block ends.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed; the text holds its traceback.
    """
    with opened(source, folder) as notebook:
        notebook.run()
        yield notebook


@contextmanager
def opened(source: Path, folder: Path, variables: Mapping[str, str] | None = None) -> Iterator[Notebook]:
    """Copies a notebook into `folder` and keeps a kernel for it, with further variables; nothing is run."""
    home, work = folder / "home", folder / "work"
    for made in (home, work):
        made.mkdir(parents=True)
    notebook = Path(shutil.copy(source, work))
    client = NotebookClient(
        nbformat.read(notebook, as_version=4),
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
    )
    with client.setup_kernel(env=environment(home, notebook) | dict(variables or {})):
        yield Notebook(client, work.resolve())
