"""What a position's exit plan says to what was just seen. Pure: the same observations, the same actions.

    mark pushed / bar closed / sweep -> watch(plan, entry, progress, seen) -> Step(progress, action)

Asked in this order, and at most one of them answers: emergency, stop, time, targets, trails. The first two
are asked of every mark and wait for nothing; the others keep the plan's cooldown. A stop never moves away
from the price, and nothing here ever adds to a position. The new progress takes for granted that the action
will be done: `left` is a target, which execution brings the holding to however often it has to try.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from core.types import ZERO, Base, floor_to
from core.verdict import Figures
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.exit_plan import ExitPlan, StopTo, is_above_zero
from strategy.auxiliary.exit_progress import Entry, Progress, Reason, followed, with_stop
from strategy.auxiliary.exit_trails import distance, judged

SWEEP_MS: Final = 5_000  # how often a position is looked at though nothing was pushed (ATS-9)
TRAIL_STEP: Final = Decimal("0.1")  # of a trail's distance: a smaller gain is not worth another order


# --- what is seen -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark price was pushed. `at_ms` is the engine's clock. Raises ValueError for one that is no price."""

    at_ms: int
    mark_px: Decimal

    def __post_init__(self) -> None:
        _check_price(self.mark_px)


@dataclass(frozen=True, slots=True)
class BarClosed:
    """A bar closed; it is the last of `bars`, behind at least 19 others, better 100."""

    at_ms: int
    bars: Bars


@dataclass(frozen=True, slots=True)
class Sweep:
    """Some seconds have gone by. `mark_px` is the newest known, None when it is too old to be acted on."""

    at_ms: int
    mark_px: Decimal | None = None

    def __post_init__(self) -> None:
        if self.mark_px is not None:
            _check_price(self.mark_px)


Seen = Mark | BarClosed | Sweep


def _check_price(px: Decimal) -> None:
    if not is_above_zero(px):
        raise ValueError(f"mark price is {px}, allowed: above 0")


# --- what is to be done -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Close:
    """Take `base` coins off, so that `left` remain; 0 ends the position. `stop_px` protects what remains."""

    base: Base
    left: Base
    stop_px: Decimal
    reason: Reason
    figures: Figures


@dataclass(frozen=True, slots=True)
class MoveStop:
    """Nothing is taken off; the stop stands at `px` from now on, nearer to the price than before."""

    px: Decimal
    reason: Reason
    figures: Figures


class Kept(StrEnum):
    """Why nothing is to be done."""

    HOLD = "hold"  # nothing is reached
    COOLDOWN = "cooldown"  # something is, and waits
    TOO_SMALL = "too_small"  # a target is, and its share is less than a lot
    OVER = "over"  # nothing is left


@dataclass(frozen=True, slots=True)
class Keep:
    reason: Kept
    figures: Figures


@dataclass(frozen=True, slots=True)
class Step:
    """One answer. `is_news`: the progress has changed in what a later life of the engine has to know."""

    progress: Progress
    action: Close | MoveStop | Keep
    is_news: bool


def watch(plan: ExitPlan, entry: Entry, progress: Progress, seen: Seen) -> Step:
    """Return the progress after this observation, and the one thing to be done about it.

    An observation that comes late is taken for one of now: time does not run backwards here.
    """
    now_ms = max(seen.at_ms, progress.seen_ms)
    before, progress = progress, replace(progress, seen_ms=now_ms)
    if not progress.left:
        return Step(progress, Keep(Kept.OVER, (("ended", str(progress.ended)),)), False)
    mark_px, said = None, Figures()
    if isinstance(seen, BarClosed):
        progress, said = judged(plan, entry, progress, seen.bars)
    elif (mark_px := seen.mark_px) is not None:
        progress = followed(plan, entry, progress, mark_px)
    action, progress = _Look(plan, entry, progress, now_ms, mark_px, said).answer()
    is_news = not isinstance(action, Keep) or (before.due, before.reached) != (progress.due, progress.reached)
    return Step(progress, action, is_news)


Answer = tuple[Close | MoveStop | Keep, Progress]


@dataclass(frozen=True, slots=True)
class _Look:
    plan: ExitPlan
    entry: Entry
    progress: Progress
    now_ms: int
    mark_px: Decimal | None
    said: Figures  # by the averages of a bar that has just closed

    def answer(self) -> Answer:
        if urgent := self._emergency() or self._stopped():
            return urgent
        wanted = self._timed_out() or self._reached() or self._trailed()
        if wanted is None:
            return Keep(Kept.HOLD, self._figures), self.progress
        acted_ms = self.progress.acted_ms
        waits_ms = 0 if acted_ms is None else acted_ms + self.plan.cooldown_ms - self.now_ms
        if waits_ms > 0:
            held_back = (("waits_ms", waits_ms), ("held_back", wanted[0].reason.value))
            return Keep(Kept.COOLDOWN, (*self._figures, *held_back)), self.progress
        return wanted

    @property
    def _held_ms(self) -> int:
        return self.now_ms - self.entry.opened_ms

    @property
    def _figures(self) -> Figures:
        marked: Figures = ()
        if self.mark_px is not None:
            lost = self.entry.margin_lost(self.mark_px)
            marked = (("mark_px", self.mark_px), ("margin_lost_ratio", lost))
        return (
            *marked,
            ("stop_px", self.progress.stop_px),
            ("left_base", Decimal(self.progress.left)),
            ("held_ms", self._held_ms),
            *self.said,
        )

    def _all(self, reason: Reason, why: Figures) -> Answer:
        progress = replace(self.progress, left=Base(ZERO), ended=reason, due=None, acted_ms=self.now_ms)
        return self._close(progress, reason, why), progress

    def _close(self, after: Progress, reason: Reason, why: Figures) -> Close:
        base = Base(self.progress.left - after.left)
        ratio = ("close_ratio", base / self.entry.base)
        figures = (*self._figures, *why, ("close_base", Decimal(base)), ratio)
        return Close(base, after.left, after.stop_px, reason, figures)

    def _emergency(self) -> Answer | None:
        if self.mark_px is None or self.entry.margin_lost(self.mark_px) < self.plan.emergency_ratio:
            return None
        why = (("emergency_ratio", self.plan.emergency_ratio), ("margin_usdt", Decimal(self.entry.margin)))
        return self._all(Reason.EMERGENCY, why)

    def _stopped(self) -> Answer | None:
        if self.mark_px is None or not self.entry.is_beyond(self.progress.stop_px, self.mark_px):
            return None
        return self._all(Reason.STOP, (("stop_set_by", self.progress.stop_by),))

    def _timed_out(self) -> Answer | None:
        if self._held_ms < self.plan.max_hold_ms:
            return None
        return self._all(Reason.TIME, (("max_hold_ms", self.plan.max_hold_ms),))

    def _reached(self) -> Answer | None:
        """All targets at once that the price has come to, in order: after a gap their sizes add."""
        if self.mark_px is None:
            return None
        progress, why = self.progress, []
        for number in range(progress.reached, len(self.plan.targets)):
            target = self.plan.targets[number]
            px = target.px(self.entry.levels.targets[number], self._held_ms)
            if px is None or not self.entry.is_beyond(self.mark_px, px):
                break
            why.append((f"target_{number + 1}_px", px))
            if target.stop_to is StopTo.ENTRY:
                progress = with_stop(self.entry, progress, self.entry.px, StopTo.ENTRY)
            elif target.stop_to is StopTo.TARGET:
                progress = with_stop(self.entry, progress, px, f"target_{number + 1}")
        if not why:
            return None
        reached = progress.reached + len(why)
        left = min(progress.left, self._to_be_left(reached))
        ended = None if left else Reason.TARGET
        due = progress.due if left else None
        progress = replace(progress, reached=reached, left=left, ended=ended, due=due)
        progress = followed(self.plan, self.entry, progress, self.mark_px)
        if left < self.progress.left:
            progress = replace(progress, acted_ms=self.now_ms)
            return self._close(progress, Reason.TARGET, (*why, ("new_stop_px", progress.stop_px))), progress
        if progress.stop_px != self.progress.stop_px:
            return self._moved(progress, Reason.TARGET, tuple(why))
        return Keep(Kept.TOO_SMALL, (*self._figures, *why)), progress

    def _to_be_left(self, reached: int) -> Base:
        """Coins to be held once so many targets are reached: what is off is in whole lots of the entered
        quantity, and a rest below a lot goes with it. Of 10 lots, thirds are 3, 3 and 4."""
        entry = self.entry
        left = entry.base - floor_to(entry.base * self.plan.taken(reached), entry.lot)
        return Base(left if left >= entry.lot else ZERO)

    def _trailed(self) -> Answer | None:
        if (due := self.progress.due) is not None:
            closed = ("bar_closed_ms", self.progress.bars_ms[due])
            return self._all(Reason.TRAIL, (("trail", self.plan.trails[due].by.value), closed))
        if self.mark_px is None:
            return None
        moved = self.progress
        for trail, best_px in zip(self.plan.trails, self.progress.bests, strict=True):
            if best_px is None:
                continue
            behind = distance(trail, best_px, self.entry)
            line_px = best_px - self.entry.side.sign * behind
            if self.entry.is_beyond(line_px, self.mark_px):
                why = (("trail", trail.by.value), ("best_px", best_px), ("trail_px", line_px))
                return self._all(Reason.TRAIL, why)
            if (line_px - self.progress.stop_px) * self.entry.side.sign >= behind * TRAIL_STEP:
                moved = with_stop(self.entry, moved, line_px, f"trail_{trail.by.value}")
        if moved is self.progress:
            return None
        return self._moved(moved, Reason.TRAIL, ())

    def _moved(self, progress: Progress, reason: Reason, why: Figures) -> Answer:
        set_by = (("new_stop_px", progress.stop_px), ("stop_set_by", progress.stop_by))
        figures = (*self._figures, *why, *set_by)
        return MoveStop(progress.stop_px, reason, figures), replace(progress, acted_ms=self.now_ms)
