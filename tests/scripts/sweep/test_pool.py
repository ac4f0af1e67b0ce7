from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from core.errors import EngineError
from scripts.sweep.pool import MOST_DEATHS, InProcess, LocalPool, Runner
from tests.scripts.sweep.scenes import dies_once


def squared(task: int) -> int:
    return task * task


def dies_always(task: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return task


def fails(task: int) -> int:
    raise ValueError(f"not {task}")


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_every_task_is_done_once_and_told_with_its_place(workers: int) -> None:
    runner: Runner[int, int] = LocalPool(squared, workers) if workers else InProcess(squared)
    assert sorted(runner.run(range(5, 25))) == [(n, (n + 5) ** 2) for n in range(20)]
    assert sorted(runner.run([])) == []
    assert sorted(runner.run([7])) == [(0, 49)]
    runner.close()


def test_a_worker_that_is_killed_loses_only_what_it_had_in_hand_and_that_is_done_again(
    tmp_path: Path,
) -> None:
    with LocalPool(dies_once, 2) as pool:
        before = set(pool.pids)
        assert sorted(pool.run([(tmp_path / "mark", n) for n in range(8)])) == [(n, n) for n in range(8)]
        assert len(pool.pids) == 2 and len(before - set(pool.pids)) == 1


def test_a_worker_killed_while_it_waits_is_replaced() -> None:
    with LocalPool(squared, 2) as pool:
        list(pool.run(range(4)))
        os.kill(pool.pids[0], signal.SIGKILL)
        assert sorted(pool.run(range(4))) == [(n, n * n) for n in range(4)]


def test_a_task_that_ends_every_worker_is_an_error() -> None:
    with LocalPool(dies_always, 2) as pool, pytest.raises(EngineError, match=f"ended {MOST_DEATHS} workers"):
        list(pool.run([1]))


def test_what_a_task_raises_is_told() -> None:
    with LocalPool(fails, 1) as pool, pytest.raises(EngineError, match="ValueError: not 4"):
        list(pool.run([4]))


def test_no_worker_is_left_when_the_pool_is_closed() -> None:
    pool = LocalPool(squared, 2)
    pids = pool.pids
    pool.close()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
