"""The demo's venue: `main.py venue` as a child process on loopback, gone when its parent is gone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import EngineError
from scripts.options import RunOptions

MAIN = Path(__file__).resolve().parent.parent / "main.py"
REAPING_S = 2.0  # its sockets are closed a moment before its end can be asked for


@contextmanager
def venue_process(*arguments: str, lockstep: bool = True) -> Iterator[str]:
    """Start `main.py venue` with these arguments, on a free port and in lock-step: its time stands still
    while nobody is attached to its clock; else it runs by itself. Yield its base URL, end it afterwards.

    The child ends by itself when its standard input closes, so a killed parent leaves none behind. It is in
    a session of its own: Ctrl-C in a terminal is for the engine, which still needs its venue to end well.

    Raises EngineError when it does not come up; and for any failure of those who used it, when the cause
    is that it is gone: its account went with it, and no second venue would know what the books say.
    """
    command = [sys.executable, str(MAIN), "venue", "--port", "0", "--until-stdin-closes"]
    command += ["--lockstep"] if lockstep else []
    with subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        try:
            line = child.stdout.readline()
            if not line:
                raise EngineError(f"the simulated venue did not start ({_fate(child.wait())})")
            try:
                yield f"http://127.0.0.1:{json.loads(line)['port']}"
            except EngineError as error:
                if (code := _code_of(child)) is None:
                    raise
                raise EngineError(
                    f"the simulated venue is gone ({_fate(code)}), and with it the account it kept;"
                    " the next start begins with a new venue and new books"
                ) from error
        finally:
            child.stdin.close()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()


def _code_of(child: subprocess.Popen[str]) -> int | None:
    """Its exit code; None while it lives."""
    try:
        return child.wait(timeout=REAPING_S)
    except subprocess.TimeoutExpired:
        return None


def _fate(code: int) -> str:
    """How a process ended, from its exit code: signal SIGKILL, exit code 1."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


@contextmanager
def child_venue(options: RunOptions, names: tuple[str, ...]) -> Iterator[str]:
    """The venue of a demo without one: see venue_process."""
    command = ["--seed", str(options.seed), "--instruments", ",".join(names)]
    if options.tape is not None:
        command += ["--tape", str(options.tape)]
    if options.regime is not None:
        command += ["--regime", options.regime, "--hold-regime" if options.hold_regime else "--from-regime"]
    for flag, value in (("--from", options.from_ms), ("--to", options.to_ms)):
        if value is not None:
            command += [flag, str(value)]
    with venue_process(*command) as url:
        yield url
