"""What both sides are asked to do, written once against the interface they share.

A workload gets a `Scene` and works through `scene.ln`, which is `lamindb` or `holotype`. What happens inside
`scene.clock()` is timed; everything else prepares. It returns a value that must be equal on both sides, so
that neither is fast because it did less.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

WORKLOADS: dict[str, Callable[[Scene], Any]] = {}


class Scene:
    """One run of one workload.

    Args:
        ln: the package under test, connected to an instance.
        size: how many files, labels or calls.
        seed: distinguishes the runs that share an instance.
        source: a file or folder prepared by the parent process, if the workload needs one.
    """

    def __init__(self, ln: ModuleType, size: int, seed: int, source: str = "") -> None:
        """Starts with an empty list of laps."""
        self.ln = ln
        self.size = size
        self.seed = seed
        self.source = source
        self.laps: list[tuple[float, float]] = []
        self.parts: dict[str, list[tuple[float, float]]] = {}

    @contextmanager
    def clock(self, part: str = "") -> Iterator[None]:
        """Times what happens inside: seconds of wall and of CPU, all threads together."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        lap = time.perf_counter() - wall, time.process_time() - cpu
        self.laps.append(lap)
        if part:
            self.parts.setdefault(part, []).append(lap)

    def folder(self, files: int) -> Path:
        """Writes a folder of small files, each with content of its own."""
        folder = Path(f"files-{self.seed}")
        for at in range(files):
            path = folder / f"part-{at // 500:03}" / f"file-{at:06}.txt"
            if at % 500 == 0:
                path.parent.mkdir(parents=True)
            path.write_text(f"content {at} of {self.seed}\n" * 5)
        return folder


def workload(function: Callable[[Scene], Any]) -> Callable[[Scene], Any]:
    """Registers a workload under its name."""
    WORKLOADS[function.__name__] = function
    return function


@workload
def single_saves(scene: Scene) -> Any:
    """Saves small files one by one."""
    files = sorted(scene.folder(scene.size).rglob("*.txt"))
    with scene.clock():
        for file in files:
            scene.ln.Artifact(str(file), key=f"raw/{file.name}").save()
    return scene.ln.Artifact.filter(key__startswith="raw/").count()


@workload
def directory(scene: Scene) -> Any:
    """Saves a folder of small files, each as an artifact."""
    folder = scene.folder(scene.size)
    with scene.clock():
        scene.ln.save(scene.ln.Artifact.from_dir(str(folder), key="many"))
    return scene.ln.Artifact.filter(key__startswith="many/").count()


@workload
def folder_artifact(scene: Scene) -> Any:
    """Saves a folder of small files as one artifact."""
    folder = scene.folder(scene.size)
    with scene.clock():
        artifact = scene.ln.Artifact(str(folder), key="one").save()
    return artifact.n_files, artifact.size, artifact.hash


@workload
def big_file(scene: Scene) -> Any:
    """Saves one large file."""
    with scene.clock():
        artifact = scene.ln.Artifact(scene.source, key="big.bin").save()
    return artifact.size, artifact.hash


@workload
def get_by_key(scene: Scene) -> Any:
    """Looks artifacts up by key, spread over the whole table."""
    total = scene.ln.Artifact.filter().count()
    keys = [key_of(at * 7919 % total) for at in range(scene.size)]
    scene.ln.Artifact.get(key=keys[0])
    sizes = 0
    for key in keys:
        with scene.clock():
            artifact = scene.ln.Artifact.get(key=key)
        sizes += artifact.size
    return sizes


@workload
def frame_by_prefix(scene: Scene) -> Any:
    """Filters by the start of the key; 20 rows become a data frame."""
    total = scene.ln.Artifact.filter().count()
    prefixes = [key_of(at * 7919 % total).rpartition("/")[0] + "/" for at in range(scene.size)]
    scene.ln.Artifact.filter(key__startswith=prefixes[0]).to_dataframe()
    rows = 0
    for prefix in prefixes:
        with scene.clock():
            frame = scene.ln.Artifact.filter(key__startswith=prefix).to_dataframe()
        rows += len(frame)
    return rows


@workload
def frame_by_value(scene: Scene) -> Any:
    """Filters by an exact description; 20 rows become a data frame."""
    total = scene.ln.Artifact.filter().count()
    batches = [at * 7919 % total // BATCH for at in range(scene.size)]
    scene.ln.Artifact.filter(description=f"batch {batches[0]}").to_dataframe()
    rows = 0
    for batch in batches:
        with scene.clock():
            frame = scene.ln.Artifact.filter(description=f"batch {batch}").to_dataframe()
        rows += len(frame)
    return rows


@workload
def frame_of_all(scene: Scene) -> Any:
    """Turns the first rows of the table into a data frame, as many as the size says."""
    query = scene.ln.Artifact.filter()
    query.filter(key=key_of(0)).to_dataframe()
    with scene.clock():
        frame = query.to_dataframe(limit=scene.size)
    return len(frame), frame["key"].nunique()


@workload
def search(scene: Scene) -> Any:
    """Searches all text fields for a part of a key that 20 artifacts share."""
    total = scene.ln.Artifact.filter().count()
    keys = 0
    for at in range(scene.size):
        text = f"batch-{(at + 1) * 7919 % total // BATCH:05}"
        with scene.clock():
            found = scene.ln.Artifact.search(text).to_list("key")
        keys += sum(text in key for key in found)
    return keys


@workload
def labels(scene: Scene) -> Any:
    """Makes and saves labels from a list of names."""
    names = [f"label {at} of {scene.seed}" for at in range(scene.size)]
    before = scene.ln.ULabel.filter().count()
    with scene.clock():
        scene.ln.save(scene.ln.ULabel.from_values(names, create=True))
    return scene.ln.ULabel.filter().count() - before


@workload
def annotations(scene: Scene) -> Any:
    """Gives artifacts and runs values of three features: a number, a text and a label."""
    ln = scene.ln
    for name, dtype in (("temperature", float), ("comment", str), ("sample", ln.Record)):
        ln.Feature(name=name, dtype=dtype).save()
    samples = [ln.Record(name=f"sample {at}").save() for at in range(3)]
    transform = ln.Transform(key="pipeline", kind="pipeline").save()
    files = sorted(scene.folder(scene.size).rglob("*.txt"))
    hosts = [ln.Artifact(str(file), key=file.name).save() for file in files]
    hosts += [ln.Run(transform).save() for _ in range(scene.size)]
    for at, host in enumerate(hosts):
        values = {"temperature": at / 4, "comment": f"number {at % 5}", "sample": samples[at % 3].name}
        with scene.clock():
            host.features.add_values(values)
    held = [hosts[at].features.get_values() for at in (0, -1)]
    return held, len(list(ln.Artifact.filter(temperature__lt=5.0)))


@workload
def at_size(scene: Scene) -> Any:
    """Saves and gets artifacts in an instance that holds many already: the cost of each."""
    files = sorted(scene.folder(scene.size).rglob("*.txt"))
    total = scene.ln.Artifact.filter().count()
    for at, file in enumerate(files):
        with scene.clock("save") if at else _untimed():
            scene.ln.Artifact(str(file), key=f"new-{scene.seed}/{file.name}").save()
    for at in range(scene.size):
        key = key_of(at * 7919 % min(total, 1000))
        with scene.clock("get") if at else _untimed():
            scene.ln.Artifact.get(key=key)
    return scene.ln.Artifact.filter(key__startswith=f"new-{scene.seed}/").count()


@workload
def lineage_graph(scene: Scene) -> Any:
    """Makes the graph of all that came of the first artifact, in the language of Graphviz, several times."""
    first = scene.ln.Artifact.get(key=key_of(0))
    edges: set[str] = set()
    for _ in range(scene.size):
        with scene.clock():
            source = str(first.view_lineage(return_graph=True).source)
        edges = {" ".join(line.split()[:3]) for line in source.splitlines() if " -> " in line}
    return len(edges)


@workload
def tracking(scene: Scene) -> Any:
    """Tracks this very script and finishes, again and again."""
    for _ in range(scene.size):
        with scene.clock():
            scene.ln.track()
            scene.ln.finish()
    return scene.ln.Run.filter().count()


@workload
def step_calls(scene: Scene) -> Any:
    """Calls a function of which every call is a run."""
    step = scene.ln.step()(_double)
    total = 0

    @scene.ln.flow()  # type: ignore[untyped-decorator]
    def main() -> int:
        total = step(0, "warm")
        for at in range(scene.size):
            with scene.clock():
                total += step(at, "call")
        return total

    total = main()
    return total, scene.ln.Run.filter(entrypoint="_double").count()


def _double(at: int, name: str) -> int:
    return at * 2


BATCH = 20
"""How many rows of a filled instance share a folder and a description."""


def key_of(at: int) -> str:
    """Returns the key of a row of a filled instance."""
    return f"study/batch-{at // BATCH:05}/sample-{at:07}.csv"


@contextmanager
def _untimed() -> Iterator[None]:
    yield


def peak_memory() -> int:
    """Returns the most bytes that this process held in memory.

    The kernel's figure for a finished child counts what its parent held when it started; this one doesn't.
    """
    with open(f"/proc/{os.getpid()}/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
