"""The examples of the README run as they stand there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from notebooks import environment

if TYPE_CHECKING:
    from servers import Server

README = Path(__file__).parents[2] / "README.md"


def block(language: str, start: str) -> str:
    """Returns the example in a language that begins with `start`."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)
    return next(text for text in blocks if text.startswith(start))


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder with the file that the examples register."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "counts.csv").write_text("gene,count\nTP53,7\nMYC,5\n")
    return folder


def run(work: Path, *command: str) -> str:
    """Runs a command among settings of its own, and returns all it printed."""
    variables = environment(work.parent / "home", work / "none.ipynb")
    del variables["JPY_SESSION_NAME"]
    done = subprocess.run(
        command,
        cwd=work,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout


def test_the_command_line_example_runs(work: Path) -> None:
    said = run(work, "bash", "-euxc", block("sh", "holotype init"))
    assert said.count("raw/counts.csv") > 5
    assert "Instance: anonymous/data" in said


def test_the_example_of_a_bucket_runs(work: Path, moto: Server) -> None:
    first, _, commands = block("sh", "moto_server").partition("\n")
    assert first == "moto_server -p 5000 &"
    said = run(work, "bash", "-euxc", commands.replace("http://127.0.0.1:5000", moto.endpoint))
    assert "storage path: s3://my-bucket/atlas/.lamindb/" in said
    assert "atlas/.lamindb/lamin.db" in moto.keys("my-bucket")


def test_the_python_example_runs(work: Path) -> None:
    run(work, "holotype", "init", "--storage", "./data")
    (work / "analysis.py").write_text(block("python", "import holotype as ln"))
    said = run(work, sys.executable, "analysis.py")
    assert "created Transform(" in said
    assert "Artifact: raw/counts.csv (0000)" in said
    assert "pilot" in said, "describe() shows the label"
