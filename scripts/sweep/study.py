"""A search: generation after generation of sets, spread over workers, every finished one kept at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from config.schema import Strategy
from scripts.sweep.pool import Runner
from scripts.sweep.results import Results
from scripts.sweep.samplers import GRID, Aims, generation_of, sampler_of
from scripts.sweep.scoring import Bench, Score
from scripts.sweep.space import Space, Values, as_text, strategy_of

WHOLE: Final = "whole"
JUDGES: Final[Mapping[str, Callable[[Sequence[float]], float]]] = {"worst": min, "mean": fmean}
SECONDS: Final = ("drawdown", "regret")

Task = tuple[str, tuple[Values, ...]]  # the name of a bench, and sets to score on it
Scores = list[dict[str, Any]]  # as Score.plain gives them


@dataclass(frozen=True, slots=True)
class Aim:
    """What is searched for. objective  of several instruments: the worst, or the mean.   second  what
    NSGA-II lowers beside raising the net: `drawdown`, or `regret` against perfect foresight."""

    objective: str = "worst"
    second: str = "drawdown"

    def net(self, score: Score) -> float:
        return JUDGES[self.objective]([one.net_per_year for one in score.results.values()])

    def fall(self, score: Score) -> float:
        results = score.results.values()
        if self.second == "regret":
            return -JUDGES[self.objective]([-one.regret_per_year for one in results])
        return -JUDGES[self.objective]([-one.drawdown for one in results])


@dataclass(frozen=True, slots=True)
class Finished:
    """One set and what it came to. `number` counts the sets of a study from 0."""

    number: int
    values: Values
    score: Score


class Scorer:
    """What workers do: score sets on a bench. Sent to every worker once."""

    def __init__(self, base: Strategy, benches: Mapping[str, Bench]) -> None:
        self._base, self._benches = base, dict(benches)

    def __call__(self, task: Task) -> Scores:
        name, sets = task
        scores = self._benches[name].scores([strategy_of(self._base, one) for one in sets])
        return [score.plain() for score in scores]


@dataclass(frozen=True, slots=True)
class Search:
    """How sets are drawn and who scores them."""

    space: Space
    sampler: str
    trials: int
    seed: int
    aim: Aim
    runner: Runner[Task, Scores]
    workers: int
    results: Results
    on_progress: Callable[[str, Sequence[Finished]], None] = lambda study, finished: None

    def run(self, study: str) -> list[Finished]:
        """Search one bench through; sets the results know already are not played again."""
        sampler = sampler_of(self.sampler, self.space, self.trials, self.seed)
        most = generation_of(self.sampler, self.trials)
        finished: list[Finished] = []
        while True:
            left = most if self.sampler == GRID else min(most, self.trials - len(finished))
            sets = sampler.ask(left) if left > 0 else []
            if not sets:
                return finished
            scores = self._scored(study, len(finished), sets, finished)
            sampler.tell([self._aims(one) for one in scores])
            finished += [
                Finished(len(finished) + n, values, score)
                for n, (values, score) in enumerate(zip(sets, scores, strict=True))
            ]
            self.on_progress(study, finished)

    def _scored(
        self, study: str, first: int, sets: Sequence[Values], finished: Sequence[Finished]
    ) -> list[Score]:
        texts = [as_text(values) for values in sets]
        known = [self.results.get(study, first + n, text) for n, text in enumerate(texts)]
        scores = {n: Score.of(said["score"]) for n, said in enumerate(known) if said is not None}
        open_ = [n for n, said in enumerate(known) if said is None]
        parts = _parts(open_, self.workers)
        tasks = [(study, tuple(sets[n] for n in part)) for part in parts]
        for place, said in self.runner.run(tasks):
            for n, score in zip(parts[place], said, strict=True):
                self.results.add(study, first + n, texts[n], score)
                scores[n] = Score.of(score)
        return [scores[n] for n in range(len(sets))]

    def _aims(self, score: Score) -> Aims:
        net = self.aim.net(score)
        return (net, self.aim.fall(score)) if self.sampler == "nsga2" else (net,)


def ranked(finished: Sequence[Finished], aim: Aim) -> list[Finished]:
    """The best first; of equal sets, and of one drawn twice, the first."""
    seen, kept = set[str](), list[Finished]()
    for one in sorted(finished, key=lambda each: (-aim.net(each.score), each.number)):
        if (name := repr(as_text(one.values))) not in seen:
            seen.add(name)
            kept.append(one)
    return kept


def front(best: Sequence[Finished], aim: Aim) -> list[Finished]:
    """Those of which no other has both a higher net and a lower fall; `best` as `ranked` gives it."""
    kept: list[Finished] = []
    for one in best:
        if not kept or aim.fall(one.score) < aim.fall(kept[-1].score):
            kept.append(one)
    return kept


def _parts(numbers: Sequence[int], workers: int) -> list[list[int]]:
    """About as many sets for each worker; together they are scored quicker than one by one."""
    each = -(-len(numbers) // workers) if numbers else 1
    return [list(numbers[n : n + each]) for n in range(0, len(numbers), each)]
