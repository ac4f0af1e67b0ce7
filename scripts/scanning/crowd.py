"""What the crowd holds, kept by the hour: open interest and long/short ratios, with when they were known.

Each instrument is asked about once every four hours, which is as often as anybody looks. The first time that
is a month of hours, a request a second; after that one request a series, `per_minute` of them at most.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from core.errors import RateLimited, VenueDown, VenueError
from core.ports import Clock, Crowd
from core.types import DAY_MS, HOUR_MS
from strategy.auxiliary.scanning.known import KnownSeries, Samples

EVERY_MS: Final = 4 * HOUR_MS
LOOKBACK_MS: Final = 31 * DAY_MS
PER_MINUTE: Final = 5
FILLING_S: Final = 1.0
IDLE_S: Final = 30.0
DOWN_S: Final = 30.0
INTEREST: Final = "open interest"
RATIO: Final = "long/short ratio"

Key = tuple[str, str]  # instrument, kind


class CrowdUpkeep:
    """Keeps both series of every instrument.

    inst_id     says which swap an instrument is; the ratio is asked for by its coin.
    on_trouble  told in words of what the venue did not give, the same words once.

    Raises ValueError for less than one request a minute.
    """

    def __init__(
        self,
        crowd: Crowd,
        clock: Clock,
        venue_ms: Callable[[], int],
        inst_id: Callable[[str], str],
        on_trouble: Callable[[str], None],
        per_minute: int = PER_MINUTE,
    ) -> None:
        if per_minute < 1:
            raise ValueError(f"{per_minute} requests a minute, allowed: 1 or more")
        self._crowd, self._clock, self._venue_ms = crowd, clock, venue_ms
        self._inst_id, self._on_trouble, self._per_minute = inst_id, on_trouble, per_minute
        self._series = {INTEREST: KnownSeries(HOUR_MS), RATIO: KnownSeries(HOUR_MS)}
        self._asked_ms: dict[Key, int] = {}
        self._told: set[str] = set()

    def known(self, kind: str, instruments: Sequence[str], now_ms: int) -> Mapping[str, Samples]:
        """Return by instrument what of a kind was known at an instant; none where nothing was."""
        series = self._series[kind]
        return {name: shown for name in instruments if (shown := series.known(name, now_ms))}

    async def run(self, instruments: Callable[[], Sequence[str]]) -> None:
        """Keep at it until cancelled."""
        while True:
            await self._clock.sleep(await self.once(instruments()))

    async def once(self, instruments: Sequence[str]) -> float:
        """Ask for the series that is due longest, if one is; return how long to wait then, s."""
        now_ms = self._venue_ms()
        keys = [(name, kind) for name in instruments for kind in self._series]
        key = min(keys, key=lambda each: self._asked_ms.get(each, 0), default=None)
        if key is None or (last_ms := self._asked_ms.get(key, 0)) > now_ms - EVERY_MS:
            return IDLE_S
        self._asked_ms[key] = now_ms
        try:
            await self._ask(*key, now_ms, last_ms)
        except RateLimited as error:
            self._asked_ms[key] = last_ms
            return max(error.retry_after_s, FILLING_S)
        except VenueDown as error:
            self._asked_ms[key] = last_ms
            self._tell(f"{key[1]}: {error}")
            return DOWN_S
        except VenueError as error:
            self._tell(f"{key[1]} of {key[0]}: {error}")
        return 60 / self._per_minute if last_ms else FILLING_S

    async def _ask(self, instrument: str, kind: str, now_ms: int, last_ms: int) -> None:
        """Ask for all hours since the last one that is known: the venue may have been late with some."""
        series = self._series[kind]
        known = len(series.known(instrument, now_ms))
        since_ms = now_ms - (LOOKBACK_MS if not known else max(EVERY_MS, now_ms - last_ms) + 4 * HOUR_MS)
        asks: Awaitable[Samples]
        if kind == INTEREST:
            asks = self._crowd.open_interest_hours(self._inst_id(instrument), since_ms)
        else:
            asks = self._crowd.long_short_hours(instrument.partition("-")[0], since_ms)
        rows = await asks
        seen_ms = self._venue_ms()
        for begins_ms, figure in rows:
            series.take(instrument, begins_ms, figure, seen_ms)

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._on_trouble(words)
