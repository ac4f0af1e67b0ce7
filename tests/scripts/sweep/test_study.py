from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from config.schema import Strategy
from core.errors import EngineError, UsageError
from scripts.sweep.pool import InProcess, LocalPool, Runner
from scripts.sweep.results import FILE, Results
from scripts.sweep.samplers import SAMPLERS, sampler_of
from scripts.sweep.scoring import Bench
from scripts.sweep.space import Space, as_text, read_space
from scripts.sweep.splits import purged_folds, walk_forward
from scripts.sweep.study import WHOLE, Aim, Finished, Scorer, Scores, Search, Task, front, ranked
from tests.scripts.sweep.scenes import COST, GRID, SPACE, records, space_file

DAY_MS = 86_400_000
AIM = Aim()
BENCHES = {WHOLE: Bench(records(60, "BTC-USDT", "ETH-USDT"), COST)}


def space_of(tmp_path: Path, sampler: str) -> Space:
    return read_space(space_file(tmp_path, GRID if sampler == "grid" else SPACE), Strategy())


def scorer(space: Space) -> Scorer:
    return Scorer(space.base, BENCHES)


def searched(
    space: Space,
    sampler: str,
    runner: Runner[Task, Scores],
    workers: int = 1,
    seed: int = 7,
    out: Path | None = None,
    resume: bool = False,
) -> list[Finished]:
    results = Results(out, {"seed": seed}, resume)
    try:
        return Search(space, sampler, 24, seed, AIM, runner, workers, results).run(WHOLE)
    finally:
        results.close()


class Counting:
    """Scores here, and counts; stops like a killed command after so many tasks."""

    def __init__(self, work: Scorer, most: int = 1 << 30) -> None:
        self._work, self._most = work, most
        self.sets = 0

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Scores]]:
        for place, task in enumerate(tasks):
            if self._most == 0:
                raise KeyboardInterrupt
            self._most -= 1
            self.sets += len(task[1])
            yield place, self._work(task)

    def close(self) -> None:
        """Nothing was opened."""


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_same_seed_gives_the_same_sets_and_scores_however_many_workers(
    tmp_path: Path, sampler: str
) -> None:
    space = space_of(tmp_path, sampler)
    alone = searched(space, sampler, InProcess(scorer(space)))
    with LocalPool(scorer(space), 3) as pool:
        assert searched(space, sampler, pool, workers=3) == alone
    assert len(alone) == (18 if sampler == "grid" else 24)
    if sampler != "grid":
        assert searched(space, sampler, InProcess(scorer(space)), seed=8) != alone


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("killed_after", [0, 1, 3])
def test_a_sweep_that_was_cut_short_goes_on_to_the_same_end_and_plays_nothing_twice(
    tmp_path: Path, sampler: str, killed_after: int
) -> None:
    space, out = space_of(tmp_path, sampler), tmp_path / FILE
    whole = searched(space, sampler, InProcess(scorer(space)))
    first = Counting(scorer(space), killed_after)
    with pytest.raises(KeyboardInterrupt):
        searched(space, sampler, first, workers=2 if sampler != "grid" else 5, out=out)
    second = Counting(scorer(space))
    assert searched(space, sampler, second, workers=2, out=out, resume=True) == whole
    assert first.sets + second.sets == len(whole)


def test_a_line_cut_short_is_dropped_and_its_set_played_again(tmp_path: Path) -> None:
    space, out = space_of(tmp_path, "tpe"), tmp_path / FILE
    whole = searched(space, "tpe", InProcess(scorer(space)), out=out)
    content = out.read_bytes()
    out.write_bytes(content[:-40])
    counting = Counting(scorer(space))
    assert searched(space, "tpe", counting, out=out, resume=True) == whole
    assert counting.sets == 1
    assert sorted(out.read_bytes().splitlines()) == sorted(content.splitlines())


def test_results_are_not_overwritten_nor_taken_for_those_of_another_question(tmp_path: Path) -> None:
    space, out = space_of(tmp_path, "tpe"), tmp_path / FILE
    searched(space, "tpe", InProcess(scorer(space)), out=out)
    with pytest.raises(UsageError, match="--resume goes on with it"):
        searched(space, "tpe", InProcess(scorer(space)), out=out)
    with pytest.raises(UsageError, match="answers another question: seed differ"):
        searched(space, "tpe", InProcess(scorer(space)), seed=8, out=out, resume=True)


def test_a_set_that_is_not_the_one_drawn_is_not_taken_for_it(tmp_path: Path) -> None:
    space, out = space_of(tmp_path, "tpe"), tmp_path / FILE
    searched(space, "tpe", InProcess(scorer(space)), out=out)
    lines = out.read_text().splitlines()
    said = json.loads(lines[3])
    said["set"]["strategy.opening.min_net_carry_bps"] = "7"
    lines[3] = json.dumps(said)
    out.write_text("\n".join(lines) + "\n")
    with pytest.raises(EngineError, match="begin in an empty folder"):
        searched(space, "tpe", InProcess(scorer(space)), out=out, resume=True)


def test_what_a_sampler_cannot_search_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"half_life_hours.*needs a step, or choices"):
        sampler_of("grid", space_of(tmp_path, "tpe"), 10, 1)
    one = read_space(space_file(tmp_path, "strategy.exit.mode: {choices: [sign]}\n"), Strategy())
    with pytest.raises(UsageError, match="two keys with low and high"):
        sampler_of("cmaes", one, 10, 1)
    many = "strategy.exit.min_hold_hours: {low: 0, high: 2000, step: 0.001}\n"
    with pytest.raises(UsageError, match="at most 1000000"):
        sampler_of("grid", read_space(space_file(tmp_path, many), Strategy()), 10, 1)


def test_the_ranking_has_the_best_first_and_every_set_once(tmp_path: Path) -> None:
    space = space_of(tmp_path, "tpe")
    finished = searched(space, "tpe", InProcess(scorer(space)))
    best = ranked([*finished, *finished], AIM)
    nets = [AIM.net(one.score) for one in best]
    assert nets == sorted(nets, reverse=True)
    assert len({repr(as_text(one.values)) for one in best}) == len(best) <= 24


def test_no_set_of_the_front_is_beaten_both_ways(tmp_path: Path) -> None:
    space = space_of(tmp_path, "nsga2")
    best = ranked(searched(space, "nsga2", InProcess(scorer(space))), AIM)
    kept = front(best, AIM)
    for one in kept:
        beaten = [
            other
            for other in best
            if AIM.net(other.score) >= AIM.net(one.score) and AIM.fall(other.score) < AIM.fall(one.score)
        ]
        assert beaten == []


def test_walk_forward_never_chooses_on_what_it_is_judged_by_nor_on_what_runs_into_it() -> None:
    purge, embargo = 3 * DAY_MS, 2 * DAY_MS
    splits = walk_forward((0, 100 * DAY_MS), 4, purge, embargo)
    assert [one.judged_on for one in splits] == [
        ((20 * n + 2) * DAY_MS, 20 * (n + 1) * DAY_MS) for n in range(1, 5)
    ]
    assert [one.chosen_on for one in splits] == [((0, (20 * n - 3) * DAY_MS),) for n in range(1, 5)]


def test_purged_folds_leave_out_both_sides_of_what_is_judged() -> None:
    splits = purged_folds((0, 100 * DAY_MS), 5, 3 * DAY_MS, 2 * DAY_MS)
    assert splits[0].chosen_on == ((25 * DAY_MS, 100 * DAY_MS),)
    assert splits[2].chosen_on == ((0, 37 * DAY_MS), (65 * DAY_MS, 100 * DAY_MS))
    assert splits[2].judged_on == (40 * DAY_MS, 60 * DAY_MS)


def test_folds_too_short_for_what_is_left_out_of_them_are_refused() -> None:
    with pytest.raises(UsageError, match="--folds: 2 days a part"):
        walk_forward((0, 10 * DAY_MS), 4, 3 * DAY_MS, DAY_MS)
