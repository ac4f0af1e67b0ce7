"""Fetches what only the venue knows: funding bills, fees, transfers, the account as it stands.

All of its work is I/O and ends in facts; it decides nothing. The engine lets one errand run at a time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from core.facts import Kind
from core.hedges import Hedge
from core.ledger import Prices
from core.observer import MarketStore, prices_of
from core.ports import Clock, Journal, Market, Notifier, Trading
from core.projections import Books
from core.survey import Survey
from core.types import (
    GONE,
    AccountSnapshot,
    Bill,
    BillKind,
    FundingQuote,
    SettledFunding,
)

BILL_PATIENCE_MS = 15 * 60_000  # a funding bill may come minutes after its settlement
LOOKS = 2
MOVES_ONLY = (BillKind.TRADE, BillKind.TRANSFER)  # repeat a fill, or are no profit at all
OVERLAP_MS = 60_000  # bills are asked for from a little before the last one seen


class MarketFacts(MarketStore, Protocol):
    """The parts of the market store that REST feeds."""

    def on_funding(self, quote: FundingQuote) -> None: ...

    def seed_settled(self, name: str, settled: Iterable[SettledFunding]) -> None: ...

    def on_open_interest(self, name: str, coins: Decimal) -> None: ...


class AccountFacts(Protocol):
    def replace(self, snapshot: AccountSnapshot) -> None: ...

    def snapshot(self) -> AccountSnapshot | None: ...


class Bookkeeper:
    """Errands of the settlement and of the hourly review.

    refresh  asks again, once an hour, for what streams do not repeat: instrument rules, lost candles.
    """

    def __init__(
        self,
        trading: Trading,
        market: Market,
        journal: Journal,
        books: Books,
        markets: MarketFacts,
        account: AccountFacts,
        clock: Clock,
        notifier: Notifier,
        refresh: Callable[[], Awaitable[None]],
        survey: Survey,
    ) -> None:
        self._trading, self._market = trading, market
        self._journal, self._books = journal, books
        self._markets, self._account = markets, account
        self._clock, self._notifier, self._refresh = clock, notifier, refresh
        self._awaited: dict[str, int] = {}  # instrument -> funding time whose bill is missing
        self._survey = survey

    @property
    def unexplained(self) -> Decimal:
        """How far the venue's cash is from our books, USDT, as last compared."""
        return self._survey.unexplained

    @property
    def awaits_bills(self) -> bool:
        return bool(self._awaited)

    async def settle(self, instrument: str, funding_time_ms: int) -> None:
        """Book the settlement of `instrument` from the venue's bills, and learn the realised rate.

        A bill that is not there yet is asked for again by `late_bills`; nothing is concluded from
        its absence.
        """
        self.expect(instrument, funding_time_ms)
        await self.collect_bills()
        await self._compare()
        await self._learn(instrument)

    def expect(self, instrument: str, funding_time_ms: int) -> None:
        """Wait for the bill of a settlement at which contracts were held, also when they are gone by now,
        unless it was booked before anybody waited for it: a review may be a little earlier."""
        booked = self._books.is_settled(instrument, funding_time_ms)
        if not booked and self._books.contracts_at(instrument, funding_time_ms) > 0:
            self._awaited[instrument] = funding_time_ms

    async def late_bills(self) -> None:
        """Ask again for settlements whose bill had not come; give up telling after a quarter hour."""
        await self.collect_bills()
        now_ms = self._clock.now_ms()
        for instrument, funding_ms in list(self._awaited.items()):
            if now_ms - funding_ms > BILL_PATIENCE_MS:
                del self._awaited[instrument]
                self._journal.append(
                    Kind.NOTE, now_ms, {"what": "funding bill missing", "instrument": instrument}
                )
                self._notifier.tell(
                    "trouble", "warning", {"what": "funding bill missing", "detail": instrument}
                )

    async def collect_bills(self) -> tuple[Bill, ...]:
        """Append every bill not seen before. Trades are booked from fills, never from their bills.

        A bill is its hedge's that stood when it was charged; a round that is closed by now is amended.
        """
        bills = await self._trading.bills(max(0, self._books.bill_watermark_ms - OVERLAP_MS))
        fresh = tuple(b for b in bills if not self._books.has_bill(b.bill_id))
        if fresh:
            pairs = [self._markets.pair(name) for name in self._markets.names]
            by_swap = {pair.swap.inst_id: pair.name for pair in pairs}
            by_spot = {pair.spot.inst_id: pair.name for pair in pairs}
            for bill in fresh:
                instrument = by_swap.get(bill.inst_id) or by_spot.get(bill.inst_id) or ""
                self.book_bill(bill, instrument, self._clock.now_ms())
        return fresh

    def book_bill(self, bill: Bill, instrument: str, at_ms: int) -> None:
        """Append one bill that was not seen before; "" for one of no instrument here."""
        hedge = self._books.hedge_at(instrument, bill.ts_ms) if instrument else None
        body = {
            "bill": bill,
            "instrument": instrument,
            "hedge_id": hedge.hedge_id if hedge else "",
        }
        self._journal.append(Kind.BILL, at_ms, body)
        if hedge is not None and hedge.closed_ms and bill.kind not in MOVES_ONLY:
            self._tell_amended(hedge, bill)
        if bill.kind is BillKind.FUNDING:
            self._awaited.pop(instrument, None)
            self._notifier.tell(
                "settlement",
                "info",
                {"instrument": instrument, "amount": bill.change, "mark": bill.px, "size": bill.size},
            )

    async def review(self) -> None:
        """Once an hour: the account as the venue has it, open interest, our own equity."""
        await self.collect_bills()
        await self._compare()
        await self._refresh()
        for name in self._markets.names:
            swap = self._markets.pair(name).swap
            if swap.state == GONE:
                continue
            coins = await self._market.open_interest(swap.inst_id)
            self._markets.on_open_interest(name, coins)
        self.book_equity(prices_of(self._markets.views()), self._clock.now_ms())

    async def _compare(self) -> None:
        """Hold the account against bills and books, and once more when they differ: bills may be late."""
        for _ in range(LOOKS):
            mark = self._survey.mark()
            snapshot = await self.account()
            self._survey.look(snapshot, mark)
            if self._survey.balance(snapshot, mark):
                return
            await self.collect_bills()

    async def account(self) -> AccountSnapshot:
        """Replace the account store's view by one coherent answer of the venue, wallet included."""
        snapshot, wallet = await self._trading.account(), await self._trading.wallet()
        self._account.replace(
            snapshot if snapshot.funding_wallet == wallet else replace(snapshot, funding_wallet=wallet)
        )
        return self._account.snapshot() or snapshot

    def book_equity(self, prices: Prices, at_ms: int) -> None:
        """Write equity and its terms at these prices, and how far the venue's cash is from our own books."""
        self._journal.append(
            Kind.EQUITY,
            at_ms,
            {
                "equity": self._books.ledger.equity(prices),
                "terms": self._books.ledger.terms(prices),
                "prices": {n: list(p) for n, p in prices.items()},
                "unexplained": self.unexplained,
            },
        )

    def _tell_amended(self, hedge: Hedge, bill: Bill) -> None:
        """Note that the figures told when the round was closed are others now, and why."""
        body = {
            "what": "round amended",
            "instrument": hedge.instrument,
            "hedge_id": hedge.hedge_id,
            "bill_id": bill.bill_id,
            "amount": bill.change,
            "net": hedge.closing_terms.net,
        }
        self._journal.append(Kind.NOTE, self._clock.now_ms(), body)

    async def _learn(self, instrument: str) -> None:
        swap = self._markets.pair(instrument).swap
        self._markets.seed_settled(instrument, await self._market.settled_funding(swap.inst_id, 3))
        self._markets.on_funding(await self._market.funding(swap.inst_id))
