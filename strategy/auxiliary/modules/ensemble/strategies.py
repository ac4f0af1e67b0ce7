"""The three strategies. Each names the bar on which it would enter, and only that: an edge, not a state.

    A  oscillation   RSI14 < `buy_rsi` and the close at or below the lower Bollinger band (20, 2), and not
                     both on the bar before; on the shortest bars. Mirror: above `sell_rsi`, the upper band
    B  breakout      the close above the highest high of the `breakout_bars` before, the close before not
                     above its own, and volume / its mean of as many bars >= `breakout_volume`; on 1H and 15m
    C  pullback      EMAs of `ema_short` > `ema_long` > `ema_slow`; one of the last `pullback_bars` reached
                     down to the middle one and none closed below the slow one; the close is above the short
                     one again, the one before was not; on 4H and 1H

Which is asked is the regime's to say: in a range A, in a trend C, otherwise B.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import numpy as np

from core.types import Side
from core.verdict import Figures
from strategy.auxiliary.bars import Bars, Column
from strategy.auxiliary.indicators.averages import ema
from strategy.auxiliary.indicators.momentum import rsi
from strategy.auxiliary.indicators.volatility import bollinger
from strategy.auxiliary.indicators.volume import relative_volume
from strategy.auxiliary.modules.ensemble.regime import Regime
from strategy.auxiliary.modules.proposal import count, exact, number, rounded

TRIGGER_BARS: Final = 200  # what the slowest average has forgotten by then is nothing
FAST_FRAMES: Final = ("1m", "5m")

PARAMETERS: Final = (
    count("fast_frame", "bars of A, and when the module is asked: 0 is 1m, 1 is 5m", 1, 0, 1, unit=""),
    number("buy_rsi", "RSI below which a fall has gone far", "", "30", "10", "40"),
    number("sell_rsi", "RSI above which a rise has", "", "70", "60", "90"),
    count("breakout_bars", "bars whose high or low is broken", 20, 10, 100),
    number("breakout_volume", "least volume of the break over its mean", "ratio", "1.5", "1", "4"),
    count("ema_short", "short average of a trend", 5, 3, 15),
    count("ema_long", "middle average of a trend", 21, 16, 50),
    count("ema_slow", "slow average of a trend", 55, 51, 100),
    count("pullback_bars", "bars in which it came back to the middle average", 5, 2, 12),
)


class Strategy(StrEnum):
    OSCILLATION = "A oscillation"
    BREAKOUT = "B breakout"
    PULLBACK = "C pullback"


SUITS: Final[Mapping[Regime, Strategy]] = {
    Regime.RANGING: Strategy.OSCILLATION,
    Regime.TRENDING: Strategy.PULLBACK,
    Regime.NORMAL: Strategy.BREAKOUT,
    Regime.VOLATILE: Strategy.BREAKOUT,
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """A bar on which a strategy would enter. `support_px`: behind it the idea is wrong; None: not said."""

    strategy: Strategy
    side: Side
    frame: str
    figures: Figures
    support_px: Decimal | None = None


def trigger(
    strategy: Strategy, bars: Mapping[str, Bars], closed_ms: int, settings: Mapping[str, Decimal]
) -> Trigger | None:
    """Return the entry of a strategy on a bar that closed at this instant; of two the longer frame's."""
    frames, ask = _ASKED[strategy]
    for frame in frames or (FAST_FRAMES[int(settings["fast_frame"])],):
        if bars[frame].closed_ms == closed_ms and (found := ask(bars[frame].last(TRIGGER_BARS), settings)):
            return found
    return None


def oscillation(bars: Bars, settings: Mapping[str, Decimal]) -> Trigger | None:
    close, speed = bars.close, rsi(bars.close, 14)
    upper, _, lower = bollinger(close)
    for side, edge, limit in ((Side.BUY, lower, "buy_rsi"), (Side.SELL, upper, "sell_rsi")):
        far = [
            (float(settings[limit]) - speed[at]) * side.sign > 0 and (edge[at] - close[at]) * side.sign >= 0
            for at in (-2, -1)
        ]
        if far == [False, True]:
            figures = (("rsi_14", rounded(speed[-1], 4)), ("bollinger_edge_px", rounded(edge[-1])))
            return Trigger(Strategy.OSCILLATION, side, bars.frame, figures)
    return None


def breakout(bars: Bars, settings: Mapping[str, Decimal]) -> Trigger | None:
    length, close = int(settings["breakout_bars"]), bars.close
    times = float(relative_volume(bars.volume, length)[-1])
    if not times >= settings["breakout_volume"]:
        return None
    for side, extreme in ((Side.BUY, bars.high), (Side.SELL, -bars.low)):
        level, level_before = extreme[-1 - length : -1].max(), extreme[-2 - length : -2].max()
        if close[-1] * side.sign > level and not close[-2] * side.sign > level_before:
            broken = exact(abs(float(level)))
            figures = (("volume_times_mean", rounded(times, 4)), ("broken_px", broken))
            return Trigger(Strategy.BREAKOUT, side, bars.frame, figures)
    return None


def pullback(bars: Bars, settings: Mapping[str, Decimal]) -> Trigger | None:
    close = bars.close
    short, middle, slow = (ema(close, int(settings[f"ema_{name}"])) for name in ("short", "long", "slow"))
    back = slice(-int(settings["pullback_bars"]) - 1, -1)
    for side, reach in ((Side.BUY, bars.low), (Side.SELL, bars.high)):
        ordered = _above(short, middle, side)[-1] and _above(middle, slow, side)[-1]
        came_back = bool((~_above(reach, middle, side)[back]).any())
        kept = bool(_above(close, slow, side)[back].all())
        turned = [bool(each) for each in _above(close, short, side)[-2:]] == [False, True]
        if ordered and came_back and kept and turned:
            figures = (
                ("ema_short_px", rounded(short[-1])),
                ("ema_long_px", rounded(middle[-1])),
                ("ema_slow_px", rounded(slow[-1])),
            )
            return Trigger(Strategy.PULLBACK, side, bars.frame, figures, rounded(slow[-1]))
    return None


def _above(one: Column, other: Column, side: Side) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Above for a long, below for a short."""
    return one > other if side is Side.BUY else one < other


_Ask = Callable[[Bars, Mapping[str, Decimal]], Trigger | None]
_ASKED: Final[Mapping[Strategy, tuple[tuple[str, ...], _Ask]]] = {
    Strategy.OSCILLATION: ((), oscillation),  # the frame is a parameter
    Strategy.BREAKOUT: (("1H", "15m"), breakout),
    Strategy.PULLBACK: (("4H", "1H"), pullback),
}
