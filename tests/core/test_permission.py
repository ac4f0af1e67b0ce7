"""What the engine may do: causes that come and go, the strictest one in force, the same after a replay."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from core.context import Permission, PermissionView
from core.facts import Kind
from core.permission import Permissions
from tests.core.story import START_MS, StillClock
from tests.fakes import FakeJournal


class Told:
    """A notifier that remembers."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, Mapping[str, object]]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.said.append((topic, level, fields))


class World:
    def __init__(self) -> None:
        self.clock, self.journal, self.told = StillClock(), FakeJournal(), Told()
        self.permissions = Permissions(self.journal, self.clock, self.told)

    def level(self) -> Permission:
        return self.permissions.view.level

    def replayed(self) -> Permissions:
        """What the next process makes of the journal."""
        again = Permissions(FakeJournal(), self.clock, Told())
        for row in self.journal.written:
            again.fold(row)
        return again


def test_without_a_cause_everything_is_allowed() -> None:
    assert World().permissions.view == PermissionView(Permission.FULL, "", 0)


def test_the_strictest_cause_holds_and_the_next_one_follows_it() -> None:
    world = World()
    lower, lift = world.permissions.lower, world.permissions.lift
    lower("operator", Permission.NO_NEW_RISK, "paused")
    world.clock.ms += 1000
    lower("journal", Permission.REDUCE_ONLY, "disk full")
    assert world.permissions.view == PermissionView(Permission.REDUCE_ONLY, "disk full", START_MS + 1000)
    lower("key", Permission.HALTED, "revoked")
    assert world.level() is Permission.HALTED
    lift("key")
    assert world.level() is Permission.REDUCE_ONLY
    lift("operator")
    assert world.level() is Permission.REDUCE_ONLY
    lift("journal")
    assert world.level() is Permission.FULL


def test_of_equal_causes_the_older_one_is_named() -> None:
    world = World()
    world.permissions.lower("z", Permission.REDUCE_ONLY, "first")
    world.clock.ms += 1
    world.permissions.lower("a", Permission.REDUCE_ONLY, "second")
    assert world.permissions.view.reason == "first"


def test_a_repeated_cause_is_written_and_told_once() -> None:
    world = World()
    for _ in range(3):
        world.permissions.lower("journal", Permission.REDUCE_ONLY, "disk full")
        world.clock.ms += 1000
    assert len(world.journal.written) == len(world.told.said) == 1
    assert world.permissions.view.since_ms == START_MS
    for _ in range(3):
        world.permissions.lift("journal")
    assert len(world.journal.written) == len(world.told.said) == 2


def test_a_cause_may_grow_stricter_and_milder() -> None:
    world = World()
    world.permissions.lower("deadline", Permission.NO_NEW_RISK, "slow")
    world.permissions.lower("deadline", Permission.HALTED, "slower")
    assert world.level() is Permission.HALTED
    world.permissions.lower("deadline", Permission.REDUCE_ONLY, "better")
    assert world.level() is Permission.REDUCE_ONLY
    assert set(world.permissions.causes) == {"deadline"}


def test_each_row_says_the_cause_and_what_holds_after_it() -> None:
    world = World()
    world.permissions.lower("journal", Permission.REDUCE_ONLY, "disk full")
    world.permissions.lower("operator", Permission.NO_NEW_RISK, "paused")
    world.permissions.lift("journal")
    rows = world.journal.of(Kind.PERMISSION)
    assert [(r.body["cause"], r.body["level"], r.body["holds"]) for r in rows] == [
        ("journal", "REDUCE_ONLY", "REDUCE_ONLY"),
        ("operator", "NO_NEW_RISK", "REDUCE_ONLY"),
        ("journal", "FULL", "NO_NEW_RISK"),
    ]
    assert [level for _, level, _ in world.told.said] == ["warning", "warning", "info"]
    assert world.told.said[1][2]["level"] == "REDUCE_ONLY"


def test_rows_of_other_kinds_change_nothing() -> None:
    world = World()
    world.permissions.lower("operator", Permission.NO_NEW_RISK, "paused")
    world.journal.append(Kind.NOTE, START_MS, {"cause": "operator", "level": "FULL", "reason": "x"})
    assert world.replayed().view.level is Permission.NO_NEW_RISK


LEVELS = st.sampled_from([Permission.HALTED, Permission.REDUCE_ONLY, Permission.NO_NEW_RISK, None])


@given(acts=st.lists(st.tuples(st.sampled_from("abc"), LEVELS, st.integers(0, 5)), max_size=30))
def test_the_journal_gives_back_the_same_causes(acts: list[tuple[str, Permission | None, int]]) -> None:
    world = World()
    for cause, level, later_ms in acts:
        world.clock.ms += later_ms
        if level is None:
            world.permissions.lift(cause)
        else:
            world.permissions.lower(cause, level, f"{cause} says {level.name}")
        levels = [view.level for view in world.permissions.causes.values()]
        assert world.permissions.view.level is min(levels, default=Permission.FULL)
    again = world.replayed()
    assert again.causes == world.permissions.causes
    assert again.view == world.permissions.view
