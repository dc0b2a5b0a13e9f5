"""Rows of the table, and how both sides are made to fill one."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sides import Bench, Cost, Instance, Side, middle


@dataclass
class Row:
    """One measured line.

    Attributes:
        name: what `--only` takes.
        title: what was done.
        target: how many times less than LaminDB is to be reached; a limit in seconds if `limit` is set.
        lamindb: LaminDB's cost per unit, or the text of its error.
        holotype: Holotype's cost per unit.
        unit: what the numbers count: seconds unless it is "bytes".
        note: what a reader must know to judge the numbers.
    """

    name: str
    title: str
    target: float | None
    lamindb: Cost | str | None = None
    holotype: Cost | str | None = None
    unit: str = "s"
    limit: bool = False
    note: str = ""


def alternate(bench: Bench, rounds: int, once: Callable[[Side], Cost | str]) -> dict[str, Cost | str]:
    """Lets the sides take turns, so that a busy moment of the machine hits both, and returns the medians.

    A side that fails once is not asked again.
    """
    found: dict[str, list[Cost]] = {side.name: [] for side in bench.sides}
    failed: dict[str, Cost | str] = {}
    for _ in range(rounds):
        for side in bench.sides:
            if side.name in failed:
                continue
            cost = once(side)
            if isinstance(cost, str):
                failed[side.name] = cost
            else:
                found[side.name].append(cost)
    return {name: middle(costs) for name, costs in found.items() if name not in failed} | failed


def alternate_parts(
    bench: Bench, rounds: int, parts: list[str], once: Callable[[Side], dict[str, Cost] | str]
) -> dict[str, dict[str, Cost | str]]:
    """Does the same for work in parts, and returns what each part took each side."""
    found: dict[str, list[dict[str, Cost]]] = {side.name: [] for side in bench.sides}
    failed: dict[str, str] = {}
    for _ in range(rounds):
        for side in bench.sides:
            costs = failed.get(side.name) or once(side)
            if isinstance(costs, str):
                failed[side.name] = costs
            else:
                found[side.name].append(costs)

    def of(part: str, side: str) -> Cost | str:
        return failed.get(side) or middle([costs[part] for costs in found[side]])

    return {part: {side: of(part, side) for side in found} for part in parts}


def repeat(rounds: int, once: Callable[[], Cost | str]) -> Cost | str:
    """Returns the medians of several runs of one side, or its error."""
    found: list[Cost] = []
    for _ in range(rounds):
        cost = once()
        if isinstance(cost, str):
            return cost
        found.append(cost)
    return middle(found)


def fill_in(row: Row, costs: dict[str, Cost | str]) -> Row:
    """Puts the costs of the sides into a row."""
    row.lamindb, row.holotype = costs.get("lamindb"), costs.get("holotype")
    return row


class Work:
    """Runs a workload on one side and keeps what it returned, to compare it with the other side's."""

    def __init__(self, workload: str) -> None:
        """Starts without results."""
        self.workload = workload
        self.checks: dict[str, Any] = {}

    def run(self, side: Side, instance: Instance, size: int, **options: Any) -> Cost | str:
        """Returns the cost of all laps together divided by their number, or the error of the side."""
        answer = instance.run(side, self.workload, size, **options)
        if "error" in answer:
            return str(answer["error"])
        self.compare(side, size, answer["check"])
        return self.lap(answer["laps"], answer["peak"])

    def run_parts(self, side: Side, instance: Instance, size: int, **options: Any) -> dict[str, Cost] | str:
        """Returns the cost of a lap of each part, or the error of the side."""
        answer = instance.run(side, self.workload, size, **options)
        if "error" in answer:
            return str(answer["error"])
        self.compare(side, size, answer["check"])
        return {part: self.lap(laps, answer["peak"]) for part, laps in answer["parts"].items()}

    def lap(self, laps: list[tuple[float, float]], peak: int) -> Cost:
        """Returns what one of several laps took."""
        wall = statistics.median(wall for wall, _ in laps)
        return Cost(wall, sum(cpu for _, cpu in laps) / len(laps), peak)

    def compare(self, side: Side, size: int, check: Any) -> None:
        """Takes note of what a side returned.

        Raises:
            RuntimeError: the other side did something else.
        """
        first = self.checks.setdefault(str(size), check)
        if first != check:
            raise RuntimeError(f"{self.workload}: the sides disagree: {first} before, {check} by {side.name}")


def memory(name: str, title: str, costs: dict[str, Cost | str]) -> Row:
    """Returns the row of peak memory of processes that were measured for another row."""

    def peak(cost: Cost | str | None) -> Cost | str | None:
        return Cost(cost.peak, cost.peak) if isinstance(cost, Cost) else cost

    row = Row(name, f"peak memory: {title}", 4, unit="bytes")
    return fill_in(row, {side: peak(cost) for side, cost in costs.items()})  # type: ignore[misc]
