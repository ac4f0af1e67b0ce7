from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Forecast as ForecastSettings
from core.types import HOUR_MS, SettledFunding
from strategy.funding_forecast import Forecast, digest, forecast
from tests.risk.scenes import NOW, D, history, quote

SETTINGS = ForecastSettings()
rates = st.integers(min_value=-5000, max_value=5000).map(lambda n: D(n) / 1_000_000)


def predict(
    settled: tuple[SettledFunding, ...], rate: str = "0.0001", hours: int = 8, now: int = NOW
) -> Forecast:
    known = digest(settled, SETTINGS.half_life_hours)
    return forecast(quote(rate, hours=hours), known, SETTINGS, now)


def near(value: Decimal, expected: str) -> bool:
    return abs(value - D(expected)) < D("1e-20")


def test_a_constant_rate_is_forecast_to_stay() -> None:
    result = predict(history("0.0001"))
    assert near(result.rate_now_8h, "0.0001")
    assert near(result.mean_8h, "0.0001")
    assert result.settlements == 90
    assert near(result.expected_sum, "0.009")
    assert near(result.std_8h, "0")


@pytest.mark.fault("FU2")
@pytest.mark.parametrize("hours", [1, 2, 4, 8])
def test_the_interval_changes_how_often_and_not_how_much(hours: int) -> None:
    rate = D("0.0001") * hours / 8
    result = predict(history(str(rate), count=200, hours=hours), str(rate), hours)
    assert near(result.rate_now_8h, "0.0001")
    assert near(result.mean_8h, "0.0001")
    assert result.settlements == 720 // hours
    assert near(result.expected_sum, "0.009")


@pytest.mark.fault("FU2")
def test_a_history_whose_interval_stepped_down_is_read_per_hour() -> None:
    eight = history("0.0008", count=30)
    last = eight[-1].ts_ms
    four = tuple(SettledFunding(last + n * 4 * HOUR_MS, D("0.0004")) for n in range(1, 7))
    known = digest((*eight, *four), SETTINGS.half_life_hours)
    assert all(near(rate, "0.0001") for rate in known.hourly)
    next_ms = four[-1].ts_ms + 4 * HOUR_MS
    step = replace(
        quote("0.0004", hours=4), funding_time_ms=next_ms, next_funding_time_ms=next_ms + 4 * HOUR_MS
    )
    assert near(forecast(step, known, SETTINGS, four[-1].ts_ms).mean_8h, "0.0008")


def test_the_current_quote_is_what_the_next_settlement_pays() -> None:
    soon = ForecastSettings(horizon_hours=D(5))  # the next settlement is four hours away
    known = digest(history("0.0001"), soon.half_life_hours)
    assert forecast(quote("0.0007"), known, soon, NOW).expected_sum == D("0.0007")


def test_a_settlement_beyond_the_horizon_pays_nothing() -> None:
    soon = ForecastSettings(horizon_hours=D(3))
    result = forecast(quote("0.0007"), digest(history(), D(72)), soon, NOW)
    assert (result.settlements, result.expected_sum) == (0, 0)


def test_after_a_half_life_an_old_rate_counts_half() -> None:
    # Two settlements three days apart, of equal intervals: weights one half and one; then the quote.
    old, new = NOW - 76 * HOUR_MS, NOW - 4 * HOUR_MS
    pair = (SettledFunding(old, D("0.0009")), SettledFunding(new, D("0")))
    known = digest(pair, D(72))
    assert near(known.paid, "0.00045")
    assert near(known.hours, "12")


def test_the_closed_form_equals_the_sum_term_by_term() -> None:
    settled = tuple(replace(s, rate=D(n) / 1_000_000) for n, s in enumerate(history(count=60)))
    result = predict(settled, "0.0003")
    now_hourly, mean_hourly = result.rate_now_8h / 8, result.mean_8h / 8
    total = D("0.0003")
    for k in range(1, result.settlements):
        faded = (-D(2).ln() * 8 * k / SETTINGS.reversion_half_life_hours).exp()
        total += 8 * (mean_hourly + (now_hourly - mean_hourly) * faded)
    assert abs(result.expected_sum - total) < D("1e-22")


def test_a_burst_fades_towards_the_long_mean() -> None:
    settled = (*history("0", count=90)[:-6], *(replace(s, rate=D("0.001")) for s in history(count=6)))
    result = predict(settled, "0.001")
    assert result.rate_now_8h > 3 * result.mean_8h
    assert result.mean_8h * 90 < result.expected_sum < result.rate_now_8h * 90


def test_a_hole_in_the_history_is_no_long_interval() -> None:
    settled = history("0.0001", count=20)
    holed = (*settled[:5], *settled[15:])
    assert near(predict(holed).rate_now_8h, "0.0001")
    assert near(predict(holed).mean_8h, "0.0001")


def test_jitter_of_milliseconds_changes_nothing() -> None:
    settled = history("0.0001", count=20)
    jittered = tuple(replace(s, ts_ms=s.ts_ms + n % 7) for n, s in enumerate(settled))
    assert near(predict(jittered).mean_8h, "0.0001")


def test_the_same_settlement_told_twice_counts_once() -> None:
    settled = history("0.0001", count=20)
    twice = (*settled, replace(settled[-1], ts_ms=settled[-1].ts_ms + 5))
    assert digest(twice, D(72)).count == 20


def test_without_history_the_quote_is_all_there_is() -> None:
    result = predict((), "0.0002")
    assert result.history == 0
    assert near(result.expected_sum, "0.018")


def test_a_quote_without_interval_is_an_error() -> None:
    broken = replace(quote(), next_funding_time_ms=quote().funding_time_ms)
    with pytest.raises(ValueError, match="interval"):
        forecast(broken, digest((), D(72)), SETTINGS, NOW)


@given(
    series=st.lists(rates, min_size=1, max_size=40),
    where=st.integers(min_value=0, max_value=40),
    more=st.integers(min_value=1, max_value=3000),
    now_rate=rates,
)
def test_a_higher_rate_anywhere_never_lowers_the_forecast(
    series: list[Decimal], where: int, more: int, now_rate: Decimal
) -> None:
    settled = tuple(replace(s, rate=r) for s, r in zip(history(count=len(series)), series, strict=True))
    raised, higher_now = list(settled), now_rate
    if where < len(settled):
        raised[where] = replace(raised[where], rate=raised[where].rate + D(more) / 1_000_000)
    else:
        higher_now += D(more) / 1_000_000
    assert predict(tuple(raised), str(higher_now)).expected_sum > predict(settled, str(now_rate)).expected_sum


@given(series=st.lists(rates, min_size=1, max_size=40), now_rate=rates)
def test_the_forecast_stays_between_the_extremes_of_what_was_seen(
    series: list[Decimal], now_rate: Decimal
) -> None:
    settled = tuple(replace(s, rate=r) for s, r in zip(history(count=len(series)), series, strict=True))
    result = predict(settled, str(now_rate))
    low, high = min(*series, now_rate), max(*series, now_rate)
    assert low * 90 - D("1e-20") <= result.expected_sum <= high * 90 + D("1e-20")
    assert result.std_8h <= (high - low) + D("1e-12")


def test_percentile_is_the_share_that_paid_less() -> None:
    settled = tuple(replace(s, rate=D(n) / 10_000) for n, s in enumerate(history(count=10)))
    known = digest(settled, D(72))
    assert known.percentile(D("0.0003"), 8 * HOUR_MS) == D("0.3")
    assert known.percentile(D("0.00015"), 4 * HOUR_MS) == D("0.3")
    assert known.percentile(D(1), 8 * HOUR_MS) == 1
    assert digest((), D(72)).percentile(D(1), 8 * HOUR_MS) is None
