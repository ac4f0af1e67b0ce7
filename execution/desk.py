"""The desk of one routine: what it holds, what it sees, what it sends, and what it has to say for itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.context import MarketView
from core.errors import VenueError
from core.events import Purpose
from core.ports import Clock, Ids
from core.types import (
    LIVE,
    ZERO,
    AccountSnapshot,
    Book,
    FeeRates,
    Leg,
    OrderKind,
    OrderRequest,
    Pair,
    PriceLimits,
    Side,
    SpotSpec,
    SwapSpec,
    ceil_to,
    floor_to,
)
from execution.holdings import Holdings, Legs, held_of
from execution.order_manager import OrderManager
from execution.orders import Ending, OrderResult, Rest
from execution.pricing import limit_px, taking_cost
from execution.refusals import BAND, FOR_NOW, NOT_TRADING, SIZE

ASK_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Tools:
    """What every desk works with.

    fees        current rates of an instrument.
    ask_account balances and positions from the venue itself.
    ask_book    a market's order book from the venue, for when the stream is silent.
    max_age_ms  an older book is not acted on.
    fee_in_base a spot buy pays its fee in the coin (the venue's default), not in the quote.
    ask_limits  what prices an order of an instrument may name now; None where prices are free.
    on_halted   told when the venue says that an instrument does not trade: its rules are out of date.
    """

    orders: OrderManager
    holdings: Holdings
    clock: Clock
    ids: Ids
    fees: Callable[[str], FeeRates]
    ask_account: Callable[[], Awaitable[AccountSnapshot]]
    ask_book: Callable[[str], Awaitable[Book]]
    max_age_ms: int
    fee_in_base: bool = True
    ask_limits: Callable[[str], Awaitable[PriceLimits]] | None = None
    on_halted: Callable[[], None] = lambda: None


class Desk:
    """One pair, for the length of one routine. Counts orders and measures how long a leg stood naked."""

    def __init__(self, tools: Tools, pair: Pair, view: Callable[[str], MarketView]) -> None:
        self._tools = tools
        self._view = view
        self._naked_since_ms: int | None = None
        self._naked_ms = 0
        self.pair = pair
        self.hedge_id = ""
        self.missing_spot = ZERO  # coins the books have and the account has not
        self.missing_contracts = ZERO
        self.orders = 0
        self.rejects = 0
        self.errors: list[str] = []
        self.remarks: list[str] = []  # why the target was not reached, where nothing went wrong
        self.has_unwound = False  # a gap was closed by giving up the larger leg
        self.has_given_up = False  # this routine itself has made the smaller leg smaller
        self.has_returned = False  # a reduction found no taker for its second leg and was taken back
        self.refused = 0  # orders refused for a reason that waiting does not mend
        self._halted = {leg for leg in Leg if self.spec(leg).state != LIVE}
        self._most: dict[Leg, Decimal] = {}  # where the venue refused a larger order
        self._barred: dict[Leg, tuple[Side, Decimal]] = {}  # the price last refused as out of bounds

    @property
    def clock(self) -> Clock:
        return self._tools.clock

    @property
    def fees(self) -> FeeRates:
        return self._tools.fees(self.pair.name)

    def base_fee_rate(self, kind: OrderKind = OrderKind.IOC) -> Decimal:
        """The part of a spot purchase that is lost to a fee taken in the coin, a fraction."""
        if not self._tools.fee_in_base:
            return ZERO
        return self.fees.spot_taker if kind is OrderKind.IOC else self.fees.spot_maker

    @property
    def is_blind(self) -> bool:
        """An order's outcome is unknown: nothing more may be sent for this pair."""
        return bool(self._tools.orders.pending(self.pair.name))

    @property
    def legs(self) -> Legs:
        """What the books have, less what the account turned out not to have."""
        held = self._tools.holdings.hedge(self.pair.name)
        if held is None:
            return Legs(self.pair)
        spot = max(ZERO, held.spot_base - self.missing_spot)
        return Legs(self.pair, spot, max(ZERO, held.contracts - self.missing_contracts))

    @property
    def naked_ms(self) -> int:
        """The longest time a leg stood unhedged beyond one lot, so far."""
        open_ms = 0 if self._naked_since_ms is None else self.clock.now_ms() - self._naked_since_ms
        return max(self._naked_ms, open_ms)

    def measure(self) -> None:
        """Look at the legs now: starts or ends the time a leg is naked."""
        now_ms = self.clock.now_ms()
        if self.legs.balanced:
            self._naked_ms = self.naked_ms
            self._naked_since_ms = None
        elif self._naked_since_ms is None:
            self._naked_since_ms = now_ms

    def complain(self, text: str) -> None:
        if text not in self.errors:
            self.errors.append(text)

    def trades(self, leg: Leg) -> bool:
        """Whether the venue takes orders for this leg, as far as we know."""
        return leg not in self._halted

    @property
    def is_frozen(self) -> bool:
        """One leg cannot be traded: the other must not move alone."""
        return bool(self._halted)

    def most(self, leg: Leg) -> Decimal:
        """The largest order of this leg: the venue's rule, or half of what it last refused as too large."""
        return min(self.spec(leg).max_limit_size, self._most.get(leg, self.spec(leg).max_limit_size))

    def spec(self, leg: Leg) -> SpotSpec | SwapSpec:
        return self.pair.spot if leg is Leg.SPOT else self.pair.swap

    async def quote(self, leg: Leg) -> Book | None:
        """Return a sane and fresh book of one leg: the streamed one, else one asked for; None if neither."""
        view = self._view(self.pair.name)
        book = view.spot if leg is Leg.SPOT else view.swap
        if book is None or not self._usable(book):
            try:
                book = await self._tools.ask_book(self.spec(leg).inst_id)
            except VenueError as error:
                self.complain(f"no book of {self.spec(leg).inst_id}: {error}")
                return None
        return book if self._usable(book) else None

    def _usable(self, book: Book) -> bool:
        return book.is_sane and self.clock.now_ms() - book.seen_ms <= self._tools.max_age_ms

    def cost(self, leg: Leg, side: Side, size: Decimal, book: Book, shortfall_bps: Decimal) -> Decimal:
        """What taking `size` now costs in USDT against the mid price, fee included."""
        if leg is Leg.SPOT:
            return taking_cost(book, side, size, self.fees.spot_taker, shortfall_bps)
        return taking_cost(book, side, size, self.fees.swap_taker, shortfall_bps) * self.pair.swap.ct_val

    async def take(
        self, leg: Leg, side: Side, size: Decimal, bps: Decimal, purpose: Purpose
    ) -> OrderResult | None:
        """Take up to `size` at most `bps` from the mid; None when there is no book, too little to send, or
        no price that the venue would allow and the market take.

        A price refused as out of bounds is moved to the bound the venue names, never sent again as it was.
        """
        spec, book = self.spec(leg), await self.quote(leg)
        size = self._sendable(leg, size)
        if book is None or not size:
            return None
        price = limit_px(book, side, bps, spec.tick)
        if leg not in self._barred:
            result = await self._send(leg, side, OrderKind.IOC, size, price, book.mid, purpose, None)
            if leg not in self._barred:
                return result
        allowed = await self._allowed(leg, side, price, book)
        if allowed is None or self._barred[leg] == (side, allowed):
            return None
        del self._barred[leg]
        return await self._send(leg, side, OrderKind.IOC, size, allowed, book.mid, purpose, None)

    async def _allowed(self, leg: Leg, side: Side, price: Decimal, book: Book) -> Decimal | None:
        """The price moved within the venue's bounds of now; None when nothing could trade there."""
        spec = self.spec(leg)
        if self._tools.ask_limits is None:
            return None
        try:
            limits = await self._tools.ask_limits(spec.inst_id)
        except VenueError as error:
            self.complain(f"no price limits of {spec.inst_id}: {error}")
            return None
        if side is Side.BUY and limits.highest_buy is not None:
            price = min(price, floor_to(limits.highest_buy, spec.tick))
        elif side is Side.SELL and limits.lowest_sell is not None:
            price = max(price, ceil_to(limits.lowest_sell, spec.tick))
        best = (book.asks if side is Side.BUY else book.bids)[0][0]
        if (price - best) * side.sign < 0:
            self.complain(f"the market of {spec.inst_id} is outside the venue's price limits")
            return None
        return price

    async def make(
        self, leg: Leg, side: Side, size: Decimal, purpose: Purpose, rest: Rest
    ) -> OrderResult | None:
        """Join the best price as maker and wait; None as for `take`."""
        book = await self.quote(leg)
        size = self._sendable(leg, size)
        if book is None or not size:
            return None
        price = (book.bids if side is Side.BUY else book.asks)[0][0]
        return await self._send(leg, side, OrderKind.POST_ONLY, size, price, book.mid, purpose, rest)

    def _sendable(self, leg: Leg, size: Decimal) -> Decimal:
        """Whole lots, not above the venue's maximum, zero when below its minimum (dust)."""
        spec = self.spec(leg)
        size = floor_to(min(size, self.most(leg)), spec.lot)
        return size if size >= spec.min_size else ZERO

    async def _send(
        self,
        leg: Leg,
        side: Side,
        kind: OrderKind,
        size: Decimal,
        price: Decimal,
        mid: Decimal,
        purpose: Purpose,
        rest: Rest | None,
    ) -> OrderResult:
        request = OrderRequest(
            cl_id=self._tools.ids.order_id(self.hedge_id, leg.value),
            instrument=self.pair.name,
            inst_id=self.spec(leg).inst_id,
            leg=leg,
            side=side,
            kind=kind,
            size=size,
            limit_px=price,
            reduce_only=leg is Leg.SWAP and side is Side.BUY,
            ref_mid=mid,
        )
        result = await self._tools.orders.execute(
            request, self.hedge_id, purpose, self.pair, rest, self.measure
        )
        self.orders += result.status is not Ending.DENIED
        self.rejects += result.status is Ending.REFUSED
        if result.status is Ending.REFUSED:
            self._learn(request, result.code)
        if result.was_turned_away or result.status is Ending.UNKNOWN:
            self.complain(f"{side.value} {leg.value} {result.status.value}: {result.message}")
        return result

    def _learn(self, request: OrderRequest, code: str) -> None:
        """Draw what a refusal says about the next order."""
        leg = request.leg
        if code in NOT_TRADING:
            self._halted.add(leg)
            self._tools.on_halted()
        elif code in BAND:
            self._barred[leg] = (request.side, request.limit_px)
        elif code in SIZE:
            self._most[leg] = max(self.spec(leg).min_size, floor_to(request.size / 2, self.spec(leg).lot))
        elif code not in FOR_NOW:
            self.refused += 1

    async def compare_with_account(self) -> None:
        """Learn what the books have and the account has not (ADL, liquidation, a sale by hand).

        The venue is asked a second time before a difference is believed: the first answer may be
        older than our last fill. More than the books say is not ours and stays untouched. An
        unanswered question is not an empty account: then the books stand.
        """
        held = self._tools.holdings.hedge(self.pair.name)
        if held is None:
            return
        booked = real = Legs(self.pair, held.spot_base, held.contracts)
        self.missing_spot = self.missing_contracts = ZERO
        for pause_s in (0.0, ASK_AGAIN_S):
            if pause_s:
                await self.clock.sleep(pause_s)
            try:
                real = held_of(booked, await self._tools.ask_account())
            except VenueError as error:
                self.complain(f"account not known: {error}")
                return
            if real == booked:
                return
        self.missing_spot = booked.spot - real.spot
        self.missing_contracts = booked.contracts - real.contracts
        coins = f"{self.missing_spot:f} {self.pair.spot.base_ccy}"
        self.complain(f"the account lacks {coins} and {self.missing_contracts:f} contracts")
