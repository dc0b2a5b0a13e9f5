"""How records and queries look in notebooks, and as text where no data frame can be made."""

from __future__ import annotations

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from holotype.queryset import BasicQuerySet
    from holotype.registry import SQLRecord

_ROWS = 20
_LONG = 120


def _short(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"


def _cell(value: Any) -> str:
    text, short = "" if value is None else str(value), _short(value)
    return f"<td style='text-align:left' title='{escape(text, quote=True)}'>{escape(short)}</td>"


def _row(cells: Iterable[Any]) -> str:
    return f"<tr>{''.join(map(_cell, cells))}</tr>"


def record_table(record: SQLRecord) -> str:
    """Returns a record as a table of two columns."""
    shown = type(record)._table.data["shown"]
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th>{_cell(getattr(record, name))}</tr>"
        for name in shown
    )
    return f"<table><caption>{escape(type(record).__name__)}</caption>{rows}</table>"


def query_table(query: BasicQuerySet) -> str:
    """Returns the first records of a query as a table."""
    names = query.model._table.frame_columns()
    count = query.count()
    rows = "".join(map(_row, query._native.slice(0, _ROWS).table(names).rows()))
    head = "".join(f"<th style='text-align:left'>{escape(name)}</th>" for name in names)
    more = f" (first {_ROWS} of {count})" if count > _ROWS else ""
    caption = f"{type(query).__name__} of {count} {query.model.__name__}{more}"
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{rows}</table>"


def query_text(query: BasicQuerySet) -> str:
    """Returns the records of a query as lines of text, one column beside the other."""
    names = query.model._table.frame_columns()
    rows = [names, *([_short(value) for value in row] for row in query._native.table(names).rows())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
