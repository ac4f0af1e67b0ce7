"""Builds the one frozen Context a decision may look at, out of the stores that outlive it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from core.adl import AdlView
from core.context import Context, MarketView, VenueHealth
from core.events import State
from core.permission import Permissions
from core.projections import Books
from core.types import AccountSnapshot, FeeRates, Pair


class MarketStore(Protocol):
    @property
    def names(self) -> tuple[str, ...]: ...

    def view(self, name: str) -> MarketView: ...

    def pair(self, name: str) -> Pair:
        """The rules of a pair's markets alone: a whole view costs far more."""
        ...


class AccountStore(Protocol):
    def snapshot(self) -> AccountSnapshot | None: ...


@dataclass(slots=True)
class Flags:
    """What the engine itself remembers between events; all of it is in the journal's decisions."""

    state_since_ms: int = 0
    repairs: int = 0
    stopping: str = ""
    flatten_asked: bool = False
    unexplained: str = ""


class Observer:
    """Reads, never writes. `look` costs a few hundred microseconds: once per event."""

    def __init__(
        self,
        markets: MarketStore,
        account: AccountStore,
        books: Books,
        permissions: Permissions,
        health: Callable[[], VenueHealth],
        fees: Mapping[str, FeeRates],
        adl: Callable[[], Mapping[str, AdlView]] = dict,
    ) -> None:
        self._markets, self._account = markets, account
        self._books = books
        self._permissions, self._health, self._fees = permissions, health, fees
        self._adl = adl

    def look(self, now_ms: int, state: State, flags: Flags) -> Context:
        markets = {name: self._markets.view(name) for name in self._markets.names}
        prices = prices_of(markets)
        ledger = self._books.ledger
        equity = ledger.equity(prices)
        return Context(
            now_ms=now_ms,
            state=state,
            state_since_ms=flags.state_since_ms,
            permission=self._permissions.view,
            markets=markets,
            account=self._account.snapshot(),
            fees=self._fees,
            hedges=self._books.hedge_views(prices),
            breaker=self._books.breaker(now_ms),
            venue=self._health(),
            equity=equity,
            profit=equity - ledger.opening_equity - ledger.transfers,
            last_open_ms=dict(self._books.last_open_ms),
            last_close_ms=dict(self._books.last_close_ms),
            pending_transfer=self._books.pending_transfer,
            unresolved_orders=len(self._books.unresolved_orders()),
            unexplained=flags.unexplained,
            repairs=flags.repairs,
            stopping=flags.stopping,
            flatten_asked=flags.flatten_asked,
            top_up_failed_ms=self._books.top_up_failed_ms,
            adl=self._adl(),
            causes=self._permissions.causes,
        )

    def funding_times(self) -> dict[str, int]:
        """The next funding time of every instrument whose quote is known."""
        quotes = {name: self._markets.view(name).funding for name in self._markets.names}
        return {name: quote.funding_time_ms for name, quote in quotes.items() if quote is not None}


def prices_of(markets: Mapping[str, MarketView]) -> dict[str, tuple[Decimal, Decimal]]:
    """(spot mid, swap mark) of every pair that is quoted: what holdings are valued at."""
    return {
        name: (view.spot.mid, view.mark_px)
        for name, view in markets.items()
        if view.spot is not None and view.spot.is_sane and view.mark_px is not None
    }
