"""A daemon that sends itself a signal at the n-th journal row of a kind, and perhaps a second one.

    python tests/e2e/signal_driver.py SIGNAL TIMES KIND N STATE URL FOLDER

TIMES 1 or 2: the second signal comes as soon as the loop has heard of the first. KIND `start` signals
before anything has begun. STATE `any` counts rows in every state.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.facts import Kind, Row
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import RunOptions


def main(name: str, times: str, kind: str, count: str, state: str, url: str, folder: str) -> None:
    left = int(count)
    number = signal.Signals[name]

    def watch(app: App) -> None:
        def on_row(row: Row) -> None:
            nonlocal left
            left -= row.kind is Kind(kind) and state in ("any", app.engine.state.value)
            if left == 0:
                left = -1
                os.kill(os.getpid(), number)
                if times == "2":  # once the first has been heard
                    loop = asyncio.get_running_loop()
                    loop.call_soon(loop.call_soon, loop.call_soon, os.kill, os.getpid(), number)

        if kind == "start":
            os.kill(os.getpid(), number)
        else:
            app.journal.listeners.append(on_row)

    run_daemon(RunOptions(speed=None, venue=url, data=Path(folder), for_ms=5 * 86_400_000, json=True), watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
