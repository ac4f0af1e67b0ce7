"""Several coins over a few equal places, played over recorded settlements alone.

The counterpart of strategy/rehearsal.py. Every place carries the same constant swap notional, so what counts
is which coins stand through which settlement; everything is per unit of the notional of all places together.
Openings, exits and changes are decided by the engine's own functions, in the engine's order: what is held is
judged first, free places go to the best net carry, and when all are taken the weakest hedge may give its own
to a better coin (strategy/rotation.py). Between two settlements the engine looks many times, so one change
may follow another, but no hedge changes twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from config.schema import Strategy
from core.types import BPS, ZERO
from strategy.conditions import net_carry_bps
from strategy.funding_forecast import MINUTE_MS, Forecast
from strategy.rehearsal import Rehearsal
from strategy.rotation import gain_bps


@dataclass(frozen=True, slots=True)
class Step:
    """One settlement instant. `net`: fraction of the whole notional, costs of what changed deducted."""

    at_ms: int
    held: tuple[str, ...]
    net: Decimal
    switches: int
    rotations: int


@dataclass(frozen=True, slots=True)
class Journey:
    """One way of a portfolio through its settlements."""

    steps: tuple[Step, ...]

    @property
    def net(self) -> Decimal:
        return sum((step.net for step in self.steps), ZERO)

    @property
    def rotations(self) -> int:
        return sum(step.rotations for step in self.steps)

    @property
    def switches(self) -> int:
        return sum(step.switches for step in self.steps)

    @property
    def max_drawdown(self) -> Decimal:
        """Largest fall of the cumulated net below its peak, a fraction of the notional, >= 0."""
        total = peak = deepest = ZERO
        for step in self.steps:
            total += step.net
            peak = max(peak, total)
            deepest = max(deepest, peak - total)
        return deepest

    def by_year(self) -> Mapping[int, Decimal]:
        """Net by calendar year, UTC."""
        years: dict[int, Decimal] = {}
        for step in self.steps:
            year = datetime.fromtimestamp(step.at_ms / 1000, UTC).year
            years[year] = years.get(year, ZERO) + step.net
        return years


@dataclass(frozen=True, slots=True)
class _Look:
    """One coin at one settlement of its record: what is known just before it, and what it pays."""

    coin: str
    record: Rehearsal
    n: int

    @property
    def outlook(self) -> Forecast | None:
        return self.record.looks[self.n][1]

    @property
    def funding_bps(self) -> Decimal:
        return self.outlook.expected_sum * BPS if self.outlook else ZERO

    @property
    def net_bps(self) -> Decimal:
        return net_carry_bps(self.outlook, self.record.cost) if self.outlook else ZERO

    @property
    def is_last(self) -> bool:
        return self.n == len(self.record.rates) - 1


@dataclass(slots=True)
class _Hedge:
    opened: int  # position of the first settlement it stands through
    changed_ms: int


class Portfolio:
    """The settlements of several coins, with the forecasts worked out once.

    records      per coin the stretches of its record without a hole: a position is flat at their ends, and
                 a stretch knows nothing of the one before.
    switch_cost  of one opening or one closing, a fraction of a place's notional.
    """

    def __init__(
        self, records: Mapping[str, Sequence[Rehearsal]], strategy: Strategy, switch_cost: Decimal
    ) -> None:
        self._strategy, self._switch_cost = strategy, switch_cost
        instants: dict[int, list[_Look]] = {}
        for coin in sorted(records):
            for record in records[coin]:
                for n, at_ms in enumerate(record.times_ms):
                    instant = (at_ms + MINUTE_MS // 2) // MINUTE_MS  # the record's times jitter
                    instants.setdefault(instant, []).append(_Look(coin, record, n))
        self._instants = tuple((minute * MINUTE_MS, tuple(instants[minute])) for minute in sorted(instants))

    def play(self, places: int, min_gain_bps: Decimal | None = None) -> Journey:
        """Return what comes of so many places; min_gain_bps None: nothing is ever changed for another."""
        walk = _Walk(self._strategy, places, min_gain_bps)
        share = Decimal(1) / places
        steps = []
        for at_ms, looks in self._instants:
            switches, rotations = walk.decide(looks)
            held = tuple(sorted(walk.held))
            paid = sum((one.record.rates[one.n] for one in looks if one.coin in walk.held), ZERO)
            switches += walk.end(looks)
            steps.append(
                Step(at_ms, held, (paid - self._switch_cost * switches) * share, switches, rotations)
            )
        return Journey(tuple(steps))


class _Walk:
    """What is held, and since when, from one instant to the next."""

    def __init__(self, strategy: Strategy, places: int, min_gain_bps: Decimal | None) -> None:
        self._rules, self._places, self._min_gain_bps = strategy.exit, places, min_gain_bps
        self.held: dict[str, _Hedge] = {}
        self._left_ms: dict[str, int] = {}

    def decide(self, looks: Sequence[_Look]) -> tuple[int, int]:
        """Leave, open, change; the number of switches, and of changes among them."""
        exits = [one for one in looks if self._is_ripe_to_leave(one) and self._leaves(one)]
        for one in exits:
            self._close(one)
        waiting = sorted(
            (one for one in looks if self._may_open(one)), key=lambda one: (-one.net_bps, one.coin)
        )
        opened = 0
        while waiting and len(self.held) < self._places:
            self._open(waiting.pop(0))
            opened += 1
        changes = 0
        while waiting and self._changes(looks, waiting[0]):
            waiting.pop(0)
            changes += 1
        return len(exits) + opened + 2 * changes, changes

    def end(self, looks: Iterable[_Look]) -> int:
        """Be flat, and forget, where a record ends; the number of closings."""
        over = [one.coin for one in looks if one.is_last]
        for coin in over:
            self._left_ms.pop(coin, None)
        return sum(self.held.pop(coin, None) is not None for coin in over)

    def _is_ripe_to_leave(self, one: _Look) -> bool:
        hedge = self.held.get(one.coin)
        return hedge is not None and one.record.is_ripe(one.n, hedge.changed_ms, self._rules.min_hold_hours)

    def _leaves(self, one: _Look) -> bool:
        return one.record.leaves(self._rules, one.n, self.held[one.coin].opened)

    def _may_open(self, one: _Look) -> bool:
        ripe = one.record.is_ripe(one.n, self._left_ms.get(one.coin), self._rules.cooldown_hours)
        return one.coin not in self.held and ripe and one.record.may_open(one.n)

    def _changes(self, looks: Sequence[_Look], better: _Look) -> bool:
        ripe = [one for one in looks if self._is_ripe_to_leave(one)]
        if self._min_gain_bps is None or not ripe:
            return False
        weakest = min(ripe, key=lambda one: (one.funding_bps, one.coin))
        if gain_bps(better.net_bps, weakest.funding_bps) <= self._min_gain_bps:
            return False
        self._close(weakest)
        self._open(better)
        return True

    def _open(self, one: _Look) -> None:
        self.held[one.coin] = _Hedge(one.n, one.record.before_ms(one.n))

    def _close(self, one: _Look) -> None:
        del self.held[one.coin]
        self._left_ms[one.coin] = one.record.before_ms(one.n)
