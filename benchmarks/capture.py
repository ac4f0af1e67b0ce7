"""How much of what perfect foresight earns the engine's decisions keep, on recorded funding.

    python -m benchmarks.capture --tape DIR [--from 2020-01-01] [--to 2026-01-01] [--json]

Per coin and exit mode the net result at constant swap notional over that of the best way through the same
settlements (strategy/foresight.py), both with 0.10 % spot and 0.05 % swap taker fees and a basis point of
spread and slippage a switch. Where the record has a hole a position is flat, and nothing learnt before it
is known after it. The decisions are those of the engine's own functions with the settings of `config/`
(strategy/rehearsal.py). The reversion half-life was chosen among 336, 720, 1440 and 2160 hours by the worst
coin's capture of 2020 to 2022; `--from 2023-01-01` reports the other half.

A capture above its target says that the decisions are sound, not what an account earns: size, margin,
basis and compounding are the backtest's to tell.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.recorded import SWITCH_COST, TARGETS, Asked, run, settled_of
from config.schema import Settings, Strategy
from core.types import ZERO, SettledFunding
from scripts.sweep.record import holes_of
from strategy.foresight import Course, Segments, course_of, perfect_foresight
from strategy.rehearsal import MODES, Rehearsal

LEAST_YEAR = -0.01  # of notional: no calendar year may be worse
NO_TARGET = -1.0  # of modes that are shown beside the default


def measure(tape: Path, strategy: Strategy, from_ms: int, to_ms: int) -> list[Figure]:
    """Capture of every coin and mode, and the worst calendar year of the default mode."""
    found = settled_of(tape, from_ms, to_ms)
    return [figure for coin, settled in found.items() for figure in _coin(coin, settled, strategy)]


def _coin(coin: str, settled: list[SettledFunding], strategy: Strategy) -> list[Figure]:
    if not settled:
        return []
    rates = [one.rate for one in settled]
    segments = holes_of([one.ts_ms for one in settled])
    best = perfect_foresight(rates, SWITCH_COST, segments).net
    courses = {mode: played(settled, segments, strategy, mode) for mode in MODES}
    figures = []
    for mode, course in courses.items():
        target = TARGETS[coin] if mode == strategy.exit.mode else NO_TARGET
        name = f"capture {coin} {mode}, {course.switches} switches"
        figures.append(Figure(name, float(course.net / best) if best else 1.0, "", target, True))
    worst = min(years_of(settled, courses[strategy.exit.mode], segments).values())
    return [*figures, Figure(f"worst year {coin}", float(worst), "of notional", LEAST_YEAR, True)]


def played(settled: Sequence[SettledFunding], segments: Segments, strategy: Strategy, mode: str) -> Course:
    """What a mode makes of the record; at the beginning of a segment it knows nothing of the ones before."""
    held = [
        now
        for first, end in segments
        for now in Rehearsal(settled[first:end], SWITCH_COST, strategy).play(mode).held
    ]
    return course_of([one.rate for one in settled], held, SWITCH_COST, segments)


def years_of(settled: Sequence[SettledFunding], course: Course, segments: Segments) -> dict[int, Decimal]:
    """The net result by calendar year, UTC; a switch costs in the year of the settlement before which, or at
    a segment's end after which, it is made."""
    years: dict[int, Decimal] = {}

    def add(n: int, amount: Decimal) -> None:
        year = datetime.fromtimestamp(settled[n].ts_ms / 1000, UTC).year
        years[year] = years.get(year, ZERO) + amount

    for first, end in segments:
        stands = False
        for n in range(first, end):
            held = course.held[n]
            add(n, (settled[n].rate if held else ZERO) - SWITCH_COST * (held is not stands))
            stands = held
        add(end - 1, -SWITCH_COST * stands)
    return years


def measured(asked: Asked, settings: Settings) -> list[Figure]:
    return measure(asked.tape, settings.strategy, asked.from_ms, asked.to_ms)


if __name__ == "__main__":
    sys.exit(run(measured, sys.argv[1:]))
