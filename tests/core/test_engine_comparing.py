"""The engine after a suspend, and when only the operator can end what holds it."""

from __future__ import annotations

import pytest

from core.context import Permission
from core.events import On, Outcome, Plan, State
from tests.core.test_engine import OPEN, Rig, hedge, play


@pytest.mark.fault("AU6")
def test_after_a_suspend_books_and_venue_are_compared_before_anything_else() -> None:
    async def scenario(rig: Rig) -> None:
        rig.skipped[0] = 3 * 3_600_000
        rig.post(On.SCAN)
        await rig.settle()
        assert rig.permissions.view.level is Permission.HALTED
        rig.engine.compare_when_free()
        await rig.settle()
        assert rig.world.compared == 1

    rig = play(scenario, State.RUNNING)
    assert rig.permissions.view.level is Permission.FULL  # it ends with the comparison


@pytest.mark.fault("AU6")
def test_work_that_was_under_way_is_followed_by_a_comparison_before_more_of_it() -> None:
    async def scenario(rig: Rig) -> None:
        rig.world.plan = Plan(opening=(OPEN,))
        rig.post(On.SCAN)
        await rig.settle()
        rig.world.hedges = {"BTC-USDT": hedge("0.1", "3")}
        rig.skipped[0] = 3 * 3_600_000
        rig.engine.compare_when_free()
        await rig.settle()
        assert rig.world.compared == 0  # not while an order may be in flight
        rig.hands.end(Outcome.BROKEN, "denied")
        await rig.settle()
        assert (rig.world.compared, len(rig.hands.jobs)) == (1, 2)
        assert "clock_jump" not in rig.permissions.causes

    play(scenario)


@pytest.mark.fault("AU3")
def test_what_only_the_operator_ends_is_ended_by_resume_when_the_self_check_agrees() -> None:
    async def scenario(rig: Rig) -> None:
        rig.permissions.lower("key", Permission.HALTED, "refused", until_operator=True)
        rig.recheck.finds = "key: 50111: unknown key"
        rig.engine.ask_resume()
        await rig.settle()
        assert rig.permissions.view.level is Permission.HALTED
        assert ("trouble", "warning") in rig.quiet.told
        rig.recheck.finds = ""
        rig.engine.ask_resume()
        await rig.settle()

    assert play(scenario, State.RUNNING).permissions.view.level is Permission.FULL


def test_a_tick_the_schedule_lost_is_counted_and_told() -> None:
    async def scenario(rig: Rig) -> None:
        rig.engine.lost_tick("scan, 40 s late")
        assert rig.engine.totals.lost_ticks == 1
        assert ("trouble", "warning") in rig.quiet.told

    play(scenario)


def test_a_refused_resume_leaves_the_engine_stopped() -> None:
    async def scenario(rig: Rig) -> None:
        rig.recheck.finds = "venue: no usable answer"
        rig.engine.ask_resume()
        await rig.settle()
        assert rig.engine.state is State.STOPPED

    play(scenario, State.STOPPED)


@pytest.mark.fault("MG5")
@pytest.mark.parametrize("state", [State.RUNNING, State.STOPPED])
def test_a_hedge_made_smaller_by_force_is_heard_of_at_once_also_by_who_has_stopped(state: State) -> None:
    heard: list[On] = []

    async def scenario(rig: Rig) -> None:
        rig.engine.listeners.append(lambda _, decision: heard.append(decision.on))
        rig.engine.holdings_differ()
        await rig.settle()
        assert rig.world.compared == 1 and rig.engine.state is state
        assert rig.hands.jobs == []

    play(scenario, state)
    assert heard == [On.ACCOUNT]
