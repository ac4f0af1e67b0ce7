"""Candles of every bar name of the venue, newest first: calendar months are put together from days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby

from exchange.sim.markets.bars import BarSpec
from exchange.sim.markets.dollar import DOLLAR
from exchange.sim.model import Bar, Reject
from exchange.sim.seam import Venue

Source = Callable[[int, int | None, int, int], list[Bar]]  # bar_ms, before_ms, limit, utc_offset_ms

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_MONTH_DAYS = 31


def cut(source: Source, spec: BarSpec, before_ms: int | None, limit: int, now_ms: int) -> list[Bar]:
    """The newest `limit` candles opening before `before_ms`, newest first, the forming one included."""
    if not spec.months:
        return source(spec.length_ms, before_ms, limit, spec.offset_ms)
    if before_ms is not None:  # the days of the last month wanted, also those after `before_ms`
        before_ms = _months_on(_month_of(min(before_ms, now_ms + 1) - 1, spec), spec.months, spec)
    days = source(spec.length_ms, before_ms, (limit + 1) * spec.months * _LONGEST_MONTH_DAYS, spec.offset_ms)
    return list(_joined(days, spec, now_ms))[:limit]


def index_source(venue: Venue, name: str) -> Source:
    """Candles of an index: USDT-USD, or named like the spot pair it follows. Raises Reject(51001)."""
    if name == DOLLAR:
        return venue.usdt_bars
    spot = venue.markets.get(name)
    if spot is None or spot.instrument.is_swap:
        raise Reject("51001", "Index does not exist.")
    return spot.bars


def _joined(days: list[Bar], spec: BarSpec, now_ms: int) -> Iterator[Bar]:
    for month, group in groupby(days, key=lambda day: _month_of(day.ts_ms, spec)):
        bars = list(group)
        yield Bar(
            _months_on(month, 0, spec),
            bars[-1].open,
            max(bar.high for bar in bars),
            min(bar.low for bar in bars),
            bars[0].close,
            sum((bar.volume for bar in bars[1:]), bars[0].volume),
            closed=_months_on(month, spec.months, spec) <= now_ms,
        )


def _month_of(at_ms: int, spec: BarSpec) -> int:
    """Months since the year 0 of the month, or the quarter's first month, an instant lies in."""
    moment = _EPOCH + timedelta(milliseconds=at_ms + spec.offset_ms)
    return (moment.year * 12 + moment.month - 1) // spec.months * spec.months


def _months_on(month: int, by: int, spec: BarSpec) -> int:
    """The instant at which the month `by` months later begins."""
    year, index = divmod(month + by, 12)
    return (datetime(year, index + 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) - spec.offset_ms
