"""Figures of the crowd by the instant at which they were known, which is not the one they speak of.

A long/short ratio of the hour from 03:00 is made public after 04:00. A look at 03:30 that showed it would be
told the future, and every backtest would come out well. So each figure carries when it could be known: when
it was seen, or, of history, the end of its period and the venue's usual delay.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from typing import Final

KEPT: Final = 1_000  # figures of one instrument: hourly ones of 41 days
DELAY_MS: Final = 5 * 60_000  # from the end of a period until its figure is public, at most

Samples = tuple[tuple[int, Decimal], ...]


class KnownSeries:
    """One kind of figure of many instruments, kept in the order in which it was known."""

    def __init__(self, period_ms: int, delay_ms: int = DELAY_MS) -> None:
        """Raises ValueError for a period or delay below zero. A period of 0: figures of an instant."""
        if period_ms < 0 or delay_ms < 0:
            raise ValueError(f"period {period_ms} ms, delay {delay_ms} ms, allowed: 0 or more")
        self._period_ms, self._delay_ms = period_ms, delay_ms
        self._of: dict[str, dict[int, tuple[int, Decimal]]] = {}  # instrument -> begin -> (known, figure)
        self._shown: dict[str, Samples] = {}

    def take(self, instrument: str, begins_ms: int, figure: Decimal, seen_ms: int) -> bool:
        """Take in the figure of the period that begins at `begins_ms`; return whether it was new.

        seen_ms  when it came, UTC ms. What comes long after its period is history: it is taken as known when
                 its period was over and the delay had passed. What came twice was known the first time.

        Raises ValueError for a period that is not over when it is seen: it would still change.
        """
        over_ms = begins_ms + self._period_ms
        if seen_ms < over_ms:
            raise ValueError(f"{instrument}: a figure up to {over_ms} came at {seen_ms}, before it was over")
        series = self._of.setdefault(instrument, {})
        if begins_ms in series:
            return False
        series[begins_ms] = (min(seen_ms, over_ms + self._delay_ms), figure)
        while len(series) > KEPT:
            del series[min(series)]
        self._shown.pop(instrument, None)
        return True

    def known(self, instrument: str, now_ms: int) -> Samples:
        """Return (UTC ms at which it was known, figure), oldest first, of what was known by then.

        The same tuple until something comes.
        """
        shown = self._shown.get(instrument)
        if shown is None:
            rows = self._of.get(instrument, {}).values()
            shown = self._shown[instrument] = tuple(sorted(rows, key=lambda row: row[0]))
        if not shown or shown[-1][0] <= now_ms:
            return shown
        return shown[: bisect_right(shown, now_ms, key=lambda row: row[0])]
