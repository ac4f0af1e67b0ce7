"""`main.py soak`: weeks of the demo engine in one process, through restarts, watched for what grows.

The venue runs in a process of its own for the whole time; the engine is started, stopped and started again
on the same books, so that a leak of any of its lives adds up here.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Final

from config.loader import load
from core.errors import EngineError
from core.journal import FILE_NAME
from scripts.child_venue import child_venue
from scripts.compose import App
from scripts.daemon import run_daemon
from scripts.folders import data_folder
from scripts.options import Mode, RunOptions
from scripts.questions import Answer

DAY_MS: Final = 86_400_000
MOST_MEMORY_MB: Final = 1.0  # growth per virtual day
MOST_FDS: Final = 0.5  # growth over the whole soak; a leak of one a restart is far above
MOST_DB_MB: Final = 1.0  # growth per virtual day
MOST_BEND: Final = 1.5  # the second half's growth of the database over the first half's: 1 is linear
MOST_LAG_S: Final = 2.0
WARM_UP: Final = 0.2  # of the lives: caches and the allocator fill up first


@dataclass(frozen=True, slots=True)
class Life:
    """What one life of the engine left behind. Memory is what is in use after garbage was collected."""

    days: float  # virtual, at its end
    memory_mb: float
    fds: int
    db_mb: float
    lag_s: float


def soak(for_ms: int, restarts_per_day: float, seed: int, data: Path | None) -> Answer:
    """Run, measure after each life, and judge the slopes. Exit code 1 when one is over its limit."""
    life_ms = int(DAY_MS / restarts_per_day) if restarts_per_day else for_ms
    options = RunOptions(mode=Mode.DEMO, speed=None, seed=seed, data=data)
    folder = data_folder(options)
    lives: list[Life] = []
    began_s = monotonic()
    with child_venue(options, load(options.config).instruments.instruments) as url:
        left_ms = for_ms
        while left_ms > 0:
            span = min(life_ms, left_ms)
            left_ms -= span
            lag_s = _live(replace(options, venue=url, data=folder, for_ms=span))
            lives.append(_measured(folder, (for_ms - left_ms) / DAY_MS, lag_s))
            last = lives[-1]
            print(
                f"day {last.days:.1f}: {last.memory_mb:.1f} MB, {last.fds} files,"
                f" journal {last.db_mb:.2f} MB, lag {last.lag_s * 1000:.0f} ms",
                file=sys.stderr,
            )
    return _judged(lives, monotonic() - began_s, folder)


def _live(options: RunOptions) -> float:
    """One life of the daemon, whose prints go nowhere; return the longest the loop took to answer, s."""
    lags = [0.0]

    def on_app(app: App) -> None:
        app.loop_lags_s = lags

    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        redirect_stdout(nowhere),
        redirect_stderr(nowhere),
    ):
        code = run_daemon(options, on_app)
    if code:
        raise EngineError(f"a life of the engine ended with exit code {code}")
    return max(lags)


def _measured(folder: Path, days: float, lag_s: float) -> Life:
    gc.collect()
    _give_back()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Life(
        days=days,
        memory_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        fds=len(os.listdir("/proc/self/fd")),
        db_mb=(folder / FILE_NAME).stat().st_size / 1e6,
        lag_s=lag_s,
    )


def _give_back() -> None:
    """Let the C library return what is free but still held, so that what is left is in use."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; elsewhere there is none
    if trim is not None:
        trim(0)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Least squares: growth of y per x; 0 for fewer than two points."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def _judged(lives: Sequence[Life], wall_s: float, folder: Path) -> Answer:
    warm = lives[int(len(lives) * WARM_UP) :]
    half = len(warm) // 2
    db = [(life.days, life.db_mb) for life in warm]
    first, second = slope(db[: half + 1]), slope(db[half:])
    figures = {
        "memory_mb_per_day": (slope([(life.days, life.memory_mb) for life in warm]), MOST_MEMORY_MB),
        "file_descriptors_more": (float(warm[-1].fds - warm[0].fds), MOST_FDS),
        "db_mb_per_day": (slope(db), MOST_DB_MB),
        "db_bend": (second / first if first > 0 else 1.0, MOST_BEND),
        "max_loop_lag_s": (max(life.lag_s for life in lives), MOST_LAG_S),
    }
    over = [name for name, (value, most) in figures.items() if value > most]
    data = {
        "ok": not over,
        "over": over,
        "days": lives[-1].days,
        "lives": len(lives),
        "wall_s": round(wall_s, 1),
        "data": str(folder),
        "figures": {name: {"value": round(v, 4), "most": most} for name, (v, most) in figures.items()},
        "measured": [asdict(life) for life in lives],
    }
    lines = [f"{lives[-1].days:g} days in {len(lives)} lives of the engine, {wall_s:.0f} s"]
    for name, (value, most) in figures.items():
        lines.append(f"{name:<24} {value:>10.3f}   at most {most:g}   {'OVER' if name in over else 'ok'}")
    return Answer(1 if over else 0, "\n".join(lines), json.loads(json.dumps(data)))
