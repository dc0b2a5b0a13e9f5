"""Snakemake with the logger plugin: a run for each job, however the workflow ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import holotype as ln
from notebooks import environment
from snakemake_logger_plugin_holotype._jobs import rule_text

if TYPE_CHECKING:
    from collections.abc import Callable

SNAKEFILE = '''
configfile: "config.yaml"
include: "rules/report.smk"

rule all:
    input: "report.done"

rule join:
    input: expand("counts/{sample}.txt", sample=["a", "b"])
    output: temp("joined.txt")
    shell: """
cat {input} > {output}
"""

rule count:
    input: "raw/{sample}.txt"
    output: "counts/{sample}.txt"
    log: "logs/{sample}.log"
    params: what=config["what"]
    threads: 2
    shell: "wc {params.what} < {input} > {output}; echo counted {wildcards.sample} >&2 2> {log}"
'''
REPORT = """
rule report:
    input: "joined.txt"
    output: directory("report"), "report.done"
    script: "../scripts/report.py"

ruleorder: report > all
"""
SCRIPT = """
import os
folder, done = snakemake.output
os.makedirs(folder)
with open(snakemake.input[0]) as joined, open(f"{folder}/summary.txt", "w") as summary:
    summary.write(joined.read())
open(done, "w").close()
"""


def _project(folder: Path) -> None:
    files = {
        "Snakefile": SNAKEFILE,
        "rules/report.smk": REPORT,
        "scripts/report.py": SCRIPT,
        "config.yaml": "what: -l\n",
        "raw/a.txt": "x\n",
        "raw/b.txt": "x\ny\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _snakemake(*options: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--cores", "2", *options, "--logger", "holotype"]


def _variables() -> dict[str, str]:
    return environment(Path.home(), Path("none")) | {"LAMIN_CACHE_DIR": os.environ["LAMIN_CACHE_DIR"]}


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    words = _snakemake(*options)
    return subprocess.run(words, env=_variables(), capture_output=True, text=True, check=False)


def _last() -> Any:
    return ln.Run.filter(transform__key="Snakefile").last()


def _keys(artifacts: Any) -> tuple[str, ...]:
    return tuple(sorted(artifact.key for artifact in artifacts.all()))


def _edges() -> set[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Returns for each job of the last workflow its transform, what it read and what it made."""
    return {
        (run.transform.key, _keys(run.input_artifacts), _keys(run.query_output_artifacts()))
        for run in ln.Run.filter(initiated_by_run=_last()).all()
    }


def _change(old: str, new: str) -> None:
    snakefile = Path("Snakefile")
    snakefile.write_text(snakefile.read_text().replace(old, new))


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_jobs_are_runs_with_their_files(instance: Path) -> None:
    _project(Path.cwd())
    done = _run()
    assert done.returncode == 0, done.stderr
    assert "recorded 4 jobs of Snakefile" in done.stderr
    assert _edges() == {
        ("Snakefile:count", ("raw/a.txt",), ("counts/a.txt",)),
        ("Snakefile:count", ("raw/b.txt",), ("counts/b.txt",)),
        ("Snakefile:join", ("counts/a.txt", "counts/b.txt"), ("joined.txt",)),
        ("Snakefile:report", ("joined.txt",), ("report", "report.done")),
    }
    whole = _last()
    assert (whole.status, whole.params) == ("completed", {"what": "-l"})
    assert whole.cli_args.startswith("--cores 2 --logger holotype")
    assert "Finished jobid" in whole.report.cache().read_text()
    count = ln.Run.get(transform__key="Snakefile:count", params__wildcards__sample="b")
    assert count.params == {"threads": 2, "wildcards": {"sample": "b"}, "params": {"what": "-l"}}
    assert count.transform.source_code == SNAKEFILE[SNAKEFILE.index("rule count") :]
    assert whole.started_at <= count.started_at <= count.finished_at <= whole.finished_at
    assert count.rerun()["same"]
    report = ln.Transform.get(key="Snakefile:report").source_code
    assert report.startswith("rule report:")
    assert report.endswith(f"# ../scripts/report.py\n\n{SCRIPT}")
    folder = ln.Artifact.get(key="report")
    assert (folder.cache() / "summary.txt").read_text() == "1\n2\n"

    # One rule changes: it alone gets a new version, and jobs that need not run again are no runs again.
    _change("cat {input}", "tac {input}")
    assert _run("--quiet", "all").returncode == 0
    versions = [ln.Transform.filter(key=f"Snakefile:{rule}").count() for rule in ("join", "count", "report")]
    assert versions == [2, 1, 1]
    assert {edge[0] for edge in _edges()} == {"Snakefile:join", "Snakefile:report"}


def test_failing_jobs_are_errored_and_nothing_is_recorded_of_a_dry_run(instance: Path) -> None:
    _project(Path.cwd())
    assert _run("--dry-run").returncode == 0
    assert ln.Run.filter().count() == 0
    _change("cat {input}", "false; cat {input}")
    assert _run().returncode == 1
    assert _last().status == "errored"
    runs = ln.Run.filter(initiated_by_run=_last()).all()
    ends = {run.transform.key: (run.status, run.output_artifacts.count()) for run in runs}
    assert ends == {"Snakefile:count": ("completed", 1), "Snakefile:join": ("errored", 0)}

    # What succeeds when it is tried again fails no workflow.
    _change("false; cat", "test -e tried || {{ touch tried; exit 1; }}; cat")
    done = _run("--retries", "1")
    assert done.returncode == 0, done.stderr
    joined = ln.Run.filter(initiated_by_run=_last(), transform__key="Snakefile:join").order_by("id").all()
    assert [run.status for run in joined] == ["errored", "completed"]
    assert _last().status == "completed"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
def test_workflows_that_are_stopped_are_aborted(instance: Path, how: signal.Signals) -> None:
    _project(Path.cwd())
    _change("cat {input}", "touch going; exec sleep 60; cat {input}")
    process = subprocess.Popen(
        _snakemake(), env=_variables(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    _wait(Path("going").exists)
    if how == signal.SIGKILL:
        process.kill()
        process.wait()
        # What it had started goes on.
        how = signal.SIGTERM
    os.killpg(process.pid, how)
    process.wait()
    _wait(lambda: _last().finished_at is not None)
    assert _last().status == "aborted"
    counted = [run.status for run in ln.Run.filter(transform__key="Snakefile:count").all()]
    assert counted == ["completed", "completed"]


def test_a_workflow_without_an_instance_runs_all_the_same(home: Path) -> None:
    _project(Path.cwd())
    done = _run("counts/a.txt")
    assert done.returncode == 0, done.stderr
    assert "the jobs of this workflow are not recorded" in done.stderr


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("rule a:\n  shell: 'x'\n\n\nrule b:\n  shell: 'y'\n", "rule a:\n  shell: 'x'\n"),
        (
            "if x:\n    rule a:\n        run:\n            f()\n    g()\n",
            "    rule a:\n        run:\n            f()\n",
        ),
        ('checkpoint a:\n  shell: """\ncat\n"""\nx = 1\n', 'checkpoint a:\n  shell: """\ncat\n"""\n'),
        ("rule ab:\n  shell: 'x'\n", None),
    ],
)
def test_a_rule_is_cut_out_of_its_file(text: str, rule: str | None) -> None:
    assert rule_text(text, "a") == rule
