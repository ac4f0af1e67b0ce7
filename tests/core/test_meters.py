from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import On
from core.meters import Counts, Family, Histogram, Meters


def test_a_value_counts_in_the_bucket_of_the_least_bound_not_below_it() -> None:
    histogram = Histogram((1, 2, 5))
    for value in (0, 1, 1.5, 2, 4, 6, 7):
        histogram.add(value)
    told = histogram.read()
    assert (told.counts, told.count, told.total) == ((2, 2, 1, 2), 7, 21.5)


@given(st.lists(st.floats(0, 1e6)))
def test_no_value_is_lost(values: list[float]) -> None:
    histogram = Histogram((0.1, 1, 10))
    for value in values:
        histogram.add(value)
    assert histogram.read().count == len(values)
    assert histogram.read().total == pytest.approx(sum(values))


@pytest.mark.parametrize("bounds", [(), (2, 1), (1, 1)])
def test_bounds_that_do_not_ascend_are_refused(bounds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="they ascend"):
        Histogram(bounds)


def test_what_was_read_stays_as_it_was() -> None:
    histogram, counts = Histogram((1,)), Counts([("a",)])
    before, sums = histogram.read(), counts.read()
    histogram.add(0.5)
    counts.add("a")
    assert (before.count, sums) == (0, {("a",): 0})
    assert counts.read() == {("a",): 1}


def test_a_family_tells_the_named_from_the_start_and_others_as_they_come() -> None:
    family = Family((1,), ["ack"])
    family.add("fill", 0.5)
    assert {name: told.count for name, told in family.read().items()} == {"ack": 0, "fill": 1}


def test_a_decision_is_timed_also_when_it_fails() -> None:
    ticks = iter((10.0, 10.25))
    meters = Meters(now_s=lambda: next(ticks))
    with pytest.raises(RuntimeError), meters.deciding(On.SCAN):
        raise RuntimeError("a guard broke")
    told = meters.decisions_s.read()[On.SCAN]
    assert (told.count, told.total) == (1, 0.25)
