"""The funding formula, its limits and its calendar. Source: api-v5.md 7.1."""

from __future__ import annotations

from decimal import Decimal

HOUR_MS = 3_600_000
DEFAULT_INTERVAL_MS = 8 * HOUR_MS
INTERVALS_H = (8, 4, 2, 1)
INTEREST = 0.0001  # per eight hours
DAMP = 0.0005  # how far the interest term may pull the premium
TRANSFER_PAUSE_MS = 60_000  # transfers are refused this long after a settlement


def funding_rate(premium: float, interval_ms: int, cap: float) -> float:
    """Return the rate of one interval from the average premium (fractions; premium = swap / index - 1).

    F = clamp([P + clamp(0.01 % - P, -0.05 %, +0.05 %)] / (8 / N), -cap, +cap), N hours per interval.
    A premium between -0.04 % and +0.06 % gives exactly 0.01 % per eight hours.
    """
    damped = premium + min(max(INTEREST - premium, -DAMP), DAMP)
    rate = damped * interval_ms / DEFAULT_INTERVAL_MS
    return min(max(rate, -cap), cap)


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
