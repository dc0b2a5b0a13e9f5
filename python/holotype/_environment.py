"""What a program knows of itself, and the packages that it imports."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["imports", "process"]


def process(file: Path | None) -> tuple[str, str, str, list[str], str, list[str], Path | None]:
    """Returns what this process knows: interpreter, program, environment, search path, folder, words, code.

    Args:
        file: The file that holds the code.
    """
    implementation = sys.implementation
    version = ".".join(map(str, sys.version_info[:3]))
    folder = os.getcwd()
    return (
        f"{implementation.name} {version}",
        sys.executable or "",
        sys.prefix,
        [entry or folder for entry in sys.path],
        folder,
        sys.orig_argv,
        file,
    )


def imports(source: str) -> list[str]:
    """Returns the installed packages that source code imports, as sorted lines `name==version`.

    Args:
        source: Python code.
    """
    import re
    from importlib.metadata import PackageNotFoundError, packages_distributions, version

    names = set(re.findall(r"^\s*(?:import|from)\s+([A-Za-z_]\w*)", source, re.MULTILINE))
    found = set()
    installed = packages_distributions() if names else {}
    for name in names & set(installed):
        for package in installed[name]:
            try:
                found.add(f"{package}=={version(package)}")
            except PackageNotFoundError:
                continue
    return sorted(found)
