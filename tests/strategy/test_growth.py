"""Profits compound: a held hedge grows with its place, both legs together, and with every guard's leave."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.schema import Settings
from core.context import Context
from core.events import Plan, Purpose, State
from core.types import AccountMode
from core.verdict import Verdict, refused
from risk import build_guards
from strategy.cash_and_carry import CashAndCarry
from tests.risk.scenes import D, account, figure, hedge, history, market, quote, scene, tuned

COMPOUND = tuned(account={"compound": True})


def held(px: str = "100000", profit: str = "11000", **changed: Any) -> Context:
    """20,000 USDT of BTC and of ETH stand since two days, in the two places of a sleeve of 40,000."""
    hedges = {"BTC-USDT": hedge("0.2"), "ETH-USDT": hedge("5", name="ETH-USDT")}
    return scene(
        state=State.RUNNING,
        markets={"BTC-USDT": market(px=px), "ETH-USDT": market("ETH-USDT", "4000")},
        hedges=hedges,
        account=account(
            "80000", short={"BTC-USDT-SWAP": "20", "ETH-USDT-SWAP": "500"}, coins={"BTC": "0.2", "ETH": "5"}
        ),
        profit=D(profit),
        equity=100_000 + D(profit),
        **changed,
    )


def plan(ctx: Context, settings: Settings = COMPOUND) -> Plan:
    return CashAndCarry(settings, build_guards(settings)).plan(ctx)


def said(the_plan: Plan, guard: str, name: str = "BTC-USDT") -> Verdict:
    return next(v for v in the_plan.verdicts if v.guard == guard and v.instrument == name)


def test_a_place_that_has_grown_is_filled_up_with_both_legs() -> None:
    the_plan = plan(held())
    assert [t.instrument for t in the_plan.opening] == ["BTC-USDT", "ETH-USDT"]
    target = the_plan.opening[0]
    # 110,000 x 0.4 / 2 = 22,000 a place: 2,000 more, in whole lots of 0.0001 BTC.
    assert (target.purpose, target.base) == (Purpose.GROW, D("0.22"))
    assert figure(said(the_plan, "large_enough"), "bound_by") == "share"
    assert the_plan.adjusting == ()


def test_every_guard_of_an_opening_lets_it_through() -> None:
    ctx = held()
    planned = ctx.with_plan(plan(ctx))
    assert refused(tuple(guard.check(planned) for guard in build_guards(COMPOUND))) == ()


def test_without_compounding_nothing_grows() -> None:
    assert plan(held(), tuned()).opening == ()


@pytest.mark.parametrize("profit", ["4999", "0", "-20000"])
def test_less_than_a_step_is_no_growth_and_a_loss_makes_nothing_smaller(profit: str) -> None:
    the_plan = plan(held(profit=profit))
    assert (the_plan.opening, the_plan.adjusting) == ((), ())


def test_a_hedge_that_grew_stands_still_until_the_next_step() -> None:
    grown = held()
    hedges = {name: replace(view, entry_notional=D(21_990)) for name, view in grown.hedges.items()}
    assert plan(replace(grown, hedges=hedges)).opening == ()


def test_a_price_that_falls_is_no_reason_to_buy_more() -> None:
    """The place is measured at entry: 2,000 USDT more at half the price are 0.04 coins, not 0.24."""
    target = next(t for t in plan(held(px="50000")).opening if t.instrument == "BTC-USDT")
    assert target.base == D("0.24")


def test_a_price_that_rose_leaves_no_room_for_growth() -> None:
    """The sleeve's red line counts today's price of what would be enlarged."""
    assert [t.instrument for t in plan(held(px="200000")).opening] == ["ETH-USDT"]


@pytest.mark.parametrize(
    ("changed", "guard"),
    [
        ({"funding": quote("0.00005")}, "funding_band"),
        ({"settled": history("0")}, "net_carry"),
        ({"settled": history(count=8)}, "history_known"),
    ],
)
def test_what_would_not_be_opened_does_not_grow(changed: dict[str, Any], guard: str) -> None:
    ctx = held()
    poor = replace(ctx.markets["BTC-USDT"], **changed)
    the_plan = plan(replace(ctx, markets={**ctx.markets, "BTC-USDT": poor}))
    assert [t.instrument for t in the_plan.opening] == ["ETH-USDT"]
    assert not said(the_plan, guard).ok


def test_legs_that_differ_are_repaired_first() -> None:
    ctx = held()
    uneven = {**ctx.hedges, "BTC-USDT": hedge("0.2", spot="0.21")}
    the_plan = plan(replace(ctx, hedges=uneven))
    assert [t.instrument for t in the_plan.opening] == ["ETH-USDT"]
    assert said(the_plan, "may_grow").reason == "the hedge is being changed"


def test_a_new_hedge_comes_before_growth_while_a_place_is_free_and_after_it_when_none_is() -> None:
    ctx = held()
    names = ("BTC-USDT", "ETH-USDT", "SOL-USDT")
    more = replace(
        ctx,
        markets={**ctx.markets, "SOL-USDT": market("SOL-USDT", "200")},
        fees=dict.fromkeys(names, ctx.fees["BTC-USDT"]),
    )
    places = {"instruments": {"instruments": names}, "account": {"compound": True}}
    two = tuned(**places, risk={"caps": {"max_instruments": 2}})
    assert next(t.purpose for t in plan(more, two).opening) is Purpose.GROW
    lone = replace(more, hedges={"BTC-USDT": hedge("0.2", entry="10000")})
    three = tuned(**places, risk={"caps": {"max_instruments": 3}})
    assert [t.purpose for t in plan(lone, three).opening] == [Purpose.OPEN, Purpose.GROW]


@given(
    profit=st.integers(0, 60_000).map(D),
    px=st.integers(30_000, 200_000).map(str),
    usdt=st.integers(0, 100_000).map(str),
    mode=st.sampled_from([AccountMode.FUTURES, AccountMode.MULTI]),
)
def test_growth_never_passes_its_place_its_sleeve_or_a_cap(
    profit: Decimal, px: str, usdt: str, mode: AccountMode
) -> None:
    ctx = held(px=px, profit=str(profit))
    assert ctx.account is not None
    poor = account(usdt, short={"BTC-USDT-SWAP": "20"}, coins={"BTC": "0.2"}, mode=mode, adjusted=usdt)
    ctx = replace(ctx, account=poor)
    budget = 40_000 + profit * D("0.4")
    for target in plan(ctx).opening:
        view, spot = ctx.hedges[target.instrument], ctx.markets[target.instrument].spot
        assert spot is not None
        added = (target.base - view.size) * spot.mid
        assert target.purpose is Purpose.GROW and added > 0
        assert view.entry_notional + added <= budget / 2 + 1
        assert 20_000 + target.base * spot.mid <= budget
        assert target.base * spot.mid <= 50_000
