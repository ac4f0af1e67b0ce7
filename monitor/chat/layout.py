"""Text for a phone: aligned columns in a fixed-width block, at most as wide as a small screen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final
from unicodedata import east_asian_width

SCREEN: Final = 34  # columns of a fixed-width block on a small phone, before its lines wrap
MOST_CHARS: Final = 3_800  # of a message; the service takes 4096
MOST_HEAD_CHARS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Button:
    """`data` comes back when it is pressed; the service takes 64 bytes."""

    text: str
    data: str


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: a headline, aligned lines, and what is said below them in ordinary type."""

    head: str
    lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    buttons: Keyboard = ()

    def as_html(self, redact: Callable[[str], str] = str) -> str:
        """The page as the service's HTML, cut at a line where it would be too long for one message."""
        head = escape(redact(self.head), quote=False)[:MOST_HEAD_CHARS]
        parts = [f"<b>{head}</b>"]
        room = MOST_CHARS - len(parts[0])
        lines, room = _fitting(map(redact, self.lines), room)
        if lines:
            parts.append("<pre>" + "\n".join(lines) + "</pre>")
        notes, _ = _fitting(map(redact, self.notes), room)
        return "\n".join((*parts, *notes))

    def as_text(self) -> str:
        """The page for a channel that only knows text, in any font: nothing is aligned by spaces."""
        return "\n".join((self.head, *(" ".join(line.split()) for line in self.lines), *self.notes))


def columns_of(text: str) -> int:
    """How many columns a text takes in a fixed-width font: Chinese signs take two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def left(text: str, columns: int) -> str:
    return text + " " * (columns - columns_of(text))


def right(text: str, columns: int) -> str:
    return " " * (columns - columns_of(text)) + text


def facts(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Name on the left, value flush right."""
    rows = list(pairs)
    names = max((columns_of(name) for name, _ in rows), default=0)
    values = max((columns_of(value) for _, value in rows), default=0)
    return tuple(f"{left(name, names)}  {right(value, values)}" for name, value in rows)


def table(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Columns as wide as their widest cell: the first flush left, the others flush right."""
    if not rows:
        return ()
    widths = [max(columns_of(row[n]) for row in rows) for n in range(len(rows[0]))]
    return tuple(
        " ".join((left if n == 0 else right)(cell, widths[n]) for n, cell in enumerate(row)).rstrip()
        for row in rows
    )


def clipped(text: str, columns: int) -> str:
    """The text, or its beginning and an ellipsis."""
    if columns_of(text) <= columns:
        return text
    kept = ""
    for sign in text:
        if columns_of(kept + sign) >= columns:
            break
        kept += sign
    return kept + "…"


def _fitting(lines: Iterable[str], room: int) -> tuple[list[str], int]:
    kept: list[str] = []
    for line in lines:
        safe = escape(line, quote=False)
        if len(safe) + 1 > room:
            kept.append("…")
            return kept, 0
        room -= len(safe) + 1
        kept.append(safe)
    return kept, room
