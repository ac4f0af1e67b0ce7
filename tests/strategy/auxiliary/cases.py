"""Every indicator once: its columns, its exact formula, its twin, and where it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from strategy.auxiliary.indicators import averages, momentum, streaming, trend, volatility, volume
from strategy.auxiliary.indicators.columns import Column
from tests.strategy.auxiliary import plain
from tests.strategy.auxiliary.plain import Row
from tests.strategy.auxiliary.series import Market

F = Fraction


@dataclass(frozen=True)
class Case:
    """unknown: how many places at the beginning of each column are NaN. priced: in the price's unit."""

    name: str
    batch: Callable[[Market], Any]
    exact: Callable[[plain.Prices], Any]
    twin: Callable[[], Any]
    unknown: tuple[int, ...]
    priced: bool = False

    def columns(self, market: Market) -> tuple[Column, ...]:
        made = self.batch(market)
        return made if isinstance(made, tuple) else (made,)

    def rows(self, market: Market) -> tuple[Row, ...]:
        made = self.exact(market.prices)
        return made if isinstance(made, tuple) else (made,)

    def fed(self, market: Market) -> list[tuple[float, ...]]:
        twin = self.twin()
        figures = [twin.update(candle) for candle in market.candles]
        return [made if isinstance(made, tuple) else (made,) for made in figures]


def hlc(market: Market) -> tuple[Column, Column, Column]:
    return market.high, market.low, market.close


CASES = (
    Case("sma", lambda m: averages.sma(m.close, 5), lambda p: plain.sma(p.close, 5),
         lambda: streaming.Sma(5), (4,), True),
    Case("sma of one", lambda m: averages.sma(m.close, 1), lambda p: plain.sma(p.close, 1),
         lambda: streaming.Sma(1), (0,), True),
    Case("ema", lambda m: averages.ema(m.close, 20), lambda p: plain.ema(p.close, 20),
         lambda: streaming.Ema(20), (19,), True),
    Case("ema of one", lambda m: averages.ema(m.close, 1), lambda p: plain.ema(p.close, 1),
         lambda: streaming.Ema(1), (0,), True),
    Case("rsi", lambda m: momentum.rsi(m.close), lambda p: plain.rsi(p.close, 14),
         lambda: streaming.Rsi(), (14,)),
    Case("rsi of 2", lambda m: momentum.rsi(m.close, 2), lambda p: plain.rsi(p.close, 2),
         lambda: streaming.Rsi(2), (2,)),
    Case("macd", lambda m: momentum.macd(m.close), lambda p: plain.macd(p.close, 12, 26, 9),
         lambda: streaming.Macd(), (33, 33, 33), True),
    Case("stoch_rsi", lambda m: momentum.stoch_rsi(m.close),
         lambda p: plain.stoch_rsi(p.close, 14, 14, 3, 3), lambda: streaming.StochRsi(), (29, 31)),
    Case("ultimate", lambda m: momentum.ultimate(*hlc(m)), lambda p: plain.ultimate(p, 7, 14, 28),
         lambda: streaming.Ultimate(), (28,)),
    Case("cci", lambda m: momentum.cci(*hlc(m)), lambda p: plain.cci(p, 20),
         lambda: streaming.Cci(), (19,)),
    Case("williams", lambda m: momentum.williams(*hlc(m)), lambda p: plain.williams(p, 14),
         lambda: streaming.Williams(), (13,)),
    Case("adx", lambda m: trend.adx(*hlc(m)), lambda p: plain.adx(p, 14), lambda: streaming.Adx(), (27,)),
    Case("adx of 5", lambda m: trend.adx(*hlc(m), 5), lambda p: plain.adx(p, 5),
         lambda: streaming.Adx(5), (9,)),
    Case("supertrend", lambda m: trend.supertrend(*hlc(m)), lambda p: plain.supertrend(p, 10, F(3)),
         lambda: streaming.SuperTrend(), (10, 10), True),
    Case("supertrend of 3", lambda m: trend.supertrend(*hlc(m), 3, 1.0),
         lambda p: plain.supertrend(p, 3, F(1)), lambda: streaming.SuperTrend(3, 1.0), (3, 3), True),
    Case("psar", lambda m: trend.psar(m.high, m.low), lambda p: plain.psar(p, F("0.02"), F("0.2")),
         lambda: streaming.Psar(), (1,), True),
    Case("ichimoku", lambda m: trend.ichimoku(m.high, m.low), lambda p: plain.ichimoku(p, 9, 26, 52),
         lambda: streaming.Ichimoku(), (8, 25, 51, 77), True),
    Case("ichimoku of 3, 5, 8", lambda m: trend.ichimoku(m.high, m.low, 3, 5, 8),
         lambda p: plain.ichimoku(p, 3, 5, 8), lambda: streaming.Ichimoku(3, 5, 8), (2, 4, 9, 12), True),
    Case("atr", lambda m: volatility.atr(*hlc(m)), lambda p: plain.atr(p, 14),
         lambda: streaming.Atr(), (14,), True),
    Case("atr of one", lambda m: volatility.atr(*hlc(m), 1), lambda p: plain.atr(p, 1),
         lambda: streaming.Atr(1), (1,), True),
    Case("bollinger", lambda m: volatility.bollinger(m.close), lambda p: plain.bollinger(p.close, 20, F(2)),
         lambda: streaming.Bollinger(), (19, 19, 19), True),
    Case("keltner", lambda m: volatility.keltner(*hlc(m)), lambda p: plain.keltner(p, 20, F(2), 10),
         lambda: streaming.Keltner(), (19, 19, 19), True),
    Case("keltner with the longer range", lambda m: volatility.keltner(*hlc(m), 5, 1.5, 9),
         lambda p: plain.keltner(p, 5, F(3, 2), 9), lambda: streaming.Keltner(5, 1.5, 9), (9, 9, 9), True),
    Case("atr_channel", lambda m: volatility.atr_channel(*hlc(m)),
         lambda p: plain.atr_channel(p, 14, F(2)), lambda: streaming.AtrChannel(), (14, 14, 14), True),
    Case("obv", lambda m: volume.obv(m.close, m.volume), plain.obv, lambda: streaming.Obv(), (0,)),
    Case("cmf", lambda m: volume.cmf(*hlc(m), m.volume), lambda p: plain.cmf(p, 20),
         lambda: streaming.Cmf(), (19,)),
    Case("mfi", lambda m: volume.mfi(*hlc(m), m.volume), lambda p: plain.mfi(p, 14),
         lambda: streaming.Mfi(), (14,)),
    Case("relative_volume", lambda m: volume.relative_volume(m.volume),
         lambda p: plain.relative_volume(p.volume, 10), lambda: streaming.RelativeVolume(), (9,)),
)  # fmt: skip

NAMES = [case.name for case in CASES]
