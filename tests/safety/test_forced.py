"""What the venue does to a hedge by force: seen coming, followed at once, and never answered by fighting."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Deleveraging, Risk
from core.adl import AdlQueue
from core.context import Permission
from core.events import State
from core.facts import Kind
from core.types import ZERO, AccountMode, AccountSnapshot, Base, Contracts, Position
from exchange.sim.economics.forced import forced
from exchange.sim.model import PositionKey
from tests.safety.stage import LOT, ONE_COIN, D, Stage, play

T_H_MS = 5_000
RESTART_MS = 30_000
SWAP = "BTC-USDT-SWAP"
EARLY = ONE_COIN.model_copy(update={"risk": Risk(deleveraging=Deleveraging(warn_rank=2))})


def spells_after(stage: Stage, at_ms: int) -> list[int]:
    assert stage.truth.since_ms == {}, "no leg stands alone in the end"
    return [end - begin for _, begin, end, _ in stage.truth.spells if begin >= at_ms]


def deltas_after(stage: Stage, at_ms: int) -> list[Decimal]:
    return [abs(d) for at, coin, d in stage.truth.deltas if coin == "BTC" and at >= at_ms]


async def held(stage: Stage) -> int:
    await stage.start()
    await stage.running()
    return stage.clock.now_ms()


@pytest.mark.fault("MG5")
@pytest.mark.parametrize("share", ["0.5", "1"])
def test_after_an_adl_during_a_crash_the_legs_are_equal_within_five_seconds(
    share: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        stage.market.ramp("BTC", at_ms, -0.2, 120_000)
        await stage.wait(60)
        stage.edit(adl={SWAP: share})
        await stage.wait(30)
        assert all(ms <= T_H_MS for ms in spells_after(stage, at_ms)), stage.truth.spells
        assert stage.said("forced deleveraging") == 1

    play(tmp_path, story)


@pytest.mark.fault("MG5")
@pytest.mark.parametrize("share", ["0.5", "1"])
@pytest.mark.parametrize("empty", [(SWAP,), (SWAP, "BTC-USDT")])
def test_an_adl_into_an_empty_book_is_answered_as_soon_as_there_is_somebody_to_trade_with(
    share: str, empty: tuple[str, ...], tmp_path: Path
) -> None:
    """With the swap's book empty the spot is sold at once; with both empty it waits, the alarm raised."""

    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        stage.market.ramp("BTC", at_ms, -0.2, 60_000)
        for inst_id in empty:
            what = {"book": {"inst_id": inst_id, "shape": "empty", "lasts": "45s"}}
            stage.faults({"what": what, "when": {"at": "29s"}})
        await stage.wait(30)
        stage.edit(adl={SWAP: share})
        await stage.wait(5)
        if len(empty) == 1:
            assert all(ms <= T_H_MS for ms in spells_after(stage, at_ms)), stage.truth.spells
            return
        await stage.wait(30)
        assert stage.state is State.REBALANCING and stage.app.permissions.view.level < Permission.FULL
        assert stage.said("hedge broken") == 1
        await stage.wait(60)
        assert spells_after(stage, at_ms)[-1] < 45_000 + 10_000
        assert not stage.app.permissions.causes.keys() & {"broken hedge", "deadline"}
        await stage.until(lambda: not stage.app.permissions.causes, 120)  # what ailed has to stay well first

    play(tmp_path, story)


@pytest.mark.fault("MG6")
@pytest.mark.parametrize("code", ["51138", "50017", "51008"])
def test_when_the_short_may_not_be_sold_again_spot_is_sold_and_the_delta_never_grows(
    code: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        stage.orders({"reject": {"code": code}}, "swap")
        stage.orders({"fill": {"fraction": "0.4"}}, "spot", first=3)
        stage.edit(adl={SWAP: "0.5"})
        stage.market.ramp("BTC", at_ms, 0.02, 20_000)
        await stage.wait(40)
        found = deltas_after(stage, at_ms)
        assert found == sorted(found, reverse=True), found
        assert all(ms <= T_H_MS for ms in spells_after(stage, at_ms))

    play(tmp_path, story)


def partly_liquidate(stage: Stage, contracts: int) -> None:
    """As the venue does it for a part of a position: an order of its own, of that category."""
    key = PositionKey(SWAP)
    price = stage.venue.markets[SWAP].mark_px
    forced(stage.venue.world, stage.me, key, D(contracts), price, "partial_liquidation", "liquidation")
    stage.board.publish()
    stage.look()


@pytest.mark.fault("MG3")
def test_after_a_partial_liquidation_the_spot_behind_it_is_sold_at_once_and_the_short_not_sold_again(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        before = stage.short("BTC")
        partly_liquidate(stage, 10)
        await stage.wait(20)
        assert stage.sides(at_ms) == ["sell BTC-USDT"]
        assert stage.short("BTC") == before - 10 and stage.state is State.RUNNING
        assert [ms <= T_H_MS for ms in spells_after(stage, at_ms)] == [True]
        assert stage.said("partial liquidation") == 1
        states = [r.body["dst"] for r in stage.rows(Kind.DECISION) if r.at_ms >= at_ms]
        assert "REBALANCING" in states

    play(tmp_path, story)


@pytest.mark.fault("MG4")
def test_after_a_liquidation_nothing_is_held_and_nothing_sent_until_the_operator_resumes(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        stage.edit(liquidate=SWAP)
        await stage.wait(3_600)
        assert stage.state is State.STOPPED
        assert stage.app.permissions.view.level is Permission.HALTED
        assert set(stage.sides(at_ms)) == {"sell BTC-USDT"}, "the short is not sold again"
        assert [ms <= T_H_MS for ms in spells_after(stage, at_ms)] == [True]
        assert stage.said("liquidation") == 1 and len(stage.app.engine.violations) == 1
        stage.app.engine.ask_resume()
        await stage.wait(5)
        assert stage.state is State.IDLE and stage.app.permissions.causes == {}

    play(tmp_path, story)


@pytest.mark.fault("MG4", "CR3")
@pytest.mark.parametrize("how", ["liquidate", "adl"])
def test_what_was_forced_while_nobody_was_there_is_followed_within_half_a_minute_of_the_start(
    how: str, tmp_path: Path
) -> None:
    async def story(stage: Stage) -> None:
        await held(stage)
        await stage.stop()
        stage.edit(**({"liquidate": SWAP} if how == "liquidate" else {"adl": {SWAP: "1"}}))
        await stage.wait(300)
        at_ms = stage.clock.now_ms()
        await stage.start()
        await stage.wait(60)
        assert stage.truth.since_ms == {}
        assert stage.truth.spells[-1][2] - at_ms <= RESTART_MS
        if how == "liquidate":
            assert stage.app.permissions.view.level is Permission.HALTED and stage.state is State.STOPPED
            assert "sell BTC-USDT-SWAP" not in stage.sides(at_ms)
            await stage.stop()
            await stage.start()
            await stage.wait(900)
            assert stage.app.permissions.view.level is Permission.HALTED, "a restart is not an operator"
            assert stage.sent(at_ms + 60_000) == [] and stage.said("liquidation") == 1

    play(tmp_path, story)


@pytest.mark.fault("MG5")
def test_a_short_near_the_head_of_the_queue_is_made_smaller_with_its_spot_before_it_is_taken(
    tmp_path: Path,
) -> None:
    async def story(stage: Stage) -> None:
        at_ms = await held(stage)
        before = stage.short("BTC")
        stage.market.ramp("BTC", at_ms, -0.3, 600_000)
        await stage.wait(900)
        assert stage.short("BTC") == (before / 2).quantize(D("0.01"), "ROUND_DOWN")
        assert abs(stage.delta("BTC")) < LOT["BTC"]
        assert all(ms <= T_H_MS for ms in spells_after(stage, at_ms))
        assert stage.said("deleveraging near") == 1, "told once"
        assert stage.state is State.RUNNING
        stage.market.ramp("BTC", stage.clock.now_ms(), 0.6, 600_000)
        await stage.wait(700 + 1_800)
        assert stage.said("deleveraging near") == 2, "and once at its end"

    play(tmp_path, story, EARLY)


@given(ranks=st.lists(st.integers(0, 5), max_size=40), gaps=st.lists(st.integers(1, 3_000), min_size=40))
def test_a_warning_needs_its_samples_in_a_row_and_a_second_apart(ranks: list[int], gaps: list[int]) -> None:
    queue = AdlQueue({"BTC-USDT": SWAP}, lambda _: Base(D("0.5")), 4, 3)
    now_ms, row, last_ms = 0, 0, -10_000
    for rank, gap in zip(ranks, gaps, strict=False):
        now_ms += gap
        position = Position(SWAP, Contracts(D(-5)), D(1), D(1), ZERO, D(3), adl_rank=rank)
        snapshot = AccountSnapshot(AccountMode.FUTURES, {}, {SWAP: position}, ZERO, now_ms, now_ms)
        if rank < 4 and row < 3:
            row, last_ms = 0, -10_000
        elif rank < 4:
            continue  # a warning outlives a rank that falls: this is shorter than half an hour
        elif now_ms - last_ms >= 1_000:
            row, last_ms = row + 1, now_ms
        queue.see(snapshot)
        view = queue.views.get("BTC-USDT")
        assert (view.samples if view else 0) == row
