"""The wiring of everything that lowers the permission by itself: lookout, ladder, patrol, crash loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping

from config.schema import Degradation, Settings
from core.clock import skips_of
from core.context import Permission, VenueHealth
from core.ladder import Ladder
from core.lookout import Lookout
from core.patrol import Patrol
from core.permission import Permissions
from core.ports import Clock, Journal, Notifier, Streams
from core.projections import Books
from core.types import FeeRates
from core.witness import Witness
from risk import Degradation as Judge
from scripts.ports import Line, Ports
from scripts.self_check import recheck

MINUTE_MS = 60_000
CRASH_LOOP = "crash_loop"


def build_patrol(
    settings: Settings,
    venue: Ports,
    journal: Journal,
    books: Books,
    fees: MutableMapping[str, FeeRates],
    clock: Clock,
    notifier: Notifier,
) -> Patrol:
    return Patrol(
        venue.market,
        venue.trading,
        journal,
        books,
        venue.markets,
        fees,
        clock,
        notifier,
        lambda: venue.rest.measure_offset(samples=1),
        settings.risk.degradation.ask_every_s,
    )


def build_lookout(
    settings: Settings,
    venue: Ports,
    permissions: Permissions,
    patrol: Patrol,
    streams: Streams,
    clock: Clock,
    look_every_s: float,
) -> Lookout:
    """`look_every_s` of engine time; every event looks, too."""
    limits = settings.risk.degradation
    return Lookout(
        judge=Judge(settings).judge,
        ladder=Ladder(permissions, limits.recover_s * 1000),
        permissions=permissions,
        witness=Witness(limits.max_jump_ratio, limits.samples),
        patrol=patrol,
        clock=clock,
        skipped_ms=skips_of(clock),
        renew=streams.renew,
        recheck=_recheck(venue),
        look_every_s=look_every_s,
        max_skip_ms=limits.max_skip_s * 1000,
        max_data_age_ms=limits.max_data_age_s * 1000,
    )


def _recheck(venue: Ports) -> Callable[[], Awaitable[str]]:
    async def ask() -> str:
        venue.rest.forgive_key()
        failed = await recheck(venue.market, None if venue.paper is not None else venue.trading)
        return "; ".join(f"{check.name}: {check.found}; {check.todo}" for check in failed)

    return ask


def hold_in_a_crash_loop(books: Books, permissions: Permissions, limits: Degradation, now_ms: int) -> None:
    """Too many starts after abnormal ends: whatever ends the process would do it again, and might send an
    order each time. Nothing is sent until the operator has looked."""
    crashes = books.crashes_since(now_ms - limits.crash_window_minutes * MINUTE_MS)
    if crashes >= limits.crashes:
        permissions.lower(
            CRASH_LOOP,
            Permission.HALTED,
            "the process keeps ending abnormally",
            until_operator=True,
            critical=True,
        )


def venue_health(rest: Line, streams: Streams, patrol: Patrol, now_ms: int) -> VenueHealth:
    figures = rest.health_figures(now_ms)
    return VenueHealth(
        streams=streams.health(),
        errors_1m=figures.errors_1m,
        rejects_1m=figures.rejects_1m,
        latency_ms=figures.latency_ms,
        clock_offset_ms=figures.clock_offset_ms,
        rate_use_ratio=figures.rate_use_ratio,
        maintenance=patrol.maintenance,
        throttled_1m=figures.throttled_1m,
        failing_since_ms=figures.failing_since_ms,
        shut_out_until_ms=figures.shut_out_until_ms,
        key_refusals=figures.key_refusals,
        rounds=patrol.rounds,
    )
