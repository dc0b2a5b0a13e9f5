"""Runs Holotype and LaminDB side by side on the same work and writes the ratios to `RESULTS.md`.

    python bench/run.py                  everything; about half an hour on two cores
    python bench/run.py --quick          small sizes, few rounds: shows that it works; the numbers mean little
    python bench/run.py --only labels    one measurement (repeat the option for more)

Holotype is that of the running interpreter, unless `--holotype` names another. LaminDB lives in an
environment of its own, the one in which it serves as referee of the tests. A complete run writes
`bench/RESULTS.md`, one of single measurements replaces their rows there, and says so; quick ones and those of
LaminDB alone write `bench/out/RESULTS.md`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import remote  # noqa: F401 (its measurements are registered)
import report
import tracing  # noqa: F401
from measures import MEASURES
from rows import Row
from sides import HERE, Bench, holotype_side, lamindb_side


def arguments() -> argparse.Namespace:
    """Returns the options of the command line."""
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--only", action="append", choices=MEASURES, metavar="NAME", help=", ".join(MEASURES))
    parser.add_argument(
        "--holotype", type=Path, default=Path(sys.executable), help="interpreter with Holotype"
    )
    parser.add_argument(
        "--wheel", type=Path, help="wheel whose footprint is measured (default: that in dist/)"
    )
    parser.add_argument("--lamindb-alone", action="store_true", help="measure LaminDB only")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for instances")
    return parser.parse_args()


def main() -> int:
    """Measures, writes, and returns the exit code."""
    options = arguments()
    wheels = [options.wheel] if options.wheel else sorted(HERE.parent.glob("dist/holotype-*.whl"))
    wheel = wheels[-1] if wheels else None
    holotype = None if options.lamindb_alone else holotype_side(options.holotype.absolute(), wheel)
    out = options.out.absolute()
    bench = Bench(lamindb_side(), holotype, out, options.quick, lambda line: print(line, flush=True))
    load = [os.getloadavg()[0]]
    rows: list[Row] = []
    for name in options.only or MEASURES:
        began = time.monotonic()
        bench.say(f"{name}: {(MEASURES[name].__doc__ or '').strip()}")
        for row in MEASURES[name](bench):
            rows.append(row)
            bench.say("  " + report.line(row))
        bench.say(f"  took {time.monotonic() - began:.0f} s")
        load.append(os.getloadavg()[0])
    kept = not (options.quick or options.lamindb_alone)
    path = HERE / "RESULTS.md" if kept else out / "RESULTS.md"
    renewed = options.only and kept
    path.write_text(
        report.renewed(path.read_text(), rows, bench, load) if renewed else report.page(rows, bench, load)
    )
    bench.clear()
    bench.say(f"written: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
