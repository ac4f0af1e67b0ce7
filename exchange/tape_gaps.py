"""Where a series of bars or settlements has holes. Pure; times are UTC milliseconds, spans [begin, end)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

LONGEST_INTERVAL_MS: Final = 8 * 3_600_000  # of funding; the venue steps it down from there


class Gap(NamedTuple):
    begin_ms: int
    end_ms: int


def missing_bars(ts: Sequence[int], bar_ms: int, from_ms: int, to_ms: int) -> list[Gap]:
    """The stretches of [from, to) without bars, where only whole bars count. `ts` ascends."""
    first_ms, end_ms = -(-from_ms // bar_ms) * bar_ms, to_ms // bar_ms * bar_ms
    if first_ms >= end_ms:
        return []
    inside = ts[bisect_left(ts, first_ms) : bisect_left(ts, end_ms)]
    edges = [first_ms - bar_ms, *inside, end_ms]
    return [Gap(a + bar_ms, b) for a, b in pairwise(edges) if b - a > bar_ms]


def missing_settlements(ts: Sequence[int], from_ms: int, to_ms: int) -> list[Gap]:
    """The stretches of [from, to) in which settlements may be missing: before the first, after the last, and
    where the interval is irregular. `ts` ascends."""
    inside = ts[bisect_left(ts, from_ms) : bisect_left(ts, to_ms)]
    if not inside:
        return [Gap(from_ms, to_ms)] if from_ms < to_ms else []
    spans = [
        Gap(from_ms, inside[0]),
        *(Gap(a + 1, b) for a, b in irregular_intervals(inside)),
        Gap(inside[-1] + 1, to_ms),
    ]
    return [gap for gap in spans if gap.begin_ms < gap.end_ms]


def irregular_intervals(ts: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of settlements between which one is likely to be missing.

    An interval changes between 8, 4, 2 and 1 hours and stays: one that is longer than 8 hours, or longer
    than the one before and the one after it, is no interval.
    """
    steps = [b - a for a, b in pairwise(ts)]
    found = []
    for n, step in enumerate(steps):
        around = [*steps[max(0, n - 1) : n], *steps[n + 1 : n + 2]]
        if step > LONGEST_INTERVAL_MS or (len(around) == 2 and step > max(around)):
            found.append((ts[n], ts[n + 1]))
    return found
