"""The two sides, the instances they work in, and how their processes are measured."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fill

HERE = Path(__file__).resolve().parent
DATABASE = Path("store/.lamindb/lamin.db")


@dataclass(frozen=True)
class Cost:
    """What work took: seconds of wall and of CPU, and the peak of memory in bytes (0 when not known)."""

    wall: float
    cpu: float
    peak: int = 0


def middle(costs: list[Cost]) -> Cost:
    """Returns the medians."""
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        int(statistics.median(cost.peak for cost in costs)),
    )


def measure(command: list[str], environment: dict[str, str], folder: Path) -> Cost:
    """Runs a command to its end.

    Raises:
        RuntimeError: it ended with another exit code than 0.
    """
    log = folder / "printed"
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    os.chdir(folder)
    start = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status:
        printed = log.read_text(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)} ended with {status}:\n{printed}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)


@dataclass(frozen=True)
class Side:
    """One of the two packages: its import name, interpreter, command, and what pip installs it from."""

    name: str
    python: Path
    command: Path
    distributions: tuple[str, ...]

    def environment(self, home: Path) -> dict[str, str]:
        """Returns variables that keep settings and cache below `home`."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | {
            "HOME": str(home),
            "LAMIN_SETTINGS_DIR": str(home),
            "LAMIN_CACHE_DIR": str(home / "cache"),
            "PYTHONWARNINGS": "ignore",
        }

    def version(self) -> str:
        """Returns the version of the installed package."""
        return release(self.python, self.name)


@dataclass
class Instance:
    """An instance in a folder of its own: settings in `home/`, storage in `work/store/`."""

    root: Path
    seeds: int = field(default=0)
    # What its processes find in their environment beside the settings.
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """Returns where the settings lie."""
        return self.root / "home"

    @property
    def work(self) -> Path:
        """Returns the working directory."""
        return self.root / "work"

    @classmethod
    def empty(cls, root: Path) -> Instance:
        """Makes the folders, which must not be there, and no instance yet."""
        made = cls(root)
        made.home.mkdir(parents=True)
        made.work.mkdir()
        return made

    def init(self, side: Side, *more: str) -> Cost:
        """Makes the instance with the command of a side."""
        command = [str(side.command), "init", "--storage", "./store", *more]
        return measure(command, side.environment(self.home) | self.variables, self.work)

    def run(self, side: Side, workload: str, size: int, **options: Any) -> dict[str, Any]:
        """Runs a workload in the instance and returns what `side.py` says.

        Raises:
            RuntimeError: the process died without an answer.
        """
        self.seeds += 1
        order = {"side": side.name, "workload": workload, "size": size, "seed": self.seeds} | options
        done = subprocess.run(
            [side.python, HERE / "side.py", json.dumps(order)],
            cwd=self.work,
            env=side.environment(self.home) | self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(
                f"{side.name}: {workload} ended with {done.returncode}:\n{done.stderr[-2000:]}"
            )
        return dict(json.loads(done.stdout))

    def copy(self, root: Path) -> Instance:
        """Copies the instance, and tells the copy where it lies."""
        shutil.copytree(self.root, root)
        for settings in (root / "home" / ".lamin").glob("*.env"):
            settings.write_text(settings.read_text().replace(str(self.root), str(root)))
        connection = sqlite3.connect(root / "work" / DATABASE)
        with connection:
            connection.execute("UPDATE lamindb_storage SET root = ?", [str(root / "work" / "store")])
        connection.close()
        return Instance(root)


class Bench:
    """The sides, the place of the measurements, and the filled instances made so far.

    Small files are not removed before the end: ext4 steps over the inodes that were freed in the last
    minutes, one by one, so that whoever makes files after somebody removed many pays a millisecond for each.

    Args:
        lamindb: the side that is 1.
        holotype: the side that is compared with it; None when only LaminDB is measured.
        out: a folder on a real disk; a folder is made in it, which `clear` removes.
        quick: fewer and smaller runs.
        say: prints a line of progress.
    """

    def __init__(
        self, lamindb: Side, holotype: Side | None, out: Path, quick: bool, say: Callable[[str], None]
    ) -> None:
        """Makes the folder."""
        self.lamindb = lamindb
        self.holotype = holotype
        self.sides = [side for side in (lamindb, holotype) if side]
        self.quick = quick
        self.say = say
        self._filled: dict[tuple[str, str, int], Instance] = {}
        self._places = 0
        out.mkdir(parents=True, exist_ok=True)
        self.out = Path(tempfile.mkdtemp(prefix="run-", dir=out))

    def clear(self) -> None:
        """Removes everything that was made."""
        shutil.rmtree(self.out)

    def place(self, name: str) -> Path:
        """Returns a path at which nothing is yet."""
        self._places += 1
        return self.out / f"{name}-{self._places}"

    def fresh(
        self, side: Side, labels: int = 0, db: str | None = None, variables: dict[str, str] | None = None
    ) -> Instance:
        """Makes an instance without artifacts, once all that was written before is on the disk.

        Args:
            side: whose command makes it.
            labels: how many labels are filled in, where the database is a file.
            db: URL of an empty database for it.
            variables: what its processes find in their environment.
        """
        instance = Instance.empty(self.place(side.name))
        instance.variables = variables or {}
        instance.init(side, *(["--db", db] if db else []))
        if labels:
            fill.labels(instance.work / DATABASE, labels)
        os.sync()
        return instance

    def filled(self, side: Side, count: int, maker: Side | None = None) -> Instance:
        """Returns an instance with `count` artifacts, made by the command of `maker` (else of `side`)."""
        maker = maker or side
        key = side.name, maker.name, count
        if key not in self._filled:
            root = self.out / f"{side.name}-{maker.name}-{count}"
            if side is not maker:
                made = self.filled(maker, count).copy(root)
            else:
                self.say(f"  filling an instance of {side.name} with {count:,} artifacts")
                made = Instance.empty(root)
                made.init(maker)
                fill.artifacts(made.work / DATABASE, count)
            self._filled[key] = made
        return self._filled[key]

    def drop(self, count: int) -> None:
        """Removes the filled instances of one size, to give their room on the disk back."""
        for key in [key for key in self._filled if key[2] == count]:
            shutil.rmtree(self._filled.pop(key).root)


def release(python: Path, distribution: str) -> str:
    """Returns the release of a distribution that an interpreter sees."""
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def lamindb_side() -> Side:
    """Returns LaminDB in its own environment, the one that the tests use too; makes it if it is missing."""
    sys.path.insert(0, str(HERE.parent / "python" / "tests"))
    from referee.venv import referee_python

    python = Path(referee_python())
    distributions = [f"{name}=={release(python, name)}" for name in ("lamindb", "lamindb-core")]
    return Side("lamindb", python, python.with_name("lamin"), tuple(distributions))


def holotype_side(python: Path, wheel: Path | None) -> Side:
    """Returns Holotype as an interpreter has it; its footprint is that of a wheel, else of the same release.

    Raises:
        FileNotFoundError: its command is not beside the interpreter.
    """
    command = python.with_name("holotype")
    if not command.exists():
        raise FileNotFoundError(f"{command} does not exist; install Holotype for {python}")
    distribution = str(wheel.absolute()) if wheel else f"holotype=={release(python, 'holotype')}"
    return Side("holotype", python, command, (distribution,))
