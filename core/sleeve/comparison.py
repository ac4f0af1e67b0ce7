"""Books and venue made equal, or told apart: orders without outcome, stops, fills nobody was there to see,
bills, then what is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from core.bookkeeper import OVERLAP_MS
from core.explanation import fill_body
from core.facts import Kind
from core.ids import is_stop, parse
from core.ports import Clock, Journal, Trading
from core.protection import Protection, StopRecord, StopState
from core.sleeve.books import SleeveBooks, StandingStop
from core.types import ZERO, Fill, Pair

ASK_AGAIN_S: Final = 1.0  # a trade may fall between two answers: a difference is believed the second time


class Orders(Protocol):
    async def resolve(self, cl_id: str) -> None: ...


class Stops(Protocol):
    async def check(self, stop: StandingStop) -> StopState | None: ...


class Comparison:
    """`pairs`: every instrument the sleeve may trade, with its rules."""

    def __init__(
        self,
        trading: Trading,
        protection: Protection,
        orders: Orders,
        stops: Stops,
        journal: Journal,
        books: SleeveBooks,
        clock: Clock,
        pairs: Mapping[str, Pair],
    ) -> None:
        self._trading, self._protection = trading, protection
        self._orders, self._stops = orders, stops
        self._journal, self._books, self._clock = journal, books, clock
        self._pairs = pairs
        self._by_swap = {pair.swap.inst_id: name for name, pair in pairs.items()}

    async def compare(self) -> Mapping[str, str]:
        """Return what stays unexplained, by instrument, in a sentence each. Raises VenueError."""
        for cl_id in self._books.unresolved_orders():
            await self._orders.resolve(cl_id)
        await self._check_stops()
        found: Mapping[str, str] = {}
        for pause_s in (0.0, ASK_AGAIN_S):
            if pause_s:
                await self._clock.sleep(pause_s)
            await self._late_fills()
            await self._bills()
            found = await self._differences()
            if not found:
                break
        told = {"what": "reconciled", "unexplained": list(found.values())}
        self._journal.append(Kind.NOTE, self._clock.now_ms(), told)
        return found

    async def _check_stops(self) -> None:
        """What should stand and does not has gone; what stands of ours and is in no book is taken away."""
        pending = {record.cl_id: record for record in await self._protection.stops()}
        for stop in [s for s in self._books.stops.values() if s.may_stand]:
            if stop.cl_id not in pending or stop.status != "placed":
                await self._stops.check(stop)
        for record in pending.values():
            if is_stop(record.cl_id) and record.cl_id not in self._books.stops:
                await self._take_away(record)

    async def _take_away(self, record: StopRecord) -> None:
        await self._protection.cancel_stop(record.inst_id, record.cl_id)
        body = {"what": "a stop of a lost journal was taken away", "cl_id": record.cl_id}
        self._journal.append(Kind.NOTE, self._clock.now_ms(), body)

    async def _late_fills(self) -> None:
        """Of our orders by their ids; of the venue's stop, of a liquidation and of a hand at the screen: on
        this account they are the position's that stands there.
        """
        opened_ms = self._books.ledger.opened_ms or 0
        for fill in await self._trading.fills(max(0, self._books.last_fill_ms - OVERLAP_MS)):
            name = self._by_swap.get(fill.inst_id)
            if name is None or self._books.has_fill(fill.key) or fill.ts_ms < opened_ms:
                continue
            self.book(name, fill)

    def book(self, name: str, fill: Fill) -> None:
        """Append a fill that no order of this process waits for, once."""
        if self._books.has_fill(fill.key):
            return
        order = parse(fill.cl_id)
        position = self._books.by_id(order.hedge_id) if order is not None else self._books.position(name)
        position_id = position.position_id if position is not None else ""
        known = self._books.sent.orders.get(fill.cl_id)
        body = fill_body(fill, self._pairs[name], position_id, known.ref_mid if known else fill.px)
        self._journal.append(Kind.FILL, self._clock.now_ms(), body)

    async def _bills(self) -> None:
        bills = await self._trading.bills(max(0, self._books.bill_watermark_ms - OVERLAP_MS))
        for bill in bills:
            if self._books.has_bill(bill.bill_id):
                continue
            name = self._by_swap.get(bill.inst_id, "")
            position = self._books.position_at(name, bill.ts_ms)
            position_id = position.position_id if position is not None else ""
            body = {"bill": bill, "instrument": name, "hedge_id": position_id}
            self._journal.append(Kind.BILL, self._clock.now_ms(), body)

    async def _differences(self) -> Mapping[str, str]:
        snapshot = await self._trading.account()
        found: dict[str, str] = {}
        strays = {position.inst_id: key for key, position in snapshot.strays.items()}
        for name, pair in self._pairs.items():
            if (key := strays.get(pair.swap.inst_id)) is not None:
                found[name] = f"{name}: a position that is not the sleeve's stands there: {key}"
                continue
            position = self._books.position(name)
            ours = position.held * position.side.sign / pair.swap.ct_val if position is not None else ZERO
            theirs = snapshot.contracts(pair.swap.inst_id)
            if theirs != ours:
                found[name] = f"{name}: the books have {ours:f} contracts, the venue {theirs:f}"
        return found
