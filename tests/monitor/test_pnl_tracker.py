from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import Kind, Row
from core.types import DAY_MS
from monitor.pnl_tracker import EquityCurve, Point, max_drawdown, net_apr, per_day, without_flows
from tests.monitor.samples import HOUR_MS, NOW_MS


def curve(*values: int, step_ms: int = HOUR_MS) -> tuple[Point, ...]:
    return tuple((NOW_MS + n * step_ms, D(value)) for n, value in enumerate(values))


curves = st.lists(st.integers(1, 10**6), min_size=1, max_size=60).map(lambda values: curve(*values))


def test_the_deepest_fall_counts_from_the_peak_before_it() -> None:
    assert max_drawdown(curve(100, 120, 90, 130, 125)) == D("0.25")


def test_what_never_falls_has_no_drawdown() -> None:
    assert max_drawdown(curve(100, 100, 101)) == 0
    assert max_drawdown(()) == 0
    assert max_drawdown(curve(-5, -9)) == 0


@given(curves)
def test_drawdown_is_the_worst_over_all_pairs(points: tuple[Point, ...]) -> None:
    pairs = [(a, b) for i, (_, a) in enumerate(points) for _, b in points[i:]]
    assert max_drawdown(points) == max((a - b) / a for a, b in pairs)


def test_the_return_is_simple_and_yearly() -> None:
    assert round(net_apr(D(100_000), D(820), 30 * DAY_MS), 6) == D("0.099767")
    assert net_apr(D(100), D(10), 365 * DAY_MS) == D("0.1")
    assert net_apr(D(100), D(-10), 730 * DAY_MS) == D("-0.05")


@pytest.mark.parametrize(("start", "ms"), [(D(0), DAY_MS), (D(-1), DAY_MS), (D(100), 0)])
def test_a_return_on_nothing_or_over_no_time_is_zero(start: D, ms: int) -> None:
    assert net_apr(start, D(5), ms) == 0


def test_days_are_utc_and_include_the_night_before() -> None:
    midnight = NOW_MS - NOW_MS % DAY_MS
    points = (
        (midnight - 2 * HOUR_MS, D(100)),
        (midnight - 1, D(110)),
        (midnight, D(105)),
        (midnight + HOUR_MS, D(120)),
    )
    first, second = per_day(points)
    assert (first.date, first.pnl) == ("2026-03-11", D(10))
    assert (second.equity_start, second.equity_end) == (D(105), D(120))
    assert (second.date, second.pnl) == ("2026-03-12", D(10))


@given(curves, st.integers(1, 3))
def test_the_days_add_up_to_the_whole(points: tuple[Point, ...], stride: int) -> None:
    stretched = tuple((NOW_MS + n * stride * 7 * HOUR_MS, e) for n, (_, e) in enumerate(points))
    assert sum(day.pnl for day in per_day(stretched)) == points[-1][1] - points[0][1]


def test_a_deposit_is_no_profit_and_a_withdrawal_no_drawdown() -> None:
    points = curve(100, 101, 151, 152, 52)
    flows = ((NOW_MS + HOUR_MS + 1, D(50)), (NOW_MS + 4 * HOUR_MS, D(-100)))
    assert [e for _, e in without_flows(points, flows)] == [100, 101, 101, 102, 102]


def test_money_that_came_before_the_first_point_is_in_it_already() -> None:
    assert without_flows(curve(100, 101), ((NOW_MS, D(100)),)) == curve(100, 101)
    assert without_flows((), ((NOW_MS, D(100)),)) == ()


def test_the_curve_takes_equity_rows_and_nothing_else() -> None:
    tracker = EquityCurve()
    tracker.on_row(Row(1, Kind.EQUITY, NOW_MS, {"equity": "100.5", "terms": {}}, "h"))
    tracker.on_row(Row(2, Kind.NOTE, NOW_MS + 1, {"what": "x"}, "h"))
    tracker.on_row(Row(3, Kind.EQUITY, NOW_MS + 2, {"equity": "101"}, "h"))
    assert tracker.points == ((NOW_MS, D("100.5")), (NOW_MS + 2, D(101)))


def test_a_second_point_at_the_same_time_replaces_and_an_older_one_is_refused() -> None:
    tracker = EquityCurve(curve(100, 110))
    tracker.add(NOW_MS + HOUR_MS, D(111))
    assert tracker.points[-1] == (NOW_MS + HOUR_MS, D(111))
    assert len(tracker.points) == 2
    with pytest.raises(ValueError, match="older"):
        tracker.add(NOW_MS, D(1))
