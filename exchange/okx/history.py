"""The venue's past by REST: candles, mark candles, settlements and open interest, a window at a time.

Every endpoint gives the newest rows of a window first and a page of them at most. Windows are as long as a
page can be, so that one question answers one window; where a page ends early it is asked on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from core.errors import RateLimited, VenueDown
from core.ports import Clock
from exchange.okx import parse_history as parse
from exchange.okx import wire
from exchange.okx.parse_history import HistoryRow
from exchange.okx.rest import OkxRest

HOUR_MS: Final = 3_600_000
KINDS: Final = ("spot", "perp", "mark", "funding", "open_interest")
SHORTEST_INTERVAL_MS: Final = HOUR_MS  # of funding
# The tape's words for bars, and the venue's
BARS: Final = {
    "1m": "1m", "3m": "3m", "5m": "5m", "15m": "15m", "30m": "30m", "1h": "1H", "2h": "2H", "4h": "4H",
}  # fmt: skip
INTEREST_BARS: Final = tuple(bar for bar in BARS if bar not in ("1m", "3m"))
# Rows a page; of settlements the venue gives 400, and gave 100 before: what both give is asked for
_A_PAGE: Final = {"spot": 300, "perp": 300, "mark": 100, "funding": 100, "open_interest": 100}
PATIENCE_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class Series:
    """What is asked for. `bar` in the tape's words, "" for funding; `step_ms` its length, of funding the
    shortest interval there is."""

    kind: str
    inst_id: str
    bar: str
    step_ms: int


class OkxHistory:
    """Reads go through the client's request budget. After "too many" and after no answer they are repeated
    with growing pauses, of which `on_wait` is told; then RateLimited or VenueDown is raised."""

    def __init__(
        self, rest: OkxRest, clock: Clock, on_wait: Callable[[Exception, float], None] = lambda *_: None
    ) -> None:
        self._rest = rest
        self._clock = clock
        self._on_wait = on_wait

    def window_ms(self, series: Series) -> int:
        """What one page covers."""
        return _A_PAGE[series.kind] * series.step_ms

    async def window(self, series: Series, from_ms: int, to_ms: int) -> list[HistoryRow]:
        """Return the closed rows of [from, to), oldest first."""
        found: list[HistoryRow] = []
        end_ms = to_ms
        while end_ms > from_ms:
            page = await self._page(series, from_ms, end_ms, _A_PAGE[series.kind])
            if not page:
                break
            found += page
            end_ms = page[-1].ts_ms
        return [row for row in reversed(found) if row.closed]

    async def begin_ms(self, series: Series, from_ms: int, to_ms: int) -> int | None:
        """Return an instant in [from, to) less than a window before the first row there; None when there is
        none: before a listing, or before what the venue keeps."""
        if not await self._page(series, from_ms, to_ms, 1):
            return None
        low, high = from_ms, to_ms  # nothing in [from, low), something in [from, high)
        while high - low > self.window_ms(series):
            middle = (low + high) // 2 // series.step_ms * series.step_ms
            if await self._page(series, from_ms, middle, 1):
                high = middle
            else:
                low = middle
        return low

    async def _page(self, series: Series, from_ms: int, to_ms: int, limit: int) -> list[HistoryRow]:
        """The newest rows of [from, to), newest first."""
        rows = await self._asked(series, str(max(0, from_ms - 1)), str(to_ms), str(limit))
        return sorted((row for row in rows if from_ms <= row.ts_ms < to_ms), reverse=True)

    async def _asked(self, series: Series, *words: str) -> list[HistoryRow]:
        for pause_s in PATIENCE_S:
            try:
                return await self._read(series, *words)
            except (RateLimited, VenueDown) as error:
                self._on_wait(error, pause_s)
                await self._clock.sleep(pause_s)
        return await self._read(series, *words)

    async def _read(self, series: Series, newer_than: str, older_than: str, limit: str) -> list[HistoryRow]:
        rest, sdk, inst_id = self._rest, self._rest.sdk, series.inst_id
        between: dict[str, Any] = {"before": newer_than, "after": older_than, "limit": limit}
        if series.kind == "funding":
            return await rest.read(
                sdk.public.funding_rate_history,
                wire.FundingHistory,
                parse.settlement_row,
                scope=inst_id,
                instId=inst_id,
                **between,
            )
        bar = BARS[series.bar]
        if series.kind == "open_interest":
            return await rest.read(
                sdk.market.get_open_interest_history,
                wire.CandleRow,
                parse.interest_row,
                scope=inst_id,
                instId=inst_id,
                period=bar,
                begin=newer_than,
                end=older_than,
                limit=limit,
            )
        if series.kind == "mark":
            marks = sdk.market.get_history_mark_candlesticks
            return await rest.read(marks, wire.CandleRow, parse.mark_row, instId=inst_id, bar=bar, **between)
        return await rest.read(
            sdk.market.get_history_candlesticks,
            wire.CandleRow,
            lambda row: parse.candle_row(row, inst_id),
            instId=inst_id,
            bar=bar,
            **between,
        )
