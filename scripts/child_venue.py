"""The demo's venue: `main.py venue` as a child process on loopback, gone when its parent is gone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import EngineError
from scripts.options import RunOptions

MAIN = Path(__file__).resolve().parent.parent / "main.py"


@contextmanager
def venue_process(*arguments: str, lockstep: bool = True) -> Iterator[str]:
    """Start `main.py venue` with these arguments, on a free port and in lock-step: its time stands still
    while nobody is attached to its clock; else it runs by itself. Yield its base URL, end it afterwards.

    The child ends by itself when its standard input closes, so a killed parent leaves none behind.
    Raises EngineError with the child's last words when it does not come up.
    """
    command = [sys.executable, str(MAIN), "venue", "--port", "0", "--until-stdin-closes"]
    command += ["--lockstep"] if lockstep else []
    with subprocess.Popen(
        [*command, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        try:
            line = child.stdout.readline()
            if not line:
                raise EngineError(f"the simulated venue did not start (exit code {child.wait()})")
            yield f"http://127.0.0.1:{json.loads(line)['port']}"
        finally:
            child.stdin.close()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()


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
