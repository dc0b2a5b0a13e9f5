"""Holotype registers files, folders and arrays as artifacts with identity, storage, labels, versions and
lineage.

Importing the package connects to the current instance: the one bound to this directory, else the one of this
machine.

Example:
    >>> import holotype as ln
    >>> ln.track()
    >>> artifact = ln.Artifact("counts.csv", key="raw/counts.csv").save()
    >>> ln.Artifact.filter(key__startswith="raw/").to_dataframe()
"""

from __future__ import annotations

from holotype import _native, _session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__version__ = _native.__version__

# Where each name of the package lives: a module is imported when one of its names is first used.
_HOMES = {
    "Count": "conditions",
    "DB": "_database",
    "Q": "conditions",
    "Settings": "_settings",
    "UPath": "upath",
    "connect": "_connecting",
    "context": "_context",
    "finish": "_track",
    "flow": "_calls",
    "gc": "_care",
    "repair": "_care",
    "save": "_saving",
    "settings": "_settings",
    "step": "_calls",
    "track": "_track",
    "tracked": "_calls",
    "verify": "_care",
    "view": "_view",
}
_MODULES = frozenset({"bionty", "core", "errors", "examples", "loaders", "models", "setup"})
_REGISTRIES = frozenset(
    name.removeprefix("lamindb.") for name, top in _native.registries() if top and name.startswith("lamindb.")
)

__all__ = sorted({*_HOMES, *_MODULES, *_REGISTRIES} - {"Count", "Settings"})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOMES:
        found = getattr(import_module(f"holotype.{_HOMES[name]}"), name)
    elif name in _MODULES:
        return import_module(f"holotype.{name}")
    elif name in _REGISTRIES:
        from holotype.registry import registry_class

        found = registry_class(f"lamindb.{name}")
    else:
        raise AttributeError(f"module 'holotype' has no attribute '{name}'")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


_session.auto_connect()
