"""Runs one workload on one side, in a process of its own, and prints what it measured as JSON.

Used by `run.py`: `python side.py '{"side": "lamindb", "workload": "labels", "size": 1000, "seed": 1}'`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from types import ModuleType
from typing import Any

import remote_workloads  # noqa: F401 (they are registered)
from workloads import WORKLOADS, Scene, peak_memory


def connected(side: str) -> ModuleType:
    """Imports a side, which connects it to the instance of the working directory."""
    ln = importlib.import_module(side)
    if side == "lamindb":
        # Without this, the constructor of artifacts asks a service on the network first.
        ln.setup.settings.instance._is_on_hub = False
    return ln


def main(order: dict[str, Any]) -> dict[str, Any]:
    """Carries out an order and returns the measurements, or the error of the side."""
    ln = connected(order["side"])
    if order["side"] == "holotype" and not order.get("durable", True):
        ln.settings.creation.durable = False
    scene = Scene(ln, order["size"], order["seed"], order.get("source", ""))
    try:
        result = WORKLOADS[order["workload"]](scene)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    return {"laps": scene.laps, "parts": scene.parts, "peak": peak_memory(), "check": result}


if __name__ == "__main__":
    # What the sides print, also on closing, must not mix with the answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with answer:
        json.dump(main(json.loads(sys.argv[1])), answer)
