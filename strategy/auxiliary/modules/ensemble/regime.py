"""What kind of market the hours show, which strategy suits it, and how much risk it is given.

    volatile   standard deviation of the hourly log returns of a day / that of a week >= `volatile_ratio`
    trending   else ADX14 >= `trending_adx`
    ranging    else ADX14 <= `ranging_adx`
    normal     else

The risk budget of one trade, a fraction of the sleeve: `budget_ratio`, times `volatile_times` in a volatile
market and `trending_times` in a trending one. It is a wish, told in the evidence: limits are the gate's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

import numpy as np

from core.types import ONE
from core.verdict import Figures
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators.trend import adx
from strategy.auxiliary.modules.proposal import number, rounded

FRAME: Final = "1H"
REGIME_BARS: Final = 200
DAY_BARS: Final = 24
WEEK_BARS: Final = 168

PARAMETERS: Final = (
    number(
        "volatile_ratio",
        "deviation of a day over that of a week, from which it is volatile",
        "ratio",
        "1.5",
        "1.1",
        "3",
    ),
    number("trending_adx", "ADX from which there is a trend", "", "25", "20", "40"),
    number("ranging_adx", "ADX up to which there is a range", "", "20", "10", "20"),
    number("budget_ratio", "risk of one trade, of the sleeve", "ratio", "0.005", "0.001", "0.02"),
    number("volatile_times", "the same in a volatile market", "times", "0.5", "0.1", "1"),
    number("trending_times", "the same in a trending one", "times", "1.5", "1", "2"),
)


class Regime(StrEnum):
    NORMAL = "normal"
    VOLATILE = "volatile"
    TRENDING = "trending"
    RANGING = "ranging"


@dataclass(frozen=True, slots=True)
class Weather:
    """A regime and what it follows from. `budget_ratio` is of the sleeve, per trade."""

    regime: Regime
    adx: float
    volatility_ratio: float
    budget_ratio: Decimal

    @property
    def figures(self) -> Figures:
        return (
            ("regime", self.regime.value),
            ("adx_1h", rounded(self.adx, 4)),
            ("volatility_day_over_week_ratio", rounded(self.volatility_ratio, 4)),
            ("risk_budget_ratio", self.budget_ratio),
        )


def weather_of(bars: Bars, settings: Mapping[str, Decimal]) -> Weather:
    """Return the regime at the close of the last of these hours; at least REGIME_BARS of them."""
    hours = bars.last(REGIME_BARS)
    strength = float(adx(hours.high, hours.low, hours.close, 14)[-1])
    returns = np.diff(np.log(hours.close[-1 - WEEK_BARS :]))
    week = float(returns.std())
    # A still week has no deviation to compare with: it is as volatile as always.
    ratio = float(returns[-DAY_BARS:].std()) / week if week > 0 else 1.0
    if ratio >= settings["volatile_ratio"]:
        regime, times = Regime.VOLATILE, settings["volatile_times"]
    elif strength >= settings["trending_adx"]:
        regime, times = Regime.TRENDING, settings["trending_times"]
    elif strength <= settings["ranging_adx"]:
        regime, times = Regime.RANGING, ONE
    else:
        regime, times = Regime.NORMAL, ONE
    return Weather(regime, strength, ratio, settings["budget_ratio"] * times)
