"""The candles and the scanner on the simulated venue, over its REST and its sockets."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AbstractContextManager, nullcontext

from exchange.okx.candle_feed import OkxCandles
from exchange.okx.endpoints import Endpoints
from exchange.okx.market import OkxMarket
from exchange.okx.rest import OkxRest
from scripts.scanning.driver import Here, Scanning
from scripts.scanning.upkeep import Upkeep
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS, bars_of
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.scanner import Scanner
from strategy.auxiliary.scanning.blacklist import BanRules, Blacklist
from strategy.auxiliary.scanning.cadence import SETTLE_MS
from strategy.auxiliary.scanning.candles import Candles
from strategy.auxiliary.scanning.sights import Sights, bars_kept
from strategy.auxiliary.scanning.words import Outcome
from tests.clients.house import House, open_house
from tests.exchange.okx.stream_venue import eventually

NAMES = ("BTC-USDT", "ETH-USDT")
MINUTES = 62


class VenueTime:
    """The Clock port on the time of a venue that is moved by hand."""

    def __init__(self, house: House) -> None:
        self._house = house

    def now_ms(self) -> int:
        return self._house.venue.now_ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)

    async def sleep_until(self, at_ms: int) -> None:
        await asyncio.sleep(0)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()


async def test_an_hour_of_pushes_keeps_what_rest_would_say_and_asks_each_bar_once() -> None:
    modules = [make({}) for make in MODULES.values()]
    blacklist = Blacklist(BanRules(automatic=False))
    candles, troubles = Candles(bars_kept(modules)), list[str]()
    async with open_house() as house:
        clock = VenueTime(house)
        endpoints = Endpoints(house.url, house.ws_url, demo=True)
        rest = OkxRest(endpoints, None, clock)
        market = OkxMarket(rest, clock, demo=True)
        upkeep = Upkeep(
            candles, market, clock, clock.now_ms, lambda name: f"{name}-SWAP", blacklist, troubles.append
        )
        wanted = [(f"{name}-SWAP", frame) for name in NAMES for frame in candles.frames]
        feed = OkxCandles(
            endpoints,
            wanted,
            lambda inst_id, bar, candle: upkeep.on_candle(inst_id.removesuffix("-SWAP"), bar, candle),
            clock,
            troubles.append,
            silence_s=None,
        )
        await feed.start()
        scanning = Scanning(Scanner(modules, blacklist), Here(modules), clock)
        await upkeep.once(NAMES)
        filled = upkeep.requests
        await house.drive(SETTLE_MS)  # the last word on a candle comes with the first of the next
        closes: Counter[tuple[str, str, int]] = Counter()
        for _ in range(MINUTES):
            await house.drive(MINUTE_MS)
            now_ms = clock.now_ms()
            await eventually(
                lambda now_ms=now_ms: all(
                    candles.bars(name, "1m", now_ms).closed_ms == now_ms // MINUTE_MS * MINUTE_MS
                    for name in NAMES
                )
            )
            found = await scanning.scan(NAMES, Sights(candles), now_ms)
            assert found is not None and not found.counts.get("failed")
            closes.update(
                (line.module, line.instrument, line.of_ms)
                for line in found.lines
                if line.outcome in (Outcome.NOTHING, Outcome.SIGNAL)
            )
        assert upkeep.requests == filled == 2 * len(candles.frames) and not troubles
        for name in NAMES:
            for frame in candles.frames:
                told = await market.candles(f"{name}-SWAP", frame, 100)
                kept, served = candles.bars(name, frame, clock.now_ms()), bars_of(name, frame, told)
                count = min(len(kept), len(served))
                assert count > 20
                for column in ("ts_ms", "open", "high", "low", "close", "volume"):
                    one, other = getattr(kept.last(count), column), getattr(served.last(count), column)
                    assert one.tobytes() == other.tobytes()
        await feed.stop()
        await rest.close()
    assert set(closes.values()) == {1}
    for module in ("ensemble", "neutral_grid"):
        on = next(each.needs.on for each in modules if each.name == module)
        asked = [of_ms for name, instrument, of_ms in closes if (name, instrument) == (module, NAMES[0])]
        assert len(asked) >= MINUTES * MINUTE_MS // FRAME_MS[on]
        assert all(of_ms % FRAME_MS[on] == 0 for of_ms in asked)
