"""Random tapes in memory, and the plain play: every bar of a position shown to `watch`, none left out."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from core.types import HOUR_MS, SettledFunding, Side
from scripts.modules.ride import TAPE_ENDS, Exit
from scripts.modules.tape import Coin, Series, frames_of
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.exit_plan import ExitPlan, TrailBy
from strategy.auxiliary.exit_progress import Entry, Progress, begun
from strategy.auxiliary.exit_watch import BarClosed, Close, Mark, Seen, watch
from tests.fakes import START_MS

BEGIN_MS = START_MS // (24 * HOUR_MS) * 24 * HOUR_MS
D = Decimal


def tape(
    seed: int, count: int, frame: str = "15m", step: float = 0.004, hole_at: int = 0, name: str = "BTC-USDT"
) -> Coin:
    """A walk of bars from BEGIN_MS on with two decimals, funding every 8 h; `hole_at`: three are missing."""
    random = np.random.default_rng(seed)
    wild = random.random(count) < 0.02
    moves = random.normal(0, step, count) * np.where(wild, 6, 1)
    close = 100 * np.exp(np.cumsum(moves))
    jumps = np.where(random.random(count) < 0.05, random.normal(0, 3 * step, count), 0)
    opened = np.concatenate(([100.0], close[:-1])) * np.exp(jumps)
    high = np.maximum(opened, close) * np.exp(np.abs(random.normal(0, step / 2, count)))
    low = np.minimum(opened, close) * np.exp(-np.abs(random.normal(0, step / 2, count)))
    volume = random.exponential(10, count) * np.exp(np.abs(moves) / step / 2)
    kept = np.ones(count, dtype=np.bool_)
    if hole_at:
        kept[hole_at : hole_at + 3] = False
    frame_ms = FRAME_MS[frame]
    ts = BEGIN_MS + np.arange(count, dtype=np.int64) * frame_ms
    opened, high, low, close = (np.round(column, 2)[kept] for column in (opened, high, low, close))
    columns = (ts[kept], opened, high, low, close, np.round(volume, 3)[kept])
    end_ms = BEGIN_MS + count * frame_ms
    rates = random.normal(0.0001, 0.0004, 2 + (end_ms - BEGIN_MS) // (8 * HOUR_MS))
    settled = tuple(
        SettledFunding(BEGIN_MS + n * 8 * HOUR_MS, D(f"{rate:.6f}")) for n, rate in enumerate(rates)
    )
    series = frames_of(name, {frame_ms: columns}, end_ms)
    return Coin(name, "made", series, tuple(s for s in settled if s.ts_ms <= end_ms), {}, "made")


tapes = st.builds(
    tape,
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(130, 700),
    step=st.sampled_from((0.0005, 0.004, 0.015)),
    hole_at=st.sampled_from((0, 0, 90, 150)),
)


def plain_exits(plan: ExitPlan, entry: Entry, coin: Coin, watched: Series, first: int) -> tuple[Exit, ...]:
    """How a position ends, bar after bar. The order of prices is that of scripts/modules/ride.py."""
    plain = _Plain(plan, entry, coin)
    last = first
    while last + 1 < len(watched.ts_ms) and watched.ts_ms[last + 1] - watched.ts_ms[last] == watched.frame_ms:
        last += 1
    for at in range(first, last + 1):
        plain.bar(watched, at, at < last)
    if plain.progress.left:
        closed_ms = int(watched.ts_ms[last]) + watched.frame_ms
        plain.exits.append(
            Exit(closed_ms, plain.progress.left, D(repr(float(watched.close[last]))), TAPE_ENDS)
        )
    return tuple(plain.exits)


class _Plain:
    def __init__(self, plan: ExitPlan, entry: Entry, coin: Coin) -> None:
        self.plan, self.entry, self.coin = plan, entry, coin
        self.progress: Progress = begun(plan, entry)
        self.exits: list[Exit] = []

    def bar(self, bars: Series, at: int, goes_on: bool) -> None:
        opened, high, low, close = (
            D(repr(float(column[at]))) for column in (bars.open, bars.high, bars.low, bars.close)
        )
        long = self.entry.side is Side.BUY
        best, worst = (high, low) if long else (low, high)
        now_ms = int(bars.ts_ms[at])
        self.show(Mark(now_ms, opened), opened)
        self.fall(now_ms, worst)
        reached = -1
        while self.progress.left and reached != self.progress.reached < len(self.plan.targets):
            reached = self.progress.reached
            level = self.entry.levels.targets[reached]
            px = self.plan.targets[reached].px(level, now_ms - self.entry.opened_ms)
            if px is None or (px > best if long else px < best):
                break
            self.show(Mark(now_ms, px), px)
            if self.progress.reached > reached:
                self.fall(now_ms, worst)
        self.show(Mark(now_ms, best), best)
        self.fall(now_ms, close)
        then_ms = now_ms + bars.frame_ms
        px = D(repr(float(bars.open[at + 1]))) if goes_on else close
        for frame in dict.fromkeys(t.frame for t in self.plan.trails if t.is_average):
            for shown in self.closing(frame, then_ms):
                self.show(BarClosed(then_ms, shown), px)

    def fall(self, now_ms: int, px: Decimal) -> None:
        """Down to a price for a long, up to it for a short, with a stop at every line in between."""
        entry, progress, sign = self.entry, self.progress, self.entry.side.sign
        lines = [progress.stop_px, entry.px - sign * self.plan.emergency_ratio * entry.margin / entry.base]
        for trail, best in zip(self.plan.trails, progress.bests, strict=True):
            if best is not None and trail.size is not None:
                unit = best if trail.by is TrailBy.RATIO else entry.measures.atr
                assert unit is not None
                lines.append(best - sign * unit * trail.size)
        line = max(lines) if sign > 0 else min(lines)
        if (px - line) * sign <= 0:
            self.show(Mark(now_ms, line), line)
            self.show(Mark(now_ms, px), line)
        else:
            self.show(Mark(now_ms, px), px)

    def closing(self, frame: str, closed_ms: int) -> list[Bars]:
        series = self.coin.series[frame]
        return [series.bars(int(n), 100) for n in np.flatnonzero(series.ts_ms + series.frame_ms == closed_ms)]

    def show(self, seen: Seen, px: Decimal) -> None:
        if self.progress.left:
            step = watch(self.plan, self.entry, self.progress, seen)
            self.progress = step.progress
            if isinstance(step.action, Close):
                self.exits.append(Exit(seen.at_ms, step.action.base, px, step.action.reason.value))
