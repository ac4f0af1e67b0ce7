"""What cannot be said in the language of the signal modules."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.types import HOUR_MS, Base, Side
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop
from strategy.auxiliary.language import Needs, Parameter, Signal, settings_of

D = Decimal
PERIOD = Parameter("period", "bars looked back", "bars", D(20), D(2), D(50), whole=True)
SIZE = Parameter("size", "how far", "ratio", D("0.5"), D(0), D(1))


def signal(side: Side = Side.BUY) -> Signal:
    """A proposal at 100 with a stop 2 % away."""
    return Signal(
        module="test",
        instrument="BTC-USDT",
        side=side,
        strength=D(60),
        px=D(100),
        at_ms=HOUR_MS,
        valid_until_ms=2 * HOUR_MS,
        evidence=(("rsi", D(22)),),
        plan=ExitPlan("test", Stop((Distance(ratio=D("0.02")),))),
    )


@pytest.mark.parametrize("side", list(Side))
def test_a_signal_with_stop_and_evidence_is_accepted(side: Side) -> None:
    assert signal(side).side is side


@pytest.mark.parametrize("strength", ["0", "100"])
def test_strength_reaches_from_none_to_all(strength: str) -> None:
    assert replace(signal(), strength=D(strength)).strength == D(strength)


@pytest.mark.parametrize("strength", ["-1", "100.1"])
def test_strength_has_one_scale(strength: str) -> None:
    with pytest.raises(ValueError, match="strength"):
        replace(signal(), strength=D(strength))


def test_a_black_box_is_refused() -> None:
    with pytest.raises(ValueError, match="evidence"):
        replace(signal(), evidence=())


@pytest.mark.parametrize(
    ("side", "support_px"), [(Side.BUY, 100), (Side.BUY, 101), (Side.SELL, 100), (Side.SELL, 99)]
)
def test_a_stop_on_the_winning_side_is_no_stop(side: Side, support_px: int) -> None:
    plan = ExitPlan("test", Stop(at_support=True))
    with pytest.raises(ValueError, match="protects"):
        replace(signal(side), plan=plan, measures=Measures(support=D(support_px)))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("px", D(0), "price"),
        ("wished_leverage", D(0), "leverage"),
        ("valid_until_ms", HOUR_MS, "valid until"),
        ("most_base", Base(D(0)), "at most 0 coins, allowed: above zero"),
        ("most_base", Base(D(-1)), "at most -1 coins, allowed: above zero"),
    ],
)
def test_a_signal_that_makes_no_sense_is_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(signal(), **{name: value})  # type: ignore[arg-type]


def test_a_signal_leaves_its_size_to_the_gate_unless_it_says_how_much_it_wants_at_most() -> None:
    assert signal().most_base is None
    assert replace(signal(), most_base=Base(D("0.5"))).most_base == D("0.5")


def test_the_same_proposal_has_the_same_name_and_another_one_another() -> None:
    assert signal().signal_id == signal().signal_id
    others = (
        signal(Side.SELL),
        replace(signal(), module="other"),
        replace(signal(), instrument="ETH-USDT"),
        replace(signal(), at_ms=HOUR_MS + 1),
    )
    assert signal().signal_id not in {other.signal_id for other in others}


@pytest.mark.parametrize("default", ["1", "51", "20.5"])
def test_a_parameters_default_is_one_of_its_values(default: str) -> None:
    with pytest.raises(ValueError, match="period"):
        replace(PERIOD, default=D(default))


def test_what_is_not_given_has_its_default() -> None:
    assert settings_of((PERIOD, SIZE), {"period": D(10)}) == {"period": 10, "size": D("0.5")}
    assert settings_of((PERIOD, SIZE)) == {"period": 20, "size": D("0.5")}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("perod", "10", "allowed: period, size"),
        ("period", "1", "allowed: 2 to 50"),
        ("period", "51", "allowed: 2 to 50"),
        ("period", "10.5", "allowed: whole numbers"),
        ("size", "1.01", "allowed: 0 to 1"),
    ],
)
def test_a_setting_that_is_not_allowed_is_told_with_what_is(name: str, value: str, allowed: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*{allowed}"):
        settings_of((PERIOD, SIZE), {name: D(value)})


def test_a_module_is_asked_on_bars_it_is_shown_and_that_exist() -> None:
    assert Needs({"1H": 30}, on="1H").on == "1H"
    with pytest.raises(ValueError, match=r"2H.*allowed: 1m"):
        Needs({"2H": 30})
    with pytest.raises(ValueError, match="asked on 4H, allowed: 1H"):
        Needs({"1H": 30}, on="4H")
