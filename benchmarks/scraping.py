"""What a scraper costs the engine: how long it takes to decide a scan, with /metrics asked for and without.

Demos in turn on the same market at the same pace. The scraper is a process of its own that asks ten times a
second: 150 times more often than a Prometheus with its fifteen seconds.

    python -m benchmarks.scraping --for 1d
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from benchmarks.figures import Figure, report
from core.events import On
from core.meters import WORK_BOUNDS_S, Family
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import RunOptions, duration_ms

EVERY_S: Final = 0.1
MOST: Final = 1.2  # times as long as without, at most
PAIRS: Final = 3
ROOT: Final = Path(__file__).resolve().parents[1]


class Kept(Family):
    """Keeps every value, for exact quantiles."""

    def __init__(self) -> None:
        super().__init__(WORK_BOUNDS_S)
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


def scans_of(for_ms: int, config: Path, *, web: bool) -> list[float]:
    """Seconds that each scan of one demo took to decide."""
    kept = Kept()

    def on_app(app: App) -> None:
        app.meters.decisions_s = kept

    with tempfile.TemporaryDirectory(prefix="scraping-") as folder, redirect_stdout(io.StringIO()):
        run_daemon(RunOptions(for_ms=for_ms, config=config, data=Path(folder), web=web), on_app)
    return kept.values[On.SCAN.value]


@contextmanager
def scraper(url: str) -> Iterator[None]:
    asking = subprocess.Popen([sys.executable, "-m", "benchmarks.scraping", "--ask", url], cwd=ROOT)
    try:
        yield
    finally:
        asking.terminate()
        asking.wait()


def ask(url: str) -> None:
    """Ask until terminated; before the page is there, and after it is gone, asking fails and goes on."""
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                answer.read()
        except OSError as error:
            print(f"not yet: {error}", file=sys.stderr)
        time.sleep(EVERY_S)


def measure(for_ms: int) -> list[Figure]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    without: list[float] = []
    scraped: list[float] = []
    with tempfile.TemporaryDirectory(prefix="config-") as folder:
        config = Path(shutil.copytree(ROOT / "config", Path(folder) / "config"))
        page = config / "monitor.yaml"
        page.write_text(page.read_text("utf-8").replace("port: 8788", f"port: {port}"), "utf-8")
        for _ in range(PAIRS):
            without += scans_of(for_ms, config, web=False)
            with scraper(f"http://127.0.0.1:{port}/metrics"):
                scraped += scans_of(for_ms, config, web=True)
    return [
        Figure("scan decided, nobody asks, median", median(without) * 1e3, "ms", float("inf"), False),
        Figure("scan decided, scraped ten times a second", median(scraped) * 1e3, "ms", float("inf"), False),
        Figure("median, times", median(scraped) / median(without), "", MOST, False),
        Figure("99th percentile, times", _p99(scraped) / _p99(without), "", float("inf"), False),
        Figure("scans measured", len(without) + len(scraped), "", 2, True),
    ]


def _p99(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[-1]


def main(argv: Sequence[str]) -> int:
    if "--ask" in argv:
        ask(argv[argv.index("--ask") + 1])
    spell = argv[argv.index("--for") + 1] if "--for" in argv else "1d"
    return report(measure(duration_ms(spell)), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
