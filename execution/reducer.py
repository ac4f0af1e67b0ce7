"""Flattens what the engine owns, without the engine: the hands of the watchdog and of close_all.

Each round takes the account as the venue has it, reduces every pair by a slice, and asks again. An
order is followed by its client id until its outcome is known; while it is not, its pair rests: nothing
is sent twice. No journal, no streams, no state beyond what is passed in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from core.errors import AuthFailed, RateLimited, VenueError, VenueRejected
from core.ids import is_ours, is_reducers
from core.ports import ORDER_LIFE_MS, Clock
from core.types import (
    ZERO,
    AccountSnapshot,
    Book,
    Fill,
    Leg,
    OrderKind,
    OrderRecord,
    OrderRequest,
    Pair,
)
from execution.pricing import ladder, limit_px, slice_size
from execution.reduction import Owned, Step, Stock, next_step, objection

BOOK_DEPTH: Final = 50
FIRST_ASK_S: Final = 0.05
LAST_ASK_S: Final = 0.5
ASK_FOR_S: Final = 5.0  # per round; an order without outcome is asked for again in the next
ABSENT_ANSWERS: Final = 4  # "no such order" so often, over more than the venue's visibility window
ABSENT_AFTER_MS: Final = 2_000
PAUSE_S: Final = 0.2


class Account(Protocol):
    """The part of core.ports.Trading that reducing needs: it cannot transfer and cannot set anything."""

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str: ...

    async def cancel(self, inst_id: str, cl_id: str) -> None: ...

    async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None: ...

    async def open_orders(self) -> tuple[OrderRecord, ...]: ...

    async def fills(self, since_ms: int) -> tuple[Fill, ...]: ...

    async def account(self) -> AccountSnapshot: ...


class Prices(Protocol):
    async def book(self, inst_id: str, depth: int) -> Book: ...


class OrderIds(Protocol):
    def order_id(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Insistence:
    """How far and how much at a time.

    bounds_bps  from the mid; a fruitless round goes one up and stays at the last.
    slice_usdt  the most one slice is worth: what may stand unhedged between two orders.
    """

    bounds_bps: tuple[Decimal, ...]
    slice_usdt: Decimal

    @classmethod
    def between(cls, first_bps: Decimal, last_bps: Decimal, slice_usdt: Decimal) -> Insistence:
        return cls(ladder(first_bps, last_bps), slice_usdt)


@dataclass(slots=True)
class _Course:
    """One pair on its way to flat."""

    pair: Pair
    owned: Owned
    fruitless: int = 0
    pending: tuple[Step, str] | None = None  # an order whose outcome is not known
    absences: list[int] = field(default_factory=list)
    expires_ms: int = 0  # after this the venue does not take it any more


class Reducer:
    """One at a time per account. `remarks` tells what went wrong on the way, each thing once."""

    def __init__(
        self, account: Account, prices: Prices, clock: Clock, ids: OrderIds, manner: Insistence
    ) -> None:
        self._account, self._prices, self._clock, self._ids = account, prices, clock, ids
        self._manner = manner
        self._unknown: dict[str, _Course] = {}  # courses that ended with an order of unknown outcome
        self.orders = 0
        self.remarks: list[str] = []

    async def cancel_ours(self) -> int:
        """Cancel every resting order of the engine or of ours; return how many there were.

        Raises VenueError when the list cannot be had. One that has just filled is none of them.
        """
        ours = [o for o in await self._account.open_orders() if is_ours(o.cl_id) or is_reducers(o.cl_id)]
        for order in ours:
            try:
                await self._account.cancel(order.inst_id, order.cl_id)
            except AuthFailed:
                raise
            except VenueError as error:
                self._remark(f"cancel of {order.cl_id}: {error}")
        return len(ours)

    async def flatten(self, owned: Mapping[str, Owned], pairs: Iterable[Pair], until_ms: int) -> None:
        """Reduce all pairs side by side until nothing is left to reduce, or the time is up.

        Raises AuthFailed. Other errors of the venue are remarked and the round is tried again.
        """
        courses = [self._course(pair, owned[pair.name]) for pair in pairs if pair.name in owned]
        left = courses
        try:
            while left and self._clock.now_ms() < until_ms:
                left = await self._rounds(left)
        finally:
            self._unknown |= {c.pair.name: c for c in courses if c.pending is not None}

    async def _rounds(self, courses: list[_Course]) -> list[_Course]:
        """One round for every course; return those that go on. All end before an error is passed on."""
        try:
            account = await self._account.account()
        except AuthFailed:
            raise
        except VenueError as error:  # not knowing is no picture to act on
            self._remark(f"account: {error}")
            await self._clock.sleep(PAUSE_S)
            return courses
        before = [course.owned for course in courses]
        rounds = (self._round(course, account) for course in courses)
        going: list[bool] = []
        for ended in await asyncio.gather(*rounds, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
            going.append(ended)
        moved = any(c.owned != was for c, was in zip(courses, before, strict=True))
        left = [course for course, goes_on in zip(courses, going, strict=True) if goes_on]
        if left and not moved:
            await self._clock.sleep(PAUSE_S)
        return left

    def _course(self, pair: Pair, owned: Owned) -> _Course:
        """A new way to flat; an order that an earlier one left without outcome comes first."""
        left = self._unknown.pop(pair.name, None)
        return _Course(pair, owned, pending=left.pending if left else None)

    # --- one pair ---------------------------------------------------------------------------------

    async def _round(self, course: _Course, account: AccountSnapshot) -> bool:
        """Take one slice off both legs; False when nothing is left of this pair."""
        before = course.owned
        try:
            if course.pending is not None:
                await self._follow(course)
                return True  # the account in hand is older than that outcome
            stock = Stock.of(course.pair, course.owned, account)
            if next_step(stock, ZERO) is None:
                return False
            await self._slice(course, stock)
        except AuthFailed:
            raise
        except VenueError as error:
            self._remark(f"{course.pair.name}: {error}")
        course.fruitless = 0 if course.owned != before else course.fruitless + 1
        return True

    async def _slice(self, course: _Course, stock: Stock) -> None:
        pair = course.pair
        spot, swap = await asyncio.gather(
            self._prices.book(pair.spot.inst_id, BOOK_DEPTH), self._prices.book(pair.swap.inst_id, BOOK_DEPTH)
        )
        if not (spot.is_sane and swap.is_sane):
            self._remark(f"{pair.name}: a book without two sides")
            return
        bounds = self._manner.bounds_bps
        bps = bounds[min(course.fruitless, len(bounds) - 1)]
        most = pair.swap.to_contracts(self._manner.slice_usdt / swap.mid)
        contracts = slice_size(pair, spot, swap, False, most, bps, Decimal(1))
        for _ in range(2):  # the swap, and then the spot that stood behind it
            step = next_step(stock, contracts)
            if step is None or course.pending is not None:
                return
            if why := objection(stock, step, contracts):
                self._remark(f"{pair.name}: not sent, it {why}")
                return
            filled = await self._carry_out(course, step, spot if step.leg is Leg.SPOT else swap, bps)
            stock = stock.after(step, filled)
            if not filled:
                return

    async def _carry_out(self, course: _Course, step: Step, book: Book, bps: Decimal) -> Decimal:
        """Send one order that fills at once or not at all; return what filled."""
        pair, leg = course.pair, step.leg
        spec = pair.spot if leg is Leg.SPOT else pair.swap
        request = OrderRequest(
            cl_id=self._ids.order_id(),
            instrument=pair.name,
            inst_id=spec.inst_id,
            leg=leg,
            side=step.side,
            kind=OrderKind.IOC,
            size=step.size,
            limit_px=limit_px(book, step.side, bps, spec.tick),
            reduce_only=leg is Leg.SWAP,
            ref_mid=book.mid,
        )
        self.orders += 1
        course.pending, course.absences = (step, request.cl_id), []
        course.expires_ms = self._clock.now_ms() + ORDER_LIFE_MS
        try:
            await self._account.place(request, course.expires_ms)
        except (VenueRejected, RateLimited) as refused:  # certain: nothing happened
            course.pending = None
            self._remark(f"{spec.inst_id} {step.side.value}: {refused}")
            return ZERO
        except AuthFailed:
            course.pending = None
            raise
        except VenueError as error:
            self._remark(f"{request.cl_id}: {error}")
        return await self._follow(course)

    async def _follow(self, course: _Course) -> Decimal:
        """Ask for the order under way until it is final or proven absent; return what filled, if known."""
        assert course.pending is not None
        step, cl_id = course.pending
        spec = course.pair.spot if step.leg is Leg.SPOT else course.pair.swap
        give_up_ms, wait_s = self._clock.now_ms() + int(ASK_FOR_S * 1000), FIRST_ASK_S
        while True:
            try:
                record = await self._account.order(spec.inst_id, cl_id)
            except AuthFailed:
                raise
            except VenueError as error:  # no answer proves nothing
                self._remark(f"{cl_id}: {error}")
            else:
                if record is not None and record.status.is_final:
                    return self._book(course, step, record.filled)
                if record is None:
                    course.absences.append(self._clock.now_ms())
                    if self._is_absent(course):
                        return self._book(course, step, ZERO)
            if self._clock.now_ms() >= give_up_ms:
                return ZERO
            await self._clock.sleep(wait_s)
            wait_s = min(wait_s * 2, LAST_ASK_S)

    def _is_absent(self, course: _Course) -> bool:
        seen = course.absences
        if len(seen) < ABSENT_ANSWERS or seen[-1] <= course.expires_ms:
            return False
        return seen[-1] - seen[0] >= ABSENT_AFTER_MS

    def _book(self, course: _Course, step: Step, filled: Decimal) -> Decimal:
        course.pending = None
        empty = Stock(course.pair, course.owned, ZERO, ZERO)
        course.owned = empty.after(step, filled).owned
        return filled

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)
