"""What a ticker says of the last 24 hours, and candles in an instrument's own steps."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.markets.timeline import Span, Track
from exchange.sim.model import Bar, Instrument

DAY_MS = 86_400_000

Day = tuple[Decimal, Decimal, Decimal, Decimal]  # open, high, low, volume in coins


def day_of(track: Track, instrument: Instrument, at_ms: int) -> Day:
    """Of the closed bars of the last 24 hours; of the present bar's open alone when there are none."""
    tick = instrument.tick
    last, first = track.index(at_ms), max(0, track.index(at_ms - DAY_MS) + 1)
    last = track.index(at_ms)  # looking a day back may have put bars in front
    open_ = track.at(max(at_ms - DAY_MS, track.ts[0]))
    highs = track.high[first:last] or track.open[last : last + 1]
    lows = track.low[first:last] or track.open[last : last + 1]
    return (
        round_to(open_, tick),
        round_to(max(highs), tick),
        round_to(min(lows), tick),
        round_to(sum(track.volume[first:last]), lot_in_coins(instrument)),
    )


def bar_of(span: Span, instrument: Instrument) -> Bar:
    tick = instrument.tick
    return Bar(
        span.ts_ms,
        round_to(span.open, tick),
        round_to(span.high, tick),
        round_to(span.low, tick),
        round_to(span.close, tick),
        round_to(span.volume, lot_in_coins(instrument)),
        span.closed,
    )


def lot_in_coins(instrument: Instrument) -> Decimal:
    """The least that can be traded, in coins: of a swap, whose lot counts contracts, so many times fewer."""
    return instrument.lot * instrument.ct_val


def round_to(value: float, step: Decimal) -> Decimal:
    """Return the multiple of `step` nearest to `value`."""
    return round(value / float(step)) * step
