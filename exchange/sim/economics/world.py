"""What all parts of the venue share: the time, the markets, the accounts, the outbox, and the house.

The house is everybody's counterparty: the invented depth trades for it, settlements go through it. All
money lies in pots. `post` moves it between them and refuses what does not add up to zero, so money
cannot appear by mistake; only `deposit` brings some in from outside, or takes it away.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from exchange.sim.events import AccountChanged, Amendment, OrderChanged, VenueEvent
from exchange.sim.markets.market import Market
from exchange.sim.model import (
    ZERO,
    AccountState,
    Execution,
    InsuranceFund,
    Order,
    PositionKey,
    Reject,
    Transfer,
)
from exchange.sim.profile import VenueProfile
from exchange.sim.seam import OrderChange

QUOTE = "USDT"
ROUNDING = Decimal("1e-9")  # averages are kept to 28 digits: what a booking may be off by

DECIMALS = 16  # recorded bills have so many

Leg = tuple[dict[Any, Decimal], object, Decimal]  # a pot, the name of its part, what flows in


class Unbalanced(Exception):
    """A booking would create or destroy money: a defect of the venue, never a client's mistake."""


def post(*legs: Leg) -> None:
    """Move money of one currency between pots. Raises Unbalanced and moves nothing unless all adds to 0."""
    left = sum([amount for _, _, amount in legs], ZERO)
    if left and abs(left) > ROUNDING:
        raise Unbalanced(f"{left} is left over of {[(name, amount) for _, name, amount in legs]}")
    for pot, name, amount in legs:
        pot[name] = pot.get(name, ZERO) + amount


def booked(amount: Decimal, decimals: int = DECIMALS) -> Decimal:
    """What is booked of an amount an account receives, negative when it pays: rounded against it."""
    exponent = amount.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -decimals:
        return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_FLOOR)
    return amount


def _empty() -> defaultdict[str, Decimal]:
    return defaultdict(Decimal)  # 0 for what is not there yet


@dataclass(slots=True)
class House:
    """The other side of every trade, and what the venue earned.

    cash       by currency; swaps are booked as if bought outright, so this includes their price
    owed       by swap, USDT: the entry value of clients' positions, negated, for they have not paid it
    contracts  by swap, signed
    fees       earned from clients, by currency
    insurance  the funds, by contract family, USDT
    deposits   what ever entered the venue from outside, by currency
    """

    cash: defaultdict[str, Decimal] = field(default_factory=_empty)
    owed: defaultdict[str, Decimal] = field(default_factory=_empty)
    contracts: defaultdict[str, Decimal] = field(default_factory=_empty)
    fees: defaultdict[str, Decimal] = field(default_factory=_empty)
    insurance: defaultdict[str, Decimal] = field(default_factory=_empty)
    deposits: defaultdict[str, Decimal] = field(default_factory=_empty)


class Settling(NamedTuple):
    """A settlement that is still being charged."""

    until_ms: int
    blocked: bool  # orders on the swap and changes to charged positions are refused meanwhile


class Freeze(NamedTuple):
    """The venue has just reached into an account: see freeze.py."""

    until_ms: int
    inst_id: str
    adl: bool


class Request(NamedTuple):
    """Accepted, and under way to the matching: place, cancel or amend."""

    due_ms: int
    verb: str
    account: AccountState
    order: Order
    change: OrderChange | None


@dataclass(slots=True)
class World:
    now_ms: int
    markets: dict[str, Market]
    seed: int
    profile: VenueProfile
    accounts: dict[str, AccountState] = field(default_factory=dict)
    house: House = field(default_factory=House)
    outbox: list[VenueEvent] = field(default_factory=list)
    owners: dict[str, AccountState] = field(default_factory=dict)  # by ord_id, open orders only
    waiting: dict[str, AccountState] = field(default_factory=dict)  # by algo_id, waiting algo orders only
    under_way: deque[Request] = field(default_factory=deque)  # see latency.py
    hatching: list[tuple[AccountState, Order]] = field(default_factory=list)  # filled, with TP/SL attached
    moving: deque[tuple[AccountState, Transfer]] = field(default_factory=deque)  # transfers under way
    transit: defaultdict[str, Decimal] = field(default_factory=_empty)  # their money, by currency
    settling: dict[str, Settling] = field(default_factory=dict)  # by swap
    frozen: dict[str, Freeze] = field(default_factory=dict)  # by account
    funds: dict[str, InsuranceFund] = field(default_factory=dict)  # by contract family
    usdt_usd: Decimal = Decimal(1)  # the index of USDT-USD
    closed: bool = False  # maintenance, or no market data
    ended: deque[tuple[int, AccountState, str]] = field(default_factory=deque)  # orders, by their end
    archived: deque[tuple[int, AccountState, str]] = field(default_factory=deque)  # of these, the filled ones
    ended_algos: deque[tuple[int, AccountState, str]] = field(default_factory=deque)
    swept_ms: int = 0  # when the venue last forgot what is past its time
    _ids: int = 0

    def next_id(self) -> str:
        """A number no order, bill, transfer or position had before."""
        self._ids += 1
        return str(700_000_000_000_000_000 + self._ids)

    def negative_trade_id(self) -> int:
        """Liquidation and ADL fills carry negative ids."""
        self._ids += 1
        return -self._ids

    def index(self, ccy: str) -> Decimal:
        """USD per coin; USDT counts as one dollar, a coin without a market as nothing."""
        if ccy == QUOTE:
            return Decimal(1)
        market = self.markets.get(f"{ccy}-{QUOTE}")
        return market.index_px if market else ZERO

    def market(self, inst_id: str) -> Market:
        market = self.markets.get(inst_id)
        if market is None:
            raise Reject("51001", f"Instrument ID {inst_id} does not exist.")
        return market

    def blocked(self, inst_id: str) -> bool:
        """Whether a swap's settlement keeps orders and position changes out for the moment."""
        settling = self.settling.get(inst_id)
        return settling is not None and settling.blocked

    def tell_order(
        self,
        account: AccountState,
        order: Order,
        execution: Execution | None = None,
        amendment: Amendment | None = None,
    ) -> None:
        order.updated_ms = account.updated_ms = self.now_ms
        self.outbox.append(OrderChanged(account.name, order.copy(), execution, amendment))

    def tell_account(
        self,
        account: AccountState,
        reason: str,
        currencies: Iterable[str] = (QUOTE,),
        positions: Iterable[PositionKey] = (),
        trades: tuple[tuple[str, str], ...] = (),
    ) -> None:
        account.updated_ms = self.now_ms
        self.outbox.append(AccountChanged(account.name, reason, tuple(currencies), tuple(positions), trades))

    def deposit(self, account: AccountState, ccy: str, amount: Decimal) -> None:
        """Let money into a trading account from outside the venue, or out of it (negative)."""
        self.house.deposits[ccy] += amount
        account.trading[ccy] = account.trading.get(ccy, ZERO) + amount

    def total(self, ccy: str) -> Decimal:
        """All of a currency in the venue's pots: equals `house.deposits[ccy]`, but for rounding."""
        total = self.house.cash[ccy] + self.house.fees[ccy] + self.transit[ccy]
        for account in self.accounts.values():
            total += account.trading.get(ccy, ZERO) + account.funding.get(ccy, ZERO)
        if ccy == QUOTE:
            total += sum(self.house.owed.values(), ZERO) + sum(self.house.insurance.values(), ZERO)
            total += sum((sum(account.margins.values(), ZERO) for account in self.accounts.values()), ZERO)
        return total
