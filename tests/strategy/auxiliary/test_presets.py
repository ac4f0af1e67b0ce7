"""The reference systems' worked numbers, and one position of each through its whole life."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from core.types import HOUR_MS, Side, Usdt
from strategy.auxiliary.exit_plan import Levels, Measures, adjusted
from strategy.auxiliary.presets import PRESETS, Preset, ats, dtrs, smart
from tests.strategy.auxiliary.exit_scenes import LONG, SHORT, Walk, figure, said

DTRS, ATS, SMART = PRESETS["dtrs"], PRESETS["ats"], PRESETS["smart"]
CALM = {"strength": D("0.7"), "trend": D("0.6"), "liquidity": D("0.6"), "volatility": D("3.0")}


def levels(
    preset: Preset,
    side: Side = LONG,
    entry: str = "100",
    measures: Measures | None = None,
    leverage: str = "1",
) -> Levels:
    return preset.plan.levels(side, D(entry), measures or Measures(), D(leverage))


def prices(told: Levels) -> list[D]:
    return [told.stop_px, *(target.px for target in told.targets)]


def size(preset: Preset, capital: str, entry: str, stop: str, leverage: str) -> D:
    base, _ = preset.wished_size(Usdt(D(capital)), D(entry), D(stop), D(leverage))
    return D(base)


# --- DTRS -------------------------------------------------------------------------------------


def test_dtrs_12_13_14_distances_are_multiples_of_the_atr() -> None:
    measured = Measures(atr=D(400))
    assert prices(levels(DTRS, LONG, "60000", measured)) == [59_400, D("60247.2"), D("60647.2")]
    assert prices(levels(DTRS, SHORT, "60000", measured)) == [60_600, D("59752.8"), D("59352.8")]
    assert prices(levels(dtrs(D("2.5"), "4H"), LONG, "60000", measured))[0] == 59_000
    assert dtrs(frame="1D").plan.frame == "1D"


def test_dtrs_25_26_27_forty_percent_at_the_first_target_then_the_rest() -> None:
    walk = Walk(DTRS.plan, px="60000", base="1", lot="0.01", measured=Measures(atr=D(400)))
    assert said(walk.mark("60647.1", 10)) == ("close", "target", "0.4", "0.6")
    assert walk.progress.stop_px == D("60247.2")
    assert said(walk.mark("60647.2", 13)) == ("close", "target", "0.6", "0")
    stopped = Walk(DTRS.plan, SHORT, px="60000", base="1", lot="0.01", measured=Measures(atr=D(400)))
    assert said(stopped.mark("60599.9", 10)) == ("keep", "hold")
    assert said(stopped.mark("60600", 10)) == ("close", "stop", "1", "0")


def test_dtrs_24_thirty_percent_of_the_margin_is_the_emergency() -> None:
    walk = Walk(DTRS.plan, px="60000", base="1", leverage="3", measured=Measures(atr=D(400)))
    assert walk.entry.margin_lost(D(54_000)) == D("0.3")
    assert said(walk.mark("54000"))[1] == "emergency"


def test_dtrs_22_actions_are_three_seconds_apart() -> None:
    walk = Walk(DTRS.plan, measured=Measures(atr=D(1)))
    walk.mark("100.7", 10)
    assert said(walk.mark("101.7", 12)) == ("keep", "cooldown")
    assert said(walk.mark("101.7", 13))[:2] == ("close", "target")


@pytest.mark.parametrize(("closes", "by"), [([100.0] * 20 + [101.0, 99.0], "ema20"), ([99.0] * 25, "")])
def test_dtrs_28_a_quarter_hour_that_closes_back_across_its_average_ends_the_rest(
    closes: list[float], by: str
) -> None:
    walk = Walk(DTRS.plan, measured=Measures(atr=D(3)))
    action = walk.bar(*closes)
    assert said(action) == (("close", "trail", "10", "0") if by else ("keep", "hold"))
    assert not by or figure(action, "trail") == by


def test_dtrs_28_both_averages_are_of_quarter_hours_and_wait_for_no_target() -> None:
    trails = [(trail.by.value, trail.frame, trail.after_targets) for trail in DTRS.plan.trails]
    assert trails == [("ema20", "15m", 0), ("ma20", "15m", 0)]


def test_dtrs_37_twenty_positions_of_fifty_usdt_and_tenfold_leverage_wished() -> None:
    assert (DTRS.max_positions, DTRS.margin_usdt, DTRS.wished_leverage) == (20, 50, 10)
    assert DTRS.plan.emergency_ratio == D("0.30")
    assert DTRS.leverage_for(D(100)) == DTRS.stated_leverage_for(D(0)) == 10
    assert size(DTRS, "10000", "50000", "49000", "10") == D("0.01")
    assert size(DTRS, "10000", "50000", "49000", "3") == D("0.003")


# --- ATS --------------------------------------------------------------------------------------


def test_ats_11_two_four_and_eight_percent() -> None:
    assert prices(levels(ATS)) == [98, 104, 108]
    assert prices(levels(ATS, SHORT)) == [102, 96, 92]


def test_ats_11_12_half_at_the_first_target_with_the_stop_to_the_entry_and_half_at_the_second() -> None:
    plan = adjusted(ATS.plan, CALM)
    walk, back = Walk(plan), Walk(plan, SHORT)
    assert said(walk.mark("104", 10)) == ("close", "target", "5", "5")
    assert (walk.progress.stop_px, walk.progress.broke_even) == (100, True)
    assert said(walk.mark("108", 15)) == ("close", "target", "5", "0")
    back.mark("96", 10)
    assert said(back.mark("100", 11)) == ("close", "stop", "5", "0")


@pytest.mark.parametrize(
    ("above", "stop", "first", "second"),
    [
        ({}, "2", "4", "8"),
        ({"strength": "0.71"}, "1.6", "5.2", "10.4"),  # ATS-13
        ({"trend": "0.61"}, "2", "4.8", "9.6"),  # ATS-14
        ({"liquidity": "0.61"}, "1.8", "4", "8"),  # ATS-15
        ({"volatility": "3.1"}, "3", "4", "8"),  # ATS-16
        ({"strength": "0.8", "trend": "0.7"}, "1.6", "6.24", "12.48"),
        ({"strength": "1", "trend": "1", "liquidity": "1", "volatility": "9"}, "2.16", "6.24", "12.48"),
    ],
)
def test_ats_13_to_16_factors_stretch_the_plan(
    above: dict[str, str], stop: str, first: str, second: str
) -> None:
    factors = {**CALM, **{name: D(value) for name, value in above.items()}}
    stretched = replace(ATS, plan=adjusted(ATS.plan, factors))
    assert prices(levels(stretched)) == [100 - D(stop), 100 + D(first), 100 + D(second)]
    assert prices(levels(stretched, SHORT)) == [100 + D(stop), 100 - D(first), 100 - D(second)]


def test_ats_20_the_size_is_the_risk_budget_over_the_distance_to_the_stop() -> None:
    base, figures = ATS.wished_size(Usdt(D(5_000)), D(100), D(98), D(3))
    assert base == 50  # 2 % of 5000 is 100 USDT, 2 of them for every coin
    assert figures == (("risk_base", D(50)), ("notional_base", D(100)), ("bound_by", "risk_base"))
    assert size(ATS, "50000", "100", "98", "3") == 100  # ATS-32: no more than 10 000 USDT


@pytest.mark.parametrize(
    ("strength", "stated", "mapped"),
    [("0", "2", "1"), ("75", "2", "1"), ("87.5", "3.5", "2"), ("95", "4.4", "2.6"), ("100", "5", "3")],
)
def test_ats_21_leverage_by_strength_is_mapped_between_one_and_three(
    strength: str, stated: str, mapped: str
) -> None:
    """C2: what the system states is written down beside it."""
    assert ATS.stated_leverage_for(D(strength)) == D(stated)
    assert ATS.leverage_for(D(strength)) == D(mapped)


def test_ats_22_signals_below_75_are_not_wanted_and_the_conservative_one_wants_80() -> None:
    careful = PRESETS["ats_conservative"]
    assert (ATS.least_strength, careful.least_strength) == (75, 80)
    assert (ATS.max_positions, ATS.notional_usdt, ATS.daily_loss_usdt) == (5, 10_000, 2_000)
    assert (careful.max_positions, careful.notional_usdt, careful.daily_loss_usdt) == (3, 5_000, 1_000)
    assert careful.leverage_for(D(80)) == 1
    assert replace(careful.plan, name="ats") == ats().plan


# --- SMART ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("atr", "leverage", "stop_percent"),
    [
        ("2", "1", "4"),  # 2 ATR of 2 %, against 80 %
        ("2", "3", "4"),
        ("2", "25", "3.2"),  # 0.8 / 25
        ("0.5", "25", "1"),
        ("15", "1", "30"),
        ("15", "2", "30"),
        ("30", "2", "40"),  # 0.8 / 2
    ],
)
def test_smart_6_the_stop_is_the_nearer_of_the_margin_and_two_atr(
    atr: str, leverage: str, stop_percent: str
) -> None:
    for side, sign in ((LONG, 1), (SHORT, -1)):
        told = levels(SMART, side, "100", Measures(atr=D(atr)), leverage)
        assert told.stop_px == 100 - sign * D(stop_percent)


@pytest.mark.parametrize("times", ["0.9", "3.1"])
def test_smart_6_the_multiple_of_the_atr_lies_between_one_and_three(times: str) -> None:
    assert smart(D(3)).plan.levels(LONG, D(100), Measures(atr=D(1)), D(1)).stop_px == 97
    with pytest.raises(ValueError, match=f"stop_atr is {times}, allowed: 1 to 3"):
        smart(D(times))


@pytest.mark.parametrize(
    ("leverage", "stop", "usdt"), [("1", "96", "5000"), ("3", "96", "5000"), ("25", "96.8", "6250")]
)
def test_smart_5_the_size_is_two_percent_of_the_wallet_over_the_risk_of_the_price(
    leverage: str, stop: str, usdt: str
) -> None:
    """C1: the formula takes the leverage as it is given; 25 only ever in a what-if of the backtest."""
    told = levels(SMART, LONG, "100", Measures(atr=D(2)), leverage)
    assert told.stop_px == D(stop)
    assert size(SMART, "10000", "100", stop, leverage) * 100 == D(usdt)
    assert SMART.wished_leverage == 25


def test_smart_20_a_ladder_of_thirty_thirty_and_forty_by_holding_time() -> None:
    told = levels(SMART, measures=Measures(atr=D(1)))
    assert [(target.px, target.relaxed_px) for target in told.targets] == [
        (D(101), D("100.5")),
        (D(103), D(101)),
        (D(110), D(103)),
    ]
    walk = Walk(SMART.plan, measured=Measures(atr=D(2)))
    assert said(walk.mark("104", 299)) == ("keep", "hold")
    assert said(walk.mark("100.74", 600)) == ("keep", "hold")
    assert said(walk.mark("100.75", 600)) == ("close", "target", "3", "7")
    assert said(walk.mark("103", 899)) == ("keep", "hold")
    assert said(walk.mark("102", 900 + 1_350)) == ("close", "target", "3", "4")  # half of 15 to 60 min
    assert said(walk.mark("106.49", 9_000)) == ("keep", "hold")
    assert said(walk.mark("106.5", 9_000)) == ("close", "target", "4", "0")  # half of 1 to 4 h


def test_smart_20_a_price_far_above_takes_every_rung_whose_time_has_come() -> None:
    walk = Walk(SMART.plan, SHORT, measured=Measures(atr=D(2)))
    assert said(walk.mark("95", 1_000)) == ("close", "target", "6", "4")


def test_smart_21_stops_by_support_and_by_time() -> None:
    held_up = Measures(D(2), support=D("98.5"))
    assert levels(SMART, measures=held_up).stop_px == D("98.5")
    walk = Walk(SMART.plan, measured=held_up)
    assert said(walk.sweep(4 * 3_600 - 1)) == ("keep", "hold")
    assert said(walk.sweep(4 * 3_600)) == ("close", "time", "10", "0")
    assert SMART.plan.max_hold_ms == 4 * HOUR_MS


# --- VS ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "percents", "share"),
    [
        ("vs", ["3", "5", "10"], "0.1"),
        ("vs_conservative", ["2", "3", "6"], "0.05"),
        ("vs_aggressive", ["5", "8", "16"], "0.15"),
        ("vs_trailing", ["3", "5"], "0.1"),
    ],
)
def test_vs_15_16_stops_targets_and_shares(name: str, percents: list[str], share: str) -> None:
    preset = PRESETS[name]
    stop, *targets = map(D, percents)
    assert prices(levels(preset)) == [100 - stop, *(100 + target for target in targets)]
    assert prices(levels(preset, SHORT)) == [100 + stop, *(100 - target for target in targets)]
    assert (preset.share_ratio, preset.total_ratio) == (D(share), D("0.5"))
    assert size(preset, "10000", "100", str(100 - stop), "1") == 100 * D(share)


def test_vs_15_half_at_five_percent_and_the_rest_at_ten() -> None:
    walk = Walk(PRESETS["vs"].plan)
    assert said(walk.mark("105", 10)) == ("close", "target", "5", "5")
    assert walk.progress.stop_px == 97
    assert said(walk.mark("110", 20)) == ("close", "target", "5", "0")


def test_vs_17_the_rest_trails_three_percent_behind_its_best_mark() -> None:
    walk = Walk(PRESETS["vs_trailing"].plan)
    assert said(walk.mark("105", 10)) == ("close", "target", "5", "5")
    assert said(walk.mark("120", 20)) == ("move", "trail", "116.4")
    assert said(walk.mark("116.4", 30)) == ("close", "stop", "5", "0")


# --- all --------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_every_preset_has_its_own_name_ends_by_itself_and_says_what_it_was_given(preset: Preset) -> None:
    assert preset.plan.name == preset.name == next(n for n, p in PRESETS.items() if p is preset)
    assert preset.about and preset.ours and all(sentence.endswith(".") for sentence in preset.ours)
    walk = Walk(preset.plan, measured=Measures(atr=D(1)))
    end_s = preset.plan.max_hold_ms // 1_000
    assert said(walk.sweep(end_s)) == ("close", "time", "10", "0")


@pytest.mark.parametrize(
    ("entry", "stop", "leverage"),
    [("100", "100", "1"), ("0", "1", "1"), ("100", "0", "1"), ("100", "98", "0")],
)
def test_there_is_no_size_without_a_distance_to_the_stop(entry: str, stop: str, leverage: str) -> None:
    with pytest.raises(ValueError, match="no size for an entry"):
        size(ATS, "1000", entry, stop, leverage)


def test_a_preset_that_says_nothing_of_size_is_refused() -> None:
    with pytest.raises(ValueError, match="vs: nothing says how large"):
        replace(PRESETS["vs"], share_ratio=None)
