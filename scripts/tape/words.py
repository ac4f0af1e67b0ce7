"""Times as people read them."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(at_ms: int) -> str:
    """2026-01-05 08:00, UTC."""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M}"


def length(ms: int) -> str:
    """The largest unit that says enough: 5 min, 3.5 h, 12 d."""
    for unit_ms, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min")):
        if ms >= unit_ms:
            return f"{ms / unit_ms:.1f}".removesuffix(".0") + f" {unit}"
    return f"{ms / 1000:g} s"


def span(begin_ms: int, end_ms: int) -> str:
    """Where something is missing, and for how long."""
    return f"{stamp(begin_ms)} ({length(end_ms - begin_ms)})"
