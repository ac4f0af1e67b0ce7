"""The gate, limit by limit: what is granted, what is not, and that every answer stands beside the others."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from config.auxiliary import AuxiliaryLimits, AuxiliaryModules, Blacklist
from core.types import HOUR_MS, Base, Side, Usdt
from strategy.auxiliary.exit_plan import Distance, ExitPlan, FactorRule, Measures, Stop
from strategy.auxiliary.language import Fate
from strategy.auxiliary.sleeve_view import Entered, Held, SleeveView, Streak
from tests.strategy.auxiliary.gate_scenes import (
    NOW_MS,
    PLAN,
    figures,
    held,
    judged,
    market,
    rules,
    signal,
    sleeve,
    verdict,
    with_swap,
)

SECOND_MS = 1_000
ETH, SOL = "ETH-USDT", "SOL-USDT"


def refusals(judgement: Any) -> list[str]:
    return [each.guard for each in judgement.verdicts if not each.ok]


def test_a_signal_within_every_limit_is_granted_with_all_that_an_order_needs() -> None:
    judgement = judged()
    assert judgement.fate is Fate.EXECUTED and refusals(judgement) == [] and judgement.why == ""
    grant = judgement.grant
    assert grant is not None
    assert (grant.entry_px, grant.stop_px) == (D("60090.0"), D("58287.3"))  # 15 bps above, 3 % below that
    assert grant.base == D("0.0332")  # 10 % of 20 000 at 60 090, in lots of 0.0001
    assert grant.risk == D("0.0332") * D("1802.7")
    assert grant.margin == D("0.0332") * 60_090
    assert (grant.leverage_wished, grant.leverage_granted) == (D(1), D(1))
    assert grant.plan == PLAN
    assert figures(judgement, "signal_size")["bound_by"] == "coin_base"


def test_a_short_is_granted_with_its_stop_above() -> None:
    grant = judged(signal(side=Side.SELL)).grant
    assert grant is not None
    assert (grant.entry_px, grant.stop_px) == (D("59910.0"), D("61707.3"))
    assert grant.risk == grant.base * 1_800  # had at the mid it loses 3 % of that, which is more


# --- fates ---------------------------------------------------------------------------------------


def test_a_sleeve_that_is_closed_breaks_the_circuit_and_says_why() -> None:
    judgement = judged(a_sleeve=sleeve(closed="permission NO_NEW_RISK"))
    assert judgement.fate is Fate.CIRCUIT_BREAK and judgement.grant is None
    assert figures(judgement, "sleeve_open")["closed"] == "permission NO_NEW_RISK"
    assert refusals(judgement) == ["sleeve_open"]


@pytest.mark.parametrize(("lost", "fate"), [("999.99", Fate.EXECUTED), ("1000", Fate.CIRCUIT_BREAK)])
def test_a_day_that_has_lost_five_percent_is_over(lost: str, fate: Fate) -> None:
    judgement = judged(a_sleeve=sleeve(lost_today=Usdt(D(lost))))
    assert judgement.fate is (Fate.FILTERED if fate is Fate.EXECUTED else fate)
    assert ("sleeve_daily_loss" in refusals(judgement)) is (fate is Fate.CIRCUIT_BREAK)


def test_what_the_day_may_still_lose_is_the_most_a_position_may_risk() -> None:
    judgement = judged(a_sleeve=sleeve(lost_today=Usdt(D(980))))
    assert judgement.grant is not None and judgement.grant.risk <= 20
    assert figures(judgement, "signal_size")["bound_by"] == "risk_base"


def test_a_conflict_outweighs_a_filter_and_a_closed_sleeve_both() -> None:
    other = sleeve(held=(held(),), seen=frozenset({signal().signal_id}))
    judgement = judged(a_sleeve=other)
    assert judgement.fate is Fate.CONFLICT
    assert refusals(judgement) == ["signal_new", "sleeve_conflict"]
    assert judgement.why == "this signal has been judged before"
    assert judged(a_sleeve=replace(other, closed="breaker")).fate is Fate.CIRCUIT_BREAK


def test_every_check_is_made_even_after_one_has_refused() -> None:
    said = [each.guard for each in judged().verdicts]
    assert len(said) == len(set(said)) == 14
    assert [each.guard for each in judged(a_sleeve=sleeve(closed="halted")).verdicts] == said


# --- the signal ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"at_ms": NOW_MS - 2, "valid_until_ms": NOW_MS - 1}, "the signal is stale"),
        ({"at_ms": NOW_MS + 1, "valid_until_ms": NOW_MS + 2}, "the signal is of a time to come"),
    ],
)
def test_a_signal_is_heard_in_its_time_only(changed: dict[str, int], says: str) -> None:
    judgement = judged(signal(**changed))
    assert judgement.fate is Fate.FILTERED and judgement.why == says
    assert judged(signal(at_ms=NOW_MS - 1, valid_until_ms=NOW_MS)).fate is Fate.EXECUTED


@pytest.mark.parametrize(
    ("some_rules", "says"),
    [
        (AuxiliaryModules(exclude=("BTC-USDT",)), "the instrument is excluded"),
        (AuxiliaryModules(symbols=(ETH,)), "not one of the configured symbols"),
    ],
)
def test_an_instrument_that_is_not_to_be_traded_is_not(some_rules: AuxiliaryModules, says: str) -> None:
    assert judged(some_rules=some_rules).why == says


def test_a_market_of_another_instrument_or_one_that_does_not_trade_is_refused() -> None:
    assert judged(signal(instrument=ETH)).why == "the market shown is another one"
    assert judged(a_market=market(pair=with_swap(state="suspend"))).why == "the instrument does not trade"


@pytest.mark.parametrize(
    ("enabled", "losses", "hours_ago", "granted"),
    [(True, 3, 167, False), (True, 3, 168, True), (True, 2, 1, True), (False, 9, 1, True)],
)
def test_a_coin_that_keeps_losing_is_left_alone_for_a_while(
    enabled: bool, losses: int, hours_ago: int, granted: bool
) -> None:
    streak = Streak(losses, NOW_MS - hours_ago * HOUR_MS)
    judgement = judged(
        a_sleeve=sleeve(streaks={"BTC-USDT": streak}),
        some_rules=AuxiliaryModules(blacklist=Blacklist(enabled=enabled)),
    )
    assert (judgement.fate is Fate.EXECUTED) is granted
    assert figures(judgement, "sleeve_instrument")["losses"] == losses


# --- what is held --------------------------------------------------------------------------------

OWN = held(module="tried")
A_SLICE = signal(most_base=Base(D("0.01")))


@pytest.mark.parametrize(
    ("there", "a_signal", "says"),
    [
        (held(), A_SLICE, "another module holds the instrument"),
        (
            held(module="tried", side=Side.SELL, mark_px=D(59_000)),
            A_SLICE,
            "a position on the other side is held",
        ),
        (OWN, signal(), "the position is held already"),
        (held(module="tried", mark_px=D("59999")), A_SLICE, "what is held is losing: it is never added to"),
        (held(module="tried", mark_px=D(60_000)), A_SLICE, "what is held is losing: it is never added to"),
        (held(module="tried", entry_px=D(60_050)), A_SLICE, "what is held is losing: it is never added to"),
    ],
)
def test_a_position_that_is_held_is_a_conflict(there: Held, a_signal: Any, says: str) -> None:
    judgement = judged(a_signal, sleeve(held=(there,)))
    assert judgement.fate is Fate.CONFLICT and verdict(judgement, "sleeve_conflict").reason == says


def test_a_module_may_add_a_slice_to_its_own_position_while_it_wins() -> None:
    there = held(module="tried", entry_px=D(59_000))
    judgement = judged(A_SLICE, sleeve(held=(there,)))
    assert judgement.grant is not None and judgement.grant.base == D("0.01")
    assert figures(judgement, "signal_size")["bound_by"] == "asked_base"
    assert figures(judgement, "sleeve_positions")["positions_after"] == 1


def others(count: int, notional: str = "100") -> tuple[Held, ...]:
    return tuple(
        held(
            instrument=f"C{n}-USDT",
            base=Base(D(notional) / 100),
            entry_px=D(100),
            mark_px=D(100),
            margin=Usdt(D(1)),
        )
        for n in range(count)
    )


def unrelated(count: int) -> dict[str, tuple[float, ...]]:
    """Returns that have nothing to do with each other: each coin moves in bars of its own."""
    names = ["BTC-USDT", *(f"C{n}-USDT" for n in range(count))]
    return {name: tuple(float((at // 2 ** (n + 1)) % 2) for at in range(256)) for n, name in enumerate(names)}


@pytest.mark.parametrize(("count", "granted"), [(4, True), (5, False)])
def test_there_are_so_many_places_and_no_more(count: int, granted: bool) -> None:
    judgement = judged(a_sleeve=sleeve(held=others(count), returns=unrelated(count)))
    assert (judgement.fate is Fate.EXECUTED) is granted
    assert ("sleeve_positions" in refusals(judgement)) is not granted


def test_all_positions_together_are_half_of_the_sleeve_at_most() -> None:
    filled = sleeve(held=others(3, "3000"), returns=unrelated(3))
    grant = judged(a_sleeve=filled).grant
    assert grant is not None and grant.base * 60_090 <= 1_000 < (grant.base + D("0.0001")) * 60_090
    full = judged(a_sleeve=replace(filled, held=others(4, "2500"), returns=unrelated(4)))
    assert full.fate is Fate.FILTERED and full.why == "less than the venue's smallest order is left"


def test_what_loses_together_is_not_held_together() -> None:
    eth = held(instrument=ETH, base=Base(D(1)), entry_px=D(100), mark_px=D(100))
    moves = tuple(float(n % 7) for n in range(40))
    same = {"BTC-USDT": moves, ETH: moves}
    judgement = judged(a_sleeve=sleeve(held=(eth,), returns=same))
    assert judgement.fate is Fate.FILTERED and judgement.why == "it would lose together with what is held"
    assert figures(judgement, "sleeve_correlation")["with_ETH-USDT"] == 1
    at_the_limit = judged(a_sleeve=sleeve(held=(eth,), returns=same), some_rules=rules(max_correlation=D(1)))
    assert at_the_limit.fate is Fate.FILTERED
    short = replace(eth, side=Side.SELL)
    assert judged(a_sleeve=sleeve(held=(short,), returns=same)).fate is Fate.EXECUTED


@pytest.mark.parametrize(
    "returns",
    [{}, {"BTC-USDT": (0.1,) * 29, ETH: (0.1, 0.2) * 20}, {"BTC-USDT": (0.0,) * 40, ETH: (0.1, 0.2) * 20}],
    ids=["none", "too few", "one stands still"],
)
def test_a_correlation_that_is_not_known_refuses(returns: dict[str, tuple[float, ...]]) -> None:
    eth = held(instrument=ETH, base=Base(D(1)), entry_px=D(100), mark_px=D(100))
    judgement = judged(a_sleeve=sleeve(held=(eth,), returns=returns))
    assert judgement.why == "the correlation with what is held is not known"


# --- how often -----------------------------------------------------------------------------------


def entered(*hours_ago: float, module: str = "tried") -> tuple[Entered, ...]:
    return tuple(Entered(module, SOL, NOW_MS - int(each * HOUR_MS)) for each in hours_ago)


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        (entered(2, 5, 8), ""),
        (entered(2, 5, 8, 23.9), "the module has entered as often as it may in a day"),
        (entered(2, 5, 8, 24), ""),
        (entered(1), ""),
        (entered(0.99), "the module entered a moment ago"),
        (entered(-0.5), "the module entered a moment ago"),
        (entered(0.1, 0.2, 0.3, 0.4, 0.5, module="other"), ""),
        (
            entered(*[n + 0.5 for n in range(20)], module="other"),
            "the sleeve has entered as often as it may in a day",
        ),
    ],
)
def test_a_module_enters_four_times_a_day_and_an_hour_apart(entries: Any, says: str) -> None:
    assert judged(a_sleeve=sleeve(entries=entries)).why == says


def test_on_paper_how_often_is_a_figure_and_everything_else_the_same() -> None:
    often = sleeve(entries=entered(0.1, 0.2, 0.3, 0.4))
    assert judged(a_sleeve=often).fate is Fate.FILTERED
    on_paper = judged(a_sleeve=often, paper=True)
    assert on_paper.fate is Fate.EXECUTED
    assert figures(on_paper, "signal_frequency")["entries_24h"] == 4
    assert judged(a_sleeve=replace(often, closed="halted"), paper=True).fate is Fate.CIRCUIT_BREAK


def test_limits_that_went_around_their_bounds_are_still_within_the_red_lines() -> None:
    lax = AuxiliaryModules.model_construct(
        limits=AuxiliaryLimits.model_construct(
            max_leverage=D(25),
            max_risk_ratio=D(1),
            max_entries_per_day=100,
            min_entry_gap_s=0,
            max_coin_ratio=D(1),
            max_total_ratio=D(1),
        )
    )
    judgement = judged(signal(wished_leverage=D(25)), some_rules=lax)
    assert judgement.grant is not None and judgement.grant.leverage_granted == 3
    assert judgement.grant.risk <= D("0.02") * 20_000
    assert "signal_frequency" in refusals(judged(a_sleeve=sleeve(entries=entered(0.5)), some_rules=lax))
    assert "signal_frequency" in refusals(
        judged(a_sleeve=sleeve(entries=entered(2, 4, 6, 8)), some_rules=lax)
    )


# --- price, plan, leverage -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mid", "says"),
    [
        ("60600", ""),
        ("60601", "the price has run away from the signal's"),
        ("59400", ""),
        ("59399", "the price has run away from the signal's"),
    ],
)
def test_a_price_that_has_run_away_is_not_run_after(mid: str, says: str) -> None:
    judgement = judged(a_market=market(mid))
    assert judgement.why == says
    assert figures(judgement, "signal_price")["deviation_ratio"] == abs(D(mid) - 60_000) / 60_000


@pytest.mark.parametrize(
    ("a_market", "says"),
    [
        (replace(market(), swap=None), "no book or no mark price"),
        (replace(market(), mark_px=None), "no book or no mark price"),
        (market(seen_ms=NOW_MS - 10_001), "the book or the mark price is too old"),
        (replace(market(), mark_seen_ms=NOW_MS - 10_001), "the book or the mark price is too old"),
        (market(mark="58200"), "the mark price is beyond the stop"),
    ],
)
def test_without_a_price_of_now_nothing_is_sized(a_market: Any, says: str) -> None:
    judgement = judged(a_market=a_market)
    assert judgement.fate is Fate.FILTERED and judgement.why == says
    assert "signal_size" not in {each.guard for each in judgement.verdicts}


@pytest.mark.parametrize(
    ("wished", "limit", "venue", "granted"),
    [
        ("25", "3", "100", "3"),
        ("2.567", "3", "100", "2.56"),
        ("0.4", "3", "100", "1"),
        ("5", "2", "100", "2"),
        ("5", "3", "1.5", "1.5"),
    ],
)
def test_leverage_is_the_least_of_wish_limit_and_venue(
    wished: str, limit: str, venue: str, granted: str
) -> None:
    grant = judged(
        signal(wished_leverage=D(wished)),
        a_market=market(pair=with_swap(max_leverage=D(venue))),
        some_rules=rules(max_leverage=D(limit)),
    ).grant
    assert grant is not None
    assert (grant.leverage_wished, grant.leverage_granted) == (D(wished), D(granted))
    assert abs(grant.margin * grant.leverage_granted - grant.base * grant.entry_px) < D("1e-20")


def plan_at(ratio: str) -> ExitPlan:
    return ExitPlan("tried", Stop((Distance(ratio=D(ratio)),)))


def test_leverage_gives_way_to_a_stop_that_would_lie_behind_the_liquidation() -> None:
    grant = judged(signal(plan=plan_at("0.4"), wished_leverage=D(3))).grant
    assert grant is not None and grant.leverage_granted == 2  # 0.8 / 0.4
    refused = judged(signal(plan=plan_at("0.9")))
    assert refused.why == "the stop lies behind the liquidation"


def test_a_stop_by_margin_is_the_one_of_the_leverage_that_was_granted() -> None:
    plan = ExitPlan("tried", Stop(margin_over_leverage=D("0.3")))
    grant = judged(signal(plan=plan, wished_leverage=D(25))).grant
    assert grant is not None and grant.leverage_granted == 3
    assert grant.stop_px == grant.entry_px * D("0.9")


def test_the_factor_rules_of_a_plan_are_applied_once() -> None:
    ruled = replace(
        PLAN, rules=(FactorRule("trend", D("0.6"), D(2)), FactorRule("strength", D("0.7"), D("0.5")))
    )
    grant = judged(signal(plan=ruled, evidence=(("trend", D("0.7")), ("word", "up")))).grant
    assert grant is not None and grant.plan.rules == ()
    assert grant.stop_px == grant.entry_px * D("0.97")  # 3 % x 2 x 0.5
    unmeasured = judged(signal(plan=ruled))
    assert unmeasured.why == "the plan has no stop here"
    assert "trend not measured" in figures(unmeasured, "signal_plan")["told"]


# --- presets -------------------------------------------------------------------------------------


def test_a_preset_brings_its_plan_its_wish_and_its_own_ceilings() -> None:
    smart = AuxiliaryModules(exit_preset="smart")
    judgement = judged(signal(measures=Measures(atr=D(600))), some_rules=smart)
    grant = judgement.grant
    assert grant is not None and grant.plan.name == "smart"
    assert (grant.leverage_wished, grant.leverage_granted) == (D(25), D(3))
    assert grant.stop_px == grant.entry_px - 1_200  # 2 ATR
    dtrs = judged(signal(measures=Measures(atr=D(600))), some_rules=AuxiliaryModules(exit_preset="dtrs"))
    assert figures(dtrs, "signal_size")["bound_by"] == "preset_base"  # 50 USDT of margin at 3
    assert dtrs.grant is not None and dtrs.grant.margin <= 50


def test_a_preset_refuses_what_is_too_weak_for_it_and_a_plan_nobody_measured_for() -> None:
    weak = judged(signal(strength=D(74)), some_rules=AuxiliaryModules(exit_preset="ats"))
    assert "signal_strength" in refusals(weak)
    unmeasured = judged(some_rules=AuxiliaryModules(exit_preset="dtrs"))
    assert unmeasured.why == "the plan has no stop here"


def test_a_preset_with_fewer_places_has_fewer() -> None:
    filled = sleeve(held=others(3), returns=unrelated(3))
    conservative = judged(a_sleeve=filled, some_rules=AuxiliaryModules(exit_preset="ats_conservative"))
    assert "sleeve_positions" in refusals(conservative)
    assert "sleeve_positions" not in refusals(judged(a_sleeve=filled))


def test_a_preset_makes_no_limit_laxer() -> None:
    aggressive = judged(some_rules=AuxiliaryModules(exit_preset="vs_aggressive"))  # asks for 15 % of a coin
    assert aggressive.grant is not None
    assert aggressive.grant.base == D("0.0332")
    conservative = judged(some_rules=AuxiliaryModules(exit_preset="vs_conservative"))
    assert conservative.grant is not None and conservative.grant.base == D("0.0166")


# --- size ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "bound", "most"),
    [
        ({"a_signal": signal(plan=plan_at("0.5"))}, "risk_base", "0.0133"),
        ({"some_rules": rules(max_notional=D(600))}, "notional_base", "0.0099"),
        ({"a_market": market(depth="0.05")}, "depth_base", "0.0100"),
        ({"a_market": market(pair=with_swap(max_limit_size=D(1)))}, "order_base", "0.0100"),
        ({"a_signal": signal(most_base=Base(D("0.00123")))}, "asked_base", "0.0012"),
        ({"a_sleeve": sleeve("6000")}, "coin_base", "0.0099"),
    ],
)
def test_the_least_ceiling_decides_the_size_and_is_named(how: Any, bound: str, most: str) -> None:
    judgement = judged(**how)
    assert judgement.grant is not None and judgement.grant.base == D(most)
    assert figures(judgement, "signal_size")["bound_by"] == bound


def test_notional_is_counted_at_the_dearest_price_that_is_known() -> None:
    grant = judged(signal(side=Side.SELL), sleeve("60000")).grant  # a tenth of it is 6 000
    assert grant is not None and (grant.entry_px, grant.base) == (D("59910.0"), D("0.1000"))


def test_capital_that_backs_other_positions_backs_no_new_one() -> None:
    tied = replace(others(1)[0], margin=Usdt(D(19_900)))
    judgement = judged(a_sleeve=sleeve(held=(tied,), returns=unrelated(1)))
    assert judgement.grant is not None and judgement.grant.margin <= 100
    assert figures(judgement, "signal_size")["bound_by"] == "margin_base"


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"a_sleeve": sleeve("50")}, "less than the venue's smallest order is left"),
        ({"a_sleeve": sleeve("0")}, ""),
        ({"a_market": market(pair=with_swap(min_size=D(5)))}, "less than the venue's smallest order is left"),
        ({"some_rules": rules(min_notional=D(3_000))}, "smaller than what is worth an order"),
        ({"a_market": market(half_spread_bps="20")}, "less than the venue's smallest order is left"),
    ],
)
def test_what_is_too_small_is_not_entered(how: Any, says: str) -> None:
    judgement = judged(**how)
    assert judgement.grant is None and judgement.fate in (Fate.FILTERED, Fate.CIRCUIT_BREAK)
    assert not says or judgement.why == says


def test_a_sleeve_or_a_position_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="allowed: numbers"):
        SleeveView(Usdt(D("NaN")))
    with pytest.raises(ValueError, match="mark_px of a position is 0, allowed: above 0"):
        held(mark_px=D(0))
