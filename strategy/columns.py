"""Many parameter sets played over the same settlements at once: strategy/rehearsal.py in columns.

Every array has one entry per set, and the settlements are walked through once for all of them. Floats
decide where they can: a figure so near to its threshold that rounding could have put it on the other side
makes the set doubtful, and a doubtful set is played by the rehearsal itself, in Decimal. So the decisions
are the rehearsal's, which are the engine's, for every set; nets differ by less than 1e-12.

Needs numpy, which the engine does not: nothing that runs the engine imports this module.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.schema import Strategy
from core.types import BPS, HOUR_MS, ZERO, SettledFunding
from strategy.exits import negative_needed
from strategy.forecast_columns import ROUNDING, Floats, ForecastColumns, Step, hours_of, steps_of
from strategy.foresight import Segments
from strategy.funding_forecast import MINUTE_MS
from strategy.rehearsal import KNOWN, Rehearsal

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

NEVER_MS: Final = -(1 << 61)  # so long ago that every wait is over
# What of strategy.yaml these decisions depend on. The rest speaks of books, prices and orders.
PLAYED: Final = (
    "funding_rate_threshold.min",
    "funding_rate_threshold.max",
    "forecast.half_life_hours",
    "forecast.horizon_hours",
    "forecast.reversion_half_life_hours",
    "forecast.min_settlements",
    "exit.mode",
    "exit.negative_settlements",
    "exit.min_hold_hours",
    "exit.cooldown_hours",
    "opening.min_net_carry_bps",
)


@dataclass(frozen=True, slots=True)
class Played:
    """What each set makes of the settlements; one entry, or one row, per set.

    net       fraction of the notional, costs deducted.      switches  openings and closings together.
    held      for each settlement whether the short stood through it.
    doubtful  sets that Decimal had to decide.
    """

    net: Floats
    switches: Ints
    held: Bools
    doubtful: int


class Columns:
    """One instrument's settlements; parameters as those of `Rehearsal`, and the sets come with `play`."""

    def __init__(
        self,
        settled: Sequence[SettledFunding],
        switch_cost: Decimal,
        first: int = 0,
        segments: Segments | None = None,
    ) -> None:
        self._settled, self._switch_cost, self._first = settled, switch_cost, first
        self.rates: Floats = np.array([float(one.rate) for one in settled[first:]])
        self.times_ms = tuple(one.ts_ms for one in settled[first:])
        self.segments = ((0, len(self.rates)),) if segments is None else segments
        self._steps = tuple(steps_of(settled, KNOWN))
        self._levels = sorted({step.quote.rate_8h for step in self._steps})
        minute = hours_of(MINUTE_MS)
        shortest = min((hours_of(step.quote.interval_ms) for step in self._steps), default=minute)
        worst = max((abs(one.rate) for one in settled), default=ZERO)
        self._worst_hourly = float(worst / max(shortest, minute))

    def play(self, sets: Sequence[Strategy]) -> Played:
        """Return what every set makes of the settlements. Nothing is held before the first one."""
        held: Bools = np.zeros((len(self.rates), len(sets)), dtype=np.bool_)
        walk = _Walk(sets, self._levels, 2 * float(self._switch_cost * BPS), self._worst_hourly)
        begins, ends = {first for first, _ in self.segments}, {end - 1 for _, end in self.segments}
        inside = [any(first <= n < end for first, end in self.segments) for n in range(len(self.rates))]
        for at, step in enumerate((None, *self._steps), -self._first):
            if step is not None:
                walk.take_in(step)
            if at < 0 or not inside[at]:
                continue
            if at in begins:
                walk.begin()
            if step is not None:  # before the very first settlement nothing is known, and nothing opened
                walk.decide(step, self.times_ms[at])
            held[at] = walk.stands
            walk.settle(float(self.rates[at]))
            if at in ends:
                walk.end()
        net = walk.paid - float(self._switch_cost) * walk.switches
        played = Played(net, walk.switches, np.ascontiguousarray(held.T), int(walk.doubtful.sum()))
        for place in map(int, np.flatnonzero(walk.doubtful)):
            self._by_decimal(sets[place], place, played)
        return played

    def _by_decimal(self, strategy: Strategy, place: int, played: Played) -> None:
        rehearsal = Rehearsal(self._settled, self._switch_cost, strategy, self._first, self.segments)
        course = rehearsal.play(strategy.exit.mode)
        played.net[place], played.switches[place] = float(course.net), course.switches
        played.held[place] = course.held


class _Walk:
    """All sets on their way through the settlements."""

    def __init__(
        self, sets: Sequence[Strategy], levels: Sequence[Decimal], cost_bps: float, worst_hourly: float
    ) -> None:
        exits, bands = [one.exit for one in sets], [one.funding_rate_threshold for one in sets]
        self._outlook = ForecastColumns([one.forecast for one in sets], worst_hourly)
        self._last_ms = self._known = 0
        self._by_cost: Bools = np.array([one.mode == "expected_cost" for one in exits])
        self._needed: Ints = np.array([negative_needed(one) for one in exits])
        self._hold_ms: Ints = np.array([int(one.min_hold_hours * HOUR_MS) for one in exits])
        self._cool_ms: Ints = np.array([int(one.cooldown_hours * HOUR_MS) for one in exits])
        self._least_known: Ints = np.array([one.forecast.min_settlements for one in sets])
        # A rate is in the band when its place among all rates is: exact, and quicker than Decimals.
        self._places = {rate_8h: place for place, rate_8h in enumerate(levels)}
        self._lowest: Ints = np.array([bisect_left(levels, one.min) for one in bands])
        self._beyond: Ints = np.array([bisect_right(levels, one.max) for one in bands])
        self._leave_below: Floats = np.full(len(sets), -cost_bps)
        least = [float(one.opening.min_net_carry_bps) for one in sets]
        self._open_from: Floats = cost_bps + np.array(least)
        self.paid: Floats = np.zeros(len(sets))
        self.switches: Ints = np.zeros(len(sets), dtype=np.int64)
        self.doubtful: Bools = np.zeros(len(sets), dtype=np.bool_)
        self.begin()

    def begin(self) -> None:
        """A segment begins: nothing is held, and nothing keeps from opening."""
        self.stands: Bools = np.zeros(len(self.paid), dtype=np.bool_)
        self._changed_ms: Ints = np.full(len(self.paid), NEVER_MS, dtype=np.int64)
        self._waits_ms = self._cool_ms
        self._below: Ints = np.zeros(len(self.paid), dtype=np.int64)

    def take_in(self, step: Step) -> None:
        """A settlement has become known."""
        self._outlook.add(step)
        self._known = step.count
        if step.hours:
            self._last_ms = step.quote.seen_ms

    def decide(self, step: Step, next_ms: int) -> None:
        """After the settlement of `step`, before the one at `next_ms`: who opens, who leaves."""
        ripe = next_ms - self._changed_ms > self._waits_ms
        switch = ripe & self._wants(step, ripe)
        if switch.any():
            self.stands = self.stands ^ switch
            self.switches += switch
            self._changed_ms[switch] = step.quote.seen_ms
            self._below[switch] = 0
            self._waits_ms = np.where(self.stands, self._hold_ms, self._cool_ms)

    def settle(self, rate: float) -> None:
        """The settlement comes: who holds is paid, or pays."""
        np.add(self.paid, rate, out=self.paid, where=self.stands)
        if rate < 0:
            self._below += 1
        else:
            self._below.fill(0)

    def end(self) -> None:
        """A segment ends: what stands is closed."""
        self.switches += self.stands

    def _wants(self, step: Step, ripe: Bools) -> Bools:
        """Who would change if it may: leave where a hedge stands, open where none does."""
        expected = self._outlook.expected_bps(step, self._last_ms)
        known, place = self._known >= self._least_known, self._places[step.quote.rate_8h]
        may_open = known & (self._lowest <= place) & (place < self._beyond) & ~self.stands
        may_leave = known & self._by_cost & self.stands
        gap = expected - np.where(self.stands, self._leave_below, self._open_from)
        near = np.abs(gap) <= self._outlook.doubt_bps(step.quote.interval_ms) + ROUNDING * self._open_from
        if near.any():
            self.doubtful |= near & ripe & (may_open | may_leave)
        below = self.stands & ~self._by_cost & (self._below >= self._needed)
        return (may_leave & (gap < 0)) | (may_open & (gap >= 0)) | below
