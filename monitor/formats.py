"""Amounts and times as people read them. Pure; the same on the console, in chat and on the page."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

ABSENT = "–"

_SPANS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def usdt(value: Decimal) -> str:
    """USDT with two decimals: 12,345.60."""
    return f"{value:z,.2f}"


def signed_usdt(value: Decimal) -> str:
    """USDT with its sign, for results: +12.30, -0.45."""
    return f"{value:+z,.2f}"


def coins(value: Decimal) -> str:
    """Coins or contracts, at most eight decimals, without trailing zeros: 0.5, 1200."""
    return f"{value:z.8f}".rstrip("0").rstrip(".")


def rate(value: Decimal) -> str:
    """A funding rate, a fraction, as per cent with four decimals: 0.0001 is 0.0100 %."""
    return f"{value * 100:z.4f} %"


def percent(value: Decimal) -> str:
    """A ratio as per cent with two decimals: 0.8 is 80.00 %."""
    return f"{value * 100:z.2f} %"


def utc(at_ms: int) -> str:
    """UTC milliseconds as 2026-11-20 08:00:05Z."""
    return moment(at_ms).strftime("%Y-%m-%d %H:%M:%SZ")


def clock_time(at_ms: int) -> str:
    """UTC milliseconds without the year, for tables: 11-20 08:00:05."""
    return moment(at_ms).strftime("%m-%d %H:%M:%S")


def utc_day(at_ms: int) -> str:
    """The UTC date: 2026-11-20."""
    return moment(at_ms).strftime("%Y-%m-%d")


def moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def span(duration_ms: int) -> str:
    """A duration by its two largest units: 2d 3h, 5m 20s, 0s."""
    seconds = max(0, duration_ms) // 1000
    parts: list[str] = []
    for length, unit in _SPANS:
        count, seconds = divmod(seconds, length)
        if count or parts:
            parts.append(f"{count}{unit}")
        if len(parts) == 2:
            break
    return " ".join(p for p in parts if not p.startswith("0")) or "0s"
