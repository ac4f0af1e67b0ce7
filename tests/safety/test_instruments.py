"""An instrument that is suspended, delisted, renamed or gone: no leg moves alone or is held too long."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.events import State
from core.types import DAY_MS, HOUR_MS, ZERO
from exchange.sim.model import PositionKey
from tests.safety.stage import CALM, LOT, D, Stage, play

SPOT, SWAP = "BTC-USDT", "BTC-USDT-SWAP"


async def held(stage: Stage) -> int:
    await stage.start()
    await stage.running()
    return stage.clock.now_ms()


@pytest.mark.fault("VE4")
@pytest.mark.parametrize("leg", [SPOT, SWAP])
@pytest.mark.parametrize("announced_h", [30, 27])
def test_a_delisting_announced_while_holding_is_left_a_day_before_its_end(
    leg: str, announced_h: int, tmp_path: Path
) -> None:
    """The venue's instants pass quickly: what counts is that both legs are gone with a day left."""

    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        expires_ms = at_ms + announced_h * HOUR_MS
        stage.instrument(leg, expires_ms=expires_ms)
        stage.market.step_ms = HOUR_MS // 4
        await stage.until(lambda: stage.state is State.IDLE, announced_h * 3_600, 60)
        gone_ms = stage.truth.deltas[-1][0]
        assert expires_ms - gone_ms >= DAY_MS
        assert stage.short("BTC") == ZERO and stage.coins("BTC") < LOT["BTC"]

    stage = play(tmp_path, story, **CALM)
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("VE6")
@pytest.mark.parametrize("leg", [SPOT, SWAP])
def test_while_one_leg_is_suspended_the_other_stays_although_leaving_is_wanted(
    leg: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        before = (stage.coins("BTC"), stage.short("BTC"))
        stage.instrument(leg, state="suspend")
        stage.instrument(SWAP, expires_ms=at_ms + 20 * HOUR_MS)  # reason enough to leave
        await stage.wait(2 * 3_600)
        assert (stage.coins("BTC"), stage.short("BTC")) == before
        assert stage.said("frozen pair") == 1
        assert len(stage.sent(at_ms)) <= 2, "a suspended market is not asked again and again"
        stage.instrument(leg, state="live")
        await stage.wait(2 * 3_600)
        assert stage.short("BTC") == ZERO and stage.coins("BTC") < LOT["BTC"]

    stage = play(tmp_path, story, **CALM)
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("VE6")
def test_a_swap_suspended_between_the_legs_of_an_opening_lets_the_spot_be_sold(tmp_path: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.start()
        await stage.until(lambda: stage.coins("BTC") > 0, 60, 0.005)
        stage.instrument(SWAP, state="suspend")
        await stage.wait(30)
        assert stage.coins("BTC") < LOT["BTC"] and stage.short("BTC") == ZERO

    stage = play(tmp_path, story, **CALM)
    assert stage.naked_ms() < 5_000


@pytest.mark.fault("VE5")
def test_an_engine_starts_with_a_hedge_whose_swap_the_venue_does_not_know_any_more(tmp_path: Path) -> None:
    """It is shown and supervised; nothing is sent for it, and the other coin goes on."""

    async def story(stage: Stage) -> None:
        await held(stage)
        before = (stage.coins("BTC"), stage.short("BTC"))
        await stage.stop()
        for inst_id in (SPOT, SWAP):
            stage.hide(inst_id)
        at_ms = stage.clock.now_ms()
        await stage.start()
        await stage.wait(4_000)
        assert stage.state in (State.RUNNING, State.STOPPED)
        assert (stage.coins("BTC"), stage.short("BTC")) == before
        assert [b for b in stage.sent(at_ms) if b["instId"] in (SPOT, SWAP)] == []
        assert stage.said("frozen pair") == 1
        hedge = stage.app.books.hedge(SPOT)
        assert hedge is not None and hedge.contracts == before[1]

    play(tmp_path, story, **CALM)


@pytest.mark.fault("VE7")
def test_a_coin_under_a_new_name_is_nobodys_business_until_the_configuration_names_it(tmp_path: Path) -> None:
    """The venue lists a second coin with better funding; only the configured one is opened."""

    async def story(stage: Stage) -> None:
        await held(stage)
        await stage.wait(900)

    stage = play(tmp_path, story, **CALM)
    assert {b["instId"] for b in stage.sent()} == {SPOT, SWAP}
    assert stage.me.positions.keys() == {PositionKey(SWAP)} and D(0) == stage.short("ETH")
