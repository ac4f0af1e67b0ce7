from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators import momentum, trend, volatility, volume
from strategy.auxiliary.modules.ensemble.votes import FRAMED, VOTE_BARS, Group, frame_votes, vote
from tests.strategy.auxiliary.module_scenes import (
    bars_of_closes,
    column,
    columns_of,
    mirrored,
    random_bars,
)


def votes(bars: Bars) -> dict[str, float]:
    return {each.name: each.value for each in frame_votes(bars)}


def wavy(seed: int = 7, drift: float = 0.0) -> Bars:
    walk = np.random.default_rng(seed)
    steps = walk.normal(drift, 1, VOTE_BARS)
    return bars_of_closes(1000 + np.cumsum(steps), walk.uniform(1, 3, VOTE_BARS))


def test_every_set_votes_under_its_own_names() -> None:
    by_group = {group: [v.name for v in frame_votes(wavy()) if v.group is group] for group in Group}
    assert by_group == {
        Group.MOMENTUM: ["rsi_9", "rsi_14", "stoch_rsi", "ultimate", "cci", "williams"],
        Group.TREND: ["supertrend", "psar", "ichimoku"],
        Group.VOLATILITY: ["bollinger", "keltner", "atr_channel"],
        Group.VOLUME: ["obv", "cmf", "mfi", "shock"],
        Group.PATTERNS: [],
        Group.MICROSTRUCTURE: [],
        Group.SENTIMENT: [],
    }
    assert {v.group for v in frame_votes(wavy())} == set(FRAMED)


def test_every_vote_is_the_documented_figure_of_its_indicator() -> None:
    bars = wavy()
    high, low, close, traded = bars.high, bars.low, bars.close, bars.volume
    upper, middle, _ = volatility.bollinger(close)
    keltner, centre, _ = volatility.keltner(high, low, close)
    above, mean, _ = volatility.atr_channel(high, low, close)
    flow = volume.obv(close, traded)
    expected = {
        "rsi_9": (momentum.rsi(close, 9)[-1] - 50) / 25,
        "rsi_14": (momentum.rsi(close, 14)[-1] - 50) / 20,
        "stoch_rsi": (momentum.stoch_rsi(close)[0][-1] - 50) / 50,
        "ultimate": (momentum.ultimate(high, low, close)[-1] - 50) / 20,
        "cci": momentum.cci(high, low, close)[-1] / 100,
        "williams": (momentum.williams(high, low, close)[-1] + 50) / 30,
        "supertrend": trend.supertrend(high, low, close)[1][-1],  # it has turned in these bars
        "psar": 1.0 if close[-1] > trend.psar(high, low)[-1] else -1.0,
        "bollinger": (close[-1] - middle[-1]) / (upper[-1] - middle[-1]),
        "keltner": (close[-1] - centre[-1]) / (keltner[-1] - centre[-1]),
        "atr_channel": (close[-1] - mean[-1]) / (above[-1] - mean[-1]),
        "obv": (flow[-1] - flow[-21]) / traded[-20:].sum(),
        "cmf": volume.cmf(high, low, close, traded)[-1] / 0.25,
        "mfi": (volume.mfi(high, low, close, traded)[-1] - 50) / 30,
    }
    shown = votes(bars)
    for name, value in expected.items():
        assert shown[name] == pytest.approx(min(1, max(-1, value)), abs=6e-5), name


def test_a_rise_has_every_vote_up_and_a_fall_every_vote_down() -> None:
    rise = bars_of_closes(100 + 0.5 * np.arange(VOTE_BARS), np.linspace(1, 8, VOTE_BARS) ** 3)
    up, down = votes(rise), votes(mirrored(rise))
    undecided = {name for name, value in up.items() if value <= 0}
    assert undecided <= {"stoch_rsi"}  # an RSI that does not move has no place in its own range
    assert {name for name, value in down.items() if value >= 0} <= {"stoch_rsi"}


def test_ichimoku_votes_half_for_the_cloud_and_half_for_its_two_lines() -> None:
    flat = [100.0] * (VOTE_BARS - 12)
    climb = [*flat, *np.linspace(101, 112, 12)]
    assert votes(bars_of_closes(climb))["ichimoku"] == 1
    # A single bar moves both lines alike, a spike of twenty bars ago the slow one only.
    assert votes(bars_of_closes([*[100.0] * (VOTE_BARS - 1), 130.0]))["ichimoku"] == 0.5
    spiked = [*[100.0] * (VOTE_BARS - 20), 110.0, *[100.0] * 19]
    assert votes(bars_of_closes(spiked))["ichimoku"] == -0.5
    assert votes(mirrored(bars_of_closes(climb)))["ichimoku"] == -1


def test_a_supertrend_that_never_turned_has_no_opinion_which_way_it_began() -> None:
    narrow = bars_of_closes([100 + 0.1 * (n % 2) for n in range(VOTE_BARS)])
    assert votes(narrow)["supertrend"] == votes(mirrored(narrow))["supertrend"] == 0


def test_a_volume_shock_votes_the_way_its_bar_closed_and_a_quiet_bar_does_not() -> None:
    closes = [100.0] * (VOTE_BARS - 1)
    loud = [1.0] * (VOTE_BARS - 1) + [3.0]
    times = 3 / (22 / 20)
    assert votes(bars_of_closes([*closes, 101.0], loud))["shock"] == pytest.approx((times - 1) / 2, abs=1e-4)
    assert votes(bars_of_closes([*closes, 99.0], loud))["shock"] == pytest.approx(-(times - 1) / 2, abs=1e-4)
    assert votes(bars_of_closes([*closes, 101.0], [1.0] * (VOTE_BARS - 1) + [0.5]))["shock"] == 0
    assert votes(bars_of_closes([*closes, 100.0], loud))["shock"] == 0


def test_a_still_market_is_no_opinion() -> None:
    still = votes(bars_of_closes([100.0] * VOTE_BARS, wick=0.0))
    assert {name: value for name, value in still.items() if value} == {}


def test_nothing_traded_is_no_opinion_on_volume() -> None:
    silent = frame_votes(replace(wavy(), volume=column(np.zeros(VOTE_BARS))))
    assert {v.value for v in silent if v.group is Group.VOLUME} == {0.0}


@pytest.mark.parametrize("seed", range(6))
def test_the_mirror_image_of_a_market_votes_the_other_way(seed: int) -> None:
    bars = wavy(seed)
    up, down = votes(bars), votes(mirrored(bars))
    for name, value in up.items():
        assert down[name] == pytest.approx(-value, abs=0.02), name


def test_what_is_not_known_is_no_opinion_and_what_is_extreme_is_cut() -> None:
    assert vote(Group.TREND, "any", float("nan")).value == 0
    assert vote(Group.TREND, "any", float("inf")).value == 1
    assert vote(Group.TREND, "any", -7.0).value == -1
    assert str(vote(Group.TREND, "any", -0.0).value) == "0.0"


def test_votes_do_not_depend_on_how_many_bars_are_shown() -> None:
    long = bars_of_closes(1000 + np.cumsum(np.random.default_rng(3).normal(0, 1, 300)))
    assert frame_votes(long) == frame_votes(long.last(VOTE_BARS))


@settings(max_examples=60, deadline=None)
@given(random_bars(VOTE_BARS))
def test_whatever_the_bars_are_every_vote_lies_between_minus_one_and_one(bars: Bars) -> None:
    before = columns_of(bars)
    assert all(-1 <= each.value <= 1 for each in frame_votes(bars))
    assert columns_of(bars) == before
