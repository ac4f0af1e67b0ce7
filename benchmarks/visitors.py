"""What visitors cost the engine: how long a scan takes to decide and how late its loop is, with and without.

Demos in turn on the same market at the same pace, first alone, then with company from a process of its own:

    cockpit   twenty pages that listen and look around now and then, and a scraper once a second
    crowd     two hundred listeners, and one that never reads what it is sent

    python -m benchmarks.visitors [--for 1d] [--pairs 3] [--json]
"""

from __future__ import annotations

import asyncio
import io
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Final

from benchmarks.figures import Figure, report
from core.events import On
from core.meters import WORK_BOUNDS_S, Family
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.options import RunOptions, duration_ms

PAGES: Final = 20
CROWD: Final = 200
MOST_TIMES: Final = 1.2  # a scan may take so many times as long as without visitors
MOST_LAG_MS: Final = 50.0
MOST_MB: Final = 150.0
LOOKED_AT: Final = ("/api/status", "/api/decisions?most=50", "/api/performance", "/api/orders")
ROOT: Final = Path(__file__).resolve().parents[1]
NOBODY: Final = float("inf")


class Kept(Family):
    """Keeps every value, for exact quantiles."""

    def __init__(self) -> None:
        super().__init__(WORK_BOUNDS_S)
        self.values: dict[str, list[float]] = {}

    def add(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


@dataclass(slots=True)
class Seen:
    """What the demos of one kind showed: seconds per scan, the longest lateness of each run's loop."""

    scans_s: list[float] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    heard: int = 0  # events that reached listeners


def play(for_ms: int, config: Path, seen: Seen, *, web: bool) -> None:
    """One demo, with or without its page; adds what it showed."""
    kept, apps = Kept(), list[App]()

    def on_app(app: App) -> None:
        app.meters.decisions_s = kept
        apps.append(app)

    with tempfile.TemporaryDirectory(prefix="visitors-") as folder, redirect_stdout(io.StringIO()):
        run_daemon(RunOptions(for_ms=for_ms, config=config, data=Path(folder), web=web), on_app)
    seen.scans_s += kept.values[On.SCAN.value]
    seen.lags_s += apps[0].loop_lags_s


@contextmanager
def company(kind: str, port: int, seen: Seen) -> Iterator[None]:
    """Visitors while inside; afterwards it is known how much they heard."""
    visitors = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.visitors", "--visit", kind, str(port)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield
    finally:
        told, _ = visitors.communicate()  # closes its stdin, which ends the visit
        seen.heard += int(told)


async def visit(kind: str, port: int) -> int:
    """Listen and look around until stdin closes; return how many events were heard."""
    visitors = [Visitor(port) for _ in range(PAGES if kind == "cockpit" else CROWD)]
    tasks = [asyncio.create_task(one.listen()) for one in visitors]
    if kind == "cockpit":
        tasks += [asyncio.create_task(one.look_around(5.0)) for one in visitors]
        tasks.append(asyncio.create_task(Visitor(port).look_around(1.0, ("/metrics",))))
    else:
        tasks.append(asyncio.create_task(Visitor(port).stare()))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return sum(one.heard for one in visitors)


class Visitor:
    """Somebody with a page open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.heard = 0

    async def listen(self) -> None:
        """Hear the stream, and come back when it ends."""
        while True:
            reader, writer = await self._ask("/api/stream")
            if b" 200 " not in await reader.readline():
                await asyncio.sleep(1.0)  # too many came at once
            while line := await reader.readline():
                self.heard += line.startswith(b"data: ")
            writer.close()

    async def look_around(self, every_s: float, paths: Sequence[str] = LOOKED_AT) -> None:
        while True:
            for path in paths:
                reader, writer = await self._ask(path, close=True)
                await reader.read()
                writer.close()
            await asyncio.sleep(every_s)

    async def stare(self) -> None:
        """Open the stream and never read: what is sent piles up at the other end, if it may."""
        opened = socket.socket()
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        opened.setblocking(False)
        while True:
            try:
                await asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", self._port))
                break
            except OSError:
                await asyncio.sleep(0.2)
        await asyncio.get_running_loop().sock_sendall(opened, self._request("/api/stream", False))
        await asyncio.Event().wait()

    async def _ask(self, path: str, close: bool = False) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**22)
                break
            except OSError:  # not yet, or no longer
                await asyncio.sleep(0.2)
        writer.write(self._request(path, close))
        return reader, writer

    def _request(self, path: str, close: bool) -> bytes:
        ends = "connection: close\r\n" if close else ""
        return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{self._port}\r\n{ends}\r\n".encode()


def memory_mb(config: Path) -> float:
    """The most the daemon's process holds while it idles for half a minute, its page being open."""
    with tempfile.TemporaryDirectory(prefix="visitors-") as folder:
        daemon = subprocess.Popen(
            [sys.executable, "main.py", "run", "--for", "5m", "--speed", "10", "--data", folder,
             "--config", str(config)],
            cwd=ROOT, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        peak = 0
        while daemon.poll() is None:
            status = Path(f"/proc/{daemon.pid}/status").read_text("utf-8")
            held = next((line for line in status.splitlines() if line.startswith("VmRSS")), "VmRSS: 0")
            peak = max(peak, int(held.split()[1]))
            try:
                daemon.wait(0.5)
            except subprocess.TimeoutExpired:
                continue
    return peak / 1024


def measure(for_ms: int, pairs: int) -> list[Figure]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    alone, cockpit, crowd = Seen(), Seen(), Seen()
    with tempfile.TemporaryDirectory(prefix="config-") as folder:
        config = Path(shutil.copytree(ROOT / "config", Path(folder) / "config"))
        page = config / "monitor.yaml"
        page.write_text(page.read_text("utf-8").replace("port: 8788", f"port: {port}"), "utf-8")
        for _ in range(pairs):
            play(for_ms, config, alone, web=False)
            for kind, seen in (("cockpit", cockpit), ("crowd", crowd)):
                with company(kind, port, seen):
                    play(for_ms, config, seen, web=True)
        held_mb = memory_mb(config)
    return [
        Figure("scan decided, nobody there, median", median(alone.scans_s) * 1e3, "ms", NOBODY, False),
        Figure("with a cockpit, median, times", _times(cockpit, alone), "", MOST_TIMES, False),
        Figure(
            "with a cockpit, mean, times", mean(cockpit.scans_s) / mean(alone.scans_s), "", MOST_TIMES, False
        ),
        Figure("with a cockpit, 99th percentile, times", _p99(cockpit) / _p99(alone), "", NOBODY, False),
        Figure("with a crowd, times", _times(crowd, alone), "", NOBODY, False),
        Figure("loop late, nobody there, most", max(alone.lags_s) * 1e3, "ms", NOBODY, False),
        Figure("loop late, with a cockpit, most", max(cockpit.lags_s) * 1e3, "ms", NOBODY, False),
        Figure("loop late, with a crowd, most", max(crowd.lags_s) * 1e3, "ms", MOST_LAG_MS, False),
        Figure("events heard by the cockpit", cockpit.heard, "", PAGES, True),
        Figure("events heard by the crowd", crowd.heard, "", CROWD, True),
        Figure("idle daemon with its page, most", held_mb, "MiB", MOST_MB, False),
    ]


def _times(seen: Seen, alone: Seen) -> float:
    return median(seen.scans_s) / median(alone.scans_s)


def _p99(seen: Seen) -> float:
    return quantiles(seen.scans_s, n=100)[-1]


def main(argv: Sequence[str]) -> int:
    if "--visit" in argv:
        kind, port = argv[argv.index("--visit") + 1 :][:2]
        print(asyncio.run(visit(kind, int(port))))
        return 0
    spell = argv[argv.index("--for") + 1] if "--for" in argv else "1d"
    pairs = int(argv[argv.index("--pairs") + 1]) if "--pairs" in argv else 3
    return report(measure(duration_ms(spell), pairs), argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
