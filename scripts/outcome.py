"""What a run came to: the one object `--json` prints, and the lines a person reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from decimal import Decimal

from core.observer import prices_of
from core.tally import Terms
from monitor.pnl_tracker import Point
from monitor.summary import Counts, RunFacts, summary
from scripts.compose import App

MOST = Decimal("0.99")


def run_facts(
    app: App,
    mode: str,
    from_ms: int,
    to_ms: int,
    equity: tuple[Point, ...],
    before: Mapping[str, Terms],
    wall_s: float,
) -> RunFacts:
    """Collect the figures of a run from the books.

    equity  points net of transfers: what lies in the funding wallet is still ours.
    before  `money_of` when the run began: the books may be older than the run.
    """
    money, totals = money_of(app), app.engine.totals
    return RunFacts(
        mode=mode,
        instruments=app.markets.names,
        from_ms=from_ms,
        to_ms=to_ms,
        state=app.engine.state.value,
        permission=app.permissions.view.level.name,
        equity=equity,
        money=money[""] - before[""],
        counts=Counts(
            rounds=len(app.books.rounds),
            opens=totals.opens,
            closes=totals.closes,
            rebalances=totals.rebalances,
            orders=totals.orders,
            rejects=totals.rejects,
            scans=totals.scans,
            rest_requests=app.rest.requests,
            ws_messages=app.streams.frames,
        ),
        journal_head=app.journal.decision_head,
        wall_s=wall_s,
        unexplained=app.bookkeeper.unexplained,
        naked_ms=app.naked.longest_ms(from_ms, to_ms),
        naked_p99_ms=app.naked.percentile_ms(MOST, from_ms, to_ms),
        max_leverage=totals.max_leverage,
        violations=tuple(app.engine.violations),
        per_instrument={name: money[name] - before[name] for name in app.markets.names},
    )


def money_of(app: App) -> dict[str, Terms]:
    """The books' terms at present prices, by instrument; "" is the whole account."""
    prices = prices_of({name: app.markets.view(name) for name in app.markets.names})
    ledger = app.books.ledger
    return {"": ledger.terms(prices)} | {name: ledger.terms(prices, name) for name in app.markets.names}


def print_json(facts: RunFacts) -> None:
    """One object on the last line of stdout."""
    sys.stdout.write(json.dumps(summary(facts)) + "\n")
    sys.stdout.flush()
