"""`journal replay`: the books at a time, and recorded decisions judged again with other limits."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from config.loader import load
from config.schema import Settings
from core.errors import UsageError
from core.facts import Kind, Row
from main import main
from scripts.counterfactual import LIMITS, SETTINGS, Counterfactual, Difference, value_at
from scripts.replay import changed_settings
from tests.core.test_replay import OPENING, told, written

D = Decimal
CONFIG = Path(__file__).resolve().parents[2] / "config"


def verdict(guard: str, ok: bool, instrument: str | None = None, **figures: object) -> dict[str, Any]:
    shown = [[name, value] for name, value in figures.items()]
    return {"guard": guard, "ok": ok, "reason": "", "figures": shown, "instrument": instrument}


def asked(name: str, carry: str, calm: str = "0.01") -> list[dict[str, Any]]:
    """What a scan asks about an instrument nobody holds, as the journal has it."""
    return [
        verdict("calm", D(calm) <= D("0.03"), name, hourly_range_ratio=calm),
        verdict("net_carry", D(carry) >= 0, name, net_carry_bps=carry),
    ]


def guards(*refusing: str, **figures: dict[str, object]) -> list[dict[str, Any]]:
    return [verdict(g, g not in refusing, None, **figures.get(g, {})) for g in OPENING]


def scan(*verdicts: dict[str, Any], src: str = "IDLE", dst: str = "IDLE") -> Row:
    body = {"on": "scan", "src": src, "dst": dst, "moved": src != dst, "verdicts": list(verdicts)}
    return Row(7, Kind.DECISION, 0, {**body, "targets": [], "reason": "", "instrument": None}, "")


def judged(row: Row, *changes: str) -> Difference | None:
    kept = load(CONFIG)
    return Counterfactual(kept, changed_settings(kept, changes)).judge(row)


OPENED = scan(*asked("BTC-USDT", "105"), *asked("ETH-USDT", "98"), *guards(), dst="OPENING")


def test_an_opening_that_another_limit_refuses_would_not_have_been() -> None:
    found = judged(OPENED, "strategy.opening.min_net_carry_bps=200")
    assert found is not None and found.told
    assert (found.was, found.would) == ("OPENING", "stayed")
    assert {(t.guard, t.instrument, t.ok) for t in found.turned} == {
        ("net_carry", "BTC-USDT", False),
        ("net_carry", "ETH-USDT", False),
    }


def test_the_second_best_does_not_matter() -> None:
    assert judged(OPENED, "strategy.opening.min_net_carry_bps=100") is None


def test_an_opening_of_another_coin_cannot_be_told_and_says_why() -> None:
    calm = scan(*asked("BTC-USDT", "105", "0.02"), *asked("ETH-USDT", "98"), *guards(), dst="OPENING")
    found = judged(calm, "strategy.regime.max_hourly_range_ratio=0.015")
    assert found is not None and not found.told
    assert found.would == (
        "cannot be told: ETH-USDT would be opened, which the guards of an opening were not asked about"
    )


def test_a_refusal_that_another_limit_lifts_would_have_opened() -> None:
    figures = {"margin_ratio_after": "0.78", "venue_mgn_ratio": "20"}
    row = scan(*asked("BTC-USDT", "105"), *guards("margin_ok", margin_ok=figures))
    kept = load(CONFIG)
    lower = changed_settings(kept, ["risk.margin.open_above=0.75", "risk.margin.rebalance_below=0.7"])
    found = Counterfactual(kept, lower).judge(row)
    assert found is not None and (found.was, found.would, found.told) == ("stayed", "OPENING", True)


def test_a_refusal_with_a_second_reason_stays_one() -> None:
    figures = {"margin_ratio_after": "0.78", "venue_mgn_ratio": "2"}
    row = scan(*asked("BTC-USDT", "105"), *guards("margin_ok", margin_ok=figures))
    assert judged(row, "risk.margin.open_above=0.75", "risk.margin.rebalance_below=0.7") is None


def test_a_refusal_that_no_figure_explains_stays_one() -> None:
    row = scan(*asked("BTC-USDT", "105"), *guards("margin_ok"))  # a stale snapshot: no figures at all
    assert judged(row, "risk.margin.open_above=0.9") is None


def adjusted(*wanted: list[str]) -> Row:
    due = verdict("adjustment_due", True)
    due["figures"] = list(wanted)
    upkeep = verdict("margin_upkeep", False, None, margin_ratio="0.75")
    return scan(upkeep, due, verdict("may_act", True), src="RUNNING", dst="REBALANCING")


def test_a_top_up_that_a_lower_floor_does_not_ask_for_would_not_have_been() -> None:
    found = judged(adjusted(["top_up", "margin ratio is too low"]), "risk.margin.rebalance_below=0.7")
    assert found is not None
    # The next row, an opening, was not reached by the recorded decision: nobody asked its guards.
    assert not found.told and found.would == "cannot be told: carry_pays was not asked"


def test_an_exit_goes_on_without_the_top_up() -> None:
    row = adjusted(["top_up", "margin ratio is too low"], ["exit", "no longer pays"])
    assert judged(row, "risk.margin.rebalance_below=0.7") is None


def test_a_top_up_that_a_higher_floor_asks_for_would_have_been() -> None:
    due = verdict("adjustment_due", False)
    upkeep = verdict("margin_upkeep", True, None, margin_ratio="0.82")
    rest = (verdict("may_act", True), *asked("ETH-USDT", "-5"), *guards("carry_pays"))
    found = judged(
        scan(upkeep, due, *rest, src="RUNNING", dst="RUNNING"),
        "risk.margin.rebalance_below=0.9",
        "risk.margin.open_above=0.9",
    )
    assert found is not None and (found.was, found.would, found.told) == ("stayed", "REBALANCING", True)


def test_every_limit_is_a_setting_with_bounds() -> None:
    settings = Settings()
    assert all(value_at(settings, limit.setting) is not None for limit in LIMITS)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("risk.margin.rebalance_below", "NAME=VALUE is needed"),
        ("risk.margin.emergency_below=0.4", "with one of the names"),
        ("risk.margin.rebalance_below=low", "a number is allowed, like 0.8"),
        ("risk.margin.rebalance_below=0.4", "need emergency_below < rebalance_below"),
        ("risk.exchange.max_latency_ms=0", "greater than 0"),
    ],
)
def test_a_change_that_is_not_allowed_says_what_is(change: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        changed_settings(Settings(), [change])


@pytest.mark.parametrize("name", SETTINGS)
def test_every_name_can_be_set_to_what_it_is(name: str) -> None:
    settings = Settings()
    assert changed_settings(settings, [f"{name}={value_at(settings, name)}"]) == settings


async def test_the_command_proves_shows_and_asks_what_if(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await written(tmp_path, told())

    def run(*arguments: str) -> tuple[int, str]:
        code = main(["journal", "replay", "--data", str(tmp_path), "--config", str(CONFIG), *arguments])
        return code, capsys.readouterr().out

    code, said = run()
    assert code == 0 and "every prefix is a legal state" in said and "met 11 times" in said
    code, said = run("--set", "risk.margin.rebalance_below=0.7", "--json")
    found = json.loads(said)
    assert code == 0 and found["ok"] and found["status"]["state"] == "RUNNING"
    assert found["what_if"]["decisions_judged"] == 0
    assert not found["what_if"]["settings_are_the_journals"]
    assert found["what_if"]["not_recomputed"]


async def test_a_journal_that_was_changed_is_no_proof(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = await written(tmp_path, told())
    data = path.read_bytes()
    path.write_bytes(data.replace(b'"on":"opened"', b'"on":"halt  "', 1))
    code = main(["journal", "replay", "--data", str(tmp_path), "--config", str(CONFIG)])
    assert code == 1 and "THE REPLAY DOES NOT HOLD" in capsys.readouterr().out
