from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config.schema import MAX_LEVERAGE
from core.context import Context
from core.types import AccountMode
from risk.fund_guard import shrink
from risk.margin_guard import MarginGuard
from tests.risk.scenes import NOW, SETTINGS, D, account, figure, hedge, market, opening, scene, tuned

GUARD = MarginGuard(SETTINGS.risk.margin)


def test_without_swaps_the_planned_position_is_projected() -> None:
    ctx = scene(plan=opening("0.2"))
    verdict = GUARD.check(ctx)
    assert verdict.ok
    # 0.2 BTC cost about 20000 of 100000 USDT and the short is worth 20000: (100000 - 20021 - 10) / 20000
    assert D("3.99") < figure(verdict, "margin_ratio_after") < D("4")


def test_a_planned_position_the_equity_cannot_back_is_refused() -> None:
    # 38000 USDT: after 20000 of spot 18000 back a short of 20000: 0.9; with 35000 only 0.75 is left.
    assert GUARD.check(scene(plan=opening("0.2"), account=account("38000"))).ok
    verdict = GUARD.check(scene(plan=opening("0.2"), account=account("35000")))
    assert not verdict.ok
    assert verdict.reason == "margin ratio would be too low"


def test_held_swaps_count_beside_the_planned_one() -> None:
    # 0.3 BTC short already: 55000 - 20000 over 50000 is 0.7.
    held = scene(
        plan=opening("0.2", "ETH-USDT"),
        account=account("55000", short={"BTC-USDT-SWAP": "30"}),
        hedges={"BTC-USDT": hedge("0.3")},
    )
    assert GUARD.check(held).ok  # 0.2 ETH is worth 800 USDT
    more = replace(held, plan=opening("5", "ETH-USDT"))
    assert not GUARD.check(more).ok


def test_more_than_threefold_leverage_names_the_red_line() -> None:
    verdict = GUARD.check(scene(plan=opening("0.2"), account=account("24000")))
    assert not verdict.ok
    assert verdict.reason == "effective leverage would pass the red line"


def test_coins_about_to_be_bought_back_nothing_in_multi_currency_mode() -> None:
    rich = account("32000", mode=AccountMode.MULTI, adjusted="60000")
    poor = account("32000", mode=AccountMode.MULTI, adjusted="30000")
    assert GUARD.check(scene(plan=opening("0.2"), account=rich)).ok
    assert not GUARD.check(scene(plan=opening("0.2"), account=poor)).ok


def test_the_venues_own_ratio_is_a_second_opinion() -> None:
    assert GUARD.check(scene(account=account(mgn_ratio="40"))).ok
    verdict = GUARD.check(scene(account=account(mgn_ratio="2.9")))
    assert not verdict.ok
    assert verdict.reason == "the venue's own margin ratio is near its warning"


def test_one_positions_ratio_warns_even_if_the_accounts_does_not() -> None:
    snapshot = account(short={"BTC-USDT-SWAP": "1"}, mgn_ratio="40")
    position = replace(snapshot.positions["BTC-USDT-SWAP"], mgn_ratio=D("2"))
    assert not GUARD.check(scene(account=replace(snapshot, positions={"BTC-USDT-SWAP": position}))).ok


def test_an_unmeasurable_plan_is_refused() -> None:
    unquoted = replace(market(), spot=None)
    assert not GUARD.check(scene(plan=opening(), markets={"BTC-USDT": unquoted})).ok
    assert not GUARD.check(scene(plan=opening(), markets={})).ok
    assert not GUARD.check(scene(plan=opening(), markets={"BTC-USDT": replace(market(), mark_px=None)})).ok
    assert not GUARD.check(scene(plan=opening(), fees={})).ok


@given(age_ms=st.integers(min_value=0, max_value=600_000), planned=st.booleans())
def test_a_missing_or_stale_snapshot_always_refuses(age_ms: int, planned: bool) -> None:
    plan = {"plan": opening("0.01")} if planned else {}
    verdict = GUARD.check(scene(account=account(seen_ms=NOW - age_ms), **plan))
    assert verdict.ok is (age_ms <= 30_000)
    assert not GUARD.check(scene(account=None, **plan)).ok


@given(
    usdt=st.decimals(min_value=1, max_value=200_000, places=2),
    lots=st.integers(min_value=1, max_value=10_000),
)
def test_what_passes_stays_at_the_limit_or_above(usdt: Decimal, lots: int) -> None:
    base = D(lots) * D("0.0001")
    verdict = GUARD.check(scene(plan=opening(str(base)), account=account(str(usdt))))
    if verdict.ok:
        # Spot is paid at the mid at least, so what is left backs the short at the limit at least.
        assert (usdt - base * 100_000) / (base * 100_000) >= D("0.8")


def test_a_daring_configuration_still_survives_a_rise_of_all_prices() -> None:
    """A ratio of 0.53 may be allowed; half more on every price would leave 0.02, and the venue takes over."""
    daring = {"open_above": D("0.5"), "rebalance_below": D("0.5"), "emergency_below": D("0.4")}
    limits = tuned(risk={"margin": daring}).risk.margin
    ctx = scene(plan=opening("0.2"), account=account("30650"))
    verdict = MarginGuard(limits).check(ctx)
    assert (verdict.ok, verdict.reason) == (False, "a rise of all prices at once could liquidate")
    assert D("0.01") < figure(verdict, "stressed_ratio") < D("0.03")
    calm = tuned(risk={"margin": {**daring, "stress_rise_ratio": D("0.4")}}).risk.margin
    assert MarginGuard(calm).check(ctx).ok


@given(
    usdt=st.integers(20_000, 200_000),
    lots=st.integers(1, 30),
    eth=st.integers(0, 10),
    rise=st.integers(0, 50),
)
def test_what_passes_survives_a_rise_of_all_prices_and_part_of_the_hedges_pays_for_the_margin(
    usdt: int, lots: int, eth: int, rise: int
) -> None:
    """Futures mode, both coins at once: above the venue's maintenance, and shrinking restores the target."""
    held = {"ETH-USDT": hedge(str(eth), name="ETH-USDT")} if eth else {}
    short = {"ETH-USDT-SWAP": str(eth * 100)} if eth else {}
    base = D(lots) / 100
    before = scene(plan=opening(str(base)), account=account(str(usdt), short=short), hedges=held)
    if not GUARD.check(before).ok:
        return
    up, notional = 1 + D(rise) / 100, base * 100_000 + eth * 4_000
    left = figure(GUARD.check(before), "backing_after_usdt") - (up - 1) * notional
    assert left / (notional * up) > D("0.05")
    after = scene(
        markets={"BTC-USDT": market(px=str(100_000 * up)), "ETH-USDT": market("ETH-USDT", str(4_000 * up))},
        account=account(str(left), short={**short, "BTC-USDT-SWAP": str(lots)}),
        hedges={**held, "BTC-USDT": hedge(str(base))},
    )
    smaller = shrink(after, notional * up - left, D(1), (), True)
    assert sum((D(figure(t, "closed_contracts")) for t in smaller), D(0)) < lots + eth * 100


def in_coins(usdt: Decimal, eth: int, discount: Decimal, base: Decimal) -> Context:
    """Multi-currency mode: `usdt`, so many hedged ETH at 4000 that count `discount`, an opening of BTC."""
    adjusted = usdt + discount * eth * 4_000
    snapshot = account(
        str(usdt),
        mode=AccountMode.MULTI,
        adjusted=str(adjusted),
        short={"ETH-USDT-SWAP": str(eth * 100)} if eth else {},
        coins={"ETH": str(eth)} if eth else {},
    )
    held = {"ETH-USDT": hedge(str(eth), name="ETH-USDT")} if eth else {}
    return scene(plan=opening(str(base)), account=snapshot, hedges=held)


def test_in_multi_currency_mode_a_rise_must_be_payable_in_usdt() -> None:
    """20,000 of BTC beside 20,000 of ETH: half of 40,000 has to be left of USDT, whatever the coins count."""
    assert GUARD.check(in_coins(D(40_100), 5, D("0.98"), D("0.2"))).ok
    verdict = GUARD.check(in_coins(D(40_000), 5, D("0.98"), D("0.2")))
    assert (verdict.ok, verdict.reason) == (False, "a rise of all prices at once could need a loan")
    assert -100 < figure(verdict, "usdt_after_rise_usdt") < 0
    assert "usdt_after_rise_usdt" not in dict(GUARD.check(scene(plan=opening("0.2"))).figures)


@given(
    usdt=st.integers(1_000, 200_000),
    eth=st.integers(0, 20),
    lots=st.integers(1, 80),
    discount=st.integers(34, 100),
    rise=st.integers(0, 50),
)
def test_what_passes_in_multi_currency_mode_neither_borrows_nor_passes_the_red_line_after_a_rise(
    usdt: int, eth: int, lots: int, discount: int, rise: int
) -> None:
    base, counted, up = D(lots) / 100, D(discount) / 100, 1 + D(rise) / 100
    ctx = in_coins(D(usdt), eth, counted, base)
    if not GUARD.check(ctx).ok:
        return
    worth = base * 100_000 + eth * 4_000  # of the coins, and of the shorts
    cash = usdt - base * 100_000 - (up - 1) * worth
    assert cash >= 0
    assert worth * up <= MAX_LEVERAGE * (cash + counted * worth * up)
