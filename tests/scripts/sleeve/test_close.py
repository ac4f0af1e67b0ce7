"""The sleeve's account can be emptied by hand, whoever else is at it."""

from __future__ import annotations

from pathlib import Path

from core.events import State
from exchange.okx.market import OkxMarket
from exchange.okx.trading import OkxTrading
from scripts.sleeve.close import close_sleeve
from strategy.auxiliary.presets import PRESETS
from tests.exchange.okx.house import client_of, open_house
from tests.scripts.sleeve.test_over_sockets import BTC, D, HouseClock, running, signal, until


async def test_whatever_stands_is_closed_beside_the_engine_and_both_know_it(tmp_path: Path) -> None:
    numbers = iter(range(1, 100))
    async with open_house() as house, client_of(house) as rest, running(house, tmp_path) as app:
        await app.offer(signal(house, PRESETS["vs"].plan))
        await until(lambda: app.engine.state(BTC) is State.RUNNING and not app.engine.busy, house)
        trading, market = OkxTrading(rest, house, isolated=True), OkxMarket(rest, house, demo=True)
        left = await close_sleeve(trading, market, house, lambda: f"FW1P1N{next(numbers)}", D(200))
        assert left == () and house.contracts == 0
        await until(lambda: app.engine.state(BTC) is State.IDLE and not app.engine.busy, house)
        assert app.books.closed[-1].ended == "outside"
        assert app.books.ledger.cash["USDT"] == house.cash


async def test_an_empty_account_needs_no_order(tmp_path: Path) -> None:
    async with open_house() as house, client_of(house) as rest:
        trading, market = OkxTrading(rest, house, isolated=True), OkxMarket(rest, house, demo=True)
        clock = HouseClock(house)
        assert await close_sleeve(trading, market, clock, lambda: "FW1P1N1", D(200)) == ()
