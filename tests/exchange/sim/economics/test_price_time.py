"""Whatever is placed, amended and cancelled: the venue matches as a plain list of orders would."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.sim.events import OrderChanged
from exchange.sim.model import Order, Reject
from exchange.sim.seam import OrderChange
from tests.exchange.sim.economics.reference import Plain, Reference
from tests.exchange.sim.worlds import SWAP, D, Desk

NAMES = ("ann", "bob", "cid")
MID = D(60_000)
TICK = D("0.1")


class Command(NamedTuple):
    verb: str  # limit post_only ioc fok cancel amend
    who: int
    side: str
    ticks: int
    lots: int
    which: int
    stp: str = "cancel_maker"


COMMANDS = st.lists(
    st.builds(
        Command,
        verb=st.sampled_from(["limit"] * 4 + ["post_only", "ioc", "fok", "cancel", "amend"]),
        who=st.integers(0, 2),
        side=st.sampled_from(["buy", "sell"]),
        ticks=st.integers(-4, 4),
        lots=st.integers(1, 6),
        which=st.integers(0, 10**6),
        stp=st.sampled_from(["cancel_maker", "cancel_taker", "cancel_both"]),
    ),
    max_size=40,
)


class Both:
    """The venue, whose book holds nobody but clients, beside the reference."""

    def __init__(self) -> None:
        self.desk = Desk()
        for name in NAMES:
            self.desk.open(name, usdt="100000000")
        self.book = self.desk.venue.world.markets[SWAP].book
        for side in ("buy", "sell"):
            self.book.levels(side).clear()
        self.plain = Reference()
        self.orders: list[Order] = []

    def act(self, command: Command) -> None:
        resting = [order for order in self.orders if order.is_open]
        if command.verb in ("cancel", "amend"):
            if resting:
                self._change(command, resting[command.which % len(resting)])
            return
        kind = "fok" if command.verb == "fok" else command.verb
        stp = command.stp if (kind, command.stp) != ("fok", "cancel_both") else "cancel_maker"
        price, size = MID + command.ticks * TICK, D(command.lots) / 100
        account = self.desk.venue.accounts[NAMES[command.who]]
        order = self.desk.order(
            SWAP, command.side, str(size), str(price), kind=kind, stp=stp, account=account
        )
        self.orders.append(order)
        self.plain.place(Plain(order.ord_id, account.name, command.side, kind, price, size, stp))

    def _change(self, command: Command, order: Order) -> None:
        owner = self.desk.venue.world.owners[order.ord_id]
        if command.verb == "cancel":
            self.desk.venue.cancel(owner, order)
            self.plain.cancel(order.ord_id)
            return
        price, size = MID + command.ticks * TICK, order.filled + D(command.lots) / 100
        try:
            self.desk.venue.amend(owner, order, OrderChange(size, price))
        except Reject as no:
            assert no.code == "51511"  # a post-only order would have taken
            return
        self.plain.amend(order.ord_id, price, D(command.lots) / 100)

    def fills(self) -> list[tuple[str, str, Decimal, Decimal]]:
        """As the reference tells them; the venue tells the maker's fill first, then the taker's."""
        events = [e for e in self.desk.venue.outbox if isinstance(e, OrderChanged) and e.execution]
        pairs = zip(events[::2], events[1::2], strict=True)
        return [
            (maker.order.ord_id, taker.order.ord_id, maker.execution.price, maker.execution.size)
            for maker, taker in pairs
            if maker.execution and taker.execution and maker.execution.trade_id == taker.execution.trade_id
        ]

    def queue(self, side: str) -> list[tuple[str, Decimal]]:
        return [(order.ord_id, order.left) for order in self.book.resting[side]]


@settings(max_examples=150, deadline=None)
@given(commands=COMMANDS)
def test_the_venue_matches_as_a_plain_list_of_orders_does(commands: list[Command]) -> None:
    both = Both()
    for command in commands:
        both.act(command)
        for side in ("buy", "sell"):
            expected = [(order.name, order.left) for order in both.plain.queue(side)]
            assert both.queue(side) == expected
        assert both.fills() == both.plain.fills
