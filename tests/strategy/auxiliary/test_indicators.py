"""The columns against the published formulas in fractions, and what is promised of every column."""

from __future__ import annotations

from collections.abc import Callable
from math import sin

import numpy as np
import pytest
import talib
from hypothesis import example, given

from strategy.auxiliary.indicators import averages, momentum, trend, volatility, volume
from strategy.auxiliary.indicators.columns import Column
from tests.strategy.auxiliary.cases import CASES, NAMES, Case
from tests.strategy.auxiliary.series import Market, column, market_of, markets, walk

every = pytest.mark.parametrize("case", CASES, ids=NAMES)
TOLERANCE = 1e-9


def numbers(row: list[object]) -> Column:
    return np.array([np.nan if value is None else float(value) for value in row])  # type: ignore[arg-type]


@every
@pytest.mark.parametrize("seed", range(6))
def test_a_column_is_its_formula_worked_out_in_fractions(case: Case, seed: int) -> None:
    market = walk(seed, 130)
    for made, exact in zip(case.columns(market), case.rows(market), strict=True):
        np.testing.assert_allclose(made, numbers(list(exact)), rtol=TOLERANCE, atol=TOLERANCE)


@every
def test_a_column_is_as_long_as_its_bars_and_unknown_exactly_where_it_says(case: Case) -> None:
    for bars in (0, 1, 2, 13, 34, 35, 130):
        for made, unknown in zip(case.columns(walk(1, bars)), case.unknown, strict=True):
            assert made.dtype == np.float64 and made.shape == (bars,)
            known = ~np.isnan(made)
            assert not known[:unknown].any() and known[unknown:].all()


@every
def test_a_figure_does_not_change_when_bars_are_appended(case: Case) -> None:
    """So no figure looks ahead, and what was decided at a bar can be worked out again later."""
    whole = case.columns(walk(2, 130))
    for bars in (40, 90, 129):
        for early, late in zip(case.columns(walk(2, 130).first(bars)), whole, strict=True):
            np.testing.assert_array_equal(early, late[:bars])


@every
def test_an_indicator_leaves_what_it_was_given_as_it_was(case: Case) -> None:
    market = walk(3, 130)
    writable = Market(*(x.copy() for x in (market.high, market.low, market.close, market.volume)))
    case.columns(writable)
    for before, after in zip(vars(market).values(), vars(writable).values(), strict=True):
        np.testing.assert_array_equal(before, after)


@every
def test_an_indicator_reads_views_that_are_not_contiguous(case: Case) -> None:
    market = walk(4, 260)
    every_other = Market(*(x[::2] for x in vars(market).values()))
    packed = Market(*(column(x[::2].tolist()) for x in vars(market).values()))
    for made, expected in zip(case.columns(every_other), case.columns(packed), strict=True):
        np.testing.assert_array_equal(made, expected)


def test_averages_of_the_first_five_numbers() -> None:
    x = column([1, 2, 3, 4, 5])
    np.testing.assert_array_equal(averages.sma(x, 3), [np.nan, np.nan, 2, 3, 4])
    np.testing.assert_array_equal(averages.ema(x, 3), [np.nan, np.nan, 2, 3, 4])


def test_rsi_of_the_closes_a_chart_school_publishes() -> None:
    closes = column([
        44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826,
        45.8931, 46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439,
    ])  # fmt: skip
    published = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97]
    np.testing.assert_allclose(momentum.rsi(closes)[14:], published, atol=0.005)


def test_atr_of_three_bars_by_hand() -> None:
    """Ranges 3 (high - low), 5 (a gap up: 15 - 10) and 6 (a gap down: 14 - 8)."""
    m = market_of([(10, 8, 9, 1), (12, 9, 10, 1), (15, 13, 14, 1), (9, 8, 8, 1)])
    np.testing.assert_allclose(volatility.atr(m.high, m.low, m.close, 2), [np.nan, np.nan, 4.0, (4 + 6) / 2])


def test_bollinger_of_one_to_five_by_hand() -> None:
    """Mean 3, squares 4 + 1 + 0 + 1 + 4 over 5: the deviation of the population is the root of 2."""
    upper, middle, lower = (x[-1] for x in volatility.bollinger(column([1, 2, 3, 4, 5]), 5, 2.0))
    assert (upper, middle, lower) == pytest.approx((3 + 2 * 2**0.5, 3, 3 - 2 * 2**0.5))


def test_money_flow_by_hand() -> None:
    """Closes at the top, the middle and the bottom: 1 * 10, 0 * 20 and -1 * 30, by a volume of 60."""
    m = market_of([(2, 1, 2, 10), (2, 1, 1.5, 20), (2, 1, 1, 30)])
    assert volume.cmf(m.high, m.low, m.close, m.volume, 3)[-1] == pytest.approx(-20 / 60)


def test_the_cloud_stands_where_it_was_drawn_ahead_to() -> None:
    """Bars of [n, n + 1] for n = 0, 1, 2, ...: over n bars the middle is (last - n / 2 + 1)."""
    high, low = column([n + 1.0 for n in range(20)]), column([float(n) for n in range(20)])
    tenkan, kijun, span_a, span_b = trend.ichimoku(high, low, 2, 4, 6)
    assert (tenkan[-1], kijun[-1]) == (19.0, 18.0)
    assert span_a[-1] == (tenkan[-5] + kijun[-5]) / 2 == 14.5
    assert span_b[-1] == 13.0  # the middle of bars 10 to 15


def test_relative_volume_counts_the_bar_itself() -> None:
    """Nine bars of 1 and one of 11: 11 / 2. It reaches a threshold of 1.5 at 27 / 17 of the others."""
    assert volume.relative_volume(column([1.0] * 9 + [11.0]))[-1] == 5.5
    assert volume.relative_volume(column([17.0] * 9 + [27.0]))[-1] == pytest.approx(1.5)


STILL = market_of([(7.0, 7.0, 7.0, 0.0)] * 60)
MIDDLES: tuple[tuple[str, Callable[[Market], Column], float], ...] = (
    ("rsi", lambda m: momentum.rsi(m.close), 50),
    ("stoch_rsi", lambda m: momentum.stoch_rsi(m.close)[1], 50),
    ("ultimate", lambda m: momentum.ultimate(m.high, m.low, m.close), 50),
    ("cci", lambda m: momentum.cci(m.high, m.low, m.close), 0),
    ("williams", lambda m: momentum.williams(m.high, m.low, m.close), -50),
    ("mfi", lambda m: volume.mfi(m.high, m.low, m.close, m.volume), 50),
    ("cmf", lambda m: volume.cmf(m.high, m.low, m.close, m.volume), 0),
    ("relative_volume", lambda m: volume.relative_volume(m.volume), 0),
    ("adx", lambda m: trend.adx(m.high, m.low, m.close), 0),
    ("atr", lambda m: volatility.atr(m.high, m.low, m.close), 0),
)


@pytest.mark.parametrize(("name", "batch", "middle"), MIDDLES, ids=[row[0] for row in MIDDLES])
def test_a_market_that_stands_still_is_neither_oversold_nor_overbought(
    name: str, batch: Callable[[Market], Column], middle: float
) -> None:
    known = batch(STILL)[~np.isnan(batch(STILL))]
    assert known.tolist() == pytest.approx([middle] * len(known), abs=1e-9) and len(known)


@pytest.mark.parametrize(
    "name", ["stoch_rsi", "ultimate", "cci", "williams", "mfi", "cmf", "relative_volume"]
)
def test_a_market_that_has_come_to_rest_forgets_how_it_got_there(name: str) -> None:
    moving = walk(5, 60, 123_457)
    last = float(moving.close[-1])
    rest = [(last, last, last, 0.0)] * 40
    rows = [tuple(float(x[at]) for x in vars(moving).values()) for at in range(60)]
    batch, middle = next((row[1], row[2]) for row in MIDDLES if row[0] == name)
    assert batch(market_of([*rows, *rest]))[-1] == pytest.approx(middle, abs=1e-9)  # type: ignore[list-item]


DRIED_UP = market_of(
    [(3.0, 1.0, 1 + 2 * abs(sin(n)), 0.1 * 19 * (n + 1) if n < 39 else 0.0) for n in range(79)]
)


def test_stochastic_rsi_reads_half_a_point_and_not_the_last_binary_digit() -> None:
    """Up 1, down 1 for ever: an RSI of 200 bars swings by half a point, from the bottom to the top of it."""
    ticking = column([100.0 + n % 2 for n in range(400)])
    index = momentum.rsi(ticking, 200)[-14:]
    assert 0 < index.max() - index.min() < 1
    places = momentum.stoch_rsi(ticking, 200, 14, 1, 1)[0][-14:]
    assert (places[::2] < 2).all() and (places[1::2] > 98).all()
    rested = column([*(100.0 + n % 2 for n in range(40)), *[100.0] * 60])
    assert momentum.stoch_rsi(rested)[1][-40:].tolist() == pytest.approx([50.0] * 40)


BOUNDS = {"rsi": (0, 100), "stoch_rsi": (0, 100), "ultimate": (0, 100), "mfi": (0, 100), "adx": (0, 100),
          "williams": (-100, 0), "cmf": (-1, 1), "relative_volume": (0, 10)}  # fmt: skip


@given(market=markets())
@example(market=DRIED_UP)
def test_what_has_bounds_stays_within_them(market: Market) -> None:
    for case in CASES:
        least, most = BOUNDS.get(case.name, (-np.inf, np.inf))
        for made in case.columns(market):
            known = made[~np.isnan(made)]
            assert ((known >= least - 1e-9) & (known <= most + 1e-9)).all(), (case.name, known)


def test_without_volume_money_flow_is_nothing_whatever_rounding_left_over() -> None:
    """The running sums of these very bars end at -1.4, of a figure from -1 to 1: rounding by rounding."""
    m = DRIED_UP
    raw = talib.CMF(m.high, m.low, m.close, m.volume, 20)
    flow = volume.cmf(m.high, m.low, m.close, m.volume)
    np.testing.assert_array_equal(flow[19:58], raw[19:58])
    assert not flow[58:].any()


def test_only_losses_is_nothing_but_oversold() -> None:
    falling = column([100.0 - n for n in range(40)])
    assert momentum.rsi(falling)[-1] == 0.0


def test_supertrend_turns_with_a_close_beyond_its_line() -> None:
    m = market_of([(n + 1.0, n - 1.0, float(n), 1.0) for n in [*range(20, 40), 20, 19, 18]])
    line, direction = trend.supertrend(m.high, m.low, m.close, 5, 2.0)
    assert direction[19] == 1.0 and line[19] < m.close[19]
    assert direction[20] == -1.0 and line[20] > m.close[20]


BAD: tuple[tuple[str, Callable[[], object]], ...] = (
    ("sma: over 0 bars, allowed: 1 to 100000", lambda: averages.sma(column([1.0]), 0)),
    ("ema: over -1 bars, allowed: 1 to 100000", lambda: averages.ema(column([1.0]), -1)),
    ("rsi: over 1 bars, allowed: 2 to 100000", lambda: momentum.rsi(column([1.0]), 1)),
    ("macd: fast 26 and slow 12 bars, allowed: fast below slow",
     lambda: momentum.macd(column([1.0]), 26, 12)),
    ("stoch_rsi: over 0 bars", lambda: momentum.stoch_rsi(column([1.0]), 14, 14, 0)),
    ("ultimate: over 7, 7 and 28 bars, allowed: each above the last",
     lambda: momentum.ultimate(*hlc1(), 7, 7, 28)),
    ("ichimoku: over 9, 52 and 26 bars", lambda: trend.ichimoku(*hlc1()[:2], 9, 52, 26)),
    ("psar: step 0.3 of at most 0.2", lambda: trend.psar(*hlc1()[:2], 0.3)),
    ("supertrend: 0.0 times, allowed: above 0", lambda: trend.supertrend(*hlc1(), 10, 0.0)),
    ("bollinger: nan times, allowed: above 0",
     lambda: volatility.bollinger(column([1.0]), 20, float("nan"))),
    ("atr: columns of 1, 1, 2 bars, allowed: one length",
     lambda: volatility.atr(*hlc1()[:2], column([1, 2]))),
    ("obv: column 2 is int64 of shape (1,), allowed: a row of float64",
     lambda: volume.obv(column([1.0]), np.array([1]))),
    ("mfi: column 1 is float64 of shape (1, 1)",
     lambda: volume.mfi(np.array([[1.0]]), *hlc1())),
)  # fmt: skip


def hlc1() -> tuple[Column, Column, Column]:
    return column([1.0]), column([1.0]), column([1.0])


@pytest.mark.parametrize(("words", "call"), BAD, ids=[row[0] for row in BAD])
def test_bad_input_is_named_with_what_is_allowed(words: str, call: Callable[[], object]) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(words)
