"""What it earns, and where that came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from core.context import MarketView
from core.tally import Terms
from monitor.figures import Figures
from monitor.metrics.metric import Metric, Read, Sample, each, one

SIGNS: Final = {"funding": 1, "basis": 1, "fees": -1, "slippage": -1, "interest": -1, "other": 1}


def _pnl(f: Figures) -> Iterator[Sample]:
    for name, terms in f.money.items():
        for term, sign in SIGNS.items():
            yield (name, term), sign * getattr(terms, term)


def _sum_of(figure: Callable[[Terms], Decimal]) -> Read:
    def read(f: Figures) -> Iterator[Sample]:
        for name, terms in f.money.items():
            yield (name,), figure(terms)

    return read


def _of_markets(figure: Callable[[MarketView], Decimal | None]) -> Read:
    def read(f: Figures) -> Iterator[Sample]:
        for name, market in f.ctx.markets.items() if f.ctx else ():
            if (value := figure(market)) is not None:
                yield (name,), value

    return read


def _drawdown(f: Figures) -> Iterator[Sample]:
    if f.ctx is not None and f.ctx.breaker.peak_equity > 0:
        yield (), max(Decimal(0), 1 - f.ctx.equity / f.ctx.breaker.peak_equity)


def _expected(f: Figures) -> Iterator[Sample]:
    for line in f.status.settlements if f.status else ():
        if line.expected is not None:
            yield (line.instrument,), line.expected


def _until_settlement(f: Figures) -> Iterator[Sample]:
    for line in f.status.settlements if f.status else ():
        yield (line.instrument,), max(0, line.at_ms - f.now_ms) / 1000


MONEY_METRICS: Final = (
    Metric("equity_usdt", "gauge", "Both wallets, by our own books.",
           lambda f: one(f.status.equity if f.status else None)),
    Metric("trading_equity_usdt", "gauge", "The trading account alone, by our own books at present prices.",
           lambda f: one(f.ctx.equity if f.ctx else None)),
    Metric("equity_peak_usdt", "gauge", "The trading account's highest since the breaker's last reset, moved "
           "along with transfers.", lambda f: one(f.ctx.breaker.peak_equity if f.ctx else None)),
    Metric("drawdown_ratio", "gauge", "How far it is below that peak, a fraction.", _drawdown),
    Metric("day_pnl_usdt", "gauge", "Result of the UTC day, as the circuit breaker counts it.",
           lambda f: one(f.status.day_pnl if f.status else None)),
    Metric("unrealised_pnl_usdt", "gauge", "What the hedges held now have earned so far.",
           lambda f: one(f.status.unrealised_pnl if f.status else None)),
    Metric("pnl_usdt", "gauge", "Where money came from and went since the first start, by term; costs are "
           "negative, and all terms add up to the change of equity. Instrument \"\" is the account.", _pnl,
           ("instrument", "term")),
    Metric("funding_received_usdt", "gauge", "Funding received since the first start; falls when shorts pay.",
           _sum_of(lambda terms: terms.funding), ("instrument",)),
    Metric("fees_paid_usdt", "gauge", "Trading fees since the first start; falls with a rebate.",
           _sum_of(lambda terms: terms.fees), ("instrument",)),
    Metric("settlements_total", "counter", "Funding payments booked since the first start.",
           lambda f: one(f.status.totals.settlements if f.status else None)),
    Metric("capture_ratio", "gauge", "What the decisions kept of what perfect foresight would have earned "
           "over the same settlements, costs off; absent where nothing could be earned.",
           lambda f: each(f.capture), ("instrument",)),
    Metric("funding_rate_ratio", "gauge", "The venue's forecast for the next settlement, per interval; a "
           "short receives it while positive.", _of_markets(lambda m: m.funding.rate if m.funding else None),
           ("instrument",)),
    Metric("expected_funding_usdt", "gauge", "What the next settlement would pay the hedge held now.",
           _expected, ("instrument",)),
    Metric("settlement_seconds", "gauge", "Until the instrument's next settlement.", _until_settlement,
           ("instrument",)),
    Metric("basis_ratio", "gauge", "Swap mid over spot mid, minus 1.",
           _of_markets(lambda m: m.basis_bps / 10_000 if m.basis_bps is not None else None), ("instrument",)),
)  # fmt: skip
