"""Builds the one frozen Context a decision may look at, out of the stores that outlive it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol

from core.adl import AdlView
from core.context import Context, MarketView, PermissionView, VenueHealth
from core.events import State
from core.permission import Permissions
from core.projections import Books
from core.types import AccountSnapshot, FeeRates, Pair


class MarketStore(Protocol):
    @property
    def names(self) -> tuple[str, ...]: ...

    def view(self, name: str) -> MarketView: ...

    def views(self) -> Mapping[str, MarketView]:
        """All of them, by name. The same mapping until one of them changes; nobody writes into it."""
        ...

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
    """Reads, never writes. `look` costs a few hundred microseconds where something has changed."""

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
        self._last: tuple[_Seen, Context] | None = None

    def look(self, now_ms: int, state: State, flags: Flags) -> Context:
        """The context of an instant. The same one again where nothing has changed since the last look: then
        all that was worked out of it is still known."""
        seen = _Seen(
            self._markets.views(),
            self._account.snapshot(),
            (now_ms, state, replace(flags), self._books.changes, dict(self._fees)),
            self._permissions.causes,
            self._health(),
            self._adl(),
        )
        if self._last is None or not self._last[0].equals(seen):
            self._last = seen, self._context(now_ms, state, flags, seen)
        return self._last[1]

    def _context(self, now_ms: int, state: State, flags: Flags, seen: _Seen) -> Context:
        prices = prices_of(seen.markets)
        ledger = self._books.ledger
        equity = ledger.equity(prices)
        return Context(
            now_ms=now_ms,
            state=state,
            state_since_ms=flags.state_since_ms,
            permission=self._permissions.view,
            markets=seen.markets,
            account=seen.account,
            fees=self._fees,
            hedges=self._books.hedge_views(prices),
            breaker=self._books.breaker(now_ms),
            venue=seen.venue,
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
            adl=seen.adl,
            causes=seen.causes,
        )

    def funding_times(self) -> dict[str, int]:
        """The next funding time of every instrument whose quote is known."""
        quotes = {name: view.funding for name, view in self._markets.views().items()}
        return {name: quote.funding_time_ms for name, quote in quotes.items() if quote is not None}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a context is made of. Markets and account are the same object until they change."""

    markets: Mapping[str, MarketView]
    account: AccountSnapshot | None
    own: tuple[object, ...]
    causes: Mapping[str, PermissionView]
    venue: VenueHealth
    adl: Mapping[str, AdlView]

    def equals(self, other: _Seen) -> bool:
        """Whether one context is right for both."""
        return (
            self.markets is other.markets
            and self.account is other.account
            and self.own == other.own
            and self.causes == other.causes
            and self.venue == other.venue
            and self.adl == other.adl
        )


def prices_of(markets: Mapping[str, MarketView]) -> dict[str, tuple[Decimal, Decimal]]:
    """(spot mid, swap mark) of every pair that is quoted: what holdings are valued at."""
    return {name: prices for name, view in markets.items() if (prices := view.prices) is not None}
