"""`describe()`: records as trees, registries by their fields."""

from __future__ import annotations

from html import escape

from holotype import _session, _voice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holotype.registry import Registry, SQLRecord


class Describe:
    """A method of records and of their classes alike."""

    def __get__(self, record: SQLRecord | None, owner: Registry) -> Any:
        if record is None:
            return _Bound(describe_registry, owner)
        return _Bound(describe_record, record)


class _Bound:
    """The method, knowing what it describes."""

    def __init__(self, function: Any, subject: Any) -> None:
        self._function = function
        self._subject = subject
        self.__doc__ = function.__doc__

    def __call__(self, return_str: bool = False) -> str | None:
        return self._function(self._subject, return_str)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<describe of {self._subject!r}>"


def describe_record(record: SQLRecord, return_str: bool = False) -> str | None:
    """Shows what is known of a record, as a tree.

    Args:
        record: The record.
        return_str: Return the text instead.

    Example:
        >>> artifact.describe()
    """
    record._settle()
    text, warnings = record._instance.describe(record._row)
    if return_str:
        return text
    for warning in warnings:
        _voice.warning(warning)
    _show(text)
    return None


def describe_registry(cls: Registry, return_str: bool = False) -> str | None:
    """Shows the fields and relations of a registry.

    Args:
        cls: The registry.
        return_str: Return the text instead.

    Example:
        >>> ln.ULabel.describe()
    """
    text = _session.current().describe_registry(cls._table.qualified)
    if return_str:
        return text
    _show(text)
    return None


def _show(text: str) -> None:
    """Shows a tree: in notebooks with its labels set apart, elsewhere as text."""
    if not _voice.in_notebook():
        print(text)
        return
    from holotype._optional import require

    head, _, rest = text.partition("\n")
    html = f"<pre style='line-height:1.4'><b>{escape(head)}</b>\n{escape(rest)}</pre>"
    require("IPython.display").display({"text/plain": text, "text/html": html}, raw=True)
