"""What all parts of the venue share: the time, the markets, the accounts, the outbox, and the house.

The house is everybody's counterparty: the invented depth trades for it, settlements go through it. What
clients and house own together changes only by deposits, so money cannot appear by mistake.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field
from decimal import Decimal

from exchange.sim.markets.market import Market
from exchange.sim.model import (
    ZERO,
    AccountChanged,
    AccountState,
    Execution,
    Order,
    OrderChanged,
    Reject,
    Transfer,
    VenueEvent,
)

QUOTE = "USDT"


def _empty() -> defaultdict[str, Decimal]:
    return defaultdict(lambda: ZERO)


@dataclass(slots=True)
class House:
    """The other side of every trade, and what the venue earned.

    cash       by currency; swaps are booked as if bought outright, so this includes their price
    contracts  by swap, signed
    fees       earned from clients, by currency
    deposits   what ever entered the venue from outside, by currency
    """

    cash: defaultdict[str, Decimal] = field(default_factory=_empty)
    contracts: defaultdict[str, Decimal] = field(default_factory=_empty)
    fees: defaultdict[str, Decimal] = field(default_factory=_empty)
    deposits: defaultdict[str, Decimal] = field(default_factory=_empty)


@dataclass(slots=True)
class World:
    now_ms: int
    markets: dict[str, Market]
    accounts: dict[str, AccountState] = field(default_factory=dict)
    house: House = field(default_factory=House)
    outbox: list[VenueEvent] = field(default_factory=list)
    owners: dict[str, AccountState] = field(default_factory=dict)  # by ord_id, open orders only
    moving: deque[tuple[AccountState, Transfer]] = field(default_factory=deque)  # transfers under way
    closed: bool = False  # maintenance, or no market data
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

    def tell_order(self, account: AccountState, order: Order, execution: Execution | None = None) -> None:
        order.updated_ms = account.updated_ms = self.now_ms
        self.outbox.append(OrderChanged(account.name, copy(order), execution))

    def tell_account(
        self,
        account: AccountState,
        reason: str,
        currencies: Iterable[str] = (QUOTE,),
        positions: Iterable[str] = (),
        trades: tuple[tuple[str, str], ...] = (),
    ) -> None:
        account.updated_ms = self.now_ms
        self.outbox.append(AccountChanged(account.name, reason, tuple(currencies), tuple(positions), trades))

    def total(self, ccy: str) -> Decimal:
        """All of a currency in the venue, swaps valued at mark: equals `house.deposits[ccy]`."""
        total = self.house.cash[ccy] + self.house.fees[ccy]
        for account in self.accounts.values():
            total += account.trading.get(ccy, ZERO) + account.funding.get(ccy, ZERO)
        total += sum((move.amount for _, move in self.moving if move.ccy == ccy), ZERO)
        if ccy == QUOTE:
            for inst_id, contracts in self.house.contracts.items():
                market = self.markets[inst_id]
                total += contracts * market.instrument.ct_val * market.mark_px
            for account in self.accounts.values():
                for inst_id, row in account.positions.items():
                    market = self.markets[inst_id]
                    total += row.size * market.instrument.ct_val * (market.mark_px - row.avg_px)
        return total
