"""What may never happen, whatever clients send into a book with the market's own depth in it."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.events import OrderChanged
from exchange.sim.model import AccountState, Execution, Order, Reject
from exchange.sim.seam import OrderChange
from tests.exchange.sim.worlds import SWAP, D, Desk, StillMarket

NAMES = ("ann", "bob")


class Command(NamedTuple):
    verb: str
    who: int
    side: str
    ticks: int
    lots: int
    which: int
    reduce_only: bool
    move: int


COMMANDS = st.lists(
    st.builds(
        Command,
        verb=st.sampled_from(
            ["limit", "post_only", "ioc", "fok", "market", "optimal_limit_ioc", "cancel", "amend", "wait"]
        ),
        who=st.integers(0, 1),
        side=st.sampled_from(["buy", "sell"]),
        ticks=st.integers(-40, 40),
        lots=st.integers(1, 40_000),
        which=st.integers(0, 10**6),
        reduce_only=st.booleans(),
        move=st.integers(-60, 60),
    ),
    max_size=30,
)  # fmt: skip


class Floor:
    """A venue, its traders, and the position each had before an order."""

    def __init__(self) -> None:
        self.desk = Desk(StillMarket(volume=50.0))
        for name in NAMES:
            self.desk.open(name, usdt="50000000")
        self.placed: list[tuple[AccountState, Order]] = []

    def contracts(self, account: AccountState) -> D:
        return sum((row.size for row in account.positions.values()), D(0))

    def act(self, command: Command) -> None:
        self.desk.venue.outbox.clear()
        if command.verb == "wait":
            self.desk.move(60_000 + command.move / 10)
            return
        if command.verb in ("cancel", "amend"):
            self._change(command)
            return
        account = self.desk.venue.accounts[NAMES[command.who]]
        before = self.contracts(account)
        price = (
            None if command.verb in ("market", "optimal_limit_ioc") else str(60_000 + D(command.ticks) / 10)
        )
        try:
            order = self.desk.order(
                SWAP, command.side, str(D(command.lots) / 100), price, kind=command.verb, account=account,
                reduce_only=command.reduce_only,
            )  # fmt: skip
        except Reject:
            return
        self.placed.append((account, order))
        taken = [e for e in self._executions() if e.ord_id == order.ord_id]
        assert not (command.verb == "post_only" and taken)
        assert command.verb != "fok" or order.filled in (0, order.size)
        if command.reduce_only:
            assert abs(self.contracts(account)) <= abs(before) and self.contracts(account) * before >= 0

    def _change(self, command: Command) -> None:
        if not self.placed:
            return
        account, order = self.placed[command.which % len(self.placed)]
        try:
            if command.verb == "cancel":
                self.desk.venue.cancel(account, order)
            else:
                price = 60_000 + D(command.ticks) / 10
                self.desk.venue.amend(account, order, OrderChange(D(command.lots) / 100, price))
        except Reject:
            return

    def _executions(self) -> list[Execution]:
        events = (e for e in self.desk.venue.outbox if isinstance(e, OrderChanged))
        return [event.execution for event in events if event.execution is not None]

    def check(self) -> None:
        events = [e for e in self.desk.venue.outbox if isinstance(e, OrderChanged) and e.execution]
        by_trade: dict[int, list[str]] = {}
        for event in events:
            execution, order = event.execution, event.order
            assert execution is not None
            by_trade.setdefault(execution.trade_id, []).append(event.account)
            limit = order.limit
            assert execution.price <= limit if order.side == "buy" else execution.price >= limit
        assert all(len(set(names)) == len(names) for names in by_trade.values())
        for account, order in self.placed:
            filled = sum((e.size for e in account.executions if e.ord_id == order.ord_id), D(0))
            assert filled == order.filled <= order.size
            assert order.is_open == (order.ord_id in account.open_orders)
        market = self.desk.venue.markets[SWAP]
        bids, asks = market.bids(1), market.asks(1)
        assert not bids or not asks or bids[0].price < asks[0].price


@settings(max_examples=60, deadline=None)
@given(commands=COMMANDS)
def test_no_sequence_of_commands_breaks_a_rule_of_matching(commands: list[Command]) -> None:
    floor = Floor()
    for command in commands:
        floor.act(command)
        floor.check()
