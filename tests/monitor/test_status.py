import json
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from core.context import BreakerView, Permission, PermissionView
from core.events import On, Plan, State
from monitor.health_check import Condition
from monitor.status import Status, Totals, build_status, runtime_state, write_runtime_state
from tests.monitor import samples
from tests.monitor.samples import HOUR_MS, NOW_MS


def status(**changes: object) -> Status:
    return build_status(samples.context(**changes), "demo", samples.TOTALS, samples.DECISIONS)


def test_a_hedge_line_repeats_the_books() -> None:
    line = status().hedges[0]
    assert (line.instrument, line.spot_base, line.contracts) == ("BTC-USDT", D("0.4"), D(40))
    assert line.pnl == D("43.21") - D("3.5") - D("18.02") - D("1.1")
    assert line.notional == D(26_000)
    assert line.margin_ratio == D(38_000) / D(38_760)


def test_a_hedge_without_a_mark_price_has_no_notional() -> None:
    assert [h.notional for h in status(markets={}).hedges] == [None, None]


def test_an_empty_hedge_is_not_shown() -> None:
    assert [h.instrument for h in status(hedges={"BTC-USDT": samples.hedge("BTC", "0")}).hedges] == []


def test_unrealised_pnl_is_the_sum_over_the_hedges() -> None:
    s = status()
    assert s.unrealised_pnl == sum(h.pnl for h in s.hedges)


def test_yesterdays_result_is_not_todays() -> None:
    yesterday = BreakerView(day="2026-03-11", day_pnl=D(-77), rounds_today=4, losing_rounds=2)
    s = status(breaker=yesterday)
    assert (s.day_pnl, s.rounds_today, s.losing_rounds) == (D(0), 0, 2)
    assert status().day_pnl == D("14.2")


def test_the_next_settlement_tells_what_the_hedge_would_get() -> None:
    lines = {line.instrument: line for line in status().settlements}
    assert lines["BTC-USDT"].at_ms == NOW_MS + 8 * HOUR_MS - 300_000
    assert lines["BTC-USDT"].expected == D("0.4") * 65_000 * D("0.000125")
    assert lines["SOL-USDT"].expected is None


def test_a_settlement_that_has_passed_is_not_the_next() -> None:
    market = samples.market("BTC", "65000", "0.0001")
    assert market.funding is not None
    passed = replace(market, funding=replace(market.funding, funding_time_ms=NOW_MS - 1))
    assert status(markets={"BTC-USDT": passed}).settlements == ()


def test_a_candidate_shows_the_first_refusal_and_a_payer_none() -> None:
    lines = {line.instrument: line for line in status().candidates}
    sol, xrp = lines["SOL-USDT"], lines["XRP-USDT"]
    assert sol.refusal is not None
    assert sol.refusal.guard == "net_carry"
    assert sol.rate == D("0.0003")
    assert xrp.refusal is None
    assert xrp.rate is None  # judged, but its market is not followed


def test_without_a_plan_the_latest_scan_speaks_for_the_candidates() -> None:
    assert status(plan=Plan()).candidates == status().candidates
    quiet = build_status(samples.context(plan=Plan()), "demo", Totals())
    assert quiet.candidates == ()


def test_decisions_are_newest_first_with_their_refusals() -> None:
    lines = status().decisions
    assert [line.on for line in lines] == [On.SCAN, On.REVIEW, On.SETTLE, On.OPENED, On.SCAN]
    assert [v.guard for v in lines[0].refused] == ["net_carry", "basis", "band", "no_position"]
    assert (lines[-1].src, lines[-1].dst, lines[-1].targets) == (State.RUNNING, State.OPENING, 1)


def test_permission_and_streams_are_carried_over() -> None:
    s = status(permission=PermissionView(Permission.REDUCE_ONLY, "deadline", NOW_MS - 1))
    assert (s.permission, s.permission_reason, s.permission_since_ms) == (
        "REDUCE_ONLY",
        "deadline",
        NOW_MS - 1,
    )
    assert [(x.name, x.age_ms, x.reconnects) for x in s.streams] == [
        ("business", 2_400, 0),
        ("private", 1_000, 1),
        ("public", 150, 0),
    ]


def test_runtime_state_is_json_with_decimals_as_text(tmp_path: Path) -> None:
    warning = Condition("latency", "warning", NOW_MS, "slow")
    s = build_status(samples.context(), "demo", samples.TOTALS, samples.DECISIONS, [warning])
    path = tmp_path / "runtime_state.json"
    path.write_text("old")
    write_runtime_state(s, path)
    read = json.loads(path.read_text("utf-8"))
    assert read == runtime_state(s)
    assert read["now"] == "2026-03-12 08:05:00Z"
    assert (read["state"], read["permission"], read["equity"]) == ("RUNNING", "FULL", "100212.44")
    assert read["hedges"][0]["spot_base"] == "0.4"
    assert read["candidates"][0]["refusal"]["guard"] == "net_carry"
    assert read["warnings"][0]["text"] == "slow"
    assert [p.name for p in tmp_path.iterdir()] == ["runtime_state.json"]


def test_a_folder_that_is_gone_is_an_error_not_a_silence(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="gone"):
        write_runtime_state(status(), tmp_path / "gone" / "runtime_state.json")
