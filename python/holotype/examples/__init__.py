"""Example datasets for guides, tutorials and tests."""

from __future__ import annotations

from holotype.examples import datasets

__all__ = ["datasets"]
