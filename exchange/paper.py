"""A dry run's account: real market data, fills taken from the live book, no way to reach an order desk.

Implements core.ports.Trading. Nothing here holds a connection or a key, so a dry run cannot trade by
mistake. Fills walk the book as it stands, funding is charged by the venue's own settlements. What does
not fill at once is cancelled: nothing rests, so a post-only order never fills. Between two starts the
account lives in the engine's own books, see `restore`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Protocol

from core.context import MarketView
from core.errors import VenueRejected
from core.ledger import USDT, Ledger
from core.ports import Clock, OrderSink
from core.types import (
    ONE,
    ZERO,
    AccountConfig,
    AccountMode,
    AccountSnapshot,
    Balance,
    Bill,
    BillKind,
    Contracts,
    FeeRates,
    Fill,
    Leg,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    Pair,
    Position,
    Side,
    TransferRecord,
    TransferStatus,
    Wallet,
)

DEFAULT_FEES = FeeRates(Decimal("0.0008"), Decimal("0.001"), Decimal("0.0002"), Decimal("0.0005"))


class Views(Protocol):
    @property
    def names(self) -> tuple[str, ...]: ...

    def view(self, name: str) -> MarketView: ...


@dataclass(slots=True)
class _Short:
    contracts: Decimal = ZERO
    avg_px: Decimal = ZERO
    funded_ms: int = 0  # the last funding time paid


@dataclass(slots=True)
class _State:
    cash: dict[str, Decimal]
    wallet: dict[str, Decimal] = field(default_factory=dict)
    positions: dict[str, _Short] = field(default_factory=dict)  # by pair name
    orders: dict[str, OrderRecord] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    bills: list[Bill] = field(default_factory=list)
    transfers: dict[str, TransferRecord] = field(default_factory=dict)
    leverage: dict[str, Decimal] = field(default_factory=dict)


class PaperAccount:
    """Futures-mode account on paper, starting with `cash` USDT.

    sink       told every order at once, as the venue's own push would.
    on_change  told the account after every change of it.
    """

    def __init__(
        self,
        views: Views,
        clock: Clock,
        cash: Decimal,
        sink: OrderSink | None = None,
        fees: FeeRates = DEFAULT_FEES,
    ) -> None:
        self._views, self._clock, self._fees = views, clock, fees
        self.sink = sink
        self.on_change: Callable[[AccountSnapshot], None] = lambda snapshot: None
        self._state = _State({USDT: cash})
        self._serial = clock.now_ms()  # identities go on after a restart, none comes twice

    def restore(self, ledger: Ledger) -> None:
        """Take up what the books of an earlier dry run hold: cash, wallet and shorts.

        What was filled after the last row of the journal never happened: on paper the books are the truth.
        """
        self._state.cash = dict(ledger.cash)
        self._state.wallet = {USDT: -ledger.transfers}
        for name, held in ledger.positions.items():
            if held.base:
                paid = [s.ts_ms for s in ledger.settlements if s.instrument == name]
                opened = [t.fill.ts_ms for t in ledger.trades if t.instrument == name]
                self._state.positions[name] = _Short(held.base / held.ct_val, held.avg_px, max(paid + opened))

    # --- orders ---------------------------------------------------------------------------------

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
        if order.cl_id in self._state.orders:
            raise VenueRejected("client order id used before", "51016")
        view = self._views.view(order.instrument)
        book = view.spot if order.leg is Leg.SPOT else view.swap
        if book is None or not book.is_sane:
            raise VenueRejected("no two-sided book to fill against", "51109")
        within = replace(
            book,
            asks=tuple(level for level in book.asks if level[0] <= order.limit_px),
            bids=tuple(level for level in book.bids if level[0] >= order.limit_px),
        )
        size = order.size
        if order.reduce_only:
            size = min(size, -order.side.sign * self._short(order.instrument).contracts)
            if size <= 0:
                raise VenueRejected("no position to reduce on paper", "51169")
        taken, price = within.walk(order.side, size) if order.kind.value != "post_only" else (ZERO, ZERO)
        ord_id = self._next_id()
        fill = self._settle_fill(order, ord_id, view, taken, price) if taken else None
        record = OrderRecord(
            cl_id=order.cl_id,
            ord_id=ord_id,
            inst_id=order.inst_id,
            side=order.side,
            status=OrderStatus.FILLED if taken == order.size else OrderStatus.CANCELED,
            size=order.size,
            filled=taken,
            avg_px=price if taken else None,
            fee=fill.fee if fill else ZERO,
            fee_ccy=fill.fee_ccy if fill else "",
            updated_ms=self._clock.now_ms(),
        )
        self._state.orders[order.cl_id] = record
        if self.sink is not None:
            self.sink.on_order(record, fill)
        self.on_change(self.snapshot())
        return ord_id

    def _settle_fill(
        self, order: OrderRequest, ord_id: str, view: MarketView, size: Decimal, price: Decimal
    ) -> Fill:
        cash, coin = self._state.cash, view.pair.spot.base_ccy
        signed = order.side.sign * size
        if order.leg is Leg.SPOT:
            needed, held = (USDT, size * price) if order.side is Side.BUY else (coin, size)
            if cash.get(needed, ZERO) < held:
                raise VenueRejected(f"insufficient {needed} on paper", "51008")
            rate = self._fees.spot_taker
            fee, ccy = (-size * rate, coin) if order.side is Side.BUY else (-size * price * rate, USDT)
            cash[coin] = cash.get(coin, ZERO) + signed
            cash[USDT] -= signed * price
        else:
            fee, ccy = -view.pair.swap.to_base(size) * price * self._fees.swap_taker, USDT
            cash[USDT] += self._move_position(order.instrument, signed, price, view.pair)
        cash[ccy] = cash.get(ccy, ZERO) + fee
        fill = Fill(
            order.inst_id,
            self._next_id(),
            ord_id,
            order.cl_id,
            order.side,
            price,
            size,
            fee,
            ccy,
            self._clock.now_ms(),
        )
        self._state.fills.append(fill)
        return fill

    def _move_position(self, name: str, signed: Decimal, price: Decimal, pair: Pair) -> Decimal:
        """Change the position and return the realised PnL, average-price method."""
        held = self._short(name)
        closing = min(abs(signed), abs(held.contracts)) if held.contracts * signed < 0 else ZERO
        direction = 1 if held.contracts > 0 else -1
        realised = pair.swap.to_base(closing) * (price - held.avg_px) * direction
        after = held.contracts + signed
        if closing < abs(signed):
            opened, kept = abs(signed) - closing, abs(held.contracts) - closing
            held.avg_px = (held.avg_px * kept + price * opened) / (kept + opened)
            if not held.contracts:
                held.funded_ms = self._clock.now_ms()
        held.contracts = after
        return realised

    async def cancel(self, inst_id: str, cl_id: str) -> None:
        raise VenueRejected("no order rests on paper", "51400")

    async def cancel_all_after(self, timeout_s: int) -> None:
        """No order rests on paper, so there is nothing a switch could cancel."""

    async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
        return self._state.orders.get(cl_id)

    async def open_orders(self) -> tuple[OrderRecord, ...]:
        return ()

    async def order_fills(self, inst_id: str, ord_id: str) -> tuple[Fill, ...]:
        return tuple(f for f in self._state.fills if f.ord_id == ord_id)

    async def fills(self, since_ms: int) -> tuple[Fill, ...]:
        return tuple(f for f in self._state.fills if f.ts_ms >= since_ms)

    # --- account --------------------------------------------------------------------------------

    async def bills(self, since_ms: int) -> tuple[Bill, ...]:
        self._charge_funding()
        return tuple(b for b in self._state.bills if b.ts_ms >= since_ms)

    def _charge_funding(self) -> None:
        """Pay every settlement passed since the last look: contracts x ct_val x mark x realised rate."""
        now_ms = self._clock.now_ms()
        for name, held in self._state.positions.items():
            view = self._views.view(name)
            for settled in view.settled:
                if held.contracts and held.funded_ms < settled.ts_ms <= now_ms and view.mark_px is not None:
                    amount = -view.pair.swap.to_base(held.contracts) * view.mark_px * settled.rate
                    held.funded_ms = settled.ts_ms
                    self._state.cash[USDT] += amount
                    self._state.bills.append(
                        Bill(
                            self._next_id(),
                            BillKind.FUNDING,
                            "8",
                            USDT,
                            amount,
                            now_ms,
                            inst_id=view.pair.swap.inst_id,
                            px=view.mark_px,
                            size=abs(held.contracts),
                            pnl=amount,
                        )
                    )

    async def account(self) -> AccountSnapshot:
        return self.snapshot()

    def snapshot(self) -> AccountSnapshot:
        """The account now, positions at mark."""
        now_ms, state = self._clock.now_ms(), self._state
        positions: dict[str, Position] = {}
        for name, held in state.positions.items():
            view = self._views.view(name)
            mark = view.mark_px or held.avg_px
            if held.contracts:
                upl = view.pair.swap.to_base(held.contracts) * (mark - held.avg_px)
                swap = view.pair.swap.inst_id
                positions[swap] = Position(
                    swap, Contracts(held.contracts), held.avg_px, mark, upl, state.leverage.get(swap, ONE)
                )
        upl = sum((p.upl for p in positions.values()), ZERO)
        balances = {
            ccy: Balance(ccy, cash, cash + (upl if ccy == USDT else ZERO), max(ZERO, cash))
            for ccy, cash in state.cash.items()
        }
        coins = sum(
            (
                state.cash.get(v.pair.spot.base_ccy, ZERO) * v.spot.mid
                for n in self._views.names
                if (v := self._views.view(n)).spot is not None and v.spot.is_sane
            ),
            ZERO,
        )
        return AccountSnapshot(
            AccountMode.FUTURES,
            balances,
            positions,
            balances[USDT].equity + coins,
            now_ms,
            now_ms,
            funding_wallet=dict(state.wallet),
        )

    async def account_config(self) -> AccountConfig:
        return AccountConfig("paper", AccountMode.FUTURES, True, frozenset({"read_only"}), True, False, False)

    async def fee_rates(self, pair: Pair) -> FeeRates:
        return self._fees

    async def leverage(self, inst_id: str) -> Decimal:
        return self._state.leverage.get(inst_id, ONE)

    async def set_leverage(self, inst_id: str, leverage: Decimal) -> None:
        self._state.leverage[inst_id] = leverage

    async def transfer(self, client_id: str, ccy: str, amount: Decimal, source: Wallet, dest: Wallet) -> str:
        purses = {Wallet.TRADING: self._state.cash, Wallet.FUNDING: self._state.wallet}
        if purses[source].get(ccy, ZERO) < amount:
            raise VenueRejected(f"insufficient {ccy} on paper", "58350")
        purses[source][ccy] -= amount
        purses[dest][ccy] = purses[dest].get(ccy, ZERO) + amount
        record = TransferRecord(self._next_id(), client_id, ccy, amount, source, dest, TransferStatus.DONE)
        self._state.transfers[record.transfer_id] = record
        change = amount if dest is Wallet.TRADING else -amount
        self._state.bills.append(
            Bill(self._next_id(), BillKind.TRANSFER, "1", ccy, change, self._clock.now_ms())
        )
        self.on_change(self.snapshot())
        return record.transfer_id

    async def transfer_state(self, transfer_id: str) -> TransferRecord:
        return self._state.transfers[transfer_id]

    async def wallet(self) -> Mapping[str, Decimal]:
        return dict(self._state.wallet)

    def _short(self, name: str) -> _Short:
        return self._state.positions.setdefault(name, _Short())

    def _next_id(self) -> str:
        self._serial += 1
        return f"9{self._serial:09d}"
