"""One position from its entry to its end, on bars: what its exit plan does, taken from its pessimistic side.

A bar does not tell in which order its prices came. They are shown to `exit_watch.watch` like this:

    open                       a gap: whatever is reached there is filled at the open
    the worse extreme          a stop, an emergency or a trail on the way is filled at its own line
    each target in turn        filled at its own price; after it the worse extreme is shown once more, because
                               a stop that has just been moved may lie within the bar
    the better extreme, close  a trail that has followed the price may be met on the way back
    end of the bar             averages are judged; what they end is filled at the next bar's open

So when stop and target both lie within one bar, the stop comes first, and nothing is ever sold at the best
price of a bar. Every fill is a market order: fee and slippage are taken off each. Where the tape ends or has
a hole, the position ends at the last close before it.

Most bars of a position can do nothing to it. `Ride` leaps to the next that can, by comparing columns, and
plays only that one; a test holds it to the play of every bar.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np

from core.types import Base, Side
from scripts.modules.watched import Marks, Watched
from strategy.auxiliary.exit_plan import ExitPlan, Trail, TrailBy
from strategy.auxiliary.exit_progress import Entry, begun, followed
from strategy.auxiliary.exit_trails import distance
from strategy.auxiliary.exit_watch import TRAIL_STEP, BarClosed, Close, Mark, Seen, watch
from strategy.auxiliary.modules.proposal import exact
from strategy.auxiliary.venue_stop import edge_px

NEAR: Final = 1e-9  # of a price: what is so close to a line is played
FIRST_LEAP: Final = 32  # bars looked at together; four times as many each time nothing was found

TAPE_ENDS: Final = "tape ends"  # a reason of our own: no plan said it


@dataclass(frozen=True, slots=True)
class Exit:
    """A part taken off. `px` is the price that was shown, before slippage; `at_ms` the open of its bar."""

    at_ms: int
    base: Base
    px: Decimal
    reason: str


class Ride:
    """Plays one entry through. The plan is one that can be seen on these bars: `watched.played`."""

    def __init__(self, plan: ExitPlan, entry: Entry, watched: Watched) -> None:
        self._plan, self._entry, self._watched, self._bars = plan, entry, watched, watched.series
        self._sign = entry.side.sign
        long = entry.side is Side.BUY
        low, high = self._bars.low, self._bars.high
        self._worse, self._better = (low, high) if long else (high, low)
        self._progress = begun(plan, entry)
        self._exits: list[Exit] = []

    def exits(self, first: int) -> tuple[Exit, ...]:
        """Return how it ends, from the bar at whose open it was entered. All of it is off at the end."""
        at, last = first, int(self._bars.last[first])
        while self._progress.left and at <= last:
            leap = self._next(at, last)
            self._skip(at, leap)
            self._play(leap, last)
            at = leap + 1
        if left := self._progress.left:
            self._exits.append(
                Exit(int(self._bars.closed_ms[last]), left, exact(self._bars.close[last]), TAPE_ENDS)
            )
        return tuple(self._exits)

    # --- which bar is next ------------------------------------------------------------------------

    def _next(self, at: int, last: int) -> int:
        """Return the first bar from `at` on that may do something. Some that do nothing are among them."""
        plan, progress = self._plan, self._progress
        if progress.due is not None or self._waits(at):
            return at
        over_ms = self._entry.opened_ms + plan.max_hold_ms
        end = max(at, min(last, int(np.searchsorted(self._bars.ts_ms, over_ms))))
        edge = self._sign * float(edge_px(plan, self._entry, progress.stop_px))
        target = self._nearest_target()
        start, size = at, FIRST_LEAP
        while start <= end:
            part = slice(start, min(start + size, end + 1))
            worse, better = self._sign * self._worse[part], self._sign * self._better[part]
            may = worse <= edge + NEAR * abs(edge)
            if target is not None:
                may |= better >= target - NEAR * abs(target)
            for trail, best in zip(plan.trails, progress.bests, strict=True):
                if trail.is_average:
                    if progress.reached >= trail.after_targets:
                        may |= self._watched.may_leave(trail, self._entry.side)[part]
                elif best is not None:
                    may |= self._trailed(trail, best, slice(at, part.stop))[start - at :]
            if may.any():
                return start + int(np.argmax(may))
            start, size = part.stop, size * 4
        return end

    def _waits(self, at: int) -> bool:
        """Whether something may still wait for the cooldown after the last action."""
        acted_ms = self._progress.acted_ms
        if acted_ms is None:
            return False
        return int(self._bars.ts_ms[at]) - acted_ms <= self._plan.cooldown_ms + self._bars.frame_ms

    def _nearest_target(self) -> float | None:
        """The nearest the next target can come, mirrored for a short; None when there is none left."""
        number = self._progress.reached
        if number >= len(self._plan.targets):
            return None
        level = self._entry.levels.targets[number]
        return min(self._sign * float(level.px), self._sign * float(level.relaxed_px))

    def _trailed(self, trail: Trail, best: Decimal, part: slice) -> Marks:
        """Where a trail behind the best price may be met, or its stop may move."""
        best_so_far = np.maximum.accumulate(
            np.maximum(self._sign * self._better[part], self._sign * float(best))
        )
        if trail.by is TrailBy.RATIO:
            assert trail.size is not None
            behind = np.abs(best_so_far) * float(trail.size)
        else:
            behind = np.full(len(best_so_far), float(distance(trail, best, self._entry)))
        line, stop = best_so_far - behind, self._sign * float(self._progress.stop_px)
        near = NEAR * np.abs(best_so_far)
        met = self._sign * self._worse[part] <= line + near
        moves = line - stop >= behind * float(TRAIL_STEP) - near
        marks: Marks = met | moves
        return marks

    def _skip(self, at: int, leap: int) -> None:
        """Carry on what bars that did nothing leave behind: the best price, and that averages saw them."""
        if leap > at:
            best = exact((self._better[at:leap] * self._sign).max() * self._sign)
            self._progress = followed(self._plan, self._entry, self._progress, best)
        seen_ms = list(self._progress.bars_ms)
        for number, trail in enumerate(self._plan.trails):
            if trail.is_average:
                closed_ms = self._watched.closed_by(trail.frame, int(self._bars.ts_ms[leap]))
                seen_ms[number] = max(seen_ms[number], closed_ms)
        self._progress = replace(self._progress, bars_ms=tuple(seen_ms))

    # --- one bar ----------------------------------------------------------------------------------

    def _play(self, at: int, last: int) -> None:
        bars = self._bars
        at_ms = int(bars.ts_ms[at])
        opened, worse, better, closed = (
            exact(column[at]) for column in (bars.open, self._worse, self._better, bars.close)
        )
        self._see(Mark(at_ms, opened), at_ms, opened)
        self._back_to(worse, at_ms)
        self._on_to(better, worse, at_ms)
        self._back_to(closed, at_ms)
        ended_ms = at_ms + bars.frame_ms
        following = exact(bars.open[at + 1]) if at < last else closed
        for frame in dict.fromkeys(trail.frame for trail in self._plan.trails if trail.is_average):
            if (shown := self._watched.closing_at(frame, ended_ms)) is not None:
                self._see(BarClosed(ended_ms, shown), ended_ms, following)

    def _back_to(self, px: Decimal, at_ms: int) -> None:
        """The price comes back as far as this; what it meets on the way is filled at its line."""
        if not self._progress.left:
            return
        line = self._nearest_line()
        if (px - line) * self._sign <= 0:
            self._see(Mark(at_ms, line), at_ms, line)
            if self._progress.left:
                self._see(Mark(at_ms, px), at_ms, line)
        else:
            self._see(Mark(at_ms, px), at_ms, px)

    def _on_to(self, px: Decimal, worse: Decimal, at_ms: int) -> None:
        """The price goes as far as this, over one target after the other."""
        held_ms = at_ms - self._entry.opened_ms
        while self._progress.left and (number := self._progress.reached) < len(self._plan.targets):
            level = self._entry.levels.targets[number]
            target = self._plan.targets[number].px(level, held_ms)
            if target is None or not self._entry.is_beyond(px, target):
                break
            self._see(Mark(at_ms, target), at_ms, target)
            if self._progress.reached == number:
                break  # it waits for the cooldown
            self._back_to(worse, at_ms)
        if self._progress.left:
            self._see(Mark(at_ms, px), at_ms, px)

    def _nearest_line(self) -> Decimal:
        """Where all that is left would end on the way back."""
        entry, progress = self._entry, self._progress
        line = edge_px(self._plan, entry, progress.stop_px)
        for trail, best in zip(self._plan.trails, progress.bests, strict=True):
            if best is not None:
                line = entry.better(line, best - self._sign * distance(trail, best, entry))
        return line

    def _see(self, seen: Seen, at_ms: int, px: Decimal) -> None:
        if not self._progress.left:
            return
        step = watch(self._plan, self._entry, self._progress, seen)
        self._progress = step.progress
        if isinstance(step.action, Close):
            self._exits.append(Exit(at_ms, step.action.base, px, step.action.reason.value))
