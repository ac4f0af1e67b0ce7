"""Chart patterns: each drawn by hand, its figures worked out by hand, and everything that makes it none."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given

from core.types import Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators import patterns
from strategy.auxiliary.indicators.patterns import (
    Narrowing,
    Shape,
    breakout,
    evidence,
    head_and_shoulders,
    triangle,
    wedge,
)
from strategy.auxiliary.indicators.pivots import Pivot, fitted, pivots
from tests.strategy.auxiliary.scenes import bars_along, drawn, upside_down
from tests.strategy.auxiliary.series import Market, column, markets

D = Decimal


# --- pivots -----------------------------------------------------------------------------------


def test_a_pivot_stands_above_its_neighbours_and_highs_and_lows_take_turns() -> None:
    bars = drawn([(0, 100), (5, 110), (10, 102), (15, 108), (20, 95)])
    assert pivots(bars.high, bars.low) == (
        Pivot(5, 110.1, True),
        Pivot(10, 101.9, False),
        Pivot(15, 108.1, True),
    )


def test_a_pivot_is_not_known_before_its_neighbours_on_the_right_are_there() -> None:
    bars = drawn([(0, 100), (5, 110), (12, 95)])
    for count, known in ((8, 0), (9, 1)):
        assert len(pivots(bars.high[:count], bars.low[:count])) == known


def test_of_two_highs_without_a_low_between_them_the_higher_stays() -> None:
    high = column([1, 2, 5, 3, 2, 6, 2, 1])
    assert pivots(high, column([1.0] * 8), 1) == (Pivot(5, 6.0, True),)
    assert pivots(column([1, 6, 3, 2, 6, 1]), column([1.0] * 6), 1) == (Pivot(1, 6.0, True),)


def test_a_bar_that_is_high_and_low_at_once_goes_on_with_the_other_kind() -> None:
    """After a high at bar 1, bar 3 is first the low that was due, then a high again."""
    high, low = column([1, 5, 2, 9, 2, 1]), column([0.9, 0.9, 0.8, 0.1, 0.8, 0.9])
    assert pivots(high, low, 1) == (Pivot(1, 5.0, True), Pivot(3, 0.1, False), Pivot(3, 9.0, True))


def test_a_plateau_counts_once_at_its_first_bar() -> None:
    assert pivots(column([1, 3, 3, 3, 1]), column([1.0] * 5), 1) == (Pivot(1, 3.0, True),)


@given(market=markets())
def test_pivots_take_turns_and_are_extremes_of_their_neighbourhood(market: Market) -> None:
    turns = pivots(market.high, market.low)
    assert all(a.top != b.top and a.at <= b.at for a, b in pairwise(turns))
    for turn in turns:
        around = slice(turn.at - 3, turn.at + 4)
        extreme = market.high[around].max() if turn.top else market.low[around].min()
        assert turn.px == extreme and 3 <= turn.at < len(market) - 3


def test_a_line_through_three_points_has_the_least_squares() -> None:
    """Points (0, 1), (2, 2), (4, 6): slope (2 * 5 ... ) = 10 / 8, mean height 3 at bar 2."""
    line = fitted(tuple(Pivot(at, px, True) for at, px in ((0, 1.0), (2, 2.0), (4, 6.0))))
    assert (line.slope, line.at(2), line.at(0)) == (1.25, 3.0, 0.5)


# --- breakout ---------------------------------------------------------------------------------


def ranging(last: float, volume: float = 10.0) -> Bars:
    bars = bars_along([100.0, 101.0] * 15 + [last], wick=1.0)
    bars.volume.flags.writeable = True
    bars.volume[-1] = volume
    return bars


def test_a_close_above_the_range_breaks_out_with_its_figures() -> None:
    """The range is 99 to 102; 19 volumes of 10 and one of 40 have a mean of 11.5."""
    found = breakout(ranging(105.06, 40.0))
    assert found is not None and found.broken is found.side is Side.BUY and found.bars == 20
    assert (found.level_px, found.height_ratio) == (102.0, 3 / 102)
    assert found.beyond_ratio == pytest.approx(0.03) and found.volume_times == pytest.approx(40 / 11.5)


def test_a_close_below_the_range_breaks_down() -> None:
    found = breakout(ranging(90.0))
    assert found is not None and found.side is Side.SELL
    assert (found.level_px, found.beyond_ratio) == (99.0, pytest.approx(9 / 99))


@pytest.mark.parametrize("last", [99.0, 100.0, 102.0])
def test_a_close_on_the_edge_of_the_range_or_within_it_is_no_breakout(last: float) -> None:
    assert breakout(ranging(last)) is None


def test_only_the_bars_before_make_the_range() -> None:
    """The wick of the breaking bar itself is far above its close: it is not part of what is left."""
    bars = ranging(103.0)
    high = bars.high.copy()
    high[-1] = 500.0
    spiked = Bars(bars.instrument, bars.frame, bars.ts_ms, bars.open, high, bars.low, bars.close, bars.volume)
    assert breakout(spiked) is not None
    assert breakout(ranging(103.0).last(20)) is None  # one bar short of a range and a bar that leaves it


# --- wedge and triangle -----------------------------------------------------------------------


# Lines from 100 and 110 at bar 0; pivots touch them at bars 5, 10, 15, ...
def between(upper_slope: float, lower_slope: float, last: float | None = None, bars: int = 48) -> Bars:
    """A zigzag between two lines, turning every six bars; `last` is the close of the last bar."""
    knots = []
    for turn, at in enumerate(range(0, bars, 6)):
        knots.append((at, 110 + upper_slope * at if turn % 2 else 100 + lower_slope * at))
    end = bars - 1
    middle = (210 + (upper_slope + lower_slope) * (end - 1)) / 2
    knots = [knot for knot in knots if knot[0] < end - 3] + [(end - 1, middle), (end, last or middle)]
    return drawn(knots, wick=0.0)


def test_two_rising_lines_that_narrow_are_a_wedge_expected_to_fall() -> None:
    found = wedge(between(0.1, 0.25))
    assert found is not None and found.shape is Shape.RISING_WEDGE
    assert found.side is Side.SELL and found.broken is None
    # First pivot at bar 6 (the line 110 + 0.6; the one below 101.5), last bar 47: 41 bars.
    assert found.bars == 41 and found.pivots == 7
    assert found.upper_px == pytest.approx(114.7) and found.lower_px == pytest.approx(111.75)
    assert found.narrowed_ratio == pytest.approx(2.95 / 9.1)
    assert found.upper_slope == pytest.approx(4.1 / 9.1) and found.lower_slope == pytest.approx(10.25 / 9.1)
    assert found.misfit_ratio == pytest.approx(0, abs=1e-12)
    assert triangle(between(0.1, 0.25)) is None


@pytest.mark.parametrize(
    ("upper", "lower", "shape", "side"),
    [
        (0.0, 0.15, Shape.ASCENDING, Side.BUY),
        (-0.15, 0.0, Shape.DESCENDING, Side.SELL),
        (-0.08, 0.08, Shape.SYMMETRIC, None),
    ],
)
def test_a_triangle_is_named_by_the_line_that_is_level(
    upper: float, lower: float, shape: Shape, side: Side | None
) -> None:
    found = triangle(between(upper, lower))
    assert found is not None and (found.shape, found.side, found.broken) == (shape, side, None)
    assert wedge(between(upper, lower)) is None


def test_upside_down_a_rising_wedge_is_a_falling_one() -> None:
    found = wedge(upside_down(between(0.1, 0.25)))
    assert found is not None and (found.shape, found.side) == (Shape.FALLING_WEDGE, Side.BUY)
    assert (found.upper_px, found.lower_px) == (pytest.approx(88.25), pytest.approx(85.3))


@pytest.mark.parametrize(("last", "broken"), [(120.0, Side.BUY), (105.0, Side.SELL), (107.0, None)])
def test_the_close_that_leaves_the_lines_breaks_them(last: float, broken: Side | None) -> None:
    """At bar 47 the lines of (0, 0.15) are at 110 and 107.05."""
    found = triangle(between(0.0, 0.15, last if broken else 108.0))
    assert found is not None and found.broken is broken


def test_what_was_left_at_an_earlier_bar_is_not_shown_again() -> None:
    bars = between(0.0, 0.15, 115.0)
    assert triangle(bars) is not None
    assert triangle(bars_along([*bars.close.tolist(), 116.0], wick=0.0)) is None


def test_a_close_just_beyond_a_line_leaves_it_too() -> None:
    """A pivot so near would be forgiven; a close has left."""
    bars = between(0.0, 0.15, 110.5)
    found = triangle(bars)
    assert found is not None and found.broken is Side.BUY
    assert triangle(bars_along([*bars.close.tolist(), 110.6], wick=0.0)) is None


def test_a_close_far_outside_spoils_the_shape_before_it_can_be_a_pivot() -> None:
    bars = between(0.0, 0.15)
    closes = bars.close.tolist()
    assert triangle(bars_along(closes, wick=0.0)) is not None
    closes[-3] = 118.0
    assert triangle(bars_along(closes, wick=0.0)) is None


@pytest.mark.parametrize(
    ("upper", "lower"),
    [(0.2, 0.2), (0.0, 0.0), (0.1, -0.1), (0.0, 0.05), (0.1, 0.5)],
    ids=["parallel", "level", "widening", "hardly narrowed", "crossed"],
)
def test_lines_that_do_not_close_in_are_neither(upper: float, lower: float) -> None:
    assert wedge(between(upper, lower)) is None and triangle(between(upper, lower)) is None


def test_a_pivot_far_off_its_line_spoils_the_shape() -> None:
    bars = between(0.0, 0.15)
    assert triangle(bars) is not None
    closes = bars.close.tolist()
    closes[18] = 116.0  # one high stands 6 above the others
    assert triangle(bars_along(closes, wick=0.0)) is None


def test_two_pivots_a_side_are_needed_at_least() -> None:
    assert triangle(between(0.0, 0.15).last(18)) is None


# --- head and shoulders -----------------------------------------------------------------------

TOP = [(0, 90.0), (8, 106.0), (14, 100.0), (22, 114.0), (30, 100.0), (36, 107.0), (41, 102.0)]


def test_three_peaks_over_a_neckline_are_a_head_and_shoulders() -> None:
    found = head_and_shoulders(drawn([*TOP, (42, 101.0)], wick=0.0))
    assert found is not None and found.side is Side.SELL and found.broken is None
    assert (found.left_px, found.head_px, found.right_px, found.neck_px) == (106, 114, 107, 100)
    assert found.height_ratio == pytest.approx(14 / 100)
    assert found.uneven_ratio == pytest.approx(1 / 14)
    assert found.bars == 34


def test_the_close_below_the_neckline_breaks_it_once() -> None:
    broken = drawn([*TOP, (42, 99.0)], wick=0.0)
    found = head_and_shoulders(broken)
    assert found is not None and found.broken is Side.SELL
    assert head_and_shoulders(bars_along([*broken.close.tolist(), 98.0], wick=0.0)) is None


def test_upside_down_it_is_expected_to_rise() -> None:
    found = head_and_shoulders(upside_down(drawn([*TOP, (42, 99.0)], wick=0.0)))
    assert found is not None and found.side is found.broken is Side.BUY
    assert (found.left_px, found.head_px, found.right_px, found.neck_px) == (94, 86, 93, 100)
    assert found.height_ratio == pytest.approx(14 / 100)


def test_a_neckline_that_tilts_is_followed_to_the_last_bar() -> None:
    """Troughs at 100 and 102, 16 bars apart: 103.5 at bar 42, 12 bars on."""
    knots = [
        (0, 90.0),
        (8, 107.0),
        (14, 100.0),
        (22, 114.0),
        (30, 102.0),
        (36, 108.0),
        (41, 104.0),
        (42, 103.0),
    ]
    found = head_and_shoulders(drawn(knots, wick=0.0))
    assert found is not None and found.neck_px == pytest.approx(103.5) and found.broken is Side.SELL


@pytest.mark.parametrize(
    ("place", "px"),
    [(3, 107.5), (1, 113.0), (5, 113.0), (4, 94.0), (1, 100.5)],
    ids=["no head", "left as high as the head", "right as high", "tilted neck", "one shoulder hardly there"],
)
def test_a_shape_out_of_proportion_is_none(place: int, px: float) -> None:
    knots = [*TOP, (42, 101.0)]
    assert head_and_shoulders(drawn(knots, wick=0.0)) is not None
    knots[place] = (knots[place][0], px)
    assert head_and_shoulders(drawn(knots, wick=0.0)) is None


def test_halves_of_very_different_length_are_none() -> None:
    knots = [
        (0, 90.0),
        (4, 106.0),
        (8, 100.0),
        (12, 114.0),
        (34, 100.0),
        (40, 107.0),
        (45, 102.0),
        (46, 101.0),
    ]
    assert head_and_shoulders(drawn(knots, wick=0.0)) is None


def test_a_close_above_the_head_since_is_none() -> None:
    assert head_and_shoulders(drawn([*TOP, (42, 114.0)], wick=0.0)) is not None
    assert head_and_shoulders(drawn([*TOP, (42, 114.5)], wick=0.0)) is None


def test_a_shoulder_below_the_neckline_is_none() -> None:
    """The neckline falls from 104 at bar 14 to 100 at bar 30, so it is at 105.5 over the left shoulder."""
    knots = [
        (0, 90.0),
        (8, 106.0),
        (14, 104.0),
        (22, 114.0),
        (30, 100.0),
        (36, 101.0),
        (39, 99.0),
        (40, 98.9),
    ]
    found = head_and_shoulders(drawn(knots, wick=0.0))
    assert found is not None and found.uneven_ratio == pytest.approx((2.5 - 0.5) / 12)
    knots[1] = (8, 105.0)
    assert head_and_shoulders(drawn(knots, wick=0.0)) is None


# --- all of them ------------------------------------------------------------------------------

ALL = (breakout, wedge, triangle, head_and_shoulders)


@pytest.mark.parametrize("pattern", ALL)
def test_too_few_bars_and_a_still_market_show_nothing(pattern: object) -> None:
    for bars in (bars_along([]), bars_along([100.0]), bars_along([100.0] * 200, wick=0.0)):
        assert pattern(bars) is None  # type: ignore[operator]


@pytest.mark.parametrize("pattern", ALL)
def test_a_pattern_refuses_to_look_at_less_than_two_bars(pattern: object) -> None:
    with pytest.raises(ValueError, match="over 1 bars, allowed: 2 to 100000"):
        pattern(bars_along([100.0] * 30), 1)  # type: ignore[operator]


def bars_of_walk(seed: int) -> Bars:
    steps = np.random.default_rng(seed).normal(0, 0.002, (120, 6))
    path = 100 * np.exp(np.cumsum(steps.ravel())).reshape(120, 6)
    ts_ms = np.arange(120, dtype=np.int64) * 300_000
    high, low, close = path.max(axis=1), path.min(axis=1), path[:, -1]
    return Bars("X", "5m", ts_ms, path[:, 0], high, low, close, column([1.0] * 120))


def in_unit(bars: Bars, unit: float) -> Bars:
    prices = (x * unit for x in (bars.open, bars.high, bars.low, bars.close))
    return Bars(bars.instrument, bars.frame, bars.ts_ms, *prices, bars.volume)


def shapes_of(bars: Bars) -> list[str]:
    """What the bars show, with everything that is promised of it looked at."""
    shown = []
    for found in filter(None, (wedge(bars), triangle(bars))):
        assert 0 < found.narrowed_ratio <= patterns.NARROWED and found.misfit_ratio <= patterns.MISFIT
        assert found.lower_px < found.upper_px and found.pivots >= patterns.FEWEST
        shown.append(f"{found.shape} {found.broken}")
    if (shoulders := head_and_shoulders(bars)) is not None:
        top = shoulders.side is Side.SELL
        outer = shoulders.left_px, shoulders.right_px
        assert shoulders.head_px > max(outer) if top else shoulders.head_px < min(outer)
        assert shoulders.uneven_ratio <= patterns.UNEVEN and shoulders.height_ratio > 0
        assert shoulders.broken in (None, shoulders.side)
        shown.append(f"shoulders {shoulders.side} {shoulders.broken}")
    if (left := breakout(bars)) is not None:
        assert left.beyond_ratio > 0 and left.side.sign * (bars.close[-1] - left.level_px) > 0
        shown.append(f"breakout {left.side}")
    return shown


@given(market=markets())
def test_patterns_keep_to_their_bounds(market: Market) -> None:
    ts_ms = np.arange(len(market), dtype=np.int64) * 300_000
    shapes_of(Bars("X", "5m", ts_ms, market.close, market.high, market.low, market.close, market.volume))


def test_patterns_of_random_walks_do_not_depend_on_the_unit_of_the_price() -> None:
    seen: set[str] = set()
    for seed in range(400):
        bars = bars_of_walk(seed)
        shown = shapes_of(bars)
        assert shapes_of(in_unit(bars, 0.0078125)) == shapes_of(in_unit(bars, 1024.0)) == shown
        seen.update(shown)
    names = {shape.split()[0] for shape in seen}
    assert names >= {"shoulders", "breakout"} and len(names & set(map(str, Shape))) >= 3


def test_evidence_names_every_figure_and_leaves_out_what_is_open() -> None:
    found = triangle(between(-0.08, 0.08))
    assert isinstance(found, Narrowing)
    shown = dict(evidence("pattern", found))
    assert shown["pattern_shape"] == "symmetric_triangle" and "pattern_broken" not in shown
    assert shown["pattern_pivots"] == 7 and type(shown["pattern_pivots"]) is int
    assert shown["pattern_upper_px"] == D("106.24")
    assert all(isinstance(value, D | int | str) for value in shown.values())
    broken = breakout(ranging(105.06))
    assert broken is not None and dict(evidence("breakout", broken))["breakout_broken"] == "buy"
