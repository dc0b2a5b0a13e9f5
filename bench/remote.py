"""Work with content in a bucket, and with a database on a server, each the same for both sides."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from measures import filled_size, measured
from rows import Row, Work, alternate, alternate_parts, fill_in
from sides import HERE, Bench, Cost, Instance, Side, measure, middle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from referee.cluster import Cluster
    from servers import Server

# What the titles of the rows say of the parts of a workload.
FILES = {
    "upload": "{:,} files of 64 KiB saved to a bucket, each an artifact",
    "cache": "`cache()` of {:,} files of 64 KiB in a bucket, one by one",
    "set": "`cache()` of a collection of {:,} files of 64 KiB in a bucket",
    "again": "`cache()` of a file that is there already",
}
BIG = {"upload": "save of a {:,} MB file to a bucket", "cache": "`cache()` of a {:,} MB file in a bucket"}


@measured
def cloud(bench: Bench) -> list[Row]:
    """Files in a bucket, a prefix registered where it lies, and a database in a bucket."""
    import servers

    rounds = 1 if bench.quick else 2
    small, objects = (30, 100) if bench.quick else (1000, 1000)
    folder = bench.place("buckets")
    folder.mkdir()
    with servers.s3s(folder) as server:
        found = alternate_parts(bench, rounds, list(FILES), _in_bucket(bench, server, "bucket_files", small))
        rows = [fill_in(Row("cloud", FILES[part].format(small), 5), found[part]) for part in FILES]
    with servers.moto() as server:
        rows += _connecting(bench, server)
        bucket = server.make_bucket()
        _put(server, bucket, objects)
        work = Work("bucket_prefix")

        def once(side: Side) -> Cost | str:
            # Each comes to a bucket that nobody has registered; both only read below it.
            instance = bench.fresh(side, variables=server.variables)
            return work.run(side, instance, objects, source=f"s3://{bucket}?endpoint_url={server.endpoint}")

        row = Row("cloud", f"registering a prefix of {objects:,} objects as one artifact", None)
        row.note = "most of it is the server listing them, once for each side"
        rows.append(fill_in(row, alternate(bench, rounds, once)))
    return rows


@measured
def large_file(bench: Bench) -> list[Row]:
    """A large file in a bucket, beside Amazon's own command: what the server can do bounds all of them."""
    import servers

    rounds, megabytes = (1, 16) if bench.quick else (3, 2000)
    folder = bench.place("large-bucket")
    folder.mkdir()
    with servers.s3s(folder) as server:
        tool = _Tool(bench, server, megabytes)
        turn = _in_bucket(bench, server, "bucket_big_file", megabytes)

        def once(side: Side) -> dict[str, Cost] | str:
            if side is bench.sides[-1]:
                tool.turn()
            return turn(side)

        found = alternate_parts(bench, rounds, list(BIG), once)
        tool.end()
    against, rows = [], []
    for part, title in BIG.items():
        row = fill_in(Row("large_file", title.format(megabytes), None), found[part])
        rows.append(row)
        plain = middle(tool.costs[part])
        made = Row("large_file", f"{row.title}, against `aws s3 cp`", 1 / 1.1, plain, row.holotype)
        made.note = "`aws s3 cp` stands in LaminDB's place; the target allows 1.1 times its time"
        against.append(made)
    return [*against, *rows]


def _in_bucket(
    bench: Bench, server: Server, workload: str, size: int
) -> Callable[[Side], dict[str, Cost] | str]:
    """Returns what does a workload in parts in a new bucket for a side."""
    work = Work(workload)

    def once(side: Side) -> dict[str, Cost] | str:
        instance = bench.fresh(side, variables=server.variables)
        bucket = server.make_bucket()
        costs = work.run_parts(
            side, instance, size, source=f"s3://{bucket}/data?endpoint_url={server.endpoint}"
        )
        if server.folder:
            shutil.rmtree(server.folder / bucket)
        return costs

    return once


class _Tool:
    """Amazon's command at the same work, in turn with the sides."""

    def __init__(self, bench: Bench, server: Server, megabytes: int) -> None:
        self.costs: dict[str, list[Cost]] = {part: [] for part in BIG}
        self._words = [str(aws()), "s3", "cp", "--only-show-errors"]
        self._server = server
        self._environment = dict(os.environ) | server.variables
        self._place = bench.place("aws")
        self._place.mkdir()
        with (self._place / "big.bin").open("wb") as content:
            for _ in range(megabytes):
                content.write(os.urandom(1_000_000))
            os.fsync(content.fileno())

    def turn(self) -> None:
        """Sends the file and fetches it."""
        bucket = self._server.make_bucket()
        there = f"s3://{bucket}/big.bin"
        for part, ends in {"upload": ["big.bin", there], "cache": [there, "copy.bin"]}.items():
            self.costs[part].append(measure([*self._words, *ends], self._environment, self._place))
        (self._place / "copy.bin").unlink()
        if self._server.folder:
            shutil.rmtree(self._server.folder / bucket)

    def end(self) -> None:
        """Removes the file."""
        shutil.rmtree(self._place)


def aws() -> Path:
    """Returns Amazon's command, in an environment of its own; makes it if it is missing."""
    home = HERE.parent / ".venv-aws"
    if not (home / "bin" / "aws").exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([home / "bin" / "pip", "install", "--quiet", "awscli"], check=True)
    return home / "bin" / "aws"


def _connecting(bench: Bench, server: Server) -> list[Row]:
    """Returns the row of connecting to an instance in a bucket, which Holotype's command made."""
    side = bench.holotype
    if side is None:
        return []
    instance = Instance.empty(bench.place("atlas"))
    root = f"s3://{server.make_bucket()}/atlas?endpoint_url={server.endpoint}"
    for words in (["init", "--storage", root], ["disconnect"]):
        measure(
            [str(side.command), *words], side.environment(instance.home) | server.variables, instance.work
        )

    def once(side: Side) -> Cost:
        code = f"import {side.name} as ln; assert ln.Artifact.filter().count() == 0"
        command = [str(side.python), "-c", code]
        environment = side.environment(instance.home) | server.variables
        environment["LAMIN_CURRENT_INSTANCE"] = "anonymous/atlas"
        return measure(command, environment, instance.work)

    title = "`import`, connect to a database in a bucket, count (whole process)"
    return [fill_in(Row("cloud", title, 10), alternate(bench, 3 if bench.quick else 7, once))]


def _put(server: Server, bucket: str, count: int) -> None:
    """Fills a bucket with small objects."""
    host = server.endpoint.removeprefix("http://")
    connection = http.client.HTTPConnection(host)
    for at in range(count):
        connection.request("PUT", f"/{bucket}/raw/part-{at // 100:02}/{at:05}.txt", f"object {at}\n")
        connection.getresponse().read()
    connection.close()


@measured
def postgres(bench: Bench) -> list[Row]:
    """The registry on PostgreSQL."""
    rounds = 1 if bench.quick else 3
    size = 100 if bench.quick else 1000
    with _cluster() as cluster:
        work = Work("label_saves")

        def save(side: Side) -> Cost | str:
            return work.run(side, bench.fresh(side, db=cluster.database()), size)

        row = Row("postgres", f"{size:,} labels saved one by one, on PostgreSQL", 10)
        rows = [fill_in(row, alternate(bench, rounds, save))]
        if bench.holotype is None:
            return rows
        count = filled_size(bench)
        made = _on_server(bench, cluster, count)
        for workload, title, calls in (
            ("get_by_key", f"`get(key=)` among {count:,} artifacts, on PostgreSQL", 300),
            ("frame_by_value", f"20 of {count:,} rows by description to a data frame, on PostgreSQL", 100),
        ):
            work = Work(workload)
            costs = alternate(bench, rounds, lambda side: work.run(side, made[side.name], calls))  # noqa: B023
            rows.append(fill_in(Row("postgres", title, 10), costs))
        return rows


def _on_server(bench: Bench, cluster: Cluster, count: int) -> dict[str, Instance]:
    """Returns a database for each side, which LaminDB's command made and Holotype's brought to the server.

    LaminDB's has the indexes of the format alone.
    """
    made = {}
    for side in bench.sides:
        made[side.name] = bench.filled(bench.lamindb, count).copy(bench.place(f"postgres-{side.name}"))
        url = cluster.database()
        assert bench.holotype is not None
        _migrate(bench.holotype, made[side.name], url)
        if side is bench.lamindb:
            own = "indexname LIKE 'holotype%artifact%'"
            drops = f"SELECT format('DROP INDEX %I', indexname) FROM pg_indexes WHERE {own}"
            subprocess.run(["psql", "--quiet", url], input=f"{drops} \\gexec\n", text=True, check=True)
    return made


def _migrate(side: Side, instance: Instance, url: str) -> None:
    """Moves the database of an instance to a server."""
    command = [str(side.command), "migrate", "to-postgres", url]
    environment = side.environment(instance.home)
    done = subprocess.run(
        command, cwd=instance.work, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")


@contextmanager
def _cluster() -> Iterator[Cluster]:
    """Runs a PostgreSQL server of the benchmark's own; like that of the tests it does not flush."""
    from referee.cluster import Cluster

    with tempfile.TemporaryDirectory() as folder:
        # The server runs as another user where the benchmark runs as root.
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "cluster")
        try:
            yield cluster
        finally:
            cluster.stop()
