"""How well the engine is, as a list of conditions. Pure: the same facts give the same list.

A condition has a name that stays the same while it lasts, so that it is told once and its end is told
once (`changes`). Nothing is left out because it is awkward: what is not known is a condition too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from config.schema import Risk
from core.context import Context, HedgeView, Permission
from core.ports import Notifier
from monitor.texts import render
from monitor.words import Language

Level = Literal["info", "warning", "critical"]

JOURNAL_LAG_MS = 2_000  # fsync takes about a millisecond; seconds mean a sick disk
LOOP_LAG_MS = 5_000  # a loop that is away for longer misses pings
RATE_PRESSURE = Decimal("0.8")
TOLD_BY_ENGINE = frozenset({"permission", "breaker", "missed_ticks"})
SCANS_LATE = 2  # scan periods without a scan


@dataclass(frozen=True, slots=True)
class HealthFacts:
    """What a context does not show: the engine's own machinery.

    journal_lag_ms  how long the oldest row has waited for the disk beyond what rows may linger.
    last_scan_ms    when a scan was last decided, None before the first.
    missed_ticks    scheduled ticks lost since the last look.
    channels_down   message channels whose deliveries fail.
    tasks_dead      tasks of the engine that ended though they must not.
    tasks_stuck     tasks that have been at one piece of work for too long.
    loop_lag_ms     how long the event loop took to answer, the worst since the last look.
    on_reserve      the disk was full; the journal stands in the room kept for that.
    """

    journal_failed: bool = False
    journal_lag_ms: int = 0
    last_scan_ms: int | None = None
    scan_every_ms: int = 300_000
    missed_ticks: int = 0
    channels_down: tuple[str, ...] = ()
    on_reserve: bool = False
    tasks_dead: tuple[str, ...] = ()
    tasks_stuck: tuple[str, ...] = ()
    loop_lag_ms: int = 0


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is not as it should be, since `since_ms` (UTC, engine clock)."""

    name: str
    level: Level
    since_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class _Finding:
    """A condition before it knows its text; `since_ms` None means: as long as we have seen it."""

    name: str
    level: Level
    fields: dict[str, object]
    since_ms: int | None = None


def health(
    ctx: Context,
    facts: HealthFacts,
    limits: Risk,
    before: Iterable[Condition] = (),
    language: Language = "en",
) -> tuple[Condition, ...]:
    """Return every condition that holds now, the worst first.

    `before` is the last answer: a condition whose beginning no fact tells keeps the time it was first
    seen. Limits are those the guards use, so a refused opening and its condition agree.
    """
    seen = {condition.name: condition.since_ms for condition in before}
    found = [
        Condition(
            finding.name,
            finding.level,
            seen.get(finding.name, ctx.now_ms) if finding.since_ms is None else finding.since_ms,
            render(f"health.{finding.name}", finding.fields, language),
        )
        for look in (_hearing, _holding, _venue, _leave, _machinery)
        for finding in look(ctx, facts, limits)
    ]
    return tuple(sorted(found, key=lambda c: ("critical", "warning", "info").index(c.level)))


def changes(
    before: Iterable[Condition], after: Iterable[Condition]
) -> tuple[tuple[Condition, ...], tuple[Condition, ...]]:
    """Return (conditions that began or got worse, conditions that ended)."""
    old = {c.name: c for c in before}
    new = {c.name: c for c in after}
    began = tuple(c for name, c in new.items() if name not in old or _worse(c, old[name]))
    ended = tuple(c for name, c in old.items() if name not in new)
    return began, ended


def announce(
    notifier: Notifier, before: Iterable[Condition], after: Iterable[Condition], now_ms: int
) -> None:
    """Tell what began and what ended, except what the engine tells itself at the moment it happens."""
    began, ended = changes(before, after)
    for condition in began:
        if condition.name not in TOLD_BY_ENGINE:
            begun = {"condition": condition.name, "what": condition.name, "detail": condition.text}
            notifier.tell("trouble", condition.level, begun)
    for condition in ended:
        if condition.name not in TOLD_BY_ENGINE:
            lasted_ms = now_ms - condition.since_ms
            over = {"condition": condition.name, "what": condition.name, "lasted_ms": lasted_ms}
            notifier.tell("recovered", "info", over)


def _worse(now: Condition, then: Condition) -> bool:
    return now.level == "critical" and then.level != "critical"


def _hearing(ctx: Context, facts: HealthFacts, limits: Risk) -> Iterator[_Finding]:
    down = {name: s for name, s in ctx.venue.streams.items() if not s.live}
    if down:
        since = min(s.last_seen_ms for s in down.values())
        yield _Finding("stream_down", "warning", {"streams": sorted(down)}, since)

    max_age_ms = limits.exchange.max_market_age_s * 1000
    ages = {name: market.age_ms(ctx.now_ms) for name, market in ctx.markets.items()}
    # A market never seen is as old as the context's state: there is no earlier time to name.
    waited_ms = ctx.now_ms - ctx.state_since_ms
    stale = {n: waited_ms if a is None else a for n, a in ages.items() if a is None or a > max_age_ms}
    if stale:
        oldest = max(stale.values())
        level: Level = "critical" if any(h.instrument in stale for h in ctx.open_hedges) else "warning"
        yield _Finding(
            "market_stale", level, {"instruments": sorted(stale), "age_ms": oldest}, ctx.now_ms - oldest
        )

    level = "critical" if ctx.open_hedges else "warning"
    if ctx.account is None:
        yield _Finding("account_unknown", level, {})
    elif (age_ms := ctx.now_ms - ctx.account.seen_ms) > limits.margin.max_age_s * 1000:
        yield _Finding("account_stale", level, {"age_ms": age_ms}, ctx.account.seen_ms)


def _holding(ctx: Context, facts: HealthFacts, limits: Risk) -> Iterator[_Finding]:
    ratio, margin = ctx.margin_ratio, limits.margin
    if ratio is not None and ratio < margin.rebalance_below:
        critical = ratio < margin.emergency_below
        floor = margin.emergency_below if critical else margin.rebalance_below
        yield _Finding("margin_low", "critical" if critical else "warning", {"ratio": ratio, "floor": floor})
    naked = sorted(h.instrument for h in ctx.open_hedges if _is_naked(ctx, h))
    if naked:
        yield _Finding("unhedged", "critical", {"instruments": naked})
    if ctx.unresolved_orders:
        yield _Finding("unresolved_orders", "warning", {"count": ctx.unresolved_orders})
    if ctx.unexplained:
        yield _Finding("unexplained", "critical", {"reason": ctx.unexplained})


def _is_naked(ctx: Context, hedge: HedgeView) -> bool:
    market = ctx.markets.get(hedge.instrument)
    # Less than a lot cannot be hedged away; without the instrument's rules nothing is called small.
    return abs(hedge.net_delta) >= market.pair.swap.step if market else bool(hedge.net_delta)


def _venue(ctx: Context, facts: HealthFacts, limits: Risk) -> Iterator[_Finding]:
    venue, allowed = ctx.venue, limits.exchange
    if abs(venue.clock_offset_ms) > allowed.max_clock_offset_ms:
        yield _Finding("clock_offset", "warning", {"offset_ms": venue.clock_offset_ms})
    drift = venue.rounds.drift_ms_day
    if drift is not None and abs(drift) > limits.degradation.max_drift_ms_day:
        yield _Finding("clock_drift", "warning", {"drift_ms": drift})
    if venue.latency_ms > limits.degradation.latency_notice_ms:
        slow: Level = "warning" if venue.latency_ms > allowed.max_latency_ms else "info"
        yield _Finding("latency", slow, {"latency_ms": round(venue.latency_ms)})
    if venue.errors_1m >= allowed.max_errors_per_minute or venue.rejects_1m >= allowed.max_rejects_per_minute:
        yield _Finding("venue_errors", "warning", {"errors": venue.errors_1m, "rejects": venue.rejects_1m})
    if venue.rate_use_ratio >= RATE_PRESSURE:
        yield _Finding("rate_pressure", "warning", {"use": venue.rate_use_ratio})
    lead_ms = allowed.maintenance_lead_minutes * 60_000
    near = [w for w in venue.maintenance if w.covers(ctx.now_ms, lead_ms)]
    if near:
        first = min(near, key=lambda w: w.begin_ms)
        fields: dict[str, object] = {"title": first.title, "begin_ms": first.begin_ms}
        yield _Finding("maintenance", "warning", fields)


def _leave(ctx: Context, facts: HealthFacts, limits: Risk) -> Iterator[_Finding]:
    leave = ctx.permission
    if leave.level is not Permission.FULL:
        level: Level = "warning" if leave.level is Permission.NO_NEW_RISK else "critical"
        several = len(ctx.causes) > 1
        causes = ", ".join(sorted(ctx.causes)) if several else ""
        fields: dict[str, object] = {"level": leave.level.name, "reason": leave.reason, "causes": causes}
        yield _Finding("permission", level, fields, leave.since_ms)
    if ctx.breaker.tripped:
        yield _Finding("breaker", "warning", {"reason": ctx.breaker.tripped}, ctx.breaker.tripped_ms)


def _machinery(ctx: Context, facts: HealthFacts, limits: Risk) -> Iterator[_Finding]:
    if facts.journal_failed:
        yield _Finding("journal_failed", "critical", {})
    elif facts.journal_lag_ms > JOURNAL_LAG_MS:
        since = ctx.now_ms - facts.journal_lag_ms
        yield _Finding("journal_lag", "warning", {"lag_ms": facts.journal_lag_ms}, since)
    if facts.tasks_dead:
        yield _Finding("task_dead", "critical", {"tasks": sorted(facts.tasks_dead)})
    if facts.tasks_stuck:
        yield _Finding("task_stuck", "critical", {"tasks": sorted(facts.tasks_stuck)})
    if facts.loop_lag_ms > LOOP_LAG_MS:
        yield _Finding("loop_lag", "warning", {"lag_ms": facts.loop_lag_ms})
    if facts.on_reserve:
        yield _Finding("disk_full", "critical", {})
    if facts.missed_ticks:
        yield _Finding("missed_ticks", "warning", {"count": facts.missed_ticks})
    if facts.last_scan_ms is not None:
        age_ms = ctx.now_ms - facts.last_scan_ms
        if age_ms > SCANS_LATE * facts.scan_every_ms:
            yield _Finding("scan_late", "warning", {"age_ms": age_ms}, facts.last_scan_ms)
    if facts.channels_down:
        yield _Finding("channel_down", "warning", {"channels": sorted(facts.channels_down)})
