"""Runs of scripts and notebooks, done again: the code as it was, as a new run, compared byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from notebooks import environment, running
from test_surroundings import LAST, git
from test_track import Lab

COMMAND = str(Path(sys.executable).parent / "holotype")
SCRIPT = """\
import sys
from helper import twice
ln.track(params={"seed": 1})
text = ln.Artifact.get(key="raw.txt").cache().read_text()
open("out.txt", "w").write(twice(text) + sys.argv[1])
ln.Artifact("out.txt", key="out.txt").save()
ln.finish()
"""


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def again(lab: Lab, run: str, code: int = 0) -> dict[str, Any]:
    done = subprocess.run(
        [COMMAND, "rerun", run, "--json"],
        cwd=lab.folder,
        env=lab.env(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    judged: dict[str, Any] = json.loads(done.stdout)
    return judged


def raw(lab: Lab) -> str:
    """Returns what a script has to do that reads an input."""
    (lab.folder / "raw.txt").write_text("a\n")
    (lab.folder / "helper.py").write_text("def twice(text): return text * 2\n")
    lab.python("import holotype as ln; ln.Artifact('raw.txt', key='raw.txt').save()")
    lab.write("code/s.py", SCRIPT)
    (lab.folder / "helper.py").rename(lab.folder / "code/helper.py")
    return "code/s.py"


def verdicts(judged: dict[str, Any]) -> dict[str, str]:
    return {output["path"]: output["verdict"] for output in judged["outputs"]}


def test_a_script_is_done_again_as_it_was(lab: Lab) -> None:
    name = raw(lab)
    lab.run(name, "x")
    uid = lab.ask(f"{LAST}.uid")
    # The script changes; the input gets a new version.
    lab.write(name, "raise SystemError")
    (lab.folder / "out.txt").unlink()
    judged = again(lab, uid)
    assert (judged["same"], judged["exit_code"], verdicts(judged)) == (True, 0, {"out.txt": "same"})
    assert judged["differences"] == []
    new = lab.ask(f"[{LAST}.uid, {LAST}.status, {LAST}.params, {LAST}.transform.uid, {LAST}.transform.key]")
    first = lab.ask(f"ln.Run.get({uid!r}).transform.uid")
    assert new == [judged["new_run"], "completed", {"seed": 1}, first, name]
    assert judged["new_run"] != uid
    assert lab.ask("ln.Transform.filter().count()") == 1
    assert not (lab.folder / "out.txt").exists()
    assert lab.ask(f"[a.key for a in {LAST}.input_artifacts.all()]") == ["raw.txt"]
    assert lab.ask(f"[a.key for a in {LAST}.query_output_artifacts()]") == ["out.txt"]

    (lab.folder / "raw.txt").write_text("b\n")
    lab.python("import holotype as ln; ln.Artifact('raw.txt', key='raw.txt').save()")
    judged = again(lab, uid, code=1)
    assert verdicts(judged) == {"out.txt": "different"}
    assert [warning[:15] for warning in judged["warnings"]][-2:] == ["it read raw.txt"] * 2
    assert not judged["same"]


def test_a_script_that_fails_makes_nothing(lab: Lab) -> None:
    name = raw(lab)
    lab.run(name, "x")
    uid = lab.ask(f"{LAST}.uid")
    (lab.folder / "code/helper.py").unlink()
    judged = again(lab, uid, code=1)
    assert (judged["exit_code"], judged["new_run"]) == (1, None)
    assert verdicts(judged) == {"out.txt": "missing"}
    assert "it ended before it tracked a run" in judged["warnings"]


def test_a_repository_is_checked_out_with_what_was_changed_in_it(lab: Lab) -> None:
    name = raw(lab)
    (lab.folder / ".gitignore").write_text("out.txt\n")
    git(lab, "init", "-q")
    git(lab, "add", ".")
    git(lab, "commit", "-q", "-m", "first")
    (lab.folder / "code/helper.py").write_text("def twice(text): return text + '!' + text\n")
    lab.run(name, "x")
    uid = lab.ask(f"{LAST}.uid")
    # Later work, committed; the folder holds nothing of what was.
    (lab.folder / "code/helper.py").unlink()
    git(lab, "commit", "-q", "-a", "-m", "second")
    judged = again(lab, uid)
    assert (judged["same"], judged["warnings"]) == (True, [])
    assert git(lab, "status", "--porcelain") == ""


def test_python_does_runs_again_and_refuses_what_it_cannot(lab: Lab) -> None:
    name = raw(lab)
    lab.run(name, "x")
    assert lab.ask(f"{LAST}.rerun()")["same"]
    tried = "import holotype as ln\ntry: {}.rerun()\nexcept ValueError as error: print(error)"
    lab.write("login.py", "ln.track()\nln.finish()")
    lab.run("login.py", "--password", "hunter2")
    assert "held secrets that were not kept" in lab.python(tried.format(LAST))
    made = "ln.Run(ln.Transform(key='p').save()).save()"
    assert "nothing is kept of how it was started" in lab.python(tried.format(made))


def test_a_notebook_is_executed_again(tmp_path: Path) -> None:
    start = "import holotype as ln\nimport os\nif 'HOLOTYPE_RERUN' not in os.environ:\n    "
    cells = [
        start + "ln.setup.init(storage='../data')",
        "ln.track()",
        "open('out.txt', 'w').write('made')\nln.Artifact('out.txt', key='out.txt').save()",
        "ln.finish()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Making")])
    notebook.cells += [nbformat.v4.new_code_cell(text) for text in cells]
    nbformat.write(notebook, tmp_path / "make.ipynb")
    folder = tmp_path / "project"
    with running(tmp_path / "make.ipynb", folder) as project:
        uid = project.ask("ln.Run.filter().last().uid")
    work = folder / "work"
    (work / "make.ipynb").unlink()
    env = environment(folder / "home", work / "make.ipynb")
    done = subprocess.run(
        [COMMAND, "rerun", uid, "--json", "--folder", "again"],
        cwd=work,
        env=env,
        stdout=subprocess.PIPE,
        check=True,
    )
    judged = json.loads(done.stdout)
    assert verdicts(judged) == {"out.txt": "same"}
    executed = nbformat.read(work / "again/make.ipynb", as_version=4)
    assert [cell.cell_type for cell in executed.cells] == ["markdown", *["code"] * 4]
    assert executed.cells[0].source == "# Making"
    assert executed.cells[-1].execution_count == 4
