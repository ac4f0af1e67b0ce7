"""A human trades the engine's account, or touches its order: both legs are equal again in seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.facts import Kind
from core.types import ZERO
from exchange.sim.seam import OrderChange
from tests.safety.stage import LOT, D, Stage, play
from tests.safety.test_legging import IN_REST
from tests.safety.test_unclear import check, trade_by_hand

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


@pytest.mark.fault("MI4")
def test_an_order_of_ours_that_somebody_cancels_has_ended_and_is_not_waited_for(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        await stage.wait(2)
        (order,) = stage.me.orders.values()
        assert order.is_open
        cancelled_ms = stage.clock.now_ms()
        stage.venue.cancel(stage.me, order)
        await stage.wait(1)
        (end,) = [r for r in stage.rows(Kind.ORDER) if r.body["cl_id"] == order.cl_id]
        assert end.body["status"] == "canceled" and end.at_ms - cancelled_ms < 1_000
        await stage.wait(60)

    stage = play(tmp_path, story, IN_REST)
    check(stage)
    assert stage.app.engine.totals.rejects == 0


@pytest.mark.fault("MI4", "OL15")
def test_an_order_of_ours_that_somebody_makes_smaller_is_hedged_by_what_it_filled(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.until(lambda: bool(stage.sent()), 60, 0.05)
        await stage.wait(2)
        (order,) = stage.me.orders.values()
        stage.venue.amend(stage.me, order, OrderChange(size=D("0.05")))
        stage.market.ramp("BTC", stage.clock.now_ms(), -0.002, 2_000)  # the bid is hit
        await stage.wait(60)
        assert order.filled == D("0.05")
        (end,) = [r for r in stage.rows(Kind.ORDER) if r.body["cl_id"] == order.cl_id]
        assert D(end.body["filled"]) == D("0.05")

    stage = play(tmp_path, story, IN_REST)
    check(stage)
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("MI1")
def test_when_half_of_the_spot_is_sold_by_hand_the_short_follows(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        at_ms, short = stage.clock.now_ms(), stage.short("BTC")
        trade_by_hand(stage, "sell", SPOT, (stage.coins("BTC") / 2).quantize(D("0.0001")))
        await stage.wait(60)
        assert stage.short("BTC") < short and "buy BTC-USDT" not in stage.sides(at_ms)

    stage = play(tmp_path, story)
    assert abs(stage.delta("BTC")) < LOT["BTC"] and stage.naked_ms() < 5_000


@pytest.mark.fault("MI2")
@pytest.mark.parametrize("share", ["0.5", "1"])
def test_when_the_short_is_bought_back_by_hand_it_is_sold_again_once_at_most_and_the_legs_are_equal(
    share: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.running()
        at_ms = stage.clock.now_ms()
        trade_by_hand(stage, "buy", SWAP, (stage.short("BTC") * D(share)).quantize(D("0.01")))
        await stage.wait(60)
        assert stage.sides(at_ms).count("sell BTC-USDT-SWAP") <= 1
        assert stage.short("BTC") >= ZERO

    stage = play(tmp_path, story)
    assert abs(stage.delta("BTC")) < LOT["BTC"] and stage.naked_ms() < 5_000
