"""Lives of the daemon that end by SIGKILL: processes of their own, killed from inside or from outside.

A start costs a second of imports. So most lives are forked from a server that has imported the daemon and
done nothing else (multiprocessing's fork server); now and then one is `main.py run` itself.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from core.errors import EngineError
from core.facts import Kind, Row
from scripts.child_venue import MAIN
from scripts.commands import Verb
from scripts.options import RunOptions

# Rows an engine may be killed at, and how many of the kind a life can be expected to write.
ROWS: Final = (
    (Kind.BOOT, 1),
    (Kind.DECISION, 25),
    (Kind.HEDGE, 3),
    (Kind.INTENT, 2),
    (Kind.INTENT, 6),
    (Kind.ACK, 2),
    (Kind.ACK, 6),
    (Kind.ORDER, 4),
    (Kind.FILL, 2),
    (Kind.FILL, 6),
    (Kind.REPORT, 3),
    (Kind.TRANSFER, 2),
    (Kind.TRANSFER, 4),
    (Kind.BILL, 4),
    (Kind.PERMISSION, 2),
    (Kind.NOTE, 3),
)
LONGEST_S: Final = 4.0  # a life that is ended by the clock
PATIENCE_S: Final = 8.0  # for a row that may never be written
FRESH_SHARE: Final = 0.08  # of lives that are `main.py run` itself, killed by the clock
FRESH_MORE_S: Final = 2.0  # longer, for its imports
POLL_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Plan:
    """How one life goes. All spans are wall-clock seconds since its start.

    row     kill at the n-th row of a kind, while it is still in the journal's queue; None: by the clock.
    orders  what the operator says meanwhile, and when.
    stop    when the process is stopped, and for how long; it is killed while stopped when that is over after
            `after_s`.
    """

    after_s: float
    row: tuple[Kind, int] | None = None
    fresh: bool = False
    stop: tuple[float, float] | None = None
    orders: tuple[tuple[float, Verb], ...] = ()


def plan_of(rng: Random, times: float = 1.0) -> Plan:
    """Draw one life, so many times longer than usual: where answers are lost a start takes its time."""
    orders: list[tuple[float, Verb]] = []
    if rng.random() < 0.9:
        orders.append((0.0, Verb.RESUME))  # waits in the folder, and is obeyed after recovery
    if rng.random() < 0.5:
        at_s = rng.uniform(0.2, LONGEST_S * 0.8)
        orders.append((at_s, rng.choice((Verb.FLATTEN, Verb.FLATTEN, Verb.HALT))))
        orders.append((at_s + rng.uniform(0.1, 1.0), Verb.RESUME))
    stop = (rng.uniform(0.2, LONGEST_S), rng.uniform(0.05, 2.5)) if rng.random() < 0.2 else None
    if rng.random() < FRESH_SHARE:
        return Plan(FRESH_MORE_S + times * rng.uniform(0.2, LONGEST_S), None, True, stop, tuple(orders))
    if rng.random() < 0.6:
        kind, most = rng.choice(ROWS)
        return Plan(times * PATIENCE_S, (kind, 1 + rng.randrange(most)), False, stop, tuple(orders))
    return Plan(times * rng.uniform(0.1, LONGEST_S), None, False, stop, tuple(orders))


@dataclass(frozen=True, slots=True)
class Death:
    """How a life ended. `said` is what it wrote to stderr when it was not killed."""

    code: int
    stopped: bool
    said: str = ""

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def live(plan: Plan, options: RunOptions, log: Path, tell: Callable[[Verb], object]) -> Death:
    """One life of the daemon, to its end; `tell` brings the operator's word to it."""
    begun_s = time.monotonic()
    events: list[tuple[float, Callable[[], object]]] = []
    process: _Forked | _Fresh = _Fresh(options, log) if plan.fresh else _Forked(options, log, plan.row)
    for at_s, verb in plan.orders:
        events.append((at_s, lambda verb=verb: tell(verb)))  # type: ignore[misc]
    if plan.stop is not None:
        at_s, span_s = plan.stop
        events.append((at_s, lambda: process.send(signal.SIGSTOP)))
        events.append((at_s + span_s, lambda: process.send(signal.SIGCONT)))
    events.append((plan.after_s, process.kill))
    events.sort(key=lambda event: event[0])
    stopped = False
    for at_s, act in events:
        if not process.ends_within(begun_s + at_s - time.monotonic()):
            stopped = stopped or (plan.stop is not None and at_s == plan.stop[0])
            act()
    code = process.code()
    said = "" if code == -signal.SIGKILL else log.read_text(errors="replace")[-2_000:]
    return Death(code, stopped, said)


class _Forked:
    """A daemon forked from the server."""

    def __init__(self, options: RunOptions, log: Path, row: tuple[Kind, int] | None) -> None:
        self._process = _CONTEXT.Process(target=_daemon, args=(options, log, row))
        self._process.start()

    def ends_within(self, wait_s: float) -> bool:
        self._process.join(max(0.0, wait_s))
        return self._process.exitcode is not None

    def send(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        with suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self.send(signal.SIGKILL)

    def code(self) -> int:
        self._process.join()
        code = self._process.exitcode
        assert code is not None
        self._process.close()
        return code


class _Fresh:
    """`main.py run`, as an operator starts it."""

    def __init__(self, options: RunOptions, log: Path) -> None:
        assert options.venue is not None and options.data is not None
        command = [sys.executable, str(MAIN), "run", "--venue", options.venue, "--speed", "max"]
        command += ["--data", str(options.data), "--config", str(options.config)]
        command += ["--instruments", ",".join(options.instruments)]
        with log.open("wb") as out:
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out)

    def ends_within(self, wait_s: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, wait_s))
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()

    def code(self) -> int:
        return self._process.wait()


def _daemon(options: RunOptions, log: Path, row: tuple[Kind, int] | None) -> None:
    """What the forked process does: run the daemon, and kill itself at the row, if one was named."""
    from scripts.compose import App
    from scripts.daemon import run_daemon

    left = row[1] if row is not None else 0

    def on_app(app: App) -> None:
        def on_row(written: Row) -> None:
            nonlocal left
            if row is not None and written.kind is row[0]:
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        app.journal.listeners.append(on_row)

    with log.open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        try:
            code = run_daemon(options, on_app)
        except EngineError as error:
            print(f"{type(error).__name__}: {error}", file=out, flush=True)
            code = 1
    sys.exit(code)


_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["__main__", "scripts.daemon"])
