"""Making two legs equal: complete the smaller or unwind the larger, whichever costs less now."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.events import Purpose
from core.types import Leg, Side, ceil_to
from execution.desk import Desk
from execution.manner import Manner
from execution.pricing import gross_up

PAUSE_S: Final = 0.2  # between two tries, for the book to show what the last one took
LONGEST_PAUSE_S: Final = 1.0  # once both ways have had their whole ladder
LAST_RESORT: Final = 2  # strikes of the only way, after which the other one is taken after all


@dataclass(frozen=True, slots=True)
class Way:
    """One order that would close the gap. `unwinds` tells whether it gives up the larger leg."""

    leg: Leg
    side: Side
    size: Decimal
    unwinds: bool


def ways_out(desk: Desk, may_complete: bool) -> tuple[Way, ...]:
    """Return the orders that would close the gap, without those below the venue's minimum and those of a
    leg that does not trade."""
    legs, pair = desk.legs, desk.pair
    gap = legs.gap
    if gap > 0:
        unwind = Way(Leg.SPOT, Side.SELL, gap, unwinds=True)
        complete = Way(Leg.SWAP, Side.SELL, pair.swap.to_contracts(gap), unwinds=False)
    else:
        # Rounded up, so that what cannot be hedged to the lot is a little spot, not a little short.
        contracts = ceil_to(-gap / pair.swap.ct_val, pair.swap.lot)
        coins = gross_up(-gap, desk.base_fee_rate(), pair.spot.lot)
        unwind = Way(Leg.SWAP, Side.BUY, contracts, unwinds=True)
        complete = Way(Leg.SPOT, Side.BUY, coins, unwinds=False)
    allowed = (complete, unwind) if may_complete else (unwind,)
    return tuple(w for w in allowed if desk.trades(w.leg) and w.size >= desk.spec(w.leg).min_size)


async def balance(desk: Desk, manner: Manner, purpose: Purpose, first: Leg | None = None) -> None:
    """Close the gap between the legs, or leave it when every try until the deadline failed.

    Each try takes the cheaper way by the books as they are (spread, depth and fee). A try that does
    not fill climbs that way's ladder of slippage bounds; a refusal, or nothing at the last bound,
    is a strike, and the way with fewer strikes goes next: so the two alternate. `first` names the
    leg of the first try (the planned second leg of an opening). Both ways get their whole ladder
    even if slow answers use up the time. Ends at once when an order's outcome is unknown.

    Where a reduction may only give up the larger leg and nobody takes it (its market stands still, as spot
    markets have for hours), the other way is the last resort: what this routine itself gave up is taken
    again, and the legs are equal as they were. What somebody else closed is never opened again.
    """
    desk.measure()
    bounds = manner.repair_bps
    deadline_ms = desk.clock.now_ms() + int(manner.repair_s * 1000)
    rungs = {Leg.SPOT: 0, Leg.SWAP: 0}
    strikes = {Leg.SPOT: 0, Leg.SWAP: 0}
    tries = 0
    while not desk.legs.balanced and not desk.is_blind:
        ways = ways_out(desk, manner.may_complete)
        returns = manner.may_return and desk.has_given_up and not manner.may_complete
        if returns and all(strikes[way.leg] >= LAST_RESORT for way in ways):
            ways = ways_out(desk, True)
        if not ways or (tries >= 2 * len(bounds) and desk.clock.now_ms() >= deadline_ms):
            return
        if tries:
            pause_s = PAUSE_S if tries < 2 * len(bounds) else LONGEST_PAUSE_S
            left_s = (deadline_ms - desk.clock.now_ms()) / 1000
            await desk.clock.sleep(min(pause_s, max(PAUSE_S, left_s)))
        tries += 1
        way = await _choose(desk, ways, strikes, bounds[-1], first if tries == 1 else None)
        if way is None:
            continue
        bps = bounds[rungs[way.leg]]
        result = await desk.take(way.leg, way.side, way.size, bps, purpose if tries == 1 else Purpose.REPAIR)
        has_filled = bool(result and result.filled)
        desk.has_unwound |= way.unwinds and has_filled
        desk.has_returned |= not way.unwinds and not manner.may_complete and has_filled
        is_last = rungs[way.leg] == len(bounds) - 1
        if result is None or result.was_turned_away or (is_last and not result.filled):
            strikes[way.leg] += 1
        elif not is_last:
            rungs[way.leg] += 1
    desk.measure()


async def _choose(
    desk: Desk, ways: tuple[Way, ...], strikes: dict[Leg, int], last_bps: Decimal, first: Leg | None
) -> Way | None:
    """The named leg, else the way with the fewest strikes and then the lowest cost; None without a book."""
    priced: list[tuple[bool, int, Decimal, Way]] = []
    for way in ways:
        book = await desk.quote(way.leg)
        if book is not None:
            cost = desk.cost(way.leg, way.side, way.size, book, last_bps)
            priced.append((way.leg is not first, strikes[way.leg], cost, way))
    return min(priced, key=lambda p: p[:3])[3] if priced else None
