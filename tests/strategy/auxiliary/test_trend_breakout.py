"""The breakout speaks on the bar that crosses, with momentum and volume, and on no other bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Base, Side
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.language import Holding, Parameter, Signal
from strategy.auxiliary.modules import MODULES
from strategy.auxiliary.modules.trend_breakout import Cross, Momentum, TrendBreakout, crossing
from tests.fakes import START_MS
from tests.strategy.auxiliary.module_scenes import (
    NAME,
    D,
    bars_of_closes,
    columns_of,
    extended,
    figures,
    look_at,
    mirrored,
    random_bars,
)

MODULE = TrendBreakout()
COUNT = MODULE.needs.bars["1H"]
VOLUMES = [2.0] * (COUNT - 2) + [1.0, 3.0]  # the last one is 1.5 times the mean of the last ten, to the bit
LONG = Cross(previous_close=99.0, previous_ma=100.0, close=101.0, ma=100.1)
UP = Momentum(dif=0.2, dea=0.1, histogram=0.1, previous_histogram=0.05)


def breakout(frame: str = "1H", closed_ms: int = START_MS) -> Bars:
    """A fall that comes to rest below its average, and a last bar that crosses it."""
    fall = 110 - 0.05 * np.arange(COUNT - 24)
    rest = np.full(23, fall[-1])
    return bars_of_closes(np.concatenate((fall, rest, [fall[-1] + 1])), VOLUMES, frame, closed_ms=closed_ms)


def with_closes(last: list[float]) -> Bars:
    """The same with other closes at the end, measured from where the fall rests."""
    close = breakout().close.copy()
    close[-len(last) :] = close[-2] + np.array(last)
    return bars_of_closes(close, VOLUMES)


def upside_down(cross: Cross) -> Cross:
    return Cross(-cross.previous_close, -cross.previous_ma, -cross.close, -cross.ma)


def test_a_cross_with_momentum_and_volume_is_a_long() -> None:
    signal = MODULE.signal(look_at(breakout()))
    assert signal is not None and signal.side is Side.BUY
    assert signal.px == figures(signal)["close_usdt"] and signal.measures.atr == figures(signal)["atr_usdt"]
    assert (signal.plan.name, signal.plan.frame) == ("dtrs", "1H")
    assert signal.at_ms == START_MS


def test_the_mirror_image_is_the_same_short() -> None:
    long, short = MODULE.signal(look_at(breakout())), MODULE.signal(look_at(mirrored(breakout())))
    assert short is not None and long is not None and short.side is Side.SELL
    assert short.strength == long.strength and short.px == long.px
    assert short.measures.atr == pytest.approx(long.measures.atr)
    stops = [s.plan.levels(s.side, s.px, s.measures, s.wished_leverage).stop_px for s in (long, short)]
    assert stops[0] + stops[1] == pytest.approx(2 * long.px)


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        ("it was above its average already", {"previous_close": 100.1}),
        ("it does not get above its average", {"close": 100.1}),
    ],
)
def test_without_a_cross_there_is_no_side(broken: str, change: dict[str, float]) -> None:
    cross = replace(LONG, **change)
    assert (cross.side, upside_down(cross).side) == (None, None), broken


def test_a_close_that_lay_on_its_average_may_still_cross_it() -> None:
    cross = replace(LONG, previous_close=LONG.previous_ma)
    assert (cross.side, upside_down(cross).side) == (Side.BUY, Side.SELL)


@pytest.mark.parametrize(
    ("broken", "change"),
    [
        ("DIF is not above DEA", {"dif": 0.1}),
        ("the histogram is not above zero", {"histogram": 0.0, "previous_histogram": -0.1}),
        ("the histogram does not rise", {"previous_histogram": 0.1}),
    ],
)
def test_momentum_is_all_three_of_its_conditions(broken: str, change: dict[str, float]) -> None:
    momentum = replace(UP, **change)
    down = Momentum(-momentum.dif, -momentum.dea, -momentum.histogram, -momentum.previous_histogram)
    assert UP.agrees(Side.BUY) and not UP.agrees(Side.SELL)
    assert not momentum.agrees(Side.BUY) and not down.agrees(Side.SELL), broken


def test_the_bar_after_the_cross_says_nothing_however_far_it_goes() -> None:
    crossed = breakout()
    for further in (0.2, 1.0, 5.0):
        after = bars_of_closes(
            [*crossed.close, crossed.close[-1] + further],
            [*VOLUMES, 30.0],
            closed_ms=START_MS + FRAME_MS["1H"],
        )
        assert MODULE.signal(look_at(after)) is None


def test_a_bar_that_stays_below_its_average_says_nothing() -> None:
    assert MODULE.signal(look_at(with_closes([0.0, 1.0]))) is not None
    assert MODULE.signal(look_at(with_closes([0.0, 0.0]))) is None


def test_a_cross_with_the_histogram_below_zero_says_nothing() -> None:
    """A rally, a drop below its average, and a bar back across it: the histogram rises, and is negative."""
    rally = [*np.full(COUNT - 30, 100.0), *np.linspace(100, 110, 21), *np.full(8, 106.5)]
    back = bars_of_closes([*rally, np.mean(rally[-19:]) + 0.01], VOLUMES)
    momentum = MODULE.momentum(back.close)
    assert crossing(back.close, 20).side is Side.BUY
    assert momentum.previous_histogram < momentum.histogram < 0
    assert MODULE.signal(look_at(back)) is None and MODULE.signal(look_at(mirrored(back))) is None


def test_a_cross_whose_histogram_falls_back_says_nothing() -> None:
    late = with_closes([0.0, 0.01])
    momentum = MODULE.momentum(late.close)
    assert crossing(late.close, 20).side is Side.BUY
    assert 0 < momentum.histogram < momentum.previous_histogram
    assert MODULE.signal(look_at(late)) is None and MODULE.signal(look_at(mirrored(late))) is None


def test_volume_just_below_its_threshold_is_not_enough() -> None:
    thin = breakout()
    volume = np.array(VOLUMES)
    volume[-1] = 2.999
    thin = bars_of_closes(thin.close, volume)
    assert MODULE.signal(look_at(breakout())) is not None
    assert figures(MODULE.signal(look_at(breakout())))["volume_ratio"] == D("1.5")
    assert MODULE.signal(look_at(thin)) is None
    assert TrendBreakout({"volume_threshold": D("1.49")}).signal(look_at(thin)) is not None


def test_the_strength_is_the_sum_of_its_terms() -> None:
    signal = MODULE.signal(look_at(breakout()))
    terms = {name: worth for name, worth in figures(signal).items() if name.endswith("_points")}
    assert signal is not None and signal.strength == sum(terms.values())
    assert terms["base_points"] == 40 and terms["volume_points"] == 0  # the volume is at its threshold
    assert 0 < terms["cross_points"] < 20 and 0 < terms["histogram_points"] < 20


def test_more_of_everything_is_a_hundred_and_no_more() -> None:
    close = breakout().close.copy()
    close[-1] += 20
    signal = MODULE.signal(look_at(bars_of_closes(close, [*VOLUMES[:-1], 30.0])))
    assert signal is not None and signal.strength == 100


@pytest.mark.parametrize(("frame", "index", "minutes"), [("1H", 0, 90), ("4H", 1, 360), ("1D", 2, 36 * 60)])
def test_a_close_says_nothing_after_one_and_a_half_periods(frame: str, index: int, minutes: int) -> None:
    module, bars, age_ms = TrendBreakout({"shortest_frame": D(index)}), breakout(frame), minutes * 60_000
    signal = module.signal(look_at(bars, late_ms=age_ms))
    assert signal is not None and signal.valid_until_ms == START_MS + age_ms
    assert module.signal(look_at(bars, late_ms=age_ms + 1)) is None
    assert signal.plan.frame == frame


def test_of_two_bars_that_close_together_the_longer_one_is_heard() -> None:
    module = TrendBreakout({"frames": D(3)})
    assert module.needs.on == "1H" and set(module.needs.bars) == {"1H", "4H", "1D"}
    quiet = {frame: bars_of_closes(np.full(COUNT, 100.0), frame=frame) for frame in FRAME_MS}
    both = module.signal(look_at(breakout(), breakout("4H"), quiet["1D"]))
    short = module.signal(look_at(breakout(), quiet["4H"], quiet["1D"]))
    assert figures(both)["frame"] == "4H" and figures(short)["frame"] == "1H"


def test_a_longer_bar_is_heard_when_it_closes_and_not_an_hour_later() -> None:
    module = TrendBreakout({"frames": D(2)})
    hour = FRAME_MS["1H"]
    quiet = bars_of_closes(np.full(COUNT, 100.0))
    later = bars_of_closes(np.full(COUNT, 100.0), closed_ms=START_MS + hour)
    assert module.signal(look_at(quiet, breakout("4H"))) is not None
    assert module.signal(look_at(later, breakout("4H"))) is None


def test_what_it_holds_already_it_does_not_ask_for_again() -> None:
    held = Holding(Side.BUY, Base(D(1)), D(120), START_MS - 1)
    assert MODULE.signal(look_at(breakout(), holding=held)) is None
    assert MODULE.signal(look_at(breakout(), holding=replace(held, side=Side.SELL))) is not None


def test_without_a_price_a_stop_could_stand_at_it_says_nothing() -> None:
    wild = bars_of_closes(breakout().close, VOLUMES, wick=60.0)
    assert MODULE.signal(look_at(wild)) is None


def test_history_beyond_what_it_needs_changes_nothing() -> None:
    longer = bars_of_closes([*np.linspace(500, 110, 300), *breakout().close], [9.0] * 300 + VOLUMES)
    assert MODULE.signal(look_at(longer)) == MODULE.signal(look_at(breakout()))


@pytest.mark.parametrize("parameter", TrendBreakout.parameters, ids=lambda p: p.name)
def test_both_bounds_of_every_parameter_can_be_asked(parameter: Parameter) -> None:
    for value in (parameter.least, parameter.most):
        module = MODULES["trend_breakout"]({parameter.name: value})
        shown = [bars_of_closes(np.full(n, 100.0), frame=frame) for frame, n in module.needs.bars.items()]
        assert module.signal(look_at(*shown)) is None


def test_a_parameter_out_of_bounds_or_unknown_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"volume_threshold is 0\.9, allowed: 1 to 3"):
        TrendBreakout({"volume_threshold": D("0.9")})
    with pytest.raises(ValueError, match="volume: no such parameter, allowed: shortest_frame"):
        TrendBreakout({"volume": D(2)})


def test_a_close_on_its_average_is_not_above_it_by_a_rounding() -> None:
    """The mean of twenty times 100.05 is 100.04999999999998 in floats."""
    flat = np.full(COUNT, 100.05)
    assert crossing(flat, 20) == Cross(100.05, 100.05, 100.05, 100.05)
    assert crossing(bars_of_closes([*flat, 100.06]).close, 20).side is Side.BUY


@given(random_bars(COUNT - 1), st.floats(-0.3, 0.3), st.floats(0, 20))
def test_any_bars_give_a_whole_signal_or_none_and_are_left_as_they_were(
    history: Bars, beyond: float, times: float
) -> None:
    """The last bar goes to one side of the average, with some multiple of the volume: often it crosses."""
    mean, volume = float(history.close[-19:].mean()), float(history.volume[-9:].mean())
    bars = extended(history, mean * (1 + beyond), volume * times)
    before = columns_of(bars)
    signal = MODULE.signal(look_at(bars))
    assert MODULE.signal(look_at(bars)) == signal and columns_of(bars) == before
    if signal is not None:
        assert signal.side is crossing(bars.close, 20).side
        _whole(signal)


@given(st.integers(0, 2**32 - 1))
def test_on_a_walk_every_signal_is_a_cross_and_no_side_comes_twice_in_a_row(seed: int) -> None:
    walk = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(walk.normal(0, 0.01, COUNT + 60)))
    bars = bars_of_closes(close, walk.exponential(1, len(close)), wick=0.1)
    spoke: dict[int, Side] = {}
    for count in range(COUNT, len(bars) + 1):
        seen = bars.without_last(len(bars) - count)
        if signal := MODULE.signal(look_at(seen)):
            assert signal.at_ms == seen.closed_ms
            above = seen.close[-1] > seen.close[-20:].mean()
            was_above = seen.close[-2] > seen.close[-21:-1].mean()
            assert above != was_above and signal.side is (Side.BUY if above else Side.SELL)
            spoke[count] = signal.side
    assert not any(spoke.get(count - 1) is side for count, side in spoke.items())


def _whole(signal: Signal) -> None:
    assert 0 <= signal.strength <= 100 and signal.instrument == NAME
    stop_px = signal.plan.levels(signal.side, signal.px, signal.measures, signal.wished_leverage).stop_px
    assert (stop_px - signal.px) * signal.side.sign < 0 < stop_px
