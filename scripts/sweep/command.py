"""`main.py sweep`: search, judge, confirm, and say it."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TextIO

from config.loader import fingerprint, load
from config.schema import Settings
from core.errors import UsageError
from core.types import DAY_MS
from monitor.report.words import Said
from monitor.words import Language
from scripts.backtest.command import LANGUAGES, BacktestOptions, in_language
from scripts.options import check_order, check_tape
from scripts.sweep.confirm import Engine, confirmed
from scripts.sweep.needs import need
from scripts.sweep.page import write
from scripts.sweep.pool import Runner, cores, local
from scripts.sweep.record import Record, Span, read_records
from scripts.sweep.report import Report, Walk, judged
from scripts.sweep.results import FILE, Results
from scripts.sweep.samplers import GRID, SAMPLERS, sampler_of
from scripts.sweep.scoring import Bench
from scripts.sweep.sheets import leaders, tables
from scripts.sweep.space import Space, read_space
from scripts.sweep.splits import SCHEMES, Split
from scripts.sweep.study import JUDGES, SECONDS, WHOLE, Aim, Finished, Scorer, Scores, Search, Task, ranked
from scripts.sweep.words import said_in, study_of

TRIALS: Final = 200
PROGRESS_S: Final = 5.0
FOREVER: Final = (0, 1 << 62)


@dataclass(frozen=True, slots=True)
class SweepOptions:
    """One sweep as asked for. Raises UsageError for what cannot be.

    switch_cost  of one opening or one closing, a fraction of the notional: both legs' fees and spreads.
    trials       sets drawn, of each study; None: 200, and all of a grid.
    folds        of the walk-forward; 0 leaves it out.      paths  of the Monte-Carlo.
    confirm      so many of the best are played through the whole engine.
    language     of tables, page and progress, instead of monitor.yaml's.
    """

    tape: Path
    space: Path
    instruments: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    sampler: str = "tpe"
    trials: int | None = None
    workers: int | None = None
    cluster: str | None = None
    out: Path | None = None
    resume: bool = False
    seed: int = 7
    objective: str = "worst"
    second: str = "drawdown"
    switch_cost: Decimal = Decimal("0.0016")
    splits: str = "walk"
    folds: int = 4
    purge_days: int = 30
    embargo_days: int = 10
    paths: int = 10_000
    confirm: int = 0
    config: Path = Path("config")
    json: bool = False
    language: str | None = None

    def __post_init__(self) -> None:
        check_tape(self.tape)
        check_order(self.from_ms, self.to_ms)
        for name, said, known in (
            ("--sampler", self.sampler, SAMPLERS),
            ("--objective", self.objective, tuple(JUDGES)),
            ("--second", self.second, SECONDS),
            ("--splits", self.splits, tuple(SCHEMES)),
            ("--language", self.language, (None, *LANGUAGES)),
        ):
            if said not in known:
                raise UsageError(f"{name} {said}: allowed: {', '.join(filter(None, known))}")
        if self.sampler == GRID and self.trials is not None:
            raise UsageError("--trials: a grid plays every set of its space; allowed with tpe, nsga2, cmaes")
        if not 0 <= self.switch_cost <= Decimal("0.1"):
            raise UsageError(f"--cost {self.switch_cost}: a fraction of the notional, allowed: 0 to 0.1")
        if self.cluster is not None and self.workers is not None:
            raise UsageError("--cluster and --workers: a cluster has its own workers; give one of them")
        if self.resume and self.out is None:
            raise UsageError("--resume: needs --out, the folder of the sweep to go on with")

    @property
    def span(self) -> Span:
        from_ms, to_ms = FOREVER
        return (self.from_ms or from_ms, to_ms if self.to_ms is None else self.to_ms)

    @property
    def aim(self) -> Aim:
        return Aim(self.objective, self.second)


def sweep(options: SweepOptions, out: TextIO | None = None) -> int:
    """Search, judge and say it; return the exit code. Raises UsageError and EngineError."""
    began = time.monotonic()
    settings = load(options.config)
    space = read_space(options.space, settings.strategy)
    sampler_of(options.sampler, space, options.trials or TRIALS, options.seed)  # refuses what it cannot do
    names = options.instruments or settings.instruments.instruments
    records = read_records(options.tape, names, options.span)
    splits = _splits(options, records)
    benches = _benches(options, records, splits)
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
    path = None if options.out is None else options.out / FILE
    results = Results(path, question(options, settings, space, records), options.resume)
    settings = in_language(settings, options.language)  # which changes no result
    language = settings.monitor.language
    runner, workers = _runner(options, Scorer(space.base, benches))
    with closing(results), closing(runner):
        teller = _Teller(options, out or sys.stderr, began, said_in(language))
        search = Search(
            space, options.sampler, options.trials or TRIALS, options.seed, options.aim, runner, workers,
            results, teller,
        )  # fmt: skip
        finished = search.run(WHOLE)
        walks = tuple(_walked(one, search, benches) for one in splits)
    best = ranked(finished, options.aim)
    runs = confirmed(
        _engine(options, settings, names),
        [one.values for one in best[: options.confirm]],
        space.strategy,
        options.workers or cores(),
    )
    report = judged(
        names, options.sampler, options.aim, options.seed, options.paths, space, benches[WHOLE], best, walks,
        runs, time.monotonic() - began,
    )  # fmt: skip
    _say(report, options, language)
    return 0


def question(
    options: SweepOptions, settings: Settings, space: Space, records: Sequence[Record]
) -> dict[str, Any]:
    """What a results file answers: everything that a set's score, and which set is drawn, depends on."""
    settled = hashlib.sha256(
        repr([(r.instrument, [s.settled for s in r.stretches]) for r in records]).encode()
    )
    return {
        "space": space.digest,
        "configuration": fingerprint(settings),
        "funding": settled.hexdigest(),
        "instruments": [one.instrument for one in records],
        "sampler": options.sampler,
        "trials": options.trials,
        "seed": options.seed,
        "objective": options.objective,
        "second": options.second,
        "cost": str(options.switch_cost),
        "splits": [options.splits, options.folds, options.purge_days, options.embargo_days],
    }


def _engine(options: SweepOptions, settings: Settings, names: tuple[str, ...]) -> Engine:
    played = BacktestOptions(
        options.tape, names, options.from_ms, options.to_ms, config=options.config, seed=options.seed
    )
    listed = settings.instruments.model_copy(update={"instruments": names})
    return Engine(played, settings.model_copy(update={"instruments": listed}), options.out)


def _splits(options: SweepOptions, records: Sequence[Record]) -> tuple[Split, ...]:
    if not options.folds:
        return ()
    played = [one.played for record in records for one in record.stretches]
    span = (min(one[0].ts_ms for one in played), max(one[-1].ts_ms for one in played) + 1)
    return SCHEMES[options.splits](
        span, options.folds, options.purge_days * DAY_MS, options.embargo_days * DAY_MS
    )


def _benches(options: SweepOptions, records: Sequence[Record], splits: Sequence[Split]) -> dict[str, Bench]:
    whole = Bench(records, options.switch_cost)
    benches = {WHOLE: whole}
    for one in splits:
        for name, spans in ((one.name, one.chosen_on), (_judging(one), (one.judged_on,))):
            benches[name] = whole.within(spans)
            if not benches[name].records:
                raise UsageError(f"--folds: the record has no funding for {name}; 0 leaves walk-forward out")
    return benches


def _runner(options: SweepOptions, work: Scorer) -> tuple[Runner[Task, Scores], int]:
    """Who scores, and into how many parts a generation is cut. The parts change no result."""
    if options.cluster is not None:
        need(("distributed",), "make cluster")
        from scripts.sweep.cluster import ClusterPool

        pool: ClusterPool[Task, Scores] = ClusterPool(work, options.cluster)
        return pool, pool.workers
    workers = options.workers or cores()
    return local(work, workers), workers


def _walked(split: Split, search: Search, benches: Mapping[str, Bench]) -> Walk:
    """Choose on one part of the time, and judge on the other."""
    best = ranked(search.run(split.name), search.aim)[0]
    bench = benches[_judging(split)]
    score, usual = bench.scores([search.space.strategy(best.values), search.space.base])
    aim = search.aim
    return Walk(split, best, aim.net(best.score), aim.net(score), aim.net(usual))


def _judging(split: Split) -> str:
    return f"{split.name}, judged"


class _Teller:
    """How far it is, and who leads: on stderr, every few seconds."""

    def __init__(self, options: SweepOptions, out: TextIO, began: float, said: Said) -> None:
        self._options, self._out, self._began, self._due = options, out, began, began
        self._said = said

    def __call__(self, study: str, finished: Sequence[Finished]) -> None:
        now = time.monotonic()
        if now < self._due and not self._is_last(finished):
            return
        self._due = now + PROGRESS_S
        of = {} if self._options.sampler == GRID else {"all": self._options.trials or TRIALS}
        told = {"study": study_of(study, self._said), "done": len(finished), "s": f"{now - self._began:.0f}"}
        print(self._said("progress.of" if of else "progress", **told, **of), file=self._out)
        for line in leaders(ranked(finished, self._options.aim)[:3], self._options.aim, self._said):
            print(f"  {line}", file=self._out, flush=True)

    def _is_last(self, finished: Sequence[Finished]) -> bool:
        return self._options.sampler != GRID and len(finished) >= (self._options.trials or TRIALS)


def _say(report: Report, options: SweepOptions, language: Language) -> None:
    said = said_in(language)
    if options.out is not None:
        write(report, options.out, language)
    if options.json:
        print(json.dumps(report.plain()))
        return
    print(tables(report, said))
    if options.out is not None:
        print(said("results", folder=options.out, page=options.out / "sweep.html"))
