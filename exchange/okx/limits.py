"""Request budgets: one token bucket per endpoint and scope, a fifth below the venue's limits.

Every wrapper of the SDK has its own budget, so reads never eat what orders need. A part of the
order budget is kept for orders that only reduce.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, NamedTuple

HEADROOM: Final = 0.8
RESERVE: Final = 0.25  # of the order budget, for reduce-only orders
HALVED_S: Final = 60.0  # how long the pace is halved after "too many"


class Limit(NamedTuple):
    """The venue's published limit: so many requests in `period_s` seconds."""

    requests: int
    period_s: float


ORDER_CALL: Final = "place_order"

# By name of the SDK wrapper. Source: the venue's rate-limit table; scopes (user, address, instrument,
# currency) are told by the caller.
LIMITS: Final[Mapping[str, Limit]] = {
    "get_system_time": Limit(10, 2),
    "get_instruments": Limit(20, 2),
    "get_funding_rate": Limit(10, 2),
    "funding_rate_history": Limit(10, 2),
    "get_mark_price": Limit(10, 2),
    "get_price_limit": Limit(20, 2),
    "get_open_interest": Limit(20, 2),
    "get_tickers": Limit(20, 2),
    "get_index_tickers": Limit(20, 2),
    "get_orderbook": Limit(40, 2),
    "get_candlesticks": Limit(40, 2),
    "get_history_candlesticks": Limit(20, 2),
    "get_history_mark_candlesticks": Limit(10, 2),
    "get_open_interest_history": Limit(10, 2),
    "get_long_short_ratio": Limit(5, 2),
    "status": Limit(1, 5),
    "get_account_config": Limit(5, 2),
    "get_account_balance": Limit(10, 2),
    "get_positions": Limit(10, 2),
    "get_account_bills": Limit(5, 1),
    "get_account_bills_archive": Limit(5, 2),
    "get_leverage": Limit(20, 2),
    "set_leverage": Limit(20, 2),
    "get_fee_rates": Limit(5, 2),
    "get_balances": Limit(6, 1),
    "transfer": Limit(2, 1),
    "transfer_state_of": Limit(10, 1),
    ORDER_CALL: Limit(60, 2),
    "cancel_order": Limit(60, 2),
    "get_order": Limit(60, 2),
    "get_order_list": Limit(60, 2),
    "get_fills": Limit(60, 2),
    "get_fills_history": Limit(10, 2),
    "cancel_all_after": Limit(1, 1),
    "place_algo_order": Limit(20, 2),
    "cancel_algo_order": Limit(20, 2),  # orders, not requests: one each here
    "get_algo_order_details": Limit(20, 2),
    "order_algos_list": Limit(20, 2),
}


class Bucket:
    """A token bucket in loop time. `reserve` tokens are for the urgent only."""

    def __init__(self, limit: Limit, now_s: float, reserve: float = 0) -> None:
        self._capacity = max(1.0, limit.requests * HEADROOM)
        self._per_s = limit.requests * HEADROOM / limit.period_s
        self._reserve = self._capacity * reserve
        self._tokens = self._capacity
        self._at_s = now_s
        self._halved_until_s = now_s

    def take(self, now_s: float, *, urgent: bool) -> float:
        """Take a token and return 0, or return the seconds until one may be had."""
        self._refill(now_s)
        missing = 1 + (0 if urgent else self._reserve) - self._tokens
        if missing > 1e-9:
            return missing / self._pace(now_s)
        self._tokens -= 1
        return 0.0

    def drain(self, now_s: float) -> None:
        """The venue said "too many": believe it rather than our own count, and go half as fast for a while.

        Somebody else may be using the same limit.
        """
        self._refill(now_s)
        self._tokens = 0.0
        self._halved_until_s = now_s + HALVED_S

    def _pace(self, now_s: float) -> float:
        return self._per_s / 2 if now_s < self._halved_until_s else self._per_s

    def use_ratio(self, now_s: float) -> float:
        self._refill(now_s)
        return 1 - self._tokens / self._capacity

    def _refill(self, now_s: float) -> None:
        self._tokens = min(self._capacity, self._tokens + (now_s - self._at_s) * self._pace(now_s))
        self._at_s = now_s


class Throttle:
    """All buckets of one client, made as they are needed."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], Bucket] = {}

    async def take(self, call: str, scope: str = "", *, urgent: bool = False) -> None:
        """Wait until `call` may be made. Raises KeyError for a call without a known limit."""
        bucket = self._bucket(call, scope)
        wait_s = bucket.take(_now_s(), urgent=urgent)
        while wait_s:
            await asyncio.sleep(wait_s)
            wait_s = bucket.take(_now_s(), urgent=urgent)

    def drain(self, call: str, scope: str = "") -> None:
        self._bucket(call, scope).drain(_now_s())

    def order_use_ratio(self) -> Decimal:
        """Return how full the busiest order bucket is, 1 = nothing left."""
        ratios = [b.use_ratio(_now_s()) for (call, _), b in self._buckets.items() if call == ORDER_CALL]
        return Decimal(f"{max(ratios, default=0.0):.3f}")

    def _bucket(self, call: str, scope: str) -> Bucket:
        key = (call, scope)
        if key not in self._buckets:
            self._buckets[key] = Bucket(LIMITS[call], _now_s(), RESERVE if call == ORDER_CALL else 0)
        return self._buckets[key]


def _now_s() -> float:
    return asyncio.get_running_loop().time()
