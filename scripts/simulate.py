"""Seeded fault simulation: many seeds side by side, and what to do about one that fails.

python main.py simulate --seeds 0:300 --json
python main.py simulate --seeds 17 --trace      one seed, with everything it went through
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TextIO

from core.errors import UsageError
from scripts.collector import expect_to_keep
from scripts.simulation.run import Result, judged, play, settings_of
from scripts.simulation.shrink import shrunk
from scripts.simulation.story import HOUR_MS, Story
from scripts.simulation.swarm import story_of

PROGRESS_S = 5.0
MOST_TOLD = 20  # violations printed in full


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be simulated. `until_h` ends the chaos early, `fifo` keeps asyncio's order of callbacks."""

    seeds: tuple[int, ...]
    config: Path
    workers: int
    until_h: float | None = None
    fifo: bool = False

    def story(self, seed: int) -> Story:
        story = story_of(seed)
        if self.until_h is not None:
            chaos_ms = min(story.chaos_ms, int(self.until_h * HOUR_MS))
            kept = tuple(t for t in story.troubles if t.at_ms <= story.warm_ms + chaos_ms)
            story = replace(story, chaos_ms=chaos_ms, troubles=kept)
        return replace(story, shuffle=False) if self.fifo else story


@dataclass(slots=True)
class Tally:
    """What many seeds came to."""

    results: list[Result] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    crash_points: Counter[str] = field(default_factory=Counter)
    naked_ms: list[int] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.results.append(result)
        self.faults += result.faults
        self.crash_points += Counter(name.partition(" #")[0] for name in result.crash_points)
        self.naked_ms += result.naked_ms

    @property
    def broken(self) -> list[Result]:
        return sorted((r for r in self.results if r.violations), key=lambda r: r.seed)

    def naked_s_p99(self) -> float:
        """99 of 100 times a leg stood alone, it did so for at most this many undisturbed seconds."""
        ordered = sorted(self.naked_ms)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)] / 1000 if ordered else 0.0

    def by_family(self) -> Counter[str]:
        families: Counter[str] = Counter()
        for point, times in self.faults.items():
            families[point.partition(" ")[0]] += times
        return families

    def unhit(self) -> list[str]:
        """Points of the whole days of these seeds, drawn by some and struck in none."""
        drawn = {trouble.point for result in self.results for trouble in story_of(result.seed).troubles}
        return sorted(drawn - set(self.faults))

    def summary(self, wall_s: float) -> dict[str, object]:
        by_seed = sorted(self.results, key=lambda r: r.seed)
        traces = sha256("".join(f"{r.seed}:{r.trace}\n" for r in by_seed).encode())
        return {
            "seeds": len(by_seed),
            "virtual_hours": round(sum(r.virtual_ms for r in by_seed) / HOUR_MS, 1),
            "violations": [
                {"seed": r.seed, "invariant": v.invariant, "at_ms": v.at_ms, "event": v.event}
                for r in by_seed
                for v in r.violations
            ],
            "faults_injected": dict(sorted(self.by_family().items())),
            "fault_points_hit": len(self.faults),
            "fault_points_unhit": self.unhit(),
            "crash_points_hit": dict(sorted(self.crash_points.items())),
            "boots": sum(r.boots for r in by_seed),
            "naked_episodes": len(self.naked_ms),
            "naked_s_p99": self.naked_s_p99(),
            "naked_s_max": max(self.naked_ms, default=0) / 1000,
            "end_states": dict(sorted(Counter(r.state for r in by_seed).items())),
            "trace_hash": traces.hexdigest(),
            "cpu_s": round(sum(r.cpu_s for r in by_seed), 1),
            "wall_s": round(wall_s, 1),
        }


def simulate(orders: Orders, as_json: bool, trace: bool, shrink: bool, out: TextIO = sys.stderr) -> int:
    """Play the seeds, print what was found; return the exit code: 1 when an invariant was violated."""
    settings_of(orders.config)  # a broken configuration is one message, not one per worker
    began = time.monotonic()
    tally = Tally()
    for result in _told(_played(orders), orders, out, began, tally):
        if result.violations and len(tally.broken) <= MOST_TOLD:
            _tell(result, orders, out)
    for result in tally.broken[:1]:
        if shrink:
            _shrink(result, orders, out)
    if trace:
        for seed in orders.seeds[:1]:
            _trace(orders, seed, out)
    summary = tally.summary(time.monotonic() - began)
    if as_json:
        print(json.dumps(summary))
    else:
        _print(summary, out)
    return 1 if tally.broken else 0


def seeds_of(text: str) -> tuple[int, ...]:
    """`0:300`, `17` or `3,17,21`. Raises UsageError."""
    if span := re.fullmatch(r"(\d+):(\d+)", text):
        first, last = int(span[1]), int(span[2])
        if first < last:
            return tuple(range(first, last))
    elif re.fullmatch(r"\d+(,\d+)*", text):
        return tuple(int(part) for part in text.split(","))
    raise UsageError(f"--seeds {text}: allowed: A:B with A < B, one number, or numbers with commas")


def _played(orders: Orders) -> Iterator[Result]:
    if orders.workers == 1:
        expect_to_keep()
        for seed in orders.seeds:
            yield judged(orders.story(seed), orders.config)
        return
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with context.Pool(orders.workers, _prepare) as pool:
        work = ((orders, seed) for seed in orders.seeds)
        yield from pool.imap_unordered(_play_one, work)


def _prepare() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    expect_to_keep()


def _play_one(work: tuple[Orders, int]) -> Result:
    orders, seed = work
    return judged(orders.story(seed), orders.config)


def _told(
    results: Iterable[Result], orders: Orders, out: TextIO, began: float, tally: Tally
) -> Iterator[Result]:
    """Pass results on, and say now and then how far it is."""
    said_s = began
    for result in results:
        tally.add(result)
        yield result
        now_s = time.monotonic()
        if now_s - said_s >= PROGRESS_S:
            said_s = now_s
            done, broken = len(tally.results), len(tally.broken)
            print(f"{done} of {len(orders.seeds)} seeds, {broken} broken, {now_s - began:.0f} s", file=out)


def _tell(result: Result, orders: Orders, out: TextIO) -> None:
    first = result.violations[0]
    print(f"seed {result.seed}: {first.invariant} at {first.at_ms}: {first.event}", file=out)
    print(f"  replay: python main.py simulate --seeds {result.seed} --trace", file=out)


def _shrink(result: Result, orders: Orders, out: TextIO) -> None:
    """Say what remains of a failing seed's troubles when all that do not matter are taken away."""
    invariant = result.violations[0].invariant

    def fails(story: Story) -> bool:
        return any(v.invariant == invariant for v in judged(story, orders.config).violations)

    print(f"shrinking seed {result.seed} ({invariant})", file=out)
    small = shrunk(orders.story(result.seed), fails)
    print(f"  {small.told()}", file=out)


def _trace(orders: Orders, seed: int, out: TextIO) -> None:
    story = orders.story(seed)
    print(story.told(), file=out)
    result = play(story, orders.config, trace=lambda line: print(line, file=out))
    for violation in result.violations:
        print(f"{violation.invariant} at {violation.at_ms}: {violation.event}", file=out)


def _print(summary: dict[str, object], out: TextIO) -> None:
    for name, value in summary.items():
        print(f"{name:18} {json.dumps(value)}", file=out)


def workers_of(asked: int | None) -> int:
    """As many as there are cores, unless asked for another number."""
    return asked or os.cpu_count() or 1
