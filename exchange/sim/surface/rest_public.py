"""Public endpoints: /public, /market and /system. Limits per IP from the venue's table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.markets.bars import BARS
from exchange.sim.model import Instrument, Reject, Settled
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface import render
from exchange.sim.surface.params import Params, bad, missing, page
from exchange.sim.surface.rate_limits import Limit
from exchange.sim.surface.render import DayOpens
from exchange.sim.surface.routes import Call, Route
from exchange.sim.surface.text import DAY_MS, Row

INST_TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
RECENT_BARS = 1440  # what market/candles reaches back; history-candles has the rest
THREE_MONTHS_MS = 90 * DAY_MS
CURRENT_MAINTENANCE = ("scheduled", "ongoing", "pre_open")


class PublicData:
    def __init__(self, venue: Venue, opens: DayOpens) -> None:
        self._venue = venue
        self._opens = opens

    def _side(self, params: Params) -> MarketSide:
        side = self._venue.markets.get(params.need("instId"))
        if side is None:
            raise Reject("51001", "Instrument ID does not exist.")
        return side

    def _swap(self, params: Params) -> MarketSide:
        side = self._side(params)
        if not side.instrument.is_swap:
            raise bad("instId")
        return side

    def instruments_of(self, params: Params) -> list[Instrument]:
        """Instruments by instType (required), instFamily and instId."""
        inst_type = params.choice("instType", INST_TYPES)
        inst_id, family = params.get("instId"), params.get("instFamily") or params.get("uly")
        found = [
            i
            for i in self._venue.instruments.values()
            if i.inst_type == inst_type
            and (not inst_id or i.inst_id == inst_id)
            and (not family or f"{i.base}-{i.quote}" == family)
        ]
        if inst_id and not found:
            raise Reject("51001", "Instrument ID does not exist.")
        return found

    def time(self, call: Call) -> Sequence[Any]:
        return [{"ts": str(self._venue.now_ms)}]

    def instruments(self, call: Call) -> Sequence[Any]:
        return [render.instrument(i) for i in self.instruments_of(call.params)]

    def funding_rate(self, call: Call) -> Sequence[Any]:
        everyone = call.params.get("instId") == "ANY"
        sides = list(self._venue.markets.values()) if everyone else [self._swap(call.params)]
        return [render.funding(side.instrument, side.funding) for side in sides if side.funding]

    def funding_history(self, call: Call) -> Sequence[Any]:
        side = self._swap(call.params)
        oldest_ms = self._venue.now_ms - THREE_MONTHS_MS
        rows = (one for one in reversed(side.settled) if one.ts_ms >= oldest_ms)
        found: list[Settled] = page(rows, call.params, lambda one: one.ts_ms, most=400, default=400)
        return [render.settled(side.instrument, one) for one in found]

    def mark_price(self, call: Call) -> Sequence[Any]:
        found = self.instruments_of(call.params)
        return [render.mark_price(self._venue.markets[i.inst_id]) for i in found]

    def price_limit(self, call: Call) -> Sequence[Any]:
        return [render.price_limit(self._side(call.params))]

    def open_interest(self, call: Call) -> Sequence[Any]:
        found = self.instruments_of(call.params)
        return [render.open_interest(self._venue.markets[i.inst_id]) for i in found if i.is_swap]

    def position_tiers(self, call: Call) -> Sequence[Any]:
        params = call.params
        if params.choice("instType", INST_TYPES) != "SWAP":
            raise bad("instType")
        params.choice("tdMode", ("cross", "isolated"))
        families = params.names("instFamily", 5) or params.names("uly", 5)
        if not families:
            raise missing("instFamily")
        rows: list[Row] = []
        for family in families:
            instrument = self._venue.instruments.get(f"{family}-SWAP")
            if instrument is None:
                raise bad("instFamily")
            rows += render.position_tiers(instrument, self._venue.tiers(instrument.inst_id))
        tier = params.get("tier")
        return [row for row in rows if not tier or row["tier"] == tier]

    def discounts(self, call: Call) -> Sequence[Any]:
        known = dict.fromkeys(ccy for i in self._venue.instruments.values() for ccy in (i.base, i.quote))
        asked = call.params.get("ccy")
        if asked and asked not in known:
            raise bad("ccy")
        currencies = [asked] if asked else list(known)
        return [render.discount(ccy, self._venue.discount_tiers(ccy)) for ccy in currencies]

    def ticker(self, call: Call) -> Sequence[Any]:
        return [self._ticker(self._side(call.params))]

    def tickers(self, call: Call) -> Sequence[Any]:
        found = self.instruments_of(call.params)
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
        if name and not spots:
            raise Reject("51001", "Index does not exist.")
        now_ms = self._venue.now_ms
        return [render.index_ticker(s.instrument.inst_id, s, self._opens, now_ms) for s in spots]

    def books(self, call: Call) -> Sequence[Any]:
        depth = call.params.integer("sz")
        if depth is not None and not 1 <= depth <= 400:
            raise bad("sz")
        return [render.book(self._side(call.params), depth or 1)]

    def trades(self, call: Call) -> Sequence[Any]:
        trades = list(self._side(call.params).trades)[-call.params.limit(500, 100) :]
        return [render.trade(one) for one in reversed(trades)]

    def candles(self, call: Call) -> Sequence[Any]:
        return self._bars(call.params, recent_only=True)

    def history_candles(self, call: Call) -> Sequence[Any]:
        return self._bars(call.params, recent_only=False)

    def _bars(self, params: Params, recent_only: bool) -> Sequence[Any]:
        side = self._side(params)
        spec = BARS.get(params.get("bar", "1m"))
        if spec is None:
            raise bad("bar")
        after, before = params.integer("after"), params.integer("before")
        oldest_ms = self._venue.now_ms - RECENT_BARS * spec.length_ms if recent_only else 0
        bars = side.bars(spec.length_ms, after, params.limit(300, 100), spec.offset_ms)
        return [
            render.candle(bar, side.instrument)
            for bar in bars
            if bar.ts_ms >= oldest_ms and (before is None or bar.ts_ms > before)
        ]

    def mark_candles(self, call: Call) -> Sequence[Any]:
        params, side = call.params, self._side(call.params)
        spec = BARS.get(params.get("bar", "1m"))
        if spec is None or spec.offset_ms:
            raise bad("bar")
        before = params.integer("before")
        bars = side.mark_bars(spec.length_ms, params.integer("after"), params.limit(100, 100))
        return [render.mark_candle(bar) for bar in bars if before is None or bar.ts_ms > before]

    def status(self, call: Call) -> Sequence[Any]:
        asked = call.params.get("state")
        states = (asked,) if asked else CURRENT_MAINTENANCE
        rows = [render.maintenance(window) for window in self._venue.maintenance]
        return [row for row in rows if row["state"] in states]


def routes(venue: Venue, opens: DayOpens) -> list[Route]:
    data = PublicData(venue, opens)

    def get(path: str, answer: Any, count: int, *per: str, window_ms: int = 2000) -> Route:
        return Route("GET", path, answer, Limit(count, window_ms, per))

    return [
        get("/public/time", data.time, 10),
        get("/public/instruments", data.instruments, 20, "instType"),
        get("/public/funding-rate", data.funding_rate, 10, "instId"),
        get("/public/funding-rate-history", data.funding_history, 10, "instId"),
        get("/public/mark-price", data.mark_price, 10, "instId"),
        get("/public/price-limit", data.price_limit, 20),
        get("/public/open-interest", data.open_interest, 20, "instId"),
        get("/public/position-tiers", data.position_tiers, 10),
        get("/public/discount-rate-interest-free-quota", data.discounts, 2),
        get("/market/ticker", data.ticker, 20),
        get("/market/tickers", data.tickers, 20),
        get("/market/index-tickers", data.index_tickers, 20),
        get("/market/books", data.books, 40),
        get("/market/trades", data.trades, 100),
        get("/market/candles", data.candles, 40),
        get("/market/history-candles", data.history_candles, 20),
        get("/market/mark-price-candles", data.mark_candles, 20),
        get("/market/history-mark-price-candles", data.mark_candles, 10),
        get("/system/status", data.status, 1, window_ms=5000),
        Route("GET", "/account/instruments", data.instruments, Limit(20, 2000, ("instType",)), "read_only"),
    ]
