from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.context import MarketView, StreamHealth, VenueHealth
from core.types import MaintenanceWindow
from risk.exchange_guard import ExchangeGuard
from tests.risk.scenes import NOW, SETTINGS, D, market, opening, scene, venue

GUARD = ExchangeGuard(SETTINGS.risk.exchange)
MINUTE = 60_000


def test_a_venue_that_is_heard_and_answers_is_up() -> None:
    assert GUARD.check(scene(plan=opening())).ok
    assert GUARD.check(scene()).ok


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"streams": {}}, "no stream has reported yet"),
        ({"streams": {"public": StreamHealth(False, NOW)}}, "a stream is down"),
        ({"errors_1m": 5}, "too many requests without an answer"),
        ({"rejects_1m": 3}, "too many refused orders"),
        ({"latency_ms": D(501)}, "the venue answers too slowly"),
        ({"clock_offset_ms": 1001}, "clocks are too far apart"),
        ({"clock_offset_ms": -1001}, "clocks are too far apart"),
    ],
)
def test_each_sign_of_trouble_refuses(changed: dict[str, Any], reason: str) -> None:
    verdict = GUARD.check(scene(plan=opening(), venue=venue(**changed)))
    assert not verdict.ok
    assert verdict.reason == reason


def test_a_little_of_everything_is_still_up() -> None:
    little = venue(errors_1m=4, rejects_1m=2, latency_ms=D(500), clock_offset_ms=-1000)
    assert GUARD.check(scene(plan=opening(), venue=little)).ok


@pytest.mark.parametrize(
    ("begin", "end", "state", "ok"),
    [
        (31, 90, "scheduled", True),
        (30, 90, "scheduled", False),
        (-10, 50, "ongoing", False),
        (-50, 0, "ongoing", True),
        (-10, 50, "completed", True),
        (10, 50, "canceled", True),
    ],
)
def test_maintenance_refuses_from_its_lead_time_to_its_end(
    begin: int, end: int, state: str, ok: bool
) -> None:
    window = MaintenanceWindow("upgrade", NOW + begin * MINUTE, NOW + end * MINUTE, state)
    assert GUARD.check(scene(plan=opening(), venue=venue(maintenance=(window,)))).ok is ok


def test_an_order_of_unknown_outcome_refuses() -> None:
    assert not GUARD.check(scene(unresolved_orders=1)).ok


def check(view: MarketView) -> Any:
    return GUARD.check(scene(plan=opening(), markets={"BTC-USDT": view}))


def test_each_part_of_the_planned_market_must_be_fresh() -> None:
    view = market()
    assert view.spot is not None and view.swap is not None
    old = NOW - 10_001
    assert not check(replace(view, mark_seen_ms=old)).ok
    assert not check(replace(view, spot=replace(view.spot, seen_ms=old))).ok
    assert not check(replace(view, swap=replace(view.swap, seen_ms=old))).ok
    assert not check(replace(view, swap=None)).ok
    assert check(replace(view, mark_seen_ms=NOW - 10_000)).ok


def test_only_the_planned_pair_is_asked_for_its_age() -> None:
    stale = replace(market("ETH-USDT", "4000"), mark_seen_ms=0)
    ctx = scene(plan=opening(), markets={"BTC-USDT": market(), "ETH-USDT": stale})
    assert GUARD.check(ctx).ok


def test_a_suspended_or_leaving_pair_refuses() -> None:
    view = market()
    for leg in ("spot", "swap"):
        spec = getattr(view.pair, leg)
        suspended = replace(view.pair, **{leg: replace(spec, state="suspend")})
        leaving = replace(view.pair, **{leg: replace(spec, exp_time_ms=NOW + 10**10)})
        assert check(replace(view, pair=suspended)).reason == "the planned pair is not trading"
        assert check(replace(view, pair=leaving)).reason == "the planned pair is about to be delisted"


def test_a_plan_for_a_pair_nobody_knows_refuses() -> None:
    assert not GUARD.check(scene(plan=opening(name="DOGE-USDT"))).ok


def test_a_venue_never_heard_of_is_not_up() -> None:
    assert not GUARD.check(scene(plan=opening(), venue=VenueHealth())).ok
