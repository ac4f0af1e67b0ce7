"""What all coins of a generated market share, bar by bar: its mood, its moves, its heat, the dollar.

Time runs away from the market's start in both directions: the future and the invented past are two
series, each drawn as far as somebody looks. Only sums, products and square roots are used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from random import Random
from types import MappingProxyType

from exchange.sim.markets.calibration import (
    HEAT_BACK,
    HEAT_FED,
    HEAT_MOST,
    JUMP_CHANCE,
    JUMP_SIZE,
)
from exchange.sim.markets.regimes import CALM, MOODS, Mood, regime_named

MOOD_BARS = 12  # a mood may change once an hour
USD_PULL, USD_NOISE = 0.02, 0.0008
ROOT_2 = sqrt(2.0)


def normal(rng: Random) -> float:
    """A draw close to the standard normal, from sums alone: six uniforms, centred and scaled."""
    u = rng.random
    return (u() + u() + u() + u() + u() + u() - 3.0) * ROOT_2


@dataclass(frozen=True, slots=True)
class Weather:
    """One bar of the common market. `usd` is what a USDT is worth in dollars at the bar's far end."""

    mood: Mood
    move: float  # of the common factor, standard deviations of the bar
    volatility: float
    usd: float


class Climate:
    """`regime` is where it starts from, by default calm; `hold` keeps it there for ever. `turns` puts it
    into another one at a bar, counted from the start, from where it goes on by itself."""

    def __init__(
        self,
        seed: int,
        direction: str,
        regime: str = CALM,
        hold: bool = False,
        turns: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self._rng = Random(f"{seed}:pulse:{direction}")
        self._mood = regime_named(regime)
        self._hold = hold
        self._turns = {bar: regime_named(name) for bar, name in turns.items()}
        self._heat = self._usd = 1.0
        self._bars: list[Weather] = []

    def upto(self, count: int) -> Sequence[Weather]:
        while len(self._bars) < count:
            self._bars.append(self._next())
        return self._bars

    def _next(self) -> Weather:
        rng = self._rng
        if len(self._bars) % MOOD_BARS == 0 and rng.random() < 1 / self._mood.hours and not self._hold:
            names, weights = zip(*self._mood.exits, strict=True)
            self._mood = MOODS[rng.choices(names, weights)[0]]
        self._mood = self._turns.get(len(self._bars), self._mood)
        mood, move = self._mood, normal(rng)
        if rng.random() < JUMP_CHANCE:
            move *= JUMP_SIZE
        volatility = mood.volatility * sqrt(self._heat)
        fed = HEAT_FED * (min(move * move, 20.0) - 1.0) * self._heat
        self._heat = min(max(self._heat + HEAT_BACK * (1.0 - self._heat) + fed, 0.1), HEAT_MOST)
        if mood.usd != 1.0 or self._usd != 1.0:
            away = self._usd + USD_PULL * (mood.usd - self._usd) + USD_NOISE * normal(rng)
            back = mood.usd == 1.0 and abs(away - 1.0) < USD_NOISE
            self._usd = 1.0 if back else min(max(away, 0.8), 1.02)
        return Weather(mood, move, volatility, self._usd)
