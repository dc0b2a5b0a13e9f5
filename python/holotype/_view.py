"""The newest records of every registry at a glance."""

from __future__ import annotations

from holotype import _native, _session, _voice
from holotype._optional import present, require
from holotype.frames import without_own

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["view"]

_HIDDEN = frozenset({"Branch", "Space", "User"})


def view(*, limit: int = 7, modules: Any = None, registries: list[str] | None = None, df: Any = None) -> None:
    """Shows the newest records of every registry that has some.

    Args:
        limit: How many records of each.
        modules: Modules to show, such as `"bionty"`; by default those of the instance.
        registries: Names of registries to show; by default all.
        df: A data frame to show instead.

    Example:
        >>> ln.view(limit=3, registries=["Artifact", "ULabel"])
    """
    if df is not None:
        _show(df)
        return
    from holotype.registry import registry_class

    wanted = [modules] if isinstance(modules, str) else modules
    present = ["core", *_session.current().settings()["modules"]]
    chosen = [module for module in present if wanted is None or module in wanted]
    for module in chosen:
        owner = "lamindb" if module == "core" else module
        if len(chosen) > 1:
            banner = f"* module: {module} *"
            print("*" * len(banner) + f"\n{banner}\n" + "*" * len(banner))
        for qualified, top in sorted(_native.registries()):
            name = qualified.split(".")[1]
            if not top or not qualified.startswith(f"{owner}.") or name in _HIDDEN:
                continue
            if registries is not None and name not in registries:
                continue
            query = registry_class(qualified).filter()
            newest = query._made(without_own(query)).order_by("-id")[:limit]
            if newest.exists():
                print(name)
                _show_query(newest)


def _show_query(query: Any) -> None:
    """Shows records as a data frame, or without pandas as a table of our own."""
    if present("pandas"):
        with _voice.lowered("error"):
            _show(query.to_dataframe(limit=None))
    elif _voice.in_notebook():
        _show(query)
    else:
        from holotype._html import query_text

        print(query_text(query))


def _show(table: Any) -> None:
    """Shows a table as the environment can: drawn in notebooks, else as text."""
    if _voice.in_notebook():
        require("IPython.display").display(table)
    else:
        print(table)
