from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.context import Context, MarketView
from core.events import Plan, Purpose
from core.types import DAY_MS, HOUR_MS, AccountMode, Candle
from core.verdict import Verdict
from strategy import build_guards, build_planner
from strategy.cash_and_carry import CashAndCarry
from tests.risk.scenes import (
    FEES,
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
)


def plan(ctx: Context, **sections: Any) -> Plan:
    return CashAndCarry(tuned(**sections)).plan(ctx)


def alone(**changed: Any) -> Context:
    """Only BTC, with some parts of its market changed."""
    return scene(markets={"BTC-USDT": replace(market(), **changed)})


def said(the_plan: Plan, guard: str, instrument: str = "BTC-USDT") -> Verdict:
    return next(v for v in the_plan.verdicts if v.guard == guard and v.instrument == instrument)


def refusals(the_plan: Plan) -> list[str]:
    return [v.guard for v in the_plan.verdicts if not v.ok]


def test_a_calm_market_with_ordinary_funding_is_opened() -> None:
    the_plan = plan(scene())
    assert [t.instrument for t in the_plan.opening] == ["BTC-USDT", "ETH-USDT"]
    target = the_plan.opening[0]
    assert target.purpose is Purpose.OPEN
    assert target.base == D("0.2")
    assert refusals(the_plan) == []
    assert the_plan.adjusting == ()


def test_the_terms_of_the_expected_carry_add_up() -> None:
    verdict = said(plan(alone()), "net_carry")
    # 90 settlements of 1 bp; 30 bps of fees; four half-spread walks of 0.5 bp, the last level untouched.
    assert abs(figure(verdict, "funding_bps") - 90) < D("1e-9")
    assert figure(verdict, "fees_bps") == 30
    assert abs(figure(verdict, "slippage_bps") - 2) < D("1e-9")
    net = figure(verdict, "funding_bps") - figure(verdict, "round_trip_bps")
    assert figure(verdict, "net_carry_bps") == net
    assert verdict.ok


def test_candidates_are_ranked_by_net_carry() -> None:
    richer = replace(market("ETH-USDT", "4000"), funding=quote("0.0003"), settled=history("0.0003"))
    ctx = scene(markets={"BTC-USDT": market(), "ETH-USDT": richer})
    assert [t.instrument for t in plan(ctx).opening] == ["ETH-USDT", "BTC-USDT"]


def test_every_condition_speaks_about_every_instrument_even_after_a_refusal() -> None:
    quiet = alone(funding=quote("-0.01"), settled=())
    everything = [v.guard for v in plan(alone()).verdicts]
    assert [v.guard for v in plan(quiet).verdicts] == everything
    assert len(everything) == 12
    assert all(v.instrument == "BTC-USDT" for v in plan(quiet).verdicts)


@pytest.mark.fault("FU7")
@pytest.mark.parametrize(
    ("rate", "hours", "reason"),
    [
        ("0.0001", 8, "funding is in the band"),
        ("0.01", 8, "funding is in the band"),
        ("0.000099", 8, "funding is below the band"),
        ("0.0101", 8, "funding is above the band"),
        ("-0.001", 8, "funding is below the band"),
        ("0.00005", 4, "funding is in the band"),
        ("0.000049", 4, "funding is below the band"),
        ("0.0000125", 1, "funding is in the band"),
        ("0.00126", 1, "funding is above the band"),
    ],
)
def test_the_band_is_compared_per_eight_hours(rate: str, hours: int, reason: str) -> None:
    verdict = said(plan(alone(funding=quote(rate, hours=hours))), "funding_band")
    assert verdict.reason == reason
    assert verdict.ok is (reason == "funding is in the band")


def test_funding_that_cannot_earn_the_round_trip_back_is_left_alone() -> None:
    # The quote is in the band, but history says the coin pays nothing: far less than 32 bps to come.
    the_plan = plan(alone(settled=history("0")))
    assert the_plan.opening == ()
    assert refusals(the_plan) == ["net_carry"]


def test_a_demanded_net_carry_is_demanded() -> None:
    assert plan(alone(), strategy={"opening": {"min_net_carry_bps": D(57)}}).opening
    assert not plan(alone(), strategy={"opening": {"min_net_carry_bps": D(59)}}).opening


def moved(rng: str) -> tuple[Candle, ...]:
    low = D(100_000)
    return (Candle(NOW - 30 * 60_000, low, low * (1 + D(rng)), low, low, D(1)),)


@pytest.mark.parametrize(
    ("guard", "changed"),
    [
        ("quoted", {"mark_px": None}),
        ("quoted", {"spot": None}),
        ("funding_band", {"funding": None}),
        ("funding_band", {"funding": quote(now=NOW - 8 * HOUR_MS)}),
        ("calm", {"candles": {"3m": moved("0.031")}}),
        ("calm", {"candles": {"15m": moved("0.031")}}),
        ("uncrowded", {"open_interest": ((NOW - DAY_MS, D(100)), (NOW, D(151)))}),
        ("history_known", {"settled": history(count=8)}),
        ("basis_in_bounds", {"swap": book("BTC-USDT-SWAP", D(101_100), D(200))}),
        ("basis_in_bounds", {"swap": book("BTC-USDT-SWAP", D(98_900), D(200))}),
        ("large_enough", {"spot": book("BTC-USDT", D(100_000), D("0.00001"))}),
        ("away_from_settlement", {"settled": (*history(), replace(history()[-1], ts_ms=NOW - 30_000))}),
    ],
)
def test_each_part_of_the_market_can_refuse(guard: str, changed: dict[str, Any]) -> None:
    the_plan = plan(alone(**changed))
    assert the_plan.opening == ()
    assert guard in refusals(the_plan)


@pytest.mark.parametrize(
    ("changed", "guard", "figure_name"),
    [
        ({"candles": {}}, "calm", "hourly_range_ratio"),
        ({"open_interest": ()}, "uncrowded", "open_interest_rise_ratio"),
        ({"open_interest": ((NOW - HOUR_MS, D(1)), (NOW, D(9)))}, "uncrowded", "open_interest_rise_ratio"),
    ],
)
def test_what_has_not_come_in_yet_passes_and_says_so(
    changed: dict[str, Any], guard: str, figure_name: str
) -> None:
    the_plan = plan(alone(**changed))
    assert the_plan.opening
    assert figure(said(the_plan, guard), figure_name) == "not known"
    assert "not known" in said(the_plan, guard).reason


def test_an_empty_market_refuses_without_breaking() -> None:
    bare = MarketView(pair=market().pair)
    the_plan = plan(scene(markets={"BTC-USDT": bare}, account=None, fees={}))
    assert the_plan.opening == ()
    assert len(the_plan.verdicts) == 12


def test_missing_fees_refuse() -> None:
    assert "net_carry" in refusals(plan(scene(fees={}, markets={"BTC-USDT": market()})))


@pytest.mark.fault("FU8")
@pytest.mark.parametrize("offset_s", [-180, -60, -1, 0, 1, 60])
def test_nothing_opens_around_a_settlement(offset_s: int) -> None:
    funding_ms = quote().funding_time_ms
    at = funding_ms + offset_s * 1000
    ctx = replace(alone(funding=quote(now=at)), now_ms=at)
    assert "away_from_settlement" in refusals(plan(ctx))


@pytest.mark.parametrize("offset_s", [-181, 61])
def test_it_may_open_a_minute_after_a_settlement_and_three_before_it(
    offset_s: int,
) -> None:
    at = quote().funding_time_ms + offset_s * 1000
    ctx = replace(alone(funding=quote(now=at)), now_ms=at)
    assert said(plan(ctx), "away_from_settlement").ok


def test_extreme_funding_for_the_coin_refuses_where_that_is_configured() -> None:
    settled = tuple(replace(s, rate=D(n) / 1_000_000) for n, s in enumerate(history()))
    ctx = alone(settled=settled, funding=quote("0.0002"))
    assert said(plan(ctx), "uncrowded").ok
    strict = plan(ctx, strategy={"regime": {"max_funding_percentile": D("0.95")}})
    assert not said(strict, "uncrowded").ok


def test_a_held_instrument_is_not_opened_again() -> None:
    ctx = scene(hedges={"BTC-USDT": hedge("0.1")})
    the_plan = plan(ctx)
    assert [t.instrument for t in the_plan.opening] == ["ETH-USDT"]
    assert said(the_plan, "not_held").reason == "a hedge is held already"


def test_dust_of_an_earlier_hedge_does_not_count_as_held() -> None:
    dust = {"BTC-USDT": hedge("0", spot="0.00009", entry="0")}
    assert plan(scene(hedges=dust)).opening[0].instrument == "BTC-USDT"


def test_a_position_that_is_not_ours_keeps_us_out() -> None:
    foreign = scene(account=account(short={"BTC-USDT-SWAP": "3"}))
    verdict = said(plan(foreign), "not_held")
    assert verdict.reason == "the account holds a position that is not ours"
    assert [t.instrument for t in plan(foreign).opening] == ["ETH-USDT"]


def test_a_closed_coin_cools_down() -> None:
    early = replace(alone(), last_close_ms={"BTC-USDT": NOW - 8 * HOUR_MS + 1})
    late = replace(alone(), last_close_ms={"BTC-USDT": NOW - 8 * HOUR_MS})
    assert refusals(plan(early)) == ["cooled_down"]
    assert plan(late).opening


@pytest.mark.parametrize(
    "sections",
    [
        {"strategy": {"enabled": False}},
        {"strategy": {"auto_trading": False}},
        {"instruments": {"instruments": ("ETH-USDT",)}},
        {
            "instruments": {
                "instruments": ("ETH-USDT",),
                "universe": {"enabled": True, "exclude": ("BTC-USDT",)},
            }
        },
    ],
)
def test_what_is_switched_off_or_not_listed_is_explained_and_not_opened(sections: dict[str, Any]) -> None:
    the_plan = plan(alone(), **sections)
    assert the_plan.opening == ()
    assert refusals(the_plan) == ["wanted"]


def test_a_ranked_universe_needs_no_list() -> None:
    ranked = {"instruments": ("ETH-USDT",), "universe": {"enabled": True}}
    assert plan(alone(), instruments=ranked).opening


def test_a_book_that_does_not_hold_the_size_back_and_forth_is_not_opened() -> None:
    view = market()
    assert view.spot is not None
    one_way = replace(view.spot, bids=((view.spot.bids[0][0], D("0.01")),))
    assert refusals(plan(alone(spot=one_way))) == ["net_carry"]


def test_the_plan_depends_on_the_context_alone() -> None:
    planner = CashAndCarry(SETTINGS)
    contexts = (
        scene(),
        alone(settled=history("0.003"), funding=quote("-0.003")),
        alone(settled=history("0.0002", count=91)),
        alone(settled=()),
        scene(),
    )
    for ctx in contexts:
        assert planner.plan(ctx) == CashAndCarry(SETTINGS).plan(ctx)


def test_an_irrelevant_instrument_changes_nothing_for_the_others() -> None:
    both, one = plan(scene()), plan(alone())
    assert both.opening[0] == one.opening[0]


def test_scaling_all_prices_leaves_the_decision_unchanged() -> None:
    small = scene(markets={"BTC-USDT": market(px="1000")})
    assert abs(plan(small).opening[0].base - 100 * plan(alone()).opening[0].base) < D("0.01")


def test_multi_currency_mode_opens_too() -> None:
    rich = account("100000", mode=AccountMode.MULTI, adjusted="100000")
    assert plan(scene(account=rich)).opening


def test_the_guard_lets_an_opening_through_and_says_why_not_otherwise() -> None:
    (guard,) = build_guards(SETTINGS)
    assert guard.name == "carry_pays"
    ctx = scene()
    assert not guard.check(ctx).ok
    verdict = guard.check(ctx.with_plan(build_planner(SETTINGS).plan(ctx)))
    assert verdict.ok
    assert verdict.instrument == "BTC-USDT"
    assert figure(verdict, "candidates") == 2


def test_fees_are_read_per_instrument() -> None:
    dear = replace(FEES, spot_taker=D("0.004"))
    ctx = scene(fees={"BTC-USDT": dear, "ETH-USDT": FEES})
    assert [t.instrument for t in plan(ctx).opening] == ["ETH-USDT"]
