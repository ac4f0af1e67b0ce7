"""A venue of few rules, so that the protocol can be tested without the economics.

Orders that may take fill whole at the best price; others rest. Every step of the clock moves the
books by one tick and raises every market event once.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal

from exchange.sim.account_figures import AccountFigures, CoinFigures, FundFigures, PositionFigures
from exchange.sim.event_log import EventLog
from exchange.sim.events import (
    AccountChanged,
    BarChanged,
    BookChanged,
    FundingChanged,
    IndexChanged,
    MarkChanged,
    OrderChanged,
    TradePrinted,
    VenueEvent,
)
from exchange.sim.faults.plan import FaultPlan
from exchange.sim.markets.distortion import Distortion
from exchange.sim.model import (
    ZERO,
    AccountState,
    Bar,
    BillRow,
    Execution,
    FundEntry,
    FundingState,
    Order,
    PositionKey,
    PositionRow,
    PublicTrade,
    Reject,
    Settled,
    Transfer,
)
from exchange.sim.profile import VenueProfile
from exchange.sim.seam import AlgoParams, OrderChange, OrderParams
from exchange.sim.surface.entry.rate_limits import RateLimits
from exchange.sim.surface.premises import Premises
from tests.exchange.sim.surface.stub_market import SPOT, SWAP, StubMarket

START_MS = 1_767_571_200_000  # 2026-01-05T00:00Z
HOUR_MS = 3_600_000
STEP_MS = 75_000
KEY, SECRET, PASSPHRASE = "demo-key", "demo-secret", "demo-pass"

D = Decimal


def account_state(
    name: str, key: str, secret: str, passphrase: str, cash: dict[str, Decimal]
) -> AccountState:
    return AccountState(name, f"uid{name}", key, secret, passphrase, trading=dict(cash), updated_ms=START_MS)


class StubVenue:
    def __init__(self, now_ms: int = START_MS) -> None:
        self.profile = VenueProfile()
        self.now_ms = now_ms
        self.outbox: list[VenueEvent] = []
        self.instruments = {i.inst_id: replace(i) for i in (SPOT, SWAP)}
        self.markets = {i.inst_id: StubMarket(i, now_ms) for i in self.instruments.values()}
        settle_ms = now_ms // (8 * HOUR_MS) * 8 * HOUR_MS
        swap = self.markets["BTC-USDT-SWAP"]
        swap.funding = FundingState(
            D("0.0001"), settle_ms + 8 * HOUR_MS, settle_ms + 16 * HOUR_MS, D("-0.00375"), D("0.00375"),
            D("0.0001"), D("0.00012"), D("10000"), D("0.0000655"), False, now_ms,
        )  # fmt: skip
        swap.settled.extend(
            Settled(settle_ms - n * 8 * HOUR_MS, D("0.0001"), D("0.00009") + D("0.000001") * n)
            for n in range(9, -1, -1)
        )
        for market in self.markets.values():
            market.trades.extend(
                PublicTrade(market.instrument.inst_id, n, D("60000"), D("0.1"), "buy", now_ms - 10 + n)
                for n in range(1, 8)
            )
        self.accounts = {
            "demo": account_state("demo", KEY, SECRET, PASSPHRASE, {"USDT": D(100_000), "BTC": D("0.5")})
        }
        self.maintenance: list[dict[str, str]] = []
        self.refuse: Reject | None = None  # raised by the next command
        self.figures_asked = 0
        self.deleverages = False
        self.ends_ms: int | None = None
        self.margin_ratio = D("50")
        self._ids = 680_000_000_000_000_000
        self.broken: Exception | None = None  # raised by the next step
        self.clock_skew_ms = 0

    @property
    def demo(self) -> AccountState:
        return self.accounts["demo"]

    @property
    def stated_ms(self) -> int:
        return self.now_ms + self.clock_skew_ms

    def next_id(self) -> str:
        self._ids += 1
        return str(self._ids)

    def next_ms(self) -> int | None:
        following = self.now_ms // STEP_MS * STEP_MS + STEP_MS
        return None if self.ends_ms is not None and following > self.ends_ms else following

    def advance(self, until_ms: int) -> int:
        if self.broken is not None:
            raise self.broken
        following = self.next_ms()
        to_ms = until_ms if following is None else min(until_ms, following)
        if to_ms <= self.now_ms:
            return self.now_ms
        self.now_ms = to_ms
        for market in self.markets.values():
            self.move(market)
        return self.now_ms

    def move(self, market: StubMarket) -> None:
        by = market.instrument.tick
        inst_id = market.instrument.inst_id
        market.now_ms = self.now_ms
        market.mid += by
        market.mark_px += by
        market.seq_id += 7
        if market.funding is not None:
            market.funding.ts_ms = self.now_ms
        trade = PublicTrade(inst_id, market.seq_id, market.mid, D("0.25"), "sell", self.now_ms)
        market.trades.append(trade)
        market.last = market.mid
        self.outbox += [
            BookChanged(inst_id), TradePrinted(trade), MarkChanged(inst_id), BarChanged(inst_id),
        ]  # fmt: skip
        self.outbox.append(FundingChanged(inst_id) if market.instrument.is_swap else IndexChanged(inst_id))

    usdt_usd = D(1)

    def usdt_bars(self, bar_ms: int, before_ms: int | None, limit: int, utc_offset_ms: int = 0) -> list[Bar]:
        return [Bar(self.now_ms // bar_ms * bar_ms, *[self.usdt_usd] * 4, D(0), closed=False)]

    def watch(self, inst_id: str) -> None:
        pass  # everything is told here

    def account_by_key(self, key: str) -> AccountState | None:
        return next((one for one in self.accounts.values() if one.key == key), None)

    def create_account(
        self, name: str, key: str, secret: str, passphrase: str, cash: dict[str, Decimal], level: str = "2"
    ) -> AccountState:
        account = self.accounts[name] = account_state(name, key, secret, passphrase, cash)
        account.level = level
        return account

    def figures(self, account: AccountState) -> AccountFigures:
        self.figures_asked += 1
        prices = {"USDT": D(1), "BTC": D(60_000), "ETH": D(3_000)}
        coins = {
            ccy: CoinFigures(
                ccy, cash, cash, cash, cash, D(10), D(10), ZERO, ZERO, D(200), D(8),
                self.margin_ratio if ccy == "USDT" else None, prices[ccy], cash * prices[ccy],
            )
            for ccy, cash in account.trading.items()
        }  # fmt: skip
        positions = {
            p.key: PositionFigures(
                p.key, None if p.key.mode == "cross" else D(300), D("10.5"), D("0.05"), D(200), D(8),
                self.margin_ratio, D("80000"), D(6000), D(1), self.markets[p.inst_id].mark_px, 1,
            )
            for p in account.positions.values()
            if p.size
        }  # fmt: skip
        total = sum((coin.equity * coin.usd_px for coin in coins.values()), ZERO)
        return AccountFigures(
            total, total, D(200), D(8), self.margin_ratio, D(6000), D("10.5"), coins, positions
        )

    def insurance_funds(self) -> list[FundFigures]:
        entry = FundEntry(START_MS, "regular_update", D(1_000_000), D(1_000_000))
        return [
            FundFigures(
                "BTC-USDT", D(600_000), entry, D("0.4"), self.deleverages, "rate_adl_start", D(650_000),
                D("0.3"), D("0.15"), (entry,),
            )
        ]  # fmt: skip

    def fee_rates(self, account: AccountState, inst_type: str) -> tuple[Decimal, Decimal]:
        return (D("0.0008"), D("0.001")) if inst_type == "SPOT" else (D("0.0002"), D("0.0005"))

    def loan_terms(self, account: AccountState, ccy: str) -> tuple[Decimal, Decimal, Decimal]:
        return D(500_000), D(5_000), D("0.00001822")

    def tiers(self, inst_id: str) -> list[tuple[Decimal, Decimal, Decimal, Decimal, Decimal]]:
        return [
            (D(0), D(1000), D("0.004"), D("0.01"), D(100)),
            (D("1000.01"), D(5000), D("0.005"), D("0.015"), D("66.66")),
        ]

    def discount_tiers(self, ccy: str) -> list[tuple[Decimal, Decimal | None, Decimal]]:
        return [(D(0), D(20), D("0.98")), (D(20), None, D("0.9775"))]

    def _command(self) -> None:
        if self.refuse is not None:
            refused, self.refuse = self.refuse, None
            raise refused

    def place(self, account: AccountState, params: OrderParams) -> Order:
        self._command()
        order = Order(
            self.next_id(), params.cl_id, params.tag, params.inst_id, params.side, params.pos_side,
            params.td_mode, params.kind, params.size, params.price, params.reduce_only, params.target_ccy,
            self.now_ms, self.now_ms, stp=params.stp,
        )  # fmt: skip
        account.orders[order.ord_id] = order
        if order.cl_id:
            account.by_client[order.cl_id] = order.ord_id
        if order.kind in ("market", "ioc"):
            self.fill(account, order)
        else:
            account.open_orders[order.ord_id] = order
            self._tell(account, order, None)
        return order

    def fill(self, account: AccountState, order: Order) -> None:
        price = D(60_000)
        i = self.instruments[order.inst_id]
        sign = 1 if order.side == "buy" else -1
        fee = -order.size * i.ct_val * price * D("0.0005")
        execution = Execution(
            int(self.next_id()[-9:]), order.ord_id, order.cl_id, order.inst_id, order.side, order.pos_side,
            price, order.size, False, fee, i.quote, D("-0.0005"), ZERO, D(60_005), D(60_000), self.now_ms,
            self.next_id(), "1" if sign > 0 else "2",
        )  # fmt: skip
        order.filled, order.notional, order.fee, order.fee_ccy = order.size, order.size * price, fee, i.quote
        order.state, order.last_fill, order.updated_ms = "filled", execution, self.now_ms
        account.open_orders.pop(order.ord_id, None)
        account.executions.append(execution)
        account.trading["USDT"] += fee
        account.bills.append(
            BillRow(
                execution.bill_id, "2", execution.sub_type, i.quote, fee, account.trading["USDT"],
                self.now_ms, inst_id=i.inst_id, inst_type=i.inst_type, ord_id=order.ord_id,
                trade_id=str(execution.trade_id), size=order.size, price=price, fee=fee, mode=order.td_mode,
                exec_type="T",
            )
        )  # fmt: skip
        touched: tuple[PositionKey, ...] = ()
        if i.is_swap:
            position = account.positions.setdefault(
                order.position,
                PositionRow(order.position, "1001", ZERO, price, D(3), self.now_ms, self.now_ms),
            )
            position.size += sign * order.size
            position.trade_id = str(execution.trade_id)
            touched = (order.position,)
        else:
            account.trading["BTC"] += sign * order.size
        self._tell(account, order, execution)
        currencies = ("USDT",) if i.is_swap else ("BTC", "USDT")
        trades = ((i.inst_id, str(execution.trade_id)),)
        self.outbox.append(AccountChanged(account.name, "filled", currencies, touched, trades))

    def _tell(self, account: AccountState, order: Order, execution: Execution | None) -> None:
        self.outbox.append(OrderChanged(account.name, order.copy(), execution))

    def cancel(self, account: AccountState, order: Order) -> None:
        self._command()
        order.state, order.cancel_source, order.updated_ms = "canceled", "1", self.now_ms
        account.open_orders.pop(order.ord_id, None)
        self._tell(account, order, None)

    def amend(self, account: AccountState, order: Order, change: OrderChange) -> None:
        try:
            self._command()
        except Reject:
            if change.cancel_on_fail:
                self.cancel(account, order)
            raise
        order.size, order.price = change.size or order.size, change.price or order.price
        self._tell(account, order, None)

    def precheck(self, account: AccountState, params: OrderParams) -> None:
        raise Reject("51010", "Not in this account mode")

    def place_algo(self, account: AccountState, params: AlgoParams) -> None:
        raise Reject("51056", "Action not allowed")

    def close_position(
        self, account: AccountState, key: PositionKey, cl_id: str, auto_cancel: bool, tag: str = ""
    ) -> None:
        self._command()
        if key not in account.positions:
            raise Reject("51023", "Position does not exist.")
        account.positions[key].size = ZERO
        self.outbox.append(AccountChanged(account.name, "filled", ("USDT",), (key,)))

    def leverage_of(self, account: AccountState, key: PositionKey) -> Decimal:
        return account.leverage.get(key, D(3))

    def set_leverage(self, account: AccountState, key: PositionKey, leverage: Decimal) -> None:
        self._command()
        account.leverage[key] = leverage

    def adjust_margin(self, account: AccountState, key: PositionKey, change: Decimal) -> None:
        self._command()
        account.margins[key] = account.margins.get(key, ZERO) + change

    def set_position_mode(self, account: AccountState, mode: str) -> None:
        self._command()
        account.pos_mode = mode

    def set_auto_loan(self, account: AccountState, lends: bool) -> None:
        self._command()
        account.auto_loan = lends

    def set_fee_type(self, account: AccountState, fee_type: str) -> None:
        self._command()
        account.fee_type = fee_type

    def set_level(self, account: AccountState, level: str) -> None:
        self._command()
        account.level = level

    def transfer(
        self, account: AccountState, ccy: str, amount: Decimal, source: str, dest: str, client_id: str
    ) -> Transfer:
        self._command()
        transfer = Transfer(self.next_id()[-9:], client_id, ccy, amount, source, dest, "pending", self.now_ms)
        account.transfers[transfer.transfer_id] = transfer
        return transfer

    def cancel_all_after(self, account: AccountState, seconds: int, tag: str = "") -> int:
        return self.now_ms + seconds * 1000 if seconds else 0

    def max_size(
        self, account: AccountState, inst_id: str, price: Decimal | None, mode: str = "cross"
    ) -> tuple[Decimal, Decimal]:
        return D("1.6"), D("0.5")

    def max_loan(self, account: AccountState, ccy: str) -> Decimal:
        return D(12)

    def max_withdrawal(self, account: AccountState, ccy: str) -> Decimal:
        return account.trading.get(ccy, ZERO)

    def snapshot_hash(self) -> str:
        text = "|".join(f"{name}{one.trading}" for name, one in sorted(self.accounts.items()))
        return hashlib.sha256(text.encode()).hexdigest()


class Edited:
    """Remembers what the control interface asked for; refuses what a test tells it to."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.refuse: str | None = None

    def _take(self, *call: object) -> None:
        if self.refuse is not None:
            raise ValueError(self.refuse)
        self.calls.append(call)

    def set_cash(self, account: AccountState, ccy: str, amount: Decimal) -> None:
        self._take("cash", account.name, ccy, amount)

    def set_position(self, account: AccountState, inst_id: str, contracts: Decimal) -> None:
        self._take("position", account.name, inst_id, contracts)

    def force_adl(self, account: AccountState, inst_id: str, fraction: Decimal) -> None:
        self._take("adl", account.name, inst_id, fraction)

    def liquidate(self, account: AccountState, inst_id: str) -> None:
        self._take("liquidate", account.name, inst_id)

    def set_permissions(self, account: AccountState, permissions: str) -> None:
        self._take("permissions", account.name, permissions)

    def set_ip(self, account: AccountState, ip: str) -> None:
        self._take("ip", account.name, ip)

    def set_fee_level(self, account: AccountState, level: str) -> None:
        self._take("fee_level", account.name, level)

    def set_level(self, account: AccountState, level: str) -> None:
        self._take("level", account.name, level)

    def set_auto_loan(self, account: AccountState, text: str) -> None:
        self._take("auto_loan", account.name, text)

    def set_state(self, inst_id: str, state: str) -> None:
        self._take("state", inst_id, state)

    def set_expiry(self, inst_id: str, at_ms: int | None) -> None:
        self._take("expiry", inst_id, at_ms)

    def set_funding_interval(self, inst_id: str, hours: int) -> None:
        self._take("interval", inst_id, hours)


class Pulled:
    """Remembers which levers faults have pulled."""

    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []

    def skew_clock(self, ms: int) -> None:
        self.calls.append(("clock", ms))

    def show(self, inst_id: str, distortion: Distortion | None) -> None:
        self.calls.append(("show", inst_id, distortion))

    def reset_sequence(self, inst_id: str) -> None:
        self.calls.append(("sequence", inst_id))

    def close_venue(self, begin_ms: int, end_ms: int, title: str) -> None:
        self.calls.append(("close", begin_ms, end_ms, title))

    def revoke_key(self, name: str) -> None:
        self.calls.append(("revoke", name))

    def spare(self, inst_id: str, left: Decimal) -> Decimal:
        self.calls.append(("spare", inst_id, left))
        return left

    def give_back(self, inst_id: str, taken: Decimal) -> None:
        self.calls.append(("give back", inst_id, taken))


def stub_premises(
    venue: StubVenue | None = None, edited: Edited | None = None, rate_limits: bool = True
) -> Premises:
    return Premises(
        venue or StubVenue(), edited or Edited(), Pulled(), EventLog(), FaultPlan(), RateLimits(rate_limits)
    )
