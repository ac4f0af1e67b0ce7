"""Every cause that lowers the permission, at the figures where it begins, and what it never does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.context import Context, MarketView, Permission, Rounds, StreamHealth
from core.ladder import Finding
from core.types import AccountConfig, AccountMode, Balance, MaintenanceWindow, Position
from risk.alarms import build_alarms
from risk.degradation import Degradation
from tests.risk.scenes import NOW, SETTINGS, D, account, book, hedge, market, quote, scene, venue

FULL, NO_NEW_RISK = Permission.FULL, Permission.NO_NEW_RISK
REDUCE_ONLY, HALTED = Permission.REDUCE_ONLY, Permission.HALTED
SWAP = "BTC-USDT-SWAP"
CONFIG = AccountConfig("1", AccountMode.FUTURES, True, frozenset({"trade"}), True, False, False)
HELD = {"hedges": {"BTC-USDT": hedge()}}


def findings(ctx: Context) -> dict[str, Finding]:
    found = Degradation(SETTINGS).judge(ctx)
    assert len({f.cause for f in found}) == len(found)  # one of each cause
    return {finding.cause: finding for finding in found}


def level(ctx: Context, cause: str) -> Permission:
    """The cause's level; every other cause is asserted to be well."""
    found = findings(ctx)
    others = {f.cause: f.level.name for f in found.values() if f.cause != cause and f.level is not FULL}
    assert not others
    return found[cause].level


def with_market(view: MarketView, **changed: Any) -> Context:
    return scene(markets={"BTC-USDT": view, "ETH-USDT": market("ETH-USDT", "4000")}, **{**HELD, **changed})


@pytest.mark.parametrize("held", [{}, HELD])
def test_in_a_calm_scene_every_cause_is_well_and_says_why(held: Mapping[str, Any]) -> None:
    found = findings(scene(**held))
    assert {f.level for f in found.values()} == {FULL}
    assert all(f.reason and not any(c.isdigit() for c in f.reason.replace("3", "")) for f in found.values())


# --- latency, errors, limits ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("latency_ms", "expected"),
    [(101, FULL), (500, FULL), (501, NO_NEW_RISK), (1000, NO_NEW_RISK), (1001, REDUCE_ONLY)],
)
def test_the_latency_ladder(latency_ms: int, expected: Permission) -> None:
    assert level(scene(**HELD, venue=venue(latency_ms=D(latency_ms))), "latency") is expected


def test_slow_answers_never_stop_the_repair_of_a_leg_that_stands_alone() -> None:
    naked = {"BTC-USDT": hedge(spot="0.2", short="0.1")}
    assert level(scene(hedges=naked, venue=venue(latency_ms=D(5000))), "latency") is NO_NEW_RISK


@pytest.mark.fault("RE13")
@pytest.mark.parametrize(
    ("failing_s", "expected", "loud"),
    [(14, FULL, False), (15, NO_NEW_RISK, False), (59, NO_NEW_RISK, False), (60, REDUCE_ONLY, True)],
)
def test_a_venue_that_answers_nothing(failing_s: int, expected: Permission, loud: bool) -> None:
    ctx = scene(venue=venue(failing_since_ms=NOW - failing_s * 1000))
    assert level(ctx, "unreachable") is expected
    assert findings(ctx)["unreachable"].critical is loud


@pytest.mark.parametrize(
    ("changed", "expected"),
    [({"errors_1m": 4}, FULL), ({"errors_1m": 5}, NO_NEW_RISK), ({"rejects_1m": 3}, NO_NEW_RISK)],
)
def test_many_errors_or_rejects(changed: Mapping[str, int], expected: Permission) -> None:
    assert level(scene(venue=venue(**changed)), "errors") is expected


@pytest.mark.fault("RL1", "RL2")
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"rate_use_ratio": D("0.79")}, FULL),
        ({"rate_use_ratio": D("0.8")}, NO_NEW_RISK),
        ({"throttled_1m": 1}, NO_NEW_RISK),
    ],
)
def test_request_limits_that_are_near(changed: Mapping[str, Any], expected: Permission) -> None:
    assert level(scene(venue=venue(**changed)), "rate_limits") is expected


@pytest.mark.fault("RL3")
def test_an_address_the_edge_refuses() -> None:
    assert level(scene(venue=venue(shut_out_until_ms=NOW + 1)), "shut_out") is NO_NEW_RISK
    assert level(scene(venue=venue(shut_out_until_ms=NOW)), "shut_out") is FULL


@pytest.mark.fault("AU3")
def test_a_key_refused_three_times_halts_until_the_operator_has_looked() -> None:
    assert level(scene(venue=venue(key_refusals=2)), "key") is FULL
    ctx = scene(venue=venue(key_refusals=3))
    assert level(ctx, "key") is HALTED
    assert findings(ctx)["key"].until_operator and findings(ctx)["key"].critical


# --- time and maintenance ---------------------------------------------------------------------------


@pytest.mark.fault("AU1")
@pytest.mark.parametrize(
    ("offset_ms", "expected"),
    [(1000, FULL), (-1000, FULL), (1001, NO_NEW_RISK), (-45_000, NO_NEW_RISK)],
)
def test_a_clock_that_is_off_stops_new_risk_and_nothing_else(offset_ms: int, expected: Permission) -> None:
    assert level(scene(**HELD, venue=venue(clock_offset_ms=offset_ms)), "clock") is expected


@pytest.mark.fault("AU2", "AU6")
@pytest.mark.parametrize(("skipped_ms", "expected"), [(59_999, FULL), (60_000, HALTED), (10_800_000, HALTED)])
def test_after_a_suspend_no_order_leaves_before_books_and_venue_were_compared(
    skipped_ms: int, expected: Permission
) -> None:
    ctx = scene(skipped_ms=skipped_ms)
    assert level(ctx, "clock_jump") is expected
    finding = findings(ctx)["clock_jump"]
    assert (finding.recover_ms, finding.until_operator) == (0, False)  # the comparison ends it at once


@pytest.mark.fault("VE1", "VE3")
@pytest.mark.parametrize(
    ("begins_s", "ends_s", "state", "expected"),
    [
        (1801, 3600, "scheduled", FULL),
        (1800, 3600, "scheduled", NO_NEW_RISK),
        (0, 3600, "scheduled", REDUCE_ONLY),
        (60, 3600, "ongoing", REDUCE_ONLY),  # begun early
        (-60, 60, "pre_open", REDUCE_ONLY),  # orders come back step by step
        (-60, 0, "ongoing", FULL),
        (-60, 60, "completed", FULL),
        (60, 3600, "canceled", FULL),
    ],
)
def test_maintenance_by_its_announced_times(
    begins_s: int, ends_s: int, state: str, expected: Permission
) -> None:
    window = MaintenanceWindow("upgrade", NOW + begins_s * 1000, NOW + ends_s * 1000, state)
    assert level(scene(venue=venue(maintenance=(window,))), "maintenance") is expected


# --- old and broken data ----------------------------------------------------------------------------


@pytest.mark.fault("MD1")
@pytest.mark.parametrize(
    ("cause", "old"),
    [
        ("books", {"spot": book("BTC-USDT", D(100_000), D(2), seen_ms=NOW - 75_001)}),
        ("books", {"swap": book(SWAP, D(100_000), D(200), seen_ms=NOW - 75_001)}),
        ("mark_prices", {"mark_seen_ms": NOW - 75_001}),
        ("funding_rates", {"funding": replace(quote(), seen_ms=NOW - 900_001)}),
        ("funding_rates", {"funding": None}),
    ],
)
def test_data_of_what_is_held_that_stands_still(cause: str, old: Mapping[str, Any]) -> None:
    ctx = with_market(replace(market(), **old))
    assert level(ctx, cause) is NO_NEW_RISK
    assert findings(ctx)[cause].samples == 2  # a reconnect takes a moment
    elsewhere = {"hedges": {"ETH-USDT": hedge(name="ETH-USDT")}}
    assert level(with_market(replace(market(), **old), **elsewhere), cause) is FULL


@pytest.mark.fault("MD1")
def test_with_nothing_held_a_channel_counts_when_all_of_it_stands_still() -> None:
    old = {"mark_seen_ms": NOW - 75_001}
    one = {"BTC-USDT": replace(market(), **old), "ETH-USDT": market("ETH-USDT", "4000")}  # type: ignore[arg-type]
    assert level(scene(markets=one), "mark_prices") is FULL
    every = {name: replace(view, **old) for name, view in one.items()}  # type: ignore[arg-type]
    assert level(scene(markets=every), "mark_prices") is NO_NEW_RISK


@pytest.mark.fault("MD5")
@pytest.mark.parametrize(
    "broken",
    [
        None,
        replace(book("BTC-USDT", D(100_000), D(2)), asks=()),
        replace(book("BTC-USDT", D(100_000), D(2)), bids=()),
        replace(book("BTC-USDT", D(100_000), D(2)), bids=((D(100_100), D(1)),)),
    ],
)
def test_a_book_that_is_missing_one_sided_or_crossed(broken: Any) -> None:
    assert level(with_market(replace(market(), spot=broken)), "books") is NO_NEW_RISK


@pytest.mark.fault("MD1")
def test_an_account_not_heard_of_for_long() -> None:
    assert level(scene(account=account(seen_ms=NOW - 75_001)), "account_data") is NO_NEW_RISK
    assert level(scene(account=None), "account_data") is NO_NEW_RISK
    assert level(scene(account=account(seen_ms=NOW - 75_000)), "account_data") is FULL


@pytest.mark.fault("MD1")
def test_a_stream_that_stays_down_longer_than_a_reconnect_takes() -> None:
    def down(seen_ms: int) -> Context:
        live = venue().streams
        return scene(venue=venue(streams={**live, "private": StreamHealth(False, NOW - seen_ms)}))

    assert level(down(9_999), "streams") is FULL
    assert level(down(10_000), "streams") is NO_NEW_RISK


# --- thin books, prices -----------------------------------------------------------------------------


def thin(depth_usdt: str, half_bps: str = "0.5") -> MarketView:
    """The swap's asks hold this much within 10 bps."""
    coins = D(depth_usdt) / D(100_000) / 10
    deep = market(depth_usdt="200000")
    return replace(deep, swap=book(SWAP, D(100_000), coins * 100, half_bps))


@pytest.mark.fault("MD8")
@pytest.mark.parametrize(
    ("depth_usdt", "expected", "loud"),
    [
        ("8100", FULL, False),
        ("7900", NO_NEW_RISK, False),
        ("5100", NO_NEW_RISK, False),
        ("4900", REDUCE_ONLY, False),
        ("1900", REDUCE_ONLY, True),
    ],
)
def test_a_drought_comes_in_levels(depth_usdt: str, expected: Permission, loud: bool) -> None:
    ctx = with_market(thin(depth_usdt))
    assert level(ctx, "drought") is expected
    finding = findings(ctx)["drought"]
    assert (finding.critical, finding.samples) == (loud, 3)


@pytest.mark.fault("MD8")
@pytest.mark.parametrize(("half_bps", "expected"), [("5", FULL), ("7", NO_NEW_RISK), ("11", REDUCE_ONLY)])
def test_a_wide_spread_is_a_drought_too(half_bps: str, expected: Permission) -> None:
    wide = replace(market(), spot=book("BTC-USDT", D(100_000), D(50), half_bps))
    found = findings(with_market(wide))["drought"]
    assert found.level >= expected if expected is FULL else found.level <= expected


def test_with_nothing_held_the_best_of_the_candidates_counts() -> None:
    deep = {"BTC-USDT": thin("100"), "ETH-USDT": market("ETH-USDT", "4000")}
    assert level(scene(markets=deep), "drought") is FULL
    assert level(scene(markets={"BTC-USDT": thin("100")}), "drought") is REDUCE_ONLY


@pytest.mark.fault("MD7")
def test_a_basis_blow_out_blocks_openings_and_makes_no_alarm_close_anything() -> None:
    far = market(basis_bps="1200")  # the swap 12 % above spot, and the mark with it
    held = {"BTC-USDT": hedge("1", basis="-12000")}
    ctx = with_market(far, hedges=held, equity=D(88_000), account=account("150000", short={SWAP: "100"}))
    found = findings(ctx)["basis"]
    assert (found.level, found.samples) == (NO_NEW_RISK, 3)
    assert all(alarm.check(ctx).ok for alarm in build_alarms(SETTINGS.risk))
    real = replace(ctx, markets={"BTC-USDT": market()}, equity=D(88_000))  # the same loss without a basis
    assert [a.name for a in build_alarms(SETTINGS.risk) if not a.check(real).ok] == ["drawdown"]


@pytest.mark.fault("MD6")
def test_while_a_price_is_doubted_nothing_opens_and_no_alarm_acts_on_it() -> None:
    wick = market(px="400000")
    ctx = with_market(wick, account=account("30000", short={SWAP: "20"}), equity=D(40_000))
    assert {a.name for a in build_alarms(SETTINGS.risk) if not a.check(ctx).ok} == {
        "margin_emergency",
        "drawdown",
    }
    doubted = replace(ctx, doubtful=frozenset({"BTC-USDT"}))
    assert all(alarm.check(doubted).ok for alarm in build_alarms(SETTINGS.risk))
    assert findings(doubted)["price_jump"].level is NO_NEW_RISK


@pytest.mark.fault("MG7")
@pytest.mark.parametrize(
    ("usdt_usd", "expected"),
    [
        (None, FULL),  # a venue without the index: said in the figures, not guessed
        ("0.99", FULL),
        ("1.01", FULL),
        ("0.989", NO_NEW_RISK),
        ("1.011", NO_NEW_RISK),
        ("0.97", NO_NEW_RISK),
        ("0.969", REDUCE_ONLY),
    ],
)
def test_a_dollar_that_is_none(usdt_usd: str | None, expected: Permission) -> None:
    rounds = Rounds(usdt_usd=None if usdt_usd is None else Decimal(usdt_usd))
    assert level(scene(venue=venue(rounds=rounds)), "depeg") is expected


# --- the account ------------------------------------------------------------------------------------


def settled(**changed: Any) -> Context:
    """A start in futures mode, and what the account is now."""
    return scene(**HELD, venue=venue(rounds=Rounds(config=replace(CONFIG, **changed), agreed=CONFIG)))


@pytest.mark.fault("AC1")
def test_a_position_mode_switched_to_long_short_blocks_opening_only() -> None:
    assert level(settled(net_positions=False), "position_mode") is NO_NEW_RISK


@pytest.mark.fault("AC2")
def test_a_changed_account_mode_blocks_opening_until_the_operator_agrees() -> None:
    ctx = settled(mode=AccountMode.MULTI)
    assert level(ctx, "account_mode") is NO_NEW_RISK
    assert findings(ctx)["account_mode"].until_operator
    agreed = replace(CONFIG, mode=AccountMode.MULTI)
    accepted = scene(venue=venue(rounds=Rounds(config=agreed, agreed=agreed)))
    assert level(accepted, "account_mode") is FULL
    assert level(settled(mode=AccountMode.SPOT), "account_mode") is NO_NEW_RISK


@pytest.mark.fault("MG8")
def test_auto_loan_debt_and_a_negative_balance_block_opening() -> None:
    assert level(settled(auto_loan=True), "loan") is NO_NEW_RISK
    usdt = Balance("USDT", D(100), D(100), D(100), liability=D(-5))
    owing = replace(account(), balances={"USDT": usdt})
    assert level(scene(account=owing), "loan") is NO_NEW_RISK
    below = replace(account(), balances={"USDT": replace(usdt, liability=D(0), equity=D(-1))})
    assert level(scene(account=below), "loan") is NO_NEW_RISK


@pytest.mark.fault("MG9")
@pytest.mark.parametrize(("leverage", "expected"), [("3", FULL), ("20", REDUCE_ONLY)])
def test_a_leverage_setting_above_three(leverage: str, expected: Permission) -> None:
    base = account(short={SWAP: "20"})
    position = replace(base.positions[SWAP], leverage=D(leverage))
    assert level(scene(**HELD, account=replace(base, positions={SWAP: position})), "leverage") is expected
    asked = Rounds(leverage={SWAP: D(leverage)})
    assert level(scene(**HELD, venue=venue(rounds=asked)), "leverage") is expected


@pytest.mark.fault("MG10")
def test_a_second_position_in_our_swap() -> None:
    base = account(short={SWAP: "20"})
    isolated = replace(base.positions[SWAP], isolated=True)
    assert (
        level(scene(account=replace(base, strays={isolated.key: isolated})), "second_position") is NO_NEW_RISK
    )
    other = Position("DOGE-USDT-SWAP", isolated.contracts, D(1), D(1), D(0), D(3), isolated=True)
    assert level(scene(account=replace(base, strays={other.key: other})), "second_position") is FULL


@pytest.mark.fault("QT3")
def test_a_changed_contract_of_what_is_held_waits_for_the_operator() -> None:
    ctx = scene(**HELD, venue=venue(rounds=Rounds(new_rules={"BTC-USDT": "ctVal 0.01 -> 0.1"})))
    assert level(ctx, "contract_rules") is NO_NEW_RISK
    finding = findings(ctx)["contract_rules"]
    assert finding.until_operator and finding.critical
    assert ("BTC-USDT", "ctVal 0.01 -> 0.1") in finding.figures
