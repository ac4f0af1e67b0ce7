"""Filling one file of a tape from the venue's history: what is missing is asked for, and then once more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from exchange.okx.history import SHORTEST_INTERVAL_MS, Series
from exchange.okx.parse_history import HistoryRow
from exchange.tape_files import FRAMES_MS, FUNDING
from exchange.tape_gaps import Gap
from exchange.tape_growth import Growth

VENUE: Final = "okx"
Say = Callable[[int, int], None]  # how far (UTC ms), rows


class History(Protocol):
    """The venue's past, a window at a time. May raise VenueDown, RateLimited, VenueRejected."""

    def window_ms(self, series: Series) -> int: ...

    async def window(self, series: Series, from_ms: int, to_ms: int) -> list[HistoryRow]: ...

    async def begin_ms(self, series: Series, from_ms: int, to_ms: int) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Filled:
    """What a file holds of the period now. `holes` lie between its first and its last row."""

    file: str
    series: Series
    rows: int
    added: int
    from_ms: int | None
    to_ms: int | None
    holes: tuple[Gap, ...]


def series_of(kind: str, name: str, bar: str) -> Series:
    """The series of a pair's market: `bar` in the tape's words."""
    inst_id = name if kind == "spot" else f"{name}-SWAP"
    if kind == FUNDING:
        return Series(kind, inst_id, "", SHORTEST_INTERVAL_MS)
    return Series(kind, inst_id, bar, FRAMES_MS[bar])


def stem_of(series: Series) -> str:
    """The file's name without what says how it lies on the disk."""
    return "_".join(part for part in (VENUE, series.kind, series.bar, series.inst_id) if part)


async def fill(
    history: History, growth: Growth, series: Series, from_ms: int, to_ms: int, say: Say
) -> Filled:
    """Bring the file up to all the venue has of [from, to), holes asked for twice.

    What was fetched stays when this is cut short, and the next one goes on from there.
    """
    added = 0
    for gap in growth.missing(from_ms, to_ms):
        added += await _fetch(history, growth, series, gap, say)
    if growth.times:
        first_ms = max(from_ms, growth.times[0])  # before it the venue has nothing: that was looked for
        for gap in growth.missing(first_ms, to_ms):
            added += await _fetch(history, growth, series, gap, say)
    growth.finish()
    return _filled(growth, series, from_ms, to_ms, added)


async def _fetch(history: History, growth: Growth, series: Series, gap: Gap, say: Say) -> int:
    added, at_ms = 0, gap.begin_ms
    while at_ms < gap.end_ms:
        end_ms = min(gap.end_ms, at_ms + history.window_ms(series))
        rows = await history.window(series, at_ms, end_ms)
        if not rows and end_ms < gap.end_ms:
            begin_ms = await history.begin_ms(series, end_ms, gap.end_ms)
            if begin_ms is None:
                break
            end_ms = begin_ms
        added += growth.append((row.ts_ms, row.cells) for row in rows)
        at_ms = end_ms
        say(at_ms, added)
    return added


def _filled(growth: Growth, series: Series, from_ms: int, to_ms: int, added: int) -> Filled:
    inside = [at for at in growth.times if from_ms <= at < to_ms]
    if not inside:
        return Filled(growth.name, series, 0, added, None, None, ())
    last_ms, bar_ms = inside[-1], 0 if series.kind == FUNDING else series.step_ms
    holes = tuple(growth.missing(inside[0], last_ms + (bar_ms or 1)))
    return Filled(growth.name, series, len(inside), added, inside[0], last_ms + bar_ms, holes)
