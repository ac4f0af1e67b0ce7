"""Less idle USDT in multi-currency mode: a split of two to one fills both places there, and only there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.context import Context
from core.types import AccountMode
from core.verdict import refused
from risk import FundPlanner, build_guards
from strategy.cash_and_carry import CashAndCarry
from tests.risk.scenes import D, account, hedge, scene, tuned

LEAN = tuned(account={"spot_ratio": D("0.66"), "futures_ratio": D("0.33")})  # of 80,000: 26,400 a place


def first(mode: AccountMode) -> Context:
    return scene(account=account("80000", mode=mode, adjusted="80000"))


def second(mode: AccountMode) -> Context:
    """The first place is taken: its coins count 98 %, its margin at 3x is not available."""
    snapshot = account(
        "53570",
        available="44770",
        mode=mode,
        adjusted="79442",
        short={"BTC-USDT-SWAP": "26.4"},
        coins={"BTC": "0.264"},
    )
    return scene(account=snapshot, hedges={"BTC-USDT": hedge("0.264", entry="26400")})


def against(ctx: Context) -> list[str]:
    """Who refuses the plan's best opening, which takes a whole place."""
    plan = CashAndCarry(LEAN).plan(ctx)
    assert dict(plan.opening[0].figures)["bound_by"] == "share"
    said = refused(tuple(guard.check(ctx.with_plan(plan)) for guard in build_guards(LEAN)))
    return [verdict.guard for verdict in said]


def test_multi_currency_mode_fills_both_places_with_half_of_the_notional_in_usdt() -> None:
    assert against(first(AccountMode.MULTI)) == []
    assert against(second(AccountMode.MULTI)) == []
    full = scene(
        account=account(
            "26450", mode=AccountMode.MULTI, adjusted="78194",
            short={"BTC-USDT-SWAP": "26.4", "ETH-USDT-SWAP": "660"}, coins={"BTC": "0.264", "ETH": "6.6"},
        ),
        hedges={
            "BTC-USDT": hedge("0.264", entry="26400"),
            "ETH-USDT": hedge("6.6", name="ETH-USDT", entry="26400"),
        },
    )  # fmt: skip
    plan = FundPlanner(LEAN).plan(full)
    assert plan.adjusting == () and plan.verdicts[0].ok


def test_futures_mode_refuses_the_second_place_of_such_a_split() -> None:
    assert against(first(AccountMode.FUTURES)) == []
    assert against(second(AccountMode.FUTURES)) == ["margin_ok"]


def test_where_usdt_are_short_an_opening_is_as_large_as_a_rise_leaves_payable() -> None:
    """The first hedge has risen by a fifth, which took a fifth of it in USDT: less than a place is left."""
    snapshot = account(
        "48290",
        mode=AccountMode.MULTI,
        adjusted="79336",
        short={"BTC-USDT-SWAP": "31.68"},
        coins={"BTC": "0.3168"},
    )
    ctx = scene(account=snapshot, hedges={"BTC-USDT": hedge("0.3168", entry="26400")})
    plan = CashAndCarry(LEAN).plan(ctx)
    figures = dict(plan.opening[0].figures)
    assert figures["bound_by"] == "rise"
    assert D(figures["ceiling_rise_base"]) < D(figures["ceiling_share_base"])
    assert refused(tuple(guard.check(ctx.with_plan(plan)) for guard in build_guards(LEAN))) == ()


def test_futures_mode_has_no_such_ceiling() -> None:
    plan = CashAndCarry(LEAN).plan(first(AccountMode.FUTURES))
    assert "ceiling_rise_base" not in dict(plan.opening[0].figures)


@given(usdt=st.integers(1_000, 80_000), lots=st.integers(0, 4_000), discount=st.integers(50, 100))
def test_what_is_sized_in_multi_currency_mode_can_pay_for_a_rise(usdt: int, lots: int, discount: int) -> None:
    """Sizing and guard agree: no opening is planned that the rise would turn into a debt."""
    coins = D(lots) / 10_000
    snapshot = account(
        str(usdt),
        mode=AccountMode.MULTI,
        adjusted=str(usdt + coins * 100_000 * discount / 100),
        short={"BTC-USDT-SWAP": str(coins * 100)} if lots else {},
        coins={"BTC": str(coins)} if lots else {},
    )
    held = {"BTC-USDT": hedge(str(coins), entry="10000")} if lots else {}
    ctx = scene(account=snapshot, hedges=held)
    plan = CashAndCarry(LEAN).plan(ctx)
    if not plan.opening:
        return
    said = refused(tuple(guard.check(ctx.with_plan(plan)) for guard in build_guards(LEAN)))
    assert "a rise of all prices at once could need a loan" not in [verdict.reason for verdict in said]
