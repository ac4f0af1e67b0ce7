"""The section of the signal modules: what it says about their numbers, and the red lines as bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from config.auxiliary import AuxiliaryLimits, AuxiliaryModules, parts_of

D = Decimal


def test_numbers_are_told_by_module_and_name() -> None:
    section = AuxiliaryModules(
        modules=("trend_breakout", "neutral_grid"),
        parameters=(
            "trend_breakout.ma_bars = 30",
            "neutral_grid.lines=2",
            "trend_breakout.stop_atr = 1.25",
        ),
    )
    assert section.given("trend_breakout") == {"ma_bars": D(30), "stop_atr": D("1.25")}
    assert section.given("neutral_grid") == {"lines": D(2)}
    assert section.given("confluence") == {}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"modules": ("a", "b", "a")}, "modules names one twice: a"),
        ({"symbols": ("BTC-USDT", "BTC-USDT")}, "symbols names one twice: BTC-USDT"),
        ({"symbols": ("BTC-USDT",), "exclude": ("BTC-USDT",)}, "both in symbols and in exclude"),
        ({"parameters": ("a.b = 1",)}, "for a module that is not in modules"),
        ({"modules": ("a",), "parameters": ("a.b = 1", "a.b=2")}, "gives a.b twice"),
        ({"enabled": True}, "modules names none"),
    ],
)
def test_a_contradiction_is_refused_in_one_sentence(given: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says) as told:
        AuxiliaryModules(**given)
    assert told.value.error_count() == 1


@pytest.mark.parametrize(
    "text", ["a.b", "a = 1", "a.b = x", "a.b = 1e3", "a.b = 1.", "a.b.c = 1", " a.b = 1"]
)
def test_a_number_in_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        AuxiliaryModules(modules=("a",), parameters=(text,))


def test_what_is_no_parameter_at_all_says_how_one_is_written() -> None:
    with pytest.raises(ValueError, match=r"module\.parameter = number"):
        parts_of("ma_bars")


@pytest.mark.parametrize(
    ("name", "laxer", "stricter"),
    [
        ("max_leverage", "3.01", "2"),
        ("max_risk_ratio", "0.021", "0.01"),
        ("max_entries_per_day", 5, 1),
        ("min_entry_gap_s", 3_599, 7_200),
    ],
)
def test_a_red_line_can_be_made_stricter_and_never_laxer(name: str, laxer: Any, stricter: Any) -> None:
    def value(given: Any) -> Any:
        return D(given) if isinstance(given, str) else given

    assert getattr(AuxiliaryLimits(**{name: value(stricter)}), name) == value(stricter)
    with pytest.raises(ValidationError, match=name):
        AuxiliaryLimits(**{name: value(laxer)})


def test_one_coin_may_not_be_more_than_all_together() -> None:
    with pytest.raises(ValidationError, match=r"max_coin_ratio 0\.3 is above max_total_ratio 0\.2"):
        AuxiliaryLimits(max_coin_ratio=D("0.3"), max_total_ratio=D("0.2"))
