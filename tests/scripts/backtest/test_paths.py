"""The fast path leaps over what cannot change anything: it decides and books what the full one does."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.context import BreakerView, Context, Permission, PermissionView, VenueHealth
from core.events import Decision, On, State
from core.facts import Kind, Row
from risk.circuit_breaker import DAILY_LOSS, LOSING_STREAK
from scripts.backtest.agreement import differences
from scripts.backtest.operator import Operator
from scripts.commands import Command, Verb
from tests.exchange.tapes import HOUR_MS
from tests.scripts.backtest.both_ways import configured, told_differently
from tests.scripts.backtest.odd_tapes import Oddity, odd_tape

D = Decimal
EAGER = {
    "strategy.forecast": {"half_life_hours": D(8), "horizon_hours": D(72), "min_settlements": 2},
    "strategy.exit": {"min_hold_hours": D(0), "cooldown_hours": D(1)},
}
ODDITIES = st.builds(
    Oddity,
    hours=st.just(8),
    sigma=st.sampled_from((0.0005, 0.004)),
    shock=st.sampled_from((0.0, 0.1)),
    drift=st.sampled_from((-0.3, 0.0, 0.3)),
    break_=st.sampled_from((0.0, 0.02)),
    wick=st.sampled_from((0.0, 0.05)),
    rate=st.sampled_from((-0.0003, 0.0002, 0.001)),
    swing=st.sampled_from((0.0001, 0.002)),
    interval_h=st.sampled_from(((8, 8), (4, 1), (1, 4))),
    hole=st.sampled_from((0, 1, 3)),
)


def disagreement(
    seed: int,
    oddity: Oddity,
    changes: Mapping[str, Mapping[str, Any]],
    must: tuple[str, ...] = (),
    resume_after_ms: int | None = None,
    account: str = "futures",
) -> list[str]:
    names = tuple(f"{coin}-USDT" for coin in oddity.coins)
    with tempfile.TemporaryDirectory() as folder:
        tape = Path(folder) / "tape"
        tape.mkdir()
        odd_tape(tape, seed, oddity)
        configured_as = configured(tape, names, changes)
        return told_differently(Path(folder), tape, names, configured_as, must, resume_after_ms, account)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(seed=st.integers(0, 1_000_000), oddity=ODDITIES, account=st.sampled_from(("futures", "multi")))
def test_both_paths_tell_the_same_of_an_odd_market(seed: int, oddity: Oddity, account: str) -> None:
    assert disagreement(seed, oddity, EAGER, account=account) == []


@pytest.mark.parametrize("drift", [-0.4, 0.5])
def test_where_coins_back_the_swaps_both_paths_move_the_same_money_at_the_same_instants(drift: float) -> None:
    """A fall that fills the account with USDT, and a rise that uses them up until the hedges shrink."""
    moving = Oddity(hours=20, coins=("BTC", "ETH"), drift=drift, sigma=0.001, rate=0.0003)
    lean = {**EAGER, "account": {"spot_ratio": D("0.66"), "futures_ratio": D("0.33")}}
    assert disagreement(5, moving, lean, ("opens", "rebalances"), account="multi") == []


def test_a_losing_round_trips_the_breaker_and_the_operator_comes_on_both_paths_alike() -> None:
    flickering = Oddity(hours=9, coins=("BTC", "ETH"), rate=0.0003, swing=0.002, interval_h=(1, 1))
    hasty = {
        **EAGER,
        "strategy.exit": {**EAGER["strategy.exit"], "mode": "sign"},
        "risk.circuit_breaker": {"losing_rounds": 1},
    }
    assert disagreement(3, flickering, hasty, ("opens", "closes"), HOUR_MS) == []


def a_context(**changed: Any) -> Context:
    quiet = Context(0, State.RUNNING, 0, PermissionView(), {}, None, {}, {}, BreakerView(), VenueHealth())
    return replace(quiet, **changed)


def a_decision() -> Decision:
    return Decision(On.SCAN, State.IDLE, State.IDLE, False, 0, (), ())


@pytest.mark.parametrize(
    ("changed", "due_ms"),
    [
        ({}, None),
        ({"state": State.STOPPED, "state_since_ms": 5}, 105),
        ({"breaker": BreakerView(tripped=LOSING_STREAK, tripped_ms=7)}, 107),
        ({"breaker": BreakerView(tripped=DAILY_LOSS, tripped_ms=7)}, None),
        ({"causes": {"key": PermissionView(Permission.HALTED, "refused", 9, until_operator=True)}}, 109),
        ({"causes": {"basis": PermissionView(Permission.NO_NEW_RISK, "wide", 9)}}, None),
    ],
)
def test_the_operator_comes_for_what_only_he_can_end(changed: dict[str, Any], due_ms: int | None) -> None:
    assert Operator(100).due_ms(a_context(**changed)) == due_ms
    assert Operator(None).due_ms(a_context(**changed)) is None


def test_the_operator_says_it_once_and_again_only_after_the_same_time() -> None:
    operator, heard = Operator(100), list[Command]()
    operator.give = heard.append
    for now_ms in (50, 104, 105, 150, 204, 205):
        ctx = a_context(now_ms=now_ms, state=State.STOPPED, state_since_ms=5)
        operator.on_decision(ctx, a_decision())
    assert [command.verb for command in heard] == [Verb.RESUME, Verb.RESUME]


def row(kind: Kind, at_ms: int, **body: object) -> Row:
    return Row(0, kind, at_ms, body, "")


@pytest.mark.parametrize(
    ("fast", "told"),
    [
        ([row(Kind.FILL, 1, px="1.50", trade_id="7")], 0),
        ([row(Kind.FILL, 1, px="1.51", trade_id="4")], 1),
        ([row(Kind.FILL, 2, px="1.5", trade_id="4")], 1),
        ([], 1),
        ([row(Kind.FILL, 1, px="1.5", trade_id="4"), row(Kind.EQUITY, 3, equity="9")], 1),
        ([row(Kind.FILL, 1, px="1.5", trade_id="4"), row(Kind.EQUITY, 2, equity="9.0")], 0),
    ],
)
def test_a_fact_that_differs_or_is_missing_is_named_and_a_number_of_the_venues_is_not(
    fast: list[Row], told: int
) -> None:
    full = [row(Kind.FILL, 1, px="1.5", trade_id="4"), row(Kind.EQUITY, 2, equity="9")]
    assert len(differences(full, fast)) == told
