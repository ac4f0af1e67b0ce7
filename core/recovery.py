"""Start and recovery are one path: replay has rebuilt the books, now the venue is asked and every
difference is explained, or the engine stops.

Order: orders whose outcome is unknown, open orders of ours, fills, bills, then the holdings themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from core.bookkeeper import OVERLAP_MS, Bookkeeper
from core.facts import Kind, plain
from core.observer import MarketStore
from core.ports import Clock, Journal, Trading
from core.projections import Books
from core.types import ZERO, AccountSnapshot, Fill, Leg, Pair


class Resolver(Protocol):
    """Execution's part: what became of an order whose outcome is unknown."""

    async def resolve(self, cl_id: str) -> None:
        """Bring the order to its end and its end into the journal: cancelled if it still rests, asked for
        until the venue tells, never sent again."""
        ...


@dataclass(frozen=True, slots=True)
class Difference:
    """Venue minus books for one pair: coins of spot, and contracts short."""

    instrument: str
    spot_base: Decimal
    contracts: Decimal

    def __str__(self) -> str:
        return f"{self.instrument}: {self.spot_base:f} coins, {self.contracts:f} contracts short"


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
    ) -> None:
        self._trading, self._journal, self._books = trading, journal, books
        self._bookkeeper, self._markets = bookkeeper, markets
        self._orders, self._clock = orders, clock

    async def reconcile(self) -> str:
        """Return "" when books and venue agree, else what remains unexplained."""
        for cl_id in self._books.unresolved_orders():
            await self._orders.resolve(cl_id)
        await self._cancel_leftovers()
        await self._late_fills()
        await self._bookkeeper.collect_bills()
        snapshot = await self._bookkeeper.account()
        unexplained = [d for pair in self._pairs() if (d := self._difference(pair, snapshot)) is not None]
        self._journal.append(
            Kind.NOTE,
            self._clock.now_ms(),
            {"what": "reconciled", "unexplained": [str(d) for d in unexplained]},
        )
        return "; ".join(str(d) for d in unexplained)

    def _pairs(self) -> tuple[Pair, ...]:
        return tuple(self._markets.view(name).pair for name in self._markets.names)

    async def _cancel_leftovers(self) -> None:
        """A resting order of ours from before belongs to nobody now: it is cancelled, or has just filled."""
        for order in await self._trading.open_orders():
            if self._books.knows_order(order.cl_id):
                await self._orders.resolve(order.cl_id)

    async def _late_fills(self) -> None:
        """Fills we were not there to see: of our own orders, and of forced reductions by the venue.

        A fill without our client id is taken over only as far as it explains why the venue holds
        less than our books: what we did not buy is never ours.
        """
        fills = await self._trading.fills(max(0, self._books.last_fill_ms - OVERLAP_MS))
        fresh = [f for f in fills if not self._books.has_fill(f.key)]
        for fill in (f for f in fresh if self._books.knows_order(f.cl_id)):
            self._adopt(fill, self._books.order_ref_mid(fill.cl_id))
        foreign = [f for f in fresh if not self._books.knows_order(f.cl_id)]
        if foreign:
            snapshot = await self._trading.account()
            for pair in self._pairs():
                self._explain(pair, snapshot, foreign)

    def _explain(self, pair: Pair, snapshot: AccountSnapshot, foreign: list[Fill]) -> None:
        for fill in foreign:
            gap = self._difference(pair, snapshot)
            if gap is None:
                return
            reduces_short = fill.inst_id == pair.swap.inst_id and fill.side.sign > 0 and gap.contracts < 0
            sells_spot = fill.inst_id == pair.spot.inst_id and fill.side.sign < 0 and gap.spot_base < 0
            if reduces_short or sells_spot:
                self._adopt(fill, fill.px)

    def _adopt(self, fill: Fill, ref_mid: Decimal) -> None:
        pair = next(p for p in self._pairs() if fill.inst_id in (p.spot.inst_id, p.swap.inst_id))
        is_swap = fill.inst_id == pair.swap.inst_id
        hedge = self._books.hedge(pair.name)
        self._journal.append(
            Kind.FILL,
            self._clock.now_ms(),
            {
                "hedge_id": hedge.hedge_id if hedge else "",
                "instrument": pair.name,
                "leg": (Leg.SWAP if is_swap else Leg.SPOT).value,
                "ref_mid": ref_mid,
                "ct_val": pair.swap.ct_val if is_swap else Decimal(1),
                "fill": plain(fill),
            },
        )

    def _difference(self, pair: Pair, snapshot: AccountSnapshot) -> Difference | None:
        """What the venue has less than our books. More than ours is foreign inventory, not our business."""
        hedge = self._books.hedge(pair.name)
        owned, short = (hedge.spot_base, hedge.contracts) if hedge else (ZERO, ZERO)
        missing_spot = min(ZERO, snapshot.cash(pair.spot.base_ccy) - owned)
        missing_short = min(ZERO, -snapshot.contracts(pair.swap.inst_id) - short)
        if missing_spot > -pair.spot.lot and missing_short == 0:
            return None
        return Difference(pair.name, missing_spot, missing_short)
