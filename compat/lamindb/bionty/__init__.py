"""The ontology registries under the name that notebooks import: `import bionty as bt`."""

from __future__ import annotations

from typing import Any

from holotype import bionty as _bionty

#: The release whose interface is followed.
__version__ = "2.5.2"


def __getattr__(name: str) -> Any:
    try:
        return getattr(_bionty, name)
    except AttributeError:
        raise AttributeError(f"module 'bionty' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return dir(_bionty)
