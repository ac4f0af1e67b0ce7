"""The Market port on OKX: public data by REST."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final, TypeVar

from core.errors import BadPayload, VenueRejected
from core.ports import Clock
from core.types import Book, Candle, FundingQuote, MaintenanceWindow, Pair, PriceLimits, SettledFunding
from exchange.okx import parse_market as parse
from exchange.okx import wire
from exchange.okx.errors import NO_SUCH_INSTRUMENT
from exchange.okx.rest import OkxRest

W = TypeVar("W")
R = TypeVar("R")

BARS: Final = {
    "1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "1H": "1H", "4H": "4H",
    "1D": "1Dutc", "D": "1Dutc",  # plain 1D would begin at 16:00 UTC
}  # fmt: skip
CANDLES_A_PAGE: Final = 300
SETTLEMENTS_A_PAGE: Final = 100
DOLLAR: Final = "USDT-USD"  # the venue's index of what a USDT is worth
_SETTLE_CCY: Final = "USDT"


class OkxMarket:
    """Every method may raise VenueDown or RateLimited; `pairs` VenueRejected for an unknown name."""

    def __init__(self, rest: OkxRest, clock: Clock, *, demo: bool) -> None:
        self._rest = rest
        self._clock = clock
        self._environment = "2" if demo else "1"

    async def server_time_ms(self) -> int:
        return await self._rest.read_one(self._rest.sdk.public.get_system_time, wire.Time, parse.server_time)

    async def pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        names = tuple(names)
        known = {pair.name: pair for pair in await self.known_pairs(names)}
        missing = [name for name in names if name not in known]
        if missing:
            raise VenueRejected(f"no USDT swap with a spot twin: {', '.join(missing)}", NO_SUCH_INSTRUMENT)
        return tuple(known[name] for name in names)

    async def known_pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        """Those of the named pairs that the venue has; the others are left out."""
        known = await self._all_pairs()
        return tuple(known[name] for name in names if name in known)

    async def ranked_pairs(self, limit: int) -> tuple[Pair, ...]:
        known, volumes = await asyncio.gather(self._all_pairs(), self.volumes())
        tradable = [p for p in known.values() if p.spot.state == p.swap.state == "live"]
        tradable.sort(key=lambda p: (-volumes.get(p.name, Decimal(0)), p.name))
        return tuple(tradable[:limit])

    async def volumes(self) -> dict[str, Decimal]:
        """Return the 24 h turnover of every USDT swap, USDT, by pair name."""
        rows = await self._rest.read(
            self._rest.sdk.market.get_tickers, wire.Ticker, _readable(parse.turnover), instType="SWAP"
        )
        suffix = f"-{_SETTLE_CCY}{parse.SWAP_SUFFIX}"
        return {
            row[0].removesuffix(parse.SWAP_SUFFIX): row[1] for row in rows if row and row[0].endswith(suffix)
        }

    async def book(self, inst_id: str, depth: int) -> Book:
        return await self._rest.read_one(
            self._rest.sdk.market.get_orderbook,
            wire.BookData,
            lambda row: parse.book(row, inst_id, self._clock.now_ms()),
            instId=inst_id,
            sz=str(depth),  # the venue's default is one level
        )

    async def candles(self, inst_id: str, bar: str, limit: int) -> tuple[Candle, ...]:
        """Return the newest `limit` bars, at most the 1,440 the venue keeps here; the last may be forming."""
        newest_first: list[Candle] = []
        while len(newest_first) < limit:
            page = await self._rest.read(
                self._rest.sdk.market.get_candlesticks,
                wire.CandleRow,
                lambda row: parse.candle(row, inst_id),
                instId=inst_id,
                bar=BARS[bar],
                limit=str(CANDLES_A_PAGE),
                after=str(newest_first[-1].ts_ms) if newest_first else "",
            )
            newest_first.extend(page)
            if len(page) < CANDLES_A_PAGE:
                break
        return tuple(reversed(newest_first[:limit]))

    async def funding(self, inst_id: str) -> FundingQuote:
        return await self._rest.read_one(
            self._rest.sdk.public.get_funding_rate,
            wire.FundingRate,
            lambda row: parse.funding(row, self._clock.now_ms()),
            scope=inst_id,
            instId=inst_id,
        )

    async def settled_funding(self, inst_id: str, limit: int) -> tuple[SettledFunding, ...]:
        newest_first: list[SettledFunding] = []
        while len(newest_first) < limit:
            page = await self._rest.read(
                self._rest.sdk.public.funding_rate_history,
                wire.FundingHistory,
                parse.settled,
                scope=inst_id,
                instId=inst_id,
                limit=str(min(limit, SETTLEMENTS_A_PAGE)),
                after=str(newest_first[-1].ts_ms) if newest_first else "",
            )
            newest_first.extend(page)
            if len(page) < SETTLEMENTS_A_PAGE:
                break
        return tuple(reversed(newest_first[:limit]))

    async def mark_px(self, inst_id: str) -> Decimal:
        _, px = await self._rest.read_one(
            self._rest.sdk.public.get_mark_price,
            wire.MarkPrice,
            parse.mark,
            scope=inst_id,
            instType="SWAP",
            instId=inst_id,
        )
        return px

    async def price_limits(self, inst_id: str) -> PriceLimits:
        return await self._rest.read_one(
            self._rest.sdk.public.get_price_limit,
            wire.PriceLimit,
            parse.price_limits,
            scope=inst_id,
            instId=inst_id,
        )

    async def usdt_usd(self) -> Decimal:
        return await self._rest.read_one(
            self._rest.sdk.market.get_index_tickers, wire.IndexTicker, parse.index_px, instId=DOLLAR
        )

    async def open_interest(self, inst_id: str) -> Decimal:
        return await self._rest.read_one(
            self._rest.sdk.public.get_open_interest,
            wire.OpenInterest,
            parse.open_interest,
            scope=inst_id,
            instType="SWAP",
            instId=inst_id,
        )

    async def maintenance(self) -> tuple[MaintenanceWindow, ...]:
        """Return announced and current windows of this environment, live or demo."""

        def ours(row: wire.Status) -> MaintenanceWindow | None:
            return parse.maintenance(row) if row.env in (None, "", self._environment) else None

        rows = await self._rest.read(self._rest.sdk.service.status, wire.Status, ours)
        return tuple(window for window in rows if window)

    async def _all_pairs(self) -> dict[str, Pair]:
        """Return every pair by name. What is announced but not yet readable does not exist for us."""
        public = self._rest.sdk.public
        spots, swaps = await asyncio.gather(
            self._rest.read(
                public.get_instruments, wire.Instrument, _readable(parse.spot), scope="SPOT", instType="SPOT"
            ),
            self._rest.read(
                public.get_instruments, wire.Instrument, _readable(parse.swap), scope="SWAP", instType="SWAP"
            ),
        )
        twins = {spot.inst_id: spot for spot in spots if spot and spot.quote_ccy == _SETTLE_CCY}
        pairs: dict[str, Pair] = {}
        for swap in swaps:
            name = swap.inst_id.removesuffix(parse.SWAP_SUFFIX) if swap else ""
            if swap and name in twins:
                pairs[name] = Pair(name, twins[name], swap)
        return pairs


def _readable(parser: Callable[[W], R]) -> Callable[[W], R | None]:
    """Wrap a parser for lists of the whole venue: what cannot be read there is left out, as None.

    One coin in pre-opening with empty sizes must not hide all the others.
    """

    def attempt(row: W) -> R | None:
        try:
            return parser(row)
        except BadPayload:
            return None

    return attempt
