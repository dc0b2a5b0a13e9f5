"""Commands and notebooks of one project: what `holotype run` and `ln.track()` together know of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

import holotype as ln
from notebooks import environment, running

COMMAND = Path(sys.executable).parent / "holotype"

SIMULATE = """
import random, sys
from pathlib import Path

random.seed(int(sys.argv[1].split("=")[1]))
Path("raw").mkdir(exist_ok=True)
genome = "".join(random.choices("ACGT", k=4000))
Path("raw/reference.fa").write_text(f">chr1\\n{genome}\\n")
with open("raw/reads.fastq", "w") as reads:
    for at in range(300):
        start = random.randrange(3900)
        quality = "#" if at % 3 == 0 else "I"
        reads.write(f"@read{at}\\n{genome[start:start + 100]}\\n+\\n{quality * 100}\\n")
"""

PLOT = """
table = ln.Artifact.get(key="counts/coverage.tsv").cache().read_text().splitlines()
depth = float(table[-1].split("\\t")[6])
figure = f'<svg xmlns="http://www.w3.org/2000/svg"><rect width="{depth}" height="9"/></svg>'
open("coverage.svg", "w").write(figure)
ln.Artifact("coverage.svg", key="figures/coverage.svg").save()
"""

# The real programs where they are installed; the others do a little of the same.
REAL = {
    "filter": "seqtk seq -q 20 -n N raw/reads.fastq | seqtk trimfq - > filtered/reads.fastq",
    "align": [
        "minimap2",
        "-a",
        "-t",
        "1",
        "-o",
        "aligned/reads.sam",
        "raw/reference.fa",
        "filtered/reads.fastq",
    ],
    "sort": ["samtools", "sort", "-o", "aligned/sorted.bam", "aligned/reads.sam"],
    "count": ["samtools", "coverage", "-o", "counts/coverage.tsv", "aligned/sorted.bam"],
}
PLACES = 'FNR == NR {g = g $0; next} /^[ACGT]+$/ {print index(g, $0) > "aligned/reads.sam"}'
DEPTH = 'END {print "1\\t2\\t3\\t4\\t5\\t6\\t" NR / 40}'
PLAIN = {
    "filter": "paste - - - - < raw/reads.fastq | grep -v '#####' | tr '\\t' '\\n' > filtered/reads.fastq",
    "align": ["awk", PLACES, "raw/reference.fa", "filtered/reads.fastq"],
    "sort": ["sort", "-n", "-o", "aligned/sorted.bam", "aligned/reads.sam"],
    "count": ["bash", "-c", f"awk '{DEPTH}' aligned/sorted.bam > counts/coverage.tsv"],
}


def _project(steps: dict[str, Any]) -> nbformat.NotebookNode:
    """Returns the notebook that does all of it."""

    def run(*words: str) -> str:
        return f"subprocess.run(['holotype', 'run', '--', *{list(words)!r}], check=True)"

    setup = (
        "import subprocess\nfrom pathlib import Path\n"
        "subprocess.run(['holotype', 'init', '--storage', './data', '--name', 'project'], check=True)\n"
        "for folder in ('filtered', 'aligned', 'counts'):\n    Path(folder).mkdir()\n"
        f"Path('simulate.py').write_text({SIMULATE!r})\nPath('filter.sh').write_text({steps['filter']!r})"
    )
    shell = [
        run(sys.executable, "simulate.py", "--seed=7"),
        run("bash", "filter.sh"),
        *(run(*steps[step]) for step in ("align", "sort", "count")),
    ]
    code = [setup, *shell, "import holotype as ln\nln.track()", PLOT, "ln.finish()"]
    cells = [nbformat.v4.new_code_cell(text) for text in code]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Coverage"), *cells])


def _edges(folder: Path, key: str) -> set[tuple[str, str, str]]:
    """Returns the edges of the lineage of an artifact by what people call the nodes."""

    def ask(*words: str) -> Any:
        done = subprocess.run(
            [COMMAND, *words, "--json"],
            cwd=folder / "work",
            env=environment(folder / "home", folder / "work" / "coverage.ipynb"),
            stdout=subprocess.PIPE,
            check=True,
        )
        return json.loads(done.stdout)

    uid = ask("list", "artifact", "--filter", f"key={key}")[0]["uid"]
    graph = ask("lineage", uid)
    labels = {node["name"]: node["label"] for node in graph["nodes"]}
    return {(labels[edge["from"]], edge["type"], labels[edge["to"]]) for edge in graph["edges"]}


INSTALLED = all(shutil.which(program) for program in ("seqtk", "minimap2", "samtools"))


@pytest.mark.parametrize("steps", [REAL, PLAIN] if INSTALLED else [PLAIN], ids=lambda steps: steps["sort"][0])
def test_the_lineage_of_a_project_is_exactly_what_was_done(steps: dict[str, Any], tmp_path: Path) -> None:
    notebook = tmp_path / "coverage.ipynb"
    nbformat.write(_project(steps), notebook)
    with running(notebook, tmp_path / "project") as project:
        assert project.ask("ln.context.run is None")
        assert project.ask("[run.status for run in ln.Run.filter().all()]") == ["completed"] * 6
    align, sort, count = (steps[step][0] for step in ("align", "sort", "count"))
    names = {"awk": "awk one-liner", "bash": "awk"}
    align, sort, count = (names.get(name, name) for name in (align, sort, count))
    assert _edges(tmp_path / "project", "figures/coverage.svg") == {
        ("simulate.py", "output", "raw/reads.fastq"),
        ("simulate.py", "output", "raw/reference.fa"),
        ("raw/reads.fastq", "input", "filter.sh"),
        ("filter.sh", "output", "filtered/reads.fastq"),
        ("raw/reference.fa", "input", align),
        ("filtered/reads.fastq", "input", align),
        (align, "output", "aligned/reads.sam"),
        ("aligned/reads.sam", "input", sort),
        (sort, "output", "aligned/sorted.bam"),
        ("aligned/sorted.bam", "input", count),
        (count, "output", "counts/coverage.tsv"),
        ("counts/coverage.tsv", "input", "coverage.ipynb"),
        ("coverage.ipynb", "output", "figures/coverage.svg"),
    }


def _run(*words: str) -> dict[str, Any]:
    done = subprocess.run([COMMAND, "run", "--json", "--", *words], stdout=subprocess.PIPE, check=True)
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def test_a_run_can_be_done_again(instance: Path, tmp_path: Path) -> None:
    Path("letters.txt").write_text("b\na\n")
    ln.Artifact("letters.txt", key="letters.txt").save()
    Path("sort.py").write_text("open('out.txt', 'w').writelines(sorted(open('letters.txt')))")
    data = _run(sys.executable, "sort.py")
    run = ln.Run.get(data["run"]["uid"])
    assert [artifact.key for artifact in run.input_artifacts.all()] == ["letters.txt"]
    assert [artifact.key for artifact in run.output_artifacts.all()] == ["out.txt"]
    assert run.extra_data["command"]["exit_code"] == 0
    Path("letters.txt").write_text("something else")
    again = run.rerun()
    assert (again["same"], again["exit_code"], again["warnings"]) == (True, 0, [])
    assert [(output["path"], output["verdict"]) for output in again["outputs"]] == [("out.txt", "same")]
    kept = tmp_path / "kept"
    run.rerun(folder=kept)
    assert (kept / "out.txt").read_text() == "a\nb\n"
    with pytest.raises(ValueError, match="was not started by `holotype run`"):
        ln.Run(ln.Transform(key="pipeline").save()).save().rerun()


def test_a_script_that_tracks_itself_is_a_run_of_its_own(instance: Path) -> None:
    Path("raw.csv").write_text("x\n1\n")
    ln.Artifact("raw.csv", key="raw.csv").save()
    Path("step.py").write_text(
        "import holotype as ln\nln.track()\n"
        "text = ln.Artifact.get(key='raw.csv').cache().read_text()\n"
        "open('made.csv', 'w').write(text * 2)\nln.Artifact('made.csv', key='tables/made.csv').save()\n"
        "open('beside.txt', 'w').write('beside')\nln.finish()\n"
    )
    data = _run(sys.executable, "step.py")
    outer = ln.Run.get(data["run"]["uid"])
    inner = ln.Run.filter(initiated_by_run=outer).one()
    assert inner.transform == outer.transform
    assert [artifact.key for artifact in inner.input_artifacts.all()] == ["raw.csv"]
    assert [artifact.key for artifact in inner.output_artifacts.all()] == ["tables/made.csv"]
    assert [found["artifact"]["key"] for found in data["outputs"]] == ["beside.txt"]
    assert data["inputs"] == []
    assert (outer.status, inner.status) == ("completed", "completed")


REFUSALS = [("seccomp", "EPERM"), ("seccomp", "ENOSYS"), ("pidfd_getfd", "EPERM"), ("pidfd_open", "ENOSYS")]


@pytest.mark.skipif(sys.platform != "linux", reason="files are traced on Linux")
@pytest.mark.parametrize(("call", "error"), REFUSALS)
def test_where_tracing_is_refused_the_patterns_count(instance: Path, call: str, error: str) -> None:
    Path("letters.txt").write_text("b\na\n")
    refusing = [sys.executable, str(Path(__file__).parent / "refusing.py"), call, error]
    line = ["--inputs", "letters.txt", "--outputs", "sorted.txt", "--", "sort", "letters.txt"]
    done = subprocess.run(
        [*refusing, COMMAND, "run", "--json", *line, "-o", "sorted.txt"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "its files were not traced, only --inputs and --outputs count: the system does not" in done.stderr
    data = json.loads(done.stdout)
    assert data["run"]["extra_data"]["command"]["traced"] is False
    assert [found["artifact"]["key"] for found in data["inputs"]] == ["letters.txt"]
    assert [found["artifact"]["key"] for found in data["outputs"]] == ["sorted.txt"]
    # Without patterns the command is a run all the same, whose files nobody knows.
    done = subprocess.run(
        [*refusing, COMMAND, "run", "--json", "--", "sort", "letters.txt", "-o", "other.txt"],
        stdout=subprocess.PIPE,
        check=True,
    )
    data = json.loads(done.stdout)
    assert (data["exit_code"], data["inputs"], data["outputs"]) == (0, [], [])
    assert Path("other.txt").read_text() == "a\nb\n"
