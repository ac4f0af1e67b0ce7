"""The index of USDT-USD as candles: what a USDT was worth in dollars, bar by bar."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from exchange.sim.markets.day import round_to
from exchange.sim.model import ZERO, Bar

USD_STEP: Final = Decimal("0.0001")
DOLLAR: Final = "USDT-USD"  # the name of the index
CHANGES_MS: Final = 300_000  # a market's word on it changes at multiples of this at most


def dollar(usd: Callable[[int], float], at_ms: int) -> Decimal:
    return round_to(usd(at_ms), USD_STEP)


def dollar_bars(
    usd: Callable[[int], float],
    oldest_ms: int,
    now_ms: int,
    bar_ms: int,
    before_ms: int | None,
    limit: int,
    utc_offset_ms: int = 0,
) -> list[Bar]:
    """The newest `limit` candles opening before `before_ms`, newest first, as of `now_ms`; none before
    `oldest_ms`. Nothing trades in an index: their volume is 0."""
    newest_ms = now_ms if before_ms is None else min(now_ms, before_ms - 1)
    start_ms = (newest_ms + utc_offset_ms) // bar_ms * bar_ms - utc_offset_ms
    found: list[Bar] = []
    while len(found) < limit and start_ms >= oldest_ms:
        last_ms = min(start_ms + bar_ms - 1, now_ms)
        inside = range(start_ms // CHANGES_MS * CHANGES_MS + CHANGES_MS, last_ms + 1, CHANGES_MS)
        values = [dollar(usd, at_ms) for at_ms in (start_ms, *inside)]
        closed = start_ms + bar_ms <= now_ms
        found.append(Bar(start_ms, values[0], max(values), min(values), values[-1], ZERO, closed=closed))
        start_ms -= bar_ms
    return found
