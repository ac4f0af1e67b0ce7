"""The market as the engine sees it: fed by streams and REST, read as frozen views.

Parsers hand over domain types; nothing here knows a venue. Every part carries the engine's time of
its arrival, so that a guard can tell an old figure from a fresh one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from core.context import MarketView
from core.ports import Clock, Market
from core.types import GONE, Candle, FundingQuote, Pair, SettledFunding
from exchange.candle_series import BAR_MS, KEEP, CandleSeries
from exchange.local_book import BookChange, LocalBook

KEEP_SETTLED: Final = 300
KEEP_OPEN_INTEREST: Final = 300  # every five minutes: a day and an hour


class MarketData:
    """Everything known about the pairs' markets."""

    def __init__(self, pairs: Iterable[Pair], clock: Clock) -> None:
        self._clock = clock
        self._by_name: dict[str, _PairData] = {}
        self._by_inst: dict[str, _PairData] = {}
        self._views: Mapping[str, MarketView] = {}
        for pair in pairs:
            self.set_pair(pair)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._by_name)

    def set_pair(self, pair: Pair) -> None:
        """Add a pair, or take over new rules (tick, state, delisting time) of a known one."""
        data = self._by_name.get(pair.name)
        if data is None:
            data = self._by_name[pair.name] = _PairData(pair)
            self._by_inst[pair.spot.inst_id] = self._by_inst[pair.swap.inst_id] = data
        data.pair = pair
        data.view = None

    def view(self, name: str) -> MarketView:
        """Return one pair's market, frozen now. The same object until something changes."""
        return self._by_name[name].frozen()

    def views(self) -> Mapping[str, MarketView]:
        """All of them, by name. The same mapping until something changes."""
        found = {name: data.frozen() for name, data in self._by_name.items()}
        if found.keys() != self._views.keys() or any(found[n] is not one for n, one in self._views.items()):
            self._views = found
        return self._views

    def pair(self, name: str) -> Pair:
        return self._by_name[name].pair

    def on_book(self, inst_id: str, change: BookChange) -> bool:
        """Apply a book push; False means it must be subscribed anew, and reads None until then."""
        data = self._by_inst[inst_id]
        data.view = None
        return data.books[inst_id].apply(change, self._clock.now_ms())

    def on_mark(self, inst_id: str, mark_px: Decimal) -> None:
        data = self._by_inst[inst_id]
        data.mark_px, data.mark_seen_ms, data.view = mark_px, self._clock.now_ms(), None

    def on_funding(self, quote: FundingQuote) -> None:
        """Take a new quote. When it speaks of the next settlement, the last one has a rate."""
        data = self._by_inst[quote.inst_id]
        data.on_funding(quote)
        data.view = None

    def on_candle(self, inst_id: str, candle: Candle) -> None:
        """Take a pushed 3m spot candle."""
        data = self._by_inst[inst_id]
        data.candles.push(candle)
        data.view = None

    def on_open_interest(self, name: str, coins: Decimal) -> None:
        data = self._by_name[name]
        data.open_interest.append((self._clock.now_ms(), coins))
        data.view = None

    def on_volume(self, name: str, usdt: Decimal) -> None:
        """Take the swap's turnover of the last 24 h, USDT."""
        data = self._by_name[name]
        data.volume_24h_usdt, data.view = usdt, None

    def seed_candles(self, name: str, history: Mapping[str, Iterable[Candle]]) -> None:
        """Replace a pair's candles, by bar (3m, 15m, 4H, D), each oldest first."""
        data = self._by_name[name]
        data.candles.seed(history)
        data.view = None

    def seed_settled(self, name: str, settled: Iterable[SettledFunding]) -> None:
        """Merge settled rates; the venue's history wins over what was pushed."""
        data = self._by_name[name]
        data.settled.update({row.ts_ms: row for row in settled})
        data.view = None

    def candle_holes(self) -> tuple[str, ...]:
        """Pairs whose 3m series misses a bar: to be seeded again."""
        return tuple(name for name, data in self._by_name.items() if data.candles.has_hole)


class _PairData:
    """One pair's mutable state and its cached view."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.view: MarketView | None = None
        self.books = {i: LocalBook(i) for i in (pair.spot.inst_id, pair.swap.inst_id)}
        self.candles = CandleSeries()
        self.mark_px: Decimal | None = None
        self.mark_seen_ms = 0
        self.funding: FundingQuote | None = None
        self.settled: dict[int, SettledFunding] = {}
        self.open_interest: deque[tuple[int, Decimal]] = deque(maxlen=KEEP_OPEN_INTEREST)
        self.volume_24h_usdt: Decimal | None = None
        self._unsettled_ms: int | None = None

    def on_funding(self, quote: FundingQuote) -> None:
        last, self.funding = self.funding, quote
        if last is not None and quote.funding_time_ms > last.funding_time_ms:
            self._unsettled_ms = last.funding_time_ms
        if self._unsettled_ms is not None and quote.settled_rate is not None:
            row = SettledFunding(self._unsettled_ms, quote.settled_rate)
            self.settled.setdefault(row.ts_ms, row)
            self._unsettled_ms = None

    def frozen(self) -> MarketView:
        if self.view is None:
            while len(self.settled) > KEEP_SETTLED:
                del self.settled[min(self.settled)]
            self.view = MarketView(
                pair=self.pair,
                spot=self.books[self.pair.spot.inst_id].freeze(),
                swap=self.books[self.pair.swap.inst_id].freeze(),
                mark_px=self.mark_px,
                mark_seen_ms=self.mark_seen_ms,
                funding=self.funding,
                settled=tuple(self.settled[ts] for ts in sorted(self.settled)),
                candles=self.candles.frozen(),
                open_interest=tuple(self.open_interest),
                volume_24h_usdt=self.volume_24h_usdt,
            )
        return self.view


async def seed(data: MarketData, market: Market) -> None:
    """Fill every pair the venue knows by REST with what the streams do not repeat: history, a first quote.

    Raises what the market port raises; what was filled until then stays.
    """
    live = [name for name in data.names if data.view(name).pair.swap.state != GONE]
    await asyncio.gather(*(_seed_pair(data, market, name) for name in live))


async def mend_candles(data: MarketData, market: Market) -> None:
    """Ask again for the candles of every pair that missed some, after a lost stream."""
    for name in data.candle_holes():
        await _seed_candles(data, market, name)


async def _seed_pair(data: MarketData, market: Market, name: str) -> None:
    swap = data.view(name).pair.swap.inst_id
    await _seed_candles(data, market, name)
    data.seed_settled(name, await market.settled_funding(swap, KEEP_SETTLED))
    data.on_funding(await market.funding(swap))
    data.on_mark(swap, await market.mark_px(swap))
    data.on_open_interest(name, await market.open_interest(swap))


async def _seed_candles(data: MarketData, market: Market, name: str) -> None:
    spot = data.view(name).pair.spot.inst_id
    data.seed_candles(name, {bar: await market.candles(spot, bar, KEEP[bar]) for bar in BAR_MS})
