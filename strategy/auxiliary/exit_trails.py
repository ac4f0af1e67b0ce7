"""Exits that follow the price: how far behind its best mark, and on which side of an average a bar closes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

import numpy as np

from core.types import Side
from core.verdict import Figures
from strategy.auxiliary.bars import Bars, Column
from strategy.auxiliary.exit_plan import ExitPlan, Trail, TrailBy
from strategy.auxiliary.exit_progress import Entry, Progress
from strategy.auxiliary.indicators.averages import ema, sma

AVERAGE_BARS: Final = 20
SAME: Final = 1e-9  # of a price: closer than that to an average is on it, whoever computed it


def distance(trail: Trail, best_px: Decimal, entry: Entry) -> Decimal:
    """Return how far behind its best mark a trail by ratio or ATR stands, USDT per coin."""
    assert trail.size is not None  # Trail: what follows marks has a size
    if trail.by is TrailBy.RATIO:
        return best_px * trail.size
    assert entry.measures.atr is not None  # ExitPlan.levels refuses an entry without it
    return entry.measures.atr * trail.size


def judged(plan: ExitPlan, entry: Entry, progress: Progress, bars: Bars) -> tuple[Progress, Figures]:
    """Return the progress after every average saw these bars; each sees the same bar once."""
    due, bars_ms, said = progress.due, list(progress.bars_ms), {}
    for number, trail in enumerate(plan.trails):
        if not trail.is_average or trail.frame != bars.frame or not len(bars):
            continue
        since_ms = bars_ms[number]
        if bars.closed_ms <= since_ms:
            continue
        bars_ms[number] = bars.closed_ms
        average = (ema if trail.by is TrailBy.EMA20 else sma)(bars.close, AVERAGE_BARS)
        if progress.reached < trail.after_targets or np.isnan(average[-1]):
            continue
        said["close_px"] = Decimal(str(bars.close[-1]))
        said[f"{trail.by.value}_px"] = Decimal(str(average[-1]))
        if due is None and _says_leave(trail.by, entry.side, bars, average, since_ms):
            due = number
    return replace(progress, due=due, bars_ms=tuple(bars_ms)), tuple(said.items())


def _says_leave(by: TrailBy, side: Side, bars: Bars, average: Column, since_ms: int) -> bool:
    """Whether the last bar closed on the losing side; for MA20 also whether that is a crossing: the last bar
    before `since_ms`, or one since then, did not. Bars nobody was there to see are made up for."""
    losing = (bars.close - average) * side.sign < -SAME * average
    if by is TrailBy.EMA20 or not losing[-1]:
        return bool(losing[-1])
    unseen = int(np.count_nonzero(bars.ts_ms + bars.frame_ms > since_ms))
    earlier = slice(-(unseen + 1), -1)
    return bool((~losing[earlier] & ~np.isnan(average[earlier])).any())
