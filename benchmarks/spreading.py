"""What is lost between two workers of a sweep: 100 tasks of 50 ms each, asleep and at work.

Tasks that sleep need no processor, so neighbours hardly touch them: half of their time over what the pool
takes is its own loss, of handing out and taking back. Tasks that burn processor time are held against two
processes that burn the same in plain loops from one signal on, turn by turn, over three rounds: that has
the same neighbours, and is the best that two processes can do. The figure against the clock alone only
means something while nobody else works on the machine; it is of the best round. Then where the rest went:
how much of the workers' time was in tasks, and what the process that hands them out took of a processor.

Last a whole search of such sleeping sets. Between two generations the sampler draws, in one process, and
the workers wait: with TPE some 10 ms a set after 200, twice that after 1,000. The same seed shall draw the
same sets with any number of workers, and this is its price; a grid does not pay it.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Final

from benchmarks.figures import Figure
from config.schema import Strategy
from core.types import HOUR_MS, SettledFunding
from scripts.sweep.pool import LocalPool
from scripts.sweep.record import record_of
from scripts.sweep.results import Results
from scripts.sweep.scoring import Bench
from scripts.sweep.space import read_space
from scripts.sweep.study import WHOLE, Aim, Scores, Search, Task

ROUNDS: Final = 3
TASKS: Final = 100
TASK_S: Final = 0.05
SETS: Final = 200
SPACE: Final = """\
strategy.exit.mode: {choices: [expected_cost, hysteresis]}
strategy.forecast.half_life_hours: {low: 24, high: 720, log: true}
strategy.forecast.reversion_half_life_hours: {low: 336, high: 4380, log: true}
strategy.forecast.horizon_hours: {low: 240, high: 2160, step: 120}
strategy.opening.min_net_carry_bps: {low: 0, high: 20}
"""


def asleep(place: int) -> float:
    """One task; the seconds from its beginning to its end."""
    began = time.perf_counter()
    time.sleep(TASK_S)
    return time.perf_counter() - began


def burning(place: int) -> float:
    """One task that needs the processor; the seconds from its beginning to its end."""
    began, until = time.perf_counter(), time.process_time() + TASK_S
    while time.process_time() < until:
        pass
    return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds: of the whole, of all tasks within it, and of processor time of the process that hands out."""

    whole_s: float
    inside_s: float
    handing_s: float


def in_pool(work: Callable[[int], float]) -> Took:
    """The tasks in a pool of two, from when both have begun to work."""
    with LocalPool(work, 2) as pool:
        list(pool.run(range(2)))
        began, processor = time.perf_counter(), time.process_time()
        inside_s = sum(said for _, said in pool.run(range(TASKS)))
        return Took(time.perf_counter() - began, inside_s, time.process_time() - processor)


def _loop(work: Callable[[int], float], go: Event) -> None:
    go.wait()
    for place in range(TASKS // 2):
        work(place)


def in_loops(work: Callable[[int], float]) -> float:
    """Seconds of two processes that are handed nothing but a signal to begin."""
    go = multiprocessing.Event()
    loops = [multiprocessing.Process(target=_loop, args=(work, go)) for _ in range(2)]
    for one in loops:
        one.start()
    began = time.perf_counter()
    go.set()
    for one in loops:
        one.join()
    return time.perf_counter() - began


class Sleeper:
    """Scores sets by sleeping; all come to the same."""

    def __init__(self) -> None:
        settled = [SettledFunding(n * 8 * HOUR_MS, Decimal("0.0001")) for n in range(90)]
        self._score = Bench([record_of("BTC-USDT", settled)], Decimal(0)).scores([Strategy()])[0].plain()

    def __call__(self, task: Task) -> Scores:
        return [self._score for place, _ in enumerate(task[1]) if asleep(place)]


def searching(sampler: str) -> float:
    """Seconds of a search of SETS sleeping sets on two workers, drawing and keeping results included."""
    with tempfile.TemporaryDirectory(prefix="spreading-") as folder:
        path = Path(folder) / "space.yaml"
        path.write_text(SPACE, encoding="utf-8")
        space = read_space(path, Strategy())
        results = Results(Path(folder) / "results.jsonl", {}, False)
        with LocalPool(Sleeper(), 2) as pool:
            list(pool.run([(WHOLE, ())] * 2))
            began = time.perf_counter()
            Search(space, sampler, SETS, 7, Aim(), pool, 2, results).run(WHOLE)
            took_s = time.perf_counter() - began
        results.close()
    return took_s


def spreading() -> list[Figure]:
    """Best over took, each: 1 is nothing lost. The searches have no target."""
    best_s = TASKS * TASK_S / 2
    naps, burns, loops = list[Took](), list[Took](), list[float]()
    for _ in range(ROUNDS):
        naps.append(in_pool(asleep))
        burns.append(in_pool(burning))
        loops.append(in_loops(burning))
    whole_s, handing_s = _whole(burns), sum(one.handing_s for one in burns)
    return [
        Figure("efficiency, two workers, 50 ms asleep", best_s * ROUNDS / _whole(naps), "", 0.95, True),
        Figure("the same at work, against two plain loops", sum(loops) / whole_s, "", 0.95, True),
        Figure("the same at work, against the clock", best_s / min(b.whole_s for b in burns), "", 0.95, True),
        Figure("of the workers' time in tasks", sum(b.inside_s for b in burns) / 2 / whole_s, "", 0.95, True),
        Figure("handing out, processor time a task", handing_s / TASKS / ROUNDS * 1e3, "ms", 1.0, False),
        *(
            Figure(f"search of {SETS} sets of 50 ms, {one}", SETS * TASK_S / 2 / searching(one), "", 0, True)
            for one in ("tpe", "nsga2")
        ),
    ]


def _whole(rounds: list[Took]) -> float:
    return sum(one.whole_s for one in rounds)
