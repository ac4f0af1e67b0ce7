"""How well the venue is heard and reached: requests, pushes, and the age of everything known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from core.context import Context
from monitor.figures import Figures
from monitor.metrics.metric import Metric, Read, Sample, Value, each, one


def _seen(figure: Callable[[Context], Value | None]) -> Read:
    return lambda f: one(figure(f.ctx) if f.ctx is not None else None)


def _streams(f: Figures) -> Iterator[Sample]:
    for name, stream in f.ctx.venue.streams.items() if f.ctx else ():
        yield (name,), int(stream.live)


def _stream_ages(f: Figures) -> Iterator[Sample]:
    for name, stream in f.ctx.venue.streams.items() if f.ctx else ():
        assert f.ctx is not None
        if stream.last_seen_ms:
            yield (name,), max(0, f.ctx.now_ms - stream.last_seen_ms) / 1000


def _reconnects(f: Figures) -> Iterator[Sample]:
    for name, stream in f.ctx.venue.streams.items() if f.ctx else ():
        yield (name,), stream.reconnects


def _data_ages(f: Figures) -> Iterator[Sample]:
    for name, market in f.ctx.markets.items() if f.ctx else ():
        assert f.ctx is not None
        seen_ms = {
            "spot_book": market.spot.seen_ms if market.spot else None,
            "swap_book": market.swap.seen_ms if market.swap else None,
            "mark_price": market.mark_seen_ms or None,
            "funding_rate": market.funding.seen_ms if market.funding else None,
        }
        for what, at_ms in seen_ms.items():
            if at_ms is not None:
                yield (name, what), max(0, f.ctx.now_ms - at_ms) / 1000


def _drift(ctx: Context) -> Decimal | None:
    drift = ctx.venue.rounds.drift_ms_day
    return None if drift is None else drift / 86_400_000


VENUE_METRICS: Final = (
    Metric("rest_request_seconds", "histogram", "Request sent to answer read, by family of endpoints.",
           lambda f: each(f.meters.rest_s.read()), ("family",)),
    Metric("rest_answers_total", "counter", "How requests ended: `answered`, `rejected` by its rules, "
           "`throttled`, `unauthorized`, `failed` without a usable answer.",
           lambda f: f.meters.answers.read().items(), ("family", "answer")),
    Metric("rest_throttle_seconds_total", "counter", "Waited for our own request budget before sending.",
           lambda f: f.meters.throttle_s.read().items(), ("family",)),
    Metric("rest_latency_seconds", "gauge", "Median round trip of the last ten minutes: what guards look at.",
           _seen(lambda ctx: ctx.venue.latency_ms / 1000)),
    Metric("max_latency_seconds", "gauge", "Above which nothing new is opened.",
           lambda f: one(f.thresholds.max_latency_s)),
    Metric("rate_limit_use_ratio", "gauge", "How full the busiest order budget is; 1 leaves nothing.",
           _seen(lambda ctx: ctx.venue.rate_use_ratio)),
    Metric("venue_errors", "gauge", "Requests without a usable answer in the last minute.",
           _seen(lambda ctx: ctx.venue.errors_1m)),
    Metric("venue_rejects", "gauge", "Refused orders and transfers in the last minute.",
           _seen(lambda ctx: ctx.venue.rejects_1m)),
    Metric("clock_offset_seconds", "gauge", "The venue's clock minus ours.",
           _seen(lambda ctx: Decimal(ctx.venue.clock_offset_ms) / 1000)),
    Metric("clock_drift_ratio", "gauge", "How fast our clock runs away from the venue's, seconds a second; "
           "known after some hours.", _seen(_drift)),
    Metric("maintenance", "gauge", "1 while an announced maintenance of the venue runs.",
           _seen(lambda ctx: int(ctx.venue.maintenance_at(ctx.now_ms) is not None))),
    Metric("usdt_usd_ratio", "gauge", "What a USDT is worth in dollars, by the venue's index.",
           _seen(lambda ctx: ctx.venue.rounds.usdt_usd)),
    Metric("stream_live", "gauge", "1 while a WebSocket connection is subscribed and heard.", _streams,
           ("stream",)),
    Metric("stream_age_seconds", "gauge", "Since the last frame of a connection.", _stream_ages, ("stream",)),
    Metric("stream_reconnects_total", "counter", "Connections after the first, by stream.", _reconnects,
           ("stream",)),
    Metric("stream_frames_total", "counter", "Frames received on all connections.",
           lambda f: one(f.done.frames)),
    Metric("push_seconds", "histogram", "The venue's time stamp to our reading of a push, the clocks' offset "
           "taken out, by channel.", lambda f: each(f.meters.pushes_s.read()), ("channel",)),
    Metric("data_age_seconds", "gauge", "Age of what is known of an instrument: `spot_book`, `swap_book`, "
           "`mark_price`, `funding_rate`.", _data_ages, ("instrument", "data")),
    Metric("max_data_age_seconds", "gauge", "Above which books and mark prices are too old to act on.",
           lambda f: one(f.thresholds.max_data_age_s)),
    Metric("account_age_seconds", "gauge", "Age of the picture of the account.",
           _seen(lambda ctx: (ctx.now_ms - ctx.account.seen_ms) / 1000 if ctx.account else None)),
)  # fmt: skip
