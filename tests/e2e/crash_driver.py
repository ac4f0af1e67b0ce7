"""A daemon that kills itself, with SIGKILL, at the n-th journal row of a kind: nothing is cleaned up.

    python tests/e2e/crash_driver.py KIND N STATE URL FOLDER

The row that kills is in the journal's queue, like any row a real crash interrupts. STATE `any` counts
rows in every state; another one only rows appended while the machine is in it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.facts import Kind, Row
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import RunOptions


def main(kind: str, count: str, state: str, url: str, folder: str) -> None:
    left = int(count)

    def watch(app: App) -> None:
        def on_row(row: Row) -> None:
            nonlocal left
            if row.kind is Kind(kind) and state in ("any", app.engine.state.value):
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)

        app.journal.listeners.append(on_row)

    run_daemon(RunOptions(speed=None, venue=url, data=Path(folder), for_ms=5 * 86_400_000), watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
