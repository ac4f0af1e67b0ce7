"""What of the missing candles is asked for next, and how often the venue may be asked at all.

Filling a store for the first time is done once, as fast as is polite. What goes missing later, because a push
was lost or a connection was away, is asked for at most `per_minute` times in any minute, what is named first
before the rest. What the venue has not got yet is asked for again after a while that doubles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from strategy.auxiliary.bars import MINUTE_MS
from strategy.auxiliary.scanning.candles import Candles, Lack

A_PAGE: Final = 300  # candles of one request
FILLING: Final = ("empty", "short")
FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 15 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the venue is asked for candles.

    per_minute   for what goes missing.    filling_per_minute  for history, when a store is filled.
    grace_ms     how long after its end a candle may take to be pushed before it is asked for.

    Raises ValueError for less than one request a minute, or a grace below zero.
    """

    per_minute: int = 11
    filling_per_minute: int = 300
    grace_ms: int = 10_000

    def __post_init__(self) -> None:
        if min(self.per_minute, self.filling_per_minute) < 1 or self.grace_ms < 0:
            most = f"{self.per_minute} and {self.filling_per_minute} requests a minute"
            raise ValueError(f"{most} after {self.grace_ms} ms, allowed: 1 or more, after 0 or more")


class Requests:
    """Chooses; whoever asks the venue says how it went (`went`). Reads no clock."""

    def __init__(self, candles: Candles, pace: Pace | None = None) -> None:
        self._candles, self._pace = candles, pace or Pace()
        self._sent: dict[bool, deque[int]] = {True: deque(), False: deque()}  # filling or not -> when
        self._pauses: dict[tuple[str, str], tuple[int, int]] = {}  # -> (not before, times in a row)

    def due(self, instruments: Iterable[str], now_ms: int) -> Iterator[Lack | None]:
        """Yield what may be asked for now; None after each instrument, so that a long list can be looked
        through with rests. A request counts as sent when it is yielded."""
        for instrument in instruments:
            for frame in self._candles.frames:
                lack = self._candles.lack(instrument, frame, now_ms, self._pace.grace_ms)
                if lack is None:
                    self._pauses.pop((instrument, frame), None)
                elif self._may(lack, now_ms):
                    yield lack
            yield None

    def limit(self, lack: Lack) -> int:
        """Return how many candles to ask for: the missing ones, one that may close meanwhile, one forming."""
        return lack.bars + 2

    def went(self, lack: Lack, now_ms: int) -> None:
        """Note that the venue has answered, or has not: what is still missing then is let rest a while."""
        key = lack.instrument, lack.frame
        times = self._pauses.get(key, (0, 0))[1]
        pause_ms = min(FIRST_PAUSE_MS * 2 ** min(times, 16), LONGEST_PAUSE_MS)
        self._pauses[key] = now_ms + pause_ms, times + 1

    def _may(self, lack: Lack, now_ms: int) -> bool:
        if now_ms < self._pauses.get((lack.instrument, lack.frame), (0, 0))[0]:
            return False
        filling = lack.reason in FILLING
        most = self._pace.filling_per_minute if filling else self._pace.per_minute
        sent, pages = self._sent[filling], -(-self.limit(lack) // A_PAGE)
        while sent and sent[0] <= now_ms - MINUTE_MS:
            sent.popleft()
        if len(sent) + pages > most:
            return False
        sent.extend([now_ms] * pages)
        return True
