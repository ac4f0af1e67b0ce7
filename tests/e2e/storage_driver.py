"""A daemon whose journal cannot be written for a while, from the n-th row of a kind on.

    python tests/e2e/storage_driver.py KIND N STATE SECONDS URL FOLDER HOW

STATE is the machine's when it begins, SECONDS the venue time it lasts (0: to the end of the process), HOW a
PRAGMA that makes the writing fail and, after a slash, the one that mends it.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.facts import Kind, Row
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import RunOptions


def main(kind: str, count: str, state: str, seconds: str, url: str, folder: str, how: str) -> None:
    left, tasks = int(count), []
    breaks, _, mends = how.partition("/")

    def watch(app: App) -> None:
        async def fail() -> None:
            await app.journal._db.execute(f"PRAGMA {breaks}")
            if float(seconds):
                await asyncio.sleep(float(seconds))
                await app.journal._db.execute(f"PRAGMA {mends}")

        def on_row(row: Row) -> None:
            nonlocal left
            if row.kind is Kind(kind) and app.engine.state.value == state:
                left -= 1
                if not left:
                    tasks.append(asyncio.get_running_loop().create_task(fail()))

        app.journal.listeners.append(on_row)

    run_daemon(RunOptions(speed=None, venue=url, data=Path(folder), for_ms=2 * 3_600_000, json=True), watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
