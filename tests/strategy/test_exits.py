from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.context import Context, HedgeView
from core.events import HedgeTarget, Plan, Purpose, State
from core.types import DAY_MS, HOUR_MS, MaintenanceWindow, SettledFunding
from core.verdict import Verdict
from strategy.cash_and_carry import CashAndCarry
from tests.risk.scenes import (
    NOW,
    SETTINGS,
    D,
    account,
    book,
    figure,
    hedge,
    history,
    market,
    quote,
    scene,
    tuned,
    venue,
)

SIGN = {"exit": {"mode": "sign"}}
HYSTERESIS = {"exit": {"mode": "hysteresis"}}


def holding(view: HedgeView | None = None, **changed: Any) -> Context:
    """A hedge of 0.2 BTC since two days, with some parts of its market changed."""
    return scene(
        state=State.RUNNING,
        markets={"BTC-USDT": replace(market(), **changed)},
        account=account(short={"BTC-USDT-SWAP": "20"}, coins={"BTC": "0.2"}),
        hedges={"BTC-USDT": view or hedge("0.2")},
    )


def plan(ctx: Context, **strategy: Any) -> Plan:
    settings = tuned(strategy=strategy) if strategy else SETTINGS
    return CashAndCarry(settings).plan(ctx)


def left(ctx: Context, **strategy: Any) -> str:
    """The reason for leaving, or an empty text."""
    targets = plan(ctx, **strategy).adjusting
    if not targets:
        return ""
    (target,) = targets
    assert isinstance(target, HedgeTarget)
    assert (target.base, target.purpose) == (0, Purpose.EXIT)
    return target.reason


def said(the_plan: Plan, guard: str) -> Verdict:
    return next(v for v in the_plan.verdicts if v.guard == guard)


def settled(*rates: str) -> tuple[SettledFunding, ...]:
    """A history of 90 ordinary settlements whose last ones are these."""
    usual = history()
    return (
        *usual[: -len(rates)],
        *(replace(s, rate=D(r)) for s, r in zip(usual[-len(rates) :], rates, strict=True)),
    )


def test_a_hedge_that_earns_is_kept_and_nothing_is_opened_on_it() -> None:
    the_plan = plan(holding())
    assert the_plan.adjusting == ()
    assert the_plan.opening == ()


@pytest.mark.parametrize(
    ("money", "reason"),
    [
        ({"funding": "1999"}, ""),
        ({"funding": "2000"}, "profit target of the pair"),
        ({"fees": "799"}, ""),
        ({"fees": "800"}, "stop loss of the pair"),
        ({"funding": "-500", "fees": "200", "slippage": "100"}, "stop loss of the pair"),
        ({"funding": "-900", "interest": "0", "basis": "500"}, ""),
    ],
)
def test_target_and_stop_are_of_the_pairs_capital_and_whole_result(
    money: dict[str, str], reason: str
) -> None:
    assert left(holding(hedge("0.2", **money))) == reason


def test_one_leg_may_lose_a_fortune_as_long_as_the_pair_does_not() -> None:
    # The short lost 30 % of the notional in a rally and spot won it: basis is their sum.
    assert left(holding(hedge("0.2", basis="-10", funding="12"))) == ""


def test_entry_costs_alone_do_not_stop_a_hedge_just_opened() -> None:
    # Fees of 0.15 % and slippage of 0.15 % of the notional on each leg, everything paid at once.
    fresh = hedge("0.2", opened_ms=NOW, fees="30", slippage="60")
    for strategy in ({}, SIGN, HYSTERESIS):
        ctx = holding(fresh, settled=settled("-0.001", "-0.001", "-0.001"), funding=quote("-0.001"))
        assert left(ctx, **strategy) == ""
    verdict = said(plan(holding(fresh)), "keep_stop_loss")
    assert figure(verdict, "pnl_ratio") == D("-0.00225")


def test_a_loss_that_is_only_an_open_basis_does_not_stop() -> None:
    # The swap stands 5 % above spot: 1000 USDT lost on paper, back as soon as they meet.
    apart = holding(
        hedge("0.2", basis="-1000"), swap=book("BTC-USDT-SWAP", D(105_000), D(200)), mark_px=D(105_000)
    )
    assert left(apart) == ""
    assert figure(said(plan(apart), "keep_stop_loss"), "pnl_without_basis_ratio") == 0
    # The same loss with both at one price is real.
    assert left(holding(hedge("0.2", basis="-1000"))) == "stop loss of the pair"


def test_a_loss_covered_by_an_open_basis_does_not_stop_either() -> None:
    # The swap stands 2 % below spot and gives back 400 of the 900 lost: what can be had now is -1.25 %.
    apart = holding(
        hedge("0.2", basis="400", fees="900"),
        swap=book("BTC-USDT-SWAP", D(98_000), D(200)),
        mark_px=D(98_000),
    )
    assert figure(said(plan(apart), "keep_stop_loss"), "pnl_without_basis_ratio") == D("-0.0225")
    assert left(apart) == ""


def test_without_capital_on_record_the_split_of_todays_value_is_used() -> None:
    adopted = replace(hedge("0.2", fees="800"), capital=D(0))
    assert left(holding(adopted)) == "stop loss of the pair"


def test_the_result_is_not_judged_on_a_broken_book() -> None:
    assert left(holding(hedge("0.2", fees="900"), spot=None)) == ""


@pytest.mark.fault("VE4")
def test_both_legs_go_a_day_and_two_hours_before_a_delisting() -> None:
    lead_ms = DAY_MS + 2 * HOUR_MS
    for leg in ("spot", "swap"):
        for left_ms, reason in ((lead_ms, "about to be delisted"), (lead_ms + 1, "")):
            the_pair = market().pair
            spec = replace(getattr(the_pair, leg), exp_time_ms=NOW + left_ms)
            assert left(holding(pair=replace(the_pair, **{leg: spec}))) == reason


@pytest.mark.parametrize(
    ("begin_ms", "length_ms", "state", "leaves"),
    [
        (30 * 60_000, 2 * HOUR_MS, "scheduled", True),
        (31 * 60_000, 2 * HOUR_MS, "scheduled", False),
        (10 * 60_000, HOUR_MS, "scheduled", False),
        (10 * 60_000, 9 * DAY_MS, "canceled", False),
    ],
)
def test_a_maintenance_too_long_to_go_unsupervised_is_left_before_it_begins(
    begin_ms: int, length_ms: int, state: str, leaves: bool
) -> None:
    window = MaintenanceWindow("upgrade", NOW + begin_ms, NOW + begin_ms + length_ms, state)
    ctx = replace(holding(), venue=venue(maintenance=(window,)))
    assert left(ctx) == ("a long maintenance is about to begin" if leaves else "")


def test_an_exit_once_begun_is_finished() -> None:
    assert left(holding(hedge("0.2", target="0"))) == "an exit was begun"
    begun = replace(hedge("0.2", target="0"), reason="funding settled below zero")
    assert left(holding(begun)) == begun.reason


# --- income -----------------------------------------------------------------------------------------


@pytest.mark.fault("FU1")
def test_one_negative_settlement_is_no_reason_to_pay_a_round_trip() -> None:
    ctx = holding(settled=settled("-0.0002"), funding=quote("-0.0002"))
    assert left(ctx) == ""
    assert said(plan(ctx), "keep_income").reason == "staying is the cheaper way"


def test_staying_is_given_up_when_it_is_forecast_to_cost_more_than_leaving_and_returning() -> None:
    # Everything paid 0.5 bp against us: 90 x 0.5 = 45 bps to come, against 32 bps of a round trip.
    dear = holding(settled=history("-0.00005"), funding=quote("-0.00005"))
    assert left(dear) == "staying is forecast to cost more than leaving and coming back"
    verdict = said(plan(dear), "keep_income")
    assert figure(verdict, "funding_bps") < -figure(verdict, "leave_and_return_bps")
    # 0.3 bp: 27 bps to come are cheaper than 32.
    assert left(holding(settled=history("-0.00003"), funding=quote("-0.00003"))) == ""


def test_leaving_is_priced_on_the_books_for_our_size() -> None:
    ctx = holding(settled=history("-0.00005"), funding=quote("-0.00005"))
    rough = replace(
        ctx.markets["BTC-USDT"],
        spot=book("BTC-USDT", D(100_000), D(2), half_bps="8"),
    )
    # 45 bps of funding against 30 of fees, 1 on the swap and 16 on spot.
    assert left(replace(ctx, markets={"BTC-USDT": rough})) == ""
    # The same with a tight book whose levels hold a tenth of our size: it is walked to its end.
    thin = replace(ctx.markets["BTC-USDT"], spot=book("BTC-USDT", D(100_000), D("0.02")))
    thin = replace(thin, swap=book("BTC-USDT-SWAP", D(100_000), D(2)))
    assert left(replace(ctx, markets={"BTC-USDT": thin})) == ""


@pytest.mark.parametrize(
    "missing", [{"funding": None}, {"settled": history("-0.001", count=8)}, {"swap": None}]
)
def test_what_cannot_be_forecast_or_priced_is_kept(missing: dict[str, Any]) -> None:
    changed = {"settled": history("-0.001"), "funding": quote("-0.001"), **missing}
    assert left(holding(**changed)) == ""
    assert left(holding(settled=history("-0.001"), funding=quote("-0.001"))) != ""


def test_income_is_not_judged_before_the_minimum_holding_time() -> None:
    for hours, leaves in ((7, False), (8, True)):
        view = hedge("0.2", opened_ms=NOW - hours * HOUR_MS)
        ctx = holding(view, settled=history("-0.001"), funding=quote("-0.001"))
        assert bool(left(ctx)) is leaves


def test_risk_exits_do_not_wait_for_the_minimum_holding_time() -> None:
    assert left(holding(hedge("0.2", opened_ms=NOW, fees="900"))) == "stop loss of the pair"


def test_a_strategy_switched_off_judges_no_income_but_keeps_the_stop() -> None:
    dear = {"settled": history("-0.001"), "funding": quote("-0.001")}
    assert left(holding(**dear), enabled=False) == ""
    assert left(holding(hedge("0.2", fees="900"), **dear), enabled=False) == "stop loss of the pair"


def test_sign_leaves_at_the_first_negative_settlement_since_opening() -> None:
    assert left(holding(settled=settled("0.0001", "-0.000001")), **SIGN) == "funding settled below zero"
    assert left(holding(settled=settled("-0.0001", "0")), **SIGN) == ""
    # A forecast is not a settlement: it may turn before it is paid.
    assert left(holding(funding=quote("-0.0001")), **SIGN) == ""


@pytest.mark.fault("FU1", "OL16")
def test_hysteresis_waits_for_several_in_a_row() -> None:
    assert left(holding(settled=settled("-0.1", "-0.1")), **HYSTERESIS) == ""
    assert (
        left(holding(settled=settled("-0.1", "-0.1", "-0.1")), **HYSTERESIS) == "funding settled below zero"
    )
    assert left(holding(settled=settled("-0.1", "-0.1", "0.1", "-0.1")), **HYSTERESIS) == ""


@pytest.mark.parametrize("strategy", [SIGN, HYSTERESIS])
def test_settlements_before_the_opening_do_not_close_it(strategy: dict[str, Any]) -> None:
    # Held for nine hours: of the three negative settlements one was after the opening.
    view = hedge("0.2", opened_ms=NOW - 9 * HOUR_MS)
    negative = settled("-0.1", "-0.1", "-0.1")
    assert bool(left(holding(view, settled=negative), **strategy)) is (strategy is SIGN)
    young = hedge("0.2", opened_ms=negative[-1].ts_ms)
    ctx = replace(holding(young, settled=negative), now_ms=NOW)
    quick = {"exit": {**strategy["exit"], "min_hold_hours": D(0)}}
    assert left(ctx, **quick) == ""


def test_risk_speaks_before_income() -> None:
    both = holding(hedge("0.2", fees="900"), settled=history("-0.001"), funding=quote("-0.001"))
    assert left(both) == "stop loss of the pair"
    reasons = [v.guard for v in plan(both).verdicts if not v.ok]
    assert reasons == ["not_held", "keep_stop_loss", "keep_income"]


def test_a_position_missing_from_the_configuration_is_still_supervised() -> None:
    ctx = holding(hedge("0.2", fees="900"))
    other = tuned(instruments={"instruments": ("ETH-USDT",)})
    assert CashAndCarry(other).plan(ctx).adjusting
