"""Work spread over processes of this machine. A worker that is killed loses only what it had in hand.

A worker has one task in hand, and a second one waiting while many are left, so that it never waits itself.
When its end of its pipe closes, both go to others and another worker is started. A task that has killed
three workers is an error, not a fourth.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Final, Generic, Protocol, Self, TypeVar

from core.errors import EngineError

Task = TypeVar("Task")
Done = TypeVar("Done")
Task_contra = TypeVar("Task_contra", contravariant=True)
Done_co = TypeVar("Done_co", covariant=True)

MOST_DEATHS: Final = 3
_LOST: Final = (EOFError, ConnectionError)


class Runner(Protocol[Task_contra, Done_co]):
    """Where tasks are done: here, in processes, or on a cluster."""

    def run(self, tasks: Sequence[Task_contra]) -> Iterator[tuple[int, Done_co]]:
        """Yield each task's place and what came of it, as they finish.

        Raises EngineError when one cannot be done.
        """
        ...

    def close(self) -> None: ...


class InProcess(Generic[Task, Done]):
    """No other process: the tasks one after the other."""

    def __init__(self, work: Callable[[Task], Done]) -> None:
        self._work = work

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Done]]:
        for place, task in enumerate(tasks):
            yield place, self._work(task)

    def close(self) -> None:
        """Nothing was opened."""


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    line: Connection
    places: deque[int] = field(default_factory=deque)  # of the task in hand, and of the one that waits


class LocalPool(Generic[Task, Done]):
    """So many processes. `work` is called in them, and must be picklable where they are not forked."""

    def __init__(self, work: Callable[[Task], Done], workers: int) -> None:
        self._work = work
        # A fork begins at once; but a thread of ours could hold a lock that it would never see free.
        forks = sys.platform == "linux" and threading.active_count() == 1
        self._context: Any = multiprocessing.get_context("fork" if forks else "spawn")
        self._workers: list[_Worker] = []
        for _ in range(workers):
            self._workers.append(self._started())

    @property
    def pids(self) -> list[int]:
        return [pid for one in self._workers if (pid := one.process.pid) is not None]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Done]]:
        """See Runner.run."""
        left, deaths, open_ = deque(range(len(tasks))), [0] * len(tasks), len(tasks)
        for worker in (*self._workers, *self._workers):
            self._give(worker, left, tasks)
        while open_:
            busy = [one for one in self._workers if one.places]
            for line in wait([one.line for one in busy]):
                worker = next(one for one in busy if one.line is line)
                answer = self._answer(worker)
                if answer is None:
                    self._mourn(worker, left, deaths)
                    worker = self._started()
                    self._workers.append(worker)
                    self._give(worker, left, tasks)
                    continue
                place, (ok, said) = worker.places.popleft(), answer
                self._give(worker, left, tasks)
                if not ok:
                    raise EngineError(f"a worker of the sweep failed: {said}")
                open_ -= 1
                yield place, said

    def _mourn(self, worker: _Worker, left: deque[int], deaths: list[int]) -> None:
        """A worker has died: what it had is done by others. The task in hand is what may have killed it."""
        left.extendleft(reversed(worker.places))
        in_hand = worker.places[0]
        deaths[in_hand] += 1
        self._workers.remove(worker)
        self._end(worker)
        if deaths[in_hand] == MOST_DEATHS:
            raise EngineError(f"task {in_hand} of the sweep ended {MOST_DEATHS} workers")

    def close(self) -> None:
        """End the workers, whatever they have in hand."""
        for worker in self._workers:
            self._end(worker)
        self._workers.clear()

    def _started(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        forked = self._context.get_start_method() == "fork"
        inherited = [*(one.line for one in self._workers), ours] if forked else []
        process = self._context.Process(target=_serve, args=(theirs, self._work, inherited), daemon=True)
        process.start()
        theirs.close()  # so that a worker's end is nowhere but with the worker
        return _Worker(process, ours)

    def _give(self, worker: _Worker, left: deque[int], tasks: Sequence[Task]) -> None:
        """Another task for a worker that has none; for one that has, only while there are many."""
        if len(worker.places) < 2 and len(left) > (len(self._workers) if worker.places else 0):
            worker.places.append(left.popleft())
            with suppress(*_LOST):  # a worker that has died says so when it is asked for the answer
                worker.line.send(tasks[worker.places[-1]])

    @staticmethod
    def _answer(worker: _Worker) -> tuple[bool, Any] | None:
        try:
            answer: tuple[bool, Any] = worker.line.recv()
        except _LOST:
            return None
        return answer

    @staticmethod
    def _end(worker: _Worker) -> None:
        worker.line.close()
        worker.process.kill()
        worker.process.join()


def _serve(line: Connection, work: Callable[[Any], Any], inherited: Sequence[Connection]) -> None:
    """A worker's life: until the other end of its line closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, and ends us
    for one in inherited:
        one.close()
    while True:
        try:
            task = line.recv()
        except _LOST:
            return
        try:
            answer = (True, work(task))
        except Exception as error:  # noqa: BLE001  told to the parent, which raises it
            answer = (False, f"{type(error).__name__}: {error}")
        try:
            line.send(answer)
        except _LOST:
            return


def local(work: Callable[[Task], Done], workers: int) -> Runner[Task, Done]:
    """So many processes, or for one worker none at all."""
    return InProcess(work) if workers == 1 else LocalPool(work, workers)


def cores() -> int:
    return os.cpu_count() or 1
