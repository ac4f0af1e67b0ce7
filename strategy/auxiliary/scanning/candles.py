"""Closed candles of many instruments, kept as columns: filled once by history, then bar by bar.

A bar is taken in when the venue has confirmed it, and shown once its time is over by the venue's clock; the
bar that is forming is in neither. What was taken in once stays as it was: a repeat changes nothing.

A series is shown from behind its last hole. The hole is told (`Lack`), and closes when the bars come late.
Columns handed out are never written into again: a series that is full goes on in new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from core.types import Candle
from strategy.auxiliary.bars import FRAME_MS, Bars, Column, Instants

ROOM: Final = 64  # bars a series grows by before it moves
_VALUES: Final = 5  # open, high, low, close, volume


class Taken(NamedTuple):
    """What became of candles that were handed in."""

    new: int = 0
    repeated: int = 0
    forming: int = 0  # not confirmed by the venue
    differing: int = 0  # a second version of a bar that was closed: the first stays
    misplaced: int = 0  # not at the beginning of a bar of this length, not begun yet, or too old to be kept


@dataclass(frozen=True, slots=True)
class Lack:
    """What a series needs to be asked for: everything from `from_ms`, open time of the first bar missing.

    reason  "empty", "short" (too little history), "hole", "late" (the newest bar is not there).
    bars    how many of the newest closed ones reach back to it.
    """

    instrument: str
    frame: str
    reason: str
    from_ms: int
    bars: int


class Candles:
    """The store. `keep` says of each frame how many closed bars are of use; frames it lacks are refused."""

    def __init__(self, keep: Mapping[str, int]) -> None:
        """Raises ValueError for a frame that is not in FRAME_MS, and for nothing to keep of one."""
        for frame, count in keep.items():
            if frame not in FRAME_MS or count < 1:
                raise ValueError(f"keep {count} bars of {frame}, allowed: 1 or more of {', '.join(FRAME_MS)}")
        self._keep = dict(keep)
        self._series: dict[tuple[str, str], _Series] = {}
        self._listed_ms: dict[str, int] = {}

    @property
    def frames(self) -> tuple[str, ...]:
        return tuple(self._keep)

    def kept(self, frame: str) -> int:
        return self._keep[frame]

    def take(self, instrument: str, frame: str, candles: Iterable[Candle], now_ms: int) -> Taken:
        """Take in candles in any order: history, or one that was pushed. `now_ms` is the venue's time.

        Raises ValueError for a frame that is not kept.
        """
        return self._of(instrument, frame).take(candles, now_ms)

    def begins(self, instrument: str, frame: str, from_ms: int) -> None:
        """Note that the venue has nothing older than `from_ms`: to ask for it again is of no use."""
        self._of(instrument, frame).begins_ms = from_ms
        self._listed_ms[instrument] = min(from_ms, self._listed_ms.get(instrument, from_ms))

    def listed_ms(self, instrument: str) -> int | None:
        """When its candles begin, where the venue's history was seen to begin; None where it goes on further
        back than was asked for."""
        return self._listed_ms.get(instrument)

    def bars(self, instrument: str, frame: str, now_ms: int) -> Bars:
        """Return the newest unbroken run of bars whose time was over at `now_ms`; empty where there is none.

        `now_ms` is the venue's time. The same bars come as the same columns.
        """
        return self._of(instrument, frame).shown(now_ms)

    def lack(self, instrument: str, frame: str, now_ms: int, grace_ms: int) -> Lack | None:
        """Return what is to be asked for now, None where nothing is.

        grace_ms  how long after its end a bar may take to come by push before it is missed.
        """
        return self._of(instrument, frame).lack(now_ms, grace_ms)

    def hopeless(self, instrument: str, frame: str, now_ms: int) -> None:
        """Note that the venue was asked for everything and has no more: its holes are its own.

        Holes and shortness seen now are not told again; what is missed later is.
        """
        self._of(instrument, frame).settled_for_ms = now_ms

    def forget(self, instrument: str) -> None:
        """Drop an instrument that is scanned no longer."""
        for key in [key for key in self._series if key[0] == instrument]:
            del self._series[key]
        self._listed_ms.pop(instrument, None)

    def _of(self, instrument: str, frame: str) -> _Series:
        found = self._series.get((instrument, frame))
        if found is None:
            if frame not in self._keep:
                raise ValueError(f"bars of {frame}, allowed: {', '.join(self._keep)}")
            found = self._series[instrument, frame] = _Series(instrument, frame, self._keep[frame])
        return found


class _Series:
    """One series. Columns hold every bar that is there, holes between them; `_run` begins behind the last."""

    def __init__(self, instrument: str, frame: str, keep: int) -> None:
        self._instrument, self._frame, self._keep = instrument, frame, keep
        self._frame_ms = FRAME_MS[frame]
        self._ts: Instants = np.empty(keep + ROOM, dtype=np.int64)
        self._values: Column = np.empty((_VALUES, keep + ROOM), dtype=np.float64)
        self._end = 0
        self._run = 0
        self._shown: Bars | None = None
        self.begins_ms = 0  # 0: not known
        self.settled_for_ms = 0

    def take(self, candles: Iterable[Candle], now_ms: int) -> Taken:
        new = repeated = forming = differing = misplaced = 0
        late: dict[int, tuple[float, ...]] = {}
        for candle in candles:
            if not candle.closed:
                forming += 1
                continue
            ts_ms, row = candle.ts_ms, _row(candle)
            if ts_ms % self._frame_ms or ts_ms > now_ms:
                misplaced += 1
            elif not self._end or ts_ms > self._ts[self._end - 1]:
                self._append(ts_ms, row)
                new += 1
            elif (known := late.get(ts_ms) or self._row_at(ts_ms)) is not None:
                if known == row:
                    repeated += 1
                else:
                    differing += 1
            else:
                late[ts_ms] = row
        if late:
            kept = self._insert(late)
            new, misplaced = new + kept, misplaced + len(late) - kept
        return Taken(new, repeated, forming, differing, misplaced)

    def shown(self, now_ms: int) -> Bars:
        end = self._end
        while end > self._run and self._ts[end - 1] + self._frame_ms > now_ms:
            end -= 1  # confirmed before its time was over by our clock: shown in a moment
        first = max(self._run, end - self._keep)
        known = self._shown
        is_same = known is not None and len(known) == end - first
        if known is not None and is_same and (first == end or known.ts_ms[0] == self._ts[first]):
            return known
        ts_ms, values = self._ts[first:end], self._values[:, first:end]
        ts_ms.flags.writeable = values.flags.writeable = False
        self._shown = Bars(self._instrument, self._frame, ts_ms, *values)
        return self._shown

    def lack(self, now_ms: int, grace_ms: int) -> Lack | None:
        due_ms = (now_ms - grace_ms) // self._frame_ms * self._frame_ms - self._frame_ms  # newest that is due
        if not self._end:
            oldest_ms = due_ms - (self._keep - 1) * self._frame_ms
            return None if self._is_settled(due_ms) else self._lack("empty", oldest_ms, due_ms)
        run_ms, last_ms = int(self._ts[self._run]), int(self._ts[self._end - 1])
        newest_ms = max(due_ms, last_ms)
        oldest_ms = last_ms - (self._keep - 1) * self._frame_ms
        if not self._is_settled(run_ms - self._frame_ms):
            if self._run and run_ms > oldest_ms:
                return self._lack("hole", int(self._ts[self._run - 1]) + self._frame_ms, newest_ms)
            if max(oldest_ms, self.begins_ms) < run_ms:
                return self._lack("short", max(oldest_ms, self.begins_ms), newest_ms)
        return self._lack("late", last_ms + self._frame_ms, due_ms) if last_ms < due_ms else None

    def _is_settled(self, missing_ms: int) -> bool:
        return missing_ms + self._frame_ms <= self.settled_for_ms

    def _lack(self, reason: str, from_ms: int, newest_ms: int) -> Lack:
        count = (newest_ms - from_ms) // self._frame_ms + 1
        return Lack(self._instrument, self._frame, reason, from_ms, min(count, self._keep))

    def _append(self, ts_ms: int, row: tuple[float, ...]) -> None:
        if self._end == len(self._ts):
            self._move(self._ts[-self._keep :], self._values[:, -self._keep :])
        at = self._end
        if at and ts_ms - self._ts[at - 1] != self._frame_ms:
            self._run = at
        self._ts[at] = ts_ms
        self._values[:, at] = row
        self._end = at + 1

    def _insert(self, late: Mapping[int, tuple[float, ...]]) -> int:
        """Put bars between, or before, those that are there: into new columns. Return how many were kept."""
        end, added = self._end, sorted(late)
        ts_ms = np.concatenate((self._ts[:end], np.array(added, dtype=np.int64)))
        rows = np.array([late[each] for each in added], dtype=np.float64).T
        values = np.concatenate((self._values[:, :end], rows), axis=1)
        order = np.argsort(ts_ms, kind="stable")[-self._keep :]
        self._move(ts_ms[order], values[:, order])
        return sum(each >= self._ts[0] for each in added)

    def _move(self, ts_ms: Instants, values: Column) -> None:
        """Go on in new columns, which begin with these bars: others may be looking at the old ones."""
        moved_ts, moved = np.empty_like(self._ts), np.empty_like(self._values)
        count = len(ts_ms)
        moved_ts[:count], moved[:, :count] = ts_ms, values
        holes = np.flatnonzero(np.diff(ts_ms) != self._frame_ms)
        self._ts, self._values, self._end = moved_ts, moved, count
        self._run = int(holes[-1]) + 1 if len(holes) else 0
        self._shown = None

    def _row_at(self, ts_ms: int) -> tuple[float, ...] | None:
        at = int(np.searchsorted(self._ts[: self._end], ts_ms))
        if at == self._end or self._ts[at] != ts_ms:
            return None
        return tuple(self._values[:, at].tolist())


def _row(candle: Candle) -> tuple[float, ...]:
    prices: tuple[Decimal, ...] = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    return tuple(map(float, prices))
