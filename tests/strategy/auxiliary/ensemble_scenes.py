"""A path of minutes made by hand, the five frames it adds up to, and its mirror image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from core.types import HOUR_MS
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS, Bars, Column
from strategy.auxiliary.language import Look
from strategy.auxiliary.modules.ensemble.card import FRAMES
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import NAME, column, mirrored

MINUTES: Final = 210 * 240  # two hundred bars of four hours, and some
WICK: Final = 0.02
CLOSED_MS: Final = START_MS + 20 * HOUR_MS  # all five frames close then


def ripple(minutes: int = MINUTES, swing: float = 1.0, hours: float = 3.3) -> Column:
    """A range: up and down by `swing` around 100, with a smaller and quicker ripple on it."""
    at = np.arange(minutes) / 60
    return column(100 + swing * np.sin(2 * np.pi * at / hours) + 0.2 * swing * np.sin(2 * np.pi * at / 0.4))


def frames_of(path: Column, volume: Column | None = None, closed_ms: int = CLOSED_MS) -> dict[str, Bars]:
    """The five frames whose last bars all hold the last of these minutes."""
    return {frame: _frame(path, volume, frame, closed_ms) for frame in FRAMES}


def upside_down(bars: Mapping[str, Bars]) -> dict[str, Bars]:
    return {frame: mirrored(each) for frame, each in bars.items()}


def ensemble_look(bars: Mapping[str, Bars], **rest: Any) -> Look:
    return Look(CLOSED_MS, NAME, bars, **rest)


def _frame(path: Column, volume: Column | None, frame: str, closed_ms: int) -> Bars:
    step = FRAME_MS[frame] // MINUTE_MS
    count = len(path) // step
    part = slice(len(path) - count * step, None)
    opened = np.concatenate((path[:1], path[:-1]))[part].reshape(count, step)
    close = path[part].reshape(count, step)
    traded = np.ones(len(path)) if volume is None else volume
    return Bars(
        NAME,
        frame,
        closed_ms + (np.arange(count, dtype=np.int64) - count) * FRAME_MS[frame],
        column(opened[:, 0]),
        column(np.maximum(opened, close).max(axis=1) + WICK),
        column(np.minimum(opened, close).min(axis=1) - WICK),
        column(close[:, -1]),
        column(traded[part].reshape(count, step).sum(axis=1)),
    )


def dip() -> Column:
    """A range that suddenly falls out of its lower band: the oscillation's entry, a buy."""
    path = np.array(ripple())
    path[-60:] = 100 - np.linspace(0, 0.2, 60)
    path[-5:] -= 1.6
    return column(path)


def burst() -> tuple[Column, Column]:
    """A wild day after a calm week that breaks its high with volume: the breakout's entry, a buy."""
    path, volume = np.array(ripple()), np.ones(MINUTES)
    path[-1440:] = 100 + 2.2 * np.sin(2 * np.pi * np.arange(1440) / 60 / 3.3)
    path[-30:] = 101 + np.linspace(0, 0.5, 30)
    path[-10:] = np.linspace(101.6, 103, 10)
    volume[-60:], volume[-15:] = 1.5, 6.0
    return column(path), column(volume)


def retreat() -> Column:
    """A rise that falls back for six hours and turns within the last one: the pullback's entry, a buy."""
    at = np.arange(MINUTES)
    path = 50 + 0.004 * at + 0.9 * np.sin(2 * np.pi * (at - at[-1]) / 330)
    top = path[-421]
    path[-420:-60] = top - 2.5 * np.sin(np.linspace(0, np.pi * 0.6, 360))
    path[-60:] = np.linspace(path[-61], top + 0.1, 60)
    return column(path)
