"""Public endpoints /market: quotes, books, trades and candles. Limits per IP (api-v5.md 1.5, 2.2-2.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from exchange.sim.markets.bars import BARS
from exchange.sim.markets.dollar import DOLLAR
from exchange.sim.model import Bar, PublicTrade, Reject
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface.entry.params import Params, bad, missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering import public as render
from exchange.sim.surface.rendering.candles import Source, cut, index_source
from exchange.sim.surface.rendering.public import DayOpens
from exchange.sim.surface.rendering.text import Row
from exchange.sim.surface.rest.public import THREE_MONTHS_MS, instruments_of, market_of
from exchange.sim.surface.rest.routes import Call, Route

QUOTED = ("SPOT", "SWAP", "FUTURES", "OPTION")
RECENT_BARS = 1440  # what market/candles reaches back; the history- endpoints have the rest
BOOK_LEVELS = 400
FULL_BOOK_LEVELS = 5000
FULL_BOOK_EVERY_MS = 1000
ONLY_HISTORY = ("1s",)

History = Callable[[Call], Sequence[Any]]


class MarketData:
    def __init__(self, venue: Venue, opens: DayOpens) -> None:
        self._venue = venue
        self._opens = opens
        self._full_books: dict[str, tuple[int, Row]] = {}  # instrument -> when it was taken, the row

    # --- quotes -------------------------------------------------------------------------------

    def ticker(self, call: Call) -> Sequence[Any]:
        return [self._ticker(market_of(self._venue, call.params))]

    def tickers(self, call: Call) -> Sequence[Any]:
        found = instruments_of(self._venue, call.params, QUOTED, options_need_family=False)
        return [self._ticker(self._venue.markets[i.inst_id]) for i in found]

    def _ticker(self, side: MarketSide) -> Row:
        bid, ask = render.top(side.bids(1)), render.top(side.asks(1))
        return render.ticker(side, bid, ask, self._opens, self._venue.now_ms)

    def index_tickers(self, call: Call) -> Sequence[Any]:
        name, quote = call.params.get("instId"), call.params.get("quoteCcy")
        if not name and not quote:
            raise missing("instId")
        spots = [
            side
            for side in self._venue.markets.values()
            if not side.instrument.is_swap
            and (not name or side.instrument.inst_id == name)
            and (not quote or side.instrument.quote == quote)
        ]
        is_dollar = name in ("", DOLLAR) and quote in ("", "USD")
        if name and not spots and not is_dollar:
            raise Reject("51001", "Index does not exist.")
        now_ms = self._venue.now_ms
        rows = [render.index_ticker(s.instrument.inst_id, s, self._opens, now_ms) for s in spots]
        return rows + [render.dollar_ticker(self._venue)] * is_dollar

    # --- books and trades ---------------------------------------------------------------------

    def books(self, call: Call) -> Sequence[Any]:
        side, depth = market_of(self._venue, call.params), self._depth(call.params, BOOK_LEVELS)
        return [render.book(side, depth)]

    def full_books(self, call: Call) -> Sequence[Any]:
        """Taken once a second, so it may be older than `books`; levels without the deprecated column."""
        side, depth = market_of(self._venue, call.params), self._depth(call.params, FULL_BOOK_LEVELS)
        inst_id, second = side.instrument.inst_id, self._venue.now_ms // FULL_BOOK_EVERY_MS
        taken = self._full_books.get(inst_id)
        if taken is None or taken[0] != second:
            taken = self._full_books[inst_id] = (second, render.full_book(side, FULL_BOOK_LEVELS))
        row = taken[1]
        return [{**row, "asks": row["asks"][:depth], "bids": row["bids"][:depth]}]

    def _depth(self, params: Params, most: int) -> int:
        depth = params.integer("sz")
        if depth is not None and not 1 <= depth <= most:
            raise bad("sz")
        return depth or 1

    def trades(self, call: Call) -> Sequence[Any]:
        side = market_of(self._venue, call.params)
        trades = list(side.trades)[-call.params.limit(500, 100) :]
        return [render.trade(one) for one in reversed(trades)]

    def history_trades(self, call: Call) -> Sequence[Any]:
        """Pages by trade id (type 1, the default) or by time (type 2); three months at most."""
        params, side = call.params, market_of(self._venue, call.params)
        by_time = params.choice("type", ("1", "2"), "1") == "2"
        if by_time and params.get("before"):
            raise bad("before")  # pages by time go backwards only
        oldest_ms = self._venue.now_ms - THREE_MONTHS_MS
        newest_first = (one for one in reversed(side.trades) if one.ts_ms >= oldest_ms)
        found: list[PublicTrade] = page(
            newest_first, params, lambda one: one.ts_ms if by_time else one.trade_id
        )
        return [render.trade(one) for one in found]

    # --- candles ------------------------------------------------------------------------------

    def candles(self, recent_only: bool) -> History:
        def answer(call: Call) -> Sequence[Any]:
            side = market_of(self._venue, call.params)
            found = self._bars(call.params, side.bars, recent_only, most=300, seconds=not recent_only)
            return [render.candle(bar, side.instrument) for bar in found]

        return answer

    def mark_candles(self, recent_only: bool) -> History:
        def answer(call: Call) -> Sequence[Any]:
            side = market_of(self._venue, call.params)
            return [render.price_candle(bar) for bar in self._bars(call.params, side.mark_bars, recent_only)]

        return answer

    def index_candles(self, recent_only: bool) -> History:
        def answer(call: Call) -> Sequence[Any]:
            source = index_source(self._venue, call.params.need("instId"))
            return [render.price_candle(bar) for bar in self._bars(call.params, source, recent_only)]

        return answer

    def _bars(
        self,
        params: Params,
        source: Source,
        recent_only: bool,
        most: int = 100,
        seconds: bool = False,
    ) -> Iterator[Bar]:
        name, now_ms = params.get("bar", "1m"), self._venue.now_ms
        spec = BARS.get(name)
        if spec is None or (name in ONLY_HISTORY and not seconds):
            raise bad("bar")
        after, before = params.integer("after"), params.integer("before")
        oldest_ms = now_ms - RECENT_BARS * spec.length_ms if recent_only and not spec.months else 0
        newest_first = cut(source, spec, after, params.limit(most, 100), now_ms)
        return (
            bar for bar in newest_first if bar.ts_ms >= oldest_ms and (before is None or bar.ts_ms > before)
        )


def routes(venue: Venue, opens: DayOpens) -> list[Route]:
    data = MarketData(venue, opens)

    def get(path: str, answer: History, count: int) -> Route:
        return Route("GET", f"/market/{path}", answer, Limit(count, 2000))

    return [
        get("ticker", data.ticker, 20),
        get("tickers", data.tickers, 20),
        get("index-tickers", data.index_tickers, 20),
        get("books", data.books, 40),
        get("books-full", data.full_books, 10),
        get("trades", data.trades, 100),
        get("history-trades", data.history_trades, 20),
        get("candles", data.candles(recent_only=True), 40),
        get("history-candles", data.candles(recent_only=False), 20),
        get("mark-price-candles", data.mark_candles(recent_only=True), 20),
        get("history-mark-price-candles", data.mark_candles(recent_only=False), 10),
        get("index-candles", data.index_candles(recent_only=True), 20),
        get("history-index-candles", data.index_candles(recent_only=False), 10),
    ]
