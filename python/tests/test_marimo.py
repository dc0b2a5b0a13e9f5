"""Tracking from marimo: its notebooks are Python files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from test_track import COLOUR, Lab


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def write(lab: Lab, name: str, code: str) -> Path:
    """Writes a notebook with a title that runs code between `track` and `finish`."""
    cells = [
        "def _():\n    import holotype as ln\n    import marimo as mo\n    return ln, mo",
        'def _(mo):\n    mo.md("""\n    # Reads per sample\n    """)\n    return',
        "def _(ln):\n    ln.track()\n    started = True\n    return (started,)",
        f"def _(ln, started):\n    assert started\n    {code}\n    done = True\n    return (done,)",
        "def _(done, ln):\n    assert done\n    ln.finish()\n    return",
    ]
    body = "\n\n\n".join(f"@app.cell\n{cell}" for cell in cells)
    path = lab.folder / name
    path.write_text(
        f"import marimo\n\napp = marimo.App()\n\n\n{body}\n\n\nif __name__ == '__main__':\n    app.run()\n"
    )
    return path


def open_notebook(lab: Lab, name: str) -> str:
    """Runs a notebook as marimo's editor does, into a page; returns what was told."""
    command = [sys.executable, "-m", "marimo", "export", "html", name, "-o", "page.html", "--force"]
    done = subprocess.run(
        command,
        cwd=lab.folder,
        env=lab.env(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return COLOUR.sub("", done.stdout)


RUNS = "[[r.transform.kind, r.transform.key, r.transform.description, r.status] for r in ln.Run.filter()]"


def test_a_notebook_in_marimo_is_a_notebook(lab: Lab) -> None:
    path = write(lab, "nb.py", "ln.Artifact('raw.txt', key='raw.txt').save()")
    (lab.folder / "raw.txt").write_text("raw")
    told = open_notebook(lab, "nb.py")
    assert "• tip: to identify the notebook across renames" in told
    assert lab.ask(RUNS) == [["notebook", "nb.py", "Reads per sample", "completed"]]
    assert lab.ask("ln.Transform.get().source_code") == path.read_text()
    assert lab.ask("[a.key for a in ln.Run.get().output_artifacts.all()]") == ["raw.txt"]
    judged = lab.ask("ln.Run.get().rerun()")
    assert [output["verdict"] for output in judged["outputs"]] == ["same"]
    lab.python(f"import holotype as ln; ln.Run.get({judged['new_run']!r}).delete(permanent=True)")
    # As in Jupyter: the version that was made for changes which did not come is none.
    assert "making new version -- anticipating changes" in open_notebook(lab, "nb.py")
    assert lab.ask("[ln.Transform.filter().count(), ln.Run.filter().count()]") == [1, 2]
    write(lab, "nb.py", "print('another')")
    assert "found notebook nb.py, making new version" in open_notebook(lab, "nb.py")
    assert lab.ask("[t.uid[12:] for t in ln.Transform.filter().order_by('id')]") == ["0000", "0001"]


def test_a_marimo_notebook_runs_as_a_script_too(lab: Lab) -> None:
    write(lab, "nb.py", "print('made')")
    assert "• tip: to identify the script across renames" in lab.run("nb.py")
    assert lab.ask(RUNS) == [["script", "nb.py", "Reads per sample", "completed"]]
    assert "made" in lab.ask("ln.Run.get().report.cache().read_text()")
