"""The Crowd port on OKX: the venue's trading statistics by the hour.

The venue does not say whether an hour's figure carries the time of its beginning or of its end. It is taken
for the beginning: then it counts as known an hour late at worst, and never before it was.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from core.types import HOUR_MS
from exchange.okx import wire
from exchange.okx.fields import millis, number, unreadable
from exchange.okx.rest import OkxRest

A_PAGE: Final = 100
_PERIOD: Final = "1H"

Row = tuple[int, Decimal]


class OkxCrowd:
    """Every method may raise VenueDown, RateLimited or VenueRejected."""

    def __init__(self, rest: OkxRest) -> None:
        self._rest = rest

    async def open_interest_hours(self, inst_id: str, since_ms: int) -> tuple[Row, ...]:
        found: list[Row] = []
        end_ms = self._rest.venue_now_ms()
        while end_ms > since_ms:
            page = await self._rest.read(
                self._rest.sdk.market.get_open_interest_history,
                wire.CandleRow,
                _interest,
                scope=inst_id,
                instId=inst_id,
                period=_PERIOD,
                begin=str(max(0, since_ms - 1)),
                end=str(end_ms),
                limit=str(A_PAGE),
            )
            older = [row for row in page if since_ms <= row[0] < end_ms]
            found += older
            if len(page) < A_PAGE or not older:
                break
            end_ms = min(row[0] for row in older)
        return self._over(found)

    async def long_short_hours(self, ccy: str, since_ms: int) -> tuple[Row, ...]:
        now_ms = self._rest.venue_now_ms()
        rows = await self._rest.read(
            self._rest.sdk.market.get_long_short_ratio,
            wire.CandleRow,
            _ratio,
            ccy=ccy,
            period=_PERIOD,
            begin=str(since_ms),
            end=str(now_ms),
        )
        return self._over([row for row in rows if row[0] >= since_ms])

    def _over(self, rows: list[Row]) -> tuple[Row, ...]:
        now_ms = self._rest.venue_now_ms()
        return tuple(sorted({at_ms: (at_ms, x) for at_ms, x in rows if at_ms + HOUR_MS <= now_ms}.values()))


def _interest(row: wire.CandleRow) -> Row:
    """[ts, oi, oiCcy, oiUsd]: coins."""
    if len(row) < 3:
        unreadable("open interest", len(row), row)
    return millis("ts", row[0], row), number("oiCcy", row[2], row)


def _ratio(row: wire.CandleRow) -> Row:
    """[ts, ratio]."""
    if len(row) < 2:
        unreadable("long/short ratio", len(row), row)
    return millis("ts", row[0], row), number("ratio", row[1], row)
