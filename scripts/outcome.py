"""What a run came to: the one object `--json` prints, and the lines a person reads."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from decimal import Decimal

from core.facts import Kind, Row
from core.observer import prices_of
from core.tally import Terms
from core.types import ZERO
from monitor.pnl_tracker import EquityCurve
from monitor.summary import Counts, RunFacts, summary
from scripts.compose import App

MOST = Decimal("0.99")


class Reckoning:
    """What a run comes to, from the start of its first engine to the end of its last: a change of the
    configuration begins another engine of the process, not another run.

    Begins to count real seconds when it is made. Equity is net of transfers: what lies in the funding wallet
    is still ours.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._began_s = monotonic, monotonic()
        self._curve, self._last_ms = EquityCurve(), 0
        self._from_ms: int | None = None
        self._before: dict[str, Terms] = {}  # the books may be older than the run
        self._rounds_before = 0
        self._names: dict[str, None] = {}  # of the instruments, in the order they came in
        self._counts, self._most_leverage, self._violations = Counts(), ZERO, list[str]()

    def begin(self, app: App, now_ms: int) -> None:
        """Take the run up with this engine, which has decided nothing yet."""
        if self._from_ms is None:
            self._from_ms, self._before = now_ms, money_of(app, app.books.ledger.instruments)
            self._rounds_before = len(app.books.rounds)
            self._add(now_ms, own_equity(app))
        self._names |= dict.fromkeys(app.markets.names)

        def on_row(row: Row) -> None:
            if row.kind is Kind.EQUITY:
                self._add(row.at_ms, Decimal(row.body["equity"]) - app.books.ledger.transfers)

        app.journal.listeners.append(on_row)

    def end(self, app: App, mode: str, now_ms: int) -> RunFacts:
        """The run as it stands at the end of this engine."""
        assert self._from_ms is not None
        self._add(now_ms, own_equity(app))
        totals = app.engine.totals
        self._counts = _sum(
            self._counts,
            Counts(
                opens=totals.opens,
                closes=totals.closes,
                rebalances=totals.rebalances,
                orders=totals.orders,
                rejects=totals.rejects,
                scans=totals.scans,
                rest_requests=app.rest.requests,
                ws_messages=app.streams.frames,
            ),
        )
        self._most_leverage = max(self._most_leverage, totals.max_leverage)
        self._violations += app.engine.violations
        money = money_of(app, self._names)
        account = app.engine.glance().account
        return RunFacts(
            mode=mode,
            instruments=tuple(self._names),
            from_ms=self._from_ms,
            to_ms=now_ms,
            state=app.engine.state.value,
            permission=app.permissions.view.level.name,
            equity=self._curve.points,
            money=self._earned(money, ""),
            counts=replace(self._counts, rounds=len(app.books.rounds) - self._rounds_before),
            journal_head=app.journal.decision_head,
            wall_s=self._monotonic() - self._began_s,
            unexplained=app.bookkeeper.unexplained,
            naked_ms=app.naked.longest_ms(self._from_ms, now_ms),
            naked_p99_ms=app.naked.percentile_ms(MOST, self._from_ms, now_ms),
            max_leverage=self._most_leverage,
            violations=tuple(self._violations),
            account=account.mode.value if account is not None else "unknown",
            per_instrument={name: self._earned(money, name) for name in self._names},
        )

    def _earned(self, money: Mapping[str, Terms], name: str) -> Terms:
        return money[name] - self._before.get(name, Terms())

    def _add(self, at_ms: int, equity: Decimal) -> None:
        """A point of the curve; the clock of a later engine may stand a little behind."""
        self._last_ms = max(self._last_ms, at_ms)
        self._curve.add(self._last_ms, equity)


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(**{f.name: getattr(one, f.name) + getattr(other, f.name) for f in fields(Counts)})


def own_equity(app: App) -> Decimal:
    """Equity net of transfers."""
    return app.books.ledger.equity(_prices(app)) - app.books.ledger.transfers


def money_of(app: App, names: Iterable[str] = ()) -> dict[str, Terms]:
    """The books' terms at present prices, by instrument; "" is the whole account.

    names  of instruments besides those that are watched: what they brought stays in the books.
    """
    prices, ledger = _prices(app), app.books.ledger
    money = {name: ledger.terms(prices, name) for name in (*app.markets.names, *names)}
    return {"": ledger.terms(prices)} | money


def _prices(app: App) -> dict[str, tuple[Decimal, Decimal]]:
    return prices_of(app.markets.views())


def print_json(facts: RunFacts) -> None:
    """One object on the last line of stdout."""
    sys.stdout.write(json.dumps(summary(facts)) + "\n")
    sys.stdout.flush()
