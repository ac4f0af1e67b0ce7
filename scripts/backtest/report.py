"""What a backtest shows: report.html for people, summary.json for programs, from one set of facts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from config.schema import MAX_LEVERAGE, Settings
from core.ledger import Prices
from core.observer import prices_of
from core.projections import Books
from core.tally import Trade
from core.types import SettledFunding
from exchange.sim.markets.source import FundingRecord, Gap, MarketSource
from exchange.sim.markets.tape import TapeMarket
from monitor.report.facts import Benchmark, Limits, ReportFacts, Round, Source, Way
from monitor.report.page import page
from monitor.report.results import report_object, results_of
from monitor.summary import RunFacts
from monitor.words import Language
from scripts.backtest.files import write_whole
from scripts.backtest.recorder import Recorder
from scripts.compose import App
from scripts.course import held_through, switch_cost_of
from strategy.exits import UNSUPERVISED_MS
from strategy.foresight import Course, course_of, perfect_foresight, segments_of
from strategy.rehearsal import KNOWN, MODES, Rehearsal

ALL: Final = 1 << 30


def write_report(folder: Path, facts: ReportFacts, language: Language) -> None:
    """report.html and summary.json."""
    results = results_of(facts)
    write_whole(folder / "report.html", page(facts, results, language))
    said = json.dumps(report_object(facts, results), indent=1, ensure_ascii=False)
    write_whole(folder / "summary.json", said + "\n")


def report_facts(
    run: RunFacts,
    recorder: Recorder,
    app: App,
    settings: Settings,
    market: MarketSource,
    changes: tuple[str, ...] = (),
) -> ReportFacts:
    """Collect what the books, the recorder and the tape say about a run."""
    prices = prices_of(app.markets.views())
    margin, ledger = settings.risk.margin, app.books.ledger
    return ReportFacts(
        run=run,
        exit_mode=settings.strategy.exit.mode,
        limits=Limits(
            rebalance_below=margin.rebalance_below,
            emergency_below=margin.emergency_below,
            red_line=1 / MAX_LEVERAGE,
            repair_deadline_s=float(settings.risk.execution.repair_deadline_s),
        ),
        trades=tuple(ledger.trades),
        settlements=tuple(ledger.settlements),
        samples=tuple(recorder.samples),
        stays=tuple(recorder.stays),
        spells=tuple(app.naked.spells),
        rounds=rounds_of(app.books, prices),
        benchmarks=benchmarks(run, ledger.trades, settings, market),
        sources=sources_of(market),
        holes=tuple((gap.begin_ms, gap.end_ms) for gap in market.gaps),
        changes=changes,
    )


def sources_of(market: MarketSource) -> tuple[Source, ...]:
    """Where a tape's prices come from; empty for a market that is made up."""
    if not isinstance(market, TapeMarket):
        return ()
    return tuple(
        Source(
            one.coin,
            one.venue,
            one.spot.bar_ms,
            one.mark.bar_ms if one.mark else None,
            tuple(sorted(one.feeds)),
        )
        for one in market.tapes
    )


def rounds_of(books: Books, prices: Prices) -> tuple[Round, ...]:
    """Closed rounds and what is held, oldest first."""
    closed = [
        Round(
            one.instrument, one.hedge_id, one.opened_ms, one.closed_ms, one.entry_notional,
            one.closing_terms, one.tally.settlements, one.reason, one.forced,
        )
        for one in books.rounds
    ]  # fmt: skip
    held = []
    for name in books.hedge_views(prices):
        one = books.hedge(name)
        assert one is not None, "a view is of an open hedge"
        terms = one.tally.terms(*(prices.get(name) or books.ledger.prices[name]))
        held.append(
            Round(name, one.hedge_id, one.opened_ms, None, one.entry_notional, terms, one.tally.settlements)
        )
    return tuple(sorted((*closed, *held), key=lambda one: (one.opened_ms, one.instrument)))


def benchmarks(
    run: RunFacts, trades: Sequence[Trade], settings: Settings, market: MarketSource
) -> tuple[Benchmark, ...]:
    """Each instrument's decisions beside perfect foresight and the exit modes; none without a tape."""
    if market.record is None:
        return ()
    found = (_benchmark(name, run, trades, settings, market.record, market.gaps) for name in run.instruments)
    return tuple(one for one in found if one is not None)


def _benchmark(
    name: str,
    run: RunFacts,
    trades: Sequence[Trade],
    settings: Settings,
    record: FundingRecord,
    gaps: Sequence[Gap],
) -> Benchmark | None:
    coin = name.partition("-")[0]
    rows = [SettledFunding(one.ts_ms, one.rate) for one in record.settled(coin, run.to_ms + 1, ALL)]
    before = sum(one.ts_ms <= run.from_ms for one in rows)
    rows, first = rows[max(0, before - KNOWN) :], min(before, KNOWN)
    times_ms = [one.ts_ms for one in rows[first:]]
    if not times_ms:
        return None
    own = [one for one in trades if one.instrument == name]
    cost = switch_cost_of(own)
    breaks = [(gap.begin_ms, gap.end_ms) for gap in gaps if gap.end_ms - gap.begin_ms > UNSUPERVISED_MS]
    segments = segments_of(times_ms, breaks)
    rehearsal = Rehearsal(rows, cost, settings.strategy, first, segments)
    held = held_through(own, times_ms)
    return Benchmark(
        instrument=name,
        settlements=len(times_ms),
        switch_cost=cost,
        run=_way(course_of(rehearsal.rates, held, cost, segments)),
        foresight=_way(perfect_foresight(rehearsal.rates, cost, segments)),
        modes={mode: _way(rehearsal.play(mode)) for mode in MODES},
    )


def _way(course: Course) -> Way:
    return Way(course.net, course.switches, course.settlements_held)
