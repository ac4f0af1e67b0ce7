"""A dry run that scans every half second instead of every five minutes, and ends when it has seen enough.

    python tests/e2e/dry_run_driver.py CONFIG FOLDER OPENS

It ends cleanly once so many hedges were opened, and not before three scans.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core.events import On
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import Mode, RunOptions

EVERY_S = 0.5
SCANS = 3
PATIENCE_MS = 60_000


def main(config: str, folder: str, opens: str) -> None:
    def scan_on(app: App) -> None:
        if app.engine.totals.opens >= int(opens) and app.engine.totals.scans >= SCANS:
            os.kill(os.getpid(), signal.SIGTERM)
            return
        app.engine.tick(On.SCAN, None)
        asyncio.get_running_loop().call_later(EVERY_S, scan_on, app)

    def watch(app: App) -> None:
        asyncio.get_running_loop().call_later(EVERY_S, scan_on, app)

    options = RunOptions(Mode.DRY_RUN, config=Path(config), data=Path(folder), for_ms=PATIENCE_MS, json=True)
    run_daemon(options, watch)


if __name__ == "__main__":
    main(*sys.argv[1:])
