"""All registries, link tables included, and what queries are made of.

Example:
    >>> ln.models.ArtifactULabel.filter(ulabel__name="apple").df()
"""

from __future__ import annotations

from holotype import _native
from holotype.conditions import Avg, Count, Max, Min, Q, Sum
from holotype.lists import RecordList
from holotype.managers import RelatedManager
from holotype.queryset import ArtifactBasicQuerySet, ArtifactQuerySet, BasicQuerySet, QuerySet
from holotype.registry import FieldAttr, Registry, SQLRecord, registry_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "ArtifactBasicQuerySet",
    "ArtifactQuerySet",
    "Avg",
    "BasicQuerySet",
    "Count",
    "FieldAttr",
    "Max",
    "Min",
    "Q",
    "QuerySet",
    "RecordList",
    "Registry",
    "RelatedManager",
    "SQLRecord",
    "Sum",
]
_NAMES = {name.split(".")[1] for name, _ in _native.registries() if name.startswith("lamindb.")}


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'holotype.models' has no attribute '{name}'")
    return registry_class(f"lamindb.{name}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_NAMES})
