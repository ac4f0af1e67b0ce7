"""The score is a sum one can read, it speaks when it reaches its least, and the plan follows the factors."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import HOUR_MS, Base, SettledFunding, Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.language import Holding, Parameter
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.modules.factor_score import WEIGHTS, FactorScore, Score
from strategy.auxiliary.modules.factors import SIGNED, WINDOW
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import (
    NAME,
    D,
    bars_of_closes,
    columns_of,
    figures,
    look_at,
    market,
    mirrored,
    random_bars,
)

MODULE = FactorScore()
COUNT = WINDOW + 1


def rally(push: float = 3.0, volume: float = 6_000.0, price: float = 1_000.0) -> Bars:
    """A drift upwards, a day of more of it, half a day's rest, and a last bar that breaks out with volume."""
    steps = np.random.default_rng(0)
    change = steps.normal(0.05, 1, COUNT)
    change[-24:] = steps.normal(0.3, 1, 24)
    change[-3:] = [-0.5, -0.5, push]
    volumes = np.full(COUNT, 1_000.0)
    volumes[-1] = volume
    return bars_of_closes(price + np.cumsum(change), volumes, wick=0.2)


LOOK = look_at(rally())


def paying(rate: str) -> tuple[SettledFunding, ...]:
    return tuple(SettledFunding(START_MS - n * 8 * HOUR_MS, D(rate)) for n in (3, 2, 1))


def test_where_the_factors_agree_there_is_a_long() -> None:
    signal = MODULE.signal(look_at(rally()))
    assert signal is not None and signal.side is Side.BUY and signal.strength >= 75
    assert signal.at_ms == START_MS and signal.valid_until_ms == START_MS + 90 * 60_000
    assert signal.px == Decimal(repr(float(rally().close[-1])))


def test_the_mirror_image_is_the_same_short() -> None:
    long, short = MODULE.signal(look_at(rally())), MODULE.signal(look_at(mirrored(rally())))
    assert long is not None and short is not None and short.side is Side.SELL
    assert abs(short.strength - long.strength) <= D("0.1")  # each of ten terms is rounded down
    assert short.plan.stop == long.plan.stop and short.px == long.px
    paid = MODULE.signal(look_at(rally(), market=market(settled=paying("0.0002"))))
    received = MODULE.signal(look_at(mirrored(rally()), market=market(settled=paying("-0.0002"))))
    assert figures(paid)["carry_points"] == figures(received)["carry_points"] == D("1.50")


def test_the_strength_is_the_sum_of_the_points_beside_every_factor() -> None:
    signal = MODULE.signal(look_at(rally(), market=market(settled=paying("0.0001"))))
    shown = figures(signal)
    worth = {name: shown[f"{name}_points"] for name in WEIGHTS}
    assert signal is not None and signal.strength == sum(worth.values())
    for name, weight in WEIGHTS.items():
        assert 0 <= worth[name] <= D(weight)  # the default weights add up to a hundred
        assert (f"{name}_pct" if name == "volatility" else name) in shown


def test_a_neutral_signed_factor_is_worth_half_its_weight() -> None:
    signal = MODULE.signal(look_at(rally(), market=market(settled=paying("0"))))
    assert figures(signal)["carry"] == 0 and figures(signal)["carry_points"] == D("2.50")


def test_without_funding_the_others_share_the_whole() -> None:
    signal = MODULE.signal(look_at(rally()))
    shown = figures(signal)
    assert "carry" not in shown and "carry_points" not in shown
    assert shown["momentum"] == 1 and shown["momentum_points"] == D("15.78")  # 15 of 95


@pytest.mark.parametrize("name", [name for name in WEIGHTS if name != "trend"])
def test_a_factor_without_weight_has_no_points_and_the_others_more(name: str) -> None:
    look = look_at(rally(), market=market(settled=paying("-0.0002")))
    full, less = (FactorScore(given).score(look.bars["1H"], paying("-0.0002")) for given in ({}, _no(name)))
    assert full is not None and less is not None and less.points[name] == 0
    assert all(
        less.points[other] > full.points[other] for other in WEIGHTS if full.points[other] and other != name
    )


def test_the_side_is_the_one_the_signed_factors_lean_to_by_weight() -> None:
    only_reversion = {f"weight_{name}": D(0) for name in SIGNED if name not in ("trend", "reversion")}
    against = FactorScore({**only_reversion, "weight_reversion": D(100), "weight_trend": D(1)})
    with_it, turned = MODULE.score(rally()), against.score(rally())
    assert with_it is not None and with_it.side is Side.BUY
    assert turned is not None and turned.side is Side.SELL


def test_a_market_that_stands_still_leans_to_no_side() -> None:
    assert MODULE.score(bars_of_closes(np.full(COUNT, 100.0), wick=0.0)) is None
    assert MODULE.signal(look_at(bars_of_closes(np.full(COUNT, 100.0), wick=0.0))) is None


def test_the_least_score_is_reached_and_not_only_passed() -> None:
    score = MODULE.score(rally())
    assert score is not None
    assert FactorScore({"min_score": score.total}).signal(look_at(rally())) is not None
    assert FactorScore({"min_score": score.total + D("0.01")}).signal(look_at(rally())) is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("momentum", {"push": -6.0}),
        ("breakout", {"push": 0.0}),
        ("money_flow", {"push": -6.0}),
        ("trend", {"push": -40.0}),
        ("volume", {"volume": 100.0}),
        ("liquidity", {"price": 300.0}),
        ("volatility", {"price": 100.0}),
        ("expansion", {"push": 0.0}),
    ],
)
def test_what_gets_worse_is_worth_fewer_points(name: str, change: dict[str, float]) -> None:
    good, worse = MODULE.score(rally()), MODULE.score(rally(**change))
    assert good is not None and worse is not None
    worth = worse.points[name] if worse.side is Side.BUY else D(0)
    assert worth < good.points[name]


def test_a_score_that_was_reached_before_is_not_news() -> None:
    again = bars_of_closes(
        [*rally().close, rally().close[-1] + 1],
        [*rally().volume, 6_000.0],
        wick=0.2,
        closed_ms=START_MS + HOUR_MS,
    )
    score = MODULE.score(again)
    assert score is not None and score.total >= 75
    assert MODULE.signal(look_at(again)) is None


def test_the_other_side_was_not_there_before_and_is_news() -> None:
    """A bar that broke out downwards, and one that breaks out upwards, in a market scored by little else."""
    only_breakout = {f"weight_{name}": D(0) for name in WEIGHTS if name not in ("trend", "breakout")}
    module = FactorScore({**only_breakout, "weight_breakout": D(100), "weight_trend": D(1)})
    bars = bars_of_closes([*(100.0 + n % 2 for n in range(COUNT - 2)), 90.0, 115.0])
    down, up = module.score(bars.without_last(1)), module.score(bars)
    assert down is not None and down.side is Side.SELL and down.total >= 75
    assert up is not None and up.side is Side.BUY and up.total >= 75
    assert module.signal(look_at(bars)) is not None


@pytest.mark.parametrize("seed", range(12))
def test_upside_down_every_bar_leans_to_the_other_side(seed: int) -> None:
    walk = np.random.default_rng(seed)
    bars = bars_of_closes(1_000 + np.cumsum(walk.normal(0, 2, COUNT)), walk.exponential(300, COUNT))
    one, other = MODULE.score(bars), MODULE.score(mirrored(bars))
    assert one is not None and other is not None and one.side is other.side.opposite
    assert abs(one.total - other.total) <= D("0.1")


def test_a_close_says_nothing_after_one_and_a_half_hours() -> None:
    assert MODULE.signal(look_at(rally(), late_ms=90 * 60_000)) is not None
    assert MODULE.signal(look_at(rally(), late_ms=90 * 60_000 + 1)) is None


def test_what_it_holds_already_it_does_not_ask_for_again() -> None:
    held = Holding(Side.BUY, Base(D(1)), D(1_100), START_MS - 1)
    assert MODULE.signal(look_at(rally(), holding=held)) is None
    assert MODULE.signal(look_at(rally(), holding=replace(held, side=Side.SELL))) is not None


@pytest.mark.parametrize(
    ("change", "stop", "first"),
    [
        ({}, "0.02", "0.04"),
        ({"strength": 71}, "0.016", "0.052"),  # the stop x 0.8, the targets x 1.3
        ({"trend": 0.61}, "0.02", "0.048"),  # the targets x 1.2
        ({"liquidity": 0.61}, "0.018", "0.04"),  # the stop x 0.9
        ({"volatility": 3.1}, "0.03", "0.04"),  # the stop x 1.5
        ({"strength": 71, "trend": 0.61, "liquidity": 0.61, "volatility": 3.1}, "0.0216", "0.0624"),
        ({"strength": 70, "trend": 0.6, "liquidity": 0.6, "volatility": 3.0}, "0.02", "0.04"),
    ],
)
def test_the_plan_is_stretched_by_every_rule_that_holds(
    change: dict[str, float], stop: str, first: str
) -> None:
    seen = {"strength": 60, "trend": 0.1, "liquidity": 0.1, "volatility": 1.0} | change
    for side in Side:
        factors = seen | {"trend": side.sign * seen["trend"]}
        plan, _ = MODULE.plan_for(Score(side, factors, {"all": D(seen["strength"])}))
        assert plan.stop.distances[0].ratio == D(stop)
        assert [target.distance.ratio for target in plan.targets] == [D(first), 2 * D(first)]
        assert plan.rules == () and plan.name == "ats"


@pytest.mark.parametrize(("trend", "hours"), [(0.0, 36), (0.5, 72), (1.0, 108), (-0.9, 36)])
def test_the_stronger_the_trend_behind_it_the_longer_it_may_be_held(trend: float, hours: int) -> None:
    factors = {"trend": trend, "liquidity": 0.5, "volatility": 1.0}
    plan, hold_h = MODULE.plan_for(Score(Side.BUY, factors, {"all": D(76)}))
    assert (hold_h, plan.max_hold_ms) == (hours, hours * HOUR_MS)


def test_the_signal_carries_the_plan_of_its_score() -> None:
    score, signal = MODULE.score(rally()), MODULE.signal(look_at(rally()))
    assert score is not None and signal is not None
    assert (signal.plan, figures(signal)["hold_h"]) == MODULE.plan_for(score)
    assert figures(signal)["hold_h"] != 72


def test_leverage_grows_with_strength_and_what_ats_would_state_stands_beside_it() -> None:
    signal = MODULE.signal(look_at(rally()))
    assert signal is not None
    part = (signal.strength - 75) / 25
    assert signal.wished_leverage == 1 + 2 * part
    assert figures(signal)["stated_leverage"] == 2 + 3 * part


@pytest.mark.parametrize("parameter", FactorScore.parameters, ids=lambda p: p.name)
def test_both_bounds_of_every_parameter_can_be_asked(parameter: Parameter) -> None:
    for value in (parameter.least, parameter.most):
        given_one = {"min_score": D(50)} | {parameter.name: value}
        score, signal = FactorScore(given_one).score(rally()), MODULES["factor_score"](given_one).signal(LOOK)
        assert score is not None and 50 < score.total <= 100
        assert signal is None or signal.strength == score.total


def test_all_bounds_at_once_can_be_asked() -> None:
    for bound in ("least", "most"):
        given_all = {p.name: getattr(p, bound) for p in FactorScore.parameters}
        score = FactorScore(given_all).score(rally())
        assert score is not None and 0 <= score.total <= 100


@given(random_bars(COUNT), st.sampled_from((50, 60, 75)))
def test_any_bars_give_a_whole_signal_or_none_and_are_left_as_they_were(bars: Bars, least: int) -> None:
    module, before = FactorScore({"min_score": D(least)}), columns_of(bars)
    signal = module.signal(look_at(bars))
    assert module.signal(look_at(bars)) == signal and columns_of(bars) == before
    if signal is not None:
        assert least <= signal.strength <= 100 and signal.instrument == NAME
        levels = signal.plan.levels(signal.side, signal.px, signal.measures, signal.wished_leverage)
        assert (levels.stop_px - signal.px) * signal.side.sign < 0 < levels.stop_px


@given(st.integers(0, 2**32 - 1))
def test_on_a_walk_no_side_speaks_twice_in_a_row(seed: int) -> None:
    module, walk = FactorScore({"min_score": D(55)}), np.random.default_rng(seed)
    close = 1_000 + np.cumsum(walk.normal(0, 3, COUNT + 30))
    bars = bars_of_closes(close, walk.exponential(1_000, len(close)), wick=0.5)
    spoke: dict[int, Side] = {}
    for ago in range(30, -1, -1):
        seen = bars.without_last(ago)
        score = module.score(seen)
        if signal := module.signal(look_at(seen)):
            assert score is not None and signal.strength == score.total >= 55
            assert signal.at_ms == seen.closed_ms
            spoke[-ago] = signal.side
    assert not any(spoke.get(bar - 1) is side for bar, side in spoke.items())


def _no(name: str) -> dict[str, Decimal]:
    return {f"weight_{name}": D(0)}
