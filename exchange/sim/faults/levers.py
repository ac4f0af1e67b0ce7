"""What faults move inside the venue: its stated time, what it shows, its calendar, its keys.

Beside edits.py, which changes what is so, most of this changes only what clients get to see.
"""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from exchange.sim.events import IndexChanged, MarkChanged
from exchange.sim.exchange import Exchange
from exchange.sim.markets.distortion import Distorted, Distortion
from exchange.sim.markets.source import Gap
from exchange.sim.seam import MarketSide


class Levers:
    def __init__(self, venue: Exchange) -> None:
        self._venue = venue
        self._world = venue.world

    def skew_clock(self, ms: int) -> None:
        """Let the venue's stated time differ from its true one."""
        self._venue.clock_skew_ms = ms

    def show(self, inst_id: str, distortion: Distortion | None) -> None:
        """Show a market distorted, or as it is again."""
        market, outbox = self._world.markets[inst_id], self._world.outbox
        shown = market if distortion is None else Distorted(market, distortion)
        self._venue.markets[inst_id] = cast(MarketSide, shown)
        market.touched(outbox)
        swap = market.instrument.is_swap
        outbox.append(MarkChanged(inst_id) if swap else IndexChanged(inst_id))

    def reset_sequence(self, inst_id: str) -> None:
        """Begin an instrument's sequence numbers anew, as after maintenance."""
        self._world.markets[inst_id].restart_sequence(self._world.outbox)

    def close_venue(self, begin_ms: int, end_ms: int, title: str) -> None:
        """Announce a maintenance window at once."""
        self._venue.calendar.announce(Gap(begin_ms, end_ms, title))

    def revoke_key(self, name: str) -> None:
        """Delete an account's key: nobody is known by it any more."""
        self._venue.revoke_key(self._venue.accounts[name])

    def spare(self, inst_id: str, left: Decimal) -> Decimal:
        """Leave only `left` of what the market would trade in this bar; return what was taken away."""
        market = self._world.markets[inst_id]
        taken = max(Decimal(0), market.room() - left)
        market.use_room(taken)
        return taken

    def give_back(self, inst_id: str, taken: Decimal) -> None:
        self._world.markets[inst_id].use_room(-taken)
