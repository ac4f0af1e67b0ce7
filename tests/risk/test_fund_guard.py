from __future__ import annotations

from dataclasses import replace

from risk.fund_guard import FundGuard
from tests.risk.scenes import NOW, SETTINGS, D, account, figure, hedge, opening, scene, tuned

GUARD = FundGuard(SETTINGS)


def test_free_usdt_must_pay_spot_and_the_margin_of_its_short() -> None:
    # 20000 of spot, 20000 of margin, 10 of fee and a little slippage.
    assert GUARD.check(scene(plan=opening("0.2"), account=account("40100"))).ok
    verdict = GUARD.check(scene(plan=opening("0.2"), account=account("39900")))
    assert not verdict.ok
    assert verdict.reason == "not enough free USDT for both legs"
    assert figure(verdict, "need_usdt") > 40_000


def test_the_coin_fee_is_part_of_the_cost() -> None:
    verdict = GUARD.check(scene(plan=opening("0.2")))
    assert figure(verdict, "spot_cost_usdt") > D("0.2") * 100_000 / (1 - D("0.001"))


def test_money_in_the_funding_wallet_does_not_count() -> None:
    assert not GUARD.check(scene(plan=opening("0.2"), account=account("30000", wallet="90000"))).ok


def test_money_on_its_way_does_not_count() -> None:
    short_of = scene(plan=opening("0.2"), account=account("30000"), pending_transfer=True)
    assert not GUARD.check(short_of).ok


def test_what_the_venue_keeps_as_margin_is_not_free() -> None:
    assert not GUARD.check(scene(plan=opening("0.2"), account=account("90000", available="30000"))).ok


def test_margin_of_held_hedges_is_not_lent_to_a_new_one() -> None:
    # 0.4 BTC short needs 40000; of 70000 equity 30000 are free, though the venue calls 57000 available.
    held = scene(
        plan=opening("5", "ETH-USDT"),
        account=account("70000", available="57000", short={"BTC-USDT-SWAP": "40"}),
        hedges={"BTC-USDT": hedge("0.4")},
    )
    verdict = GUARD.check(held)
    assert not verdict.ok
    assert figure(verdict, "free_usdt") == 30_000
    assert GUARD.check(replace(held, plan=opening("3", "ETH-USDT"))).ok


def test_each_cap_refuses_on_its_own() -> None:
    ctx = scene(plan=opening("0.2"))
    cases = {
        "the hedge would be larger than one may be": tuned(account={"max_position_value": D(19_000)}),
        "too much of the sleeve in one hedge": tuned(risk={"caps": {"max_concentration": D("0.4")}}),
        "all hedges together would be too large": tuned(risk={"caps": {"max_total_value": D(19_000)}}),
    }
    for reason, settings in cases.items():
        verdict = FundGuard(settings).check(ctx)
        assert not verdict.ok
        assert verdict.reason == reason


def test_no_more_instruments_than_allowed() -> None:
    one = FundGuard(tuned(risk={"caps": {"max_instruments": 1}}))
    assert one.check(scene(plan=opening("0.2"))).ok
    verdict = one.check(scene(plan=opening("0.5", "ETH-USDT"), hedges={"BTC-USDT": hedge("0.01")}))
    assert verdict.reason == "enough instruments are held"


def test_other_hedges_count_towards_the_total_at_todays_price() -> None:
    guard = FundGuard(tuned(risk={"caps": {"max_total_value": D(30_000)}}))
    held = {"ETH-USDT": hedge("3", name="ETH-USDT", entry="5000")}  # 12000 today
    assert not guard.check(scene(plan=opening("0.2"), hedges=held)).ok
    assert guard.check(scene(plan=opening("0.17"), hedges=held)).ok


def test_missing_stale_or_unpriced_refuses() -> None:
    assert not GUARD.check(scene(plan=opening("0.01"), account=None)).ok
    assert not GUARD.check(scene(plan=opening("0.01"), account=account(seen_ms=NOW - 31_000))).ok
    assert not GUARD.check(scene(plan=opening("0.01"), fees={})).ok
    assert GUARD.check(scene()).ok
