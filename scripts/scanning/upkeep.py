"""Candles kept whole: what was not pushed is asked for, filled in, and learnt from.

An answer with fewer candles than asked for says where they begin; one that leaves a hole as it was says that
the venue has it too; none at all, and a refusal, count against the instrument (blacklist.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from core.errors import BadPayload, RateLimited, VenueDown, VenueRejected
from core.ports import Clock, Market
from core.types import Candle
from strategy.auxiliary.scanning.blacklist import Blacklist, Cause
from strategy.auxiliary.scanning.candles import Candles, Lack
from strategy.auxiliary.scanning.requests import FILLING, Pace, Requests

EVERY_S: Final = 5.0
DOWN_S: Final = 15.0  # rest after no answer
A_TURN: Final = 20  # instruments looked through before the loop has its turn
# What these stand for does not change by candles, so none are asked for
NOT_ASKED: Final = (Cause.EXCLUDED, Cause.FAILURES, Cause.YOUNG, Cause.THIN)


class Upkeep:
    """Keeps a store of candles whole by REST, beside what is pushed.

    inst_id     says which market's candles stand for an instrument: BTC-USDT -> BTC-USDT-SWAP.
    venue_ms    the venue's time.
    on_trouble  told in words of what the venue did not give.
    every_s     seconds between two looks; a venue whose clock leaps stops at each.
    """

    def __init__(
        self,
        candles: Candles,
        market: Market,
        clock: Clock,
        venue_ms: Callable[[], int],
        inst_id: Callable[[str], str],
        blacklist: Blacklist,
        on_trouble: Callable[[str], None],
        pace: Pace | None = None,
        every_s: float = EVERY_S,
    ) -> None:
        self._candles, self._market, self._clock, self._venue_ms = candles, market, clock, venue_ms
        self._inst_id, self._blacklist, self._on_trouble = inst_id, blacklist, on_trouble
        self._requests = Requests(candles, pace)
        self._every_s = every_s
        self.requests = 0

    def on_candle(self, instrument: str, frame: str, candle: Candle) -> None:
        """Take a candle that was pushed."""
        self._candles.take(instrument, frame, [candle], self._venue_ms())

    async def run(self, instruments: Callable[[], Sequence[str]]) -> None:
        """Keep at it until cancelled; `instruments` are those scanned now, the dearest first."""
        while True:
            await self._clock.sleep(await self.once(instruments()) or self._every_s)

    async def once(self, instruments: Sequence[str]) -> float:
        """Ask for what may be asked for now; return for how long the venue wants to be left alone, s."""
        looked = 0
        for lack in self._requests.due(
            [name for name in instruments if self._is_asked(name)], self._venue_ms()
        ):
            if lack is None:
                looked += 1
                if looked % A_TURN == 0:
                    await self._clock.sleep(0)
            elif self._is_asked(lack.instrument) and (rest_s := await self._ask(lack)):
                return rest_s
        return 0.0

    def _is_asked(self, instrument: str) -> bool:
        ban = self._blacklist.ban(instrument, self._venue_ms())
        return ban is None or ban.cause not in NOT_ASKED

    async def _ask(self, lack: Lack) -> float:
        instrument, limit = lack.instrument, self._requests.limit(lack)
        self.requests += 1
        try:
            found = await self._market.candles(self._inst_id(instrument), lack.frame, limit)
        except (VenueDown, RateLimited) as error:
            self._requests.went(lack, self._venue_ms())
            self._on_trouble(f"candles of {instrument} {lack.frame}: {error}")
            return error.retry_after_s if isinstance(error, RateLimited) else DOWN_S
        except (VenueRejected, BadPayload) as error:
            self._requests.went(lack, self._venue_ms())
            self._refused(lack, str(error))
            return 0.0
        now_ms = self._venue_ms()
        self._requests.went(lack, now_ms)
        self._take(lack, found, now_ms)
        return 0.0

    def _take(self, lack: Lack, found: Sequence[Candle], now_ms: int) -> None:
        if not found:
            self._refused(lack, "the venue has no candles of it")
            return
        self._blacklist.succeeded(lack.instrument)
        instrument, frame = lack.instrument, lack.frame
        taken = self._candles.take(instrument, frame, found, now_ms)
        if taken.differing:
            self._on_trouble(f"{taken.differing} candles of {instrument} {frame} came in a second version")
        if lack.reason in FILLING and len(found) < lack.bars:
            self._candles.begins(instrument, frame, found[0].ts_ms)
        if lack.reason != "late" and not taken.new:
            self._candles.hopeless(instrument, frame, now_ms)

    def _refused(self, lack: Lack, why: str) -> None:
        ban = self._blacklist.failed(lack.instrument, why, self._venue_ms())
        self._on_trouble(f"candles of {lack.instrument} {lack.frame}: {why}")
        if ban is not None:
            self._on_trouble(f"{ban.instrument} is kept out of scans: {ban.reason}")
