"""What is looked at between events, and what follows from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.context import Context, Permission
from core.ladder import Finding
from core.lookout import Lookout
from core.permission import Permissions
from core.types import MaintenanceWindow
from tests.core.story import StillClock
from tests.core.test_permission import Told
from tests.core.watching import IdlePatrol, lookout
from tests.fakes import FakeJournal
from tests.risk.scenes import NOW, D, book, market, scene, venue

NAME = "BTC-USDT"


@dataclass
class Crew:
    """An engine that shows a context and remembers what it was asked for."""

    clock: StillClock
    context: Context = field(default_factory=scene)
    asked: list[str] = field(default_factory=list)

    def glance(self) -> Context:
        return replace(self.context, now_ms=self.clock.now_ms())

    def compare_when_free(self) -> None:
        self.asked.append("compare")


class Watched:
    def __init__(self, findings: Iterable[Finding] = (), **changed: Any) -> None:
        self.clock = StillClock(NOW)
        self.permissions = Permissions(FakeJournal(), self.clock, Told())
        self.patrol, self.crew, self.renewed = IdlePatrol(), Crew(self.clock), list[str]()
        self.skipped_ms = 0
        self.findings = tuple(findings)
        self.lookout = lookout(
            self.permissions,
            self.clock,
            lambda ctx: self.findings,
            kind=Lookout,
            patrol=self.patrol,
            renew=self.renewed.append,
            skipped_ms=lambda: self.skipped_ms,
            **changed,
        )

    async def looks(self, count: int) -> None:
        """Let it look so often, 5 s apart."""
        clock = StepClock(self.clock.ms, count)
        self.lookout._clock = self.crew.clock = self.clock = clock
        task = asyncio.create_task(self.lookout.watch(self.crew))
        await clock.over.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class StepClock(StillClock):
    """Sleeps so often, lets others run meanwhile, and then sleeps for good."""

    def __init__(self, now_ms: int, steps: int) -> None:
        super().__init__(now_ms)
        self.left, self.over = steps, asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.left -= 1
        self.ms += int(seconds * 1000)
        if self.left <= 0:
            self.over.set()
            await asyncio.Event().wait()


def test_a_decision_gets_the_permission_its_own_context_led_to() -> None:
    watched = Watched([Finding("latency", Permission.REDUCE_ONLY, "slow")])
    seen = watched.lookout.observe(scene())
    assert seen.permission.level is Permission.REDUCE_ONLY
    assert set(seen.causes) == {"latency"}


async def test_a_cause_is_noticed_between_two_events() -> None:
    watched = Watched([Finding("books", Permission.NO_NEW_RISK, "old", samples=2)])
    await watched.looks(2)
    assert watched.permissions.view.level is Permission.NO_NEW_RISK


@pytest.mark.fault("AU6")
async def test_a_jump_asks_for_a_comparison_until_it_was_made() -> None:
    watched = Watched()
    watched.skipped_ms = 3 * 3_600_000
    assert watched.lookout.jumped
    await watched.looks(2)
    assert watched.crew.asked == ["compare", "compare"]
    done = watched.lookout.begin_comparing()
    watched.skipped_ms += 59_000  # a little more while it was made
    done()
    assert not watched.lookout.jumped and not watched.lookout.must_compare
    watched.skipped_ms += 1_000
    assert watched.lookout.jumped  # what came on top counts from the beginning of the comparison


@pytest.mark.fault("VE1")
async def test_maintenance_pauses_questions_and_its_end_asks_for_a_comparison() -> None:
    watched = Watched()
    window = MaintenanceWindow("upgrade", NOW - 1, NOW + 12_000, "ongoing")
    watched.crew.context = scene(venue=venue(maintenance=(window,)))
    await watched.looks(2)
    assert watched.lookout.is_paused and not watched.crew.asked
    assert watched.patrol.asked[-1] == -1  # the status page alone
    await watched.looks(3)
    assert not watched.lookout.is_paused
    assert "compare" in watched.crew.asked


@pytest.mark.fault("MD1")
async def test_a_book_that_stands_still_is_asked_for_anew_twice_a_minute_at_most() -> None:
    watched = Watched()
    old = replace(market(), spot=book(NAME, D(100_000), D(2), seen_ms=NOW - 60_000))
    watched.crew.context = scene(markets={NAME: replace(old, swap=None)})
    await watched.looks(12)
    assert watched.renewed == [NAME] * 2


async def test_questions_are_asked_more_often_while_something_ails() -> None:
    watched = Watched()
    await watched.looks(1)
    assert set(watched.patrol.asked) == {None}
    watched.permissions.lower("clock", Permission.NO_NEW_RISK, "off")
    watched.patrol.asked.clear()
    await watched.looks(1)
    assert set(watched.patrol.asked) == {30_000}


async def test_a_question_without_an_answer_keeps_nobody_from_looking() -> None:
    watched = Watched([Finding("books", Permission.NO_NEW_RISK, "old")])

    async def never(now_ms: int, every_ms: int | None = None) -> None:
        await asyncio.Event().wait()

    watched.patrol.go = never  # type: ignore[method-assign]
    await watched.looks(3)
    assert watched.permissions.view.level is Permission.NO_NEW_RISK
    assert len([t for t in asyncio.all_tasks() if t.get_name() == "patrol"]) == 0  # ended with the watch


async def test_a_patrol_that_breaks_is_not_lost() -> None:
    watched = Watched()

    async def breaks(now_ms: int, every_ms: int | None = None) -> None:
        raise ZeroDivisionError

    watched.patrol.go = breaks  # type: ignore[method-assign]
    watched.lookout._clock = StepClock(NOW, 9)
    with pytest.raises(ZeroDivisionError):
        await watched.lookout.watch(watched.crew)


def test_the_operators_word_accepts_the_account_as_it_is() -> None:
    watched = Watched()
    watched.permissions.lower("account_mode", Permission.NO_NEW_RISK, "changed", until_operator=True)
    watched.lookout.acknowledge()
    assert watched.patrol.accepted == 1
    assert watched.permissions.view.level is Permission.FULL
