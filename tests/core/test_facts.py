"""How values become what a row holds."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import Enum
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import canonical, clean, encoded, plain, told
from core.verdict import Verdict


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Part:
    name: str
    sizes: tuple[Decimal, ...]
    colour: Colour = Colour.RED


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_written_with_all_its_digits_and_no_exponent(number: Decimal) -> None:
    assert plain(number) == format(number, "f")


@pytest.mark.parametrize(
    ("number", "text"), [("0E-8", "0.00000000"), ("1E+5", "100000"), ("-1.50E-9", "-0.00000000150")]
)
def test_an_exponent_never_reaches_a_row(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text
    assert plain(Verdict(True, "guard", "well", (("size", Decimal(number)),)))["figures"] == [["size", text]]


def test_a_verdict_is_written_field_by_field_like_any_dataclass() -> None:
    verdict = Verdict(
        False, "liquid", "too thin", (("depth_usdt", Decimal("1.50")), ("known", True)), "A-USDT"
    )
    assert plain(verdict) == {f.name: plain(getattr(verdict, f.name)) for f in fields(Verdict)}


def test_parts_of_parts_are_made_plain_too() -> None:
    part = Part("a", (Decimal("1.0"), Decimal(2)))
    assert plain({1: [part], "none": None}) == {
        "1": [{"name": "a", "sizes": ["1.0", "2"], "colour": "red"}],
        "none": None,
    }
    assert plain(MappingProxyType({"x": frozenset({"b", "a"})})) == {"x": ["a", "b"]}
    assert plain(defaultdict(int, x=1)) == {"x": 1}


@pytest.mark.parametrize("value", [1.5, b"raw", object()])
def test_what_has_no_place_in_a_journal_is_refused_by_its_type(value: object) -> None:
    for body in (value, [value], {"x": value}, Verdict(True, "g", "r", (("x", value),))):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=f"{type(value).__name__} has no place in the journal"):
            plain(body)


def test_equal_bodies_give_equal_text_whatever_their_order() -> None:
    assert canonical({"b": 1, "a": [True]}) == canonical({"a": [True], "b": 1}) == '{"a":[true],"b":1}'


FIGURES = st.one_of(
    st.decimals(allow_nan=False),
    st.integers(-(10**12), 10**12),
    st.text(),
    st.booleans(),
    st.sampled_from(Colour),
)


@given(st.lists(st.tuples(st.text(), FIGURES)), st.text())
def test_a_decision_is_told_as_any_other_body(figures: list[tuple[str, Decimal]], reason: str) -> None:
    verdicts = (Verdict(True, "g", "r", tuple(figures), "DOGE-USDT"), Verdict(False, "h", "1E+2"))
    body = {"verdicts": verdicts, "reason": reason, "targets": (Part("a", (Decimal(2),)),)}
    wanted = clean(plain(body), str.upper)
    held, text = told(body, str.upper)
    assert (held, dict(held), text) == (wanted, wanted, canonical(wanted))


@pytest.mark.parametrize("value", [1.5, b"raw", object()])
def test_a_decision_with_what_has_no_place_in_a_journal_is_refused(value: object) -> None:
    verdicts = (Verdict(True, "g", "r", (("x", value),)),)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=f"{type(value).__name__} has no place in the journal"):
        told({"verdicts": verdicts}, str)


LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.text(max_size=9)
    | st.decimals(allow_nan=False, allow_infinity=False, places=9)
)


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    )
)
def test_what_is_encoded_reads_back_as_what_is_plain_and_keeps_its_order(value: object) -> None:
    read = json.loads(encoded(value))
    assert read == plain(value)
    assert json.dumps(read) == json.dumps(plain(value))
