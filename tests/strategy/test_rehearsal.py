from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Exit, Strategy
from core.types import HOUR_MS, SettledFunding
from strategy.foresight import perfect_foresight
from strategy.funding_forecast import History, RollingHistory, digest
from strategy.rehearsal import MODES, Rehearsal

D = Decimal
COST = D("0.0015")
START_MS = 1_704_067_200_000
HALF_LIFE = Strategy().forecast.half_life_hours
some_rates = st.lists(st.integers(-60, 90).map(lambda n: D(n) / 100_000), min_size=1, max_size=60)


def settled(rates: Sequence[object], hours: int = 8) -> list[SettledFunding]:
    return [SettledFunding(START_MS + n * hours * HOUR_MS, D(str(rate))) for n, rate in enumerate(rates)]


def played(mode: str, rates: Sequence[object], known: int = 20, hours: int = 8, **exit_: int) -> str:
    """One letter a settlement after `known` good ones: H held, - not."""
    series = settled(["0.0005"] * known + list(rates), hours)
    strategy = Strategy(exit=Exit(**{name: D(value) for name, value in exit_.items()}))  # type: ignore[arg-type]
    course = Rehearsal(series, COST, strategy, first=known).play(mode)
    return "".join("H" if one else "-" for one in course.held)


def test_sign_leaves_after_one_settlement_below_zero_and_returns_when_it_is_in_the_band_again() -> None:
    """The settlement below zero is paid before it is known; the cooldown lasts over one interval."""
    assert played("sign", ["0.0005", "-0.0001", "0.0005", "0.0005", "0.0005"]) == "HH-HH"


def test_hysteresis_leaves_after_three_in_a_row() -> None:
    below = ["-0.0001"] * 2 + ["0.0002"] + ["-0.0001"] * 3 + ["-0.0001"] * 2
    assert played("hysteresis", below) == "HHHHHH--"


def test_expected_cost_stays_while_leaving_and_returning_costs_more() -> None:
    assert played("expected_cost", ["-0.0001"] * 8) == "HHHHHHHH"


def test_expected_cost_leaves_when_staying_is_forecast_to_cost_more() -> None:
    way = played("expected_cost", ["-0.0020"] * 12)
    assert way.startswith("HH")
    assert way.endswith("----")


def test_nothing_is_opened_without_the_history_a_forecast_needs() -> None:
    least = Strategy().forecast.min_settlements
    assert played("sign", ["0.0005"] * (least + 2), known=0) == "-" * least + "HH"


def test_a_hedge_is_not_left_before_its_shortest_time() -> None:
    """Four-hour settlements: the second after the opening ends the shortest time of eight hours."""
    assert played("sign", ["-0.0001"] * 5, hours=4, cooldown_hours=2000) == "HH---"
    assert played("sign", ["-0.0001"] * 5, hours=4, min_hold_hours=0, cooldown_hours=2000) == "H----"


def test_each_segment_begins_flat() -> None:
    series = settled(["0.0005"] * 30)
    parts = Rehearsal(series, COST, Strategy(), first=20, segments=((0, 5), (5, 10))).play("sign")
    assert parts.switches == 4


@pytest.mark.parametrize("mode", MODES)
@given(rates=some_rates, known=st.integers(0, 20), later=st.integers(-60, 90))
def test_what_comes_later_changes_nothing_before_it_and_foresight_is_never_beaten(
    mode: str, rates: list[Decimal], known: int, later: int
) -> None:
    first = min(known, len(rates) - 1)
    whole = Rehearsal(settled(rates), COST, Strategy(), first).play(mode)
    other = Rehearsal(settled([*rates[:-1], D(later) / 100_000]), COST, Strategy(), first).play(mode)
    assert whole.held == other.held
    assert whole.net <= perfect_foresight(rates[first:], COST).net


@given(
    steps=st.lists(st.sampled_from((3_600, 14_400, 28_800, 90_000)), min_size=1, max_size=30),
    rates=st.lists(st.integers(-500, 500), min_size=30, max_size=30),
    keep=st.integers(2, 40),
)
def test_a_rolling_history_is_the_digest_of_its_last_settlements(
    steps: list[int], rates: list[int], keep: int
) -> None:
    series, at_ms = list[SettledFunding](), START_MS
    for step_s, rate in zip(steps, rates, strict=False):
        at_ms += step_s * 1000
        series.append(SettledFunding(at_ms, D(rate) / 1_000_000))
    rolling = RollingHistory(HALF_LIFE, keep)
    for one in series:
        rolling.add(one)
        rolling.add(SettledFunding(one.ts_ms + 20_000, one.rate))  # the same, told twice
    assert near(rolling.history, digest(series[-keep:], HALF_LIFE))


def near(found: History, expected: History) -> bool:
    if (found.count, found.last_ms) != (expected.count, expected.last_ms):
        return False
    names = ("paid", "hours", "square", "total_paid", "total_hours")
    return all(abs(getattr(found, name) - getattr(expected, name)) < D("1e-20") for name in names)
