"""What keeps an instrument out of a scan, and when that ends."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.types import DAY_MS, HOUR_MS
from strategy.auxiliary.bars import MINUTE_MS, Bars
from strategy.auxiliary.scanning.blacklist import Ban, BanRules, Blacklist, Cause
from tests.fakes import START_MS, D
from tests.strategy.auxiliary.module_scenes import NAME, bars_of_closes, column

RULES = BanRules()
LIVELY = bars_of_closes([100 + n % 3 for n in range(50)], frame="5m")
BUSY = D(5_000_000)


def judged(
    bars: Bars = LIVELY,
    turnover: Decimal | None = BUSY,
    listed_ms: int | None = None,
    now_ms: int = START_MS,
    rules: BanRules = RULES,
) -> Ban | None:
    return Blacklist(rules).judge(NAME, bars, turnover, listed_ms, now_ms)


def test_what_trades_and_comes_is_let_in() -> None:
    assert judged() is None and judged(turnover=None) is None
    assert judged(listed_ms=START_MS - RULES.least_age_ms) is None
    assert judged(now_ms=START_MS + 20 * MINUTE_MS) is None


def test_a_listing_that_is_too_young_is_kept_out_until_it_is_old_enough() -> None:
    found = judged(listed_ms=START_MS - DAY_MS)
    assert found == Ban(
        NAME,
        Cause.YOUNG,
        "listed 1.0 days ago, at least 14 are asked for",
        START_MS,
        START_MS + 13 * DAY_MS,
    )


def test_what_no_longer_comes_is_kept_out() -> None:
    found = judged(now_ms=START_MS + 20 * MINUTE_MS + 1)
    assert found is not None and (found.cause, found.reason) == (Cause.MISSING, "no 5m bar for 20 minutes")


def test_what_has_not_come_yet_is_waited_for() -> None:
    assert judged(LIVELY.last(0)) is None


def test_a_price_that_stands_still_is_kept_out() -> None:
    still = replace(bars_of_closes([100.0] * 50, frame="5m", wick=0.0))
    found = judged(still)
    assert found is not None and found.cause is Cause.FROZEN and found.until_ms == START_MS + HOUR_MS
    moved = replace(still, high=column([*[100.0] * 20, 101.0, *[100.0] * 29]))
    assert judged(moved) is None
    assert judged(still.last(RULES.frozen_bars - 1)) is None


def test_what_trades_too_little_is_kept_out() -> None:
    found = judged(turnover=D(999_999))
    assert found is not None and found.reason == "999999 USDT in 24 h, at least 1000000 are asked for"


def test_nothing_is_put_on_the_list_that_does_not_keep_itself() -> None:
    off = BanRules(automatic=False)
    assert judged(turnover=D(0), rules=off) is None
    assert Blacklist(off).failed(NAME, "refused", START_MS) is None


def test_failures_in_a_row_keep_it_out_for_twice_as_long_each_time() -> None:
    listed = Blacklist(RULES)
    now_ms, lasted_h = START_MS, []
    for _ in range(6):
        assert listed.failed(NAME, "51001", now_ms) is None
        assert listed.failed(NAME, "51001", now_ms) is None
        found = listed.failed(NAME, "51001", now_ms)
        assert found is not None and found.until_ms is not None
        assert listed.ban(NAME, found.until_ms - 1) == found and listed.ban(NAME, found.until_ms) is None
        lasted_h.append((found.until_ms - now_ms) // HOUR_MS)
        now_ms = found.until_ms
    assert lasted_h == [1, 2, 4, 8, 16, 24]


def test_a_success_begins_the_count_anew() -> None:
    listed = Blacklist(RULES)
    for _ in range(5):
        listed.failed(NAME, "51001", START_MS)
        listed.failed(NAME, "51001", START_MS)
        listed.succeeded(NAME)
    assert listed.bans(START_MS) == ()


def test_the_operator_has_the_last_word() -> None:
    listed = Blacklist(replace(RULES, most_failures=1), frozenset({"ETH-USDT"}))
    listed.failed(NAME, "51001", START_MS)
    assert [ban.cause for ban in listed.bans(START_MS)] == [Cause.FAILURES, Cause.EXCLUDED]
    listed.lift(NAME)
    assert [ban.instrument for ban in listed.bans(START_MS)] == ["ETH-USDT"]
    assert listed.ban("ETH-USDT", START_MS + 10 * DAY_MS) is not None


def test_what_an_earlier_life_left_holds_until_its_time() -> None:
    listed = Blacklist(RULES)
    listed.restore([Ban(NAME, Cause.THIN, "thin", START_MS, START_MS + 5)])
    assert listed.ban(NAME, START_MS + 4) is not None and listed.ban(NAME, START_MS + 5) is None


@pytest.mark.parametrize(
    "wrong", [{"most_failures": 0}, {"frozen_bars": 1}, {"again_ms": -1}, {"least_turnover_usdt": D(-1)}]
)
def test_rules_without_meaning_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        BanRules(**wrong)  # type: ignore[arg-type]
