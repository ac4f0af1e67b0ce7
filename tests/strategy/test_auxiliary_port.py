from __future__ import annotations

from decimal import Decimal

import pytest

from config.schema import Account
from core.types import HOUR_MS, Side
from strategy.auxiliary.port import ExitPlan, Parameter, Signal, Target, sleeve
from tests.risk.scenes import NOW, D


def exit_plan(stop: str = "95", *fractions: str) -> ExitPlan:
    return ExitPlan(D(stop), tuple(Target(D(110), D(f)) for f in fractions), HOUR_MS)


def signal(side: Side = Side.BUY, stop: str = "95", strength: str = "60", evidence: bool = True) -> Signal:
    shown = (("rsi", D(22)),) if evidence else ()
    return Signal("BTC-USDT", side, D(strength), D(100), shown, NOW, exit_plan(stop, "0.5", "0.5"))


def test_a_signal_with_stop_and_evidence_is_accepted() -> None:
    assert signal().strength == 60
    assert signal(Side.SELL, "105").side is Side.SELL


@pytest.mark.parametrize(
    ("side", "stop"), [(Side.BUY, "100"), (Side.BUY, "101"), (Side.SELL, "100"), (Side.SELL, "99")]
)
def test_a_stop_on_the_winning_side_is_no_stop(side: Side, stop: str) -> None:
    with pytest.raises(ValueError, match="protects nothing"):
        signal(side, stop)


@pytest.mark.parametrize("strength", ["-1", "100.1"])
def test_strength_has_one_scale(strength: str) -> None:
    with pytest.raises(ValueError, match="strength"):
        signal(strength=strength)


def test_a_black_box_is_refused() -> None:
    with pytest.raises(ValueError, match="evidence"):
        signal(evidence=False)


@pytest.mark.parametrize("fractions", [("0.6", "0.5"), ("0",), ("-0.1",)])
def test_targets_take_off_at_most_the_whole(fractions: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="fractions"):
        exit_plan("95", *fractions)


def test_there_is_no_exit_plan_without_stop_or_end() -> None:
    with pytest.raises(ValueError, match="stop"):
        exit_plan("0")
    with pytest.raises(ValueError, match="stop"):
        ExitPlan(D(95), (), 0)


def test_a_parameters_default_lies_within_its_bounds() -> None:
    with pytest.raises(ValueError, match="period"):
        Parameter("period", "bars looked back", "bars", D(1), D(2), D(50))


@pytest.mark.parametrize(("ratio", "usdt"), [("0", 0), ("0.2", 20_000), ("0.3", 30_000)])
def test_the_sleeve_is_a_fraction_of_the_capital(ratio: str, usdt: Decimal) -> None:
    assert sleeve(Account(core_ratio=D("0.7"), auxiliary_ratio=D(ratio))) == usdt


@pytest.mark.parametrize("ratio", ["0.19", "0.31"])
def test_a_sleeve_of_any_other_size_is_refused(ratio: str) -> None:
    with pytest.raises(ValueError, match="auxiliary_ratio"):
        sleeve(Account(core_ratio=D("0.5"), auxiliary_ratio=D(ratio)))
