"""Trend breakout (DTRS): the bar that crosses its moving average, with the MACD and the volume behind it.

    1. cross   the close before <= its MA20, and the close > its MA20
    2. MACD    (12, 26, 9): DIF > DEA, histogram > 0, histogram > the one before
    3. volume  volume / mean volume of 10 bars, this one included, >= 1.5

That is the long; the short is its mirror image, with volume as it is. Only the bar that crosses may speak:
to be above the average says nothing. Bars are the last closed ones of 1H, 4H and 1D, as chosen; where two of
them close at one instant and both cross, the longer one is heard.

Averages have a memory: every figure is computed from the same number of bars, whatever else is shown, so
that a proposal does not depend on how much history somebody happened to have.

Over a year of hourly BTC and ETH a question costs 15 us of one core in the mean: most end at the averages,
and only what crosses with volume is looked at any further.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.types import Side
from core.verdict import Figures
from strategy.auxiliary.bars import Bars, Column
from strategy.auxiliary.exit_plan import Measures
from strategy.auxiliary.indicators.averages import ema, sma
from strategy.auxiliary.indicators.momentum import macd, rsi
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.indicators.volume import relative_volume
from strategy.auxiliary.language import Look, Needs, Signal, settings_of
from strategy.auxiliary.modules.proposal import count, exact, holds, number, points, protects, rounded
from strategy.auxiliary.presets import dtrs

FRAMES: Final = ("1H", "4H", "1D")
ATR_BARS: Final = 14
EMA_BARS: Final = 20
RSI_BARS: Final = 14

# The strength: what the three conditions are worth together, and the most each adds beyond its threshold.
BASE_POINTS: Final = 40
CROSS_POINTS: Final = 20
HISTOGRAM_POINTS: Final = 20
VOLUME_POINTS: Final = 20
FULL_CROSS_ATR: Final = 1.0  # a close this far beyond the average has them all
FULL_RISE_ATR: Final = 0.15  # a histogram that rose by this much since the bar before

ROUNDING: Final = 1e-12  # of a price

PARAMETERS: Final = (
    count("shortest_frame", "the shortest bars looked at: 0 is 1H, 1 is 4H, 2 is 1D", 0, 0, 2, unit=""),
    count("frames", "how many of the three, from the shortest upwards; 1D is the last", 1, 1, 3, unit=""),
    count("ma_bars", "length of the average that is crossed", 20, 5, 100),
    count("macd_fast", "fast average of the MACD", 12, 5, 16),
    count("macd_slow", "slow average of the MACD", 26, 17, 35),
    count("macd_signal", "average of DIF that makes DEA", 9, 3, 20),
    count("volume_bars", "bars of the mean volume", 10, 3, 50),
    number("volume_threshold", "least volume over its mean", "ratio", "1.5", "1", "3"),
    number("stop_atr", "distance of the stop", "atr", "1.5", "0.5", "5"),
    number("stale_periods", "age of a close after which it says nothing", "periods", "1.5", "0.25", "3"),
)


@dataclass(frozen=True, slots=True)
class Cross:
    """Two closes and their averages, USDT per coin; `previous` is the bar before the last closed one."""

    previous_close: float
    previous_ma: float
    close: float
    ma: float

    @property
    def side(self) -> Side | None:
        """The side the last bar crossed to. None when it did not, wherever it stands."""
        if self.previous_close <= self.previous_ma and self.close > self.ma:
            return Side.BUY
        if self.previous_close >= self.previous_ma and self.close < self.ma:
            return Side.SELL
        return None


@dataclass(frozen=True, slots=True)
class Momentum:
    """The MACD of the last closed bar, USDT per coin."""

    dif: float
    dea: float
    histogram: float
    previous_histogram: float

    def agrees(self, side: Side) -> bool:
        sign = side.sign
        return (
            sign * self.dif > sign * self.dea
            and sign * self.histogram > 0
            and sign * self.histogram > sign * self.previous_histogram
        )


class TrendBreakout:
    name: Final = "trend_breakout"
    about: Final = "A price that crosses its average with momentum and volume goes on in that direction."
    parameters: Final = PARAMETERS

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        """Raises ValueError for a parameter nobody declared, or one out of bounds."""
        settings = settings_of(PARAMETERS, given)
        shortest = int(settings["shortest_frame"])
        self._frames = FRAMES[shortest : shortest + int(settings["frames"])]
        self._ma = int(settings["ma_bars"])
        self._fast, self._slow = int(settings["macd_fast"]), int(settings["macd_slow"])
        self._signal = int(settings["macd_signal"])
        self._volume_bars = int(settings["volume_bars"])
        self._threshold = float(settings["volume_threshold"])
        self._stale_periods = settings["stale_periods"]
        self._presets = {frame: dtrs(settings["stop_atr"], frame) for frame in self._frames}
        # What the beginning of an average over n still weighs after 7 n bars is e^-14: less than is shown.
        self._bars = max(8 * self._slow + self._signal, 8 * EMA_BARS, 16 * ATR_BARS)
        self.needs: Final = Needs(bars=dict.fromkeys(self._frames, self._bars), on=self._frames[0])

    def signal(self, look: Look) -> Signal | None:
        """Return the crossing of the bars that closed just now, the longest of them first."""
        closed_ms = look.bars[self._frames[0]].closed_ms
        for frame in reversed(self._frames):
            bars = look.bars[frame]
            if bars.closed_ms == closed_ms and (found := self._breakout(look, bars.last(self._bars))):
                return found
        return None

    def _breakout(self, look: Look, bars: Bars) -> Signal | None:
        cross = crossing(bars.close, self._ma)
        valid_until_ms = bars.closed_ms + int(self._stale_periods * bars.frame_ms)
        if (side := cross.side) is None or look.now_ms > valid_until_ms or holds(look, side):
            return None
        volume_ratio = float(relative_volume(bars.volume[-self._volume_bars :], self._volume_bars)[-1])
        if volume_ratio < self._threshold:
            return None
        momentum = self.momentum(bars.close)
        range_px = float(atr(bars.high, bars.low, bars.close, ATR_BARS)[-1])
        if not momentum.agrees(side) or range_px <= 0:
            return None
        px, measures = exact(bars.close[-1]), Measures(atr=rounded(range_px))
        preset = self._presets[bars.frame]
        if not protects(preset.plan, side, px, measures, preset.wished_leverage):
            return None
        terms = self._terms(cross, momentum, volume_ratio, range_px)
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=side,
            strength=sum((worth for _, worth in terms), Decimal(0)),
            px=px,
            at_ms=bars.closed_ms,
            valid_until_ms=valid_until_ms,
            evidence=(*_figures(bars, cross, momentum, volume_ratio, range_px), *terms),
            plan=preset.plan,
            measures=measures,
            wished_leverage=preset.wished_leverage,
        )

    def momentum(self, close: Column) -> Momentum:
        """Return the MACD of the last of these closes."""
        dif, dea, histogram = macd(close, self._fast, self._slow, self._signal)
        return Momentum(float(dif[-1]), float(dea[-1]), float(histogram[-1]), float(histogram[-2]))

    def _terms(
        self, cross: Cross, momentum: Momentum, volume_ratio: float, range_px: float
    ) -> tuple[tuple[str, Decimal], ...]:
        """Return what the strength is the sum of."""
        beyond_atr = abs(cross.close - cross.ma) / range_px
        risen_atr = abs(momentum.histogram - momentum.previous_histogram) / range_px
        return (
            ("base_points", Decimal(BASE_POINTS)),
            ("cross_points", points(beyond_atr / FULL_CROSS_ATR, CROSS_POINTS)),
            ("histogram_points", points(risen_atr / FULL_RISE_ATR, HISTOGRAM_POINTS)),
            ("volume_points", points(volume_ratio / self._threshold - 1, VOLUME_POINTS)),
        )


def crossing(close: Column, ma_bars: int) -> Cross:
    """Return the last two closes with their averages, each computed from its own bars and nothing else.

    A running sum would carry the rounding of older bars along, and two looks could then disagree about a
    close that lies on its average.
    """
    previous, last = float(close[-2]), float(close[-1])
    previous_ma, ma = sma(close[-ma_bars - 1 : -1], ma_bars)[-1], sma(close[-ma_bars:], ma_bars)[-1]
    return Cross(previous, _on(previous, float(previous_ma)), last, _on(last, float(ma)))


def _on(close: float, ma: float) -> float:
    """Return the average; the close itself where the two differ by no more than a mean of floats does."""
    return close if abs(close - ma) <= ROUNDING * close else ma


def _figures(bars: Bars, cross: Cross, momentum: Momentum, volume_ratio: float, range_px: float) -> Figures:
    return (
        ("frame", bars.frame),
        ("opened_ms", int(bars.ts_ms[-1])),
        ("previous_close_usdt", exact(cross.previous_close)),
        ("previous_ma_usdt", rounded(cross.previous_ma)),
        ("close_usdt", exact(cross.close)),
        ("ma_usdt", rounded(cross.ma)),
        ("dif_usdt", rounded(momentum.dif)),
        ("dea_usdt", rounded(momentum.dea)),
        ("histogram_usdt", rounded(momentum.histogram)),
        ("previous_histogram_usdt", rounded(momentum.previous_histogram)),
        ("volume_ratio", rounded(volume_ratio)),
        ("atr_usdt", rounded(range_px)),
        ("ema20_usdt", rounded(float(ema(bars.close, EMA_BARS)[-1]))),  # this and the next are shown,
        ("rsi14", rounded(float(rsi(bars.close, RSI_BARS)[-1]))),  # nothing is decided by them
    )
