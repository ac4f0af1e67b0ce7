"""What a scan costs: 500 instruments, all signal modules, every time frame they ask for.

`python -m benchmarks.scan [--instruments N] [--json]`

The modules together ask for six frames (1m to 1D), so that a scan is of 3,000 series; a target of one second
on one core was set for 1,500. Every instrument has a book, 100 days of funding, hourly open interest and
long/short ratios of 40 days; one in twenty was named by a feed. Prices are walks from a seed.

    first scan       nothing was asked yet, and all frames close at this instant: every module is due
    day, hour ...    the scan at which so much closes, one bar of each later than the scan before
    nothing closed   the scan between: everything is looked at, nobody is asked
    all at once      the whole market breaks out on one hour, with four times the volume: every module has to
                     look at every instrument to the end

Times are those of the processor, in this process, the median of a few rounds. Then the same first scan with
the modules in a process of their own, as a live engine has them: how long it takes by the clock, what of it
falls on the engine's processor time, and how long its loop was held at a stretch.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from random import Random
from statistics import median
from typing import Final

from benchmarks.figures import Figure, report
from core.clock import SystemClock
from core.context import MarketView
from core.types import DAY_MS, HOUR_MS, Book, Candle, FundingQuote, Pair, SettledFunding, SpotSpec, SwapSpec
from scripts.scanning.apart import Apart
from scripts.scanning.driver import Scanning
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.language import FeedEvent, Module
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.scanner import Scanner
from strategy.auxiliary.scanning.asking import asked
from strategy.auxiliary.scanning.blacklist import BanRules, Blacklist
from strategy.auxiliary.scanning.candles import Candles
from strategy.auxiliary.scanning.sights import Sights, bars_kept
from strategy.auxiliary.scanning.words import Scan

INSTRUMENTS: Final = 500
WALKS: Final = 25  # different markets; instruments share them in turn
ROUNDS: Final = 3
TARGET_S: Final = 1.0
HELD_MS: Final = 5.0
NOW_MS: Final = 1_767_571_200_000  # 2026-01-05T00:00Z: bars of every length close here
D = Decimal


def walk(seed: int, frame: str, count: int, end_ms: int) -> list[Candle]:
    """Closed bars up to `end_ms`, swings by the square root of their length."""
    random, close = Random(f"{seed} {frame}"), 100.0
    swing = 0.006 * (FRAME_MS[frame] / HOUR_MS) ** 0.5
    made = []
    for at in range(count):
        before, close = close, close * (1 + random.gauss(0, swing))
        high, low = max(before, close) * 1.001, min(before, close) * 0.999
        ts_ms = end_ms - (count - at) * FRAME_MS[frame]
        made.append(_candle(ts_ms, before, high, low, close, random.uniform(5e4, 2e5)))
    return made


def after(candle: Candle, frame: str, seed: int, change: float | None = None, times: float = 1.0) -> Candle:
    """The next bar; it moves by `change`, and trades so many times as much as the one before."""
    swing = 0.006 * (FRAME_MS[frame] / HOUR_MS) ** 0.5
    random = Random(f"{seed} {frame} {candle.ts_ms}")
    before = float(candle.close)
    close = before * (1 + (random.gauss(0, swing) if change is None else change))
    high, low = max(before, close) * 1.001, min(before, close) * 0.999
    ts_ms, volume = candle.ts_ms + FRAME_MS[frame], float(candle.volume) * times
    return _candle(ts_ms, before, high, low, close, volume)


def _candle(ts_ms: int, *figures: float) -> Candle:
    opened, high, low, close, volume = (D(f"{figure:.8g}") for figure in figures)
    return Candle(ts_ms, opened, high, low, close, volume)


@dataclass
class Scene:
    """A market to scan: the store, what is known beside it, and the last candle of every walk and frame."""

    names: list[str]
    store: Candles
    sights: Sights
    last: dict[tuple[int, str], Candle]
    filled_s: float
    now_ms: int = NOW_MS

    def pass_time(self, ms: int, change: float | None = None, times: float = 1.0) -> None:
        """Let so much time pass; every bar that closes in it comes."""
        end_ms = self.now_ms + ms
        for (seed, frame), last in self.last.items():
            new = []
            while last.ts_ms + 2 * FRAME_MS[frame] <= end_ms:
                last = after(last, frame, seed, change, times)
                new.append(last)
            self.last[seed, frame] = last
            for name in self.names[seed::WALKS]:
                self.store.take(name, frame, new, end_ms)
        self.now_ms = end_ms


def scene(count: int, modules: Sequence[Module]) -> Scene:
    names = [f"C{n:03d}-USDT" for n in range(count)]
    store = Candles(bars_kept(modules))
    walks = {
        (seed, frame): walk(seed, frame, store.kept(frame), NOW_MS)
        for seed in range(min(WALKS, count))
        for frame in store.frames
    }
    began = time.thread_time()
    for (seed, frame), candles in walks.items():
        for name in names[seed::WALKS]:
            store.take(name, frame, candles, NOW_MS)
    filled_s = time.thread_time() - began
    crowd = tuple((NOW_MS - n * HOUR_MS, D(100 + n % 17)) for n in range(960, 0, -1))
    events = {
        name: tuple(
            FeedEvent(f"{name}{kind}", kind, name, NOW_MS - 60_000, "feed") for kind in ("110", "113")
        )
        for name in names[::20]
    }
    sights = Sights(
        store,
        {name: market(name) for name in names},
        open_interest=dict.fromkeys(names, crowd),
        long_short=dict.fromkeys(names, crowd),
        events=events,
    )
    return Scene(names, store, sights, {key: candles[-1] for key, candles in walks.items()}, filled_s)


def market(name: str) -> MarketView:
    spot = SpotSpec(name, name[:4], "USDT", D("0.1"), D("0.0001"), D("0.001"), D(10_000))
    swap = SwapSpec(f"{name}-SWAP", D("0.01"), D("0.1"), D("0.01"), D("0.01"), D(100_000), D(100))
    rates = (D(n % 13 - 2) / 10_000 for n in range(300))
    settled = tuple(SettledFunding(NOW_MS - (300 - n) * 8 * HOUR_MS, rate) for n, rate in enumerate(rates))
    sides = [tuple((D(100) + sign * D(n) / 20, D(5 + n % 7)) for n in range(1, 51)) for sign in (-1, 1)]
    return MarketView(
        Pair(name, spot, swap),
        swap=Book(swap.inst_id, sides[0], sides[1], NOW_MS, NOW_MS, 1),
        mark_px=D(100),
        mark_seen_ms=NOW_MS,
        funding=FundingQuote(swap.inst_id, D("0.0009"), NOW_MS + HOUR_MS, NOW_MS + 9 * HOUR_MS, NOW_MS),
        settled=settled,
        volume_24h_usdt=D(10_000_000),
    )


def scanned(scanner: Scanner, at: Scene) -> tuple[Scan, float]:
    """Scan here and now; return also the processor's seconds."""
    modules = {module.name: module for module in scanner.modules}
    began = time.thread_time()
    round_ = scanner.begin(at.names, at.sights, at.now_ms)
    for group in round_.groups():
        round_.take([asked(modules, question, time.perf_counter) for question in group])
    found = round_.end()
    return found, time.thread_time() - began


def new_scanner(modules: Sequence[Module]) -> Scanner:
    return Scanner(modules, Blacklist(BanRules()))


def measure(count: int) -> list[Figure]:
    modules = [make({}) for make in MODULES.values()]
    at = scene(count, modules)
    first = [scanned(new_scanner(modules), at) for _ in range(ROUNDS)]
    scanner, found = new_scanner(modules), first[0][0]
    scanned(scanner, at)
    took: dict[str, list[float]] = {}
    for name, ms in steps():
        at.pass_time(ms)
        took.setdefault(name, []).append(scanned(scanner, at)[1])
    took.pop("")
    at.pass_time(HOUR_MS, change=0.03, times=4.0)
    stormy, stormy_s = scanned(scanner, at)
    beside = asyncio.run(apart(modules, scene(count, modules)))
    return [
        Figure("first scan, everything due", median(took_s for _, took_s in first), "s", TARGET_S, False),
        *(Figure(f"scan, {name}", median(each), "s", TARGET_S, False) for name, each in took.items()),
        Figure("scan, all at once", stormy_s, "s", TARGET_S, False),
        Figure("signals of it", len(stormy.signals), "", 0, True),
        Figure("questions of the first scan", found.asked, "", count * (len(modules) - 1), True),
        Figure("filling the store, all history", at.filled_s, "s", float("inf"), False),
        *beside,
    ]


def steps() -> Iterator[tuple[str, int]]:
    """What closes, and how long after the scan before; without a name: only to come there."""
    for _ in range(ROUNDS):
        yield "nothing closed", 20_000
        yield "a minute", 40_000
        yield "", 3 * MINUTE_MS
        yield "five minutes", MINUTE_MS
        yield "", 5 * MINUTE_MS
        yield "a quarter", 5 * MINUTE_MS
        yield "", 40 * MINUTE_MS
        yield "an hour", 5 * MINUTE_MS
        yield "", 3 * HOUR_MS - 5 * MINUTE_MS
        yield "four hours", 5 * MINUTE_MS
    yield "", DAY_MS - ROUNDS * 4 * HOUR_MS - 5 * MINUTE_MS
    yield "a day", 5 * MINUTE_MS


async def apart(modules: Sequence[Module], at: Scene) -> list[Figure]:
    """Scans with the modules in a process of their own: the first, the same again when the process has been
    told everything once, and the first of another while the loop counts how long it is held."""
    worker = Apart(modules)
    began, used = time.perf_counter(), time.thread_time()
    await _through(worker, at)
    took_s, first_s = time.perf_counter() - began, time.thread_time() - used
    used = time.thread_time()
    await _through(worker, at)
    again_s = time.thread_time() - used
    await worker.close()
    held: list[float] = []
    other = Apart(modules)
    gc.collect()
    gc.freeze()  # half a million candles of this scene: to look through them is not a scan's doing
    heart = asyncio.create_task(_beat(held))
    await _through(other, at)
    heart.cancel()
    await other.close()
    gc.unfreeze()
    return [
        Figure("first scan apart, by the clock", took_s, "s", float("inf"), False),
        Figure("first scan apart, engine's processor", first_s, "s", TARGET_S, False),
        Figure("the same again", again_s, "s", TARGET_S, False),
        Figure("longest the engine's loop was held", max(held) * 1e3, "ms", HELD_MS, False),
    ]


async def _through(worker: Apart, at: Scene) -> None:
    found = await Scanning(new_scanner(worker.modules), worker, SystemClock()).scan(
        at.names, at.sights, at.now_ms
    )
    if found is None or found.asked < len(at.names) or "failed" in found.counts:
        raise AssertionError("the scan apart asked too little, or in vain")


async def _beat(held: list[float]) -> None:
    """Note the processor's time between two turns of the loop: what somebody else on the machine takes is not
    a scan's doing."""
    last = time.thread_time()
    while True:
        await asyncio.sleep(0)
        now = time.thread_time()
        held.append(now - last)
        last = now


def main(argv: Sequence[str]) -> int:
    options: Mapping[str, str] = dict(pairwise(argv))
    return report(measure(int(options.get("--instruments", INSTRUMENTS))), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
