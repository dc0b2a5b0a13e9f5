"""The software that a run can use, as the file that describes it best."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["environment_file", "freeze", "imports", "process"]

# What every environment holds says nothing about it; `pip freeze` leaves them out, too.
_TOOLS = frozenset({"pip", "setuptools", "wheel", "distribute"})


def process(file: Path | None) -> tuple[str, str, list[str], str, list[str], Path | None]:
    """Returns what this process knows of itself: interpreter, program, search path, folder, words, code.

    Args:
        file: The file that holds the code.
    """
    implementation = sys.implementation
    version = ".".join(map(str, sys.version_info[:3]))
    folder = os.getcwd()
    return (
        f"{implementation.name} {version}",
        sys.executable or "",
        [entry or folder for entry in sys.path],
        folder,
        sys.orig_argv,
        file,
    )


def environment_file() -> tuple[str, bytes]:
    """Returns name and content of the file that lists the software of this process.

    That is the lock file of pixi or uv when one of them made the environment, else what `pip freeze` prints.

    Raises:
        OSError: If a file cannot be read.
    """
    for lock in (_pixi_lock(), _uv_lock()):
        if lock is not None:
            return lock.name, lock.read_bytes()
    return "run_env_pip.txt", freeze().encode()


def _pixi_lock() -> Path | None:
    root = os.environ.get("PIXI_PROJECT_ROOT")
    # The variables of a pixi shell reach programs of other environments, too.
    if root and Path(sys.prefix).is_relative_to(Path(root) / ".pixi"):
        return _existing(Path(root) / "pixi.lock")
    return None


def _uv_lock() -> Path | None:
    config = Path(sys.prefix) / "pyvenv.cfg"
    try:
        made = any(line.split("=")[0].strip() == "uv" for line in config.read_text().splitlines())
    except OSError:
        made = False
    if not made and "UV" not in os.environ:
        return None
    return _existing(Path(sys.prefix).parent / "uv.lock")


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def freeze() -> str:
    """Returns the installed packages as `pip freeze` lists them, sorted by name.

    The metadata are read directly: asking pip takes a hundred times as long.
    """
    found: dict[str, tuple[str, str]] = {}
    for folder in sys.path:
        for info in _metadata(folder or "."):
            described = _describe(info)
            if described is not None:
                name, line = described
                # The first on the path is the one that imports find.
                found.setdefault(name.lower().replace("_", "-").replace(".", "-"), (name, line))
    listed = sorted((name.lower(), line) for plain, (name, line) in found.items() if plain not in _TOOLS)
    return "".join(f"{line}\n" for _, line in listed)


def _metadata(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []


def _describe(info: str) -> tuple[str, str] | None:
    """Returns name and line of an installed package; None for leftovers without a name."""
    file = info
    if os.path.isdir(info):
        file = os.path.join(info, "METADATA" if info.endswith(".dist-info") else "PKG-INFO")
    head: dict[str, str] = {}
    try:
        with open(file, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if not line.strip() or len(head) == 2:
                    break
                field, _, value = line.partition(":")
                if field in ("Name", "Version"):
                    head[field] = value.strip()
    except OSError:
        return None
    if len(head) < 2:
        return None
    name, version = head["Name"], head["Version"]
    return name, _origin(info, name, version) or f"{name}=={version}"


def _origin(info: str, name: str, version: str) -> str | None:
    """Returns the line of a package that came from a folder, a file or a repository."""
    try:
        with open(os.path.join(info, "direct_url.json"), encoding="utf-8") as file:
            text = file.read()
    except OSError:
        return None
    import json

    try:
        origin = json.loads(text)
        url, folder, repository = origin["url"], origin.get("dir_info", {}), origin.get("vcs_info")
        archive = origin.get("archive_info") or {}
        hashes = [f"{kind}={value}" for kind, value in (archive.get("hashes") or {}).items()]
    except (ValueError, KeyError, TypeError):
        return None
    if folder.get("editable"):
        return f"# Editable install with no version control ({name}=={version})\n-e {url.removeprefix('file://')}"
    if repository is not None:
        return f"{name} @ {repository['vcs']}+{url}@{repository.get('commit_id', '')}".removesuffix("@")
    # The content of an archive is known by its hash.
    found = archive.get("hash") or next(iter(hashes), None)
    return f"{name} @ {url}#{found}" if found else f"{name} @ {url}"


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
