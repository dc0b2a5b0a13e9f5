"""The page of results: one table of ratios, the growth of costs, and the facts of the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path

from rows import Row
from sides import Bench, Cost

HEAD = """# Holotype against LaminDB

Made by `make bench`. LaminDB is 1: a ratio of 20 means that Holotype needs a twentieth. Both sides run the
same code (`bench/workloads.py`) in processes of their own and take turns; numbers are medians. *wall* is time
on the clock, *CPU* is processor time of all threads: it is the one to trust when other programs were running
(see the load below).
"""

GROWTH = "## Cost while the instance grows"


def line(row: Row) -> str:
    """Returns a row as one line for the terminal."""
    wall, cpu = ratio(row, "wall"), ratio(row, "cpu")
    sides = f"LaminDB {shown(row, row.lamindb)}, Holotype {shown(row, row.holotype)}"
    ratios = f"; ratio {figure(wall)} (CPU {figure(cpu)})" if wall else ""
    return f"{row.title}: {sides}{ratios}{'; ' + verdict(row) if verdict(row) else ''}"


def page(rows: list[Row], bench: Bench, load: list[float]) -> str:
    """Returns the whole page."""
    parts = [HEAD, facts(bench, load), table([row for row in rows if row.name != "growth"])]
    growth = [row for row in rows if row.name == "growth"]
    if growth:
        parts += [GROWTH, curve(growth)]
    return "\n".join(parts) + "\n"


def renewed(text: str, rows: list[Row], bench: Bench, load: list[float]) -> str:
    """Returns a page with some of its rows measured again; rows that it does not have yet come last."""
    table, _, curves = text.partition(GROWTH)
    lines = table.splitlines()
    growth = [row for row in rows if row.name == "growth"]
    if growth:
        curves = "\n" + curve(growth)
    for row in rows:
        if row.name == "growth":
            continue
        at = next((i for i, line in enumerate(lines) if title(line) == row.title), None)
        if at is None:
            at = max(i for i, line in enumerate(lines) if line.startswith("|")) + 1
            lines.insert(at, "")
        lines[at] = cells(row)
    names = ", ".join(dict.fromkeys(row.name for row in rows))
    note = f"- measured again, {facts(bench, load).splitlines()[0][2:]}, {busy(load)}: {names}"
    lines.insert(next(i for i, line in enumerate(lines) if line.startswith("| work")) - 1, note)
    return "\n".join(lines) + "\n" + (GROWTH + curves if curves else "")


def title(line: str) -> str:
    """Returns the title of a row of the table, without its note."""
    first = line.removeprefix("| ").partition(" | ")[0]
    return first.partition(" [")[0] if first.endswith("]") else first


def table(rows: list[Row]) -> str:
    """Returns the table of ratios."""
    lines = [
        "| work | LaminDB | Holotype | ratio, wall | ratio, CPU | target | |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    return "\n".join([*lines, *map(cells, rows)]) + "\n"


def cells(row: Row) -> str:
    """Returns a row of the table."""
    parts = [
        row.title + (f" [{row.note}]" if row.note else ""),
        shown(row, row.lamindb),
        shown(row, row.holotype),
        figure(ratio(row, "wall")),
        figure(ratio(row, "cpu")) if row.unit == "s" else "",
        aim(row),
        verdict(row),
    ]
    return "| " + " | ".join(parts) + " |"


def curve(rows: list[Row]) -> str:
    """Returns the table of growth, with a bar for each of Holotype's costs."""
    lines = [
        "| work | LaminDB | Holotype | ratio, wall | ratio, CPU | Holotype, wall |",
        "|---|--:|--:|--:|--:|---|",
    ]
    longest: dict[str, float] = {}
    for row in rows:
        if isinstance(row.holotype, Cost):
            kind = row.title.partition(" among")[0]
            longest[kind] = max(longest.get(kind, 0), row.holotype.wall)
    for row in sorted(rows, key=lambda row: row.title.partition(" among")[0], reverse=True):
        bar = ""
        if isinstance(row.holotype, Cost):
            bar = "█" * max(1, round(20 * row.holotype.wall / longest[row.title.partition(" among")[0]]))
        ratios = [figure(ratio(row, part)) for part in ("wall", "cpu")]
        cells = [row.title, shown(row, row.lamindb), shown(row, row.holotype), *ratios, bar]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def ratio(row: Row, part: str) -> float | None:
    """Returns how many times less Holotype needs, or None when one side has no number."""
    if isinstance(row.lamindb, Cost) and isinstance(row.holotype, Cost):
        ours = getattr(row.holotype, part)
        return float(getattr(row.lamindb, part)) / ours if ours else None
    return None


def verdict(row: Row) -> str:
    """Returns whether the target is reached, and if not, by how much it is missed."""
    if row.target is None or not isinstance(row.holotype, Cost):
        return ""
    if row.limit:
        return "met" if row.holotype.wall < row.target else f"missed: {row.holotype.wall:.2f} s"
    wall, cpu = ratio(row, "wall"), ratio(row, "cpu")
    if wall is None or wall >= row.target:
        return "met"
    if row.unit == "s" and row.target >= 1 and cpu is not None and cpu >= row.target:
        return f"met in CPU; wall {row.target / wall:.1f}x short"
    return f"missed: {row.target / wall:.1f}x short"


def aim(row: Row) -> str:
    """Returns the target as text."""
    if row.target is None:
        return ""
    if row.limit:
        return f"< {row.target:g} s"
    return f"{row.target:.3g}x"


def shown(row: Row, cost: Cost | str | None) -> str:
    """Returns a number with a unit that suits it, or the error of the side."""
    if cost is None:
        return "–"
    if isinstance(cost, str):
        return f"fails: {cost.partition('(')[0].strip()[:60]}"
    if row.unit == "bytes":
        return f"{cost.wall / 1e6:,.0f} MB"
    for factor, unit in ((1, "s"), (1e3, "ms"), (1e6, "µs")):
        if cost.wall * factor >= 1:
            return f"{figure(cost.wall * factor)} {unit}"
    return f"{cost.wall * 1e6:.2f} µs"


def figure(number: float | None) -> str:
    """Returns three digits of a number, or nothing."""
    if number is None:
        return ""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def facts(bench: Bench, load: list[float]) -> str:
    """Returns what the numbers depend on: versions, date, processor, memory, kernel, file system, load."""
    meminfo = dict(entry.split(":", 1) for entry in Path("/proc/meminfo").read_text().splitlines())
    memory = int(meminfo["MemTotal"].split()[0]) / 2**20
    cpuinfo = Path("/proc/cpuinfo").read_text().splitlines()
    models = [text.split(":", 1)[1].strip() for text in cpuinfo if text.startswith("model name")]
    cpu = models[0] if models else platform.machine()
    command = ["stat", "--file-system", "--format", "%T", str(bench.out)]
    stat = subprocess.run(command, capture_output=True, text=True, check=True)
    versions = ", ".join(f"{side.name} {side.version()}" for side in bench.sides)
    lines = [
        f"- {time.strftime('%Y-%m-%d')}: {versions}, Python {platform.python_version()}",
        f"- {os.cpu_count()} cores ({cpu}), {memory:.0f} GiB of memory, "
        f"{platform.system()} {platform.release()}, file system {stat.stdout.strip()}",
        f"- {busy(load)} (this benchmark alone makes about 1)",
    ]
    if bench.quick:
        lines.append("- **A quick run: small sizes and few rounds; the numbers mean little.**")
    return "\n".join(lines) + "\n"


def busy(load: list[float]) -> str:
    """Returns how busy the machine was."""
    return f"load of the machine between the measurements {min(load):.1f} to {max(load):.1f}"
