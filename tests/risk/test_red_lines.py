from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import HedgeView
from core.events import Purpose
from core.types import AccountMode, AccountSnapshot, Leg, OrderKind, OrderRequest, Side
from core.verdict import Verdict
from risk import build_guards, check_order
from risk.red_lines import RedLineGuard
from tests.risk.scenes import SETTINGS, D, account, figure, hedge, opening, pair, scene

GUARD = RedLineGuard(SETTINGS.account)
BTC = pair()
PX = D(100_000)


# --- an opening as a whole --------------------------------------------------------------------------


def test_an_ordinary_opening_is_far_from_every_line() -> None:
    verdict = GUARD.check(scene(plan=opening("0.2")))
    assert verdict.ok
    assert figure(verdict, "leverage_after") < D("0.3")


def test_leverage_above_three_is_refused() -> None:
    # 20000 of spot and fees leave 6664 of 26700 USDT, a hair below a third of the short.
    assert not GUARD.check(scene(plan=opening("0.2"), account=account("26680"))).ok
    assert GUARD.check(scene(plan=opening("0.2"), account=account("26720"))).ok
    assert not GUARD.check(scene(plan=opening("0.2"), account=account("15000"))).ok
    assert not GUARD.check(scene(plan=opening("0.2"), account=None)).ok


def test_unequal_legs_are_repaired_before_anything_is_added() -> None:
    for spot in ("0.1001", "0.0999"):
        uneven = {"BTC-USDT": hedge("0.1", spot=spot)}
        verdict = GUARD.check(scene(plan=opening("0.2"), hedges=uneven))
        assert verdict.reason == "legs are unequal: repair before adding"
    dust = {"BTC-USDT": hedge("0.1", spot="0.10009")}
    assert GUARD.check(scene(plan=opening("0.2"), hedges=dust)).ok


def test_the_sleeve_is_the_most_that_can_be_bet() -> None:
    assert GUARD.check(scene(plan=opening("0.4"))).ok
    assert not GUARD.check(scene(plan=opening("0.4001"))).ok
    held = {"ETH-USDT": hedge("5", name="ETH-USDT", entry="20000")}
    assert not GUARD.check(scene(plan=opening("0.2001"), hedges=held)).ok
    assert GUARD.check(scene(plan=opening("0.2"), hedges=held)).ok


def test_a_target_that_reduces_or_changes_nothing_is_no_opening() -> None:
    assert not GUARD.check(scene(plan=opening("0.2", purpose=Purpose.SHRINK))).ok
    assert not GUARD.check(scene(plan=opening("0.1"), hedges={"BTC-USDT": hedge("0.1")})).ok


def test_an_unmeasurable_opening_is_refused() -> None:
    assert not GUARD.check(scene(plan=opening("0.2"), markets={})).ok
    assert not GUARD.check(scene(plan=opening("0.2"), fees={})).ok


def test_every_guard_the_table_names_is_built_once() -> None:
    from core.conditions import CONDITIONS
    from core.table import MAY_WE

    names = [guard.name for guard in build_guards(SETTINGS)]
    assert len(set(names)) == len(names)
    assert set(names) == set(MAY_WE) - {condition.name for condition in CONDITIONS}


# --- each order -------------------------------------------------------------------------------------


def order(leg: Leg, side: Side, size: str, reduce_only: bool = False, **changed: Any) -> OrderRequest:
    inst_id = "BTC-USDT" if leg is Leg.SPOT else "BTC-USDT-SWAP"
    request = OrderRequest(
        "h1s1", "BTC-USDT", inst_id, leg, side, OrderKind.IOC, D(size), PX, reduce_only, PX
    )
    return replace(request, **changed)


def asked(
    request: OrderRequest, view: HedgeView | None, snapshot: AccountSnapshot | None = None, **more: Any
) -> Verdict:
    return check_order(request, view, snapshot or account(), BTC, PX, **more)


BUY_SPOT, SELL_SPOT = (Leg.SPOT, Side.BUY), (Leg.SPOT, Side.SELL)
BUY_SWAP, SELL_SWAP = (Leg.SWAP, Side.BUY), (Leg.SWAP, Side.SELL)


@pytest.mark.parametrize(
    ("what", "leg_side", "size", "view"),
    [
        ("first leg of an opening", BUY_SPOT, "0.2003", hedge("0", target="0.2")),
        ("second leg of an opening", SELL_SWAP, "20", hedge("0", spot="0.2", target="0.2")),
        ("next slice", BUY_SPOT, "0.1", hedge("0.1", target="0.2")),
        ("first leg of a close", BUY_SWAP, "20", hedge("0.2", target="0")),
        ("second leg of a close", SELL_SPOT, "0.2", hedge("0", spot="0.2", target="0")),
        ("shrinking", BUY_SWAP, "5", hedge("0.2", target="0.15")),
        ("repair by completing", SELL_SWAP, "10", hedge("0.1", spot="0.2", target="0.2")),
        ("repair by unwinding", SELL_SPOT, "0.1", hedge("0.1", spot="0.2", target="0.2")),
        ("repair of too much short", BUY_SWAP, "10", hedge("0.2", spot="0.1", target="0.2")),
        ("completing the spot leg", BUY_SPOT, "0.1001", hedge("0.2", spot="0.1", target="0.2")),
    ],
)
def test_what_execution_needs_goes_through(
    what: str, leg_side: tuple[Leg, Side], size: str, view: HedgeView
) -> None:
    verdict = asked(order(*leg_side, size, reduce_only=leg_side == BUY_SWAP), view)
    assert verdict.ok, f"{what}: {verdict.reason}"


@pytest.mark.parametrize(
    ("what", "leg_side", "size", "view"),
    [
        ("buying more of a leg that is full", BUY_SPOT, "0.05", hedge("0.2")),
        ("shorting more than the target", SELL_SWAP, "5", hedge("0.2")),
        ("averaging down on naked spot", BUY_SPOT, "0.1", hedge("0.1", spot="0.2", target="0.2")),
        ("averaging down on a naked short", SELL_SWAP, "5", hedge("0.2", spot="0.1", target="0.2")),
        ("opening the same slice twice", BUY_SPOT, "0.2", hedge("0", spot="0.2", target="0.2")),
        ("selling spot from under the short", SELL_SPOT, "0.1", hedge("0.2")),
        ("buying back a short that is wanted", BUY_SWAP, "5", hedge("0.2")),
        ("turning naked spot into a naked short", SELL_SWAP, "19", hedge("0.1", spot="0.2", target="0.1")),
        ("closing past the target", BUY_SWAP, "10", hedge("0.2", target="0.15")),
    ],
)
def test_what_would_enlarge_an_open_net_delta_is_refused(
    what: str, leg_side: tuple[Leg, Side], size: str, view: HedgeView
) -> None:
    snapshot = account(coins={"BTC": "5"}, short={"BTC-USDT-SWAP": str(view.contracts)})
    verdict = asked(order(*leg_side, size, reduce_only=leg_side == BUY_SWAP), view, snapshot)
    assert not verdict.ok, what
    assert verdict.reason == "the order would enlarge an open net delta"


def test_a_leg_the_venue_closed_can_be_followed_down_before_the_books_know() -> None:
    closed_by_force = account(coins={"BTC": "0.2"}, short={"BTC-USDT-SWAP": "10"})
    assert asked(order(*SELL_SPOT, "0.1"), hedge("0.2"), closed_by_force).ok
    intact = account(coins={"BTC": "0.2"}, short={"BTC-USDT-SWAP": "20"})
    assert not asked(order(*SELL_SPOT, "0.1"), hedge("0.2"), intact).ok


def test_an_account_behind_the_books_does_not_allow_a_second_short() -> None:
    behind = account(coins={"BTC": "0.2"})
    assert not asked(order(*SELL_SWAP, "20"), hedge("0.2"), behind).ok


def test_a_swap_is_only_bought_reduce_only() -> None:
    view = hedge("0.2", target="0")
    assert asked(order(*BUY_SWAP, "20", reduce_only=True), view).ok
    assert not asked(order(*BUY_SWAP, "20"), view).ok


def test_without_a_hedge_no_order_leaves() -> None:
    for leg_side in (BUY_SPOT, SELL_SPOT, SELL_SWAP, BUY_SWAP):
        assert not asked(order(*leg_side, "0.1", reduce_only=leg_side == BUY_SWAP), None).ok


def test_dry_run_lets_nothing_out() -> None:
    request, view = order(*BUY_SPOT, "0.1"), hedge("0", target="0.2")
    assert asked(request, view).ok
    assert not asked(request, view, dry_run=True).ok


def test_an_order_for_another_pair_or_without_size_is_refused() -> None:
    view = hedge("0", target="0.2")
    assert not asked(order(*BUY_SPOT, "0.1", inst_id="ETH-USDT"), view).ok
    assert not asked(order(*BUY_SPOT, "0.1", instrument="ETH-USDT"), view).ok
    assert not asked(order(*BUY_SPOT, "0"), view).ok
    assert not asked(order(*BUY_SPOT, "0.1", limit_px=D(0)), view).ok


@pytest.mark.parametrize("mode", [AccountMode.FUTURES, AccountMode.MULTI])
def test_a_short_is_sold_only_within_threefold_leverage(mode: AccountMode) -> None:
    view = hedge("0.1", spot="0.2", target="0.2")

    def backed(usdt: str) -> AccountSnapshot:
        return account(usdt, mode=mode, adjusted=usdt, short={"BTC-USDT-SWAP": "10"})

    request = order(*SELL_SWAP, "10")  # 20000 short afterwards
    assert asked(request, view, backed("6667")).ok
    assert not asked(request, view, backed("6666")).ok
    assert not asked(request, view, backed("6667"), other_notional=D(100)).ok
    assert not asked(request, view, backed("-1")).ok


def test_leverage_that_cannot_be_known_sells_no_swap_but_still_unwinds() -> None:
    view = hedge("0.1", spot="0.2", target="0.2")
    assert not check_order(order(*SELL_SWAP, "10"), view, None, BTC, PX).ok
    assert not check_order(order(*SELL_SWAP, "10"), view, account(), BTC, None).ok
    assert check_order(order(*SELL_SPOT, "0.1"), view, None, BTC, None).ok


legs = st.integers(min_value=0, max_value=3000).map(lambda n: D(n) * D("0.0001"))


@given(
    spot=legs,
    short=legs,
    target=legs,
    size=st.integers(min_value=1, max_value=3000),
    leg_side=st.sampled_from([BUY_SPOT, SELL_SPOT, BUY_SWAP, SELL_SWAP]),
)
def test_no_order_makes_the_net_delta_larger_than_the_way_to_the_target(
    spot: Decimal, short: Decimal, target: Decimal, size: int, leg_side: tuple[Leg, Side]
) -> None:
    base = D(size) * D("0.0001")
    view = hedge(str(short), spot=str(spot), target=str(target))
    amount = str(base if leg_side[0] is Leg.SPOT else base / D("0.01"))
    rich = account("10000000", coins={"BTC": "9"}, short={"BTC-USDT-SWAP": str(view.contracts)})
    verdict = asked(order(*leg_side, amount, reduce_only=leg_side == BUY_SWAP), view, rich)
    if not verdict.ok:
        return
    slack = D("0.0001") + target * D("0.01")
    before = abs(spot - short)
    after = abs(spot - short + leg_side[1].sign * base)
    # Whatever is let through: the gap never grows beyond what the legs still have to go.
    way = max(abs(target - spot), abs(target - short))
    assert after <= max(before, way + slack)
    # And once the target is reached on both legs, nothing can open a gap of more than the slack.
    if spot == short == target:
        assert after <= slack
