"""The seam between the venue's economics and its protocol: what the surface may see and ask.

Commands are synchronous and raise Reject; whatever they change lands in the outbox in the order it
happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from msgspec import Struct

from exchange.sim.account_figures import AccountFigures, FundFigures
from exchange.sim.algo_model import AlgoOrder, Attached, Trailing, Trigger
from exchange.sim.events import VenueEvent
from exchange.sim.model import (
    AccountState,
    Bar,
    BookLevel,
    FundingState,
    Instrument,
    Interest,
    Order,
    PositionKey,
    PublicTrade,
    Settled,
    Transfer,
    position_key,
)
from exchange.sim.profile import VenueProfile


class OrderParams(Struct, frozen=True):
    """An order as the surface understood it: shapes checked, economics not yet."""

    inst_id: str
    td_mode: str
    side: str
    kind: str
    size: Decimal
    price: Decimal | None = None
    cl_id: str = ""
    tag: str = ""
    pos_side: str = "net"
    reduce_only: bool = False
    target_ccy: str = ""  # spot market: base_ccy | quote_ccy
    stp: str = "cancel_maker"
    ban_amend: bool = False
    move_price: bool = False  # pxAmendType 1: a price outside the band becomes its edge
    slippage: Decimal = Decimal(0)  # spot market: how far from the best price it may trade, 0 is any
    attached: tuple[Attached, ...] = ()
    source: str = ""  # with the ids of the algo order that placed it
    algo_id: str = ""
    algo_cl_id: str = ""

    @property
    def position(self) -> PositionKey:
        """The position a swap order would work on."""
        return position_key(self.inst_id, self.td_mode, self.pos_side)


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An amendment: None leaves as is. `size` includes what has filled already."""

    size: Decimal | None = None
    price: Decimal | None = None
    move_price: bool = False  # pxAmendType 1
    cancel_on_fail: bool = False
    req_id: str = ""
    attached: tuple[Attached, ...] | None = None


@dataclass(frozen=True, slots=True)
class OrderEffect:
    """An account before and after an order that fills at once; `mark_px` is its instrument's."""

    before: AccountFigures
    after: AccountFigures
    mark_px: Decimal


@dataclass(frozen=True, slots=True)
class AlgoParams:
    """An algo order as the surface understood it: shapes checked, economics not yet."""

    inst_id: str
    td_mode: str
    side: str
    kind: str
    size: Decimal | None  # None: the whole position
    cl_id: str = ""
    tag: str = ""
    pos_side: str = "net"
    reduce_only: bool = False
    target_ccy: str = ""
    with_position: bool = False
    take_profit: Trigger | None = None
    stop_loss: Trigger | None = None
    trigger: Trigger | None = None
    then: str = ""
    trailing: Trailing | None = None
    attached: tuple[Attached, ...] = ()

    @property
    def position(self) -> PositionKey:
        """The position it would work on."""
        return position_key(self.inst_id, self.td_mode, self.pos_side)


@dataclass(frozen=True, slots=True)
class AlgoChange:
    """What to change of an algo order: None leaves as is, an arm with price 0 goes away."""

    size: Decimal | None = None
    take_profit: Trigger | None = None
    stop_loss: Trigger | None = None
    trigger: Trigger | None = None
    req_id: str = ""


class MarketSide(Protocol):
    """Public data of one instrument."""

    # All of it is worked out only when somebody looks.
    instrument: Instrument

    @property
    def seq_id(self) -> int: ...

    @property
    def last(self) -> Decimal: ...

    @property
    def last_size(self) -> Decimal: ...

    @property
    def ts_ms(self) -> int: ...

    @property
    def mark_px(self) -> Decimal: ...

    @property
    def index_px(self) -> Decimal: ...

    @property
    def funding(self) -> FundingState | None: ...

    @property
    def settled(self) -> deque[Settled]:
        """Oldest first."""
        ...

    @property
    def trades(self) -> deque[PublicTrade]: ...

    @property
    def open_24h(self) -> Decimal: ...

    @property
    def high_24h(self) -> Decimal: ...

    @property
    def low_24h(self) -> Decimal: ...

    @property
    def volume_24h(self) -> Decimal:
        """Coins."""
        ...

    @property
    def quote_volume_24h(self) -> Decimal: ...

    @property
    def open_interest(self) -> Decimal:
        """Contracts; 0 for spot."""
        ...

    @property
    def buy_limit(self) -> Decimal: ...

    @property
    def sell_limit(self) -> Decimal: ...

    def bids(self, depth: int) -> list[BookLevel]: ...

    def asks(self, depth: int) -> list[BookLevel]: ...

    def parts(self, side: str, depth: int) -> tuple[list[BookLevel], Callable[[], list[BookLevel]] | None]:
        """One side's levels ("buy" are the bids) in two parts: the near ones, and what draws those behind
        them, where there are any. Drawn later, they are still those of now."""
        ...

    def bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        """Newest first, the forming bar included; `before_ms` keeps bars opening before it."""
        ...

    def mark_bars(
        self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0
    ) -> list[Bar]: ...

    def index_bars(
        self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0
    ) -> list[Bar]: ...

    def interest(
        self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0
    ) -> list[Interest]:
        """Open interest at the opens of those bars, newest first; none for spot."""
        ...


class Venue(Protocol):
    """Everything the protocol surface may ask of the economics. Synchronous; no I/O.

    Commands raise Reject. Whatever they change lands in `outbox` in the order it happened.
    """

    outbox: list[VenueEvent]
    profile: VenueProfile
    instruments: dict[str, Instrument]
    markets: dict[str, MarketSide]
    accounts: dict[str, AccountState]  # by name
    maintenance: list[dict[str, str]]

    @property
    def now_ms(self) -> int: ...

    @property
    def stated_ms(self) -> int:
        """What the venue says the time is, and checks signatures by; `now_ms`, unless its clock is off."""
        ...

    def next_ms(self) -> int | None:
        """When the venue itself has something to do next; None when the market data has ended."""
        ...

    def advance(self, until_ms: int) -> int:
        """Move to min(until, next_ms), do what is due then, refresh the market as of that instant
        (books, mark, funding) into the outbox, and return the new now. Never goes back."""
        ...

    @property
    def moves(self) -> int:
        """How often anything public has changed. While it stays, every market shows what it showed."""
        ...

    @property
    def usdt_usd(self) -> Decimal:
        """The index of USDT-USD: what a USDT is worth in dollars."""
        ...

    def usdt_bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        """Candles of that index, newest first, the forming one included."""
        ...

    def watch(self, inst_id: str) -> None:
        """From now on the outbox tells what every step of the market changes in an instrument.

        Markets nobody watches move silently; what commands do to them is told always.
        """
        ...

    def account_by_key(self, key: str) -> AccountState | None: ...

    def create_account(
        self, name: str, key: str, secret: str, passphrase: str, cash: dict[str, Decimal], level: str = "2"
    ) -> AccountState: ...

    def figures(self, account: AccountState) -> AccountFigures: ...

    def insurance_funds(self) -> list[FundFigures]:
        """One per contract family."""
        ...

    def fee_rates(self, account: AccountState, inst_type: str) -> tuple[Decimal, Decimal]:
        """(maker, taker) as cost fractions, positive is a cost."""
        ...

    def tiers(self, inst_id: str) -> list[tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
        """Position tiers: (min contracts, max contracts, mmr, imr, max leverage)."""
        ...

    def discount_tiers(self, ccy: str) -> list[tuple[Decimal, Decimal | None, Decimal]]:
        """(from amount, to amount, rate)."""
        ...

    def loan_terms(self, account: AccountState, ccy: str) -> tuple[Decimal, Decimal, Decimal]:
        """(most the account may owe, interest-free part of it, interest per hour as a fraction)."""
        ...

    def place(self, account: AccountState, params: OrderParams) -> Order: ...

    def cancel(self, account: AccountState, order: Order) -> None: ...

    def amend(self, account: AccountState, order: Order, change: OrderChange) -> None: ...

    def precheck(self, account: AccountState, params: OrderParams) -> OrderEffect: ...

    def place_algo(self, account: AccountState, params: AlgoParams) -> AlgoOrder: ...

    def cancel_algo(self, account: AccountState, algo: AlgoOrder) -> None: ...

    def amend_algo(self, account: AccountState, algo: AlgoOrder, change: AlgoChange) -> None: ...

    def close_position(
        self, account: AccountState, key: PositionKey, cl_id: str, auto_cancel: bool, tag: str = ""
    ) -> None: ...

    def leverage_of(self, account: AccountState, key: PositionKey) -> Decimal: ...

    def set_leverage(self, account: AccountState, key: PositionKey, leverage: Decimal) -> None: ...

    def adjust_margin(self, account: AccountState, key: PositionKey, change: Decimal) -> None:
        """Add margin to an isolated position, or take some out (negative)."""
        ...

    def set_position_mode(self, account: AccountState, mode: str) -> None: ...

    def set_auto_loan(self, account: AccountState, lends: bool) -> None: ...

    def set_fee_type(self, account: AccountState, fee_type: str) -> None: ...

    def set_level(self, account: AccountState, level: str) -> None: ...

    def transfer(
        self, account: AccountState, ccy: str, amount: Decimal, source: str, dest: str, client_id: str
    ) -> Transfer: ...

    def cancel_all_after(self, account: AccountState, seconds: int, tag: str = "") -> int:
        """Arm or disarm (0) the dead man's switch of a tag, or of all; return when it fires, ms; 0 is off."""
        ...

    def max_size(
        self, account: AccountState, inst_id: str, price: Decimal | None, mode: str = "cross"
    ) -> tuple[Decimal, Decimal]:
        """(max buy, max sell) in the instrument's own unit; `mode` is the swap's margin mode."""
        ...

    def max_loan(self, account: AccountState, ccy: str) -> Decimal:
        """What auto-borrow would lend of a currency now."""
        ...

    def max_withdrawal(self, account: AccountState, ccy: str) -> Decimal: ...

    # control interface, never reachable from /api/v5
    def snapshot_hash(self) -> str:
        """A digest of every account's cash, positions and orders: equal worlds, equal digests."""
        ...
