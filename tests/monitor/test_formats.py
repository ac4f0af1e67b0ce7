from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import formats


def test_usdt_has_two_decimals_and_thousands() -> None:
    assert formats.usdt(D("12345.6")) == "12,345.60"


@pytest.mark.parametrize(
    ("value", "text"), [("12.3", "+12.30"), ("-0.45", "-0.45"), ("0", "+0.00"), ("-0.001", "+0.00")]
)
def test_a_result_carries_its_sign_and_never_says_minus_zero(value: str, text: str) -> None:
    assert formats.signed_usdt(D(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.50000000", "0.5"),
        ("1200", "1200"),
        ("0", "0"),
        ("-0.000000001", "0"),
        ("0.123456789", "0.12345679"),
    ],
)
def test_coins_are_trimmed_and_rounded_to_eight_decimals(value: str, text: str) -> None:
    assert formats.coins(D(value)) == text


def test_a_rate_is_per_cent_with_four_decimals() -> None:
    assert formats.rate(D("0.0001")) == "0.0100 %"
    assert formats.rate(D("-0.00002")) == "-0.0020 %"


def test_times_are_utc() -> None:
    assert formats.utc(1_773_302_705_999) == "2026-03-12 08:05:05Z"
    assert formats.clock_time(1_773_302_705_999) == "03-12 08:05:05"
    assert formats.utc_day(1_773_273_599_999) == "2026-03-11"
    assert formats.utc_day(1_773_273_600_000) == "2026-03-12"


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0s"),
        (-5, "0s"),
        (59_999, "59s"),
        (320_000, "5m 20s"),
        (3_600_000, "1h"),
        (183_600_000, "2d 3h"),
        (172_860_000, "2d"),
    ],
)
def test_a_span_shows_its_two_largest_units(ms: int, text: str) -> None:
    assert formats.span(ms) == text


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=8))
def test_coins_read_back_as_the_same_number(value: D) -> None:
    assert D(formats.coins(value)) == value
