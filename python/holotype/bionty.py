"""The registries of biological entities.

Example:
    >>> from holotype import bionty as bt
    >>> bt.CellType(name="T cell").save()
"""

from __future__ import annotations

from holotype import _native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAMES = {name.split(".")[1]: top for name, top in _native.registries() if name.startswith("bionty.")}
__all__ = sorted(name for name, top in _NAMES.items() if top)


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'holotype.bionty' has no attribute '{name}'")
    from holotype.registry import registry_class

    return registry_class(f"bionty.{name}")


def __dir__() -> list[str]:
    return list(__all__)
