"""Causes begin when they are sure and end when they stay well; in between nothing flaps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Permission
from core.facts import Kind
from core.ladder import Finding, Ladder
from core.permission import Permissions
from tests.core.story import StillClock
from tests.core.test_permission import Told
from tests.fakes import FakeJournal

FULL, NO_NEW_RISK = Permission.FULL, Permission.NO_NEW_RISK
REDUCE_ONLY, HALTED = Permission.REDUCE_ONLY, Permission.HALTED
RECOVER_MS = 60_000


class World:
    def __init__(self) -> None:
        self.clock, self.journal, self.told = StillClock(), FakeJournal(), Told()
        self.permissions = Permissions(self.journal, self.clock, self.told)
        self.ladder = Ladder(self.permissions, RECOVER_MS)

    def look(self, level: Permission, after_ms: int = 5_000, **more: object) -> Permission:
        """One look at one cause; returns what is allowed afterwards."""
        self.clock.ms += after_ms
        finding = Finding("latency", level, "slow", **more)  # type: ignore[arg-type]
        self.ladder.look([finding], self.clock.now_ms())
        return self.permissions.view.level


def test_a_cause_begins_at_once_and_ends_after_it_was_well_for_the_configured_time() -> None:
    world = World()
    assert world.look(NO_NEW_RISK) is NO_NEW_RISK
    for _ in range(12):
        assert world.look(FULL) is NO_NEW_RISK
    assert world.look(FULL) is FULL  # 60 s after the first good look
    assert [r.body["level"] for r in world.journal.of(Kind.PERMISSION)] == ["NO_NEW_RISK", "FULL"]
    assert [level for _, level, _ in world.told.said] == ["warning", "info"]


def test_a_relapse_starts_the_waiting_again() -> None:
    world = World()
    world.look(NO_NEW_RISK)
    world.look(FULL, 50_000)
    world.look(NO_NEW_RISK)
    assert world.look(FULL, 50_000) is NO_NEW_RISK
    assert world.look(FULL, 59_000) is NO_NEW_RISK
    assert world.look(FULL, 1_000) is FULL
    assert len(world.told.said) == 2  # told once at its beginning and once at its end


def test_what_flickers_is_told_once_and_stays_at_its_worst() -> None:
    world = World()
    for _ in range(100):
        world.look(REDUCE_ONLY)
        assert world.look(FULL) is REDUCE_ONLY
    assert len(world.told.said) == 1


def test_a_cause_gets_stricter_at_once_and_milder_only_with_patience() -> None:
    world = World()
    world.look(NO_NEW_RISK)
    assert world.look(REDUCE_ONLY) is REDUCE_ONLY
    assert world.look(NO_NEW_RISK, 30_000) is REDUCE_ONLY
    world.look(FULL, 30_000)
    assert world.look(FULL, 30_000) is NO_NEW_RISK  # the worst it was while it eased, not the best
    world.look(FULL, 1_000)
    assert world.look(FULL, RECOVER_MS) is FULL


def test_some_causes_need_several_looks_that_agree() -> None:
    world = World()
    assert world.look(NO_NEW_RISK, samples=3) is FULL
    assert world.look(NO_NEW_RISK, samples=3) is FULL
    assert world.look(FULL, samples=3) is FULL
    for expected in (FULL, FULL, NO_NEW_RISK):
        assert world.look(NO_NEW_RISK, samples=3) is expected


def test_many_looks_within_a_second_are_one_sample() -> None:
    world = World()
    for _ in range(9):
        assert world.look(NO_NEW_RISK, 100, samples=2) is FULL
    assert world.look(NO_NEW_RISK, 500, samples=2) is NO_NEW_RISK


def test_what_only_the_operator_ends_outlives_its_reason_and_a_restart() -> None:
    world = World()
    world.look(HALTED, until_operator=True, critical=True)
    for _ in range(10):
        assert world.look(FULL, RECOVER_MS, until_operator=True) is HALTED
    assert world.told.said[0][1] == "critical"
    again = Permissions(FakeJournal(), world.clock, Told())
    for row in world.journal.written:
        again.fold(row)
    ladder = Ladder(again, RECOVER_MS)
    ladder.look([Finding("latency", FULL, "slow", until_operator=True)], world.clock.now_ms() + RECOVER_MS)
    ladder.look(
        [Finding("latency", FULL, "slow", until_operator=True)], world.clock.now_ms() + 2 * RECOVER_MS
    )
    assert again.view.level is HALTED
    again.acknowledge()
    assert again.view.level is FULL


def test_the_operators_word_ends_only_what_waits_for_it() -> None:
    world = World()
    world.permissions.lower("journal", REDUCE_ONLY, "disk full")
    world.permissions.lower("key", HALTED, "refused", until_operator=True)
    world.permissions.acknowledge()
    assert set(world.permissions.causes) == {"journal"}


def test_a_restart_goes_on_waiting_for_a_cause_to_stay_well() -> None:
    world = World()
    world.look(NO_NEW_RISK)
    again = Permissions(FakeJournal(), world.clock, Told())
    for row in world.journal.written:
        again.fold(row)
    ladder, now_ms = Ladder(again, RECOVER_MS), world.clock.now_ms()
    ladder.look([Finding("latency", FULL, "slow")], now_ms)
    assert again.view.level is NO_NEW_RISK
    ladder.look([Finding("latency", FULL, "slow")], now_ms + RECOVER_MS)
    assert again.view.level is FULL


@pytest.mark.parametrize("after_ms", [1, 5_000])
def test_a_cause_may_end_at_once_where_it_says_so(after_ms: int) -> None:
    world = World()
    world.look(HALTED, recover_ms=0)
    assert world.look(FULL, after_ms, recover_ms=0) is FULL


LEVELS = st.sampled_from([FULL, NO_NEW_RISK, REDUCE_ONLY, HALTED])


@given(looks=st.lists(st.tuples(st.integers(1, 90_000), LEVELS, LEVELS), max_size=60))
def test_nothing_is_allowed_that_a_look_within_the_waiting_time_forbade(
    looks: list[tuple[int, Permission, Permission]],
) -> None:
    world = World()
    seen: list[tuple[int, Permission]] = []
    for after_ms, one, other in looks:
        world.clock.ms += after_ms
        now_ms = world.clock.now_ms()
        world.ladder.look([Finding("a", one, "a"), Finding("b", other, "b")], now_ms)
        seen.append((now_ms, min(one, other)))
        worst = min(level for at_ms, level in seen if now_ms - at_ms < RECOVER_MS)
        assert world.permissions.view.level <= worst
    ended = [r for r in world.journal.of(Kind.PERMISSION)]
    assert len(ended) == len(world.told.said)
