"""What the indicators of one frame say, each as one named vote from -1 (down) to 1 (up), 0 for no opinion.

A vote says where the market points or stands, not what to do: whether a strategy follows a group of votes
or goes against it is the card's to say (card.py). What an indicator does not know yet is no opinion.

    momentum    rsi_9           (RSI9 - 50) / 25
                rsi_14          (RSI14 - 50) / 20
                stoch_rsi       (%K - 50) / 50, of (14, 14, 3, 3)
                ultimate        (Ultimate(7, 14, 28) - 50) / 20
                cci             CCI20 / 100
                williams        (%R14 + 50) / 30
    trend       supertrend      1 with the close above SuperTrend(10, 3), -1 below; 0 until it first turned
                psar            1 with the close above PSAR(0.02, 0.2), -1 below
                ichimoku        half for the close beyond both spans of (9, 26, 52), half for tenkan
                                beyond kijun
    volatility  bollinger       (close - middle) / (upper - middle) of (20, 2)
                keltner         the same of (20, 2)
                atr_channel     the same of (14, 2)
    volume      obv             change of OBV over 20 bars / their volume
                cmf             CMF20 / 0.25
                mfi             (MFI14 - 50) / 30
                shock           (volume / its mean of 20 bars - 1) / 2, towards where the bar closed; 0 below

All are cut to -1 and 1. At its full vote an oscillator stands where it is called overbought.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

from strategy.auxiliary.bars import Bars, Column
from strategy.auxiliary.indicators import momentum, trend, volatility, volume

VOTE_BARS: Final = 120  # of every frame, however many are shown: what an average remembers of more is nothing
DIGITS: Final = 4  # of a vote: what is added up is what the evidence shows
SLOPE_BARS: Final = 20


class Group(StrEnum):
    MOMENTUM = "momentum"
    TREND = "trend"
    VOLATILITY = "volatility"
    VOLUME = "volume"
    PATTERNS = "patterns"
    MICROSTRUCTURE = "microstructure"
    SENTIMENT = "sentiment"


FRAMED: Final = (Group.MOMENTUM, Group.TREND, Group.VOLATILITY, Group.VOLUME)  # asked of every frame


class Vote(NamedTuple):
    group: Group
    name: str
    value: float  # -1 to 1


def vote(group: Group, name: str, value: float) -> Vote:
    """Return a vote cut to -1 and 1; what is not known is 0."""
    if value != value:
        return Vote(group, name, 0.0)
    return Vote(group, name, round(min(1.0, max(-1.0, float(value))), DIGITS) + 0.0)


def sign(value: float) -> float:
    return float(value > 0) - float(value < 0)


def frame_votes(bars: Bars) -> tuple[Vote, ...]:
    """Return what the four sets say of the last of these closed bars."""
    recent = bars.last(VOTE_BARS)
    return (*_momentum(recent), *_trend(recent), *_volatility(recent), *_volume(recent))


def _momentum(bars: Bars) -> Iterator[Vote]:
    high, low, close = bars.high, bars.low, bars.close
    yield vote(Group.MOMENTUM, "rsi_9", (momentum.rsi(close, 9)[-1] - 50) / 25)
    yield vote(Group.MOMENTUM, "rsi_14", (momentum.rsi(close, 14)[-1] - 50) / 20)
    yield vote(Group.MOMENTUM, "stoch_rsi", (momentum.stoch_rsi(close)[0][-1] - 50) / 50)
    yield vote(Group.MOMENTUM, "ultimate", (momentum.ultimate(high, low, close)[-1] - 50) / 20)
    yield vote(Group.MOMENTUM, "cci", momentum.cci(high, low, close)[-1] / 100)
    yield vote(Group.MOMENTUM, "williams", (momentum.williams(high, low, close)[-1] + 50) / 30)


def _trend(bars: Bars) -> Iterator[Vote]:
    high, low, close = bars.high, bars.low, bars.close
    last = close[-1]
    # It begins upwards, whatever the market does: asked also upside down, both agree once it has turned.
    upright, turned = (
        trend.supertrend(*three)[0][-1] for three in ((high, low, close), (-low, -high, -close))
    )
    yield vote(Group.TREND, "supertrend", (sign(last - upright) - sign(-last - turned)) / 2)
    yield vote(Group.TREND, "psar", sign(last - trend.psar(high, low)[-1]))
    tenkan, kijun, span_a, span_b = trend.ichimoku(high, low)
    cloud = (sign(last - span_a[-1]) + sign(last - span_b[-1])) / 2
    yield vote(Group.TREND, "ichimoku", (cloud + sign(tenkan[-1] - kijun[-1])) / 2)


def _volatility(bars: Bars) -> Iterator[Vote]:
    high, low, close = bars.high, bars.low, bars.close
    yield vote(Group.VOLATILITY, "bollinger", _place(close, *volatility.bollinger(close)))
    yield vote(Group.VOLATILITY, "keltner", _place(close, *volatility.keltner(high, low, close)))
    yield vote(Group.VOLATILITY, "atr_channel", _place(close, *volatility.atr_channel(high, low, close)))


def _place(close: Column, upper: Column, middle: Column, lower: Column) -> float:
    reach = (upper[-1] - lower[-1]) / 2
    return float((close[-1] - middle[-1]) / reach) if reach > 0 else 0.0


def _volume(bars: Bars) -> Iterator[Vote]:
    high, low, close, traded = bars.high, bars.low, bars.close, bars.volume
    flow, total = volume.obv(close, traded), float(traded[-SLOPE_BARS:].sum())
    change = flow[-1] - flow[-1 - SLOPE_BARS]
    yield vote(Group.VOLUME, "obv", change / total if total > 0 else 0.0)
    yield vote(Group.VOLUME, "cmf", volume.cmf(high, low, close, traded)[-1] / 0.25)
    yield vote(Group.VOLUME, "mfi", (volume.mfi(high, low, close, traded)[-1] - 50) / 30)
    beyond = max(0.0, (volume.relative_volume(traded, SLOPE_BARS)[-1] - 1) / 2)
    yield vote(Group.VOLUME, "shock", sign(close[-1] - bars.open[-1]) * beyond)
