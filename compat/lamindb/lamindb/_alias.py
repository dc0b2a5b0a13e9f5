"""Submodules under another name: `lamindb.core.datasets` is the very module `holotype.core.datasets`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


class _Existing(Loader):
    """Loads a module by returning one that another name already stands for."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has just written the alias's spec over the module's own.
        module.__spec__ = self._spec


class _Alias(MetaPathFinder):
    """Finds `alias.x.y` as `name.x.y`."""

    def __init__(self, alias: str, name: str) -> None:
        self.alias, self.name = alias, name

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{self.alias}.") or fullname == f"{self.alias}._alias":
            return None
        real = self.name + fullname.removeprefix(self.alias)
        try:
            if find_spec(real) is None:
                return None
        except ModuleNotFoundError:
            return None
        return ModuleSpec(fullname, _Existing(import_module(real)), is_package=True)


def alias(alias: str, name: str) -> None:
    """Lets every submodule of `name` be imported below `alias` as well.

    Args:
        alias: Name of an importable package.
        name: Package that holds the modules.
    """
    known = {(finder.alias, finder.name) for finder in sys.meta_path if isinstance(finder, _Alias)}
    if (alias, name) not in known:
        sys.meta_path.insert(0, _Alias(alias, name))
