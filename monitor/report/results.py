"""What a run came to: every figure of the report, reckoned once, for the page and for summary.json."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.naked import Spell
from core.tally import Terms
from core.types import ZERO
from monitor.formats import moment
from monitor.pnl_tracker import Point, net_apr, without_flows
from monitor.report import figures
from monitor.report.facts import TERMS, Benchmark, ReportFacts, Round, Way
from monitor.report.figures import Fall
from monitor.summary import summary, text


@dataclass(frozen=True, slots=True)
class Results:
    """The figures of a report. Money in USDT, ratios as fractions, None where a figure does not exist.

    curve      equity net of what came in and went out.   fall  its deepest.
    nets       net results of the closed rounds.          traded_usdt  value of all fills, both legs.
    captured   share of perfect foresight's result; the instruments' results at constant notional added.
    regrets    by exit mode: what it would have made minus what this run's decisions made, added likewise.
    months     funding by month ("2024-01") and instrument.
    in_state   ms spent in each state.
    """

    net_pnl: Decimal
    net_apr: Decimal
    curve: tuple[Point, ...]
    fall: Fall
    under_water_ms: int
    returns: tuple[float, ...]
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    omega: float | None
    nets: tuple[Decimal, ...]
    win_rate: float | None
    payoff: float | None
    expectancy: Decimal | None
    traded_usdt: Decimal
    traded_of: Mapping[str, Decimal]
    turnover: float | None
    captured: float | None
    regrets: Mapping[str, Decimal]
    lowest_margin: Decimal | None
    naked_ms: int
    months: Mapping[str, Mapping[str, Decimal]]
    in_state: Mapping[str, int]


def results_of(facts: ReportFacts) -> Results:
    """Reckon everything. Raises ValueError without equity points."""
    run = facts.run
    curve = without_flows(run.equity, run.flows)
    fall = figures.deepest_fall(curve)
    net = curve[-1][1] - curve[0][1]
    apr = net_apr(curve[0][1], net, run.to_ms - run.from_ms)
    returns = figures.daily_returns(curve)
    nets = tuple(one.terms.net for one in facts.rounds if one.closed_ms is not None)
    traded: dict[str, Decimal] = defaultdict(Decimal)
    for trade in facts.trades:
        traded[trade.instrument] += trade.base * trade.fill.px
    total = sum(traded.values(), ZERO)
    return Results(
        net_pnl=net,
        net_apr=apr,
        curve=curve,
        fall=fall,
        under_water_ms=figures.longest_under_water_ms(curve),
        returns=tuple(returns),
        sharpe=figures.sharpe(returns),
        sortino=figures.sortino(returns),
        calmar=figures.calmar(apr, fall.depth),
        omega=figures.omega(returns),
        nets=nets,
        win_rate=figures.win_rate(nets),
        payoff=figures.payoff(nets),
        expectancy=figures.expectancy(nets),
        traded_usdt=total,
        traded_of=dict(traded),
        turnover=figures.turnover(total, curve),
        captured=_captured(facts.benchmarks),
        regrets=_regrets(facts.benchmarks),
        lowest_margin=min(
            (s.margin_ratio for s in facts.samples if s.margin_ratio is not None), default=None
        ),
        naked_ms=sum(spell.lasted_ms for spell in facts.spells),
        months=_months(facts),
        in_state=_in_state(facts),
    )


def report_object(facts: ReportFacts, results: Results) -> dict[str, Any]:
    """summary.json: the run's summary with the figures of the report beside it.

    Amounts and fractions are decimal strings, statistics numbers, absent figures null, times UTC ms.
    """
    return {
        **summary(facts.run),
        "exit_mode": facts.exit_mode,
        "changes": list(facts.changes),
        "metrics": {
            "days": len(results.returns),
            "sharpe": results.sharpe,
            "sortino": results.sortino,
            "calmar": results.calmar,
            "omega": results.omega,
            "drawdown_peak_ms": results.fall.peak_ms,
            "drawdown_trough_ms": results.fall.trough_ms,
            "drawdown_recovered_ms": results.fall.recovered_ms,
            "recovery_ms": results.fall.recovery_ms,
            "under_water_ms": results.under_water_ms,
            "rounds_closed": len(results.nets),
            "win_rate": results.win_rate,
            "payoff": results.payoff,
            "expectancy": _text(results.expectancy),
            "traded_usdt": text(results.traded_usdt),
            "turnover_a_year": results.turnover,
            "capture_ratio": results.captured,
            "regret": {mode: text(value) for mode, value in results.regrets.items()},
            "lowest_margin_ratio": _text(results.lowest_margin),
            "naked_s": results.naked_ms / 1000,
        },
        "benchmarks": {one.instrument: _benchmark(one) for one in facts.benchmarks},
        "funding_by_month": {
            month: {name: text(amount) for name, amount in of.items()} for month, of in results.months.items()
        },
        "ms_in_state": dict(results.in_state),
        "naked": [_spell(one) for one in facts.spells],
        "rounds_table": [_round(one) for one in facts.rounds],
    }


def net_of(ways: Sequence[Way]) -> Decimal:
    return sum((way.net for way in ways), ZERO)


def _captured(benchmarks: Sequence[Benchmark]) -> float | None:
    return figures.capture(
        net_of([one.run for one in benchmarks]), net_of([one.foresight for one in benchmarks])
    )


def _regrets(benchmarks: Sequence[Benchmark]) -> dict[str, Decimal]:
    modes = benchmarks[0].modes if benchmarks else ()
    mine = net_of([one.run for one in benchmarks])
    return {mode: net_of([one.modes[mode] for one in benchmarks]) - mine for mode in modes}


def _months(facts: ReportFacts) -> dict[str, dict[str, Decimal]]:
    """Every month from the first settlement to the last, also those that paid nothing."""
    found: dict[str, dict[str, Decimal]] = {}
    names = sorted({one.instrument for one in facts.settlements})
    for one in facts.settlements:
        for month in _months_until(next(reversed(found), None), f"{moment(one.ts_ms):%Y-%m}"):
            found[month] = dict.fromkeys(names, ZERO)
        found[f"{moment(one.ts_ms):%Y-%m}"][one.instrument] += one.amount
    return found


def _months_until(last: str | None, month: str) -> list[str]:
    """The months after `last` up to `month`."""
    if last is None:
        return [month]
    missing = []
    while last < month:
        year, number = int(last[:4]), int(last[5:])
        last = f"{year + number // 12}-{number % 12 + 1:02d}"
        missing.append(last)
    return missing


def _in_state(facts: ReportFacts) -> dict[str, int]:
    spent: dict[str, int] = {}
    for stay in facts.stays:
        spent[stay.state.value] = spent.get(stay.state.value, 0) + stay.until_ms - stay.since_ms
    return spent


def _text(value: Decimal | None) -> str | None:
    return None if value is None else text(value)


def terms_text(terms: Terms) -> dict[str, str]:
    return {name: text(getattr(terms, name)) for name in TERMS} | {"net": text(terms.net)}


def _benchmark(one: Benchmark) -> dict[str, Any]:
    def way(of: Way) -> dict[str, Any]:
        return {"net": text(of.net), "switches": of.switches, "held": of.held}

    return {
        "settlements": one.settlements,
        "switch_cost": text(one.switch_cost),
        "run": way(one.run),
        "foresight": way(one.foresight),
        "modes": {mode: way(of) for mode, of in one.modes.items()},
        "capture_ratio": figures.capture(one.run.net, one.foresight.net),
        "regret": {mode: text(of.net - one.run.net) for mode, of in one.modes.items()},
    }


def _spell(one: Spell) -> dict[str, Any]:
    return {
        "instrument": one.instrument,
        "began_ms": one.began_ms,
        "ended_ms": one.ended_ms,
        "coins": text(one.coins),
    }


def _round(one: Round) -> dict[str, Any]:
    return {
        "instrument": one.instrument,
        "hedge_id": one.hedge_id,
        "opened_ms": one.opened_ms,
        "closed_ms": one.closed_ms,
        "notional": text(one.notional),
        **terms_text(one.terms),
        "settlements": one.settlements,
        "reason": one.reason,
        "forced": one.forced,
    }
