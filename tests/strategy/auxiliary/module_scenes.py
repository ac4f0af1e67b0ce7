"""Bars made by hand, their mirror image, and the Look that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from core.context import MarketView
from strategy.auxiliary.bars import FRAME_MS, Bars, Column
from strategy.auxiliary.language import Look, Signal
from tests.fakes import START_MS, btc

D = Decimal
NAME = "BTC-USDT"


def column(values: Sequence[float] | Column) -> Column:
    made = np.array(values, dtype=np.float64)
    made.flags.writeable = False
    return made


def bars_of_closes(
    closes: Sequence[float] | Column,
    volumes: Sequence[float] | Column | None = None,
    frame: str = "1H",
    wick: float = 0.5,
    closed_ms: int = START_MS,
) -> Bars:
    """Bars that open where the one before closed and reach `wick` beyond both. `closed_ms` is the end."""
    close = column(closes)
    opened = column(np.concatenate((close[:1], close[:-1])))
    first_ms = closed_ms - len(close) * FRAME_MS[frame]
    return Bars(
        NAME,
        frame,
        first_ms + np.arange(len(close), dtype=np.int64) * FRAME_MS[frame],
        opened,
        column(np.maximum(opened, close) + wick),
        column(np.minimum(opened, close) - wick),
        close,
        column(np.ones(len(close)) if volumes is None else volumes),
    )


def mirrored(bars: Bars) -> Bars:
    """The same bars upside down, about the last close: every rise is a fall of the same size."""
    about = 2 * bars.close[-1]
    return replace(
        bars,
        open=column(about - bars.open),
        high=column(about - bars.low),
        low=column(about - bars.high),
        close=column(about - bars.close),
    )


def extended(bars: Bars, close: float, volume: float) -> Bars:
    """The bars and one more, which opens where they closed."""
    high, low = max(bars.close[-1], close), min(bars.close[-1], close)
    return replace(
        bars,
        ts_ms=np.append(bars.ts_ms, bars.closed_ms),
        open=column([*bars.open, bars.close[-1]]),
        high=column([*bars.high, high]),
        low=column([*bars.low, low]),
        close=column([*bars.close, close]),
        volume=column([*bars.volume, volume]),
    )


def look_at(*shown: Bars, late_ms: int = 0, **rest: Any) -> Look:
    """What a module sees `late_ms` after the first of these closed."""
    return Look(shown[0].closed_ms + late_ms, NAME, {bars.frame: bars for bars in shown}, **rest)


def market(**seen: Any) -> MarketView:
    return MarketView(btc(), **seen)


def figures(signal: Signal | None) -> dict[str, Any]:
    assert signal is not None, "nothing was proposed"
    return dict(signal.evidence)


def columns_of(bars: Bars) -> tuple[bytes, ...]:
    """Every byte of the bars, to see that nobody wrote into them."""
    columns = (bars.ts_ms, bars.open, bars.high, bars.low, bars.close, bars.volume)
    return tuple(each.tobytes() for each in columns)


@st.composite
def random_bars(draw: st.DrawFn, count: int, frame: str = "1H") -> Bars:
    """A walk of seeded steps that ends as hypothesis likes: flat, wild, tiny prices, no volume."""
    walk = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from((0.0, 1e-4, 0.01, 0.2)))
    steps = walk.normal(0, 1, count) * scale
    last = draw(st.lists(st.floats(-0.5, 0.5), min_size=0, max_size=12))
    if last:
        steps[-len(last) :] = last
    price = draw(st.sampled_from((1e-6, 1.0, 50_000.0)))
    close = price * np.exp(np.clip(np.cumsum(steps), -12, 12))
    opened = np.concatenate((close[:1], close[:-1]))
    volume = walk.exponential(1, count) * draw(st.sampled_from((0.0, 1.0, 1e9)))
    tail = draw(st.lists(st.floats(0, 1e6), min_size=0, max_size=12))
    if tail:
        volume[-len(tail) :] = tail
    reach = 1 + walk.random(count) * scale
    return Bars(
        NAME,
        frame,
        START_MS + (np.arange(count, dtype=np.int64) - count) * FRAME_MS[frame],
        column(opened),
        column(np.maximum(opened, close) * reach),
        column(np.minimum(opened, close) / reach),
        column(close),
        column(volume),
    )
