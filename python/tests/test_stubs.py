"""The stubs are those that the sources and the registry table give."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from holotype import _native

ROOT = Path(__file__).parents[2]


def test_stubs_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "python/tools/stubs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [name for name in dir(_native) if not name.startswith("_")])
def test_the_stub_names_what_the_module_has(name: str) -> None:
    text = (ROOT / "python/holotype/_native.pyi").read_text()
    thing = getattr(_native, name)
    if isinstance(thing, type):
        body = text.split(f"class {name}:")[1].split("\nclass ")[0]
        methods = [method for method in vars(thing) if not method.startswith("_")]
        assert methods
        for method in methods:
            assert f"def {method}(" in body, method
    else:
        assert f"\ndef {name}(" in text
