"""A guard's answer, with the figures it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

Figure = Decimal | int | str | bool
Figures = tuple[tuple[str, Figure], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one guard or one strategy condition said, and why.

    ok        True lets the row through.
    guard     the speaker's name, the same in the journal, on the page and in chat.
    reason    one plain sentence without figures, so that equal reasons can be counted.
    figures   (name, value) pairs; the name carries the unit (`_bps`, `_ratio`, `_usdt`, `_ms`).
    instrument  the pair it speaks about, None for the whole account.
    """

    ok: bool
    guard: str
    reason: str
    figures: Figures = ()
    instrument: str | None = None

    def __hash__(self) -> int:
        """Without the figures, which seldom tell two verdicts apart and cost most to hash."""
        return hash((self.ok, self.guard, self.reason, self.instrument))


def refused(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Return the verdicts that said no, in the order they spoke."""
    return tuple(v for v in verdicts if not v.ok)
