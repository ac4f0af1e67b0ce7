"""Walk-forward of a module: its declared parameters are chosen on one part of the time, judged on the next.

Sets are drawn once, from the ranges the module declares; the first is the default. Every part but the first
is judged by the set that was best on all before it. What was chosen on ends `PURGE_MS` before the judged part
begins, the longest a position is held, so that every trade chosen on was over by then (sweep/splits.py).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from statistics import pvariance
from typing import Final

from core.errors import UsageError
from core.types import DAY_MS
from scripts.modules.book import Desk, play
from scripts.modules.measures import FEWEST, Figures, figures_of, moments, t_value
from scripts.modules.subjects import Settings, Subject, own_way
from scripts.modules.trade import Trade
from scripts.sweep.record import Span
from scripts.sweep.splits import Split, walk_forward
from strategy.auxiliary.language import Parameter, Signal

PURGE_MS: Final = 30 * DAY_MS
EMBARGO_MS: Final = DAY_MS
KEPT: Final = 0.5  # share of the parameters a drawn set leaves at their default
DRAWS: Final = 50  # for one set, until the module takes it
_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Part:
    """One judged part. `chosen`: settings that differ from the default. `chosen_t`: where it was chosen."""

    judged_on: Span
    chosen: Settings
    chosen_t: float
    judged: Figures
    usual: Figures  # the default on the same part


@dataclass(frozen=True, slots=True)
class Walk:
    """`judged` and `usual`: all judged parts together. `best_merit`: of the best set on the whole time, as if
    it had been the only one tried, and with the number of sets tried taken into account."""

    sets: int
    parts: tuple[Part, ...]
    judged: Figures
    usual: Figures
    best: Settings
    best_figures: Figures
    best_naive_merit: float | None


@dataclass(frozen=True, slots=True)
class Heard:
    """One set: what it was, and every proposal it led to."""

    settings: Settings
    signals: tuple[Signal, ...]


def drawn(subject: Subject, sets: int, seed: int) -> list[Settings]:
    """Return so many sets, the default first. The same seed draws the same sets."""
    dice = random.Random(f"{subject.name} {seed}")
    found: list[Settings] = [{}]
    parameters = subject.make({}).parameters
    while len(found) < sets:
        for _ in range(DRAWS):
            values = {each.name: _value(each, dice) for each in parameters if dice.random() >= KEPT}
            if _is_taken(subject, values) and values not in found:
                found.append(values)
                break
        else:
            break  # the module has no more sets than this
    return found


def _value(parameter: Parameter, dice: random.Random) -> Decimal:
    part = Decimal(repr(dice.random()))
    value = parameter.least + (parameter.most - parameter.least) * part
    value = value.to_integral_value() if parameter.whole else _DIGITS.create_decimal(value)
    return min(max(value, parameter.least), parameter.most)


def _is_taken(subject: Subject, values: Settings) -> bool:
    try:
        subject.make(values)
    except ValueError:
        return False
    return True


def splits_of(span: Span | None, folds: int) -> tuple[Split, ...]:
    """Return the parts of a walk; none where there is no time, or it is too short for so many."""
    if span is None or not folds:
        return ()
    try:
        return walk_forward(span, folds, PURGE_MS, EMBARGO_MS)
    except UsageError:
        return ()


def walked(
    subject: Subject, heard: Sequence[Heard], desk: Desk, span: Span, folds: int, seed: int
) -> Walk | None:
    """Return the walk over a span; None where it is too short for so many parts, or has too few trades."""
    splits = splits_of(span, folds)
    if not splits:
        return None
    parts, judged, usual = [], list[Trade](), list[Trade]()
    for split in splits:
        scores = [t_value([t.r for t in _played(subject, one, desk, split.chosen_on[0])]) for one in heard]
        place = max(range(len(heard)), key=lambda n: (scores[n], -n))
        own, default = (_played(subject, heard[n], desk, split.judged_on) for n in (place, 0))
        parts.append(
            Part(
                split.judged_on,
                heard[place].settings,
                scores[place],
                figures_of(own, seed),
                figures_of(default, seed),
            )
        )
        judged += own
        usual += default
    whole = [_played(subject, one, desk, span) for one in heard]
    counted = [n for n, trades in enumerate(whole) if len(trades) >= FEWEST]
    if not counted:
        return None
    best = max(counted, key=lambda n: t_value([trade.r for trade in whole[n]]))
    sharpes = [moments([trade.r for trade in whole[n]]).sharpe for n in counted]
    variance = pvariance(sharpes) if len(sharpes) > 1 else 0.0
    return Walk(
        sets=len(heard),
        parts=tuple(parts),
        judged=figures_of(judged, seed),
        usual=figures_of(usual, seed),
        best=heard[best].settings,
        best_figures=figures_of(whole[best], seed, len(heard), variance),
        best_naive_merit=figures_of(whole[best], seed).merit,
    )


def _played(subject: Subject, one: Heard, desk: Desk, span: Span) -> tuple[Trade, ...]:
    within = [signal for signal in one.signals if span[0] <= signal.at_ms < span[1]]
    return play(within, own_way, {subject.make({}).name: desk}).trades


def told(settings: Settings) -> str:
    """A set on one line; empty for the default."""
    return ", ".join(f"{name} {value.normalize():f}" for name, value in sorted(settings.items()))


def plain(settings: Settings) -> Mapping[str, str]:
    return {name: f"{value.normalize():f}" for name, value in sorted(settings.items())}
