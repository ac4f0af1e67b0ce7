"""Targets to orders, for both legs of a hedge.

Opening, growing, shrinking, leaving, repairing and flattening are one routine: make the legs equal,
then move towards the target slice by slice, and after each slice make the legs equal again. What is
sent is always target minus what the books hold, so asking twice is harmless.

Opening buys spot first: it cannot be liquidated while the short follows. Closing buys the swap back
first, for the same reason: what is left alone for a moment is spot. A slice is the most that can
stand naked.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from config.schema import Settings
from core.context import MarketView
from core.errors import JournalFailed, VenueError
from core.events import HedgeTarget, Outcome, Purpose, Report
from core.facts import Kind
from core.ports import Journal
from core.types import ZERO, Base, Contracts, Leg, OrderKind, Pair, Side
from execution.desk import Desk, Tools
from execution.holdings import Legs
from execution.manner import Manner, manner_of
from execution.orders import Rest
from execution.pricing import gross_up, slice_size
from execution.repair import balance

View = Callable[[str], MarketView]

STALLED_S: Final = (1, 2, 5)  # between two repairs that nobody could carry out; then always the last
LOOK_S: Final = 0.5  # how soon a stop is noticed meanwhile
SLICE_PAUSE_S: Final = 0.5  # for the books to show what the last slice took
FRUITLESS_PAUSE_S: Final = 1.0


class PositionManager:
    """Brings hedges to their targets. One call at a time per pair; the worker sees to that.

    yield_now  asked between two slices: True ends the routine where both legs are accounted for.
    """

    def __init__(
        self, tools: Tools, journal: Journal, settings: Settings, yield_now: Callable[[], bool]
    ) -> None:
        self._tools = tools
        self._journal = journal
        self._settings = settings
        self._yield_now = yield_now
        self._stalls: dict[str, int] = {}  # routines in a row that nobody could carry out, by pair
        self._wary: set[str] = set()  # pairs whose last reduction had to be taken back

    async def reach(self, target: HedgeTarget, pair: Pair, view: View) -> Report:
        """Bring one hedge as near to its target as the market, the venue and time allow.

        The report tells how the legs stand afterwards: BALANCED or FLAT when both are accounted for
        (even if the target was not reached), BROKEN when they are unequal by a lot or more, or when
        an order's outcome is unknown. Errors of venue and journal end up in the report. After a routine
        in which nobody could trade (no book, no answer, a halt) the next one starts a little later.
        """
        await self._let_pass(pair.name)
        desk = Desk(self._tools, pair, view)
        try:
            await self._pursue(target, desk)
        except (VenueError, JournalFailed) as error:
            desk.complain(str(error))
        return self._conclude(target, desk)

    async def _let_pass(self, instrument: str) -> None:
        stalls = self._stalls.get(instrument, 0)
        if not stalls:
            return
        clock = self._tools.clock
        until_ms = clock.now_ms() + STALLED_S[min(stalls, len(STALLED_S)) - 1] * 1000
        while clock.now_ms() < until_ms and not self._yield_now():
            await clock.sleep(LOOK_S)

    def holds(self, pair: Pair, view: View) -> bool:
        """Whether the books have more than dust of this pair."""
        return not Desk(self._tools, pair, view).legs.flat

    # --- the routine --------------------------------------------------------------------------

    async def _pursue(self, target: HedgeTarget, desk: Desk) -> None:
        for cl_id in await self._tools.orders.settle(desk.pair.name):
            desk.complain(f"the outcome of order {cl_id} is not known")
        if desk.is_blind or not self._take_up(target, desk):
            return
        manner = manner_of(target.purpose, self._settings)
        if not manner.may_grow:
            await desk.compare_with_account()
            if desk.missing_spot or desk.missing_contracts:
                # Somebody or the venue closed a leg: follow it down, do not fight it.
                manner = manner.reducing()
        if target.base <= min(desk.legs.spot, desk.pair.swap.to_base(desk.legs.contracts)):
            manner = manner.reducing()  # no leg has to become larger for this target
        await balance(desk, manner, Purpose.REPAIR)
        await self._move(target, desk, manner)

    def _take_up(self, target: HedgeTarget, desk: Desk) -> bool:
        """Write the hedge's new target; False when there is nothing to do."""
        held = self._tools.holdings.hedge(desk.pair.name)
        if target.purpose.adds_risk and self._tools.holdings.unresolved_orders():
            desk.complain("nothing new while an order's outcome is not known")
            return False
        if held is not None:
            desk.hedge_id = held.hedge_id
            if target.base != held.target_base:
                self._note(target, desk, "target", target.base)
            return True
        if not target.purpose.adds_risk or self._yield_now():
            return False
        if desk.pair.swap.to_contracts(target.base) < desk.pair.swap.min_size:
            desk.remarks.append("below the smallest order of the swap")
            return False
        desk.hedge_id = self._tools.ids.hedge_id(desk.pair.name)
        self._note(target, desk, "opened", target.base)
        return True

    async def _move(self, target: HedgeTarget, desk: Desk, manner: Manner) -> None:
        """Slice after slice, until the target is reached or the manner says to leave it."""
        clock, swap = desk.clock, desk.pair.swap
        goal = swap.to_contracts(target.base)
        deadline_ms = clock.now_ms() + int(manner.deadline_s * 1000)
        fruitless = 0
        while not desk.is_blind and (desk.legs.balanced or desk.legs.flat):
            if desk.has_returned:
                self._wary.add(desk.pair.name)
                desk.complain("nobody took the other leg: hedged again, tried later with a little")
                return
            before = desk.legs
            wanted = Contracts(goal - before.contracts)
            if desk.is_frozen:
                desk.remarks.append("frozen: one leg does not trade, so the other stays")
                return
            if abs(wanted) < swap.min_size or (wanted > 0 and not manner.may_grow):
                return
            if (manner.heeds_stop and self._yield_now()) or clock.now_ms() >= deadline_ms:
                desk.remarks.append("left early")
                return
            if fruitless > manner.patience:
                desk.remarks.append("the market does not give more")
                return
            if wanted > 0:
                go_on = await self._grow(target.purpose, desk, manner, wanted)
            else:
                go_on = await self._shrink(target.purpose, desk, manner, Contracts(-wanted), fruitless)
            if not go_on:
                return
            fruitless = 0 if desk.legs != before else fruitless + 1
            if desk.legs.contracts != goal:
                await clock.sleep(FRUITLESS_PAUSE_S if fruitless else SLICE_PAUSE_S)

    async def _grow(self, purpose: Purpose, desk: Desk, manner: Manner, wanted: Contracts) -> bool:
        """Buy one slice of spot, then short what really filled. False ends the opening."""
        swap = desk.pair.swap
        contracts = await self._slice(desk, manner, True, wanted)
        if contracts < swap.min_size:
            return True
        desk.has_unwound = False
        goal = Base(swap.to_base(desk.legs.contracts + contracts))
        if self._settings.strategy.opening.maker_first:
            size = self._spot_to_buy(desk, goal, OrderKind.POST_ONLY)
            rest = Rest(
                self._settings.strategy.opening.maker_wait_s,
                self._settings.risk.execution.repair_deadline_s / 2,
                self._yield_now,
            )
            await desk.make(Leg.SPOT, Side.BUY, size, purpose, rest)
        if not desk.is_blind and desk.legs.gap < swap.to_base(contracts):
            size = self._spot_to_buy(desk, goal, OrderKind.IOC)
            result = await desk.take(Leg.SPOT, Side.BUY, size, manner.slice_bps[0], purpose)
            if result is not None and result.was_turned_away:
                await balance(desk, manner, purpose, first=Leg.SWAP)
                return False
        await balance(desk, manner, purpose, first=Leg.SWAP)
        if desk.has_unwound:
            desk.remarks.append("the short did not follow")
        return not desk.has_unwound

    def _spot_to_buy(self, desk: Desk, goal: Base, kind: OrderKind) -> Base:
        """Coins to buy so that the spot leg equals `goal` after the fee; at least the venue's minimum."""
        spot = desk.pair.spot
        need = max(ZERO, goal - desk.legs.spot)
        return Base(max(gross_up(need, desk.base_fee_rate(kind), spot.lot), spot.min_size))

    async def _shrink(
        self, purpose: Purpose, desk: Desk, manner: Manner, wanted: Contracts, fruitless: int
    ) -> bool:
        """Buy one slice of the swap back, then sell the spot that was behind it."""
        contracts = await self._slice(desk, manner, False, wanted)
        if manner.may_return and desk.pair.name in self._wary:
            contracts = Contracts(min(contracts, desk.pair.swap.min_size))
        if not contracts:
            return True
        before = desk.legs
        bps = manner.slice_bps[min(fruitless, len(manner.slice_bps) - 1)]
        result = await desk.take(Leg.SWAP, Side.BUY, contracts, bps, purpose)
        desk.has_given_up |= bool(result and result.filled)
        if result is not None and result.was_turned_away:
            await desk.compare_with_account()  # a reduce-only order without a position is refused
        await balance(desk, manner, purpose, first=Leg.SPOT)
        if desk.legs.spot < before.spot:
            self._wary.discard(desk.pair.name)  # somebody buys again
        return True

    async def _slice(self, desk: Desk, manner: Manner, opening: bool, wanted: Contracts) -> Contracts:
        """Contracts of the next slice; zero without books. A reduction takes at least one order."""
        spot, swap = await desk.quote(Leg.SPOT), await desk.quote(Leg.SWAP)
        if spot is None or swap is None:
            return Contracts(ZERO)
        size = slice_size(desk.pair, spot, swap, opening, wanted, manner.band_bps, manner.depth_share)
        both = min(desk.most(Leg.SWAP), desk.pair.swap.to_contracts(desk.most(Leg.SPOT)))
        size = Contracts(min(size, both))
        return size if opening else Contracts(max(size, min(wanted, desk.pair.swap.min_size)))

    # --- the end ------------------------------------------------------------------------------

    def _conclude(self, target: HedgeTarget, desk: Desk) -> Report:
        """Close the hedge if nothing is left of it, and tell how the legs stand."""
        legs, held = desk.legs, self._tools.holdings.hedge(desk.pair.name)
        outcome = Outcome.BROKEN
        if not desk.is_blind and legs.flat:
            outcome = Outcome.FLAT
            if held is not None and Legs(desk.pair, held.spot_base, held.contracts).flat:
                desk.hedge_id = held.hedge_id
                self._note(target, desk, "closed", ZERO)
        elif not desk.is_blind and legs.balanced:
            outcome = Outcome.BALANCED
        detail = (
            f"{target.purpose.value} {target.instrument}: {outcome.value} with {legs.spot:f} coins and "
            f"{legs.contracts:f} contracts short, target {target.base:f} coins ({target.reason})"
        )
        detail = "; ".join((detail, *desk.remarks))
        stalled = outcome is Outcome.BROKEN and not desk.refused
        waits = stalled or desk.is_frozen or desk.has_returned
        self._stalls[desk.pair.name] = self._stalls.get(desk.pair.name, 0) + 1 if waits else 0
        errors = tuple(desk.errors)
        return Report(
            outcome, detail, desk.orders, desk.rejects, desk.naked_ms, errors, stalled or desk.has_returned
        )

    def _note(self, target: HedgeTarget, desk: Desk, event: str, base: Decimal) -> None:
        body = {
            "hedge_id": desk.hedge_id,
            "instrument": target.instrument,
            "event": event,
            "target_base": base,
            "purpose": target.purpose,
            "reason": target.reason,
        }
        self._journal.append(Kind.HEDGE, desk.clock.now_ms(), body)
