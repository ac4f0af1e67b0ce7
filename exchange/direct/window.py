"""The Market port on a venue in this process."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from core.errors import VenueRejected
from core.types import (
    GONE,
    Book,
    Candle,
    FundingQuote,
    MaintenanceWindow,
    Pair,
    PriceLimits,
    SettledFunding,
)
from exchange.candle_series import ALL_BARS_MS
from exchange.direct import words
from exchange.okx.errors import NO_SUCH_INSTRUMENT
from exchange.okx.parse_market import SWAP_SUFFIX
from exchange.sim.seam import MarketSide, Venue


class DirectMarket:
    """Public data by plain calls."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    async def server_time_ms(self) -> int:
        return self._venue.stated_ms

    async def pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        names = tuple(names)
        known = {pair.name: pair for pair in await self.known_pairs(names)}
        if missing := [name for name in names if name not in known]:
            raise VenueRejected(f"no USDT swap with a spot twin: {', '.join(missing)}", NO_SUCH_INSTRUMENT)
        return tuple(known[name] for name in names)

    async def known_pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        """Those of the named pairs that the venue has; the others are left out."""
        known = self._all_pairs()
        return tuple(known[name] for name in names if name in known)

    async def ranked_pairs(self, limit: int) -> tuple[Pair, ...]:
        volumes = await self.volumes()
        live = [p for p in self._all_pairs().values() if p.spot.state == p.swap.state == "live"]
        live.sort(key=lambda p: (-volumes.get(p.name, Decimal(0)), p.name))
        return tuple(live[:limit])

    async def volumes(self) -> dict[str, Decimal]:
        """The 24 h turnover of every swap, USDT, by pair name."""
        return {
            inst_id.removesuffix(SWAP_SUFFIX): side.volume_24h * side.last
            for inst_id, side in self._venue.markets.items()
            if side.instrument.is_swap
        }

    async def book(self, inst_id: str, depth: int) -> Book:
        return words.book(self._side(inst_id), depth, self._venue.now_ms)

    async def candles(self, inst_id: str, bar: str, limit: int) -> tuple[Candle, ...]:
        newest_first = self._side(inst_id).bars(ALL_BARS_MS[bar], None, limit)
        return tuple(words.candle(one) for one in reversed(newest_first))

    async def funding(self, inst_id: str) -> FundingQuote:
        state = self._side(inst_id).funding
        assert state is not None, f"{inst_id} is no swap"
        return words.quote(inst_id, state, self._venue.now_ms)

    async def settled_funding(self, inst_id: str, limit: int) -> tuple[SettledFunding, ...]:
        rows = list(self._side(inst_id).settled)[-limit:]
        return tuple(SettledFunding(row.ts_ms, row.rate) for row in rows)

    async def mark_px(self, inst_id: str) -> Decimal:
        return self._side(inst_id).mark_px

    async def price_limits(self, inst_id: str) -> PriceLimits:
        side = self._side(inst_id)
        return PriceLimits(side.buy_limit, side.sell_limit)

    async def open_interest(self, inst_id: str) -> Decimal:
        side = self._side(inst_id)
        return side.open_interest * side.instrument.ct_val

    async def maintenance(self) -> tuple[MaintenanceWindow, ...]:
        return tuple(words.maintenance(row) for row in self._venue.maintenance if row["state"] != "completed")

    async def usdt_usd(self) -> Decimal:
        return self._venue.usdt_usd

    def _side(self, inst_id: str) -> MarketSide:
        side = self._venue.markets.get(inst_id)
        if side is None:
            raise VenueRejected(f"no instrument {inst_id}", NO_SUCH_INSTRUMENT)
        return side

    def _all_pairs(self) -> dict[str, Pair]:
        pairs = {}
        for inst_id, side in self._venue.markets.items():
            name = inst_id.removesuffix(SWAP_SUFFIX)
            if side.instrument.is_swap and side.instrument.state != GONE and name in self._venue.markets:
                spot = self._venue.markets[name].instrument
                pairs[name] = Pair(name, words.spot_spec(spot), words.swap_spec(side.instrument))
        return pairs
