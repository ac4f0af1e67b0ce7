from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.context import Context, Permission, PermissionView
from core.events import HedgeTarget, Plan, Purpose, State
from core.types import HOUR_MS, AccountMode, Base
from core.verdict import Verdict
from risk import build_guards
from strategy.cash_and_carry import CashAndCarry
from strategy.costs import round_trip
from strategy.rotation import Standing, gain_bps, without
from tests.risk.scenes import (
    FEES,
    NOW,
    D,
    account,
    figure,
    hedge,
    history,
    market,
    quote,
    scene,
    tuned,
    venue,
)

PRICES = {"BTC-USDT": "100000", "ETH-USDT": "4000", "SOL-USDT": "200", "BNB-USDT": "600"}
NAMES = tuple(PRICES)


def settings(places: int = 1, **strategy: Any) -> Any:
    caps = {"max_instruments": places, "max_concentration": D(1)}
    return tuned(instruments={"instruments": NAMES}, risk={"caps": caps}, strategy=strategy, account=LARGE)


LARGE = {"max_position_value": D(100_000)}


def places(
    rates: dict[str, str],
    held: Sequence[str] = ("BTC-USDT",),
    opened_ms: int = NOW - 48 * HOUR_MS,
    **money: str,
) -> Context:
    """Markets that have always paid these rates; each of `held` stands with 20,000 USDT."""
    hedges = {}
    for name in held:
        coins = str(20_000 / D(PRICES[name]))
        view = hedge(coins, name=name, opened_ms=opened_ms, **{"funding": "200", **money})
        hedges[name] = view
    shorts = {f"{name}-SWAP": str(view.contracts) for name, view in hedges.items()}
    return scene(
        state=State.RUNNING,
        markets={
            name: replace(market(name, PRICES[name]), funding=quote(rate), settled=history(rate))
            for name, rate in rates.items()
        },
        fees=dict.fromkeys(PRICES, FEES),
        account=account(
            "60000", short=shorts, coins={n.split("-")[0]: str(v.size) for n, v in hedges.items()}
        ),
        hedges=hedges,
    )


def plan(ctx: Context, count: int = 1, **strategy: Any) -> Plan:
    chosen = settings(count, **strategy)
    return CashAndCarry(chosen, build_guards(chosen)).plan(ctx)


def place(the_plan: Plan) -> Verdict:
    return next(v for v in the_plan.verdicts if v.guard == "keep_place")


def given_up(the_plan: Plan) -> str:
    """The name of the hedge that gives up its place, or an empty text."""
    if not the_plan.adjusting:
        return ""
    (target,) = the_plan.adjusting
    assert isinstance(target, HedgeTarget)
    assert target.purpose is Purpose.EXIT and not target.base
    return target.instrument


RICH = {"BTC-USDT": "0.0001", "ETH-USDT": "0.0003"}  # 90 against 270 bps over the horizon


def test_a_hedge_gives_its_place_to_a_coin_that_pays_for_the_change() -> None:
    the_plan = plan(places(RICH))
    assert given_up(the_plan) == "BTC-USDT"
    verdict = place(the_plan)
    assert (verdict.ok, verdict.instrument) == (False, "BTC-USDT")
    assert figure(verdict, "better") == "ETH-USDT"
    assert abs(figure(verdict, "funding_held_bps") - 90) < D("1e-9")
    assert abs(figure(verdict, "funding_new_bps") - 270) < D("1e-9")
    assert figure(verdict, "gain_bps") == figure(verdict, "size_ratio") * (
        figure(verdict, "funding_new_bps") - figure(verdict, "round_trip_new_bps")
    ) - figure(verdict, "funding_held_bps")
    assert the_plan.adjusting[0].figures == verdict.figures


def test_the_worked_example_holds() -> None:
    assert gain_bps(D(250 - 32), D(90)) == 128
    assert gain_bps(D(250 - 32), D(90), D("0.5")) == 19


def test_a_gain_below_what_is_asked_for_changes_nothing_and_says_so() -> None:
    modest = {"BTC-USDT": "0.0001", "ETH-USDT": "0.00021"}  # 99 bps more, 67 after the round trip
    the_plan = plan(places(modest))
    assert given_up(the_plan) == ""
    assert place(the_plan).reason == "a better coin would not pay for the change"
    assert given_up(plan(places(modest), rotation={"min_gain_bps": D(60)})) == "BTC-USDT"


def test_while_a_place_is_free_nothing_is_given_up() -> None:
    the_plan = plan(places(RICH), 2)
    assert the_plan.adjusting == ()
    assert not any(v.guard == "keep_place" for v in the_plan.verdicts)
    assert [t.instrument for t in the_plan.opening] == ["ETH-USDT"]


def test_a_sleeve_that_is_used_up_counts_as_full() -> None:
    crowded = places(RICH)
    big = {"BTC-USDT": replace(crowded.hedges["BTC-USDT"], entry_notional=D(35_000))}
    assert given_up(plan(replace(crowded, hedges=big), 2)) == "BTC-USDT"


def test_the_weakest_of_several_goes_and_the_best_of_several_comes() -> None:
    rates = {"BTC-USDT": "0.0002", "ETH-USDT": "0.0001", "SOL-USDT": "0.0004", "BNB-USDT": "0.0006"}
    the_plan = plan(places(rates, ("BTC-USDT", "ETH-USDT")), 2)
    assert given_up(the_plan) == "ETH-USDT"
    assert figure(place(the_plan), "better") == "BNB-USDT"


def test_it_can_be_switched_off() -> None:
    assert plan(places(RICH), rotation={"enabled": False}).adjusting == ()
    assert plan(places(RICH), enabled=False).adjusting == ()


def test_a_young_hedge_keeps_its_place() -> None:
    young = places(RICH, opened_ms=NOW - 8 * HOUR_MS + 1)
    assert place(plan(young)).reason == "no hedge has been held for long enough to give up its place"
    assert given_up(plan(places(RICH, opened_ms=NOW - 8 * HOUR_MS))) == "BTC-USDT"


def uneven(ctx: Context) -> Context:
    return replace(ctx, hedges={"BTC-USDT": hedge("0.2", spot="0.21")})


@pytest.mark.parametrize(
    ("busy", "reason"),
    [
        (lambda ctx: replace(ctx, unresolved_orders=1), "an order or a repair is under way"),
        (lambda ctx: replace(ctx, repairs=1), "an order or a repair is under way"),
        (uneven, "legs are unequal"),
        (lambda ctx: replace(ctx, doubtful=frozenset({"BTC-USDT"})), "a price has jumped"),
        (
            lambda ctx: replace(ctx, permission=PermissionView(Permission.NO_NEW_RISK, "breaker")),
            "new risk is not permitted",
        ),
    ],
)
def test_nothing_is_begun_beside_something_else(busy: Any, reason: str) -> None:
    the_plan = plan(busy(places(RICH)))
    assert the_plan.adjusting == ()
    assert place(the_plan).reason == f"not judged: {reason}"


def test_an_exit_that_has_begun_is_finished_first() -> None:
    leaving = places(RICH)
    leaving = replace(
        leaving, hedges={"BTC-USDT": replace(leaving.hedges["BTC-USDT"], target_base=Base(D(0)))}
    )
    the_plan = plan(leaving)
    assert [t.reason for t in the_plan.adjusting] == ["an exit was begun"]
    assert not any(v.guard == "keep_place" for v in the_plan.verdicts)


@pytest.mark.parametrize(
    "stands_in_the_way",
    [
        lambda ctx: replace(ctx, last_close_ms={"ETH-USDT": NOW - HOUR_MS}),
        lambda ctx: replace(ctx, doubtful=frozenset({"ETH-USDT"})),
        lambda ctx: replace(ctx, fees={"BTC-USDT": FEES}),
        lambda ctx: at(ctx, ctx.markets["ETH-USDT"].funding.funding_time_ms - 14 * 60_000),
    ],
)
def test_a_coin_that_may_not_be_opened_takes_no_place(stands_in_the_way: Any) -> None:
    assert plan(stands_in_the_way(places(RICH))).adjusting == ()


def at(ctx: Context, now_ms: int) -> Context:
    assert ctx.account is not None
    return replace(ctx, now_ms=now_ms, account=replace(ctx.account, seen_ms=now_ms))


def test_what_a_guard_would_refuse_takes_no_place_and_the_verdict_names_it() -> None:
    slow = replace(places(RICH), venue=venue(latency_ms=D(600)))
    the_plan = plan(slow)
    assert the_plan.adjusting == ()
    verdict = place(the_plan)
    assert (verdict.ok, verdict.reason) == (True, "a better coin may not be opened now")
    assert figure(verdict, "refused_by") == "venue_up"


def test_a_change_at_a_loss_is_not_the_one_that_trips_the_breaker() -> None:
    """Two losing rounds and a third one by choice would stop everything until the operator comes."""
    losing = places(RICH, funding="0", fees="30")
    losing = replace(losing, breaker=replace(losing.breaker, losing_rounds=2))
    assert figure(place(plan(losing)), "refused_by") == "not_tripped"
    earned = places(RICH)
    assert given_up(plan(replace(earned, breaker=replace(earned.breaker, losing_rounds=2)))) == "BTC-USDT"


def test_a_coin_whose_books_carry_half_the_size_is_worth_half_as_much() -> None:
    thin = replace(
        market("ETH-USDT", "4000", depth_usdt="5000"), funding=quote("0.0006"), settled=history("0.0006")
    )
    ctx = places(RICH)
    ctx = replace(ctx, markets={**ctx.markets, "ETH-USDT": thin})
    verdict = place(plan(ctx, rotation={"min_gain_bps": D(0)}))
    assert figure(verdict, "size_ratio") < D("0.55")
    assert figure(verdict, "gain_bps") < D("0.55") * 540 - 90


@pytest.mark.parametrize("mode", [AccountMode.FUTURES, AccountMode.MULTI])
def test_the_account_without_a_hedge_holds_its_worth_in_usdt(mode: AccountMode) -> None:
    ctx = places(RICH)
    assert ctx.account is not None
    rich = replace(ctx.account, mode=mode, adjusted_equity_usd=D(70_000))
    the_plan = plan(replace(ctx, account=rich))
    assert given_up(the_plan) == "BTC-USDT"
    after = without(replace(ctx, account=rich), standing(ctx))
    assert after.account is not None
    assert after.hedges == {}
    assert after.account.cash("BTC") == 0
    assert after.account.contracts("BTC-USDT-SWAP") == 0
    assert after.swap_notional == 0
    # 20,000 USDT of coins, less half of a round trip of 34 bps.
    assert D(79_960) < after.account.available("USDT") < D(80_000)
    assert D(69_960) < (after.account.adjusted_equity_usd or 0) < D(70_000)


def standing(ctx: Context) -> Standing:
    view = ctx.markets["BTC-USDT"]
    return Standing(view, ctx.hedges["BTC-USDT"], None, round_trip(view, FEES, ctx.hedges["BTC-USDT"].size))


some_rates = st.dictionaries(
    st.sampled_from(NAMES), st.integers(0, 99).map(lambda n: str(D(n) / 100_000)), min_size=2, max_size=4
)


@given(rates=some_rates, least=st.integers(0, 200), count=st.integers(1, 2), data=st.data())
def test_no_change_is_for_the_worse_and_none_depends_on_an_order(
    rates: dict[str, str], least: int, count: int, data: st.DataObject
) -> None:
    held = tuple(sorted(rates))[:count]
    ctx = places(rates, held)
    the_plan = plan(ctx, count, rotation={"min_gain_bps": D(least)})
    order = data.draw(st.permutations(sorted(rates)))
    shuffled = replace(
        ctx,
        markets={name: ctx.markets[name] for name in order},
        hedges={name: ctx.hedges[name] for name in order if name in held},
    )
    assert plan(shuffled, count, rotation={"min_gain_bps": D(least)}) == the_plan
    gone = given_up(the_plan)
    if gone and place(the_plan).reason == the_plan.adjusting[0].reason:
        worth = {name: 90 * D(rate) * 10_000 for name, rate in rates.items()}
        better = str(figure(place(the_plan), "better"))
        assert better not in held and gone in held
        assert worth[better] - 30 > worth[gone] + least
        assert worth[gone] == min(worth[name] for name in held)


@given(a=st.integers(10, 99), b=st.integers(10, 99), hours=st.integers(0, 7))
def test_what_has_just_been_changed_is_not_changed_back(a: int, b: int, hours: int) -> None:
    """Within the shortest time of holding neither way is gone, whatever the rates have become."""
    rates = {"BTC-USDT": str(D(a) / 100_000), "ETH-USDT": str(D(b) / 100_000)}
    after = places(rates, ("ETH-USDT",), opened_ms=NOW - hours * HOUR_MS)
    after = replace(after, last_close_ms={"BTC-USDT": NOW - hours * HOUR_MS - 300_000})
    assert plan(after).adjusting == ()


def test_equal_coins_are_told_apart_by_name() -> None:
    rates = {"BTC-USDT": "0.0001", "ETH-USDT": "0.0004", "SOL-USDT": "0.0004"}
    flat = replace(places(rates), fees=dict.fromkeys(PRICES, FEES))
    assert figure(place(plan(flat)), "better") == "ETH-USDT"
