"""What is measured, how often, and what is to be reached."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import fill
from rows import Row, Work, alternate, fill_in, memory, repeat
from sides import DATABASE, Bench, Cost, Instance, Side, measure, middle

Measured = Callable[[Bench], list[Row]]
MEASURES: dict[str, Measured] = {}


def measured(function: Measured) -> Measured:
    """Registers a measurement under its name; its rows come in this order."""
    MEASURES[function.__name__] = function
    return function


@measured
def start(bench: Bench) -> list[Row]:
    """Start of the command."""
    folder = Instance.empty(bench.place("start"))

    def once(side: Side) -> Cost:
        return measure([str(side.command), "--version"], side.environment(folder.home), folder.work)

    row = Row("start", "start of the command (`--version`)", 50)
    return [fill_in(row, alternate(bench, 5 if bench.quick else 21, once))]


@measured
def importing(bench: Bench) -> list[Row]:
    """Import, connection and the first query."""
    instances = {side.name: bench.fresh(side) for side in bench.sides}
    title = "`import`, connect, count the artifacts (whole process)"

    def once(side: Side) -> Cost:
        code = f"import {side.name} as ln; assert ln.Artifact.filter().count() == 0"
        instance = instances[side.name]
        return measure([str(side.python), "-c", code], side.environment(instance.home), instance.work)

    costs = alternate(bench, 3 if bench.quick else 11, once)
    bare = middle([measure([sys.executable, "-c", "pass"], dict(os.environ), bench.out) for _ in range(5)])
    note = f"Python alone needs {bare.wall * 1000:.0f} ms of it"
    return [fill_in(Row("importing", title, 20, note=note), costs)]


@measured
def init(bench: Bench) -> list[Row]:
    """Making an instance."""
    rounds = 3 if bench.quick else 7
    rows = []
    for title, more in (("`init`", ()), ("`init --modules bionty`", ("--modules", "bionty"))):
        costs = alternate(bench, rounds, lambda side: Instance.empty(bench.place("init")).init(side, *more))  # noqa: B023
        rows.append(fill_in(Row("init", title, 50), costs))
    return rows


@measured
def single_saves(bench: Bench) -> list[Row]:
    """Small files saved one by one."""
    size = 200 if bench.quick else 1000
    rounds = 1 if bench.quick else 3
    work = Work("single_saves")
    costs = alternate(bench, rounds, lambda side: work.run(side, bench.fresh(side), size))
    title = f"{size:,} single saves of small files"
    rows = [fill_in(Row("single_saves", f"{title}, flushed to disk", 20), costs)]
    rows[0].note = "LaminDB flushes the database, never the content"
    if bench.holotype:
        side = bench.holotype
        row = Row("single_saves", f"{title}, not flushed", 40, lamindb=costs["lamindb"])
        row.holotype = repeat(rounds, lambda: work.run(side, bench.fresh(side), size, durable=False))
        row.note = "LaminDB has no such switch: the same runs as above"
        rows.append(row)
    return [*rows, memory("single_saves", title, costs)]


@measured
def directory(bench: Bench) -> list[Row]:
    """A folder of small files, each an artifact."""
    sizes = {"lamindb": 500, "holotype": 2000} if bench.quick else {"lamindb": 10_000, "holotype": 10_000}
    work = Work("directory")
    rounds = 1 if bench.quick else 2
    costs = alternate(bench, rounds, lambda side: work.run(side, bench.fresh(side), sizes[side.name]))
    title = f"`from_dir` and save of {sizes['holotype']:,} small files"
    row = fill_in(Row("directory", title, 50), costs)
    if sizes["lamindb"] != sizes["holotype"]:
        times = sizes["holotype"] / sizes["lamindb"]
        if isinstance(row.lamindb, Cost):
            row.lamindb = Cost(row.lamindb.wall * times, row.lamindb.cpu * times, row.lamindb.peak)
        row.note = f"LaminDB's side saved {sizes['lamindb']:,} files; its time is multiplied by {times:g}"
        return [row]
    return [row, memory("directory", title, costs)]


@measured
def folder_artifact(bench: Bench) -> list[Row]:
    """A folder of small files as one artifact."""
    size = 1000 if bench.quick else 10_000
    rounds = 1 if bench.quick else 3
    work = Work("folder_artifact")
    costs = alternate(bench, rounds, lambda side: work.run(side, bench.fresh(side), size))
    row = fill_in(Row("folder_artifact", f"one folder artifact of {size:,} files", 5), costs)
    row.note = "Holotype flushes all content, LaminDB none"
    rows = [row]
    if bench.holotype:
        side = bench.holotype
        loose = repeat(rounds, lambda: work.run(side, bench.fresh(side), size, durable=False))
        rows.append(Row("folder_artifact", f"{row.title}, not flushed", 5, costs["lamindb"], loose))
    return rows


@measured
def big_file(bench: Bench) -> list[Row]:
    """A large file, against LaminDB and against `cp`."""
    megabytes = 128 if bench.quick else 1000
    rounds = 1 if bench.quick else 3
    source = bench.out / "big.bin"
    with open(source, "wb") as file:
        for _ in range(megabytes):
            file.write(os.urandom(1_000_000))
        os.fsync(file.fileno())
    work = Work("big_file")
    target = bench.out / "copied.bin"

    def copy(flush: bool) -> Cost:
        target.unlink(missing_ok=True)
        os.sync()
        tail = ' && exec sync "$1"' if flush else ""
        command = ["/bin/sh", "-c", f'cp "$0" "$1"{tail}', str(source), str(target)]
        return measure(command, dict(os.environ), bench.out)

    def save(side: Side, durable: bool) -> Cost | str:
        instance = bench.fresh(side)
        cost = work.run(side, instance, 1, source=str(source), durable=durable)
        # Few files, and their memory is what the next one is copied into, as with `cp`: a virtual machine may
        # have to ask its host for any other.
        shutil.rmtree(instance.root)
        return cost

    rows = []
    name = f"save of a {megabytes / 1000:g} GB file"
    for flush, how, tool in ((True, "flushed", "`cp` and `sync`"), (False, "not flushed", "`cp`")):
        plain: list[Cost] = []

        def once(side: Side, flush: bool = flush, plain: list[Cost] = plain) -> Cost | str:
            if side is bench.lamindb:
                plain.append(copy(flush))
            return save(side, flush)

        row = fill_in(Row("big_file", f"{name}, {how}", None), alternate(bench, rounds, once))
        row.note = "LaminDB does not flush, and hashes no more than the ends of the file" if flush else ""
        against = Row("big_file", f"{name}, {how}, against {tool}", 1 / 1.2, middle(plain), row.holotype)
        against.note = f"{tool} stands in LaminDB's place; the target allows 1.2 times its time"
        rows += [against, row]
    target.unlink()
    source.unlink()
    return rows


def filled_size(bench: Bench) -> int:
    """Returns how many artifacts the instance of the queries holds."""
    return 10_000 if bench.quick else 100_000


def query(bench: Bench, workload: str, title: str, target: float, size: int) -> Row:
    """Runs a workload on copies of one database, made by LaminDB and filled past both sides."""
    work = Work(workload)
    count = filled_size(bench)

    def once(side: Side) -> Cost | str:
        return work.run(side, bench.filled(side, count, maker=bench.lamindb), size)

    return fill_in(Row(workload, title, target), alternate(bench, 1 if bench.quick else 5, once))


@measured
def get_by_key(bench: Bench) -> list[Row]:
    """One artifact among many."""
    return [query(bench, "get_by_key", f"`get(key=)` among {filled_size(bench):,} artifacts", 20, 300)]


@measured
def searching(bench: Bench) -> list[Row]:
    """Search among many artifacts: the first one ever, and those after the index has grown."""
    count = filled_size(bench)
    work = Work("search")

    def first(side: Side) -> Cost | str:
        filled = bench.filled(side, count, maker=bench.lamindb)
        return work.run(side, filled.copy(bench.place(f"{side.name}-search")), 1)

    title = f"search in all texts of {count:,} artifacts"
    row = Row("searching", f"{title}, the first one", 1)
    row.note = "there is no index yet; Holotype begins one"
    rows = [fill_in(row, alternate(bench, 1 if bench.quick else 5, first))]
    if bench.holotype:
        # A hundred searches make the index; the row before has measured the first of them.
        work.run(bench.holotype, bench.filled(bench.holotype, count, maker=bench.lamindb), 120)
    rows.append(query(bench, "search", f"{title}, later ones", 20, 40))
    rows[1].note = "an index has grown in 100 searches before; registries of up to 20,000 rows have none"
    return rows


@measured
def frames(bench: Bench) -> list[Row]:
    """Small data frames from a large table, and a large one."""
    count = filled_size(bench)
    rows = [
        query(bench, "frame_by_value", f"20 of {count:,} rows by description to a data frame", 10, 100),
        query(bench, "frame_by_prefix", f"20 of {count:,} rows by start of key to a data frame", 10, 100),
    ]
    if bench.quick:
        return rows
    some = query(bench, "frame_of_all", "10,000 rows to a data frame", 10, 10_000)
    everything = query(bench, "frame_of_all", f"{count:,} rows to a data frame", 1, count)
    everything.limit = True
    return [*rows, some, everything]


@measured
def verify(bench: Bench) -> list[Row]:
    """A look at everything that is stored; LaminDB has nothing of the kind."""
    side = bench.holotype
    if side is None:
        return []
    count = filled_size(bench)
    made = bench.filled(side, count, maker=bench.lamindb).copy(bench.place("verify"))
    fill.content(made.work / "store", count)
    command = [str(side.command), "verify", "--fast"]
    costs = [measure(command, side.environment(made.home), made.work) for _ in range(3)]
    title = f"`holotype verify --fast` of {count:,} artifacts"
    return [Row("verify", title, 5, None, middle(costs), limit=True)]


@measured
def labels(bench: Bench) -> list[Row]:
    """Labels from names."""
    size, present = (200, 500) if bench.quick else (1000, 4000)
    work = Work("labels")
    rounds = 1 if bench.quick else 3
    costs = alternate(bench, rounds, lambda side: work.run(side, bench.fresh(side, present), size))
    title = f"{size:,} labels by `from_values` and save"
    row = fill_in(Row("labels", title, 50, note=f"{present:,} labels are there before"), costs)
    return [row, memory("labels", title, costs)]


@measured
def lineage(bench: Bench) -> list[Row]:
    """The graph of what came of an artifact, and what tracking costs."""
    nodes, calls = (100, 3) if bench.quick else (1000, 10)
    rounds = 1 if bench.quick else 3
    graph, tracking, steps = Work("lineage_graph"), Work("tracking"), Work("step_calls")

    def drawn(side: Side) -> Cost | str:
        instance = bench.fresh(side)
        fill.lineage(instance.work / DATABASE, nodes)
        return graph.run(side, instance, calls)

    rows = [fill_in(Row("lineage", f"lineage graph of {nodes:,} nodes", 20), alternate(bench, rounds, drawn))]
    for work, title, size in (
        (tracking, "`track()` and `finish()` of a script", calls),
        (steps, "call of a step", 100),
    ):
        costs = alternate(bench, rounds, lambda side: work.run(side, bench.fresh(side), size))  # noqa: B023
        rows.append(fill_in(Row("lineage", title, 20), costs))
    return rows


@measured
def features(bench: Bench) -> list[Row]:
    """Values of features on artifacts and runs."""
    size = 10 if bench.quick else 100
    work = Work("annotations")
    costs = alternate(bench, 1 if bench.quick else 3, lambda side: work.run(side, bench.fresh(side), size))
    title = f"3 features on one of {size} artifacts and {size} runs"
    return [fill_in(Row("features", title, 20), costs)]


SIZES = (1_000, 10_000, 100_000, 1_000_000)


@measured
def growth(bench: Bench) -> list[Row]:
    """The cost of one save and one get while the instance grows."""
    rows = []
    for count in SIZES[:2] if bench.quick else SIZES:
        found: dict[str, dict[str, list[Cost]]] = {side.name: {"save": [], "get": []} for side in bench.sides}
        for _ in range(1 if bench.quick else 3):
            for side in bench.sides:
                answer = bench.filled(side, count).run(side, "at_size", 100)
                if "error" in answer:
                    raise RuntimeError(f"{side.name} with {count:,} artifacts: {answer['error']}")
                for part, laps in answer["parts"].items():
                    wall = statistics.median(wall for wall, _ in laps)
                    found[side.name][part].append(Cost(wall, sum(cpu for _, cpu in laps) / len(laps)))
        for part, title in (("save", "one save"), ("get", "one get by key")):
            costs: dict[str, Cost | str] = {name: middle(parts[part]) for name, parts in found.items()}
            rows.append(fill_in(Row("growth", f"{title} among {count:,}", None), costs))
        if count != filled_size(bench):
            bench.drop(count)
    return rows


@measured
def footprint(bench: Bench) -> list[Row]:
    """The room of an installation on disk; the last measurement, since it removes many small files."""
    row = Row("footprint", "installation with all it depends on", 10, unit="bytes")
    alone = Row("footprint", "the package alone", None, unit="bytes")
    notes = []
    for side in bench.sides:
        bench.say(f"  installing {side.name} into an empty environment")
        size, packages = installed(bench, side)
        own, _ = installed(bench, side, "--no-deps")
        notes.append(f"{packages} packages for {side.name}")
        setattr(row, side.name, Cost(size, size))
        setattr(alone, side.name, Cost(own, own))
    row.note = ", ".join(notes)
    return [row, alone]


def installed(bench: Bench, side: Side, *more: str) -> tuple[int, int]:
    """Installs a side into an empty environment and returns the bytes on disk and the number of packages."""
    place = bench.out / "installation"
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", place], check=True)
    command = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "--quiet"]
    command += ["--disable-pip-version-check", *more, *side.distributions]
    subprocess.run(command, check=True)
    packages = len(list(place.glob("lib/python*/site-packages/*.dist-info")))
    size = sum(allocated(place))
    shutil.rmtree(place)
    return size, packages


def allocated(folder: Path) -> Iterator[int]:
    """Yields the bytes that each file below a folder takes on disk."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield path.stat().st_blocks * 512
