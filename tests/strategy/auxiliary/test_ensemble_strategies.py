from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from core.types import Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.language import settings_of
from strategy.auxiliary.modules.ensemble import regime, strategies
from strategy.auxiliary.modules.ensemble.regime import REGIME_BARS, Regime, Weather, weather_of
from strategy.auxiliary.modules.ensemble.strategies import (
    SUITS,
    TRIGGER_BARS,
    Strategy,
    Trigger,
    breakout,
    oscillation,
    pullback,
    trigger,
)
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import bars_of_closes, column, mirrored

D = Decimal
PARAMETERS = (*strategies.PARAMETERS, *regime.PARAMETERS)


def settings(**given: str) -> dict[str, Decimal]:
    return dict(settings_of(PARAMETERS, {name: D(value) for name, value in given.items()}))


# --- the regime --------------------------------------------------------------------------------


def hours(closes: Sequence[float] | np.ndarray[tuple[int], np.dtype[np.float64]]) -> Bars:
    return bars_of_closes(column(closes), wick=0.1)


def swing(count: int = REGIME_BARS, size: float = 1.0) -> list[float]:
    return list(100 + size * np.sin(np.arange(count) * 0.9))


def weather(bars: Bars, **given: str) -> Weather:
    return weather_of(bars, settings(**given))


def test_hours_that_swing_without_direction_are_a_range() -> None:
    seen = weather(hours(swing()))
    assert seen.regime is Regime.RANGING and seen.adx < 20
    assert seen.budget_ratio == D("0.005")


def test_hours_that_walk_one_way_are_a_trend_with_half_as_much_again_to_risk() -> None:
    for step in (0.1, -0.1):
        seen = weather(hours(100 + step * np.arange(REGIME_BARS)))
        assert seen.regime is Regime.TRENDING and seen.adx > 25
        assert seen.budget_ratio == D("0.0075")


def test_a_day_that_swings_more_than_its_week_is_volatile_with_half_to_risk_whatever_the_trend() -> None:
    wild = [*swing(REGIME_BARS - 24, 0.3), *swing(24, 3.0)]
    assert weather(hours(wild)).regime is Regime.VOLATILE
    assert weather(hours(wild)).budget_ratio == D("0.0025")
    climb = [*swing(REGIME_BARS - 24, 0.3), *(100 + 2.0 * np.arange(24) + 3 * (np.arange(24) % 2))]
    assert weather(hours(climb)).adx > 25 and weather(hours(climb)).regime is Regime.VOLATILE


def test_between_range_and_trend_it_is_normal() -> None:
    walk = hours(100 + 0.1 * np.arange(REGIME_BARS) + 2 * np.sin(np.arange(REGIME_BARS) / 3))
    strength = weather(walk).adx
    assert 20 < strength < 40
    assert weather(walk, trending_adx="40").regime is Regime.NORMAL
    assert weather(walk, trending_adx="40").budget_ratio == D("0.005")
    assert weather(walk, trending_adx="20").regime is Regime.TRENDING


def test_a_still_market_is_a_range_and_as_volatile_as_always() -> None:
    still = weather(bars_of_closes([100.0] * REGIME_BARS, wick=0.0))
    assert (still.regime, still.volatility_ratio) == (Regime.RANGING, 1)


def test_the_budget_is_what_the_parameters_make_it() -> None:
    trend = hours(100 + 0.1 * np.arange(REGIME_BARS))
    assert weather(trend, budget_ratio="0.01", trending_times="2").budget_ratio == D("0.02")


def test_the_day_is_the_last_24_hours_and_the_week_the_last_168() -> None:
    closes = 100 + np.cumsum(
        np.random.default_rng(5).normal(0, 0.3, REGIME_BARS) * np.linspace(0.5, 2, REGIME_BARS)
    )
    returns = np.diff(np.log(closes))
    expected = returns[-24:].std() / returns[-168:].std()
    assert weather(hours(closes)).volatility_ratio == pytest.approx(expected)


def test_every_regime_has_the_strategy_that_suits_it() -> None:
    assert SUITS == {
        Regime.RANGING: Strategy.OSCILLATION,
        Regime.TRENDING: Strategy.PULLBACK,
        Regime.NORMAL: Strategy.BREAKOUT,
        Regime.VOLATILE: Strategy.BREAKOUT,
    }


# --- A: oscillation ----------------------------------------------------------------------------

CALM = [100 + 0.3 * (n % 2) for n in range(TRIGGER_BARS - 2)]
FALL = [*CALM, 99.9, 97.0]  # the close before stands in the middle of its band


def test_a_fall_below_the_band_with_a_low_rsi_is_bought() -> None:
    found = oscillation(bars_of_closes(FALL, frame="5m"), settings())
    assert found is not None and (found.strategy, found.side, found.frame) == (
        Strategy.OSCILLATION,
        Side.BUY,
        "5m",
    )
    assert dict(found.figures)["rsi_14"] < 30 and found.support_px is None


@pytest.mark.parametrize(
    ("closes", "given"),
    [
        ([*CALM, 99.9, 99.85], {}),  # inside the band
        ([*CALM, 97.0, 96.0], {}),  # below it since the bar before
        (FALL, {"buy_rsi": "10"}),  # the RSI is not that low
        ([*CALM, 99.9, 103.0], {"sell_rsi": "90"}),
        ([*CALM, 100.0, 100.1], {}),
    ],
)
def test_without_one_of_its_conditions_there_is_no_oscillation(
    closes: list[float], given: dict[str, str]
) -> None:
    assert oscillation(bars_of_closes(closes, frame="5m"), settings(**given)) is None


def test_a_low_rsi_away_from_the_band_is_nothing() -> None:
    slide = bars_of_closes(100 - 0.01 * np.arange(TRIGGER_BARS) ** 1.0, frame="5m")
    assert oscillation(slide, settings()) is None


def test_a_close_on_the_band_is_at_its_edge_and_a_lower_limit_moves_it() -> None:
    rsi = dict(_found(oscillation(bars_of_closes(FALL), settings())).figures)["rsi_14"]
    assert oscillation(bars_of_closes(FALL), settings(buy_rsi=str(int(rsi)))) is None
    assert oscillation(bars_of_closes(FALL), settings(buy_rsi=str(int(rsi) + 1))) is not None


# --- B: breakout -------------------------------------------------------------------------------

FLAT = [100 + 0.25 * (n % 2) for n in range(TRIGGER_BARS - 1)]
LOUD = [1.0] * (TRIGGER_BARS - 1) + [3.0]  # 3 / 1.1: 2.73 times the mean


def broken(
    last: float, volumes: list[float] = LOUD, flat: list[float] = FLAT, **given: str
) -> Trigger | None:
    return breakout(bars_of_closes([*flat, last], volumes, frame="15m", wick=0.125), settings(**given))


def test_a_close_above_the_prior_high_with_volume_is_bought() -> None:
    found = _found(broken(100.5))
    assert (found.strategy, found.side, found.frame) == (Strategy.BREAKOUT, Side.BUY, "15m")
    assert dict(found.figures) == {"volume_times_mean": D("2.727"), "broken_px": D("100.375")}


def test_a_close_below_the_prior_low_with_volume_is_sold_short() -> None:
    assert _found(broken(99.8)).side is Side.SELL


@pytest.mark.parametrize("last", [100.375, 100.25, 99.875, 100.0])
def test_inside_the_range_or_on_its_edge_nothing_is_broken(last: float) -> None:
    assert broken(last) is None


def test_without_volume_a_break_is_nothing() -> None:
    assert broken(100.5, [1.0] * TRIGGER_BARS) is None
    assert broken(100.5, breakout_volume="2.72") is not None
    assert broken(100.5, breakout_volume="2.73") is None
    assert broken(100.5, [0.0] * TRIGGER_BARS) is None


def test_only_the_bar_that_breaks_speaks() -> None:
    already = [*FLAT[:-1], 100.6]
    assert broken(101.0, flat=already) is None
    assert _found(broken(99.8, flat=already)).side is Side.SELL  # the other side is a break of its own


def test_a_longer_range_has_a_higher_high() -> None:
    spiked = [*FLAT]
    spiked[-50] = 101.0
    assert broken(100.5, flat=spiked, breakout_bars="20") is not None
    assert broken(100.5, flat=spiked, breakout_bars="60") is None


# --- C: pullback -------------------------------------------------------------------------------

RISE = [100 + 0.2 * n for n in range(TRIGGER_BARS - 5)]
DIP = [RISE[-1] - 0.8, RISE[-1] - 1.6, RISE[-1] - 2.2, RISE[-1] - 2.0]  # down to the middle average
TURN = [RISE[-1] + 0.5]


def came_back(*parts: list[float], **given: str) -> Trigger | None:
    closes = [close for part in parts for close in part]
    return pullback(bars_of_closes(closes, frame="4H", wick=0.1), settings(**given))


def test_a_rise_that_came_back_to_its_average_and_turns_is_bought_with_the_slow_average_as_support() -> None:
    found = _found(came_back(RISE, DIP, TURN))
    assert (found.strategy, found.side, found.frame) == (Strategy.PULLBACK, Side.BUY, "4H")
    figures = {name: float(value) for name, value in found.figures}  # type: ignore[arg-type]
    assert figures["ema_short_px"] > figures["ema_long_px"] > figures["ema_slow_px"]
    assert found.support_px is not None and float(found.support_px) == figures["ema_slow_px"]


def test_a_rise_that_did_not_reach_its_middle_average_has_not_come_back() -> None:
    shallow = [RISE[-1] + each for each in (0.1, 0.0, -0.1, -0.2)]
    assert came_back(RISE, shallow, TURN) is None


def test_a_pullback_that_has_not_turned_or_turned_before_is_nothing() -> None:
    assert came_back(RISE[1:], DIP, [RISE[-1] - 1.9, RISE[-1] - 1.8]) is None
    assert came_back(RISE[1:], DIP, [*TURN, TURN[0] + 0.2]) is None


def test_a_pullback_that_is_too_long_ago_does_not_count() -> None:
    assert came_back(RISE, DIP, TURN, pullback_bars="2") is not None
    ago = [*DIP[:3], *(RISE[-1] - each for each in (1.0, 1.2, 1.3))]
    assert came_back(RISE[2:], ago, TURN, pullback_bars="2") is None
    assert came_back(RISE[2:], ago, TURN, pullback_bars="5") is not None


@pytest.mark.parametrize(("depth", "enters"), [(4.5, True), (6.0, False)])
def test_one_close_through_the_slow_average_ends_the_trend(depth: float, enters: bool) -> None:
    dip = [RISE[-1] - each for each in (depth, -0.3, -0.4, 1.0, 2.0)]
    assert (came_back(RISE[1:], dip, TURN) is not None) is enters


@pytest.mark.parametrize(("turn", "enters"), [(0.0, True), (-2.5, False)])
def test_a_short_average_below_the_middle_one_is_no_trend(turn: float, enters: bool) -> None:
    """Eight bars down and along: a small rise leaves the short average below the middle one."""
    dip = [RISE[-1] - each for each in (0.75, 1.5, 2.25, 3.0, 3.0, 3.0, 3.06, 3.15)]
    assert (came_back(RISE[4:], dip, [RISE[-1] + turn]) is not None) is enters


@pytest.mark.parametrize(("before", "enters"), [(98.0, True), (100.0, False)])
def test_a_middle_average_below_the_slow_one_is_no_trend(before: float, enters: bool) -> None:
    """The same bounce out of a base, after a rise to the base and after a fall to it."""
    level, base = [before] * (TRIGGER_BARS - 26), [99.0] * 20
    bounce = [99.7] * 4 + [99.56, 99.8]
    bars = bars_of_closes([*level, *base, *bounce], frame="4H", wick=0.5)
    assert (pullback(bars, settings(pullback_bars="6")) is not None) is enters


# --- mirror, frames ----------------------------------------------------------------------------

SCENES = {
    oscillation: bars_of_closes(FALL, frame="5m"),
    breakout: bars_of_closes([*FLAT, 100.5], LOUD, frame="15m", wick=0.125),
    pullback: bars_of_closes([*RISE, *DIP, *TURN], frame="4H", wick=0.1),
}


@pytest.mark.parametrize("strategy", list(SCENES), ids=lambda each: each.__name__)
def test_the_mirror_image_of_a_market_is_the_other_side(strategy: object) -> None:
    bars = SCENES[strategy]  # type: ignore[index]
    assert strategy(bars, settings()).side is Side.BUY  # type: ignore[operator]
    assert strategy(mirrored(bars), settings()).side is Side.SELL  # type: ignore[operator]


def test_a_bar_that_closed_earlier_triggers_nothing() -> None:
    bars = {"15m": SCENES[breakout], "1H": replace(SCENES[breakout], frame="1H")}
    later = START_MS + 15 * 60_000
    assert trigger(Strategy.BREAKOUT, bars, START_MS, settings()) is not None
    assert trigger(Strategy.BREAKOUT, bars, later, settings()) is None


def test_of_two_frames_that_trigger_at_one_instant_the_longer_is_heard() -> None:
    quiet = bars_of_closes([100.0] * TRIGGER_BARS, frame="1H")
    both = {"15m": SCENES[breakout], "1H": bars_of_closes([*FLAT, 100.5], LOUD, frame="1H", wick=0.125)}
    assert _found(trigger(Strategy.BREAKOUT, both, START_MS, settings())).frame == "1H"
    one = {**both, "1H": quiet}
    assert _found(trigger(Strategy.BREAKOUT, one, START_MS, settings())).frame == "15m"


def test_the_oscillation_is_looked_for_on_the_chosen_frame() -> None:
    both = {"1m": bars_of_closes(CALM, frame="1m"), "5m": SCENES[oscillation]}
    assert trigger(Strategy.OSCILLATION, both, START_MS, settings(fast_frame="0")) is None
    assert trigger(Strategy.OSCILLATION, both, START_MS, settings(fast_frame="1")) is not None


def _found(found: Trigger | None) -> Trigger:
    assert found is not None
    return found
