"""Budgets: never above the venue's limit, and something left for the orders that reduce."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.okx.limits import HEADROOM, LIMITS, ORDER_CALL, RESERVE, Bucket, Limit, Throttle
from exchange.okx.sdk import Account, Funding, MarketInfo, Public, Service, Trade


@given(
    limit=st.builds(Limit, st.integers(2, 300), st.floats(0.5, 5)),
    waits=st.lists(st.floats(0, 1), min_size=1, max_size=300),
)
def test_no_window_sees_more_than_a_full_bucket_and_its_refill(limit: Limit, waits: list[float]) -> None:
    bucket, now, granted = Bucket(limit, 0.0), 0.0, []
    for wait in waits:
        now += wait
        if bucket.take(now, urgent=True) == 0:
            granted.append(now)
    steady = limit.requests * HEADROOM / limit.period_s
    for i, start in enumerate(granted):
        for n, end in enumerate(granted[i:], start=1):
            assert n <= limit.requests * HEADROOM + steady * (end - start) + 1e-6


def test_the_wait_told_is_enough_and_not_more() -> None:
    bucket = Bucket(Limit(10, 2.0), 0.0)
    while not (wait := bucket.take(0.0, urgent=False)):
        continue
    assert bucket.take(wait * 0.9, urgent=False) > 0
    assert bucket.take(wait, urgent=False) == 0


def test_a_part_of_the_order_budget_is_only_for_orders_that_reduce() -> None:
    bucket = Bucket(LIMITS[ORDER_CALL], 0.0, RESERVE)
    ordinary = 0
    while not bucket.take(0.0, urgent=False):
        ordinary += 1
    urgent = 0
    while not bucket.take(0.0, urgent=True):
        urgent += 1
    assert (ordinary, urgent) == (36, 12)


def test_a_limit_of_one_still_lets_one_through() -> None:
    bucket = Bucket(LIMITS["status"], 0.0)
    assert bucket.take(0.0, urgent=False) == 0
    assert bucket.take(0.0, urgent=False) == pytest.approx(6.25)  # 0.8 per 5 s


async def test_scopes_and_calls_do_not_share_a_bucket() -> None:
    throttle = Throttle()
    throttle.drain("place_order", "BTC-USDT")
    async with asyncio.timeout(0.01):  # would wait for a refill if they did
        await throttle.take("place_order", "ETH-USDT")
        await throttle.take("get_order", "BTC-USDT")


async def test_a_venue_that_says_too_many_empties_the_bucket() -> None:
    throttle = Throttle()
    await throttle.take(ORDER_CALL, "BTC-USDT")
    assert throttle.order_use_ratio() < Decimal("0.1")
    throttle.drain(ORDER_CALL, "BTC-USDT")
    assert throttle.order_use_ratio() > Decimal("0.95")


async def test_taking_waits_for_the_refill() -> None:
    throttle = Throttle()
    throttle.drain("get_candlesticks")
    loop = asyncio.get_running_loop()
    before = loop.time()
    await throttle.take("get_candlesticks")
    assert loop.time() - before >= 0.9 / 16  # 40 per 2 s, less a fifth


async def test_a_call_without_a_known_limit_is_refused() -> None:
    with pytest.raises(KeyError):
        await Throttle().take("withdrawal")


def test_every_limit_belongs_to_a_call_of_the_sdk() -> None:
    apis = (Account, Funding, MarketInfo, Public, Service, Trade)
    assert all(any(hasattr(api, name) for api in apis) for name in LIMITS)


@pytest.mark.fault("RL1", "RL2")
def test_after_too_many_the_pace_is_halved_for_a_minute_and_reducing_still_goes_first() -> None:
    bucket = Bucket(Limit(60, 2), 0.0, RESERVE)
    bucket.drain(0.0)
    urgent_s = bucket.take(0.0, urgent=True)
    assert 0 < urgent_s < 0.5  # an order that reduces is admitted within half a second
    assert bucket.take(0.0, urgent=False) > 10 * urgent_s
    halved = Bucket(Limit(60, 2), 0.0)
    halved.drain(0.0)
    taken = sum(halved.take(second / 100, urgent=False) == 0 for second in range(2000))
    assert 238 <= taken <= 242  # 12 a second instead of 24
    later = Bucket(Limit(60, 2), 0.0)
    later.drain(0.0)
    assert later.take(60.0, urgent=False) == 0
    assert all(later.take(60.0, urgent=False) == 0 for _ in range(40))
