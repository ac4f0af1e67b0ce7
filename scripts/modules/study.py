"""The whole measurement: every subject alone, all modules in one sleeve, and what they stand beside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from core.types import ONE, ZERO
from scripts.modules.asking import Proposals
from scripts.modules.book import Desk, Limits, Played, Way, play, turned
from scripts.modules.measures import Figures, days_of, figures_of
from scripts.modules.subjects import PresetWay, Subject, own_way, subjects
from scripts.modules.tape import Coin
from scripts.modules.trade import Costs, Trade
from scripts.modules.walk import Heard, Walk, drawn, splits_of, walked
from scripts.sweep.pool import Runner, local
from scripts.sweep.record import Span
from strategy.auxiliary.language import Signal
from strategy.auxiliary.modules.proposal import exact
from strategy.auxiliary.presets import PRESETS

HOLD_FRAME: Final = "1H"


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be measured, and how. `sets` below 2 or no `folds` leave walk-forward out."""

    from_ms: int
    to_ms: int
    costs: Costs = field(default_factory=Costs)
    limits: Limits = field(default_factory=Limits)
    only: tuple[str, ...] = ()
    sets: int = 16
    folds: int = 4
    seed: int = 7
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """One subject.

    days     UTC days on which it could be asked.    frame  the bars its positions were watched on.
    toss     what a coin toss at the same instants with the same plan would have come to: mean result in
             units of risk, and its win rate.
    presets  its entries under each reference system's plan.
    """

    subject: Subject
    frame: str
    days: int
    proposals: int
    played: Played
    figures: Figures
    toss: tuple[float, float] | None
    by_coin: Mapping[str, Figures]
    by_label: Mapping[str, Figures]
    presets: Mapping[str, Figures]
    walk: Walk | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """Buying a coin at the first close and keeping it. `net_ratio` of what was paid; `fall` of its peak."""

    instrument: str
    net_ratio: Decimal
    fall: Decimal


@dataclass(frozen=True, slots=True)
class Study:
    order: Order
    coins: tuple[Coin, ...]
    measured: tuple[Measured, ...]
    together: Played
    together_figures: Figures
    holdings: tuple[Holding, ...]


Tell = Callable[[str], None]


def studied(coins: Sequence[Coin], order: Order, tell: Tell = lambda name: None) -> Study:
    """Measure everything that can be measured on these coins."""
    wanted = [each for each in subjects() if not order.only or each.name in order.only]
    bench = _Bench(coins, order)
    heard: dict[str, dict[int, Proposals]] = {each.name: {} for each in wanted}
    runner: Runner[tuple[str, int], Proposals] = local(bench.ask, order.workers)

    def ask(tasks: Sequence[tuple[str, int]]) -> None:
        for place, found in runner.run(tasks):
            name, number = tasks[place]
            heard[name][number] = found
            tell(f"{name} {len(heard[name])}")

    try:
        ask(_defaults(wanted))
        ask(_others(wanted, bench, heard))
    finally:
        runner.close()
    measured = tuple(_measured(each, bench, heard[each.name], order) if not each.lacks else _unmeasured(each)
                     for each in wanted)  # fmt: skip
    modules = [each for each in measured if each.subject.is_module and not each.subject.lacks]
    signals = [one for each in modules for one in heard[each.subject.name][0].signals]
    desks = {each.subject.name: bench.desk(each.frame) for each in modules}
    together = play(signals, own_way, desks)
    holdings = tuple(hold for coin in coins if (hold := _held(coin, order)) is not None)
    return Study(order, tuple(coins), measured, together, figures_of(together.trades, order.seed), holdings)


class _Bench:
    """The tape, and who answers on it: sent to every worker once."""

    def __init__(self, coins: Sequence[Coin], order: Order) -> None:
        self.coins, self.order = tuple(coins), order
        self._subjects = {each.name: each for each in subjects()}
        self._sets = {
            name: drawn(each, max(1, order.sets), order.seed) for name, each in self._subjects.items()
        }
        self._desks: dict[str, Desk] = {}

    def __reduce__(self) -> tuple[object, ...]:
        return _Bench, (self.coins, self.order)

    def sets(self, name: str) -> int:
        return len(self._sets[name])

    def heard(self, name: str, found: Mapping[int, Proposals]) -> list[Heard]:
        return [Heard(self._sets[name][number], found[number].signals) for number in sorted(found)]

    def ask(self, task: tuple[str, int]) -> Proposals:
        name, number = task
        order = self.order
        return self._subjects[name].ask(self.coins, order.from_ms, order.to_ms, self._sets[name][number])

    def desk(self, frame: str) -> Desk:
        if frame not in self._desks:
            self._desks[frame] = Desk(self.coins, frame, self.order.costs, self.order.limits)
        return self._desks[frame]


def _defaults(wanted: Sequence[Subject]) -> list[tuple[str, int]]:
    return [(each.name, 0) for each in wanted if not each.lacks]


def _others(
    wanted: Sequence[Subject], bench: _Bench, heard: Mapping[str, Mapping[int, Proposals]]
) -> list[tuple[str, int]]:
    """The other sets of every module whose time on the tape is long enough to be walked through."""
    found: list[tuple[str, int]] = []
    for each in wanted:
        if each.is_walked and splits_of(_span(heard[each.name][0]), bench.order.folds):
            found += [(each.name, number) for number in range(1, bench.sets(each.name))]
    return found


def _span(found: Proposals) -> Span | None:
    """From the first close a module could be asked at to the last."""
    closes_ms = found.closes_ms
    return (int(closes_ms[0]), int(closes_ms[-1]) + 1) if len(closes_ms) else None


def _measured(subject: Subject, bench: _Bench, found: Mapping[int, Proposals], order: Order) -> Measured:
    frame, heard = subject.frame(), found[0]
    desk = bench.desk(frame)
    played = play(heard.signals, own_way, {subject.name: desk})
    presets = {}
    if subject.is_module:
        for name, preset in PRESETS.items():
            way = PresetWay(preset, bench.coins)
            other = play(heard.signals, way, {subject.name: bench.desk(way.frame(subject))})
            presets[name] = figures_of(other.trades, order.seed)
    walk = None
    if len(found) > 1 and (span := _span(heard)) is not None:
        walk = walked(subject, bench.heard(subject.name, found), desk, span, order.folds, order.seed)
    return Measured(
        subject=subject,
        frame=frame,
        days=days_of(heard.closes_ms),
        proposals=len(heard.signals),
        played=played,
        figures=figures_of(played.trades, order.seed),
        toss=_tossed(heard.signals, played.trades, desk),
        by_coin=_grouped(played.trades, lambda trade: trade.instrument, order),
        by_label=_grouped([t for t in played.trades if t.label], lambda trade: trade.label, order),
        presets=presets,
        walk=walk,
    )


def _unmeasured(subject: Subject) -> Measured:
    return Measured(subject, "", 0, 0, Played((), {}), figures_of(()), None, {}, {}, {})


def _grouped(trades: Sequence[Trade], key: Callable[[Trade], str], order: Order) -> dict[str, Figures]:
    names = sorted({key(trade) for trade in trades})
    return {name: figures_of([t for t in trades if key(t) == name], order.seed) for name in names}


def _tossed(signals: Sequence[Signal], trades: Sequence[Trade], desk: Desk) -> tuple[float, float] | None:
    """Return (mean result in R, win rate) of a coin toss: half of each trade, half of its opposite."""
    known = {(signal.at_ms, signal.instrument): signal for signal in signals}
    results, wins = list[float](), list[bool]()
    for trade in trades:
        signal = known[trade.signal_ms, trade.instrument]
        other = _opposite(signal, own_way(signal), desk)
        if other is not None:
            results += [trade.r, other.r]
            wins += [trade.net > 0, other.net > 0]
    return (sum(results) / len(results), sum(wins) / len(wins)) if results else None


def _opposite(signal: Signal, way: Way, desk: Desk) -> Trade | None:
    try:
        found = desk.trade(*turned(signal, way))
    except ValueError:  # the plan has no stop on that side
        return None
    return None if isinstance(found, str) else found


def _held(coin: Coin, order: Order) -> Holding | None:
    series = coin.series.get(HOLD_FRAME)
    if series is None:
        return None
    inside = (series.ts_ms >= order.from_ms) & (series.closed_ms <= order.to_ms)
    closes = series.close[inside]
    if not len(closes):
        return None
    cost = order.costs.taker + order.costs.slippage
    ratio = exact(closes[-1]) * (ONE - cost) / (exact(series.open[inside][0]) * (ONE + cost)) - ONE
    peak, fall = ZERO, ZERO
    for close in closes:
        px = exact(close)
        peak = max(peak, px)
        fall = max(fall, ONE - px / peak)
    return Holding(coin.instrument, ratio, fall)
