"""One run each of the engine and of a rival, in fresh processes, measured alike from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from core.errors import EngineError, UsageError

ROOT: Final = Path(__file__).resolve().parents[2]
MEBIBYTE: Final = 1024  # of what the system counts in KiB


class Run(NamedTuple):
    """run_s     as the process itself measured its run, without imports and loading.
    process_s  from its start to its end.    cpu_s  what it had of the processor: other work on the machine
               does not count in it.         peak_mib  the most memory it held.
    said       its result line.
    """

    run_s: float
    process_s: float
    cpu_s: float
    peak_mib: float
    said: dict[str, Any]

    @property
    def result(self) -> tuple[int, int, float, float, float]:
        said = self.said
        return said["trades"], said["margin_exits"], said["funding"], said["fees"], said["equity"]


def measured(command: list[str], cwd: Path) -> Run:
    """Run a command to its end; its last line is one JSON object with `run_s`. Raises EngineError."""
    began_s = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, text=True, env=_with_bytecode())
    assert process.stdout is not None
    told = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process_s = time.perf_counter() - began_s
    if process.returncode:
        raise EngineError(f"{' '.join(command)} ended with {process.returncode}")
    said = json.loads(told.splitlines()[-1])
    return Run(said["run_s"], process_s, used.ru_utime + used.ru_stime, used.ru_maxrss / MEBIBYTE, said)


def warm_up() -> None:
    """Write the engine's bytecode, as every installed library has it."""
    program = "import benchmarks.contract.__main__, benchmarks.contract.fast"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=_with_bytecode(), check=True)


def _with_bytecode() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def ours(data: Path, symbols: int, path: str) -> Run:
    """The engine, as `--once` runs it."""
    command = [sys.executable, "-m", "benchmarks.contract", "--once", "--data", str(data)]
    return measured([*command, "--symbols", str(symbols), "--path", path], ROOT)


def nautilus(python: Path, reference: Path, data: Path, symbols: int) -> Run:
    """The rival's script, with the interpreter that has it."""
    script = reference / "bt_nautilus.py"
    return measured([str(python), str(script), str(data), str(symbols)], reference)


def generate(python: Path, reference: Path, data: Path, years: int, symbols: int) -> None:
    """Have the reference generator write its files; `python` needs numpy, pandas and pyarrow."""
    script = reference / "gen_data.py"
    if not script.is_file():
        raise UsageError(f"--reference {reference}: gen_data.py is not there")
    command = [str(python), str(script), str(data), str(years), str(symbols)]
    if subprocess.run(command, check=False).returncode:
        raise UsageError(f"{python} cannot run {script}: an interpreter with pandas and pyarrow is needed")
