"""The table is total, every guard it names exists, and nothing walks past a guard."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.conditions import CONDITIONS
from core.context import BreakerView, Context, PermissionView, VenueHealth
from core.events import Decision, Event, HedgeTarget, On, Plan, Purpose, State
from core.state_machine import StateMachine
from core.table import IGNORED, TABLE, Act
from core.types import Base, Decimal
from core.verdict import Verdict

NAMES = sorted({name for row in TABLE for name in row.guards})
TARGET = HedgeTarget("BTC-USDT", Base(Decimal(1)), Purpose.OPEN, "pays")


class Switch:
    """A guard that says what it is told to say."""

    def __init__(self, name: str, ok: bool = True) -> None:
        self.name, self.ok = name, ok

    def check(self, ctx: Context) -> Verdict:
        return Verdict(self.ok, self.name, "as told")


def context(state: State = State.IDLE) -> Context:
    return Context(
        now_ms=0,
        state=state,
        state_since_ms=0,
        permission=PermissionView(),
        markets={},
        account=None,
        fees={},
        hedges={},
        breaker=BreakerView(),
        venue=VenueHealth(),
        plan=Plan(opening=(TARGET,), adjusting=(TARGET,)),
    )


@pytest.mark.parametrize(("state", "on"), list(product(State, On)))
def test_every_state_and_event_is_in_the_table_or_ignored_and_never_both(state: State, on: On) -> None:
    in_table = any(row.on is on and state in row.sources for row in TABLE)
    assert in_table != ((state, on) in IGNORED)


def test_a_row_with_an_unknown_guard_is_refused_at_construction() -> None:
    with pytest.raises(ValueError, match="nobody provides: carry_pays"):
        StateMachine([Switch(name) for name in NAMES if name != "carry_pays"])


def test_only_a_scan_opens_and_only_from_idle_or_running() -> None:
    opening = [row for row in TABLE if row.dest is State.OPENING or row.act is Act.OPEN]
    assert [(row.on, set(row.sources)) for row in opening] == [(On.SCAN, {State.IDLE, State.RUNNING})]
    assert {"carry_pays", "venue_up", "not_tripped", "margin_ok", "funds_ok", "liquid", "red_lines"} <= set(
        opening[0].guards
    )


def test_a_stop_is_possible_from_every_state() -> None:
    assert {
        s for row in TABLE if row.on is On.HALT and row.dest is State.STOPPED for s in row.sources
    } == set(State)


def test_the_engines_own_conditions_are_named_in_the_table() -> None:
    assert {c.name for c in CONDITIONS} <= set(NAMES)


class Lifecycle(RuleBasedStateMachine):
    """Whatever the order of events and the mood of the guards."""

    def __init__(self) -> None:
        super().__init__()
        self.guards = {name: Switch(name) for name in NAMES}
        self.machine = StateMachine(self.guards.values())
        self.last: Decision | None = None

    @rule(name=st.sampled_from(NAMES), ok=st.booleans())
    def the_world_changes(self, name: str, ok: bool) -> None:
        self.guards[name].ok = ok

    @rule(on=st.sampled_from(On))
    def an_event_comes(self, on: On) -> None:
        before = self.machine.state
        self.last = self.machine.decide(Event(on, 1), context(before))
        assert self.last.src is before
        assert self.last.dst is self.machine.state

    @precondition(lambda self: self.last is not None)
    @invariant()
    def nothing_opens_past_a_failed_guard(self) -> None:
        d = self.last
        if d and d.dst is State.OPENING and d.src is not State.OPENING:
            assert d.on is On.SCAN
            assert d.src in (State.IDLE, State.RUNNING)
            opening = next(r for r in TABLE if r.act is Act.OPEN)
            said = {v.guard: v.ok for v in d.verdicts}
            assert all(said[name] for name in opening.guards)

    @precondition(lambda self: self.last is not None)
    @invariant()
    def only_resume_boot_and_flattening_leave_stopped(self) -> None:
        d = self.last
        if d and d.src is State.STOPPED and d.dst is not State.STOPPED:
            assert d.on in (On.BOOT, On.RESUME, On.HALT)

    @precondition(lambda self: self.last is not None)
    @invariant()
    def targets_come_only_with_a_taken_row(self) -> None:
        assert self.last
        assert self.last.moved or not self.last.targets


TestLifecycle = Lifecycle.TestCase


def test_a_refusal_keeps_every_guards_word() -> None:
    guards = {name: Switch(name, name != "margin_ok") for name in NAMES}
    decision = StateMachine(guards.values()).decide(Event(On.SCAN, 1), context())
    assert not decision.moved
    assert [v.guard for v in decision.verdicts if not v.ok] == ["margin_ok"]
    assert {v.guard for v in decision.verdicts} >= set(next(r for r in TABLE if r.act is Act.OPEN).guards)
