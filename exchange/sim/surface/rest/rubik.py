"""Public endpoints /rubik: the venue's trading statistics, of which open interest is served.

Limits per IP and instrument, and 1,440 entries at most, from the venue's documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from exchange.sim.markets.bars import BARS, BarSpec
from exchange.sim.seam import Venue
from exchange.sim.surface.entry.params import bad
from exchange.sim.surface.entry.rate_limits import Limit
from exchange.sim.surface.rendering import public as render
from exchange.sim.surface.rendering.text import DAY_MS, UTC8_MS
from exchange.sim.surface.rest.public import market_of
from exchange.sim.surface.rest.routes import Call, Route

KEPT: Final = 1440
MOST: Final = 100
_SHORTER: Final = ("1s", "1m", "3m")
# Months are left out: nobody pages years of them
PERIODS: Final = {
    **{name: spec for name, spec in BARS.items() if name not in _SHORTER and not spec.months},
    "5D": BarSpec(5 * DAY_MS, UTC8_MS),
    "5Dutc": BarSpec(5 * DAY_MS),
}


class Statistics:
    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def open_interest(self, call: Call) -> Sequence[Any]:
        """Newest first; `end` keeps what is older, `begin` what is newer, both without their own instant."""
        params, side = call.params, market_of(self._venue, call.params)
        spec = PERIODS.get(params.get("period", "5m"))
        if spec is None:
            raise bad("period")
        if not side.instrument.is_swap:
            raise bad("instId")
        begin, end = params.integer("begin"), params.integer("end")
        oldest_ms = self._venue.now_ms - KEPT * spec.length_ms
        newest_first = side.interest(spec.length_ms, end, params.limit(MOST, MOST), spec.offset_ms)
        return [
            render.past_interest(one, side.instrument)
            for one in newest_first
            if one.ts_ms > oldest_ms and (begin is None or one.ts_ms > begin)
        ]


def routes(venue: Venue) -> list[Route]:
    path = "/rubik/stat/contracts/open-interest-history"
    return [Route("GET", path, Statistics(venue).open_interest, Limit(10, 2000, ("instId",)))]
