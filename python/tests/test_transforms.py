"""Transforms of files and of git repositories, without a run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import holotype as ln


def test_a_file_becomes_a_transform(instance: Path) -> None:
    Path("steps").mkdir()
    script = Path("steps/clean.py")
    script.write_text("print(1)\n")
    first = ln.Transform.from_path(script)
    assert (first.key, first.kind, first.source_code) == ("steps/clean.py", "script", "print(1)\n")
    assert first.runs.count() == 0
    assert ln.Transform.from_path(script) == first
    script.write_text("print(2)\n")
    second = ln.Transform.from_path(script, version="2", description="cleans")
    assert (second.stem_uid, second.version, second.description) == (first.stem_uid, "2", "cleans")
    flow = Path("flow.py")
    flow.write_text("print(3)\n")
    assert ln.Transform.from_path(flow, key="flows/main", kind="pipeline").kind == "pipeline"
    assert ln.Transform.get(key="flows/main").kind == "pipeline"
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["# Title"]}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    Path("n.ipynb").write_text(json.dumps(notebook))
    assert ln.Transform.from_path("n.ipynb").kind == "notebook"
    with pytest.raises(FileNotFoundError):
        ln.Transform.from_path("nothing.py")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A git repository `lab/flows` with two commits, the first of which is tagged `v1`."""
    folder = tmp_path / "lab" / "flows"
    (folder / "wf").mkdir(parents=True)

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "--initial-branch", "main")
    for text, tag in (("one", "v1"), ("two", "v2")):
        (folder / "wf" / "main.nf").write_text(text)
        git("add", "--all")
        git("commit", "--message", text)
        if tag == "v1":
            git("tag", tag)
    return folder


def commit(repository: Path, name: str) -> str:
    command = ["git", "rev-parse", name]
    return subprocess.run(command, cwd=repository, check=True, capture_output=True, text=True).stdout.strip()


def test_a_pipeline_in_git(instance: Path, repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"file://{repository}"
    tagged = ln.Transform.from_git(url, "wf/main.nf", version="v1", entrypoint="align").save()
    assert "inferred key 'lab/flows/wf/main.nf' from url & path" in capsys.readouterr().out
    assert (tagged.key, tagged.kind, tagged.version) == ("lab/flows/wf/main.nf", "pipeline", "v1")
    first = commit(repository, "v1")
    lines = [f"repo: {url}", "path: wf/main.nf", "entrypoint: align", f"commit: {first}"]
    assert tagged.source_code.splitlines() == lines
    newest = ln.Transform.from_git(f"{url}/", "/wf", key="flows").save()
    assert newest.source_code.splitlines()[-1] == f"commit: {commit(repository, 'main')}"
    sliding = ln.Transform.from_git(url, "wf/main.nf", version="main", branch="main").save()
    assert sliding.source_code.splitlines()[-1] == "branch: main"
    assert sliding.stem_uid == tagged.stem_uid
    by_commit = ln.Transform.from_git(url, "wf/main.nf", key="k", version=first[:10], branch="main")
    assert by_commit.source_code.splitlines()[-1] == f"commit: {first}"


def test_what_a_repository_lacks(instance: Path, repository: Path) -> None:
    url = f"file://{repository}"
    with pytest.raises(ValueError, match="'wf/none.nf' is not in"):
        ln.Transform.from_git(url, "wf/none.nf")
    with pytest.raises(ValueError, match="no tag, branch or commit 'v9'"):
        ln.Transform.from_git(url, "wf/main.nf", version="v9")
    with pytest.raises(ValueError, match="no tag, branch or commit '--all'"):
        ln.Transform.from_git(url, "wf/main.nf", version="--all")
    with pytest.raises(ValueError, match="no branch 'dev'"):
        ln.Transform.from_git(url, "wf/main.nf", branch="dev")
    with pytest.raises(RuntimeError):
        ln.Transform.from_git(f"{url}-none", "wf/main.nf")
