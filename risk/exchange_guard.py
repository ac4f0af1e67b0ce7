"""Refuse new risk while the venue cannot be heard, reached or trusted."""

from __future__ import annotations

from config.schema import ExchangeLimits
from core.context import Context, MarketView
from core.verdict import Verdict
from risk.measures import Check, judged

MINUTE_MS = 60_000


class ExchangeGuard:
    """Streams live, answers in time, clocks together, no maintenance ahead, the planned pair tradable.

    Fails closed: a venue no stream has reported on is not up, and a market never seen is too old. An
    order whose outcome is unknown refuses too: what it did may be half of the next hedge.
    """

    name = "venue_up"

    def __init__(self, limits: ExchangeLimits) -> None:
        self._limits = limits

    def check(self, ctx: Context) -> Verdict:
        venue, limits = ctx.venue, self._limits
        silent = tuple(sorted(name for name, stream in venue.streams.items() if not stream.live))
        window = venue.maintenance_at(ctx.now_ms, limits.maintenance_lead_minutes * MINUTE_MS)
        instrument = ctx.plan.opening[0].instrument if ctx.plan.opening else None
        market = ctx.markets.get(instrument) if instrument else None
        age_ms = market.age_ms(ctx.now_ms) if market else None
        figures = (
            ("streams", len(venue.streams)),
            ("silent_streams", ", ".join(silent)),
            ("errors_1m", venue.errors_1m),
            ("rejects_1m", venue.rejects_1m),
            ("latency_ms", venue.latency_ms),
            ("clock_offset_ms", venue.clock_offset_ms),
            ("unresolved_orders", ctx.unresolved_orders),
            ("market_age_ms", "not known" if age_ms is None else age_ms),
            ("maintenance", window.title if window else ""),
        )
        checks = (
            (bool(venue.streams), "no stream has reported yet"),
            (not silent, "a stream is down"),
            (venue.errors_1m < limits.max_errors_per_minute, "too many requests without an answer"),
            (venue.rejects_1m < limits.max_rejects_per_minute, "too many refused orders"),
            (venue.latency_ms <= limits.max_latency_ms, "the venue answers too slowly"),
            (abs(venue.clock_offset_ms) <= limits.max_clock_offset_ms, "clocks are too far apart"),
            (window is None, "the venue is in maintenance, or about to be"),
            (ctx.unresolved_orders == 0, "the outcome of an order is unknown"),
            *(self._pair(market, age_ms) if instrument else ()),
        )
        return judged(self.name, checks, "the venue is heard and answers", figures, instrument)

    def _pair(self, market: MarketView | None, age_ms: int | None) -> tuple[Check, ...]:
        if market is None:
            return ((False, "the planned pair is not known"),)
        spot, swap = market.pair.spot, market.pair.swap
        fresh = age_ms is not None and age_ms <= self._limits.max_market_age_s * 1000
        return (
            (fresh, "market data is too old"),
            (spot.state == swap.state == "live", "the planned pair is not trading"),
            (spot.exp_time_ms is swap.exp_time_ms is None, "the planned pair is about to be delisted"),
        )
