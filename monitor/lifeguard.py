"""Watches the event loop from a thread of its own, on real time, whatever clock the loop runs on.

Once a second it knocks on the loop and measures how long the answer takes. The answer is the loop's own
judgement of its tasks; only a good one in time feeds the service manager's watchdog. A loop that does not
answer is written to the log with the place it is stuck in.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from core.meters import WORK_BOUNDS_S, Histogram
from monitor.systemd import Systemd

PERIOD_S: Final = 1.0
STALL_S: Final = 5.0  # pings are due every few seconds: a loop that is away for longer misses them
log = logging.getLogger(__name__)


class Lifeguard:
    """Start it on the loop's own thread, with `with`.

    look  asked on the loop once a period: True when all is well there.
    """

    def __init__(
        self,
        look: Callable[[], bool],
        systemd: Systemd,
        period_s: float = PERIOD_S,
        stall_s: float = STALL_S,
    ) -> None:
        self._look, self._systemd = look, systemd
        self._period_s = min(period_s, systemd.watchdog_s / 3) if systemd.watchdog_s else period_s
        self._stall_s = stall_s
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._over, self._answered = threading.Event(), threading.Event()
        self._well = False
        self._thread = threading.Thread(target=self._watch, name="lifeguard", daemon=True)
        self.lag_s = self.max_lag_s = 0.0
        self.stalls = 0
        self._worst_s = 0.0
        self.lags_s = Histogram(WORK_BOUNDS_S)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._answered.set()
        self._thread.join()

    def worst_lag_s(self) -> float:
        """The longest the loop took to answer since this was asked before."""
        worst, self._worst_s = self._worst_s, 0.0
        return worst

    def _answer(self) -> None:
        self._well = False
        try:
            self._well = self._look()
        finally:
            self._answered.set()

    def _watch(self) -> None:
        while not self._over.wait(self._period_s):
            knocked_s = time.monotonic()
            self._answered.clear()
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:
                return  # the loop is closed: there is nobody left to watch
            if not self._answered.wait(self._stall_s):
                self.stalls += 1
                log.error("the event loop has not answered for %.0f s\n%s", self._stall_s, self._place())
                self._answered.wait()  # nothing is fed until it does
            if self._over.is_set():
                return
            self.lag_s = time.monotonic() - knocked_s
            self.max_lag_s = max(self.max_lag_s, self.lag_s)
            self.lags_s.add(self.lag_s)
            self._worst_s = max(self._worst_s, self.lag_s)
            if self._well:
                self._systemd.alive()

    def _place(self) -> str:
        frame = sys._current_frames().get(self._watched)
        return "".join(traceback.format_stack(frame)) if frame is not None else "in an unknown place"
