"""Quarters of an hour made by hand, the hours they add up to, and the Look of a grid."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from core.types import HOUR_MS
from strategy.auxiliary.bars import MINUTE_MS, Bars, Column
from strategy.auxiliary.language import Look
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import NAME, bars_of_closes, column

QUARTER_MS: Final = 15 * MINUTE_MS
DAY: Final = 96  # quarters
PAST: Final = 12 * DAY  # quarters of calm before the day that is looked at; more than anybody asks for
WICK: Final = 0.05
LOW, HIGH = 97.95, 102.05  # what the calm ranges over, wicks included: lines at 100 and every 0.5125


def calm(quarters: int = PAST) -> Column:
    """Two hours from 100 up to 102, down to 98 and back: a range without a trend. On the last day it is a
    little narrower, so that the band of the day before has held."""
    swing = np.where(np.arange(quarters) < quarters - DAY, 2.0, 1.9)
    return column(100 + swing * np.sin(2 * np.pi * np.arange(quarters) / 8))


def quarters_of(path: Column, closed_ms: int) -> Bars:
    return bars_of_closes(path, frame="15m", wick=WICK, closed_ms=closed_ms)


def hours_of(quarters: Bars) -> Bars:
    """The whole hours these quarters make."""
    first = int(-(quarters.ts_ms[0] // QUARTER_MS) % 4)
    count = (len(quarters) - first) // 4
    part = slice(first, first + 4 * count)
    four = {name: getattr(quarters, name)[part].reshape(count, 4) for name in ("high", "low", "volume")}
    return Bars(
        NAME,
        "1H",
        quarters.ts_ms[part][::4].copy(),
        column(quarters.open[part][::4]),
        column(four["high"].max(axis=1)),
        column(four["low"].min(axis=1)),
        column(quarters.close[part][3::4]),
        column(four["volume"].sum(axis=1)),
    )


def grid_look(day: list[float], past: Column | None = None, **rest: Any) -> Look:
    """What a grid sees at the last of these closes of a day, with the calm before it."""
    before = calm() if past is None else past
    end_ms = START_MS + len(day) * QUARTER_MS
    quarters = quarters_of(column([*before, *day]), end_ms)
    return Look(end_ms, NAME, {"15m": quarters, "1H": hours_of(quarters)}, **rest)


assert START_MS % (24 * HOUR_MS) == 0  # the day begins where a block does
