"""Everything a person sees at a glance, frozen; the console, the page and runtime_state.json show it.

Built from one context and a few counters, so what is shown is what was decided on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from core.context import Context, HedgeView, PermissionView
from core.events import Decision, On, State
from core.facts import plain
from core.types import ZERO
from core.verdict import Verdict, refused
from monitor import formats
from monitor.health_check import Condition

STATE_FILE = "runtime_state.json"


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts since the first start of these books; money in USDT, fees a cost >= 0."""

    orders: int = 0
    rejects: int = 0
    scans: int = 0
    settlements: int = 0
    opens: int = 0
    closes: int = 0
    funding: Decimal = ZERO
    fees: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class HedgeLine:
    """One hedge. `margin_ratio` is the account's: in cross margin all swaps share their backing."""

    instrument: str
    spot_base: Decimal
    contracts: Decimal
    net_delta: Decimal
    drift_ratio: Decimal
    margin_ratio: Decimal | None
    notional: Decimal | None  # USDT at mark; None without a mark price
    funding: Decimal
    pnl: Decimal
    settlements: int
    opened_ms: int


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """An instrument's next funding time, with the venue's forecast; it is not booked before it is billed."""

    instrument: str
    at_ms: int
    rate: Decimal
    expected: Decimal | None  # USDT to the hedge held now; None without one


@dataclass(frozen=True, slots=True)
class CandidateLine:
    """What the strategy last thought of an instrument: `refusal` is the first no, None when it pays."""

    instrument: str
    rate: Decimal | None
    basis_bps: Decimal | None
    refusal: Verdict | None


@dataclass(frozen=True, slots=True)
class DecisionLine:
    at_ms: int
    on: On
    src: State
    dst: State
    instrument: str | None
    reason: str
    targets: int
    refused: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class StreamLine:
    name: str
    live: bool
    age_ms: int
    reconnects: int


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task of the engine: how long it has been at its present piece of work, 0 while it waits for one."""

    name: str
    age_ms: int
    dead: bool
    stuck: bool


@dataclass(frozen=True, slots=True)
class CauseLine:
    """One cause that lowers the permission."""

    cause: str
    level: str
    reason: str
    since_ms: int
    until_operator: bool


@dataclass(frozen=True, slots=True)
class Status:
    """The engine at `now_ms`. Amounts in USDT, times UTC ms by the engine's clock, ratios fractions.

    equity  the trading account by our own books, and the USDT in the funding wallet, where sweeps go.
    """

    now_ms: int
    mode: str
    state: State
    state_since_ms: int
    permission: str
    permission_reason: str
    permission_since_ms: int
    causes: tuple[CauseLine, ...]  # the strictest first, then the oldest
    equity: Decimal
    day_pnl: Decimal
    unrealised_pnl: Decimal
    margin_ratio: Decimal | None
    rounds_today: int
    losing_rounds: int
    breaker: str
    hedges: tuple[HedgeLine, ...]
    settlements: tuple[SettlementLine, ...]
    candidates: tuple[CandidateLine, ...]
    decisions: tuple[DecisionLine, ...]
    totals: Totals
    streams: tuple[StreamLine, ...]
    warnings: tuple[Condition, ...]
    tasks: tuple[TaskLine, ...] = ()
    loop_lag_ms: int = 0  # how long the event loop took to answer the last time it was asked
    rate_use_ratio: Decimal = ZERO  # of the venue's limits for our orders, the busiest one; 1 is full


def build_status(
    ctx: Context,
    mode: str,
    totals: Totals,
    decisions: Sequence[Decision] = (),
    warnings: Iterable[Condition] = (),
    tasks: Sequence[TaskLine] = (),
    loop_lag_ms: int = 0,
) -> Status:
    """Put together what a person wants to see.

    decisions  the latest ones, oldest first; shown newest first. The candidates' verdicts are the
               plan's, or those of the latest scan when this context was built without a plan.
    warnings   the answer of health_check.health.
    """
    today = ctx.breaker.day == formats.utc_day(ctx.now_ms)
    return Status(
        now_ms=ctx.now_ms,
        mode=mode,
        state=ctx.state,
        state_since_ms=ctx.state_since_ms,
        permission=ctx.permission.level.name,
        permission_reason=ctx.permission.reason,
        permission_since_ms=ctx.permission.since_ms,
        causes=cause_lines(ctx.causes),
        equity=ctx.equity + (ctx.account.funding_wallet.get("USDT", ZERO) if ctx.account else ZERO),
        day_pnl=ctx.breaker.day_pnl if today else ZERO,
        unrealised_pnl=sum((h.pnl for h in ctx.open_hedges), ZERO),
        margin_ratio=ctx.margin_ratio,
        rounds_today=ctx.breaker.rounds_today if today else 0,
        losing_rounds=ctx.breaker.losing_rounds,
        breaker=ctx.breaker.tripped,
        hedges=tuple(_hedge(ctx, hedge) for hedge in ctx.open_hedges),
        settlements=_settlements(ctx),
        candidates=_candidates(ctx, ctx.plan.verdicts or _last_scan(decisions)),
        decisions=tuple(_decision(d) for d in reversed(decisions)),
        totals=totals,
        streams=tuple(
            StreamLine(name, s.live, ctx.now_ms - s.last_seen_ms, s.reconnects)
            for name, s in sorted(ctx.venue.streams.items())
        ),
        warnings=tuple(warnings),
        tasks=tuple(tasks),
        loop_lag_ms=loop_lag_ms,
        rate_use_ratio=ctx.venue.rate_use_ratio,
    )


def cause_lines(causes: Mapping[str, PermissionView]) -> tuple[CauseLine, ...]:
    """Every cause that holds, the strictest first, then the oldest."""
    ordered = sorted(causes.items(), key=lambda item: (item[1].level, item[1].since_ms))
    return tuple(CauseLine(name, v.level.name, v.reason, v.since_ms, v.until_operator) for name, v in ordered)


def runtime_state(status: Status) -> dict[str, Any]:
    """The status as JSON can hold it, Decimals as text, plus the time in words. Never read back."""
    return {"now": formats.utc(status.now_ms), **plain(status)}


def write_runtime_state(status: Status, path: Path, redact: Callable[[str], str] = str) -> None:
    """Replace `path` (runtime_state.json) at once, so a reader never sees half a file. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    text = json.dumps(runtime_state(status), indent=2, ensure_ascii=False)
    beside.write_text(redact(text) + "\n", "utf-8")
    os.replace(beside, path)


def _hedge(ctx: Context, hedge: HedgeView) -> HedgeLine:
    market = ctx.markets.get(hedge.instrument)
    mark = market.mark_px if market else None
    return HedgeLine(
        instrument=hedge.instrument,
        spot_base=hedge.spot_base,
        contracts=hedge.contracts,
        net_delta=hedge.net_delta,
        drift_ratio=hedge.drift_ratio,
        margin_ratio=ctx.margin_ratio,
        notional=hedge.size * mark if mark is not None else None,
        funding=hedge.funding,
        pnl=hedge.pnl,
        settlements=hedge.settlements,
        opened_ms=hedge.opened_ms,
    )


def _settlements(ctx: Context) -> tuple[SettlementLine, ...]:
    lines = []
    for name, market in ctx.markets.items():
        quote, hedge = market.funding, ctx.hedges.get(name)
        if quote is None or quote.funding_time_ms < ctx.now_ms:
            continue
        expected = None
        if hedge is not None and hedge.short_base and market.mark_px is not None:
            expected = hedge.short_base * market.mark_px * quote.rate
        lines.append(SettlementLine(name, quote.funding_time_ms, quote.rate, expected))
    return tuple(sorted(lines, key=lambda line: (line.at_ms, line.instrument)))


def _last_scan(decisions: Sequence[Decision]) -> tuple[Verdict, ...]:
    return next((d.verdicts for d in reversed(decisions) if d.on is On.SCAN), ())


def _candidates(ctx: Context, verdicts: Iterable[Verdict]) -> tuple[CandidateLine, ...]:
    said: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.instrument is not None:
            said.setdefault(verdict.instrument, []).append(verdict)
    lines = []
    for name, spoken in said.items():
        market = ctx.markets.get(name)
        quote = market.funding if market else None
        lines.append(
            CandidateLine(
                instrument=name,
                rate=quote.rate if quote else None,
                basis_bps=market.basis_bps if market else None,
                refusal=next(iter(refused(tuple(spoken))), None),
            )
        )
    return tuple(lines)


def _decision(decision: Decision) -> DecisionLine:
    return DecisionLine(
        at_ms=decision.at_ms,
        on=decision.on,
        src=decision.src,
        dst=decision.dst,
        instrument=decision.instrument,
        reason=decision.reason,
        targets=len(decision.targets),
        refused=refused(decision.verdicts),
    )
