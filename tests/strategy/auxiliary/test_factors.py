"""Every factor is its formula, keeps its bounds, and is the same upside down."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS, SettledFunding, Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators.trend import adx
from strategy.auxiliary.indicators.volatility import atr
from strategy.auxiliary.indicators.volume import cmf
from strategy.auxiliary.modules.factors import (
    CARRY,
    QUALITIES,
    SIGNED,
    WINDOW,
    Lengths,
    factor_series,
    last_rate_8h,
    measured,
    support,
)
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import D, bars_of_closes, columns_of, mirrored, random_bars

PAID = (
    SettledFunding(START_MS - 24 * HOUR_MS, D("0.0001")),
    SettledFunding(START_MS - 16 * HOUR_MS, D("0.0002")),
    SettledFunding(START_MS - 8 * HOUR_MS, D("0.0003")),
    SettledFunding(START_MS, D("-0.0004")),
)


def walk(seed: int = 1, count: int = WINDOW) -> Bars:
    rng = np.random.default_rng(seed)
    return bars_of_closes(
        1000 + np.cumsum(rng.normal(0, 2, count)), rng.exponential(300, count), wick=float(rng.random())
    )


def factors_of(bars: Bars) -> dict[str, float]:
    return measured(bars, PAID, Lengths())


def plain(bars: Bars) -> dict[str, float]:
    """The formulas of the module's docstring, number by number."""
    c, h, low, v = (list(map(float, column)) for column in (bars.close, bars.high, bars.low, bars.volume))
    d = [c[n] - c[n - 1] for n in range(1, len(c))]
    rms = {n: math.sqrt(sum(x * x for x in d[-n:]) / n) for n in (24, 168)}
    strength = min(max(float(adx(bars.high, bars.low, bars.close, 14)[-1]), 10), 50) - 10
    side = 1 if c[-1] > sum(c[-168:]) / 168 else -1
    over, under = c[-1] - max(h[-56:-1]), c[-1] - min(low[-56:-1])
    beyond = (over if over > 0 else under if under < 0 else 0) / float(
        atr(bars.high, bars.low, bars.close, 14)[-1]
    )
    lagged = sum(x * y for x, y in zip(d[-168:-1], d[-167:], strict=True)) / sum(x * x for x in d[-168:])
    mean_volume = sum(v[-168:]) / 168
    values = {
        "momentum": (c[-1] - c[-25]) / (rms[168] * math.sqrt(24)) / 2,
        "trend": side * strength / 40,
        "reversion": -(c[-1] - c[-4]) / (rms[168] * math.sqrt(3)) / 2,
        "breakout": beyond,
        "money_flow": float(cmf(bars.high, bars.low, bars.close, bars.volume, 20)[-1]) / 0.25,
        "carry": -0.0003 / 0.0005,
    }
    qualities = {
        "expansion": (rms[24] / rms[168] - 0.5) / 1.5,
        "volume": (math.log2(sum(v[-3:]) / 3 / mean_volume) + 1) / 2,
        "liquidity": (math.log10(mean_volume * c[-1]) - 4) / 5,
        "persistence": 0.5 + 2.5 * lagged,
    }
    cut = {name: min(max(value, -1.0), 1.0) for name, value in values.items()}
    shares = {name: min(max(value, 0.0), 1.0) for name, value in qualities.items()}
    return cut | shares | {"volatility": 100 * rms[168] * math.sqrt(24) / c[-1]}


@pytest.mark.parametrize("seed", range(8))
def test_every_factor_is_its_published_formula(seed: int) -> None:
    bars = walk(seed)
    assert factors_of(bars) == pytest.approx(plain(bars), abs=1e-9)


def test_there_are_ten_factors_and_carry() -> None:
    assert len({*SIGNED, *QUALITIES} - {CARRY}) == 10
    assert factors_of(walk()).keys() == {*SIGNED, *QUALITIES}


@given(random_bars(WINDOW))
def test_every_factor_keeps_its_bounds_whatever_the_bars(bars: Bars) -> None:
    before, factors = columns_of(bars), factors_of(bars)
    assert all(-1 <= factors[name] <= 1 for name in SIGNED)
    assert all(0 <= factors[name] <= 1 for name in QUALITIES if name != "volatility")
    assert 0 <= factors["volatility"] < math.inf
    assert all(0 <= support(name, value, side) <= 1 for name, value in factors.items() for side in Side)
    assert columns_of(bars) == before


@given(st.integers(0, 2**32 - 1))
def test_upside_down_the_signed_change_their_sign_and_the_others_do_not_change(seed: int) -> None:
    bars = walk(seed)
    up, down = measured(bars, (), Lengths()), measured(mirrored(bars), (), Lengths())
    for name, value in up.items():
        assert down[name] == pytest.approx(-value if name in SIGNED else value, abs=1e-9), name


@pytest.mark.parametrize(
    ("name", "worse", "better"),
    [("momentum", -0.5, 0.5), ("carry", -1.0, 0.2), ("expansion", 0.1, 0.9), ("volatility", 7.0, 2.5)],
)
def test_support_grows_with_what_speaks_for_a_side(name: str, worse: float, better: float) -> None:
    assert support(name, worse, Side.BUY) < support(name, better, Side.BUY)
    sides = support(name, better, Side.BUY), support(name, better, Side.SELL)
    assert (sides[0] == sides[1]) == (name in QUALITIES)


@pytest.mark.parametrize(("percent", "share"), [(0.5, 1.0), (2.0, 1.0), (5.0, 0.5), (8.0, 0.0), (30.0, 0.0)])
def test_a_market_is_no_burden_up_to_two_percent_a_day_and_all_of_it_at_eight(
    percent: float, share: float
) -> None:
    assert support("volatility", percent, Side.SELL) == share


def test_a_rate_that_settles_as_the_bar_closes_was_not_known_then() -> None:
    assert last_rate_8h(PAID, START_MS) == pytest.approx(0.0003)
    assert last_rate_8h(PAID, START_MS + 1) == pytest.approx(-0.0004)


def test_a_rate_is_scaled_by_its_interval_and_a_hole_is_no_interval() -> None:
    hourly = (PAID[0], SettledFunding(PAID[0].ts_ms + HOUR_MS, D("0.0001")))
    holed = (PAID[0], SettledFunding(PAID[0].ts_ms + 80 * HOUR_MS, D("0.0001")))
    assert last_rate_8h(hourly, START_MS) == pytest.approx(0.0008)
    assert last_rate_8h(holed, START_MS + 99 * HOUR_MS) == pytest.approx(0.0001)


def test_without_two_settlements_there_is_no_carry_and_the_rest_stands() -> None:
    bars = walk()
    assert last_rate_8h(PAID[:1], START_MS) is None and last_rate_8h((), START_MS) is None
    assert last_rate_8h((PAID[0], PAID[0]), START_MS) is None
    alone = measured(bars, PAID[:1], Lengths())
    assert CARRY not in alone and alone == {k: v for k, v in factors_of(bars).items() if k != CARRY}


@pytest.mark.parametrize("seed", range(6))
def test_older_bars_than_the_window_change_nothing(seed: int) -> None:
    long = walk(seed, WINDOW + 50)
    assert factors_of(long) == factors_of(long.last(WINDOW))


def test_a_series_is_every_bar_as_it_was_seen_then() -> None:
    bars = walk(4, WINDOW + 5)
    series = factor_series(bars, PAID)
    assert all(np.isnan(column[: WINDOW - 1]).all() for column in series.values())
    for ago in range(6):
        seen = measured(bars.without_last(ago), PAID, Lengths())
        assert {name: column[-1 - ago] for name, column in series.items()} == seen


def test_a_series_without_funding_does_not_know_its_carry() -> None:
    series = factor_series(walk(4, WINDOW + 1))
    assert np.isnan(series[CARRY]).all() and not np.isnan(series["momentum"][-1])


@pytest.mark.parametrize("field", ["momentum", "trend", "reversion", "breakout"])
def test_every_length_that_may_be_tuned_changes_its_own_factor_only(field: str) -> None:
    usual = Lengths()
    other = replace(usual, **{field: getattr(usual, field) // 2})
    changed = set()
    for seed in range(40):
        one, two = (measured(walk(seed), (), lengths) for lengths in (usual, other))
        changed |= {name for name in one if one[name] != two[name]}
    assert changed == {field}
