"""Real processes around a test: the venue and the daemon."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.child_venue import venue_process
from tests.canaries import found_in

ROOT = Path(__file__).resolve().parents[2]
TAPE = ROOT.parent / "shared" / "data"
PATIENCE_S = 300

needs_tape = pytest.mark.skipif(
    not TAPE.is_dir(), reason=f"the tape folder {TAPE.name} is not beside the project"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `summary` is the object on its last line of stdout."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        """No process of any test may show a planted secret."""
        assert not found_in((self.out + self.err).encode())

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


def main(*arguments: str, timeout: float = PATIENCE_S) -> Ended:
    """Run one command of main.py to its end; a daemon has its page only where the test asks for it."""
    if arguments[0] == "run" and "--web" not in arguments:
        arguments = ("run", "--no-web", *arguments[1:])
    return run(str(ROOT / "main.py"), *arguments, timeout=timeout)


def run(script: str, *arguments: str, timeout: float = PATIENCE_S) -> Ended:
    done = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=timeout
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start(script: str, *arguments: str, talks: bool = False) -> subprocess.Popen[str]:
    """Start a process and leave it running; with `talks` its stdin and stdout are pipes."""
    pipe = subprocess.PIPE if talks else subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, script, *arguments],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


@contextmanager
def venue(*arguments: str) -> Iterator[str]:
    """A simulated venue that outlives engines; its clock stands still while no engine is attached."""
    with venue_process(*arguments) as url:
        yield url
