"""Positions under a plan, walked through observations; bars that close where a test says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal as D
from typing import Any

import numpy as np

from core.types import Base, Side, Usdt
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.exit_plan import Distance, ExitPlan, Measures, Stop
from strategy.auxiliary.exit_progress import Entry, Progress, begun, entered, recalled, recorded
from strategy.auxiliary.exit_watch import BarClosed, Close, Keep, Mark, MoveStop, Seen, Step, Sweep, watch

LONG, SHORT = Side.BUY, Side.SELL
OPENED_MS = 1_700_000_100_000  # a bar of 15 minutes opened then
SECOND_MS, MINUTE_MS = 1_000, 60_000


def percent(value: str) -> Distance:
    return Distance(ratio=D(value) / 100)


def atr(value: str) -> Distance:
    return Distance(atr=D(value))


def plan(**changed: Any) -> ExitPlan:
    """A stop at 3 % and nothing else."""
    return ExitPlan(**{"name": "tried", "stop": Stop((percent("3"),)), **changed})


def bars(closes: Sequence[float], last_closed_ms: int, frame: str = "15m") -> Bars:
    """Bars without a range: all that is asked of them is where they closed."""
    step = FRAME_MS[frame]
    column = np.array(closes, dtype=np.float64)
    column.flags.writeable = False
    ts_ms = last_closed_ms - step * np.arange(len(column), 0, -1, dtype=np.int64)
    return Bars("BTC-USDT", frame, ts_ms, column, column, column, column, column)


def position(
    the_plan: ExitPlan,
    side: Side = LONG,
    base: str = "10",
    px: str = "100",
    *,
    leverage: str = "1",
    lot: str = "0.1",
    measured: Measures | None = None,
) -> Entry:
    return entered(
        the_plan,
        side,
        Base(D(base)),
        D(px),
        leverage=D(leverage),
        margin=Usdt(D(base) * D(px) / D(leverage)),
        lot=Base(D(lot)),
        opened_ms=OPENED_MS,
        measures=measured or Measures(),
    )


def other_life(entry: Entry, the_plan: ExitPlan, progress: Progress) -> tuple[Entry, ExitPlan, Progress]:
    """All three as the next life of the engine reads them: through text."""
    texts = [json.dumps(recorded(each)) for each in (entry, the_plan, progress)]
    told = [json.loads(text) for text in texts]
    return recalled(told[0], Entry), recalled(told[1], ExitPlan), recalled(told[2], Progress)


class Walk:
    """One position from its entry on. Times are seconds of holding."""

    def __init__(self, the_plan: ExitPlan, side: Side = LONG, **how: Any) -> None:
        self.plan, self.entry = the_plan, position(the_plan, side, **how)
        self.progress = begun(the_plan, self.entry)
        self.steps: list[Step] = []

    def see(self, seen: Seen) -> Close | MoveStop | Keep:
        step = watch(self.plan, self.entry, self.progress, seen)
        self.progress = step.progress
        self.steps.append(step)
        return step.action

    def mark(self, px: str, at_s: int = 10) -> Close | MoveStop | Keep:
        return self.see(Mark(OPENED_MS + at_s * SECOND_MS, D(px)))

    def sweep(self, at_s: int, px: str | None = None) -> Close | MoveStop | Keep:
        return self.see(Sweep(OPENED_MS + at_s * SECOND_MS, D(px) if px else None))

    def bar(self, *closes: float, at_s: int = 900, frame: str = "15m") -> Close | MoveStop | Keep:
        """A bar closes that many seconds after the entry; nobody hears of it before two more."""
        closed_ms = OPENED_MS + at_s * SECOND_MS
        return self.see(BarClosed(closed_ms + 2 * SECOND_MS, bars(closes, closed_ms, frame)))


def said(action: Close | MoveStop | Keep) -> tuple[str, ...]:
    """An action in words: what, why, how many coins off, and where the stop stands from then on."""
    if isinstance(action, Close):
        return ("close", action.reason.value, f"{action.base.normalize():f}", f"{action.left.normalize():f}")
    if isinstance(action, MoveStop):
        return ("move", action.reason.value, f"{action.px.normalize():f}")
    return ("keep", action.reason.value)


def figure(action: Close | MoveStop | Keep, name: str) -> object:
    return dict(action.figures)[name]
