"""When to scan: after bars have closed and had a moment to come, and again soon where one was late."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.language import Module
from strategy.auxiliary.scanning.words import LATE, Outcome, Scan

SETTLE_MS: Final = 2_000  # from the end of a bar until its candle is here, as a rule
AGAIN_MS: Final = 10_000  # after a scan that missed bars


def next_scan_ms(
    modules: Iterable[Module], now_ms: int, last: Scan | None = None, settle_ms: int = SETTLE_MS
) -> int | None:
    """Return when the next scan is due, UTC ms, later than `now_ms`; None where no module asks for one.

    A module asked on a frame waits for the end of its bar, one asked on none for the next minute. Whatever is
    fed, and an operator who asks, need not wait for it.
    """
    frames = {FRAME_MS[module.needs.on] if module.needs.on else MINUTE_MS for module in modules}
    if not frames:
        return None
    due_ms = min((now_ms - settle_ms) // frame_ms * frame_ms + frame_ms + settle_ms for frame_ms in frames)
    if last is not None and misses_bars(last):
        return min(due_ms, now_ms + AGAIN_MS)
    return due_ms


def misses_bars(scan: Scan) -> bool:
    """Return whether somebody could not be asked because a bar that has closed was not here yet."""
    return any(line.outcome is Outcome.MISSING and line.detail.endswith(LATE) for line in scan.lines)
