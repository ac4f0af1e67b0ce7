"""Carries out the targets of the sleeve: one IOC order to enter, as many as it takes to leave, and the
venue's own stop under whatever is held.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from config.schema import ExecutionLimits
from core.errors import VenueError
from core.ports import Clock, Trading
from core.sleeve.events import Intent, PositionTarget
from core.sleeve.ports import Done
from core.types import Book, Leg, OrderKind, OrderRequest, Pair, Side, floor_to
from execution.order_manager import OrderManager
from execution.orders import Ending, OrderResult
from execution.pricing import ladder, limit_px
from execution.stop_keeper import StopKeeper

FIRST_BPS: Final = Decimal(15)  # how far from the mid the first order of an exit may go
MOST_ORDERS: Final = 20  # of one exit, before it is looked at anew


class PositionHoldings(Protocol):
    """The sleeve's books, kept current by their journal."""

    def held(self, instrument: str) -> Decimal:
        """Coins held in the position's direction."""
        ...


class PositionIds(Protocol):
    def order_id(self, hedge_id: str, leg: str) -> str: ...


@dataclass(frozen=True, slots=True)
class PositionTools:
    """What the trader works with.

    pair_of    instrument -> its rules.
    ask_book   a swap's order book: the streamed one where it is young enough, else one asked for.
    on_differ  told when the venue says that there is less than the books have.
    """

    orders: OrderManager
    stops: StopKeeper
    holdings: PositionHoldings
    trading: Trading
    clock: Clock
    ids: PositionIds
    limits: ExecutionLimits
    pair_of: Callable[[str], Pair]
    ask_book: Callable[[str], Awaitable[Book | None]]
    on_differ: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Run:
    """One target being carried out."""

    target: PositionTarget
    pair: Pair
    orders: int = 0
    remarks: list[str] = field(default_factory=list)


class PositionTrader:
    """Implements core.sleeve.ports.Trader."""

    def __init__(self, tools: PositionTools) -> None:
        self._tools = tools
        self._leverage: dict[str, Decimal] = {}  # as the venue has it, by swap

    async def carry_out(self, target: PositionTarget) -> Done:
        """Bring the holding to the target, then the venue's stop under what is held."""
        tools, name = self._tools, target.instrument
        run = _Run(target, tools.pair_of(name))
        try:
            if not await tools.orders.settle(name):
                await (self._enter(run) if target.purpose is Intent.ENTER else self._leave(run))
        except VenueError as error:  # a key that is refused, or leverage that cannot be set
            run.remarks.append(str(error))
        held = tools.holdings.held(name)
        contracts = floor_to(held / run.pair.swap.ct_val, run.pair.swap.lot)
        complaint = await tools.stops.keep(target, run.pair.swap, contracts)
        if complaint:
            run.remarks.append(complaint)
        unknown = tools.orders.pending(name)
        return Done(run.orders, bool(unknown), not complaint, "; ".join(run.remarks))

    async def _enter(self, run: _Run) -> None:
        target, swap = run.target, run.pair.swap
        assert target.limit_px is not None and target.leverage is not None
        size = floor_to((target.base - self._tools.holdings.held(target.instrument)) / swap.ct_val, swap.lot)
        if size < swap.min_size:
            run.remarks.append("less than the smallest order")
            return
        await self._set_leverage(swap.inst_id, target.leverage)
        book = await self._tools.ask_book(target.instrument)
        mid = book.mid if book is not None else target.limit_px
        await self._send(run, target.side, min(size, swap.max_limit_size), target.limit_px, mid)

    async def _leave(self, run: _Run) -> None:
        """Take off what is held beyond the target, a little further from the mid with each order."""
        target, swap, limits = run.target, run.pair.swap, self._tools.limits
        bounds = ladder(FIRST_BPS, limits.flatten_slippage_bps)
        for attempt in range(MOST_ORDERS):
            over = self._tools.holdings.held(target.instrument) - target.base
            size = floor_to(over / swap.ct_val, swap.lot)
            if size < swap.min_size:
                return
            book = await self._tools.ask_book(target.instrument)
            if book is None:
                run.remarks.append("no order book")
                return
            side = target.side.opposite
            price = limit_px(book, side, bounds[min(attempt, len(bounds) - 1)], swap.tick)
            result = await self._send(run, side, min(size, swap.max_limit_size), price, book.mid)
            if result.status is Ending.UNKNOWN:
                return
            if result.was_turned_away:
                self._tools.on_differ()  # there may be nothing left to reduce
                return

    async def _send(self, run: _Run, side: Side, size: Decimal, price: Decimal, mid: Decimal) -> OrderResult:
        target = run.target
        request = OrderRequest(
            cl_id=self._tools.ids.order_id(target.position_id, Leg.SWAP.value),
            instrument=target.instrument,
            inst_id=run.pair.swap.inst_id,
            leg=Leg.SWAP,
            side=side,
            kind=OrderKind.IOC,
            size=size,
            limit_px=price,
            reduce_only=side is not target.side,
            ref_mid=mid,
        )
        result = await self._tools.orders.execute(request, target.position_id, target.purpose, run.pair)
        run.orders += result.status is not Ending.DENIED
        if result.was_turned_away or result.status is Ending.UNKNOWN:
            run.remarks.append(f"{side.value} {result.status.value}: {result.message}")
        return result

    async def _set_leverage(self, inst_id: str, wanted: Decimal) -> None:
        """Bring the venue's setting to what was granted, before anything is entered. Raises VenueError."""
        if self._leverage.get(inst_id) == wanted:
            return
        if await self._tools.trading.leverage(inst_id) != wanted:
            await self._tools.trading.set_leverage(inst_id, wanted)
        self._leverage[inst_id] = wanted
