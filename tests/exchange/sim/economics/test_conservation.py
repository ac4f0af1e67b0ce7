"""Whatever traders do and wherever prices go, money and coins only change hands."""

from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from exchange.sim.edits import Edits
from exchange.sim.model import AccountState, Order, Reject
from exchange.sim.seam import OrderChange, OrderParams
from tests.exchange.sim.worlds import HELD, HOUR_MS, SPOT, SWAP, D, Desk, StillMarket

NAMES = ("me", "you")
KINDS = st.sampled_from(["limit", "ioc", "post_only", "fok", "market"])
TINY = D("1e-15")  # averages are kept to 28 digits


class TradersAndPrices(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk(StillMarket(volume=500.0))
        self.venue = self.desk.venue
        self.desk.open("you", level="3", usdt="50000")
        self.placed: list[tuple[AccountState, Order]] = []
        self.limits: dict[str, OrderParams] = {}

    @rule(
        name=st.sampled_from(NAMES),
        inst_id=st.sampled_from([SPOT, SWAP]),
        side=st.sampled_from(["buy", "sell"]),
        kind=KINDS,
        size=st.integers(1, 400),
        offset=st.integers(-3_000, 3_000),
        reduce_only=st.booleans(),
        stp=st.sampled_from(["cancel_maker", "cancel_taker"]),
    )
    def order(
        self,
        name: str,
        inst_id: str,
        side: str,
        kind: str,
        size: int,
        offset: int,
        reduce_only: bool,
        stp: str,
    ) -> None:
        account, swap = self.venue.accounts[name], inst_id == SWAP
        price = D(round(self.desk.market.spot["BTC"] * 10) + offset) / 10
        params = OrderParams(
            inst_id, "cross" if swap or account.level == "3" else "cash", side, kind,
            D(size) / (4 if swap else 1000), None if kind == "market" else price,
            reduce_only=reduce_only and swap, stp=stp, target_ccy="" if swap else "base_ccy",
        )  # fmt: skip
        try:
            order = self.venue.place(account, params)
        except Reject:
            return
        self.placed.append((account, order))

    @precondition(lambda self: self.placed)
    @rule(
        which=st.integers(0, 10**6), factor=st.sampled_from(["0.5", "1", "2"]), offset=st.integers(-500, 500)
    )
    def amend(self, which: int, factor: str, offset: int) -> None:
        account, order = self.placed[which % len(self.placed)]
        if order.price is None:
            return
        try:
            change = OrderChange(order.size * D(factor), order.price + D(offset) / 10)
            self.venue.amend(account, order, change)
        except Reject:
            return

    @precondition(lambda self: self.placed)
    @rule(which=st.integers(0, 10**6))
    def cancel(self, which: int) -> None:
        account, order = self.placed[which % len(self.placed)]
        try:
            self.venue.cancel(account, order)
        except Reject:
            assert not order.is_open

    @rule(name=st.sampled_from(NAMES), amount=st.integers(1, 60_000), inward=st.booleans())
    def transfer(self, name: str, amount: int, inward: bool) -> None:
        source, dest = ("6", "18") if inward else ("18", "6")
        try:
            self.venue.transfer(self.venue.accounts[name], "USDT", D(amount), source, dest, "")
        except Reject:
            return

    @rule(move=st.floats(-0.03, 0.03), basis=st.floats(-0.004, 0.004), ms=st.sampled_from([1, 1_000, 75_000]))
    def price(self, move: float, basis: float, ms: int) -> None:
        self.desk.market.spot["BTC"] = min(max(self.desk.market.spot["BTC"] * (1 + move), 20_000), 200_000)
        self.desk.market.basis["BTC"] = basis
        self.desk.wait(ms)

    @rule(rate=st.sampled_from(["0.0001", "-0.002", "0.00375"]))
    def settlement(self, rate: str) -> None:
        self.desk.market.rate = D(rate)
        self.desk.wait(8 * HOUR_MS)

    @rule(name=st.sampled_from(NAMES), fraction=st.sampled_from(["0.3", "1"]))
    def adl(self, name: str, fraction: str) -> None:
        account = self.venue.accounts[name]
        if HELD in account.positions and account.positions[HELD].size:
            Edits(self.venue).force_adl(account, SWAP, D(fraction))

    @invariant()
    def nothing_appears_or_vanishes(self) -> None:
        world = self.venue.world
        for ccy in ("USDT", "BTC"):
            assert abs(world.total(ccy) - world.house.deposits[ccy]) < TINY

    @invariant()
    def positions_of_all_and_the_house_cancel_out(self) -> None:
        held = sum(a.positions[HELD].size for a in self.venue.accounts.values() if HELD in a.positions)
        assert held + self.venue.world.house.contracts[SWAP] == 0

    @invariant()
    def books_are_never_crossed(self) -> None:
        for market in self.venue.world.markets.values():
            bids, asks = market.bids(1), market.asks(1)
            assert not bids or not asks or bids[0].price < asks[0].price

    @invariant()
    def no_fill_is_worse_than_its_limit_or_larger_than_its_order(self) -> None:
        for account, order in self.placed[-5:]:
            assert order.filled <= order.size
            assert order.is_open == (order.ord_id in account.open_orders)
            fill = order.last_fill
            if fill is not None and order.price is not None and order.amend_source != "1":
                assert fill.price <= order.price if order.side == "buy" else fill.price >= order.price

    @invariant()
    def no_coins_are_owed_and_nothing_finished_holds_money_back(self) -> None:
        for account in self.venue.accounts.values():
            assert account.trading.get("BTC", D(0)) >= 0
            assert all(amount >= 0 for amount in account.funding.values())
            assert all(order.frozen == 0 for order in account.orders.values() if not order.is_open)

    @invariant()
    def sums_of_open_orders_are_kept_in_step(self) -> None:
        for account in self.venue.accounts.values():
            opened, sums = list(account.open_orders.values()), account.sums
            held: dict[str, Decimal] = {}
            pending: dict[object, Decimal] = {}
            for order in opened:
                if order.hold_ccy:
                    held[order.hold_ccy] = held.get(order.hold_ccy, D(0)) + order.frozen
                elif not order.reduce_only:
                    key = (order.position, order.side)
                    pending[key] = pending.get(key, D(0)) + order.left
            assert sums.margin == sum(order.frozen for order in opened if not order.hold_ccy)
            assert {ccy: amount for ccy, amount in sums.held.items() if amount} == held
            assert {key: line.pending for key, line in sums.lines.items() if line.pending} == pending
            assert sum(sums.counts.values()) == len(opened)
            assert {id_ for orders in sums.reducing.values() for id_ in orders} == {
                order.ord_id for order in opened if order.reduce_only
            }

    @invariant()
    def reduce_only_orders_never_exceed_the_position(self) -> None:
        for account in self.venue.accounts.values():
            for key, orders in account.sums.reducing.items():
                row = account.positions.get(key)
                assert sum(order.left for order in orders.values()) <= (abs(row.size) if row else 0)

    @invariant()
    def margin_is_held_for_all_that_would_open_and_for_nothing_else(self) -> None:
        for account in self.venue.accounts.values():
            row = account.positions.get(HELD)
            size = row.size if row else D(0)
            left = {"sell": max(D(0), size), "buy": max(D(0), -size)}
            lines: dict[object, list[str]] = {}
            for order in account.open_orders.values():
                if order.hold_ccy or order.reduce_only:
                    assert order.closes == 0
                    continue
                lines.setdefault((HELD, order.side), []).append(order.ord_id)
            assert {key: sorted(line.orders) for key, line in account.sums.lines.items() if line.orders} == {
                key: sorted(line) for key, line in lines.items()
            }
            for (_, side), kept in account.sums.lines.items():
                for order in kept.orders.values():
                    assert order.closes == min(order.left, left[side])
                    left[side] -= order.closes
                    opens = order.left - order.closes
                    least = opens * order.limit / 100 / 3  # 3x, 0.01 coins a contract, and the fee
                    assert least <= order.frozen <= least * D("1.2") if opens else order.frozen == 0

    @invariant()
    def cash_is_what_the_bills_add_up_to(self) -> None:
        for account in self.venue.accounts.values():
            last = {bill.ccy: bill.balance for bill in account.bills}
            assert all(account.trading[ccy] == balance for ccy, balance in last.items())


TestTradersAndPrices = TradersAndPrices.TestCase
TestTradersAndPrices.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
