"""The band a neutral grid works in: when it forms, what its edges are, when it is broken.

Levels have to stay where they are, and a module remembers nothing. So time is cut into blocks of whole
hours since 1970 (24 of them: UTC days), and everything about a block follows from bars that had closed when
it began: whoever looks during the block, with however much history, sees the same band.

    forms    at the start of a block, when the ADX of the hours before it is below the limit and the block
             before, seen by the band of its own start, never touched an edge
    broken   from the first touch of an edge until the block ends: the fuse. The block after a broken one
             forms nothing; the one after that does, if the new range has held meanwhile
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Context, Decimal
from enum import IntEnum
from typing import Final

from core.types import HOUR_MS, Base, Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators.trend import adx
from strategy.auxiliary.indicators.volatility import atr, bollinger
from strategy.auxiliary.modules.proposal import rounded

MEMORY_BARS: Final = 150  # an average by Wilder has forgotten what lies further back
ADX_BARS: Final = 14
ATR_BARS: Final = 14
_DOWN: Final = Context(prec=12, rounding=ROUND_DOWN)


class BandBy(IntEnum):
    """Where the edges are taken from; all over the same bars, all around a middle half way between."""

    RANGE = 0  # highest high and lowest low
    BOLLINGER = 1  # mean close, so many standard deviations each way
    ATR = 2  # mean close, so many ATR each way


@dataclass(frozen=True, slots=True)
class BandRule:
    """How a band is made. `times` is of standard deviations or of ATR, and says nothing to a range."""

    block_bars: int
    range_bars: int
    by: BandBy
    times: float
    below_adx: float

    @property
    def hours(self) -> int:
        """How many closed hours must be shown: the running block, the one before, and what both grew from."""
        return 2 * self.block_bars + max(self.range_bars, MEMORY_BARS)

    @property
    def block_ms(self) -> int:
        return self.block_bars * HOUR_MS


@dataclass(frozen=True, slots=True)
class Band:
    """A band and its lines, USDT per coin. Line 0 is the middle, n of them lie on each side, the edges are
    one step further. A slice is the same number of coins at every line: the cap / n."""

    formed_ms: int
    lower_px: Decimal
    upper_px: Decimal
    lines: int
    cap_usdt: Decimal

    @property
    def middle_px(self) -> Decimal:
        return (self.lower_px + self.upper_px) / 2

    @property
    def step(self) -> Decimal:
        return (self.upper_px - self.lower_px) / 2 / (self.lines + 1)

    @property
    def slice_base(self) -> Base:
        return Base(_DOWN.divide(self.cap_usdt, self.middle_px * self.lines))

    @property
    def cap_base(self) -> Base:
        """What is held never exceeds it. Fixed when the band forms, at the price of its middle."""
        return Base(self.slice_base * self.lines)

    def line_px(self, number: int, side: Side) -> Decimal:
        """Price of a line below the middle, where a buy is made, or above it, where a sale is."""
        return self.middle_px - side.sign * number * self.step

    def edge_px(self, side: Side) -> Decimal:
        """The edge at which a slice of this side is wrong."""
        return self.lower_px if side is Side.BUY else self.upper_px

    def crossed(self, before_px: Decimal, px: Decimal) -> tuple[Side, int] | None:
        """Return the side and number of the outermost line crossed on the way out. None: no line was."""
        side = Side.BUY if px < self.middle_px else Side.SELL
        beyond = (self.middle_px - px) * side.sign
        number = min(int(beyond / self.step), self.lines)
        line = self.line_px(number, side)
        return (side, number) if number and (before_px - line) * side.sign > 0 else None


def band_at(hours: Bars, quarters: Bars, rule: BandRule, lines: int, cap_usdt: Decimal) -> Band | None:
    """Return the band that is whole when the last quarter closes; None when none formed, or it is broken.

    hours, quarters  closed bars of 1H and 15m; the band is of the block in which the last quarter closed.
    """
    now_ms = quarters.closed_ms
    formed_ms = now_ms // rule.block_ms * rule.block_ms
    if not now_ms - HOUR_MS < hours.closed_ms <= now_ms:
        return None  # one of the two series is late
    end = len(hours) - (hours.closed_ms - formed_ms) // HOUR_MS
    if not adx_of(hours, end) < rule.below_adx:
        return None
    before = end - rule.block_bars
    earlier, edges = _edges(hours, before, rule), _edges(hours, end, rule)
    if earlier is None or edges is None or _touched(hours, before, end, earlier):
        return None
    first = len(quarters) - (now_ms - formed_ms) // quarters.frame_ms
    inside = edges[0] < quarters.close[-1] < edges[1]  # at its birth a band may lie beside the price
    if not inside or _touched(quarters, first, len(quarters), edges):
        return None
    lower_px, upper_px = rounded(edges[0]), rounded(edges[1])
    return Band(formed_ms, lower_px, upper_px, lines, cap_usdt)


def adx_of(hours: Bars, end: int) -> float:
    """Return the ADX of the hours before index `end`; NaN where it is not known."""
    part = slice(end - MEMORY_BARS, end)
    return float(adx(hours.high[part], hours.low[part], hours.close[part], ADX_BARS)[-1])


def _edges(hours: Bars, end: int, rule: BandRule) -> tuple[float, float] | None:
    part = slice(end - rule.range_bars, end)
    if rule.by is BandBy.RANGE:
        lower, upper = float(hours.low[part].min()), float(hours.high[part].max())
    elif rule.by is BandBy.BOLLINGER:
        above, _, below = bollinger(hours.close[part], rule.range_bars, rule.times)
        lower, upper = float(below[-1]), float(above[-1])
    else:
        middle, reach = float(hours.close[part].mean()), rule.times * _atr_of(hours, end)
        lower, upper = middle - reach, middle + reach
    return (lower, upper) if 0 < lower < upper else None


def _atr_of(hours: Bars, end: int) -> float:
    part = slice(end - MEMORY_BARS, end)
    return float(atr(hours.high[part], hours.low[part], hours.close[part], ATR_BARS)[-1])


def _touched(bars: Bars, first: int, end: int, edges: tuple[float, float]) -> bool:
    lower, upper = edges
    return bool((bars.low[first:end] <= lower).any() or (bars.high[first:end] >= upper).any())
