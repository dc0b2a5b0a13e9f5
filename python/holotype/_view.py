"""The newest records of every registry at a glance."""

from __future__ import annotations

from holotype import _native, _session, _voice

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
            with _voice.lowered("error"):
                frame = query.to_dataframe(limit=limit)
            if len(frame):
                print(name)
                _show(frame)


def _show(frame: Any) -> None:
    """Shows a data frame as the environment can: as a table in notebooks, else as text."""
    if _voice.in_notebook():
        from holotype._optional import require

        require("IPython.display", "jupyter").display(frame)
    else:
        print(frame)
