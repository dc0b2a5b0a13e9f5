"""What it costs to trace the files of a command: the same command, traced and not."""

from __future__ import annotations

import statistics
from pathlib import Path

from measures import measured
from rows import Row
from sides import Bench, Cost, Instance, Side, measure, middle

# Each unit of code includes what programs usually include, and some functions of its own.
UNIT = """
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared.h"
"""
FUNCTION = """
int f{at}(int n, const char *text) {{
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (size_t j = 0; j < strlen(text); j++)
            sum += (text[j] * i + {at}) % (SHARED + j) / (1.0 + sum * {at});
    printf("%s %f\\n", text, sum);
    return (int)sum;
}}
"""
MAKEFILE = """
all: $(patsubst %.c,%.o,$(wildcard *.c))
%.o: %.c shared.h
\tcc -O2 -c $< -o $@
"""
COMPUTE = "BEGIN { for (i = 0; i < 30000000; i++) sum += i % 7; print sum }"


def _sources(folder: Path, units: int) -> None:
    """Writes a small project in C."""
    (folder / "shared.h").write_text("#define SHARED 3\n")
    (folder / "Makefile").write_text(MAKEFILE)
    for unit in range(units):
        functions = "".join(FUNCTION.format(at=unit * 40 + at) for at in range(40))
        (folder / f"unit{unit}.c").write_text(UNIT + functions)


@measured
def tracing(bench: Bench) -> list[Row]:
    """A command under `holotype run`, traced and not; LaminDB has nothing of the kind."""
    side = bench.holotype
    if side is None:
        return []
    instance = bench.fresh(side)
    _sources(instance.work, 10 if bench.quick else 40)
    rounds = 3 if bench.quick else 20
    loads = [
        ("compiling small files", 10, ["make", "-B"]),
        ("computing for some seconds", 2, ["awk", COMPUTE]),
    ]
    return [_row(side, instance, rounds, *load) for load in loads]


def _row(side: Side, instance: Instance, rounds: int, title: str, most: int, command: list[str]) -> Row:
    """Returns what tracing adds to a command; both ways take turns, so that a busy moment hits both."""
    costs: dict[str, list[Cost]] = {"--no-trace": [], "--ignore=*.o": []}
    environment = side.environment(instance.home)
    for _ in range(rounds):
        for option, found in costs.items():
            # What the measurement itself writes is no output.
            words = [str(side.command), "run", option, "--ignore=printed", "--", *command]
            found.append(measure(words, environment, instance.work))
    pairs = list(zip(*costs.values(), strict=True))
    # Each pair is compared for itself: what slows the machine down for a while slows both of it.
    wall, cpu = (
        100 * (statistics.median(getattr(traced, kind) / getattr(plain, kind) for plain, traced in pairs) - 1)
        for kind in ("wall", "cpu")
    )
    plain, traced = (middle(found) for found in costs.values())
    note = (
        f"the same untraced stands in LaminDB's place; the target allows {most} % more; "
        f"tracing adds {wall:+.1f} % of wall and {cpu:+.1f} % of CPU"
    )
    return Row("tracing", f"`holotype run`, {title}", 1 / (1 + most / 100), plain, traced, note=note)
