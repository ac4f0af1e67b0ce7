"""Causes that lie with the venue, the way to it, and time: can it be heard, asked, and trusted in time?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from config.schema import Degradation, ExchangeLimits, Risk
from core.conditions import uneven
from core.context import Context, Permission
from core.ladder import Finding
from core.verdict import Figures

MINUTE_MS: Final = 60_000
FULL, NO_NEW_RISK = Permission.FULL, Permission.NO_NEW_RISK
REDUCE_ONLY, HALTED = Permission.REDUCE_ONLY, Permission.HALTED


def venue_findings(ctx: Context, risk: Risk) -> Iterator[Finding]:
    limits, exchange = risk.degradation, risk.exchange
    yield _latency(ctx, limits, exchange)
    yield _unreachable(ctx, limits)
    yield _errors(ctx, exchange)
    yield _rate_limits(ctx, limits)
    yield _shut_out(ctx)
    yield _key(ctx, limits)
    yield _clock_offset(ctx, exchange)
    yield _clock_jump(ctx, limits)
    yield _maintenance(ctx, exchange)
    yield _streams(ctx, limits)


def _latency(ctx: Context, limits: Degradation, exchange: ExchangeLimits) -> Finding:
    """Slow answers are judged by what is held: a leg that stands alone is repaired at any latency, so the
    stricter level waits until both legs are equal."""
    latency_ms, naked = ctx.venue.latency_ms, bool(uneven(ctx))
    figures: Figures = (
        ("latency_ms", latency_ms),
        ("no_new_risk_above_ms", exchange.max_latency_ms),
        ("reduce_only_above_ms", limits.latency_reduce_ms),
        ("unequal_legs", naked),
    )
    level = FULL
    if latency_ms > limits.latency_reduce_ms and not naked:
        level = REDUCE_ONLY
    elif latency_ms > exchange.max_latency_ms:
        level = NO_NEW_RISK
    return Finding("latency", level, "the venue answers too slowly", figures)


def _unreachable(ctx: Context, limits: Degradation) -> Finding:
    since_ms = ctx.venue.failing_since_ms
    failing_s = Decimal(0) if since_ms is None else Decimal(ctx.now_ms - since_ms) / 1000
    level = FULL
    if since_ms is not None and failing_s >= limits.unreachable_reduce_s:
        level = REDUCE_ONLY
    elif since_ms is not None and failing_s >= limits.unreachable_s:
        level = NO_NEW_RISK
    return Finding(
        "unreachable",
        level,
        "no request is answered",
        (("failing_s", failing_s),),
        critical=level is REDUCE_ONLY,
    )


def _errors(ctx: Context, exchange: ExchangeLimits) -> Finding:
    venue = ctx.venue
    failing = venue.errors_1m >= exchange.max_errors_per_minute
    many = failing or venue.rejects_1m >= exchange.max_rejects_per_minute
    figures: Figures = (("errors_1m", venue.errors_1m), ("rejects_1m", venue.rejects_1m))
    reason = "too many requests fail or are refused"
    return Finding("errors", NO_NEW_RISK if many else FULL, reason, figures)


def _rate_limits(ctx: Context, limits: Degradation) -> Finding:
    """The venue said "too many", or our own count of the order budget says that it is about to."""
    venue = ctx.venue
    pressed = venue.throttled_1m > 0 or venue.rate_use_ratio >= limits.max_rate_use_ratio
    figures: Figures = (("throttled_1m", venue.throttled_1m), ("use_ratio", venue.rate_use_ratio))
    return Finding("rate_limits", NO_NEW_RISK if pressed else FULL, "request limits are near", figures)


def _shut_out(ctx: Context) -> Finding:
    """The edge in front of the venue refuses this address: a ban, a captcha."""
    left_ms = max(0, ctx.venue.shut_out_until_ms - ctx.now_ms)
    reason = "the venue's edge refuses this address"
    return Finding(
        "shut_out", NO_NEW_RISK if left_ms else FULL, reason, (("left_ms", left_ms),), critical=True
    )


def _key(ctx: Context, limits: Degradation) -> Finding:
    refusals = ctx.venue.key_refusals
    return Finding(
        "key",
        HALTED if refusals >= limits.max_key_refusals else FULL,
        "the venue refuses the API key",
        (("refusals", refusals), ("max_refusals", limits.max_key_refusals)),
        until_operator=True,
        critical=True,
    )


def _clock_offset(ctx: Context, exchange: ExchangeLimits) -> Finding:
    """Signatures use the corrected time, so closing still works; but a clock that is off is not to be
    trusted with new risk."""
    offset_ms = ctx.venue.clock_offset_ms
    off = abs(offset_ms) > exchange.max_clock_offset_ms
    figures: Figures = (("offset_ms", offset_ms), ("max_offset_ms", exchange.max_clock_offset_ms))
    reason = "this machine's clock is off"
    return Finding("clock", NO_NEW_RISK if off else FULL, reason, figures, critical=True)


def _clock_jump(ctx: Context, limits: Degradation) -> Finding:
    """After a suspend everything known is old: no order before books and venue were compared. That
    comparison sets `skipped_ms` to nothing, and with it the cause ends at once."""
    jumped = ctx.skipped_ms >= limits.max_skip_s * 1000
    figures: Figures = (("skipped_ms", ctx.skipped_ms), ("max_skip_s", limits.max_skip_s))
    reason = "the clock has jumped, books and venue are compared first"
    return Finding("clock_jump", HALTED if jumped else FULL, reason, figures, recover_ms=0, critical=True)


def _maintenance(ctx: Context, exchange: ExchangeLimits) -> Finding:
    venue, lead_ms = ctx.venue, exchange.maintenance_lead_minutes * MINUTE_MS
    running, near = venue.maintenance_at(ctx.now_ms), venue.maintenance_at(ctx.now_ms, lead_ms)
    window = running or near
    figures: Figures = ()
    if window is not None:
        figures = (("title", window.title), ("begin_ms", window.begin_ms), ("end_ms", window.end_ms))
    if running is not None:
        return Finding("maintenance", REDUCE_ONLY, "the venue is in maintenance", figures)
    level = FULL if near is None else NO_NEW_RISK
    return Finding("maintenance", level, "venue maintenance is about to begin", figures)


def _streams(ctx: Context, limits: Degradation) -> Finding:
    """A connection that is down for longer than a reconnect takes; without any there is nothing to judge."""
    patience_ms = limits.max_stream_down_s * 1000
    down = sorted(
        name
        for name, stream in ctx.venue.streams.items()
        if not stream.live and ctx.now_ms - stream.last_seen_ms >= patience_ms
    )
    figures: Figures = (("down", ", ".join(down)),)
    return Finding("streams", NO_NEW_RISK if down else FULL, "a data stream is down", figures, samples=2)
