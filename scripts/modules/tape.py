"""A tape as the signal modules see it: closed swap candles of every frame, and funding. Never over a hole.

A frame is taken from files of that frame; where there are none, it is put together from finer ones, and only
whole bars are. The modules trade swaps, so spot candles are not looked at, and nothing is made up: what a
folder does not have, nobody is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.errors import UsageError
from core.types import SettledFunding
from exchange.tape_files import FUNDING, NAMES, Candles, TapeFile, tape_file
from strategy.auxiliary.bars import FRAME_MS, Bars, Column, Instants

PERP: Final = "perp"
Indices = NDArray[np.int64]
Columns = tuple[Instants, Column, Column, Column, Column, Column]  # ts, open, high, low, close, volume


@dataclass(frozen=True)
class Series:
    """One frame of one instrument, oldest first, holes included.

    first  per bar: index of the first bar of the unbroken run it belongs to.
    """

    instrument: str
    frame: str
    ts_ms: Instants
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    @property
    def frame_ms(self) -> int:
        return FRAME_MS[self.frame]

    @cached_property
    def closed_ms(self) -> Instants:
        return self.ts_ms + self.frame_ms

    @cached_property
    def first(self) -> Indices:
        starts = np.flatnonzero(np.diff(self.ts_ms, prepend=self.ts_ms[0] - 1) != self.frame_ms)
        runs = np.searchsorted(starts, np.arange(len(self.ts_ms)), side="right") - 1
        return starts[runs]

    @cached_property
    def last(self) -> Indices:
        """Per bar: index of the last bar of its unbroken run."""
        ends = np.flatnonzero(np.diff(self.ts_ms, append=self.ts_ms[-1] + 1) != self.frame_ms)
        return ends[np.searchsorted(ends, np.arange(len(self.ts_ms)))]

    def newest(self, now_ms: Instants) -> tuple[Indices, Indices]:
        """Return for each instant the index of the bar that closed last, and how many bars its run has by
        then; 0 where the newest one is no longer the newest there could be."""
        index = np.searchsorted(self.closed_ms, now_ms, side="right") - 1
        there = np.maximum(index, 0)
        young = (index >= 0) & (now_ms - self.closed_ms[there] < self.frame_ms)
        return index, np.where(young, index - self.first[there] + 1, 0)

    def bars(self, index: int, count: int) -> Bars:
        """Return at most `count` bars, `index` the last of them, as views; never over a hole."""
        cut = slice(max(int(self.first[index]), index + 1 - count), index + 1)
        return Bars(
            self.instrument,
            self.frame,
            self.ts_ms[cut],
            self.open[cut],
            self.high[cut],
            self.low[cut],
            self.close[cut],
            self.volume[cut],
        )

    def at(self, ts_ms: int) -> int | None:
        """Return the index of the bar that opens at an instant."""
        index = int(np.searchsorted(self.ts_ms, ts_ms))
        return index if index < len(self.ts_ms) and self.ts_ms[index] == ts_ms else None

    def until(self, to_ms: int) -> Series:
        """Return what had closed by an instant."""
        end = int(np.searchsorted(self.closed_ms, to_ms, side="right"))
        columns = self.ts_ms, self.open, self.high, self.low, self.close, self.volume
        return _series(self.instrument, self.frame, columns, end)


@dataclass(frozen=True)
class Coin:
    """One instrument's tape. `marks`: price a settlement was reckoned on, where the file has it."""

    instrument: str
    venue: str
    series: Mapping[str, Series]
    settled: tuple[SettledFunding, ...]
    marks: Mapping[int, Decimal]
    funding_venue: str | None

    @cached_property
    def settled_ms(self) -> Instants:
        return np.array([each.ts_ms for each in self.settled], dtype=np.int64)

    def until(self, to_ms: int) -> Coin:
        """Return the coin as it was known at an instant: closed bars, and what had settled."""
        cut = {frame: part for frame, one in self.series.items() if len((part := one.until(to_ms)).ts_ms)}
        settled = tuple(each for each in self.settled if each.ts_ms <= to_ms)
        return Coin(self.instrument, self.venue, cut, settled, self.marks, self.funding_venue)


def read_coins(
    folder: Path,
    instruments: Sequence[str],
    from_ms: int | None = None,
    to_ms: int | None = None,
    venue: str | None = None,
) -> tuple[Coin, ...]:
    """Return every instrument's swap candles that had closed by `to_ms`, and its funding.

    Of several venues the one whose candles cover most of the period is taken, unless `venue` names one.
    Candles before `from_ms` are there too: a module may know what was before its first question.
    Raises UsageError naming the folder, the instrument and what there is.
    """
    if not folder.is_dir():
        raise UsageError(f"tape is {folder}, allowed: a folder of files named {NAMES}")
    files = [file for path in sorted(folder.iterdir()) if (file := tape_file(path)) is not None]
    return tuple(_coin(folder, files, name, from_ms or 0, to_ms, venue) for name in instruments)


def _coin(
    folder: Path, files: Sequence[TapeFile], name: str, from_ms: int, to_ms: int | None, venue: str | None
) -> Coin:
    own = [file for file in files if f"{file.coin}-USDT" == name]
    perps = [file for file in own if file.kind == PERP and venue in (None, file.venue)]
    until_ms = to_ms if to_ms is not None else max((file.period()[1] for file in perps), default=0)
    covered = {
        one: max(_covered(perps, one, bar_ms, from_ms, until_ms) for bar_ms in {f.bar_ms for f in perps})
        for one in sorted({file.venue for file in perps})
    }
    if not covered or not max(covered.values()):
        there = ", ".join(sorted({f"{f.venue} {f.coin}-USDT" for f in files if f.kind == PERP and f.coin}))
        raise UsageError(
            f"{folder.name}: {name} has no swap candles in the period"
            f"{f' from {venue}' if venue else ''}, allowed: {there or 'a folder that has some'}"
        )
    chosen = max(covered, key=lambda one: covered[one])
    series = _frames(name, [file for file in perps if file.venue == chosen], until_ms)
    payer, settled, marks = _funding([f for f in own if f.kind == FUNDING], chosen, from_ms, until_ms)
    return Coin(name, chosen, series, settled, marks, payer)


def _funding(
    files: Sequence[TapeFile], chosen: str, from_ms: int, to_ms: int
) -> tuple[str | None, tuple[SettledFunding, ...], Mapping[int, Decimal]]:
    """Whose funding, what settled by the end, and the marks: of the venue that has most of the period, of two
    that have as much that of the candles. Another venue's rates stand for those that are not there."""
    rates: dict[str, dict[int, Decimal]] = {}
    marks: dict[str, dict[int, Decimal]] = {}
    for file in files:
        found = file.settlements()
        for at_ms, rate, mark in zip(found.ts, found.rate, found.mark, strict=True):
            if at_ms <= to_ms:
                rates.setdefault(file.venue, {})[at_ms] = rate
                if mark is not None:
                    marks.setdefault(file.venue, {})[at_ms] = mark
    inside = {venue: sum(at_ms >= from_ms for at_ms in each) for venue, each in rates.items()}
    if not inside or not max(inside.values()):
        return None, (), {}
    payer = max(sorted(inside), key=lambda venue: (inside[venue], venue == chosen))
    own = rates[payer]
    return payer, tuple(SettledFunding(at, own[at]) for at in sorted(own)), marks.get(payer, {})


def _covered(files: Sequence[TapeFile], venue: str, bar_ms: int, from_ms: int, to_ms: int) -> int:
    return sum(f.covered_ms(from_ms, to_ms) for f in files if (f.venue, f.bar_ms) == (venue, bar_ms))


def _frames(name: str, files: Sequence[TapeFile], to_ms: int) -> dict[str, Series]:
    parts: dict[int, list[Columns]] = {}
    for file in files:
        parts.setdefault(file.bar_ms, []).append(_columns(file.candles()))
    return frames_of(name, {bar_ms: _merged(each) for bar_ms, each in parts.items()}, to_ms)


def frames_of(name: str, given: Mapping[int, Columns], to_ms: int) -> dict[str, Series]:
    """Return every frame that bars of these lengths (ms) make, of what had closed by an instant.

    A frame's own bars first, and what is missing put together from finer ones.
    """
    series = {}
    for frame, frame_ms in FRAME_MS.items():
        finer = [ms for ms in sorted(given, reverse=True) if ms < frame_ms and frame_ms % ms == 0]
        own = [given[frame_ms]] if frame_ms in given else []
        found = _merged([*own, *(_put_together(given[ms], ms, frame_ms) for ms in finer)])
        if end := int(np.searchsorted(found[0] + frame_ms, to_ms, side="right")):
            series[frame] = _series(name, frame, found, end)
    return series


def _columns(candles: Candles) -> Columns:
    prices = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    opened, high, low, close, volume = (np.array(each, dtype=np.float64) for each in prices)
    return np.array(candles.ts, dtype=np.int64), opened, high, low, close, volume


def _merged(parts: Sequence[Columns]) -> Columns:
    """One series of several; of two bars with one instant that of the earlier part."""
    if not parts:
        empty = np.empty(0)
        return np.empty(0, dtype=np.int64), empty, empty, empty, empty, empty
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    _, kept = np.unique(joined[0], return_index=True)
    ts, opened, high, low, close, volume = (column[kept] for column in joined)
    return ts, opened, high, low, close, volume


def _put_together(columns: Columns, bar_ms: int, frame_ms: int) -> Columns:
    """Longer bars of shorter ones; a bar of which one is missing is not made."""
    ts, opened, high, low, close, volume = columns
    begins, at, count = np.unique(ts // frame_ms, return_index=True, return_counts=True)
    if not len(begins):
        return columns
    whole = count == frame_ms // bar_ms
    return (
        (begins * frame_ms)[whole],
        opened[at][whole],
        np.maximum.reduceat(high, at)[whole],
        np.minimum.reduceat(low, at)[whole],
        close[at + count - 1][whole],
        np.add.reduceat(volume, at)[whole],
    )


def _series(name: str, frame: str, columns: Columns, end: int) -> Series:
    """The first `end` bars of these columns, which nobody may write into any more."""
    for column in columns:
        column.flags.writeable = False
    ts, opened, high, low, close, volume = columns
    return Series(name, frame, ts[:end], opened[:end], high[:end], low[:end], close[:end], volume[:end])
