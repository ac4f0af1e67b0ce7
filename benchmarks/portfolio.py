"""What several coins over a few equal places earn by the engine's decisions, on recorded funding.

    python -m benchmarks.portfolio --tape DIR [--places 2] [--from 2020-01-01] [--to 2026-01-01] [--json]
        [--futures OUT,OUT] [--multi OUT,OUT]

Coins and costs are those of benchmarks/recorded.py, holes are handled as in capture.py; decisions those of
the engine's own functions with the settings of `config/` (strategy/portfolio.py). Per unit of the constant
swap notional of all places together, and per year of record: the net, the largest fall of the cumulated net,
and the same of each coin alone. `strategy.rotation.min_gain_bps` was chosen among 0, 10, 25, 50, 75, 100, 150
and 200 by the net of 2020 to 2022 with two places; `--from 2023-01-01` reports the other half.

Then what that is on capital (strategy/capital.py), for a swap notional that is held constant, first of the
sleeve alone and then of all capital, `core_ratio` of which is the sleeve. What moving margin and size after
the price comes to only the engine's own run counts: `--futures` and `--multi` name folders that
`main.py backtest --out` has left, of the coins that have candles, and their figures (benchmarks/capital.py)
stand beside.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from benchmarks import capital
from benchmarks.figures import Figure
from benchmarks.recorded import SWITCH_COST, Asked, run, settled_of
from config.schema import Settings
from core.types import DAY_MS
from scripts.sweep.record import holes_of
from strategy.capital import DISCOUNT, STRESS_RISE, futures_need, multi_need, multi_ratio
from strategy.portfolio import Journey, Portfolio
from strategy.rehearsal import Rehearsal

PLACES = 2
LEAST_A_YEAR, MOST_DRAWDOWN = 15.0, 1.0  # %, of notional
YEAR_MS = 365 * DAY_MS
NO_TARGET = -100.0


def records_of(tape: Path, settings: Settings, from_ms: int, to_ms: int) -> Mapping[str, Sequence[Rehearsal]]:
    """Per coin the stretches of its record without a hole."""
    records: dict[str, Sequence[Rehearsal]] = {}
    for coin, settled in settled_of(tape, from_ms, to_ms).items():
        stretches = holes_of([one.ts_ms for one in settled])
        records[coin] = [Rehearsal(settled[a:b], SWITCH_COST, settings.strategy) for a, b in stretches]
    return records


def years_of(journey: Journey) -> Decimal:
    """Years of record, without what is missing: instants are never more than a day apart inside of it."""
    times = [step.at_ms for step in journey.steps]
    gaps = (after - before for before, after in pairwise(times))
    return Decimal(sum(gap for gap in gaps if gap <= DAY_MS)) / YEAR_MS


def measure(records: Mapping[str, Sequence[Rehearsal]], settings: Settings, places: int) -> list[Figure]:
    """Net, drawdown and changes of the portfolio; each coin alone beside it; what it is on capital."""
    strategy = settings.strategy
    least = strategy.rotation.min_gain_bps if strategy.rotation.enabled else None
    whole = Portfolio(records, strategy, SWITCH_COST).play(places, least)
    net, fall = _a_year(whole), float(whole.max_drawdown) * 100
    figures = [
        Figure(f"net a year, {places} places", net, "% of notional", LEAST_A_YEAR, True),
        Figure("max drawdown", fall, "% of notional", MOST_DRAWDOWN, False),
        Figure("rotations", whole.rotations, "", 0, True),
        Figure(
            "net a year without rotation", _a_year(_still(records, settings, places)), "%", NO_TARGET, True
        ),
    ]
    figures += [
        Figure(f"net of {year}", float(amount) * 100, "% of notional", -1.0, True)
        for year, amount in whole.by_year().items()
    ]
    figures.append(Figure("allocation limits broken", _broken(whole, settings, places), "instants", 0, False))
    for coin in sorted(records):
        alone = Portfolio({coin: records[coin]}, strategy, SWITCH_COST).play(1)
        ratio = _ratio(alone)
        figures.append(Figure(f"{coin} alone, net a year", _a_year(alone), "% of notional", NO_TARGET, True))
        figures.append(Figure(f"return over drawdown, {coin} alone", ratio, "", _ratio(whole), False))
    figures.append(Figure("return over drawdown", _ratio(whole), "", 0, True))
    return figures + _on_capital(net, settings)


def _still(records: Mapping[str, Sequence[Rehearsal]], settings: Settings, places: int) -> Journey:
    return Portfolio(records, settings.strategy, SWITCH_COST).play(places)


def _a_year(journey: Journey) -> float:
    years = years_of(journey)
    return float(journey.net / years) * 100 if years else 0.0


def _ratio(journey: Journey) -> float:
    """Net a year over the largest fall; 0 without a fall, which is too little to tell."""
    fall = float(journey.max_drawdown) * 100
    return _a_year(journey) / fall if fall else 0.0


def _broken(journey: Journey, settings: Settings, places: int) -> int:
    """Instants with more hedges than places, a coin twice, or one beyond the concentration allowed."""
    caps = settings.risk.caps
    too_large = Decimal(1) / places > caps.max_concentration or places > caps.max_instruments
    return sum(
        bool(step.held) and (too_large or len(step.held) > places or len(set(step.held)) < len(step.held))
        for step in journey.steps
    )


def _on_capital(net: float, settings: Settings) -> list[Figure]:
    account = settings.account
    margin = account.futures_ratio / account.spot_ratio
    split, multi = futures_need(margin), multi_need(STRESS_RISE)
    after = multi_ratio(multi - 1, STRESS_RISE, DISCOUNT)
    whole = float(account.core_ratio)
    return [
        Figure(f"on capital, futures mode, {split:.2f} a notional", net / float(split), "%", NO_TARGET, True),
        Figure(
            f"on capital, multi-currency, {multi:.2f} a notional", net / float(multi), "%", NO_TARGET, True
        ),
        Figure("on all capital, futures mode", net / float(split) * whole, "%", NO_TARGET, True),
        Figure("on all capital, multi-currency", net / float(multi) * whole, "%", NO_TARGET, True),
        Figure("margin ratio after +50 %, multi-currency", float(after), "", 1 / 3, True),
    ]


def measured(asked: Asked, settings: Settings) -> list[Figure]:
    records = records_of(asked.tape, settings, asked.from_ms, asked.to_ms)
    figures = measure(records, settings, int(asked.options.get("--places", PLACES)))
    for option in ("--futures", "--multi"):
        if folders := asked.options.get(option):
            parts = [capital.read(Path(folder)) for folder in folders.split(",")]
            whose = f"own run, {parts[0].said['account']}"
            figures += [replace(one, name=f"{whose}: {one.name}") for one in capital.measure(parts)]
    return figures


if __name__ == "__main__":
    sys.exit(run(measured, sys.argv[1:]))
