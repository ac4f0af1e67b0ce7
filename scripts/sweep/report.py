"""What a sweep came to: judged once, for tables, page and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from core.types import DAY_MS
from scripts.sweep import judgement
from scripts.sweep.judgement import Outlook
from scripts.sweep.scoring import Bench, Score
from scripts.sweep.space import Space, as_text
from scripts.sweep.splits import Split
from scripts.sweep.stress import Stress, stresses
from scripts.sweep.study import JUDGES, Aim, Finished, front

SHOWN: Final = 10
Run = Mapping[str, Any]  # a confirmed set: its values, and the summary of its backtest


@dataclass(frozen=True, slots=True)
class Walk:
    """One fold: the net of the chosen set where it was chosen and where it is judged, and as configured."""

    split: Split
    best: Finished
    chosen_net: float
    judged_net: float
    usual_net: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is said about a sweep. Nets are fractions of the notional a year."""

    instruments: tuple[str, ...]
    sampler: str
    aim: Aim
    seed: int
    tried: int
    days: int
    best: tuple[Finished, ...]
    front: tuple[Finished, ...]
    configured: Score
    usual: Mapping[str, str]  # the searched keys as configured
    sharpe_variance: float
    deflated_sharpe: float
    outlook: Outlook
    stresses: tuple[Stress, ...]
    walks: tuple[Walk, ...]
    runs: tuple[Run, ...]
    curve: tuple[tuple[int, float, float], ...]  # day's end in ms, running net of the best and as configured
    wall_s: float

    def plain(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "instruments": list(self.instruments),
            "sampler": self.sampler,
            "objective": self.aim.objective,
            "second": self.aim.second,
            "seed": self.seed,
            "sets_tried": self.tried,
            "days": self.days,
            "best": [self._set(one) for one in self.best[:SHOWN]],
            "front": [self._set(one) for one in self.front],
            "configured": {
                "set": dict(self.usual),
                "net_per_year": self.aim.net(self.configured),
                **self.configured.plain(),
            },
            "sharpe_variance": self.sharpe_variance,
            "deflated_sharpe": self.deflated_sharpe,
            "walk_forward": [
                {
                    "fold": one.split.name,
                    "chosen_on": one.split.chosen_on,
                    "judged_on": one.split.judged_on,
                    "set": as_text(one.best.values),
                    "chosen_net_per_year": one.chosen_net,
                    "judged_net_per_year": one.judged_net,
                    "configured_net_per_year": one.usual_net,
                }
                for one in self.walks
            ],
            "monte_carlo": asdict(self.outlook),
            "stress": [asdict(one) for one in self.stresses],
            "confirmed": [dict(one) for one in self.runs],
            "wall_s": round(self.wall_s, 1),
        }

    def _set(self, one: Finished) -> dict[str, Any]:
        net, fall = self.aim.net(one.score), self.aim.fall(one.score)
        said = {"number": one.number, "set": as_text(one.values), "net_per_year": net, self.aim.second: fall}
        return said | one.score.plain()


def judged(
    names: Sequence[str],
    sampler: str,
    aim: Aim,
    seed: int,
    paths: int,
    space: Space,
    bench: Bench,
    best: Sequence[Finished],
    walks: Sequence[Walk],
    runs: Sequence[Run],
    wall_s: float,
) -> Report:
    """Judge the best set. `best`: every distinct set, as `ranked` gives them."""
    top, chosen = best[0].score, space.strategy(best[0].values)
    variance = judgement.spread_of([one.score.sharpe for one in best])
    returns, usual = bench.daily([chosen])[0], bench.daily([space.base])[0]
    days = bench.days
    running = zip(days, returns.cumsum(), usual.cumsum(), strict=True)
    return Report(
        instruments=tuple(names),
        sampler=sampler,
        aim=aim,
        seed=seed,
        tried=len(best),
        days=top.days,
        best=tuple(best),
        front=tuple(front(best, aim)) if sampler == "nsga2" else (),
        configured=bench.scores([space.base])[0],
        usual=as_text(space.usual),
        sharpe_variance=variance,
        deflated_sharpe=judgement.deflated_sharpe(
            top.sharpe, top.days, top.skew, top.kurtosis, variance, len(best)
        ),
        outlook=judgement.outlook(returns, paths, seed),
        stresses=stresses(bench, chosen, JUDGES[aim.objective]),
        walks=tuple(walks),
        runs=tuple(runs),
        curve=tuple(((day + 1) * DAY_MS, float(a), float(b)) for day, a, b in running),
        wall_s=wall_s,
    )
