"""Where parameter sets come from: every one of a grid, or drawn by Optuna from what earlier ones came to.

Sets are asked for by the generation, and a generation is told as a whole and in order. So what is drawn
depends on the seed and the results alone, never on how many workers there are or which was the quickest.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import Final, Protocol

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, CmaEsSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.study import StudyDirection

from config.fields import shown
from core.errors import UsageError
from scripts.sweep.space import MOST_SETS, Dimension, Space, Values

GRID: Final = "grid"
SAMPLERS: Final = (GRID, "tpe", "nsga2", "cmaes")
GRID_AT_ONCE: Final = 512
GENERATIONS: Final = 10  # at least, so that a sampler has something to learn from
SMALLEST: Final = 8
LARGEST: Final = 64

Aims = tuple[float, ...]  # what a set came to: the net to be raised, and for two aims a fall to be lowered


class Sampler(Protocol):
    """Draws sets. Two calls in turn: a generation is asked for, and told before the next."""

    def ask(self, most: int) -> list[Values]:
        """At most so many sets; fewer at the end of a grid, none after it."""
        ...

    def tell(self, aims: Sequence[Aims]) -> None:
        """What the sets asked for last came to, in their order."""
        ...


def generation_of(sampler: str, trials: int) -> int:
    """How many sets are drawn at once."""
    return GRID_AT_ONCE if sampler == GRID else max(SMALLEST, min(LARGEST, trials // GENERATIONS))


def sampler_of(kind: str, space: Space, trials: int, seed: int) -> Sampler:
    """Raises UsageError for a space the sampler cannot search."""
    if kind == GRID:
        return _Grid(space)
    return _Drawn(space, _optuna(kind, space, trials, seed), two_aims=kind == "nsga2")


def _optuna(kind: str, space: Space, trials: int, seed: int) -> BaseSampler:
    if kind == "tpe":
        return TPESampler(seed=seed, multivariate=True)
    if kind == "nsga2":
        return NSGAIISampler(seed=seed, population_size=generation_of(kind, trials))
    ranges = [one for one in space.dimensions if not one.choices]
    if len(ranges) < 2:
        raise UsageError("--sampler cmaes: needs two keys with low and high; allowed here: grid, tpe, nsga2")
    return CmaEsSampler(
        seed=seed,
        popsize=generation_of(kind, trials),
        independent_sampler=RandomSampler(seed=seed),  # of keys with choices, which have no direction
        warn_independent_sampling=False,
    )


class _Grid:
    """Every set of the space once."""

    def __init__(self, space: Space) -> None:
        size = space.size()
        if size is None:
            endless = [one.key for one in space.dimensions if one.count is None]
            raise UsageError(f"--sampler grid: {', '.join(endless)} needs a step, or choices")
        if size > MOST_SETS:
            raise UsageError(f"--sampler grid: the space has {size} sets, allowed: at most {MOST_SETS}")
        self._sets = space.grid()

    def ask(self, most: int) -> list[Values]:
        return list(islice(self._sets, most))

    def tell(self, aims: Sequence[Aims]) -> None:
        """A grid learns nothing."""


class _Drawn:
    """Sets drawn by an Optuna sampler, which knows every earlier one."""

    def __init__(self, space: Space, sampler: BaseSampler, two_aims: bool) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        up, down = StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE
        directions = [up, down] if two_aims else [up]
        self._study = optuna.create_study(sampler=sampler, directions=directions)
        self._dimensions = space.dimensions
        self._distributions = {one.key: _distribution(one) for one in space.dimensions}
        self._open: list[optuna.Trial] = []

    def ask(self, most: int) -> list[Values]:
        self._open = [self._study.ask(self._distributions) for _ in range(most)]
        return [self._values(trial) for trial in self._open]

    def tell(self, aims: Sequence[Aims]) -> None:
        for trial, values in zip(self._open, aims, strict=True):
            self._study.tell(trial, values)

    def _values(self, trial: optuna.Trial) -> Values:
        drawn = trial.params
        return {
            one.key: one.choices[_texts(one).index(drawn[one.key])]
            if one.choices
            else one.value(drawn[one.key])
            for one in self._dimensions
        }


def _texts(one: Dimension) -> list[str]:
    return [shown(choice) for choice in one.choices]


def _distribution(one: Dimension) -> BaseDistribution:
    if one.choices:
        return CategoricalDistribution(_texts(one))
    if one.is_whole:
        return IntDistribution(int(one.low), int(one.high), one.log, int(one.step or Decimal(1)))
    step = None if one.step is None else float(one.step)
    return FloatDistribution(float(one.low), float(one.high), one.log, step)
