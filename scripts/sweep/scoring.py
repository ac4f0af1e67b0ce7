"""What a parameter set comes to on recorded funding, per unit of swap notional.

The nets are those of strategy/rehearsal.py: constant notional, nothing held over a hole, costs of a switch
taken off when it is made. Everything else here is reckoned from the same course.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import numpy as np

from config.schema import Strategy
from core.types import DAY_MS
from scripts.sweep.record import Record, Span
from strategy.columns import Columns, Played
from strategy.forecast_columns import Floats
from strategy.foresight import perfect_foresight

YEAR_DAYS: Final = 365
YEAR_MS: Final = YEAR_DAYS * DAY_MS


@dataclass(frozen=True, slots=True)
class Result:
    """One instrument. `net_per_year` and `regret_per_year` (what perfect foresight makes more) are fractions
    of the notional; `drawdown` is the largest fall of the running net; `held` the share of settlements."""

    net_per_year: float
    regret_per_year: float
    drawdown: float
    switches: int
    held: float


@dataclass(frozen=True, slots=True)
class Score:
    """One set on all instruments. The moments are of the days' nets of equal parts of all instruments:
    `sharpe` mean over standard deviation of a day, `skew` and `kurtosis` (3 is normal)."""

    results: Mapping[str, Result]
    days: int
    sharpe: float
    skew: float
    kurtosis: float

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def of(said: Mapping[str, Any]) -> Score:
        """What `plain` made of it."""
        results = {name: Result(**one) for name, one in said["results"].items()}
        return Score(results, said["days"], said["sharpe"], said["skew"], said["kurtosis"])


class Bench:
    """Records on which sets are scored. Columns are made once, where they are first needed."""

    def __init__(self, records: Sequence[Record], switch_cost: Decimal) -> None:
        self.records, self.switch_cost = tuple(records), switch_cost

    def __reduce__(self) -> tuple[object, ...]:
        return Bench, (self.records, self.switch_cost)

    def within(self, spans: Sequence[Span]) -> Bench:
        """The same records cut to spans of time, each played from flat to flat."""
        cut = []
        for record in self.records:
            stretches = tuple(each for span in spans for each in record.within(span).stretches)
            cut.append(Record(record.instrument, stretches))
        return Bench([one for one in cut if one.played_ms], self.switch_cost)

    @cached_property
    def first_day(self) -> int:
        return min(one.played[0].ts_ms for record in self.records for one in record.stretches) // DAY_MS

    @cached_property
    def last_day(self) -> int:
        return max(one.played[-1].ts_ms for record in self.records for one in record.stretches) // DAY_MS

    @cached_property
    def days(self) -> list[int]:
        """The UTC days that have a settlement, as `daily` lists them, counted from 1970."""
        return sorted(
            {
                each.ts_ms // DAY_MS
                for record in self.records
                for one in record.stretches
                for each in one.played
            }
        )

    @cached_property
    def columns(self) -> tuple[tuple[Columns, ...], ...]:
        return tuple(
            tuple(Columns(one.settled, self.switch_cost, one.first) for one in record.stretches)
            for record in self.records
        )

    @cached_property
    def foresight(self) -> tuple[float, ...]:
        """What perfect foresight makes of each record, a fraction of the notional."""
        return tuple(
            float(
                sum(
                    perfect_foresight([each.rate for each in one.played], self.switch_cost).net
                    for one in record.stretches
                )
            )
            for record in self.records
        )

    def scores(self, sets: Sequence[Strategy]) -> list[Score]:
        """Score every set; a set scores the same whatever stands beside it."""
        parts = [self._parts(columns, sets) for columns in self.columns]
        results: list[dict[str, Result]] = [{} for _ in sets]
        for place, record in enumerate(self.records):
            for into, result in zip(results, self._results(place, parts[place]), strict=True):
                into[record.instrument] = result
        daily = self._daily(parts, len(sets))
        return [Score(into, len(days), *moments(days)) for into, days in zip(results, daily, strict=True)]

    def daily(self, sets: Sequence[Strategy]) -> Floats:
        """The net of each UTC day that has a settlement, a row a set.

        Equal parts of the instruments that have one; a day that only one record reaches is that one's.
        """
        return self._daily([self._parts(columns, sets) for columns in self.columns], len(sets))

    def closings(self, one: Strategy) -> list[list[int]]:
        """When a set closes, UTC ms of the settlement after which it does, by record."""
        found = []
        for columns in self.columns:
            times: list[int] = []
            for part in self._parts(columns, [one]):
                held = np.append(part.played.held[0], False)
                times += [part.columns.times_ms[n] for n in np.flatnonzero(held[:-1] & ~held[1:])]
            found.append(times)
        return found

    def _parts(self, columns: Sequence[Columns], sets: Sequence[Strategy]) -> list[_Part]:
        parts = []
        for one in columns:
            played = one.play(sets)
            parts.append(_Part(one, played, flows_of(one, played, float(self.switch_cost))))
        return parts

    def _daily(self, records: Sequence[Sequence[_Part]], size: int) -> Floats:
        days = self.last_day - self.first_day + 1
        net: Floats = np.zeros((size, days))
        there = np.zeros(days)
        for parts in records:
            seen = np.zeros(days, dtype=np.bool_)
            for part in parts:
                at = np.array(part.columns.times_ms) // DAY_MS - self.first_day
                starts = np.flatnonzero(np.diff(at, prepend=-1))
                net[:, at[starts]] += np.add.reduceat(part.flows, starts, axis=1)
                seen[at] = True
            there += seen
        known = there > 0
        shared: Floats = np.ascontiguousarray(net[:, known] / there[known])
        return shared

    def _results(self, place: int, parts: Sequence[_Part]) -> list[Result]:
        years = self.records[place].played_ms / YEAR_MS
        running = np.cumsum(np.concatenate([one.flows for one in parts], axis=1), axis=1)
        falls = np.maximum(np.maximum.accumulate(running, axis=1), 0.0) - running
        held = np.concatenate([one.played.held for one in parts], axis=1)
        nets = np.add.reduce([one.played.net for one in parts])
        switches = np.add.reduce([one.played.switches for one in parts])
        return [
            Result(
                net_per_year=float(net) / years,
                regret_per_year=(self.foresight[place] - float(net)) / years,
                drawdown=float(fall),
                switches=int(count),
                held=float(share),
            )
            for net, fall, count, share in zip(
                nets, falls.max(axis=1), switches, held.mean(axis=1), strict=True
            )
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """One stretch as all sets play it; `flows` a row a set, a column a settlement."""

    columns: Columns
    played: Played
    flows: Floats


def flows_of(columns: Columns, played: Played, switch_cost: float) -> Floats:
    """What comes in and goes out at each settlement; switches at the one before which they are made, the
    last closing at the last one."""
    held = played.held
    switched = np.diff(held, axis=1, prepend=False).astype(float)
    switched[:, -1] += held[:, -1]
    flows: Floats = np.where(held, columns.rates, 0.0) - switch_cost * switched
    return flows


def moments(days: Floats) -> tuple[float, float, float]:
    """Sharpe ratio of a day, skewness, kurtosis (not in excess); zeros where nothing varies."""
    mean, spread = float(days.mean()), float(days.std(ddof=1)) if len(days) > 1 else 0.0
    if spread < 1e-15:
        return 0.0, 0.0, 3.0
    off = (days - mean) / float(days.std())
    return mean / spread, float((off**3).mean()), float((off**4).mean())
