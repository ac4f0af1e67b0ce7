from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal as D

import pytest

from config.schema import Risk
from core.context import (
    BreakerView,
    Context,
    Permission,
    PermissionView,
    Rounds,
    StreamHealth,
    VenueHealth,
)
from core.types import Base, MaintenanceWindow
from monitor.health_check import Condition, HealthFacts, announce, changes, health
from tests.monitor import samples
from tests.monitor.samples import NOW_MS

LIMITS = Risk()
VENUE = VenueHealth(streams={"public": StreamHealth(True, NOW_MS)})


def conditions(ctx: Context, **facts: object) -> dict[str, Condition]:
    found = health(ctx, HealthFacts(**facts), LIMITS)  # type: ignore[arg-type]
    return {c.name: c for c in found}


def venue(**changes: object) -> Context:
    return samples.context(venue=replace(VENUE, **changes))  # type: ignore[arg-type]


def test_a_healthy_engine_has_no_conditions() -> None:
    assert health(samples.context(), HealthFacts(last_scan_ms=NOW_MS - 1_000), LIMITS) == ()


def test_a_silent_stream_is_down_since_it_was_last_heard() -> None:
    ctx = venue(
        streams={"public": StreamHealth(False, NOW_MS - 64_000), "private": StreamHealth(True, NOW_MS)}
    )
    down = conditions(ctx)["stream_down"]
    assert (down.level, down.since_ms) == ("warning", NOW_MS - 64_000)
    assert "public" in down.text
    assert "private" not in down.text


def test_stale_market_data_is_critical_only_where_something_is_held() -> None:
    old = NOW_MS - LIMITS.exchange.max_market_age_s * 1000 - 1
    markets = dict(samples.context().markets)
    unheld = samples.context(markets={**markets, "SOL-USDT": samples.market("SOL", "142", "0.0001", old)})
    held = samples.context(markets={**markets, "BTC-USDT": samples.market("BTC", "65000", "0.0001", old)})
    assert conditions(unheld)["market_stale"].level == "warning"
    assert conditions(held)["market_stale"].level == "critical"
    assert conditions(held)["market_stale"].since_ms == old


def test_market_data_exactly_at_its_limit_is_fresh() -> None:
    limit = NOW_MS - LIMITS.exchange.max_market_age_s * 1000
    markets = {"SOL-USDT": samples.market("SOL", "142", "0.0001", limit)}
    assert "market_stale" not in conditions(samples.context(markets=markets, hedges={}))


def test_a_market_never_seen_is_stale() -> None:
    never = replace(samples.market("SOL", "142", "0.0001"), spot=None)
    ctx = samples.context(markets={"SOL-USDT": never}, hedges={})
    assert conditions(ctx)["market_stale"].since_ms == ctx.state_since_ms


def test_an_account_never_seen_or_long_not_seen_is_told() -> None:
    assert conditions(samples.context(account=None))["account_unknown"].level == "critical"
    assert conditions(samples.context(account=None, hedges={}))["account_unknown"].level == "warning"
    old = NOW_MS - LIMITS.margin.max_age_s * 1000 - 1
    stale = conditions(samples.context(account=samples.account(old)))["account_stale"]
    assert (stale.level, stale.since_ms) == ("critical", old)


@pytest.mark.parametrize(("usdt", "level"), [("31100", None), ("30900", "warning"), ("19000", "critical")])
def test_margin_is_judged_by_the_guards_own_floors(usdt: str, level: str | None) -> None:
    # notional 0.4 x 65,000 + 4 x 3,190 = 38,760: the floors 0.8 and 0.5 are 31,008 and 19,380
    found = conditions(samples.context(account=samples.account(usdt=usdt))).get("margin_low")
    assert (found.level if found else None) == level


def test_a_leg_that_stands_alone_is_critical_and_dust_is_not() -> None:
    dust = samples.hedge("BTC", "0.4", spot_base=Base(D("0.40009")))
    lot = samples.hedge("BTC", "0.4", spot_base=Base(D("0.4001")))
    assert "unhedged" not in conditions(samples.context(hedges={"BTC-USDT": dust}))
    assert conditions(samples.context(hedges={"BTC-USDT": lot}))["unhedged"].level == "critical"


def test_a_leg_whose_instrument_is_unknown_is_never_called_dust() -> None:
    odd = replace(samples.hedge("BTC", "0.4", spot_base=Base(D("0.40000001"))), instrument="XYZ-USDT")
    assert conditions(samples.context(hedges={"XYZ-USDT": odd}))["unhedged"].level == "critical"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"clock_offset_ms": -1_001}, "clock_offset"),
        ({"latency_ms": D("100.1")}, "latency"),
        ({"latency_ms": D("500.1")}, "latency"),
        ({"rounds": Rounds(drift_ms_day=D(-1_001))}, "clock_drift"),
        ({"errors_1m": 5}, "venue_errors"),
        ({"rejects_1m": 3}, "venue_errors"),
        ({"rate_use_ratio": D("0.8")}, "rate_pressure"),
        ({"maintenance": (MaintenanceWindow("up", NOW_MS + 1_800_000, NOW_MS + 3_600_000, "scheduled"),)},
         "maintenance"),
        ({"maintenance": (MaintenanceWindow("up", NOW_MS - 1, NOW_MS + 1, "ongoing"),)}, "maintenance"),
    ],
)  # fmt: skip
def test_each_trouble_with_the_venue_is_told(changes: Mapping[str, object], name: str) -> None:
    assert name in conditions(venue(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"clock_offset_ms": 1_000},
        {"latency_ms": D("100")},
        {"errors_1m": 4, "rejects_1m": 2},
        {"rounds": Rounds(drift_ms_day=D(1_000))},
        {"rate_use_ratio": D("0.79")},
        {"maintenance": (MaintenanceWindow("up", NOW_MS + 1_800_001, NOW_MS + 3_600_000, "scheduled"),)},
        {"maintenance": (MaintenanceWindow("up", NOW_MS - 2, NOW_MS, "completed"),)},
    ],
)
def test_what_is_inside_its_limit_is_not_told(changes: Mapping[str, object]) -> None:
    assert conditions(venue(**changes)) == {}


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (Permission.FULL, None),
        (Permission.NO_NEW_RISK, "warning"),
        (Permission.REDUCE_ONLY, "critical"),
        (Permission.HALTED, "critical"),
    ],
)
def test_less_than_full_permission_is_a_condition(level: Permission, expected: str | None) -> None:
    ctx = samples.context(permission=PermissionView(level, "because", NOW_MS - 5_000))
    found = conditions(ctx).get("permission")
    assert (found.level if found else None) == expected
    if found:
        assert found.since_ms == NOW_MS - 5_000
        assert "because" in found.text


def test_breaker_and_unknown_outcomes_and_unexplained_books_are_told() -> None:
    ctx = samples.context(
        breaker=BreakerView(tripped="3 losing rounds", tripped_ms=NOW_MS - 9_000),
        unresolved_orders=2,
        unexplained="0.1 BTC too many",
    )
    found = conditions(ctx)
    assert found["breaker"].since_ms == NOW_MS - 9_000
    assert "2 orders" in found["unresolved_orders"].text
    assert found["unexplained"].level == "critical"


def test_the_machinery_is_watched() -> None:
    found = conditions(
        samples.context(),
        journal_lag_ms=2_001,
        last_scan_ms=NOW_MS - 600_001,
        missed_ticks=1,
        channels_down=("dingtalk",),
    )
    assert set(found) == {"journal_lag", "scan_late", "missed_ticks", "channel_down"}
    assert found["journal_lag"].since_ms == NOW_MS - 2_001
    failed = conditions(samples.context(), journal_failed=True, journal_lag_ms=5_000)
    assert set(failed) == {"journal_failed"}
    assert failed["journal_failed"].level == "critical"


def test_the_worst_comes_first() -> None:
    ctx = venue(latency_ms=D(900), streams={"public": StreamHealth(False, NOW_MS)})
    levels = [c.level for c in health(ctx, HealthFacts(journal_failed=True), LIMITS)]
    assert levels == ["critical", "warning", "warning"]


def test_a_condition_keeps_the_time_it_was_first_seen() -> None:
    first = health(venue(latency_ms=D(900)), HealthFacts(), LIMITS)
    later = replace(
        venue(latency_ms=D(900)), now_ms=NOW_MS + 60_000, markets={}, account=samples.account(NOW_MS)
    )
    again = {c.name: c for c in health(later, HealthFacts(), LIMITS, before=first)}
    assert again["latency"].since_ms == NOW_MS


def test_texts_come_in_chinese_too() -> None:
    found = health(samples.context(account=None), HealthFacts(), LIMITS, language="zh")
    assert [c.text for c in found] == ["尚未取得账户数据"]


def condition(name: str, level: str = "warning") -> Condition:
    return Condition(name, level, NOW_MS - 90_000, f"{name} text")  # type: ignore[arg-type]


def test_only_what_began_got_worse_or_ended_is_a_change() -> None:
    before = (condition("stays"), condition("ends"), condition("worsens"), condition("eases", "critical"))
    after = (condition("stays"), condition("worsens", "critical"), condition("eases"), condition("begins"))
    began, ended = changes(before, after)
    assert [c.name for c in began] == ["worsens", "begins"]
    assert [c.name for c in ended] == ["ends"]


class Told:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, Mapping[str, object]]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.calls.append((topic, level, fields))


def test_beginning_and_end_are_announced_once_each() -> None:
    told = Told()
    announce(told, (condition("latency"),), (condition("margin_low", "critical"),), NOW_MS)
    assert told.calls == [
        (
            "trouble",
            "critical",
            {"condition": "margin_low", "what": "margin_low", "detail": "margin_low text"},
        ),
        ("recovered", "info", {"condition": "latency", "what": "latency", "lasted_ms": 90_000}),
    ]


def test_what_the_engine_tells_itself_is_not_announced_again() -> None:
    told = Told()
    announce(told, (condition("breaker"),), (condition("permission"),), NOW_MS)
    assert told.calls == []


@pytest.mark.parametrize(("latency_ms", "level"), [("100.1", "info"), ("500", "info"), ("500.1", "warning")])
def test_slow_answers_are_a_figure_before_they_are_a_warning(latency_ms: str, level: str) -> None:
    assert conditions(venue(latency_ms=D(latency_ms)))["latency"].level == level
