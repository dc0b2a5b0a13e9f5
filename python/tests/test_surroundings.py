"""What surrounds a tracked run: kept once per content, whatever the run was, and without secrets."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from test_track import Lab

LAST = "ln.Run.filter().order_by('id').last()"
GIT = ["git", "-c", "user.name=J", "-c", "user.email=j@lab.org", "-c", "init.defaultBranch=main"]
TOKEN = "ghp_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8"
AWS = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def git(lab: Lab, *words: str) -> str:
    done = subprocess.run(
        [*GIT, *words], cwd=lab.folder, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return done.stdout.strip()


def stored(lab: Lab) -> sqlite3.Connection:
    return sqlite3.connect(lab.folder.parent / "storage" / ".lamindb" / "lamin.db")


def everything(lab: Lab) -> str:
    """Returns every text that the database holds, documents unpacked, and every stored file."""
    files = [path for path in lab.folder.parent.rglob("*") if path.is_file() and "work" not in path.parts]
    with stored(lab) as db:
        rows = "\n".join(db.iterdump())
    kept = lab.ask("[run.surroundings() for run in ln.Run.filter()]")
    return rows + json.dumps(kept) + "".join(path.read_text(errors="replace") for path in files)


def test_the_surroundings_tell_interpreter_system_packages_and_call(lab: Lab) -> None:
    lab.write("s.py", "ln.track()\nln.finish()")
    lab.run("s.py", "--rate", "2", TZ="Europe/Berlin", LAB_NOTES="private")
    kept = lab.ask(f"{LAST}.surroundings()")
    version = ".".join(map(str, sys.version_info[:3]))
    assert kept["interpreter"] == f"{sys.implementation.name} {version}"
    assert kept["program"] == sys.executable
    assert kept["packages"]["python"]["pytest"] == pytest.__version__
    assert kept["system"]["architecture"]
    assert kept["variables"]["TZ"] == "Europe/Berlin"
    assert "LAB_NOTES" not in kept["variables"]
    origin = kept["origin"]
    assert origin["words"][1:] == ["s.py", "--rate", "2"]
    assert (origin["folder"], origin["file"]) == (str(lab.folder), str(lab.folder / "s.py"))
    assert origin["repository"] is None
    # What other programs of the format see is what they would have written.
    environment = lab.ask(f"{LAST}.environment.cache().read_text()")
    assert f"pytest=={pytest.__version__}" in environment
    assert lab.ask(f"[{LAST}.environment.description, {LAST}.extra_data]") == ["requirements.txt", None]


def test_equal_surroundings_are_kept_once_and_leave_with_nothing_missing(lab: Lab) -> None:
    (lab.folder / "uv.lock").write_text("version = 1\n")
    lab.write("s.py", "ln.track()\nln.finish()")
    lab.write("f.py", "@ln.flow()\ndef main(): pass\nmain()")
    for name in ("s.py", "s.py", "f.py"):
        lab.run(name)
    kept = lab.ask("[run.surroundings() for run in ln.Run.filter().order_by('id')]")
    assert [state["origin"]["file"] for state in kept] == [
        str(lab.folder / n) for n in ("s.py", "s.py", "f.py")
    ]
    assert len(kept[0]["locks"]["uv.lock"]) == 64
    with stored(lab) as db:
        runs = db.execute("SELECT environment, origin FROM holotype_run").fetchall()
        documents = db.execute("SELECT digest FROM holotype_document").fetchall()
    assert len(runs) == 3
    assert len({environment for environment, _ in runs}) == 1
    assert len({origin for _, origin in runs}) == 2
    assert {digest for (digest,) in documents} == {digest for run in runs for digest in run}
    # Whoever deletes a run need not know of what is ours.
    lab.python("import holotype as ln\nfor run in ln.Run.filter().all(): run.delete(permanent=True)")
    with stored(lab) as db:
        assert db.execute("SELECT count(*) FROM holotype_run").fetchone() == (0,)
    # With a run go its report and environment; what is ours is collected.
    collect = "(lambda g: [g.unnamed, g.documents])(ln.gc(apply=True))"
    assert lab.ask(collect) == [[], 3]
    assert lab.ask(collect) == [[], 0]


def test_the_state_of_the_repository_is_kept_without_secrets(lab: Lab) -> None:
    lab.write("s.py", "ln.track()\nln.finish()")
    (lab.folder / "settings.py").write_text("rate = 1\n")
    git(lab, "init", "-q")
    git(lab, "remote", "add", "origin", f"https://{TOKEN}@github.com/lab/code.git")
    git(lab, "add", ".")
    git(lab, "commit", "-q", "-m", "first")
    (lab.folder / "settings.py").write_text(f"rate = 2\nAWS_SECRET_ACCESS_KEY = {AWS!r}\n")
    (lab.folder / "notes.txt").write_text("new")
    (lab.folder / ".env").write_text(f"AWS_SECRET_ACCESS_KEY={AWS}\n")
    git(lab, "add", ".env")
    url = "postgresql://jane:hunter2@db.lab.org/x"
    lab.run("s.py", "--token", TOKEN, f"--db={url}", JAVA_HOME=url, AWS_SECRET_ACCESS_KEY=AWS)
    repository = lab.ask(f"{LAST}.surroundings()")["origin"]["repository"]
    assert repository["commit"] == git(lab, "rev-parse", "HEAD")
    assert (repository["branch"], repository["dirty"]) == ("main", True)
    assert repository["remote"] == "https://***REDACTED***@github.com/lab/code.git"
    changed = {entry["path"]: entry["status"] for entry in repository["changed"]}
    assert changed == {"settings.py": "M", ".env": "A"}
    assert [entry["path"] for entry in repository["untracked"]] == ["notes.txt"]
    assert "-rate = 1\n+rate = 2\n" in repository["difference"]
    assert repository["redacted"] == 2
    text = everything(lab)
    for secret in (TOKEN, AWS, "hunter2"):
        assert secret not in text


def test_a_killed_run_has_none_and_an_aborted_one_has(lab: Lab) -> None:
    lab.write("killed.py", "import os\nln.track()\nos.kill(os.getpid(), 9)")
    lab.write("failed.py", "ln.track()\nraise SystemError")
    lab.run("killed.py", fails=True)
    lab.run("failed.py", fails=True)
    kept: Any = lab.ask("[run.surroundings() is None for run in ln.Run.filter().order_by('id')]")
    assert kept == [True, False]


def test_a_command_has_them_and_its_description_tells(lab: Lab) -> None:
    lab.write("count.sh", "wc -l < count.sh > lines.txt")
    git(lab, "init", "-q")
    git(lab, "add", ".")
    git(lab, "commit", "-q", "-m", "first")
    lab.write("count.sh", "wc -c < count.sh > lines.txt")
    command = [str(Path(sys.executable).parent / "holotype"), "run", "--", "bash", "count.sh"]
    subprocess.run(command, cwd=lab.folder, env=lab.env(), check=True, capture_output=True)
    kept = lab.ask(f"{LAST}.surroundings()")
    repository = kept["origin"]["repository"]
    assert repository["changed"] == [{"path": "count.sh", "status": "M"}]
    assert "-wc -l < count.sh > lines.txt\n+wc -c" in repository["difference"]
    assert kept["origin"]["words"] == ["bash", "count.sh"]
    commit = git(lab, "rev-parse", "HEAD")[:8]
    assert f"commit: {commit} (main), 1 file changed" in lab.python(
        f"import holotype as ln; {LAST}.describe()"
    )
    # The code at the time of the run: the script is the transform's, and what lies beside it is as it was.
    judged = lab.ask(f"{LAST}.rerun()")
    assert (judged["same"], judged["new_run"]) == (True, None)
