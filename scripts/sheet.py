"""A table that is the same on the console and on a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final

from rich.cells import cell_len

from monitor.report import tables
from monitor.report.words import Said

TEXT, NUMBER, KEY = "text", "num", "key"  # of columns: words that may wrap, figures, values of a named key
CLASSES: Final = {TEXT: "words", NUMBER: "num", KEY: "num named"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. `kinds`: TEXT, NUMBER or KEY, one a column."""

    name: str
    title: str
    note: str
    kinds: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def lines_of(sheets: Iterable[Sheet]) -> list[str]:
    """The tables as lines of text, each after an empty one."""
    lines = []
    for sheet in sheets:
        lines += ["", sheet.title]
        every = (sheet.head, *sheet.rows)
        widths = [max(map(cell_len, column)) for column in zip(*every, strict=True)]
        for row in every:
            cells = zip(row, widths, sheet.kinds, strict=True)
            lines.append("  " + "  ".join(_padded(*cell) for cell in cells).rstrip())
        lines.append(f"  {sheet.note}")
    return lines


def section_of(sheet: Sheet) -> str:
    """The table as a section of a page."""
    kinds = [CLASSES[kind] for kind in sheet.kinds]
    head = [(_breakable(text), kind) for text, kind in zip(sheet.head, kinds, strict=True)]
    rows = [("", list(zip(row, kinds, strict=True))) for row in sheet.rows]
    return (
        f'<section id="{sheet.name}"><h2>{escape(sheet.title)}</h2><p class="note">{escape(sheet.note)}</p>'
        f'<div class="card">{tables.table(head, rows, sheet.title)}</div></section>\n'
    )


def percent(ratio: float) -> str:
    return f"{ratio * 100:.2f} %"


def likelihood(share: float, said: Said) -> str:
    """A probability as it may be read: what rests on a record and a model is never certain."""
    if share > 0.999:
        return said("above", share="99.9 %")
    return said("below", share="0.1 %") if share < 0.001 else percent(share)


def _padded(text: str, width: int, kind: str) -> str:
    room = " " * (width - cell_len(text))
    return text + room if kind == TEXT else room + text


def _breakable(text: str) -> str:
    """A key's name with places, of no width, where a narrow column may break it."""
    return text.replace("_", "_\u200b").replace(".", ".\u200b")
