"""The best set where things go worse than they did: the same decisions, on a record made worse."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from config.schema import Strategy
from core.types import BPS, DAY_MS, SettledFunding
from scripts.sweep.record import Record, Span, Stretch
from scripts.sweep.scoring import Bench

NEGATIVE_DAYS: Final = 30
BEFORE_DAYS, AFTER_DAYS = 30, 60  # of a stressed month that is played with it
MOST_STARTS: Final = 12
BLOW_OUT_BPS: Final = Decimal(200)
BLOW_OUT_DAYS: Final = 3

Judge = Callable[[Sequence[float]], float]  # of several instruments: the worst, or the mean


@dataclass(frozen=True, slots=True)
class Stress:
    """One scenario. `effect`: what it does to the net, a fraction of the notional; `figures` say of when and
    how much. Per year where the scenario lasts for the whole record, else of the one event."""

    name: str
    effect: float
    per_year: bool
    figures: Mapping[str, int | float]


def stresses(bench: Bench, strategy: Strategy, judge: Judge) -> tuple[Stress, ...]:
    """Every scenario for one set."""
    return (
        dear_fees(bench, strategy, judge),
        negative_funding(bench, strategy, judge),
        basis_blow_out(bench, strategy),
    )


def dear_fees(bench: Bench, strategy: Strategy, judge: Judge) -> Stress:
    """Every switch costs double, and the decisions know it."""
    dear = Bench(bench.records, 2 * bench.switch_cost)
    effect = _judged(dear, strategy, judge) - _judged(bench, strategy, judge)
    return Stress("fees_x2", effect, True, {"bps": float(2 * bench.switch_cost * BPS)})


def negative_funding(bench: Bench, strategy: Strategy, judge: Judge) -> Stress:
    """Every rate of a month turns against the short, at twelve places of the record; the worst counts.

    Each is played with a month before and two after it, flat at both ends, as it was and as it is turned.
    """
    begin, end = bench.first_day + BEFORE_DAYS, bench.last_day - NEGATIVE_DAYS - AFTER_DAYS
    worst = Stress(f"negative_{NEGATIVE_DAYS}_days", 0.0, False, {"starts": 0})
    if end <= begin:
        return worst
    every = max(1, (end - begin) // MOST_STARTS)
    effects = []
    for day in range(begin, end, every):
        span = ((day - BEFORE_DAYS) * DAY_MS, (day + NEGATIVE_DAYS + AFTER_DAYS) * DAY_MS)
        turned = (day * DAY_MS, (day + NEGATIVE_DAYS) * DAY_MS)
        calm = bench.within([span])
        bad = Bench([_turned(record, turned) for record in calm.records], bench.switch_cost)
        if calm.records:
            effects.append((_net(bad, strategy, judge) - _net(calm, strategy, judge), day))
    if not effects:
        return worst
    effect, day = min(effects)
    figures = {"starts": len(effects), "from_ms": day * DAY_MS, "days": NEGATIVE_DAYS}
    return Stress(worst.name, effect, False, figures)


def basis_blow_out(bench: Bench, strategy: Strategy) -> Stress:
    """Swap and spot stand so far apart for some days, and every closing within them pays for it.

    Placed where the most closings fall. Who holds on sees the same as a fall on paper, and has it back.
    """
    times = sorted(at for record in bench.closings(strategy) for at in record)
    most = max(
        (sum(begin <= at < begin + BLOW_OUT_DAYS * DAY_MS for at in times) for begin in times), default=0
    )
    effect = -most * float(BLOW_OUT_BPS / BPS) / len(bench.records)
    figures = {"bps": int(BLOW_OUT_BPS), "days": BLOW_OUT_DAYS, "closings": most}
    return Stress("basis_blow_out", effect, False, figures)


def _turned(record: Record, span: Span) -> Record:
    def of(stretch: Stretch) -> Stretch:
        settled = tuple(
            SettledFunding(one.ts_ms, -abs(one.rate)) if span[0] <= one.ts_ms < span[1] else one
            for one in stretch.settled
        )
        return Stretch(settled, stretch.first)

    return Record(record.instrument, tuple(of(one) for one in record.stretches))


def _judged(bench: Bench, strategy: Strategy, judge: Judge) -> float:
    score = bench.scores([strategy])[0]
    return judge([one.net_per_year for one in score.results.values()])


def _net(bench: Bench, strategy: Strategy, judge: Judge) -> float:
    return judge([sum(float(part.play([strategy]).net[0]) for part in parts) for parts in bench.columns])
