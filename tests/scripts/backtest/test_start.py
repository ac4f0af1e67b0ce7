"""What a backtest takes along before its first bar: whoever waits for it waits for every module."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

UNUSED: Final = {
    "apscheduler.schedulers",  # it walks the triggers itself
    "multiprocessing",
    "monitor.report.page",  # only with --out
    "monitor.web",
    "fastapi",
    "okx",
    "httpx",
    "websockets",
    "telegram",
    "rich",
    "pygments",
    "pyarrow",
}


def test_a_backtest_starts_without_what_it_does_not_use() -> None:
    code = "import sys, main, scripts.backtest.command, scripts.backtest.vigil; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"core.engine", "exchange.sim.exchange", "numpy"} <= loaded
    assert not UNUSED & loaded
