"""Made-up markets to play a module on: one minute at a time, and everything a Look may show of them.

Not a model of any market: a set of shapes in which a rule that can be broken is broken. Chance comes in as a
generator of numpy's, so that the same seed is the same market.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

import numpy as np

from core.context import MarketView
from core.types import DAY_MS, HOUR_MS, Book, Pair, SettledFunding, SpotSpec, SwapSpec
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS, Bars, Column
from strategy.auxiliary.feed import KINDS
from strategy.auxiliary.language import FeedEvent, Holding, Look, Needs

START_MS: Final = 1_767_571_200_000  # 2026-01-05T00:00Z
NAME: Final = "BTC-USDT"
DAY_MINUTES: Final = 1_440
UNPROMPTED_MS: Final = 15 * MINUTE_MS  # between two questions to a module that names no frame
D = Decimal
_SPOT: Final = SpotSpec(NAME, "BTC", "USDT", D("0.000001"), D("0.000001"), D("0.000001"), D(10**9))
_SWAP: Final = SwapSpec(
    f"{NAME}-SWAP", D("0.000001"), D("0.000001"), D(1), D(1), D(10**15), max_leverage=D(100)
)
PAIR: Final = Pair(NAME, _SPOT, _SWAP)
EVENTS_KEPT_MS: Final = DAY_MS
PLENTY: Final = D(10**12)  # contracts on each side of the book: depth is the gate's to judge, not a module's


class Shape(StrEnum):
    """What the asked days look like; what comes before them is always a walk."""

    WALK = "walk"
    RISE = "rise"
    FALL = "fall"
    CRASH = "crash"  # a third lost within hours, half of it won back
    FLAT = "flat"  # no trade, no move
    GAPS = "gaps"  # jumps of up to a tenth between two minutes
    SWINGS = "swings"  # a range, there and back within a day
    CROWD = "crowd"  # funding, ratio and open interest run to an extreme


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """One market. `bars` by frame over all of it; a module is asked from `from_ms` to `until_ms`."""

    shape: Shape
    seed: int
    from_ms: int
    until_ms: int
    bars: Mapping[str, Bars]
    settled: tuple[SettledFunding, ...]
    interest: tuple[tuple[int, Decimal], ...]
    ratio: tuple[tuple[int, Decimal], ...]
    events: tuple[FeedEvent, ...]

    @property
    def name(self) -> str:
        return f"{self.shape.value} {self.seed}"

    def look(self, needs: Needs, now_ms: int, holding: Holding | None = None) -> Look:
        """Return what a module is shown at an instant; nothing of what is to come is in it."""
        shown = {frame: self.closed(frame, now_ms).last(count) for frame, count in needs.bars.items()}
        events = tuple(each for each in self.events if now_ms - EVENTS_KEPT_MS < each.at_ms <= now_ms)
        ratio = self.ratio[: bisect_right(self.ratio, now_ms, key=_first)]
        return Look(now_ms, NAME, shown, self.market(now_ms), ratio, events, holding)

    def market(self, now_ms: int) -> MarketView:
        px = self.px(now_ms)
        size, half = PLENTY, px * D("0.00001")
        book = Book(_SWAP.inst_id, ((px - half, size),), ((px + half, size),), now_ms, now_ms, 1)
        return MarketView(
            PAIR,
            replace(book, inst_id=NAME),
            book,
            px,
            now_ms,
            px,
            settled=self.settled[: bisect_right(self.settled, now_ms, key=_settled_at)],
            open_interest=self.interest[: bisect_right(self.interest, now_ms, key=_first)],
        )

    def px(self, now_ms: int) -> Decimal:
        return D(repr(float(self.closed("1m", now_ms).close[-1])))

    def closed(self, frame: str, now_ms: int) -> Bars:
        """Return the bars that had closed."""
        bars = self.bars[frame]
        to_come = 1 - (now_ms - int(bars.ts_ms[-1])) // bars.frame_ms
        return bars.without_last(max(0, to_come))

    def instants(self, needs: Needs) -> list[int]:
        """Return when a module with these needs is asked: at its closes, or when something is fed."""
        step_ms = FRAME_MS[needs.on] if needs.on else UNPROMPTED_MS
        first_ms = -(-self.from_ms // step_ms) * step_ms
        asked = set(range(first_ms, self.until_ms + 1, step_ms))
        if not needs.on:
            asked |= {each.at_ms for each in self.events if self.from_ms <= each.at_ms <= self.until_ms}
        return sorted(asked)


def warm_up_days(needs: Needs) -> int:
    """Return how many days have to lie before the first question, at least the 90 of the slowest figures."""
    longest_ms = max((count * FRAME_MS[frame] for frame, count in needs.bars.items()), default=0)
    return max(95, longest_ms // DAY_MS + 2)


def world(
    shape: Shape, seed: int, rng: np.random.Generator, warm_up: int, days: int, px: float = 100.0
) -> World:
    """Return a market of so many days before the first question and so many with questions."""
    before, asked = warm_up * DAY_MINUTES, days * DAY_MINUTES
    steps = np.concatenate((_walk(rng, before), _STEPS[shape](rng, asked)))
    close = np.round(px * np.exp(np.cumsum(steps)), 6)
    opened = np.concatenate((close[:1], close[:-1]))
    reach = np.abs(rng.normal(0, 2e-4, (2, len(close))))
    volume = rng.exponential(10, len(close)) * (1 + 20 * (np.abs(steps) > 2e-3))
    if shape is Shape.FLAT:
        reach[:, before:], volume[before:] = 0.0, 0.0
    if shape is Shape.GAPS:
        opened = np.where(np.abs(steps) > 0.02, close, opened)
    high = np.round(np.maximum(opened, close) * (1 + reach[0]), 6)
    low = np.round(np.minimum(opened, close) * (1 - reach[1]), 6)
    from_ms = START_MS + warm_up * DAY_MS
    columns = (opened, high, low, close, volume)
    is_crowd = shape is Shape.CROWD
    return World(
        shape,
        seed,
        from_ms,
        from_ms + days * DAY_MS,
        {frame: _bars(frame, columns) for frame in FRAME_MS},
        _funding(rng, warm_up + days, warm_up if is_crowd else None),
        _series(rng, warm_up + days, warm_up if is_crowd else None, 10_000.0),
        _series(rng, warm_up + days, warm_up if is_crowd else None, 1.0),
        _events(rng, from_ms, days),
    )


def _walk(rng: np.random.Generator, count: int) -> Column:
    return rng.normal(0, 6e-4, count)  # 2.3 % a day


def _with(drift: float) -> Callable[[np.random.Generator, int], Column]:
    return lambda rng, count: rng.normal(drift, 4e-4, count)


def _crash(rng: np.random.Generator, count: int) -> Column:
    steps = rng.normal(0, 6e-4, count)
    at, hours = count // 3, 6 * 60
    steps[at : at + hours] -= 0.4 / hours
    steps[at + hours : at + 5 * hours] += 0.2 / (4 * hours)
    return steps


def _gaps(rng: np.random.Generator, count: int) -> Column:
    steps = rng.normal(0, 3e-4, count)
    at = rng.choice(count, max(1, count // DAY_MINUTES), replace=False)
    steps[at] += rng.uniform(0.03, 0.1, len(at)) * rng.choice((-1.0, 1.0), len(at))
    return steps


def _swings(rng: np.random.Generator, count: int) -> Column:
    wave = 0.02 * np.sin(2 * np.pi * np.arange(count + 1) / DAY_MINUTES)
    return np.diff(wave) + rng.normal(0, 1e-4, count)


_STEPS: Final[Mapping[Shape, Callable[[np.random.Generator, int], Column]]] = {
    Shape.WALK: _walk,
    Shape.RISE: _with(4e-5),
    Shape.FALL: _with(-4e-5),
    Shape.CRASH: _crash,
    Shape.FLAT: lambda rng, count: np.zeros(count),
    Shape.GAPS: _gaps,
    Shape.SWINGS: _swings,
    Shape.CROWD: _swings,
}


def _bars(frame: str, minutes: tuple[Column, ...]) -> Bars:
    opened, high, low, close, volume = minutes
    many = FRAME_MS[frame] // MINUTE_MS
    rows = (len(close) // many, many)
    ts_ms = START_MS + np.arange(rows[0], dtype=np.int64) * FRAME_MS[frame]
    whole = rows[0] * many
    columns = (
        opened[:whole].reshape(rows)[:, 0],
        high[:whole].reshape(rows).max(axis=1),
        low[:whole].reshape(rows).min(axis=1),
        close[:whole].reshape(rows)[:, -1],
        volume[:whole].reshape(rows).sum(axis=1),
    )
    for column in (ts_ms, *columns):
        column.flags.writeable = False
    return Bars(NAME, frame, ts_ms, *columns)


def _funding(rng: np.random.Generator, days: int, from_day: int | None) -> tuple[SettledFunding, ...]:
    rates = rng.normal(1e-4, 5e-5, 3 * days)
    if from_day is not None:
        rates[3 * from_day :] += np.linspace(0, 2e-3, 3 * days - 3 * from_day)
    return tuple(
        SettledFunding(START_MS + n * 8 * HOUR_MS, _exact(rate)) for n, rate in enumerate(np.round(rates, 7))
    )


def _series(
    rng: np.random.Generator, days: int, from_day: int | None, level: float
) -> tuple[tuple[int, Decimal], ...]:
    values = level * np.exp(np.cumsum(rng.normal(0, 2e-3, 24 * days)))
    if from_day is not None:
        values[24 * from_day :] *= np.linspace(1, 3, 24 * (days - from_day))
    return tuple((START_MS + n * HOUR_MS, _exact(value)) for n, value in enumerate(np.round(values, 4)))


def _events(rng: np.random.Generator, from_ms: int, days: int) -> tuple[FeedEvent, ...]:
    """Six messages a day on average, a third of them right after another."""
    at_ms = from_ms + np.sort(rng.integers(0, days * DAY_MINUTES, 4 * days)) * MINUTE_MS
    follow = at_ms[: 2 * days] + rng.integers(0, 4, 2 * days) * MINUTE_MS
    every = np.sort(np.concatenate((at_ms, follow)))
    kinds = rng.choice(KINDS, len(every))
    return tuple(
        FeedEvent(str(n), str(kind), NAME, int(at), "made up")
        for n, (at, kind) in enumerate(zip(every, kinds, strict=True))
    )


def _exact(value: float) -> Decimal:
    return D(repr(float(value)))


def _first(sample: tuple[int, Decimal]) -> int:
    return sample[0]


def _settled_at(each: SettledFunding) -> int:
    return each.ts_ms
