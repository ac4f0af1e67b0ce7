"""Markets for the indicator tests: made of fractions, shown as columns, as candles and as fractions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from random import Random

import numpy as np
from hypothesis import strategies as st

from core.types import HOUR_MS, Candle
from strategy.auxiliary.indicators.columns import Column
from tests.strategy.auxiliary.plain import Prices

T0 = 1_704_067_200_000


def column(values: Sequence[float]) -> Column:
    """A read-only column: an indicator that wrote into its input would raise."""
    made = np.array(values, dtype=np.float64)
    made.flags.writeable = False
    return made


@dataclass(frozen=True)
class Market:
    high: Column
    low: Column
    close: Column
    volume: Column

    def __len__(self) -> int:
        return len(self.close)

    @cached_property
    def prices(self) -> Prices:
        """The very numbers of the columns, exactly."""
        exact = [tuple(map(Fraction, x.tolist())) for x in (self.high, self.low, self.close, self.volume)]
        return Prices(*exact)

    @cached_property
    def candles(self) -> list[Candle]:
        rows = zip(self.high, self.low, self.close, self.volume, strict=True)
        return [
            Candle(T0 + at * HOUR_MS, Decimal(float(c)), *(Decimal(float(x)) for x in (h, low, c, v)))
            for at, (h, low, c, v) in enumerate(rows)
        ]

    def first(self, count: int) -> Market:
        return Market(self.high[:count], self.low[:count], self.close[:count], self.volume[:count])


def market_of(rows: Sequence[tuple[float, float, float, float]]) -> Market:
    return Market(*(column([row[place] for row in rows]) for place in range(4)))


def walk(seed: int, bars: int, price: int = 400) -> Market:
    """A random walk in quarters, so that every number in it is exact; some bars stand still."""
    random, close, rows = Random(seed), price * 4, []
    for _ in range(bars):
        step = random.choice((-9, -4, -1, 0, 0, 1, 4, 9)) if close > 100 else 9
        close += step
        high = max(close, close - step) + random.choice((0, 1, 3))
        low = min(close, close - step) - random.choice((0, 1, 3))
        volume = random.choice((0, 1, 5, 20, 100))
        rows.append((high / 4, low / 4, close / 4, float(volume)))
    return market_of(rows)


@st.composite
def markets(draw: st.DrawFn, max_bars: int = 120) -> Market:
    """Positive prices of any size, up to 20 % a bar, with stretches of rest and bars nothing trades in."""
    close = draw(st.floats(-12, 12).map(lambda power: 10.0**power))
    unit = draw(st.sampled_from((1e-9, 1.0, 1e9)))
    moves = st.one_of(st.just(0.0), st.floats(-0.2, 0.2), st.floats(-1e-9, 1e-9))
    wicks = st.one_of(st.just(0.0), st.floats(0, 0.1))
    volumes = st.one_of(st.just(0.0), st.floats(0.001, 1_000))
    bars = st.tuples(moves, wicks, wicks, volumes, st.sampled_from((1, 1, 1, 1, 3, 15, 30)))
    rows: list[tuple[float, float, float, float]] = []
    for move, above, below, volume, repeats in draw(
        st.lists(bars, min_size=draw(st.sampled_from((0, 0, 20, 40))), max_size=80)
    ):
        before, close = close, close * (1 + move)
        high, low = max(before, close) * (1 + above), min(before, close) * (1 - below)
        rows.append((high, low, close, volume * unit))
        rows.extend([(close, close, close, 0.0)] * (repeats - 1))
    return market_of(rows[:max_bars])
