"""A task of the engine that dies or hangs is noticed, told, and holds new risk back until it is well."""

from __future__ import annotations

import asyncio

import pytest

from core.context import Permission
from core.facts import Kind
from core.permission import Permissions
from core.pulse import LIMITS_S, Pulse
from scripts.vitals import Vitals
from tests.core.story import StillClock
from tests.fakes import FakeJournal


class Deaf:
    def tell(self, topic: str, level: str, fields: object) -> None:
        return None


class Bench:
    def __init__(self) -> None:
        self.clock, self.journal, self.changes = StillClock(), FakeJournal(), 0
        self.permissions = Permissions(self.journal, self.clock, Deaf())
        self.pulse = Pulse(self.clock)
        self.vitals = Vitals(self.pulse, self.permissions, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def told(self) -> list[tuple[str, str]]:
        rows = self.journal.written
        return [(r.body["level"], r.body["reason"]) for r in rows if r.kind is Kind.PERMISSION]


@pytest.mark.fault("CR9")
async def test_a_task_that_dies_silently_is_noticed_once_and_nothing_new_is_opened() -> None:
    bench = Bench()
    forever = asyncio.Event()
    tasks = [asyncio.create_task(forever.wait(), name=n) for n in ("ticker", "stream private", "passer-by")]
    await asyncio.sleep(0)
    assert bench.vitals.look()
    tasks[2].cancel()
    await asyncio.gather(tasks[2], return_exceptions=True)
    assert bench.vitals.look()  # nobody expects every task to last
    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)
    assert not bench.vitals.look() and not bench.vitals.look()
    assert bench.vitals.dead == ("ticker",)
    assert bench.permissions.view.level is Permission.NO_NEW_RISK
    assert bench.told() == [("NO_NEW_RISK", "ticker is dead")] and bench.changes == 1
    bench.vitals.rest()
    assert bench.vitals.look()
    tasks[1].cancel()


@pytest.mark.fault("CR9")
async def test_a_task_that_hangs_is_noticed_and_its_end_too() -> None:
    bench = Bench()
    assert bench.vitals.look()
    with bench.pulse.at_work("errands"):
        bench.clock.ms += LIMITS_S["errands"] * 1000
        assert bench.vitals.look()
        bench.clock.ms += 1
        assert not bench.vitals.look()
        assert bench.vitals.stuck == ("errands",)
    assert bench.vitals.look()
    assert bench.told() == [("NO_NEW_RISK", "errands is stuck"), ("FULL", "lifted")]
    assert bench.changes == 2


def test_a_task_that_waits_for_work_has_no_age() -> None:
    clock = StillClock()
    pulse = Pulse(clock)
    clock.ms += 10**9
    assert {beat.age_ms for beat in pulse.beats()} == {0}
    with pytest.raises(ValueError), pulse.at_work("worker"):
        clock.ms += 5
        assert {beat.name: beat.age_ms for beat in pulse.beats()}["worker"] == 5
        raise ValueError
    assert {beat.age_ms for beat in pulse.beats()} == {0}
