"""What a run came to: the one object `--json` prints, and the lines a person reads."""

from __future__ import annotations

import json
import sys

from core.bookkeeper import UNEXPLAINED_USDT
from core.observer import prices_of
from monitor.pnl_tracker import Point
from monitor.summary import Counts, RunFacts, summary
from scripts.compose import App


def run_facts(
    app: App,
    mode: str,
    from_ms: int,
    to_ms: int,
    equity: tuple[Point, ...],
    wall_s: float,
) -> RunFacts:
    """Collect the figures of a run from the books. Money terms are those of the whole journal.

    equity  points net of transfers: what lies in the funding wallet is still ours.
    """
    prices = prices_of({name: app.markets.view(name) for name in app.markets.names})
    ledger, totals = app.books.ledger, app.engine.totals
    unexplained = app.bookkeeper.unexplained
    return RunFacts(
        mode=mode,
        instruments=app.markets.names,
        from_ms=from_ms,
        to_ms=to_ms,
        state=app.engine.state.value,
        permission=app.permissions.view.level.name,
        equity=equity,
        money=ledger.terms(prices),
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
        unexplained=unexplained if abs(unexplained) > UNEXPLAINED_USDT else 0 * unexplained,
        naked_ms=totals.max_naked_ms,
        max_leverage=totals.max_leverage,
        violations=tuple(app.engine.violations),
        per_instrument={name: ledger.terms(prices, name) for name in app.markets.names},
    )


def print_json(facts: RunFacts) -> None:
    """One object on the last line of stdout."""
    sys.stdout.write(json.dumps(summary(facts)) + "\n")
    sys.stdout.flush()
