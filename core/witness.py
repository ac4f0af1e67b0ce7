"""A price that jumps is not believed at once: one bad print must not sell anything.

Each market shows three prices that come from different places: the mark price, the spot book and the swap
book. A jump of any of them is doubted until as many looks in a row as are asked for have seen it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.context import MarketView
from core.ladder import SAMPLE_GAP_MS

FORGOTTEN_MS: Final = 600_000  # a price not seen for so long says nothing about a jump


@dataclass(slots=True)
class _Seen:
    px: Decimal  # the last price believed
    at_ms: int
    against: int = 0  # looks in a row that saw something else


class Witness:
    """Remembers the last believed prices of every market.

    max_jump_ratio  a larger step from the last believed price is doubted.
    samples         looks in a row that must see it before it is believed.
    """

    def __init__(self, max_jump_ratio: Decimal, samples: int) -> None:
        self._max_jump, self._samples = max_jump_ratio, samples
        self._seen: dict[tuple[str, str], _Seen] = {}
        self._looked_ms: int | None = None
        self._markets: Mapping[str, MarketView] = {}  # of the last look, and what it doubted
        self._doubted: frozenset[str] = frozenset()

    def look(self, markets: Mapping[str, MarketView], now_ms: int) -> frozenset[str]:
        """Return the instruments with a price that is not to be acted on yet."""
        counts = self._looked_ms is None or now_ms - self._looked_ms >= SAMPLE_GAP_MS
        if counts:
            self._looked_ms = now_ms
        if counts or markets is not self._markets:  # else the same prices are seen again, and do not count
            self._doubted = frozenset(self._doubts(markets, now_ms, counts))
            self._markets = markets
        return self._doubted

    def _doubts(self, markets: Mapping[str, MarketView], now_ms: int, counts: bool) -> Iterator[str]:
        for name, market in markets.items():
            if not counts and self._markets.get(name) is market:
                if name in self._doubted:
                    yield name
                continue
            sources = prices_of(market).items()
            if any([self._is_doubted((name, source), px, now_ms, counts) for source, px in sources]):
                yield name

    def _is_doubted(self, key: tuple[str, str], px: Decimal, now_ms: int, counts: bool) -> bool:
        seen = self._seen.get(key)
        if seen is None or now_ms - seen.at_ms > FORGOTTEN_MS:
            self._seen[key] = _Seen(px, now_ms)
            return False
        jumps = px != seen.px and abs(px / seen.px - 1) > self._max_jump
        if jumps and counts:
            seen.against += 1
        if jumps and seen.against < self._samples:
            return True
        # Between two samples a price may wander: only samples become what the next one is compared with.
        if counts or seen.against:
            seen.px, seen.at_ms, seen.against = px, now_ms, 0
        return False


def prices_of(market: MarketView) -> dict[str, Decimal]:
    """The prices a market shows right now, by where they come from."""
    found = {"mark": market.mark_px}
    for source, book in (("spot", market.spot), ("swap", market.swap)):
        found[source] = book.mid if book is not None and book.is_sane else None
    return {source: px for source, px in found.items() if px}
