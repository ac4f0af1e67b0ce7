"""The signal modules by name. To add one is to write it and to name it here.

To ask for one is to import what it computes with: numpy and TA-Lib.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from strategy.auxiliary.language import Module
from strategy.auxiliary.modules.confluence import Confluence
from strategy.auxiliary.modules.counter_sentiment import CounterSentiment
from strategy.auxiliary.modules.ensemble import Ensemble
from strategy.auxiliary.modules.factor_score import FactorScore
from strategy.auxiliary.modules.neutral_grid import NeutralGrid
from strategy.auxiliary.modules.trend_breakout import TrendBreakout

MODULES: Final[Mapping[str, Callable[[Mapping[str, Decimal]], Module]]] = {
    "confluence": Confluence,
    "counter_sentiment": CounterSentiment,
    "ensemble": Ensemble,
    "factor_score": FactorScore,
    "neutral_grid": NeutralGrid,
    "trend_breakout": TrendBreakout,
}
