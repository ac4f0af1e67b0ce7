"""Start and recovery are one path: replay has rebuilt the books, now the venue is asked and every
difference is explained, or the engine stops.

Order: orders whose outcome is unknown, open orders of ours, fills, bills, then the holdings themselves.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Protocol

from core.adoption import adopted_body, hedge_of, is_flat
from core.bookkeeper import OVERLAP_MS, Bookkeeper
from core.errors import VenueRejected
from core.explanation import Difference, difference, explaining, fill_body
from core.facts import Kind
from core.ids import is_ours
from core.observer import MarketStore
from core.ports import Clock, Journal, Trading
from core.projections import Books
from core.sentinel import Sentinel
from core.survey import Survey
from core.types import ZERO, AccountSnapshot, Fill, OrderRecord, Pair

CANCEL_ASKS: Final = 5
CANCEL_ASK_S: Final = 0.5


class Resolver(Protocol):
    """Execution's part: what became of an order whose outcome is unknown."""

    async def resolve(self, cl_id: str) -> None:
        """Bring the order to its end and its end into the journal: cancelled if it still rests, asked for
        until the venue tells, never sent again."""
        ...


class Reconciler:
    """Makes our books equal the venue's, or says in one sentence why it cannot."""

    def __init__(
        self,
        trading: Trading,
        journal: Journal,
        books: Books,
        bookkeeper: Bookkeeper,
        markets: MarketStore,
        orders: Resolver,
        clock: Clock,
        sentinel: Sentinel,
        survey: Survey,
    ) -> None:
        self._trading, self._journal, self._books = trading, journal, books
        self._bookkeeper, self._markets = bookkeeper, markets
        self._orders, self._clock = orders, clock
        self._sentinel, self._survey = sentinel, survey
        self._claimed: set[str] = set()

    async def reconcile(self) -> str:
        """Return "" when books and venue agree, else what remains unexplained."""
        for cl_id in self._books.unresolved_orders():
            await self._orders.resolve(cl_id)
        await self._cancel_leftovers()
        await self._late_fills()
        await self._bookkeeper.collect_bills()
        known = self._survey.mark()
        snapshot = await self._bookkeeper.account()
        self._survey.look(snapshot, known)
        self._sentinel.begin()
        unexplained = [d for pair in self._pairs() if (d := self._difference(pair, snapshot)) is not None]
        self._journal.append(
            Kind.NOTE,
            self._clock.now_ms(),
            {"what": "reconciled", "unexplained": [str(d) for d in unexplained]},
        )
        return "; ".join(str(d) for d in unexplained)

    def _pairs(self) -> tuple[Pair, ...]:
        return tuple(self._markets.pair(name) for name in self._markets.names)

    async def _cancel_leftovers(self) -> None:
        """A resting order of ours from before belongs to nobody now: it is cancelled, or has just filled."""
        for order in await self._trading.open_orders():
            if self._books.knows_order(order.cl_id):
                await self._orders.resolve(order.cl_id)
            elif is_ours(order.cl_id):
                if self._sentinel.is_foreign(order.cl_id):
                    self._sentinel.see(order.cl_id)
                else:
                    await self._cancel(order)

    async def _cancel(self, order: OrderRecord) -> None:
        """Take an order out of the book that only its id says is ours, and wait until it is over."""
        self._sentinel.take_over(order.cl_id)
        for _ in range(CANCEL_ASKS):
            try:
                await self._trading.cancel(order.inst_id, order.cl_id)
            except VenueRejected as error:  # filled or cancelled a moment ago: the order itself tells
                self._append(Kind.NOTE, {"what": "cancel refused", "cl_id": order.cl_id, "code": error.code})
            record = await self._trading.order(order.inst_id, order.cl_id)
            if record is None or record.status.is_final:
                return
            await self._clock.sleep(CANCEL_ASK_S)

    async def _late_fills(self) -> None:
        """Fills we were not there to see: of our own orders, of a journal that was lost, and of forced
        reductions by the venue.

        Ours are known by their ids, never by their time. A fill without one is taken over only as far as
        it explains why the venue holds less than our books: what we did not buy is never ours.
        """
        fills = await self._trading.fills(max(0, self._books.last_fill_ms - OVERLAP_MS))
        opened_ms = self._books.ledger.opened_ms or 0
        foreign = []
        for fill in (f for f in fills if not self._books.has_fill(f.key)):
            if self._books.knows_order(fill.cl_id):
                self._book(fill, self._books.order_ref_mid(fill.cl_id))
            elif fill.ts_ms < opened_ms:
                continue  # from before this journal: inside its opening cash
            elif not is_ours(fill.cl_id):
                foreign.append(fill)
            elif self._sentinel.is_foreign(fill.cl_id):
                self._sentinel.see(fill.cl_id)
            else:
                self._claim(fill)
        self._close_claimed()
        if foreign:
            snapshot = await self._trading.account()
            for pair in self._pairs():
                gap = self._difference(pair, snapshot)
                for share in explaining(pair, gap, foreign) if gap is not None else ():
                    self._book(share.fill, share.fill.px, split=share.split)

    def _claim(self, fill: Fill) -> None:
        """Take a fill of ours that the journal never heard of into its hedge, as its id says."""
        self._sentinel.take_over(fill.cl_id)
        pair, hedge_id = self._pair_of(fill), hedge_of(fill)
        if pair is None:
            return
        held = self._books.hedge(pair.name)
        if held is not None and held.hedge_id != hedge_id and is_flat(pair, held):
            self._close(pair)  # the journal missed its end: this fill is of the round after it
        self._claimed.add(pair.name)
        self._append(Kind.FILL, fill_body(fill, pair, hedge_id, fill.px))

    def _close_claimed(self) -> None:
        """Write what became of the hedges that were claimed: over, or ours at the size they have."""
        for pair in (p for p in self._pairs() if p.name in self._claimed):
            hedge = self._books.hedge(pair.name)
            if hedge is None:
                continue
            if is_flat(pair, hedge):
                self._close(pair)
                continue
            body = adopted_body(pair, hedge.hedge_id, hedge.spot_base, hedge.contracts, "found at the venue")
            self._append(Kind.HEDGE, body)
        self._claimed.clear()

    def _close(self, pair: Pair) -> None:
        hedge = self._books.hedge(pair.name)
        assert hedge is not None
        body = adopted_body(pair, hedge.hedge_id, ZERO, ZERO, "found closed at the venue")
        self._append(Kind.HEDGE, body | {"event": "closed", "purpose": "exit"})

    def _book(self, fill: Fill, ref_mid: Decimal, *, split: bool = False) -> None:
        pair = self._pair_of(fill)
        if pair is None:
            return
        hedge = self._books.hedge(pair.name)
        hedge_id = hedge.hedge_id if hedge else ""
        self._append(Kind.FILL, fill_body(fill, pair, hedge_id, ref_mid, split=split))

    def _append(self, kind: Kind, body: dict[str, object]) -> None:
        self._journal.append(kind, self._clock.now_ms(), body)

    def _pair_of(self, fill: Fill) -> Pair | None:
        return next((p for p in self._pairs() if fill.inst_id in (p.spot.inst_id, p.swap.inst_id)), None)

    def _difference(self, pair: Pair, snapshot: AccountSnapshot) -> Difference | None:
        hedge = self._books.hedge(pair.name)
        owned, short = (hedge.spot_base, hedge.contracts) if hedge else (ZERO, ZERO)
        return difference(pair, owned, short, snapshot)
