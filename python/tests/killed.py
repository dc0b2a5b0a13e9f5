"""What a killed process does: each function works on one round, and may die at any moment.

Run as `python killed.py OPERATION FIRST LAST` in the working directory of an instance; a line is printed
before and after each round, so that the parent knows what was begun and what was done.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import holotype as ln

# Each round writes one file of this size, and folders of so many.
SIZE = 20_000
FILES = 12


def text(name: str, round: int) -> str:
    """Returns the content of a round."""
    return f"{name} {round} ".ljust(20, "x") * (SIZE // 20 + round)


def file(name: str, round: int, suffix: str = ".txt") -> Path:
    """Writes the file of a round and returns its path."""
    path = Path("src") / f"{name}-{round}{suffix}"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text(name, round))
    return path


def folder(name: str, round: int) -> Path:
    """Writes the folder of a round and returns its path."""
    path = Path("src") / f"{name}{round}"
    for i in range(FILES):
        (path / f"sub{i % 3}").mkdir(parents=True, exist_ok=True)
        (path / f"sub{i % 3}" / f"{i}.txt").write_text(text(f"{name}{i}", round)[:2000])
    return path


def save(round: int) -> None:
    """Saves a file, every other one as a version of one key."""
    key = "same.txt" if round % 2 else f"{round}.txt"
    ln.Artifact(file("f", round), key=key, run=False).save()


def save_folder(round: int) -> None:
    """Saves a folder as the next version of one artifact."""
    ln.Artifact(folder("dir", round), key="dir", run=False).save()


def from_dir(round: int) -> None:
    """Saves every file of a folder."""
    ln.save(ln.Artifact.from_dir(folder("many", round), run=False))


def replace(round: int) -> None:
    """Gives an artifact other content."""
    artifact = ln.Artifact.filter(key="r.csv").one_or_none()
    if artifact is None:
        ln.Artifact(file("r", round, ".csv"), key="r.csv", run=False).save()
        return
    artifact.replace(file("r", round, ".csv"), run=False)
    artifact.save()


def delete(round: int) -> None:
    """Deletes an artifact for good that the same round has saved before."""
    key = f"gone-{round}.txt"
    found = ln.Artifact.filter(key=key, branch=None).one_or_none()
    if found is None:
        found = ln.Artifact(file("gone", round), key=key, run=False).save()
    found.delete(permanent=True, storage=True)


def track(round: int) -> None:
    """Runs a tracked script's beginning and end, with an output between."""
    ln.track(key="killed.py")
    ln.Artifact(file("out", round), key="out.txt").save()
    ln.finish()


OPERATIONS: dict[str, Any] = {
    each.__name__: each for each in (save, save_folder, from_dir, replace, delete, track)
}


def main() -> None:
    """Runs the rounds that the command line names."""
    operation, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for round in range(first, last):
        print(f"@begin {round}", flush=True)
        try:
            OPERATIONS[operation](round)
        except KeyboardInterrupt:
            print("@interrupted", flush=True)
            raise
        print(f"@done {round}", flush=True)


if __name__ == "__main__":
    main()
