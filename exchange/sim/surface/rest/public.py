"""Public endpoints /public and /system. Limits per IP from the venue's table (api-v5.md 1.5, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exchange.sim.model import Instrument, Reject, Settled
from exchange.sim.seam import MarketSide, Venue
from exchange.sim.surface.entry.params import Params, bad, missing, one_of_missing, page
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering import public as render
from exchange.sim.surface.rendering.text import DAY_MS, Row
from exchange.sim.surface.rest.routes import READ, Call, Route

INST_TYPES = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
DERIVATIVES = ("SWAP", "FUTURES", "OPTION")
THREE_MONTHS_MS = 90 * DAY_MS
STATUS_STATES = ("scheduled", "ongoing", "pre_open", "completed", "canceled")
CURRENT_MAINTENANCE = STATUS_STATES[:3]
UNSORTED_EVERY_MS = 7_000  # the tiers' order changes this often


def market_of(venue: Venue, params: Params) -> MarketSide:
    """The market `instId` names. Raises Reject(50014, 51001)."""
    side = venue.markets.get(params.need("instId"))
    if side is None:
        raise Reject("51001", "Instrument ID does not exist.")
    return side


def instruments_of(
    venue: Venue, params: Params, types: Sequence[str] = INST_TYPES, options_need_family: bool = True
) -> list[Instrument]:
    """Instruments by instType (required), instFamily or uly, and instId.

    Raises Reject: 50014 and 51000 for instType, 50015 for options without a family, 51001 for an
    unknown instId, 51015 for one of another type.
    """
    inst_type = params.choice("instType", types)
    inst_id, family = params.get("instId"), params.get("instFamily") or params.get("uly")
    if inst_type == "OPTION" and options_need_family and not family:
        raise one_of_missing("uly", "instFamily")
    if inst_id:
        named = venue.instruments.get(inst_id)
        if named is None:
            raise Reject("51001", "Instrument ID does not exist.")
        if named.inst_type != inst_type:
            raise Reject("51015", "Instrument ID does not match instrument type.")
    return [
        i
        for i in venue.instruments.values()
        if i.inst_type == inst_type
        and (not inst_id or i.inst_id == inst_id)
        and (not family or f"{i.base}-{i.quote}" == family)
    ]


class PublicData:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def _swap(self, params: Params) -> MarketSide:
        side = market_of(self._venue, params)
        if not side.instrument.is_swap:
            raise bad("instId")
        return side

    def time(self, call: Call) -> Sequence[Any]:
        return [{"ts": str(self._venue.stated_ms)}]

    def instruments(self, call: Call) -> Sequence[Any]:
        return [render.instrument(i) for i in instruments_of(self._venue, call.params)]

    def underlying(self, call: Call) -> Sequence[Any]:
        """One list of the underlyings' names: the venue's own odd shape."""
        inst_type = call.params.choice("instType", DERIVATIVES)
        found = (i for i in self._venue.instruments.values() if i.inst_type == inst_type)
        return [[f"{i.base}-{i.quote}" for i in found]]

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
        """instId alone is enough: the documents require instType, ccxt has never sent it with one."""
        if call.params.get("instId") and not call.params.get("instType"):
            return [render.mark_price(market_of(self._venue, call.params))]
        found = instruments_of(self._venue, call.params, options_need_family=False)
        return [render.mark_price(self._venue.markets[i.inst_id]) for i in found]

    def price_limit(self, call: Call) -> Sequence[Any]:
        return [render.price_limit(market_of(self._venue, call.params))]

    def open_interest(self, call: Call) -> Sequence[Any]:
        found = instruments_of(self._venue, call.params, DERIVATIVES)
        return [render.open_interest(self._venue.markets[i.inst_id]) for i in found]

    def position_tiers(self, call: Call) -> Sequence[Any]:
        params = call.params
        inst_type = params.choice("instType", ("MARGIN", *DERIVATIVES))
        params.choice("tdMode", ("cross", "isolated"))
        if inst_type == "MARGIN":
            if not params.get("instId") and not params.get("ccy"):
                raise one_of_missing("instId", "ccy")
            return []  # nobody borrows coins to trade here
        families = params.names("instFamily", 5) or params.names("uly", 5)
        if not families:
            raise missing("instFamily")
        rows: list[Row] = []
        for family in families:
            instrument = self._venue.instruments.get(f"{family}-SWAP")
            if instrument is None:
                raise bad("instFamily")
            if inst_type == "SWAP":
                rows += render.position_tiers(instrument, self._venue.tiers(instrument.inst_id))
        tier = params.get("tier")
        return self._unsorted([row for row in rows if not tier or row["tier"] == tier])

    def _unsorted(self, rows: list[Row]) -> list[Row]:
        """Begin anywhere in the list: the documents promise no order, and clients must not rely on one."""
        first = self._venue.now_ms // UNSORTED_EVERY_MS % len(rows) if rows else 0
        return rows[first:] + rows[:first]

    def discounts(self, call: Call) -> Sequence[Any]:
        known = dict.fromkeys(ccy for i in self._venue.instruments.values() for ccy in (i.base, i.quote))
        asked = call.params.get("ccy")
        if asked and asked not in known:
            raise bad("ccy")
        currencies = [asked] if asked else list(known)
        return [render.discount(ccy, self._venue.discount_tiers(ccy)) for ccy in currencies]

    def status(self, call: Call) -> Sequence[Any]:
        asked = call.params.choice("state", STATUS_STATES, "") if call.params.get("state") else ""
        states = (asked,) if asked else CURRENT_MAINTENANCE
        rows = [render.maintenance(window) for window in self._venue.maintenance]
        return [row for row in rows if row["state"] in states]


def routes(venue: Venue) -> list[Route]:
    data = PublicData(venue)

    def get(path: str, answer: Any, count: int, *per: str, window_ms: int = 2000) -> Route:
        return Route("GET", path, answer, Limit(count, window_ms, per))

    return [
        get("/public/time", data.time, 10),
        get("/public/instruments", data.instruments, 20, "instType"),
        get("/public/underlying", data.underlying, 20),
        get("/public/funding-rate", data.funding_rate, 10, "instId"),
        get("/public/funding-rate-history", data.funding_history, 10, "instId"),
        get("/public/mark-price", data.mark_price, 10, "instId"),
        get("/public/price-limit", data.price_limit, 20),
        get("/public/open-interest", data.open_interest, 20, "instId"),
        get("/public/position-tiers", data.position_tiers, 10),
        get("/public/discount-rate-interest-free-quota", data.discounts, 2),
        get("/system/status", data.status, 1, window_ms=5000),
        Route("GET", "/account/instruments", data.instruments, Limit(20, 2000, ("instType",)), READ),
    ]
