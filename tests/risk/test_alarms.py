from __future__ import annotations

from dataclasses import replace

import pytest

from core.context import BreakerView
from core.events import State
from risk import build_alarms
from risk.alarms import DrawdownAlarm, LiquidationAlarm, MarginAlarm
from tests.risk.scenes import NOW, SETTINGS, D, account, hedge, scene, tuned

MARGIN = MarginAlarm(SETTINGS.risk.margin)
LIQUIDATION = LiquidationAlarm(SETTINGS.risk.margin)
DRAWDOWN = DrawdownAlarm(SETTINGS.risk.circuit_breaker)
SHORT = {"BTC-USDT-SWAP": "40"}  # 40000 USDT


@pytest.mark.parametrize(("usdt", "ok"), [("20000", True), ("19999.99", False), ("-5", False)])
def test_below_half_the_notional_is_an_emergency(usdt: str, ok: bool) -> None:
    ctx = scene(account=account(usdt, short=SHORT), hedges={"BTC-USDT": hedge("0.4")})
    assert MARGIN.check(ctx).ok is ok


def test_a_stale_or_missing_snapshot_is_no_reason_to_sell_and_says_so() -> None:
    for alarm in (MARGIN, LIQUIDATION):
        ruin = account("1", short=SHORT, mgn_ratio="1.01", seen_ms=NOW - 30_001)
        verdict = alarm.check(scene(account=ruin))
        assert verdict.ok
        assert verdict.reason == "not judged: account snapshot is stale"
        assert alarm.check(scene(account=None)).ok
        assert not alarm.check(scene(account=replace(ruin, seen_ms=NOW))).ok


def test_without_a_swap_the_margin_cannot_be_short() -> None:
    assert MARGIN.check(scene(account=account("1"))).ok


@pytest.mark.parametrize(("ratio", "ok"), [("1.5", True), ("1.49", False), (None, True)])
def test_the_venues_ratio_near_one_is_an_emergency(ratio: str | None, ok: bool) -> None:
    assert LIQUIDATION.check(scene(account=account(short=SHORT, mgn_ratio=ratio))).ok is ok


def test_a_higher_warning_raises_the_alarm_and_a_lower_one_does_not_delay_it() -> None:
    high = LiquidationAlarm(tuned(risk={"margin": {"venue_ratio_warning": D(10)}}).risk.margin)
    low = LiquidationAlarm(tuned(risk={"margin": {"venue_ratio_warning": D("1.1")}}).risk.margin)
    assert not high.check(scene(account=account(short=SHORT, mgn_ratio="4.9"))).ok
    assert not low.check(scene(account=account(short=SHORT, mgn_ratio="1.49"))).ok


def test_a_fall_from_the_peak_is_an_alarm() -> None:
    peak = BreakerView(peak_equity=D(100_000))
    assert DRAWDOWN.check(scene(breaker=peak, equity=D("95000.01"))).ok
    assert not DRAWDOWN.check(scene(breaker=peak, equity=D(95_000))).ok
    assert not DRAWDOWN.check(scene(breaker=peak, equity=D(-1))).ok


def test_unknown_equity_is_not_judged() -> None:
    assert DRAWDOWN.check(scene(breaker=BreakerView(), equity=D(5))).ok
    assert DRAWDOWN.check(scene(breaker=BreakerView(peak_equity=D(100_000)), equity=D(0))).ok


def test_a_calm_scene_raises_no_alarm_and_all_three_are_built() -> None:
    alarms = build_alarms(SETTINGS.risk)
    ctx = scene(state=State.RUNNING, account=account("80000", short=SHORT, mgn_ratio="50"))
    assert [a.name for a in alarms if a.check(ctx).ok] == ["margin_emergency", "liquidation_near", "drawdown"]
