"""The sleeve's orders and stops on the real simulated venue, over its sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from core.errors import VenueDown, VenueRejected
from core.protection import StopState
from core.types import Side
from exchange.okx.protection import OkxProtection
from exchange.okx.trading import OkxTrading
from tests.exchange.okx.house import House, client_of, open_house, order, stop
from tests.exchange.sim.worlds import SWAP

D = Decimal
LONG = ("buy", "60100", "sell", "59000", 58_990.0)
SHORT = ("sell", "59900", "buy", "61000", 61_010.0)
both_ways = pytest.mark.parametrize(
    ("opens", "limit_px", "closes", "trigger_px", "beyond"), [LONG, SHORT], ids=["long", "short"]
)


class Desk:
    """A house with the sleeve's client in it."""

    def __init__(self, house: House, trading: OkxTrading, protection: OkxProtection) -> None:
        self.house, self.trading, self.protection = house, trading, protection

    async def hold(self, side: str, limit_px: str, size: str = "10") -> None:
        await self.trading.place(order(Side(side), size, limit_px))


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with open_house() as house, client_of(house) as rest:
        yield Desk(house, OkxTrading(rest, house, isolated=True), OkxProtection(rest))


@both_ways
async def test_a_position_opens_with_margin_of_its_own_and_closes(
    desk: Desk, opens: str, limit_px: str, closes: str, trigger_px: str, beyond: float
) -> None:
    await desk.trading.set_leverage(SWAP, D(2))
    assert await desk.trading.leverage(SWAP) == 2
    await desk.hold(opens, limit_px)
    seen = await desk.trading.account()
    held, sign = seen.positions[SWAP], Side(opens).sign
    assert held.contracts == 10 * sign and held.leverage == 2 and held.isolated and not seen.strays
    assert held.margin is not None and abs(held.margin - D("0.1") * held.avg_px / 2) < D("0.01")
    assert seen.contracts(SWAP) == 10 * sign
    with pytest.raises(VenueRejected):  # nothing of that side to reduce
        await desk.trading.place(order(Side(opens), "5", limit_px, closes=True, cl_id="o2"))
    near = "59900" if closes == "sell" else "60100"
    await desk.trading.place(order(Side(closes), "25", near, closes=True, cl_id="o3"))
    record = await desk.trading.order(SWAP, "o3")
    assert record is not None and record.filled == 10 and desk.house.contracts == 0
    assert not (await desk.trading.account()).positions


async def test_positions_of_the_other_kind_are_strays_to_the_sleeve(desk: Desk) -> None:
    await desk.house.control("account/sleeve", {"position": {SWAP: "-5"}})
    await desk.hold("buy", "60100")
    seen = await desk.trading.account()
    assert seen.contracts(SWAP) == 10 and seen.strays[f"{SWAP} cross"].contracts == -5


async def test_a_leverage_the_venue_does_not_allow_is_refused_and_the_old_one_stays(desk: Desk) -> None:
    await desk.trading.set_leverage(SWAP, D(3))
    with pytest.raises(VenueRejected, match="59102"):
        await desk.trading.set_leverage(SWAP, D(126))
    assert await desk.trading.leverage(SWAP) == 3


@both_ways
async def test_a_stop_waits_and_goes_off_when_the_mark_is_there_and_its_order_names_it(
    desk: Desk, opens: str, limit_px: str, closes: str, trigger_px: str, beyond: float
) -> None:
    await desk.hold(opens, limit_px)
    algo_id = await desk.protection.place_stop(stop(Side(closes), trigger_px))
    (waiting,) = await desk.protection.stops()
    assert (waiting.cl_id, waiting.algo_id, waiting.state) == ("s1", algo_id, StopState.LIVE)
    assert waiting.size == 10 and (waiting.side, waiting.trigger_px) == (Side(closes), D(trigger_px))
    assert waiting.created_ms == desk.house.now_ms() and waiting.ord_id == ""
    await desk.house.mark(float(trigger_px) + (1 if closes == "sell" else -1))
    assert await desk.protection.stop("s1") == waiting
    await desk.house.mark(beyond)
    gone = await desk.protection.stop("s1")
    assert gone is not None and gone.state is StopState.EFFECTIVE and gone.ord_id
    assert await desk.protection.stops() == () and desk.house.contracts == 0
    fills = [fill for fill in await desk.trading.fills(0) if fill.ord_id == gone.ord_id]
    assert sum(fill.size for fill in fills) == 10


@both_ways
async def test_a_stop_whose_price_the_mark_has_passed_is_refused(
    desk: Desk, opens: str, limit_px: str, closes: str, trigger_px: str, beyond: float
) -> None:
    await desk.hold(opens, limit_px)
    await desk.house.mark(beyond)
    with pytest.raises(VenueRejected, match=r"5130\d"):
        await desk.protection.place_stop(stop(Side(closes), trigger_px))
    assert await desk.protection.stop("s1") is None


async def test_a_stop_needs_a_position_and_goes_with_it(desk: Desk) -> None:
    with pytest.raises(VenueRejected, match="51058"):
        await desk.protection.place_stop(stop(Side.SELL, "59000"))
    await desk.hold("buy", "60100")
    await desk.protection.place_stop(stop(Side.SELL, "59000", cl_id="s2"))
    await desk.trading.place(order(Side.SELL, "4", "59900", closes=True, cl_id="o2"))
    await desk.house.wait(1000)
    assert len(await desk.protection.stops()) == 1
    await desk.trading.place(order(Side.SELL, "6", "59900", closes=True, cl_id="o3"))
    gone = await desk.protection.stop("s2")
    assert gone is not None and (gone.state, gone.ord_id) == (StopState.CANCELED, "")


async def test_a_stop_larger_than_what_is_left_closes_that_and_opens_nothing(desk: Desk) -> None:
    await desk.hold("buy", "60100")
    await desk.protection.place_stop(stop(Side.SELL, "59000"))
    await desk.trading.place(order(Side.SELL, "4", "59900", closes=True, cl_id="o2"))
    await desk.house.mark(58_990)
    gone = await desk.protection.stop("s1")
    assert gone is not None and gone.state is StopState.EFFECTIVE and desk.house.contracts == 0
    closed = desk.house.account.orders[gone.ord_id]
    assert closed.filled == 6 and closed.algo_cl_id == "s1"


async def test_a_cancelled_stop_stays_away(desk: Desk) -> None:
    await desk.hold("buy", "60100")
    await desk.protection.place_stop(stop(Side.SELL, "59000"))
    await desk.protection.cancel_stop(SWAP, "s1")
    told = await desk.protection.stop("s1")
    assert told is not None and told.state is StopState.CANCELED
    with pytest.raises(VenueRejected):
        await desk.protection.cancel_stop(SWAP, "s1")
    await desk.house.mark(58_000)
    assert desk.house.contracts == 10


@pytest.mark.parametrize("answer", ["timeout", "reset"])
async def test_a_stop_whose_answer_was_lost_is_found_by_our_id_and_not_placed_twice(
    desk: Desk, answer: str
) -> None:
    await desk.hold("buy", "60100")
    await desk.house.lose_answers("trade/order-algo", answer)
    with pytest.raises(VenueDown):
        await desk.protection.place_stop(stop(Side.SELL, "59000"))
    await desk.house.forget_faults()
    found = await desk.protection.stop("s1")
    assert found is not None and found.state is StopState.LIVE
    with pytest.raises(VenueDown, match="51065"):
        await desk.protection.place_stop(stop(Side.SELL, "59000"))
    assert len(await desk.protection.stops()) == 1


@both_ways
async def test_a_liquidation_costs_the_margin_of_that_position_and_nothing_else(
    desk: Desk, opens: str, limit_px: str, closes: str, trigger_px: str, beyond: float
) -> None:
    house = desk.house
    await desk.hold(opens, limit_px)
    eth = "3010" if opens == "buy" else "2990"
    other = order(Side(opens), "10", eth, cl_id="o2")
    await desk.trading.place(replace(other, instrument="ETH-USDT", inst_id="ETH-USDT-SWAP"))
    seen = await desk.trading.account()
    margin, cash, demo = seen.positions[SWAP].margin, house.cash, house.venue.accounts["demo"].trading["USDT"]
    liq_px = seen.positions[SWAP].liq_px
    assert margin is not None and liq_px is not None
    await house.mark(float(liq_px) + (5 if opens == "buy" else -5))
    assert house.contracts == 10 * Side(opens).sign
    await house.mark(float(liq_px) - (5 if opens == "buy" else -5))
    after = await desk.trading.account()
    assert SWAP not in after.positions and after.contracts("ETH-USDT-SWAP") == 10 * Side(opens).sign
    assert abs(house.cash - cash) < 1 and margin > 1900  # the margin was taken when it opened
    assert house.venue.accounts["demo"].trading["USDT"] == demo
    forced = [one for one in house.account.orders.values() if one.category != "normal"]
    assert [one.category for one in forced] == ["full_liquidation"]
    record = await desk.trading.order_fills(SWAP, forced[0].ord_id)
    assert sum(fill.size for fill in record) == 10
