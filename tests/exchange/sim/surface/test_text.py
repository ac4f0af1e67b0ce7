from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchange.sim.surface.text import num

amounts = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12)


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
