"""Processes killed and interrupted: what can be read is right, and doing it again finishes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import holotype as ln
import killed

# Rounds that a process is given: it is killed long before the last one.
MANY = 10_000
# So many processes die for each operation.
DEATHS = {"save": 25, "save_folder": 20, "from_dir": 15, "replace": 20, "delete": 20, "track": 10}


def _start(operation: str, first: int, last: int = MANY) -> subprocess.Popen[str]:
    command = [sys.executable, killed.__file__, operation, str(first), str(last)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, bufsize=1
    )


def _kill(operation: str, first: int, dice: random.Random, how: signal.Signals) -> tuple[int, int, str]:
    """Ends a process in its second round; returns the rounds begun and done, and its errors."""
    process = _start(operation, first)
    assert process.stdout is not None
    assert process.stderr is not None
    begun = done = first - 1
    before = time.monotonic()
    took = 0.02
    for line in process.stdout:
        if line.startswith("@begin"):
            begun, before = int(line.split()[1]), time.monotonic()
            if begun > first:
                time.sleep(dice.random() * took)
                process.send_signal(how)
                break
        elif line.startswith("@done"):
            done, took = int(line.split()[1]), time.monotonic() - before
    for line in process.stdout:
        if line.startswith("@done"):
            done = int(line.split()[1])
        elif line.startswith("@begin"):
            begun = int(line.split()[1])
    errors = process.stderr.read()
    process.wait()
    assert process.returncode != 0, "it was faster than its killer"
    return begun, done, errors


def _audit() -> None:
    """Reads every byte that can be read; what is not right is marked and yields none."""
    for found in ln.verify(full=True).wrong:
        assert found.state == "incomplete", f"{found}"
        with pytest.raises(ln.errors.IncompleteArtifact):
            found.artifact.cache()
    # Exactly one version of each family is the latest.
    latest = [artifact.stem_uid for artifact in ln.Artifact.filter(is_latest=True)]
    assert len(latest) == len(set(latest))
    assert {artifact.stem_uid for artifact in ln.Artifact.filter()} == set(latest)


def _check(operation: str, round: int) -> None:
    """Checks that the artifacts of a round are there, whole."""

    def holds(key: str, expected: str) -> None:
        assert ln.Artifact.get(key=key).cache().read_text() == expected, f"{operation} {round}: {key}"

    if operation == "save":
        holds("same.txt" if round % 2 else f"{round}.txt", killed.text("f", round))
    elif operation == "save_folder":
        stored = ln.Artifact.get(key="dir").cache()
        for i in range(killed.FILES):
            expected = killed.text(f"dir{i}", round)[:2000]
            assert (stored / f"sub{i % 3}" / f"{i}.txt").read_text() == expected
    elif operation == "from_dir":
        for i in range(killed.FILES):
            holds(f"many{round}/sub{i % 3}/{i}.txt", killed.text(f"many{i}", round)[:2000])
    elif operation == "replace":
        holds("r.csv", killed.text("r", round))
    elif operation == "delete":
        assert ln.Artifact.filter(key=f"gone-{round}.txt", branch=None).count() == 0
    else:
        artifact = ln.Artifact.get(key="out.txt")
        assert artifact.cache().read_text() == killed.text("out", round)
        assert artifact.run.finished_at is not None or artifact.run.started_at is not None


def _rerun(operation: str, round: int) -> None:
    done = subprocess.run(
        [sys.executable, killed.__file__, operation, str(round), str(round + 1)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("operation", DEATHS)
def test_killed_processes_leave_nothing_wrong(instance: Path, operation: str) -> None:
    dice = random.Random(operation)
    round = 0
    for _ in range(DEATHS[operation]):
        begun, done, _ = _kill(operation, round, dice, signal.SIGKILL)
        _audit()
        if operation in ("save", "from_dir"):
            # What was reported as done is there; elsewhere the round that died may have replaced it already.
            _check(operation, done)
        # In this process, which was connected all the time, and mostly without the cost of starting another.
        if dice.random() < 0.2 or operation == "track":
            _rerun(operation, begun)
        else:
            killed.OPERATIONS[operation](begun)
        _check(operation, begun)
        round = begun + 1
    ln.repair(older_than=0)
    ln.gc(apply=True, purge=True, older_than=0)
    assert ln.verify(full=True).ok
    found = ln.gc(older_than=0)
    assert (found.unused, found.young) == ([], [])


@pytest.mark.parametrize("operation", ["save_folder", "from_dir"])
def test_an_interrupt_leaves_all_or_nothing(instance: Path, operation: str) -> None:
    dice = random.Random(operation)
    round = 0
    for _ in range(8):
        begun, _, errors = _kill(operation, round, dice, signal.SIGINT)
        assert "KeyboardInterrupt" in errors, errors
        assert ln.verify(full=True).ok
        if operation == "from_dir":
            keys = ln.Artifact.filter(key__startswith=f"many{begun}/").count()
            assert keys in (0, killed.FILES), f"{keys} rows of {killed.FILES}"
        assert ln.gc(older_than=0).unused == [], "an interrupt cleans up behind itself"
        killed.OPERATIONS[operation](begun)
        _check(operation, begun)
        round = begun + 1
