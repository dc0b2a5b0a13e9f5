"""Setting up instances under the name that older notebooks import."""

from __future__ import annotations

from typing import Any

from holotype import setup as _setup


def __getattr__(name: str) -> Any:
    try:
        return getattr(_setup, name)
    except AttributeError:
        raise AttributeError(f"module 'lamindb_setup' has no attribute '{name}'") from None


def __dir__() -> list[str]:
    return dir(_setup)
