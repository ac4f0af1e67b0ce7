"""The simulated venue's own nouns, shared by its economics and its protocol surface.

Nothing here is shared with the client: the venue keeps its own words and its own truth. Amounts are
Decimal; the surface alone turns them into the venue's strings. What is made with every order is a Struct,
which is built several times faster than a dataclass.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from msgspec import Struct, structs

from exchange.sim.algo_model import AlgoOrder, Attached

ZERO = Decimal(0)


class Reject(Exception):
    """The venue says no, with its own code and text."""

    def __init__(self, code: str, msg: str) -> None:
        super().__init__(f"{code} {msg}")
        self.code = code
        self.msg = msg


class PositionKey(NamedTuple):
    """Which position of an account: one swap may be held cross and isolated, long beside short."""

    inst_id: str
    mode: str = "cross"  # cross | isolated
    side: str = "net"  # net; long or short in long_short_mode


position_key = cache(PositionKey)  # made once each: orders ask for theirs all the time


@dataclass(slots=True)
class Instrument:
    inst_id: str
    inst_type: str  # SPOT | SWAP
    base: str  # BTC
    quote: str  # USDT
    tick: Decimal
    lot: Decimal
    min_size: Decimal
    max_limit_size: Decimal
    max_market_size: Decimal  # contracts; USDT for spot
    code: int  # instIdCode
    list_ms: int
    ct_val: Decimal = Decimal(1)  # coins per contract; 1 for spot
    max_limit_usd: Decimal = Decimal(20_000_000)  # worth of an order with a price, as recorded
    max_market_usd: Decimal | None = None  # worth of an order without; recorded of spot, "" of swaps
    max_leverage: Decimal = Decimal(10)
    state: str = "live"  # live | suspend | preopen
    expires_ms: int | None = None
    group_id: str = "1"
    upcoming: list[dict[str, str]] = field(default_factory=list)
    is_swap: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_swap = self.inst_type == "SWAP"


class BookLevel(Struct, gc=False):
    price: Decimal
    size: Decimal
    orders: int


class PublicTrade(Struct, frozen=True, gc=False):
    inst_id: str
    trade_id: int
    price: Decimal
    size: Decimal
    side: str  # taker
    ts_ms: int


@dataclass(slots=True)
class Bar:
    ts_ms: int  # open time
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal  # coins
    closed: bool


@dataclass(frozen=True, slots=True)
class Interest:
    """How many contracts were open at an instant, and the mark price then."""

    ts_ms: int
    contracts: Decimal
    mark_px: Decimal


@dataclass(slots=True)
class FundingState:
    rate: Decimal  # forecast for funding_ms
    funding_ms: int
    next_funding_ms: int
    min_rate: Decimal
    max_rate: Decimal
    interest: Decimal
    premium: Decimal
    impact_value: Decimal
    settled_rate: Decimal
    processing: bool
    ts_ms: int


@dataclass(slots=True)
class Settled:
    ts_ms: int
    forecast: Decimal
    rate: Decimal


class Order(Struct, gc=False):
    ord_id: str
    cl_id: str
    tag: str
    inst_id: str
    side: str
    pos_side: str
    td_mode: str
    kind: str  # market limit post_only ioc fok optimal_limit_ioc
    size: Decimal
    price: Decimal | None
    reduce_only: bool
    target_ccy: str
    created_ms: int
    updated_ms: int
    state: str = "live"
    filled: Decimal = ZERO
    notional: Decimal = ZERO  # sum price x size, for the average
    fee: Decimal = ZERO  # signed as booked
    fee_ccy: str = ""
    pnl: Decimal = ZERO
    cancel_source: str = ""
    amend_source: str = ""
    category: str = "normal"
    leverage: Decimal = Decimal(1)
    stp: str = "cancel_maker"
    last_fill: Execution | None = None
    limit: Decimal = ZERO  # the price the book works with: its own, or the edge of the band
    hold_ccy: str = ""  # spot: the currency it holds back; "" for swaps, which hold back margin
    frozen: Decimal = ZERO  # what it holds back of the balance or the margin, see economics/open_orders
    closes: Decimal = (
        ZERO  # of what is left, the contracts that come to close a position: they need no margin
    )
    budget: Decimal | None = None  # spot market: the USDT it may spend
    coins: Decimal | None = None  # spot market sized in USDT: the coins it may trade
    source: str = ""  # 6, 7 or 25 when a trigger, a TP/SL or a trailing order placed it
    ahead: Decimal = ZERO  # of the market's depth at its price, what still stands before it in the queue
    algo_id: str = ""
    algo_cl_id: str = ""
    attached: tuple[Attached, ...] = ()

    @property
    def avg_px(self) -> Decimal:
        return self.notional / self.filled if self.filled else ZERO

    @property
    def is_open(self) -> bool:
        return self.state in ("live", "partially_filled")

    @property
    def left(self) -> Decimal:
        return self.size - self.filled

    @property
    def position(self) -> PositionKey:
        """The position a swap order works on."""
        return position_key(self.inst_id, self.td_mode, self.pos_side)

    def copy(self) -> Order:
        """The order as it is now; what happens to it later does not show."""
        return structs.replace(self)


class Line(Struct):
    """Swap orders of one side that may open a position, in order of time: see economics/closing.py."""

    orders: dict[str, Order] = {}
    pending: Decimal = ZERO  # contracts they still have to come
    closing: Decimal = ZERO  # of these, what comes to close the position


@dataclass(slots=True)
class OrderSums:
    """What an account's open orders add up to; economics/open_orders keeps it."""

    margin: Decimal = ZERO  # held back by swap orders, USDT
    held: dict[str, Decimal] = field(default_factory=dict)  # held back by spot orders, by currency
    counts: dict[str, int] = field(default_factory=dict)  # open orders by instrument
    lines: dict[tuple[PositionKey, str], Line] = field(default_factory=dict)  # by position and side
    reducing: dict[PositionKey, dict[str, Order]] = field(default_factory=dict)  # resting, in order of time

    def pending(self, key: PositionKey, side: str) -> Decimal:
        """Contracts that orders of `side` may still bring to a position, those that only reduce aside."""
        line = self.lines.get((key, side))
        return line.pending if line else ZERO


class Execution(Struct, frozen=True, gc=False):
    """One fill of one account's order."""

    trade_id: int
    ord_id: str
    cl_id: str
    inst_id: str
    side: str
    pos_side: str
    price: Decimal
    size: Decimal
    maker: bool
    fee: Decimal
    fee_ccy: str
    fee_rate: Decimal
    pnl: Decimal
    mark_px: Decimal
    index_px: Decimal
    ts_ms: int
    bill_id: str
    sub_type: str


class BillRow(Struct, gc=False):
    bill_id: str
    kind: str  # the venue's type number
    sub_type: str
    ccy: str
    change: Decimal
    balance: Decimal
    ts_ms: int
    inst_id: str = ""
    inst_type: str = ""
    ord_id: str = ""
    cl_id: str = ""
    trade_id: str = ""
    size: Decimal | None = None
    price: Decimal | None = None
    pnl: Decimal = ZERO
    fee: Decimal = ZERO
    interest: Decimal = ZERO
    mode: str = ""  # margin mode
    margin_change: Decimal = ZERO  # of an isolated position's own margin
    margin: Decimal = ZERO  # and what it is afterwards
    exec_type: str = ""
    source: str = ""
    dest: str = ""


class PositionRow(Struct, gc=False):
    """A swap position. `size` in contracts, negative when short, whatever the position mode."""

    key: PositionKey
    pos_id: str
    size: Decimal
    avg_px: Decimal
    leverage: Decimal
    created_ms: int
    updated_ms: int
    realized: Decimal = ZERO
    fee: Decimal = ZERO
    funding_fee: Decimal = ZERO
    liq_penalty: Decimal = ZERO
    trade_id: str = ""
    max_size: Decimal = ZERO
    opened: Decimal = ZERO  # contracts traded since it was opened, and what they were worth: sum price x size
    opened_value: Decimal = ZERO
    closed: Decimal = ZERO
    closed_value: Decimal = ZERO

    @property
    def inst_id(self) -> str:
        return self.key.inst_id


@dataclass(frozen=True, slots=True)
class InterestRow:
    """One hour's interest on one loan, in its currency."""

    ts_ms: int
    ccy: str
    interest: Decimal
    rate: Decimal  # per hour
    liability: Decimal


@dataclass(frozen=True, slots=True)
class FundEntry:
    """One change of an insurance fund, USDT; `kind` in the venue's words."""

    ts_ms: int
    kind: str
    amount: Decimal
    balance: Decimal


@dataclass(slots=True)
class InsuranceFund:
    """The fund of one contract family (BTC-USDT). Its money lies in the house's pot of that name.

    `adl_type` is what last began or ended forced deleveraging, at `adl_balance`; "" before the first.
    """

    family: str
    entries: deque[FundEntry] = field(default_factory=lambda: deque(maxlen=1_000))  # oldest first
    adl_type: str = ""
    adl_balance: Decimal = ZERO


@dataclass(slots=True)
class Transfer:
    transfer_id: str
    client_id: str
    ccy: str
    amount: Decimal
    source: str  # 6 funding | 18 trading
    dest: str
    state: str  # pending | success | failed
    created_ms: int


@dataclass(slots=True)
class AccountState:
    """One account: keys, settings, cash, positions, orders, ledger."""

    name: str
    uid: str
    key: str
    secret: str
    passphrase: str
    permissions: str = "read_only,trade"
    ip: str = ""
    level: str = "2"  # acctLv: 2 futures, 3 multi-currency
    pos_mode: str = "net_mode"
    auto_loan: bool = False
    fee_type: str = "0"  # 0 a spot fee is taken in what is received, 1 in the quote currency
    master: str = ""  # uid of the main account; "" when it is one itself
    fee_level: str = "Lv1"
    trading: dict[str, Decimal] = field(default_factory=dict)  # cash by currency
    funding: dict[str, Decimal] = field(default_factory=dict)
    margins: dict[PositionKey, Decimal] = field(default_factory=dict)  # own margin of isolated positions
    positions: dict[PositionKey, PositionRow] = field(default_factory=dict)
    leverage: dict[PositionKey, Decimal] = field(default_factory=dict)  # see accounts.leverage_key
    orders: dict[str, Order] = field(default_factory=dict)  # every order by ord_id, insertion order
    by_client: dict[str, str] = field(default_factory=dict)  # cl_id -> newest ord_id
    open_orders: dict[str, Order] = field(default_factory=dict)
    sums: OrderSums = field(default_factory=OrderSums)  # of the open orders
    executions: deque[Execution] = field(default_factory=deque)
    bills: deque[BillRow] = field(default_factory=deque)
    algos: dict[str, AlgoOrder] = field(default_factory=dict)  # every algo order by algo_id
    open_algos: dict[str, AlgoOrder] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    interest: deque[InterestRow] = field(default_factory=lambda: deque(maxlen=10_000))
    closed_positions: deque[Mapping[str, str]] = field(default_factory=lambda: deque(maxlen=1_000))
    dead_man: dict[str, int] = field(default_factory=dict)  # cancel-all-after: tag, "" for all -> when
    updated_ms: int = 0

    @property
    def family(self) -> str:
        """The main account's uid: nobody trades within a family."""
        return self.master or self.uid
