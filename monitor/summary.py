"""The one object a run prints on its last line with `--json`; docs/architecture.md names its keys.

Amounts and ratios are decimal strings (USDT, fractions), times UTC ms, counts and seconds numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.tally import Terms
from core.types import ZERO
from monitor.pnl_tracker import Point, max_drawdown, net_apr, without_flows

PLACES = Decimal("1e-10")  # finer than the books' own 1e-8, so that rounded terms still add up to it


@dataclass(frozen=True, slots=True)
class Counts:
    """What was done. A round is an opening and its closing."""

    rounds: int = 0
    opens: int = 0
    closes: int = 0
    rebalances: int = 0
    orders: int = 0
    rejects: int = 0
    scans: int = 0
    rest_requests: int = 0
    ws_messages: int = 0


@dataclass(frozen=True, slots=True)
class RunFacts:
    """Everything a summary is made of.

    equity       (ts_ms, equity) oldest first, with a point at the start and one at the end.
    flows        (ts_ms, amount) of money in (+) and out (-) during the run.
    unexplained  difference between our books and the venue's, USDT.
    naked_ms     longest time any leg stood naked beyond one lot, by the venue's times and for every cause;
                 99 of 100 such times were no longer than `naked_p99_ms`.
    wall_s       real seconds the run took.
    path         full, or fast: a backtest that leapt over what could not change anything.
    account      what backed the swaps at the end: futures, USDT alone; multi, every coin at its discount.
    instants     at how many instants a backtest's engine had its turn; 0 where nobody counts.
    """

    mode: str
    instruments: tuple[str, ...]
    from_ms: int
    to_ms: int
    state: str
    permission: str
    equity: tuple[Point, ...]
    money: Terms
    counts: Counts
    journal_head: str
    wall_s: float
    unexplained: Decimal = ZERO
    naked_ms: int = 0
    naked_p99_ms: int = 0
    max_leverage: Decimal = ZERO
    flows: tuple[Point, ...] = ()
    violations: tuple[str, ...] = ()
    per_instrument: Mapping[str, Terms] = field(default_factory=dict)
    path: str = "full"
    instants: int = 0
    account: str = "unknown"


def summary(run: RunFacts) -> dict[str, Any]:
    """Return the summary object, keys in the documented order. Raises ValueError without equity points."""
    if not run.equity:
        raise ValueError("a summary needs the equity at start and end")
    curve = without_flows(run.equity, run.flows)
    start, net_pnl = curve[0][1], curve[-1][1] - curve[0][1]
    counts = run.counts
    return {
        "mode": run.mode,
        "account": run.account,
        "instruments": list(run.instruments),
        "from_ms": run.from_ms,
        "to_ms": run.to_ms,
        "state": run.state,
        "permission": run.permission,
        "equity_start": text(start),
        "equity_end": text(run.equity[-1][1]),
        "net_pnl": text(net_pnl),
        "net_apr": text(net_apr(start, net_pnl, run.to_ms - run.from_ms)),
        "max_drawdown": text(max_drawdown(curve)),
        **_terms(run.money),
        "unexplained": text(run.unexplained),
        "rounds": counts.rounds,
        "opens": counts.opens,
        "closes": counts.closes,
        "rebalances": counts.rebalances,
        "orders": counts.orders,
        "rejects": counts.rejects,
        "max_naked_s": run.naked_ms / 1000,
        "naked_p99_s": run.naked_p99_ms / 1000,
        "max_leverage": text(run.max_leverage),
        "scans": counts.scans,
        "rest_requests": counts.rest_requests,
        "ws_messages": counts.ws_messages,
        "violations": list(run.violations),
        "journal_head": run.journal_head,
        "wall_s": round(run.wall_s, 3),
        "path": run.path,
        "instants": run.instants,
        "per_instrument": {name: _terms(money) for name, money in sorted(run.per_instrument.items())},
    }


def text(value: Decimal) -> str:
    """A decimal string without exponent, at most ten decimals, no trailing zeros: 12.5, 0, -0.00000001."""
    return f"{value.quantize(PLACES):zf}".rstrip("0").rstrip(".")


def _terms(money: Terms) -> dict[str, str]:
    return {
        "funding": text(money.funding),
        "basis": text(money.basis),
        "fees": text(money.fees),
        "slippage": text(money.slippage),
        "interest": text(money.interest),
        "other": text(money.other),
    }
