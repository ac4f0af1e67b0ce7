from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.context import Context
from core.events import HedgeTarget, Plan, Purpose, State, TransferTarget
from core.types import DAY_MS, HOUR_MS, AccountMode, Wallet
from risk.fund_guard import CLOSING_COST, FundPlanner, shrink
from tests.risk.scenes import NOW, SETTINGS, D, account, hedge, market, quote, scene

PLANNER = FundPlanner(SETTINGS)


def held(usdt: str, wallet: str = "0", base: str = "0.4", **changed: Any) -> Context:
    """A hedge of `base` BTC at 100000, the sleeve fully used, with `usdt` behind the short."""
    lots = str(D(base) * 100)
    snapshot = account(usdt, short={"BTC-USDT-SWAP": lots}, coins={"BTC": base}, wallet=wallet)
    calm = scene(
        state=State.RUNNING,
        account=snapshot,
        hedges={"BTC-USDT": hedge(base, entry="40000")},
    )
    return replace(calm, **changed)


def only(plan: Plan) -> object:
    assert len(plan.adjusting) == 1
    return plan.adjusting[0]


def ratio_after(ctx: Context, plan: Plan) -> Decimal:
    """The margin ratio once the plan is carried out at the mid, with the costs the docstring states."""
    assert ctx.account is not None
    backing, notional = ctx.backing_equity, ctx.swap_notional
    for target in plan.adjusting:
        if isinstance(target, TransferTarget):
            backing += target.amount if target.purpose is Purpose.TOP_UP else -target.amount
        else:
            view = ctx.markets[target.instrument]
            assert view.spot is not None and view.mark_px is not None
            closed = ctx.hedges[target.instrument].short_base - target.base
            if ctx.account.mode is AccountMode.FUTURES:
                backing += closed * view.spot.mid
            backing -= closed * view.mark_px * CLOSING_COST
            notional -= closed * view.mark_px
    return backing / notional if notional else D(10**9)


def test_a_ratio_in_its_range_needs_nothing() -> None:
    for usdt in ("32000", "40000", "52000"):
        plan = PLANNER.plan(held(usdt, wallet="50000"))
        assert plan.adjusting == ()
        assert plan.verdicts[0].ok


def test_a_low_ratio_is_topped_up_to_the_target_from_the_funding_wallet() -> None:
    ctx = held("31000", wallet="50000")
    target = only(PLANNER.plan(ctx))
    assert isinstance(target, TransferTarget)
    assert target.purpose is Purpose.TOP_UP
    assert (target.source, target.dest) == (Wallet.FUNDING, Wallet.TRADING)
    assert target.amount == 9000
    assert not PLANNER.plan(ctx).verdicts[0].ok


def test_what_the_wallet_lacks_is_made_by_shrinking_both_legs() -> None:
    ctx = held("31000", wallet="4000")
    plan = PLANNER.plan(ctx)
    transfer, smaller = plan.adjusting
    assert isinstance(transfer, TransferTarget) and isinstance(smaller, HedgeTarget)
    assert transfer.amount == 4000
    assert smaller.purpose is Purpose.SHRINK
    # 5000 USDT are missing; a coin closed relieves 100000 + (1 - 0.005) x 100000: 0.02506 coins, 2.51 lots.
    assert smaller.base == D("0.4") - D("0.0251")


def test_an_empty_wallet_shrinks_only() -> None:
    assert isinstance(only(PLANNER.plan(held("31000", wallet="99"))), HedgeTarget)


@given(
    usdt=st.decimals(min_value=20_001, max_value=31_999, places=2),
    wallet=st.decimals(min_value=0, max_value=30_000, places=2),
    multi=st.booleans(),
)
def test_a_low_ratio_always_ends_at_the_target(usdt: Decimal, wallet: Decimal, multi: bool) -> None:
    ctx = held(str(usdt), wallet=str(wallet))
    if multi:
        assert ctx.account is not None
        snapshot = replace(ctx.account, mode=AccountMode.MULTI, adjusted_equity_usd=usdt)
        ctx = replace(ctx, account=snapshot)
    plan = PLANNER.plan(ctx)
    after = ratio_after(ctx, plan)
    assert after >= 1
    # At most one lot more than needed, or the smallest transfer.
    assert after < D("1.01")
    assert all(t.amount <= wallet for t in plan.adjusting if isinstance(t, TransferTarget))


@given(
    btc=st.integers(min_value=1, max_value=5000),
    eth=st.integers(min_value=1, max_value=5000),
    need=st.decimals(min_value=1, max_value=200_000, places=2),
    basis=st.integers(min_value=-300, max_value=300),
)
def test_shrinking_takes_whole_lots_largest_first_and_suffices(
    btc: int, eth: int, need: Decimal, basis: int
) -> None:
    btc_base, eth_base = D(btc) * D("0.0001"), D(eth) * D("0.0001") * 25
    hedges = {
        "BTC-USDT": hedge(str(btc_base)),
        "ETH-USDT": hedge(str(eth_base), name="ETH-USDT"),
    }
    markets = {"BTC-USDT": market(basis_bps=str(basis)), "ETH-USDT": market("ETH-USDT", "4000")}
    ctx = scene(markets=markets, hedges=hedges)
    targets = shrink(ctx, need, D(1), (), True)
    relieved = D(0)
    for target in targets:
        view = ctx.markets[target.instrument]
        assert view.spot is not None and view.mark_px is not None
        lot = view.pair.swap.step
        assert 0 <= target.base < hedges[target.instrument].short_base
        assert target.base % lot == 0
        closed = hedges[target.instrument].short_base - target.base
        relieved += closed * (view.spot.mid + (1 - CLOSING_COST) * view.mark_px)
    everything_closed = len(targets) == 2 and all(t.base == 0 for t in targets)
    assert relieved >= need or everything_closed
    larger = "BTC-USDT" if btc_base * 100_000 >= eth_base * 4000 else "ETH-USDT"
    assert targets[0].instrument == larger
    if len(targets) == 2:
        assert targets[0].base == 0


def test_a_hedge_is_closed_rather_than_left_below_the_smallest_order() -> None:
    pair = market().pair
    coarse = replace(market(), pair=replace(pair, swap=replace(pair.swap, min_size=D(10))))
    ctx = scene(markets={"BTC-USDT": coarse}, hedges={"BTC-USDT": hedge("0.15")})
    assert shrink(ctx, D(20_000), D(1), (), True)[0].base == 0
    assert shrink(ctx, D(5_000), D(1), (), True)[0].base > D("0.1")


def test_what_exceeds_the_target_is_swept_out_when_the_sleeve_is_in_use() -> None:
    target = only(PLANNER.plan(held("60000")))
    assert isinstance(target, TransferTarget)
    assert target.purpose is Purpose.SWEEP
    assert (target.source, target.dest) == (Wallet.TRADING, Wallet.FUNDING)
    assert target.amount == 20_000


def test_money_for_the_unopened_part_of_the_sleeve_stays() -> None:
    # Half of the 40000 of notional is in use; the rest will take 20000 of spot, 20000 of margin, and fees.
    half = held("80000", base="0.2", hedges={"BTC-USDT": hedge("0.2", entry="20000")})
    target = only(PLANNER.plan(half))
    assert isinstance(target, TransferTarget)
    assert target.amount == 80_000 - 20_000 - D(40_400)
    less = held("58000", base="0.2", hedges={"BTC-USDT": hedge("0.2", entry="20000")})
    assert PLANNER.plan(less).adjusting == ()


def coins_too(ctx: Context, adjusted: str = "60000") -> Context:
    """The same account in multi-currency mode, where the coins back the swaps as well."""
    assert ctx.account is not None
    snapshot = replace(ctx.account, mode=AccountMode.MULTI, adjusted_equity_usd=D(adjusted))
    return replace(ctx, account=snapshot)


def test_usdt_is_restored_in_multi_currency_mode_before_a_rise_would_need_a_loan() -> None:
    """A short of 40,000 and 9,900 USDT: the ratio is 1.2, but a rise by a quarter more would be owed."""
    assert PLANNER.plan(coins_too(held("10000", wallet="50000"))).adjusting == ()
    plan = PLANNER.plan(coins_too(held("9900", wallet="50000")))
    target = only(plan)
    assert isinstance(target, TransferTarget)
    assert (target.purpose, target.amount) == (Purpose.TOP_UP, 10_100)
    assert plan.verdicts[0].reason == "USDT beside the coins is too low"
    assert PLANNER.plan(held("40000")).adjusting == ()


@given(usdt=st.integers(-20_000, 9_999), wallet=st.integers(0, 40_000))
def test_too_little_usdt_always_ends_at_half_of_the_notional(usdt: int, wallet: int) -> None:
    ctx = coins_too(held(str(usdt), wallet=str(wallet)))
    cash, notional = D(usdt), D(40_000)
    for target in PLANNER.plan(ctx).adjusting:
        if isinstance(target, TransferTarget):
            cash += target.amount
        else:
            assert isinstance(target, HedgeTarget)
            closed = (D("0.4") - target.base) * 100_000
            cash, notional = cash + closed * (1 - CLOSING_COST), notional - closed
    assert cash >= notional / 2
    assert cash - notional / 2 < 300  # a lot, or the smallest transfer


def test_multi_currency_mode_keeps_half_of_the_notional_in_usdt() -> None:
    ctx = held("30000")
    assert ctx.account is not None
    snapshot = replace(ctx.account, mode=AccountMode.MULTI, adjusted_equity_usd=D(69_000))
    target = only(PLANNER.plan(replace(ctx, account=snapshot)))
    assert isinstance(target, TransferTarget)
    # 29000 above the target, but only 10000 above the 20000 USDT that half of the notional needs.
    assert target.amount == 10_000


def test_only_what_is_available_is_swept_and_nothing_small() -> None:
    ctx = held("60000")
    assert ctx.account is not None
    for available, swept in (("5000", D(5000)), ("99", None)):
        tight = account("60000", available=available, short={"BTC-USDT-SWAP": "40"}, coins={"BTC": "0.4"})
        targets = PLANNER.plan(replace(ctx, account=tight)).adjusting
        amounts = [t.amount for t in targets if isinstance(t, TransferTarget)]
        assert amounts == ([swept] if swept else [])


@given(usdt=st.decimals(min_value=52_001, max_value=500_000, places=2), used=st.integers(0, 40_000))
def test_a_sweep_never_goes_below_the_target_or_into_the_unopened_part(usdt: Decimal, used: int) -> None:
    ctx = held(str(usdt), hedges={"BTC-USDT": hedge("0.4", entry=str(used))})
    plan = PLANNER.plan(ctx)
    assume(plan.adjusting)
    swept = only(plan)
    assert isinstance(swept, TransferTarget)
    assert usdt - swept.amount >= 40_000 + 2 * (40_000 - used)
    assert swept.amount >= 100


@pytest.mark.parametrize("usdt", ["31000", "60000"])
def test_no_transfer_while_one_is_pending(usdt: str) -> None:
    assert PLANNER.plan(held(usdt, wallet="50000", pending_transfer=True)).adjusting == ()


@pytest.mark.parametrize("usdt", ["31000", "60000"])
@pytest.mark.parametrize("offset_ms", [-60_000, 0, 60_000])
def test_no_transfer_around_a_settlement(usdt: str, offset_ms: int) -> None:
    funding_ms = quote().funding_time_ms
    at = funding_ms + offset_ms
    before = quote(now=min(at, funding_ms - 1))
    ctx = held(usdt, wallet="50000", now_ms=at)
    assert ctx.account is not None
    markets = {"BTC-USDT": replace(market(), funding=before)}
    ctx = replace(ctx, markets=markets, account=replace(ctx.account, seen_ms=at))
    assert PLANNER.plan(ctx).adjusting == ()
    # The next quote still remembers the settlement just passed.
    after = {"BTC-USDT": replace(market(), funding=quote(now=funding_ms + 1))}
    assert PLANNER.plan(replace(ctx, markets=after)).adjusting == ()


def test_half_way_to_the_emergency_nobody_waits_for_a_transfer() -> None:
    assert PLANNER.plan(held("26001", wallet="50000", pending_transfer=True)).adjusting == ()
    target = only(PLANNER.plan(held("25900", wallet="50000", pending_transfer=True)))
    assert isinstance(target, HedgeTarget)
    assert target.purpose is Purpose.SHRINK


@pytest.mark.parametrize("usdt", ["25900", "31000", "60000"])
def test_nothing_moves_on_a_snapshot_older_than_the_last_change_of_state(usdt: str) -> None:
    # A top-up has just arrived, but the account push that shows it has not.
    just_changed = held(usdt, wallet="50000", now_ms=NOW + 20_000, state_since_ms=NOW + 1)
    assert PLANNER.plan(just_changed).adjusting == ()


def test_a_transfer_is_not_tried_again_at_once_and_an_urgent_need_shrinks_instead() -> None:
    assert PLANNER.plan(held("31000", wallet="50000", state_since_ms=NOW - 9_999)).adjusting == ()
    assert isinstance(
        only(PLANNER.plan(held("31000", wallet="50000", state_since_ms=NOW - 10_000))), TransferTarget
    )
    urgent = only(PLANNER.plan(held("25900", wallet="50000", state_since_ms=NOW - 9_999)))
    assert isinstance(urgent, HedgeTarget)


def test_a_sweep_waits_for_five_quiet_minutes() -> None:
    assert PLANNER.plan(held("60000", state_since_ms=NOW - 299_999)).adjusting == ()
    assert PLANNER.plan(held("60000", state_since_ms=NOW - 300_000)).adjusting != ()


def test_nothing_is_swept_while_legs_are_unequal_or_an_order_is_unresolved() -> None:
    uneven = {"BTC-USDT": hedge("0.4", spot="0.41", entry="40000")}
    assert PLANNER.plan(held("60000", hedges=uneven)).adjusting == ()
    assert PLANNER.plan(held("60000", unresolved_orders=1)).adjusting == ()


@pytest.mark.parametrize("usdt", ["31000", "60000"])
def test_a_missing_or_stale_snapshot_moves_nothing(usdt: str) -> None:
    ctx = held(usdt, wallet="50000")
    assert ctx.account is not None
    assert PLANNER.plan(replace(ctx, account=None)).adjusting == ()
    stale = replace(ctx, account=replace(ctx.account, seen_ms=NOW - 31_000))
    assert PLANNER.plan(stale).adjusting == ()
    assert not PLANNER.plan(stale).verdicts[0].ok


def test_without_a_swap_there_is_nothing_to_keep_up() -> None:
    plan = PLANNER.plan(scene())
    assert plan.adjusting == ()
    assert plan.verdicts[0].ok


def test_the_scene_lies_between_two_settlements() -> None:
    assert quote().funding_time_ms - NOW == 4 * HOUR_MS
    assert NOW % DAY_MS == 4 * HOUR_MS
