"""The bars a position is watched on, and what averages say along them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from core.types import Side
from scripts.modules.tape import Coin, Series
from strategy.auxiliary.bars import FRAME_MS, Bars, Column
from strategy.auxiliary.exit_plan import ExitPlan, Trail, TrailBy
from strategy.auxiliary.exit_trails import AVERAGE_BARS, SAME

SHOWN_BARS: Final = 100  # to an average: what began before weighs less than a thousandth in it

Marks = NDArray[np.bool_]


class Watched:
    """One frame of a coin, and the frames its plans' averages are of."""

    def __init__(self, coin: Coin, frame: str) -> None:
        self.coin, self.series = coin, coin.series[frame]
        self._marks: dict[tuple[TrailBy, str, Side], Marks] = {}

    def played(self, plan: ExitPlan) -> ExitPlan:
        """Return the plan as it can be seen on these bars.

        A cooldown shorter than a bar is none. An average of shorter bars than these is taken of these: the
        closes in between are not on the tape.
        """
        cooldown_ms = plan.cooldown_ms if plan.cooldown_ms >= self.series.frame_ms else 0
        trails = tuple(
            replace(trail, frame=self.series.frame)
            if trail.is_average and FRAME_MS[trail.frame] < self.series.frame_ms
            else trail
            for trail in plan.trails
        )
        return replace(plan, cooldown_ms=cooldown_ms, trails=trails)

    def closing_at(self, frame: str, closed_ms: int) -> Bars | None:
        """Return the bars of a frame the last of which closes at an instant; None when none does."""
        series = self.coin.series[frame]
        index = series.at(closed_ms - series.frame_ms)
        return None if index is None else series.bars(index, SHOWN_BARS)

    def closed_by(self, frame: str, now_ms: int) -> int:
        """Return when the newest bar of a frame closed by an instant; 0 when none had."""
        closed_ms = self.coin.series[frame].closed_ms
        index = int(np.searchsorted(closed_ms, now_ms, side="right")) - 1
        return int(closed_ms[index]) if index >= 0 else 0

    def may_leave(self, trail: Trail, side: Side) -> Marks:
        """Return at which of the watched bars' ends a trail by an average may say: leave."""
        key = (trail.by, trail.frame, side)
        if key not in self._marks:
            series = self.coin.series[trail.frame]
            leaving = _leaving(series, trail.by, side)
            index = np.searchsorted(series.closed_ms, self.series.closed_ms)
            index = np.minimum(index, len(series.ts_ms) - 1)
            self._marks[key] = leaving[index] & (series.closed_ms[index] == self.series.closed_ms)
        return self._marks[key]


def _leaving(series: Series, by: TrailBy, side: Side) -> Marks:
    """Where the rule of a trail may hold. Where an average has less than its bars behind it: everywhere."""
    close = series.close
    average = _ema(close) if by is TrailBy.EMA20 else _sma(close)
    short = np.arange(len(close)) - series.first < SHOWN_BARS
    beyond = (close - average) * side.sign
    close_by = np.abs(beyond) < 10 * SAME * close
    losing = (beyond < 0) | close_by
    if by is TrailBy.EMA20:
        marks: Marks = losing | short
        return marks
    winning_before = np.ones(len(close), dtype=np.bool_)
    winning_before[1:] = (beyond[:-1] > 0) | close_by[:-1]
    crossed: Marks = (losing & winning_before) | short
    return crossed


def _sma(close: Column) -> Column:
    return _weighed(close, np.full(AVERAGE_BARS, 1 / AVERAGE_BARS))


def _ema(close: Column) -> Column:
    """The average `exit_trails` computes of its 100 bars: begun with the mean of the first twenty."""
    part, later = 2 / (AVERAGE_BARS + 1), SHOWN_BARS - AVERAGE_BARS
    ages = np.arange(later)
    start = np.full(AVERAGE_BARS, (1 - part) ** later / AVERAGE_BARS)
    return _weighed(close, np.concatenate((part * (1 - part) ** ages, start)))


def _weighed(close: Column, weights: Column) -> Column:
    """The sum of the newest closes times weights, newest first; NaN until there are as many."""
    found = np.full(len(close), np.nan)
    if len(close) >= len(weights):
        found[len(weights) - 1 :] = sliding_window_view(close, len(weights)) @ weights[::-1]
    return found
