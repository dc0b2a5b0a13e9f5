"""Parts of the interface that earlier scripts reach through `ln.core`."""

from __future__ import annotations

from holotype.core import storage
from holotype.examples import datasets

__all__ = ["datasets", "storage"]
