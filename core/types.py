"""The domain's nouns: instruments, books, orders, fills, balances. Knows no exchange.

Money and sizes are Decimal, times UTC milliseconds, rates fractions of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from enum import StrEnum
from typing import NewType

from msgspec import Struct

Base = NewType("Base", Decimal)  # coins
Contracts = NewType("Contracts", Decimal)  # swap contracts, signed where a position is meant
Usdt = NewType("Usdt", Decimal)

ZERO = Decimal(0)
ONE = Decimal(1)
BPS = Decimal(10_000)
HOUR_MS = 3_600_000
LIVE = "live"  # the venue's word for an instrument that trades
GONE = "gone"  # ours for one the venue does not know any more
DAY_MS = 24 * HOUR_MS


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        return Side.SELL if self is Side.BUY else Side.BUY


class Leg(StrEnum):
    SPOT = "spot"
    SWAP = "swap"


class OrderKind(StrEnum):
    IOC = "ioc"  # limit price, what does not fill at once is cancelled
    POST_ONLY = "post_only"  # rests as maker or is cancelled
    LIMIT = "limit"


class OrderStatus(StrEnum):
    LIVE = "live"
    PARTIAL = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in (OrderStatus.FILLED, OrderStatus.CANCELED)


class AccountMode(StrEnum):
    """What backs the swap: only USDT (futures), or every coin at its discount (multi)."""

    SPOT = "spot"
    FUTURES = "futures"
    MULTI = "multi"
    PORTFOLIO = "portfolio"


class Wallet(StrEnum):
    FUNDING = "funding"
    TRADING = "trading"


class TransferStatus(StrEnum):
    PENDING = "pending"
    DONE = "success"
    FAILED = "failed"


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of `step` not above `value` (towards zero for negatives)."""
    return (value / step).to_integral_value(ROUND_DOWN) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of `step` not below `value` (away from zero for negatives)."""
    return (value / step).to_integral_value(ROUND_UP) * step


# --- instruments ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpotSpec:
    """A spot market's rules. Sizes in coins, prices in USDT per coin."""

    inst_id: str  # BTC-USDT
    base_ccy: str
    quote_ccy: str
    tick: Decimal
    lot: Decimal
    min_size: Decimal
    max_limit_size: Decimal
    state: str = "live"
    exp_time_ms: int | None = None  # set once the venue has announced a delisting


@dataclass(frozen=True, slots=True)
class SwapSpec:
    """A USDT-margined perpetual's rules. Sizes in contracts, ct_val in coins per contract."""

    inst_id: str  # BTC-USDT-SWAP
    ct_val: Decimal  # coins per contract, the venue's multiplier already applied
    tick: Decimal
    lot: Decimal
    min_size: Decimal
    max_limit_size: Decimal
    max_leverage: Decimal
    state: str = "live"
    exp_time_ms: int | None = None

    @property
    def step(self) -> Base:
        """The smallest hedge step, in coins: one lot of contracts."""
        return Base(self.lot * self.ct_val)

    def to_contracts(self, base: Decimal) -> Contracts:
        """Convert coins to contracts, rounded towards zero to the lot."""
        return Contracts(floor_to(base / self.ct_val, self.lot))

    def to_base(self, contracts: Decimal) -> Base:
        return Base(contracts * self.ct_val)


@dataclass(frozen=True, slots=True)
class Pair:
    """One coin's two markets. `name` is the spot id and the engine's word for the instrument."""

    name: str
    spot: SpotSpec
    swap: SwapSpec

    @property
    def trades(self) -> bool:
        """Both legs can be traded. While one cannot, the other must not move alone."""
        return self.spot.state == self.swap.state == LIVE

    @property
    def gone(self) -> Pair:
        """The same pair once the venue does not know it any more."""
        return replace(self, spot=replace(self.spot, state=GONE), swap=replace(self.swap, state=GONE))


@dataclass(frozen=True, slots=True)
class PriceLimits:
    """The highest price a buy and the lowest a sell may name now; None where there is no limit."""

    highest_buy: Decimal | None = None
    lowest_sell: Decimal | None = None


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Fee as a fraction of notional; positive is a cost, negative a rebate."""

    spot_maker: Decimal
    spot_taker: Decimal
    swap_maker: Decimal
    swap_taker: Decimal


# --- market -----------------------------------------------------------------------------------

Level = tuple[Decimal, Decimal]  # price, size (coins for spot, contracts for swap)


@dataclass(frozen=True, slots=True)
class Book:
    """A frozen order book. `bids` descend, `asks` ascend, sizes in the market's own unit.

    `ts_ms` is the venue's time of the last change, `seen_ms` the engine's clock when it arrived.
    """

    inst_id: str
    bids: Sequence[Level]
    asks: Sequence[Level]
    ts_ms: int
    seen_ms: int
    seq_id: int

    @property
    def is_sane(self) -> bool:
        """Both sides present and not crossed; anything else may not be traded on."""
        return bool(self.bids and self.asks) and self.bids[0][0] < self.asks[0][0]

    @property
    def mid(self) -> Decimal:
        """Half way between the best prices. Raises IndexError on an empty side: ask is_sane."""
        return (self.bids[0][0] + self.asks[0][0]) / 2

    @property
    def spread_bps(self) -> Decimal:
        return (self.asks[0][0] - self.bids[0][0]) / self.mid * BPS

    def walk(self, side: Side, size: Decimal) -> tuple[Decimal, Decimal]:
        """Take `size` from the book: return (size takeable, its average price).

        A buy eats asks, a sell eats bids. The average is 0 when nothing can be taken.
        """
        left, cost = size, ZERO
        for price, quantity in self.asks if side is Side.BUY else self.bids:
            take = min(left, quantity)
            cost += take * price
            left -= take
            if left <= 0:
                break
        taken = size - left
        return taken, cost / taken if taken else ZERO

    def depth_within(self, side: Side, bps: Decimal) -> Decimal:
        """Return the size takeable no further than `bps` from the mid price."""
        limit = self.mid * (1 + side.sign * bps / BPS)
        buys, depth = side is Side.BUY, ZERO
        for price, quantity in self.asks if buys else self.bids:
            if price > limit if buys else price < limit:
                break
            depth += quantity
        return depth


@dataclass(frozen=True, slots=True)
class Candle:
    """One bar; `ts_ms` is its open time, `volume` in coins."""

    ts_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    closed: bool = True


@dataclass(frozen=True, slots=True)
class FundingQuote:
    """The venue's word on funding. `rate` is the forecast for the settlement at `funding_time_ms`.

    A forecast is never booked: only the bill of a settlement is.
    """

    inst_id: str
    rate: Decimal
    funding_time_ms: int
    next_funding_time_ms: int
    seen_ms: int
    min_rate: Decimal | None = None
    max_rate: Decimal | None = None
    settled_rate: Decimal | None = None

    @property
    def interval_ms(self) -> int:
        return self.next_funding_time_ms - self.funding_time_ms

    @property
    def rate_8h(self) -> Decimal:
        """The rate scaled to eight hours, the unit in which bands are configured."""
        return self.rate * 8 * HOUR_MS / self.interval_ms


@dataclass(frozen=True, slots=True)
class SettledFunding:
    ts_ms: int
    rate: Decimal  # realised, fraction of one interval


# --- orders -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as execution wants it. `size` in the market's own unit (coins or contracts).

    `ref_mid` is the mid price the decision saw: slippage is measured against it.
    """

    cl_id: str
    instrument: str
    inst_id: str
    leg: Leg
    side: Side
    kind: OrderKind
    size: Decimal
    limit_px: Decimal
    reduce_only: bool
    ref_mid: Decimal


@dataclass(frozen=True, slots=True)
class OrderRecord:
    """An order as the venue tells it. `fee` is signed as booked: negative was charged."""

    cl_id: str
    ord_id: str
    inst_id: str
    side: Side
    status: OrderStatus
    size: Decimal
    filled: Decimal
    avg_px: Decimal | None
    fee: Decimal
    fee_ccy: str
    updated_ms: int
    category: str = "normal"  # adl, full_liquidation, partial_liquidation: not ours
    cancel_source: str = ""
    algo_cl_id: str = ""  # our id of the stop that became this order; see core.protection


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. `fee` is the signed change of the `fee_ccy` balance (negative = charged)."""

    inst_id: str
    trade_id: str
    ord_id: str
    cl_id: str
    side: Side
    px: Decimal
    size: Decimal
    fee: Decimal
    fee_ccy: str
    ts_ms: int
    maker: bool = False
    bill_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes a fill the same fill, whichever way it arrived."""
        return (self.inst_id, self.trade_id)


class BillKind(StrEnum):
    TRANSFER = "transfer"
    TRADE = "trade"
    INTEREST = "interest"
    LIQUIDATION = "liquidation"
    FUNDING = "funding"
    ADL = "adl"
    CLAWBACK = "clawback"
    MARGIN = "margin"
    OTHER = "other"


class Bill(Struct, frozen=True, gc=False):
    """One row of the venue's ledger. `change` is the signed change of the `ccy` balance."""

    bill_id: str
    kind: BillKind
    raw_type: str
    ccy: str
    change: Decimal
    ts_ms: int
    inst_id: str = ""
    ord_id: str = ""
    trade_id: str = ""
    px: Decimal | None = None  # funding: the mark price used
    size: Decimal | None = None  # funding: the position, contracts
    pnl: Decimal = ZERO
    fee: Decimal = ZERO
    interest: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class TransferRecord:
    transfer_id: str
    client_id: str
    ccy: str
    amount: Decimal
    source: Wallet
    dest: Wallet
    status: TransferStatus


# --- account ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """One currency in the trading account.

    cash    coins held and realised results, without unrealised PnL.
    equity  cash + unrealised PnL of swaps settled in this currency.
    available  free to spend or to use as margin.
    """

    ccy: str
    cash: Decimal
    equity: Decimal
    available: Decimal
    liability: Decimal = ZERO
    discounted_usd: Decimal | None = None  # multi-currency mode: what counts as collateral


@dataclass(frozen=True, slots=True)
class Position:
    """One swap position: `contracts` negative when short.

    The engine keeps cross shorts, in net mode or on the short side; the sleeve keeps isolated positions in an
    account of its own, in net mode. Those of another kind are strays: somebody else's.
    """

    inst_id: str
    contracts: Contracts
    avg_px: Decimal
    mark_px: Decimal
    upl: Decimal
    leverage: Decimal
    liq_px: Decimal | None = None
    mgn_ratio: Decimal | None = None  # the venue's scale: liquidation at 1
    adl_rank: int = 0  # 0-5, 5 is first in line
    isolated: bool = False
    long_side: bool = False
    in_sleeve: bool = False  # in the sleeve's account
    margin: Decimal | None = None  # USDT, an isolated position's own

    @property
    def is_stray(self) -> bool:
        return self.long_side or self.isolated is not self.in_sleeve

    @property
    def key(self) -> str:
        """What tells several positions in one swap apart; the swap's id alone for one that is kept."""
        if not self.is_stray:
            return self.inst_id
        names = [*["isolated"] * self.isolated, *["long side"] * self.long_side] or ["cross"]
        return " ".join([self.inst_id, *names])


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """Balances and positions as of one instant. `seen_ms` is the engine's clock at arrival."""

    mode: AccountMode
    balances: Mapping[str, Balance]
    positions: Mapping[str, Position]  # by swap inst_id
    total_equity_usd: Decimal
    ts_ms: int
    seen_ms: int
    adjusted_equity_usd: Decimal | None = None  # multi-currency mode
    mgn_ratio: Decimal | None = None  # the venue's own, account level or USDT level
    funding_wallet: Mapping[str, Decimal] = field(default_factory=dict)  # ccy -> available
    strays: Mapping[str, Position] = field(default_factory=dict)  # positions that cannot be ours, by key

    def cash(self, ccy: str) -> Decimal:
        balance = self.balances.get(ccy)
        return balance.cash if balance else ZERO

    def available(self, ccy: str) -> Decimal:
        balance = self.balances.get(ccy)
        return balance.available if balance else ZERO

    def contracts(self, inst_id: str) -> Contracts:
        position = self.positions.get(inst_id)
        return position.contracts if position else Contracts(ZERO)


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """What the key and the account may do, for the self-check."""

    uid: str
    mode: AccountMode
    net_positions: bool
    permissions: frozenset[str]  # read_only, trade, withdraw
    ip_bound: bool
    auto_loan: bool
    fee_in_quote: bool


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """An announced or running maintenance. `state` is the venue's word; `pre_open` takes no market orders."""

    title: str
    begin_ms: int
    end_ms: int
    state: str  # scheduled, ongoing, pre_open, completed, canceled

    def covers(self, at_ms: int, lead_ms: int = 0) -> bool:
        """Whether it runs at `at_ms` or begins within the lead time; it may have begun before it was due."""
        if self.state in ("completed", "canceled"):
            return False
        begun = self.state in ("ongoing", "pre_open") or at_ms >= self.begin_ms - lead_ms
        return begun and at_ms < self.end_ms
