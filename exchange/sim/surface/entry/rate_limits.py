"""Token buckets by scope, in venue time. Counts in whole numbers: equal runs refuse equal requests."""

from __future__ import annotations

from dataclasses import dataclass

from exchange.sim.model import Reject


@dataclass(frozen=True, slots=True)
class Limit:
    """`count` per `window_ms`, counted per caller (IP or account) and per value of `per` parameters."""

    count: int
    window_ms: int
    per: tuple[str, ...] = ()


# Order entry: kept apart per operation, shared between REST and WebSocket, per account and instrument.
SINGLE_ORDER = Limit(60, 2000, ("instId",))
BATCH_ORDERS = Limit(300, 2000, ("instId",))
ALL_NEW_ORDERS = Limit(1000, 2000)  # one account's new and amended orders together


SWEEP_AT = 10_000  # buckets


class RateLimits:
    """Buckets that start full and refill evenly. `enabled=False` lets everything pass."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled
        self._buckets: dict[tuple[str, ...], tuple[int, int, Limit]] = {}  # scope -> tokens x window, at ms
        self._sweep_at = SWEEP_AT

    def spend(
        self, scope: tuple[str, ...], limit: Limit, now_ms: int, amount: int = 1, code: str = "50011"
    ) -> None:
        """Take `amount` tokens from the bucket of `scope`. Raises Reject(code) when they are not there."""
        if not self.enabled:
            return
        full, cost = limit.count * limit.window_ms, amount * limit.window_ms
        level, at_ms, _ = self._buckets.get(scope, (full, now_ms, limit))
        level = min(full, level + (now_ms - at_ms) * limit.count)
        if cost > level:
            raise Reject(
                code, "Too Many Requests" if code == "50011" else "The maximum order rate is exceeded"
            )
        self._buckets[scope] = (level - cost, now_ms, limit)
        if len(self._buckets) > self._sweep_at:
            self._sweep(now_ms)

    def _sweep(self, now_ms: int) -> None:
        """Forget buckets that are full again: scopes hold what callers made up."""
        self._buckets = {
            scope: (level, at_ms, limit)
            for scope, (level, at_ms, limit) in self._buckets.items()
            if level + (now_ms - at_ms) * limit.count < limit.count * limit.window_ms
        }
        self._sweep_at = max(SWEEP_AT, 2 * len(self._buckets))
