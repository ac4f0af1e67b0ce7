"""The index of USDT-USD as candles: what a USDT was worth in dollars, bar by bar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from exchange.sim.markets.day import round_to
from exchange.sim.model import ZERO, Bar

USD_STEP: Final = Decimal("0.0001")
DOLLAR: Final = "USDT-USD"  # the name of the index
MOST_SHOWN: Final = 1_000  # candles that are kept
CHANGES_MS: Final = 300_000  # a market's word on it changes at multiples of this at most


@dataclass(slots=True)
class _Shown:
    """One candle before rounding; `next_ms` is the first change it does not know yet."""

    next_ms: int
    open: float
    high: float
    low: float
    close: float


def dollar(usd: Callable[[int], float], at_ms: int) -> Decimal:
    return round_to(usd(at_ms), USD_STEP)


class DollarBars:
    """`usd` is the market's word on it; there are no candles before `oldest_ms`.

    What a candle has shown so far is kept, so that asking again looks at what has come since alone.
    """

    def __init__(self, usd: Callable[[int], float], oldest_ms: int) -> None:
        self._usd = usd
        self._oldest_ms = oldest_ms
        self._shown: dict[tuple[int, int], _Shown] = {}  # by length and beginning

    def newest(
        self, now_ms: int, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0
    ) -> list[Bar]:
        """The newest `limit` candles opening before `before_ms`, newest first, as of `now_ms`, which never
        goes back. Nothing trades in an index: their volume is 0."""
        newest_ms = now_ms if before_ms is None else min(now_ms, before_ms - 1)
        start_ms = (newest_ms + utc_offset_ms) // bar_ms * bar_ms - utc_offset_ms
        found: list[Bar] = []
        while len(found) < limit and start_ms >= self._oldest_ms:
            shown = self._upto(start_ms, bar_ms, min(start_ms + bar_ms - 1, now_ms))
            prices = shown.open, shown.high, shown.low, shown.close
            open_, high, low, close = (round_to(price, USD_STEP) for price in prices)
            closed = start_ms + bar_ms <= now_ms
            found.append(Bar(start_ms, open_, high, low, close, ZERO, closed=closed))
            start_ms -= bar_ms
        return found

    def _upto(self, start_ms: int, bar_ms: int, last_ms: int) -> _Shown:
        shown = self._shown.get((bar_ms, start_ms))
        if shown is None:
            if len(self._shown) >= MOST_SHOWN:
                self._shown.clear()
            price = self._usd(start_ms)
            next_ms = start_ms // CHANGES_MS * CHANGES_MS + CHANGES_MS
            shown = self._shown[bar_ms, start_ms] = _Shown(next_ms, price, price, price, price)
        while shown.next_ms <= last_ms:
            shown.close = price = self._usd(shown.next_ms)
            shown.high, shown.low = max(shown.high, price), min(shown.low, price)
            shown.next_ms += CHANGES_MS
        return shown
