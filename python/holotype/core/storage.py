"""Suffixes under their older address.

Example:
    >>> ln.core.storage.VALID_SIMPLE_SUFFIXES.add(".mzml")
"""

from __future__ import annotations

from holotype.suffixes import composite_formats as VALID_COMPOSITE_SUFFIXES
from holotype.suffixes import simple_formats as VALID_SIMPLE_SUFFIXES

__all__ = ["VALID_COMPOSITE_SUFFIXES", "VALID_SIMPLE_SUFFIXES"]
