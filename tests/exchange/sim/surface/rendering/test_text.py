from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.surface.rendering.text import num

amounts = st.decimals(-(10**11), 10**11, allow_nan=False).map(lambda one: round(one, 16))


@given(amounts)
def test_a_number_reads_back_as_the_same_number(value: Decimal) -> None:
    assert Decimal(num(value)) == value


@given(amounts)
def test_a_number_has_no_exponent_no_trailing_zeros_and_no_negative_zero(value: Decimal) -> None:
    text = num(value)
    assert "E" not in text and text != "-0"
    assert "." not in text or not text.endswith(("0", "."))


def test_what_does_not_apply_is_the_empty_text() -> None:
    assert num(None) == ""


def test_small_and_large_numbers_are_written_out() -> None:
    assert num(Decimal("1E-8")) == "0.00000001"
    assert num(Decimal("1E+3")) == "1000"
    assert num(Decimal("100")) == "100"


def test_no_number_has_more_than_sixteen_decimals() -> None:
    assert num(Decimal(2) / 3) == "0.6666666666666666"
    assert num(Decimal(-2) / 3) == "-0.6666666666666667"
    assert num(Decimal("1E-20")) == "0"
    assert num(Decimal(200_000) / 3) == "66666.6666666666666666"
