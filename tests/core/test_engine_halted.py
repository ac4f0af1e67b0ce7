"""A halt in the middle of an operation: what it interrupted is brought to equal legs, and no further."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.context import HedgeView, Permission
from core.events import HedgeTarget, On, Outcome, Plan, Purpose, State
from core.facts import Kind
from core.types import Base
from tests.core.test_engine import OPEN, D, Rig, hedge, play


def legs(spot: str, contracts: str, *, target: str) -> HedgeView:
    return replace(hedge(spot, contracts), target_base=Base(D(target)))


async def halted_while_opening(rig: Rig) -> None:
    """The spot is bought, the short is not there yet, and the operator says halt."""
    rig.world.plan = Plan(opening=(OPEN,))
    rig.post(On.SCAN)
    await rig.settle()
    rig.post(On.HALT, reason="operator")
    await rig.settle()
    rig.world.hedges = {"BTC-USDT": legs("0.1", "0", target="0.3")}


@pytest.mark.fault("OL5")
def test_a_leg_that_a_halt_left_alone_is_repaired_though_the_engine_is_stopped() -> None:
    async def scenario(rig: Rig) -> None:
        await halted_while_opening(rig)
        assert rig.engine.stop_asked()
        rig.hands.end(Outcome.BROKEN, "swap refused")
        await rig.settle()
        target = rig.hands.jobs[-1][0]
        assert isinstance(target, HedgeTarget) and target.purpose is Purpose.REPAIR
        assert target.base == rig.world.hedges["BTC-USDT"].spot_base  # not what the opening wanted
        assert not rig.engine.stop_asked()  # the repair is not stopped by the stop it belongs to
        assert rig.engine.buys_nothing()  # and makes the legs equal without buying spot
        assert rig.engine.state is State.STOPPED
        assert rig.permissions.view.level is Permission.REDUCE_ONLY
        assert ("alarm", "critical") in rig.quiet.told
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        rig.hands.end(Outcome.BALANCED)
        await rig.settle()
        assert rig.engine.state is State.STOPPED and not rig.engine.has_work
        assert "broken hedge" not in rig.permissions.causes and rig.engine.flags.repairs == 0

    rig = play(scenario)
    assert len(rig.hands.jobs) == 2


def test_a_halted_repair_is_tried_three_times_and_the_alarm_stays() -> None:
    async def scenario(rig: Rig) -> None:
        await halted_while_opening(rig)
        for _ in range(4):
            rig.hands.end(Outcome.BROKEN, "swap refused")
            await rig.settle()
        assert rig.engine.state is State.STOPPED and not rig.engine.has_work
        assert rig.permissions.causes["broken hedge"].level is Permission.REDUCE_ONLY

    rig = play(scenario)
    assert [job[0].purpose for job in rig.hands.jobs] == [Purpose.OPEN, *[Purpose.REPAIR] * 3]


def test_an_unwinding_that_a_halt_interrupted_goes_on_to_equal_legs_only() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        rig.world.alarm = "margin ratio is an emergency"
        rig.post(On.ACCOUNT)
        await rig.settle()
        rig.post(On.HALT, reason="operator")
        await rig.settle()
        rig.world.hedges = {"BTC-USDT": legs("0.1", "4", target="0")}
        rig.hands.end(Outcome.BROKEN, "left early")
        await rig.settle()
        target = rig.hands.jobs[-1][0]
        assert isinstance(target, HedgeTarget)
        assert target.base == rig.world.hedges["BTC-USDT"].size

    play(scenario, State.RUNNING)


@pytest.mark.parametrize("on", [On.HALT, On.SETTLE])
def test_nothing_but_the_report_of_a_repair_takes_the_alarm_back_while_stopped(on: On) -> None:
    async def scenario(rig: Rig) -> None:
        await halted_while_opening(rig)
        for _ in range(4):
            rig.hands.end(Outcome.BROKEN, "swap refused")
            await rig.settle()
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "10")}
        rig.post(on)
        await rig.settle()
        assert "broken hedge" in rig.permissions.causes

    rig = play(scenario)
    assert rig.journal.of(Kind.DECISION)[-1].body["dst"] == State.STOPPED.value
