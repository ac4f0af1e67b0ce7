"""Axes: where the lines of a chart go, and which of many points are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from math import ceil, floor, log10
from typing import Final

from core.types import DAY_MS, HOUR_MS
from monitor.formats import moment

STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
HOURS: Final = (1, 2, 3, 6, 12)
DAYS: Final = (1, 2, 4, 7, 14)
MONTHS: Final = (1, 2, 3, 6, 12, 24, 48)
Values = Sequence[float | None]


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that span [low, high], about so many; a span of nothing is opened up around it."""
    if high <= low:
        spread = abs(low) * 0.001 or 1.0
        low, high = low - spread, high + spread
    raw = (high - low) / max(1, about - 1)
    power = 10.0 ** floor(log10(raw))
    step = next(power * one for one in STEPS if power * one >= raw * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(n * step, 12) for n in range(first, last + 1)]


def decimals(of: Sequence[float]) -> int:
    """Digits after the point that tell these ticks apart."""
    step = of[1] - of[0] if len(of) > 1 else 1.0
    digits = 0
    while digits < 8 and abs(round(step, digits) - step) > step * 1e-6:
        digits += 1
    return digits


def time_ticks(from_ms: int, to_ms: int, most: int = 8) -> list[tuple[int, str]]:
    """Round instants within [from, to] with their labels: hours, days or months, at most so many."""
    lasting = to_ms - from_ms
    for hours in HOURS:
        if lasting <= hours * HOUR_MS * most:
            return list(_every(from_ms, to_ms, hours * HOUR_MS, _hour))
    for days in DAYS:
        if lasting <= days * DAY_MS * most:
            return list(_every(from_ms, to_ms, days * DAY_MS, lambda at: f"{at:%m-%d}"))
    begin, end = moment(from_ms), moment(to_ms)
    first, last = begin.year * 12 + begin.month, end.year * 12 + end.month - 1
    step = next((n for n in MONTHS if (last - first) / n < most), MONTHS[-1])
    months = range(ceil(first / step) * step, last + 1, step)
    starts = [datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in months]
    return [(int(at.timestamp() * 1000), f"{at:%Y-%m}") for at in starts]


def _hour(at: datetime) -> str:
    return f"{at:%H:%M}" if at.hour else f"{at:%m-%d}"


def _every(
    from_ms: int, to_ms: int, step_ms: int, label: Callable[[datetime], str]
) -> Iterator[tuple[int, str]]:
    for at_ms in range(-(-from_ms // step_ms) * step_ms, to_ms + 1, step_ms):
        yield at_ms, label(moment(at_ms))


def thinned(columns: Sequence[Values], most: int) -> list[int]:
    """Which positions to draw so that no column loses an extreme: at most about `most`, first and last too.

    The columns are cut into stretches, and of each the lowest and the highest of every column stay.
    """
    count = len(columns[0]) if columns else 0
    if count <= most:
        return list(range(count))
    stretches = max(1, most // (2 * len(columns)))
    kept = {0, count - 1}
    for k in range(stretches):
        first, end = k * count // stretches, (k + 1) * count // stretches
        for column in columns:
            known = [(value, n) for n in range(first, end) if (value := column[n]) is not None]
            if known:
                kept |= {min(known)[1], max(known)[1]}
    return sorted(kept)
