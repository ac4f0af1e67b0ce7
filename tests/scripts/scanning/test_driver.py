"""One scan at a time, and the loop has its turn between any two questions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from scripts.scanning.driver import Dropped, Here, Scanning, WorkerFailed
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Outcome, Question, Reply
from tests.fakes import START_MS, FakeClock
from tests.strategy.auxiliary.scan_scenes import Toy, kept, scanner_of

NAMES = ["A-USDT", "B-USDT", "C-USDT"]


class Ticks:
    """A clock that goes on by a millisecond each time somebody looks."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        self.s += 0.001
        return self.s


class Waiting:
    """A worker that answers when it is told to."""

    def __init__(self, toy: Toy) -> None:
        self.here, self.may = Here([toy], Ticks()), asyncio.Event()

    async def ask(self, questions: Sequence[Question]) -> Sequence[Reply]:
        await self.may.wait()
        return await self.here.ask(questions)

    async def close(self) -> None:
        self.may.clear()


class Failing:
    def __init__(self, after: int) -> None:
        self.after = after

    async def ask(self, questions: Sequence[Question]) -> Sequence[Reply]:
        if not self.after:
            raise WorkerFailed("there is nobody to ask")
        self.after -= 1
        return [Reply(question.place) for question in questions]

    async def close(self) -> None:
        return None


async def test_a_scan_that_comes_while_one_runs_is_dropped_and_told() -> None:
    toy, dropped = Toy(), list[Dropped]()
    worker, store = Waiting(toy), kept([toy])
    scanning = Scanning(scanner_of(toy), worker, FakeClock(), dropped.append, Ticks())
    first = asyncio.create_task(scanning.scan(["BTC-USDT"], Sights(store), START_MS))
    await asyncio.sleep(0)
    assert await scanning.scan(["BTC-USDT"], Sights(store), START_MS + 7) is None
    worker.may.set()
    found = await first
    assert found is not None and found.counts == {"nothing": 1}
    assert dropped == [Dropped(START_MS + 7, START_MS)] and scanning.dropped == 1
    assert await scanning.scan(["BTC-USDT"], Sights(store), START_MS + 8) is not None
    await scanning.close()


async def test_the_loop_has_its_turn_within_a_few_milliseconds() -> None:
    toy = Toy()
    names = [f"C{n}-USDT" for n in range(40)]
    scanning = Scanning(scanner_of(toy), Here([toy], Ticks()), FakeClock(), tick_s=Ticks())
    turns = 0

    async def beat() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    heart = asyncio.create_task(beat())
    found = await scanning.scan(names, Sights(kept([toy], names)), START_MS)
    heart.cancel()
    assert found is not None and found.asked == 40
    assert turns >= 13  # 40 looks at the clock of 1 ms each, in slices of 2 ms


async def test_a_scan_that_takes_too_long_is_cut_short_and_loses_nothing() -> None:
    toy = Toy()
    scanner, here, sights = scanner_of(toy), Here([toy], Ticks()), Sights(kept([toy], NAMES))
    hasty = Scanning(scanner, here, FakeClock(), tick_s=Ticks(), longest_s=0.0005)
    first = await hasty.scan(NAMES, sights, START_MS)
    assert first is not None and first.counts == {"cut_short": 2, "nothing": 1}
    assert first.of("toy", "C-USDT")[0].detail == "the scan took longer than 0.0005 s"
    patient = Scanning(scanner, here, FakeClock(), tick_s=Ticks())
    second = await patient.scan(NAMES, sights, START_MS + 1)
    assert second is not None and second.counts == {"not_new": 1, "nothing": 2}
    assert [look.instrument for look in toy.looks] == NAMES


async def test_where_nobody_can_be_asked_the_scan_says_so_and_the_next_one_asks() -> None:
    toy, worker = Toy(), Failing(after=1)
    scanning = Scanning(scanner_of(toy), worker, FakeClock(), tick_s=Ticks())
    sights = Sights(kept([toy], NAMES))
    found = await scanning.scan(NAMES, sights, START_MS)
    assert found is not None and found.counts == {"cut_short": 2, "nothing": 1}
    assert {line.detail for line in found.lines if line.outcome is Outcome.CUT_SHORT} == {
        "there is nobody to ask"
    }
    worker.after = 2
    again = await scanning.scan(NAMES, sights, START_MS + 1)
    assert again is not None and again.counts == {"not_new": 1, "nothing": 2}


async def test_a_scan_that_failed_does_not_stand_in_the_way_of_the_next() -> None:
    toy = Toy()
    scanning = Scanning(scanner_of(toy), Here([toy], Ticks()), FakeClock(), tick_s=Ticks())
    with pytest.raises(ValueError, match="named twice"):
        await scanning.scan(["A-USDT", "A-USDT"], Sights(kept([toy])), START_MS)
    assert await scanning.scan(["A-USDT"], Sights(kept([toy])), START_MS) is not None
