"""Modules in a process of their own: whatever one does there costs itself, and the engine goes on."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from core.clock import SystemClock
from scripts.scanning.apart import Apart
from scripts.scanning.driver import Here, Scanning
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Outcome, Scan
from tests.fakes import START_MS
from tests.scripts.scanning import odd_modules as odd
from tests.scripts.scanning.odd_modules import GOOD
from tests.strategy.auxiliary.scan_scenes import Toy, kept, scanner_of

NAMES = ["A-USDT", "B-USDT", "C-USDT"]
PATIENCE_S = 0.5


@asynccontextmanager
async def working(*modules: Any, patience_s: float = PATIENCE_S) -> AsyncIterator[tuple[Scanning, Apart]]:
    worker = Apart(modules, patience_s)
    scanning = Scanning(scanner_of(*modules), worker, SystemClock())
    try:
        yield scanning, worker
    finally:
        await scanning.close()


async def scanned(*modules: Any) -> tuple[Scan, Apart]:
    async with working(*modules) as (scanning, worker):
        found = await scanning.scan(NAMES, Sights(kept(modules, NAMES)), START_MS)
        assert found is not None
        return found, worker


async def test_a_process_apart_says_what_is_said_here() -> None:
    modules = [make({}) for make in MODULES.values()]
    found, _ = await scanned(*modules)
    here = Scanning(scanner_of(*modules), Here(modules), SystemClock())
    other = await here.scan(NAMES, Sights(kept(modules, NAMES)), START_MS)
    assert other is not None and replace(found, slowest={}) == replace(other, slowest={})
    assert found.asked == 12


@pytest.mark.fault("ST1")
async def test_a_module_that_hangs_is_ended_and_no_other_loses_a_question() -> None:
    found, worker = await scanned(Toy("bad", says=odd.hangs), GOOD)
    assert [each.instrument for each in found.signals] == NAMES
    (line,) = found.of("bad", "B-USDT")
    assert line.outcome is Outcome.FAILED and line.detail == "no answer within 0.5 s: its process was ended"
    assert found.of("bad", "C-USDT")[0].outcome is Outcome.NOTHING
    assert worker.starts == 2 and found.health["bad"].failed_ms == (START_MS,)


@pytest.mark.fault("ST1")
async def test_the_loop_goes_on_while_a_module_hangs() -> None:
    modules = (Toy("bad", says=odd.hangs), GOOD)
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.001)
            beats += 1

    async with working(*modules) as (scanning, _):
        heart = asyncio.create_task(beat())
        await scanning.scan(NAMES, Sights(kept(modules, NAMES)), START_MS)
        heart.cancel()
    assert beats > 50  # of some hundred milliseconds spent waiting


@pytest.mark.fault("ST1")
@pytest.mark.parametrize(
    ("does", "why"),
    [
        (odd.raises, "RuntimeError: not B-USDT"),
        (odd.leaves, "SystemExit: 3"),
        (odd.is_greedy, "MemoryError"),
        (odd.dies, "its process died (signal SIGSEGV)"),
        (odd.writes, "ValueError: assignment destination is read-only"),
    ],
)
async def test_what_a_module_does_to_itself_is_said_and_costs_no_other(
    does: Callable[..., Any], why: str
) -> None:
    found, _ = await scanned(Toy("bad", says=does), GOOD)
    assert [each.instrument for each in found.signals] == NAMES
    (line,) = found.of("bad", "B-USDT")
    assert line.outcome is Outcome.FAILED and why in line.detail


async def test_what_a_module_prints_is_not_taken_for_a_reply() -> None:
    found, worker = await scanned(Toy("good", says=odd.prints))
    assert len(found.signals) == 3 and worker.starts == 1


async def test_the_process_has_none_of_the_engines_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_SECRET", "canary")
    found, _ = await scanned(Toy("bad", says=odd.tells_secrets))
    names = found.of("bad", "A-USDT")[0].detail
    assert "OKX_API_SECRET" not in names and "PYTHONPATH" in names


async def test_a_process_that_ends_again_and_again_ends_the_scan_and_not_the_engine() -> None:
    modules = [Toy(f"bad{n}", says=odd.hangs_always) for n in range(4)]
    async with working(*modules, patience_s=0.2) as (scanning, _):
        found = await scanning.scan(NAMES, Sights(kept(modules, NAMES)), START_MS)
    assert found is not None and found.counts == {"failed": 3, "cut_short": 9}
    assert "the modules' process ended 3 times: no answer" in found.of("bad3", "A-USDT")[0].detail
    assert [len(record.failed_ms) for record in found.health.values()] == [1, 1, 1, 0]


async def test_a_process_that_cannot_start_cuts_the_scan_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    found, _ = await scanned(GOOD)
    assert found.counts == {"cut_short": 3} and "did not start" in found.lines[0].detail


async def test_no_process_is_left_behind() -> None:
    async with working(GOOD) as (scanning, worker):
        await scanning.scan(NAMES, Sights(kept([GOOD], NAMES)), START_MS)
        assert worker._process is not None
        pid = worker._process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(ValueError, match="patience_s is 0"):
        Apart([GOOD], 0)


async def test_a_scan_that_is_cancelled_takes_its_process_with_it() -> None:
    modules = [Toy("bad", says=odd.hangs_always)]
    async with working(*modules, patience_s=60.0) as (scanning, worker):
        pid = (await worker._started()).pid
        scan = asyncio.create_task(scanning.scan(NAMES, Sights(kept(modules, NAMES)), START_MS))
        await asyncio.sleep(0)
        scan.cancel()
        await asyncio.gather(scan, return_exceptions=True)
        assert worker._process is None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
