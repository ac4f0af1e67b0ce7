"""What the engine needs of the outside, written from the caller's side, in domain types.

Errors say what is known about the world; see core/errors.py. Adapters in exchange/ and monitor/
implement these; tests/fakes.py has hand-written ones.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Final, Protocol

from core.context import Context, StreamHealth
from core.events import Plan
from core.facts import Kind, Row
from core.types import (
    AccountConfig,
    AccountSnapshot,
    Bill,
    Book,
    Candle,
    FeeRates,
    Fill,
    FundingQuote,
    MaintenanceWindow,
    OrderRecord,
    OrderRequest,
    Pair,
    PriceLimits,
    SettledFunding,
    TransferRecord,
    Wallet,
)
from core.verdict import Verdict


class Clock(Protocol):
    """The engine's only time. Real in live and dry-run, the venue's own in demo and simulation."""

    def now_ms(self) -> int:
        """UTC milliseconds; never decreases."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def sleep_until(self, at_ms: int) -> None: ...

    def holding(self) -> AbstractContextManager[None]:
        """While held, virtual time stands still: for work done outside the loop (disk, threads)."""
        ...


class Ids(Protocol):
    """Identities, reproducible: never random."""

    def hedge_id(self, instrument: str) -> str: ...

    def order_id(self, hedge_id: str, leg: str) -> str:
        """A new client order id: letters and digits, at most 32, starting with the hedge's id."""
        ...

    def transfer_id(self) -> str: ...


class Guard(Protocol):
    """ "May we": measures one thing and answers with figures. Pure."""

    @property
    def name(self) -> str: ...

    def check(self, ctx: Context) -> Verdict: ...


class Planner(Protocol):
    """ "Should we": proposes targets. Pure. Strategy, fund guard and rebalancer are planners."""

    def plan(self, ctx: Context) -> Plan: ...


class Journal(Protocol):
    """The append-only truth. Order of appends is the order of rows."""

    def append(self, kind: Kind, at_ms: int, body: Mapping[str, object]) -> int:
        """Queue one row and return its sequence number. Values: str, int, bool, None, Decimal,
        lists and mappings of these; Decimal is stored as text."""
        ...

    async def durable(self) -> None:
        """Return once everything appended so far has reached the disk (fsync).

        Raises JournalFailed when it cannot: then nothing that adds risk may be done.
        """
        ...

    def rows(self, *kinds: Kind, after_seq: int = 0) -> AsyncIterator[Row]: ...


ORDER_LIFE_MS: Final = 2_000  # an order that has not reached the venue by then is too old to be sent


class Trading(Protocol):
    """Orders and account, signed REST. Every method may raise VenueRejected (nothing happened),
    VenueDown (outcome unknown for orders and transfers), RateLimited or AuthFailed."""

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
        """Send one order; return the venue's order id. Acceptance, not execution.

        expires_ms  our clock; the venue refuses what reaches it later. None: it may come at any time.
        """
        ...

    async def cancel(self, inst_id: str, cl_id: str) -> None: ...

    async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
        """Ask what became of an order. None only when the venue answered that it knows none."""
        ...

    async def open_orders(self) -> tuple[OrderRecord, ...]: ...

    async def cancel_all_after(self, timeout_s: int) -> None:
        """Let the venue cancel what rests of ours unless called again within 10 to 120 s; 0 ends that."""
        ...

    async def order_fills(self, inst_id: str, ord_id: str) -> tuple[Fill, ...]: ...

    async def fills(self, since_ms: int) -> tuple[Fill, ...]:
        """All fills since, all pages, oldest first."""
        ...

    async def bills(self, since_ms: int) -> tuple[Bill, ...]:
        """All bills since, all pages, oldest first."""
        ...

    async def account(self) -> AccountSnapshot: ...

    async def account_config(self) -> AccountConfig: ...

    async def fee_rates(self, pair: Pair) -> FeeRates: ...

    async def leverage(self, inst_id: str) -> Decimal: ...

    async def set_leverage(self, inst_id: str, leverage: Decimal) -> None: ...

    async def transfer(self, client_id: str, ccy: str, amount: Decimal, source: Wallet, dest: Wallet) -> str:
        """Ask for a transfer; return its id. Completion is read from transfer_state."""
        ...

    async def transfer_state(self, transfer_id: str) -> TransferRecord: ...

    async def wallet(self) -> Mapping[str, Decimal]:
        """Available balances of the funding wallet by currency."""
        ...


class Market(Protocol):
    """Public data by REST. May raise VenueDown or RateLimited."""

    async def server_time_ms(self) -> int: ...

    async def pairs(self, names: Iterable[str]) -> tuple[Pair, ...]:
        """Instruments of the named pairs (BTC-USDT). Raises VenueRejected for an unknown one."""
        ...

    async def ranked_pairs(self, limit: int) -> tuple[Pair, ...]:
        """All USDT swaps that have a spot twin, ranked by 24 h volume, at most `limit`."""
        ...

    async def book(self, inst_id: str, depth: int) -> Book: ...

    async def candles(self, inst_id: str, bar: str, limit: int) -> tuple[Candle, ...]:
        """Oldest first, the last may be forming; `bar` is the engine's word: 1m, 3m, 5m, 15m, 1H, 4H, and 1D
        or D for days that begin at 00:00 UTC. At most the 1,440 newest."""
        ...

    async def funding(self, inst_id: str) -> FundingQuote: ...

    async def settled_funding(self, inst_id: str, limit: int) -> tuple[SettledFunding, ...]:
        """Oldest first."""
        ...

    async def mark_px(self, inst_id: str) -> Decimal: ...

    async def price_limits(self, inst_id: str) -> PriceLimits:
        """What prices an order may name now."""
        ...

    async def open_interest(self, inst_id: str) -> Decimal:
        """In coins."""
        ...

    async def maintenance(self) -> tuple[MaintenanceWindow, ...]: ...

    async def usdt_usd(self) -> Decimal:
        """What a USDT is worth in dollars, by the venue's index."""
        ...


class Crowd(Protocol):
    """What the crowd holds, hour by hour. May raise VenueDown, RateLimited or VenueRejected.

    Rows are (when the hour began, figure), oldest first, without the hour that is not over; the venue keeps
    some 30 days of them.
    """

    async def open_interest_hours(self, inst_id: str, since_ms: int) -> tuple[tuple[int, Decimal], ...]:
        """In coins."""
        ...

    async def long_short_hours(self, ccy: str, since_ms: int) -> tuple[tuple[int, Decimal], ...]:
        """Accounts that are long / accounts that are short, of all contracts of a coin."""
        ...


class Streams(Protocol):
    """The supervised WebSocket side: pushes go to the sinks, health can be read at any time."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def health(self) -> Mapping[str, StreamHealth]: ...

    def renew(self, inst_id: str) -> None:
        """Subscribe one market's book anew, for a snapshot; nothing while its connection is down."""
        ...

    @property
    def frames(self) -> int:
        """Frames received in total."""
        ...


class SleeveFeed(Protocol):
    """The sleeve's supervised streams: its own account, and prices of the swaps it watches at present.

    An adapter is given whom to tell: orders to an OrderSink, the account to its store, a mark price to
    `on_mark(inst_id, px, at_ms)` with our clock's time, the best few levels of a book to `on_book(book)`.
    """

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def health(self) -> Mapping[str, StreamHealth]:
        """By name. While nothing is watched there is no connection for prices, and none is missed."""
        ...

    def watch(self, inst_ids: Iterable[str]) -> None:
        """Hear of these swaps from now on, and of no others."""
        ...

    @property
    def frames(self) -> int:
        """Frames received in total."""
        ...


class OrderSink(Protocol):
    """Where order pushes go (execution). Called in arrival order; may repeat itself."""

    def on_order(self, record: OrderRecord, fill: Fill | None) -> None: ...


class AccountSink(Protocol):
    """Told after the account store changed."""

    def on_account(self, snapshot: AccountSnapshot) -> None: ...


class Notifier(Protocol):
    """The human side. Never raises, never waits: messages are queued."""

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        """`topic` is a key of the text catalogue (monitor/texts.py); `level` info, warning, critical."""
        ...
