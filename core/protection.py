"""Stops that stand at the venue: what they are, and the port to them.

A stop is a conditional market order. It waits on the mark price, may only reduce the isolated position it was
placed for, and goes when that position does. Once triggered it becomes a normal order with an id of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from core.types import Contracts, Side


class StopState(StrEnum):
    LIVE = "live"  # waits
    EFFECTIVE = "effective"  # has become an order
    CANCELED = "canceled"  # by us, or with its position
    FAILED = "failed"  # the venue refused its order: nothing protects the position

    @property
    def is_final(self) -> bool:
        return self is not StopState.LIVE


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A stop as the sleeve wants it.

    cl_id       ours: letters and digits, at most 32, never used before.
    side        of the order: a sell closes a long and triggers at or below `trigger_px`, a buy at or above.
    size        contracts, more than 0, on the lot.
    trigger_px  mark price, USDT per coin, on the tick.
    """

    cl_id: str
    instrument: str
    inst_id: str
    side: Side
    size: Contracts
    trigger_px: Decimal


@dataclass(frozen=True, slots=True)
class StopRecord:
    """A stop as the venue tells it. `cl_id` is "" for one that somebody placed by hand."""

    cl_id: str
    algo_id: str
    inst_id: str
    side: Side
    size: Contracts
    trigger_px: Decimal
    state: StopState
    ord_id: str  # of the order it became; "" before, and where it failed
    created_ms: int


class Protection(Protocol):
    """Stops at the venue, signed REST. Every method may raise VenueRejected (nothing happened), VenueDown
    (outcome unknown), RateLimited or AuthFailed. Needs an account in net position mode."""

    async def place_stop(self, stop: StopRequest) -> str:
        """Send one stop; return the venue's id of it. Raises VenueRejected when there is no position to
        reduce, or the mark price is beyond the trigger already."""
        ...

    async def cancel_stop(self, inst_id: str, cl_id: str) -> None:
        """Ask for a cancel. VenueRejected may mean that it has triggered or gone already: ask for it."""
        ...

    async def stop(self, cl_id: str) -> StopRecord | None:
        """Ask what became of a stop. None only when the venue answered that it knows none."""
        ...

    async def stops(self) -> tuple[StopRecord, ...]:
        """All that wait, newest first. A conditional order of another shape, as somebody may place one by
        hand, is left out: a take profit, one on spot, or one without a size."""
        ...
