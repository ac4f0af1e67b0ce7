"""The funding formula in its three regimes, its limits and its calendar. Source: api-v5.md 7.1."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.profile import CURRENT, NO_RATE, WITH_RATE

HOUR_MS = 3_600_000
DEFAULT_INTERVAL_MS = 8 * HOUR_MS
INTERVALS_H = (8, 4, 2, 1)
INTEREST = Decimal("0.0001")  # per eight hours
OLD_INTEREST = Decimal("0.0003")  # per day, in the regime before
DAMP = Decimal("0.0005")  # how far the interest term may pull the premium
IMPACT_VALUE = Decimal(10_000)  # USDT a premium sample looks into the book for


def funding_rate(premium: Decimal, interval_ms: int, cap: Decimal, regime: str = CURRENT) -> Decimal:
    """Return the rate of one interval of N hours from the average premium, both fractions.

    current    clamp([P + clamp(0.01 % - P, -0.05 %, +0.05 %)] / (8 / N), -cap, +cap), since June 2026;
               a premium between -0.04 % and +0.06 % gives exactly 0.01 % per eight hours
    with_rate  clamp(P + clamp(I - P, -0.05 %, +0.05 %), -cap, +cap) with I = 0.03 % / (24 / N), before
    no_rate    clamp(P, -cap, +cap), the oldest
    """
    if regime == NO_RATE:
        rate = premium
    elif regime == WITH_RATE:
        rate = _damped(premium, OLD_INTEREST * interval_ms / (24 * HOUR_MS))
    else:
        rate = _damped(premium, INTEREST) * interval_ms / DEFAULT_INTERVAL_MS
    return min(max(rate, -cap), cap)


def _damped(premium: Decimal, interest: Decimal) -> Decimal:
    return premium + min(max(interest - premium, -DAMP), DAMP)


def next_settlements(after_ms: int, interval_ms: int) -> tuple[int, int]:
    """Return the next two settlement instants after `after_ms`, counted from midnight UTC."""
    first = after_ms // interval_ms * interval_ms + interval_ms
    return first, first + interval_ms


def next_interval(interval_ms: int, at_limit: bool) -> int:
    """Return the interval after a settlement: one step shorter at the cap or floor, else the default."""
    if not at_limit:
        return DEFAULT_INTERVAL_MS
    hours = interval_ms // HOUR_MS
    shorter = [step for step in INTERVALS_H if step < hours]
    return (shorter[0] if shorter else hours) * HOUR_MS


def payment(size: Decimal, ct_val: Decimal, mark: Decimal, rate: Decimal) -> Decimal:
    """Return what a position of `size` contracts (signed) receives, USDT; negative when it pays.

    15.99 contracts short of 0.01 coin at mark 60000 and rate 0.0001 receive 0.9594 USDT.
    """
    return -size * ct_val * mark * rate
