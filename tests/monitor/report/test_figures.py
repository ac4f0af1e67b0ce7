"""Each figure against an example reckoned by hand, and what must hold for any curve."""

from __future__ import annotations

from decimal import Decimal
from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS, HOUR_MS
from monitor.pnl_tracker import Point, max_drawdown
from monitor.report import figures

D = Decimal
values = st.lists(st.integers(50, 200).map(D), min_size=1, max_size=40)
returns = st.lists(st.integers(-100, 100).map(lambda n: n / 1000), min_size=2, max_size=30)


def curve(*equity: int | str | D, step_ms: int = 1) -> list[Point]:
    return [(n * step_ms, D(one)) for n, one in enumerate(equity)]


def test_daily_returns_take_the_last_equity_known_at_each_whole_day() -> None:
    points = [(0, D(100)), (20 * HOUR_MS, D(101)), (30 * HOUR_MS, D(102)), (48 * HOUR_MS, D("99.99"))]
    assert figures.daily_returns(points) == pytest.approx([0.01, -0.01])
    assert figures.daily_returns([*points, (70 * HOUR_MS, D(500))]) == pytest.approx([0.01, -0.01])
    assert figures.daily_returns([]) == []
    assert figures.daily_returns(points[:1]) == []


def test_a_day_without_a_point_has_no_return() -> None:
    assert figures.daily_returns([(0, D(100)), (3 * DAY_MS, D(103))]) == pytest.approx([0, 0, 0.03])


def test_ratios_of_returns_as_reckoned_by_hand() -> None:
    assert figures.sharpe([0.01, 0.03]) == pytest.approx(0.02 / 0.01414213562 * sqrt(365))
    assert figures.sortino([0.03, -0.01]) == pytest.approx(0.01 / sqrt(0.0001 / 2) * sqrt(365))
    assert figures.omega([0.03, -0.01, 0.01]) == pytest.approx(4)
    assert figures.calmar(D("0.08"), D("0.01")) == 8


def test_what_cannot_be_divided_is_no_figure() -> None:
    assert figures.sharpe([0.01]) is None
    assert figures.sharpe([0.01, 0.01]) is None
    assert figures.sortino([]) is None
    assert figures.sortino([0.01, 0.0]) is None
    assert figures.omega([0.01]) is None
    assert figures.calmar(D(1), D(0)) is None
    assert figures.win_rate([]) is None
    assert figures.payoff([D(1)]) is None
    assert figures.expectancy([]) is None
    assert figures.turnover(D(1), curve(1)) is None
    assert figures.capture(D(1), D(0)) is None


def test_the_deepest_fall_and_its_recovery() -> None:
    fall = figures.deepest_fall(curve(100, 120, 90, 130))
    assert (fall.depth, fall.peak_ms, fall.trough_ms, fall.recovered_ms) == (D("0.25"), 1, 2, 3)
    assert fall.recovery_ms == 1
    lasting = figures.deepest_fall(curve(100, 120, 90, 119))
    assert lasting.recovery_ms is None
    assert figures.deepest_fall(curve(1, 2)).depth == 0
    with pytest.raises(ValueError, match="needs a curve"):
        figures.deepest_fall([])


def test_the_longest_time_under_water_lasts_until_the_peak_is_seen_again_or_the_end() -> None:
    assert figures.longest_under_water_ms(curve(100, 90, 95, 100, 101)) == 3
    assert figures.longest_under_water_ms(curve(100, 99, 100, 99, 98, 97)) == 3
    assert figures.longest_under_water_ms(curve(100, 100, 101)) == 0


def test_rounds_by_hand() -> None:
    nets = [D(30), D(10), D(-5), D(0)]
    assert figures.win_rate(nets) == 0.5
    assert figures.payoff(nets) == 4
    assert figures.expectancy(nets) == D("8.75")


def test_turnover_is_of_the_mean_equity_and_of_a_year() -> None:
    points = [(0, D(50)), (73 * DAY_MS // 2, D(150)), (73 * DAY_MS, D(999))]
    assert figures.turnover(D(200), points) == pytest.approx(10)


def test_capture_is_a_share_of_foresight() -> None:
    assert figures.capture(D("0.046"), D("0.05")) == pytest.approx(0.92)
    assert figures.capture(D("-0.01"), D("0.05")) == pytest.approx(-0.2)


@given(values)
def test_falls_agree_with_each_other_and_with_the_summary(equity: list[Decimal]) -> None:
    points = curve(*equity)
    fall = figures.deepest_fall(points)
    assert fall.depth == max_drawdown(points) == max(depth for _, depth in figures.drawdowns(points))
    assert fall.peak_ms <= fall.trough_ms
    if fall.recovery_ms is not None:
        assert figures.longest_under_water_ms(points) >= fall.recovery_ms
    assert (figures.longest_under_water_ms(points) > 0) == (fall.depth > 0)


@given(returns, st.integers(1, 50))
def test_ratios_do_not_change_with_the_size_of_the_bet(of_days: list[float], times: int) -> None:
    larger = [r * times for r in of_days]
    for ratio in (figures.sharpe, figures.sortino, figures.omega):
        one, other = ratio(of_days), ratio(larger)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)


@given(returns)
def test_omega_is_above_one_exactly_where_the_mean_is_above_zero(of_days: list[float]) -> None:
    found = figures.omega(of_days)
    if found is not None and abs(sum(of_days)) > 1e-9:
        assert (found > 1) == (sum(of_days) > 0)


@given(st.lists(st.integers(-50, 50).map(D), min_size=1, max_size=20))
def test_expectancy_is_what_win_rate_and_payoff_say(nets: list[Decimal]) -> None:
    wins, pays, mean = figures.win_rate(nets), figures.payoff(nets), figures.expectancy(nets)
    assert wins is not None
    assert mean is not None
    losses = [-n for n in nets if n < 0]
    if pays is not None:
        lost = float(sum(losses) / len(losses))
        assert isclose(float(mean), lost * (wins * pays - len(losses) / len(nets)), abs_tol=1e-9)
