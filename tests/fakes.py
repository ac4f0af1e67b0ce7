"""Hand-written stand-ins for the ports: a clock, identities, a journal, and a small venue with faults.

The venue is not the simulated one of exchange/sim: it knows no margin and no funding, it has one
account, and every misbehaviour is scripted, order by order.
"""

from __future__ import annotations

import asyncio
import heapq
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from decimal import Decimal

from core.context import MarketView
from core.errors import JournalFailed, RateLimited, VenueDown, VenueRejected
from core.facts import Kind, Row, canonical, plain
from core.ports import OrderSink
from core.types import (
    BPS,
    ONE,
    ZERO,
    AccountConfig,
    AccountMode,
    AccountSnapshot,
    Balance,
    Bill,
    Book,
    Contracts,
    FeeRates,
    Fill,
    OrderKind,
    OrderRecord,
    OrderRequest,
    OrderStatus,
    Pair,
    Position,
    Side,
    SpotSpec,
    SwapSpec,
    TransferRecord,
    TransferStatus,
    Wallet,
    floor_to,
)

D = Decimal
START_MS = 1_767_571_200_000  # 2026-01-05T00:00Z

FEES = FeeRates(spot_maker=D("0.0008"), spot_taker=D("0.001"), swap_maker=D("0.0002"), swap_taker=D("0.0005"))


def btc(spot_min: str = "0.00001", ct_val: str = "0.01", lot: str = "0.01") -> Pair:
    """BTC with the venue's own steps: one swap lot is 0.0001 BTC."""
    spot = SpotSpec("BTC-USDT", "BTC", "USDT", D("0.1"), D("0.00000001"), D(spot_min), D(10_000))
    swap = SwapSpec("BTC-USDT-SWAP", D(ct_val), D("0.1"), D(lot), D(lot), D(100_000), D(100))
    return Pair("BTC-USDT", spot, swap)


# --- time, identities, journal --------------------------------------------------------------------


class FakeClock:
    """Virtual time: it jumps to the next thing due once nobody has anything left to do."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self._now_ms = now_ms
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        self._driver: asyncio.Task[None] | None = None

    def now_ms(self) -> int:
        return self._now_ms

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.later(round(seconds * 1000), lambda: None if future.done() else future.set_result(None))
        await future

    async def sleep_until(self, at_ms: int) -> None:
        await self.sleep(max(0, at_ms - self._now_ms) / 1000)

    def holding(self) -> AbstractContextManager[None]:
        return nullcontext()

    def later(self, delay_ms: int, act: Callable[[], None]) -> None:
        """Run `act` when so much time has passed."""
        self._count += 1
        heapq.heappush(self._due, (self._now_ms + delay_ms, self._count, act))
        if self._driver is None or self._driver.done():
            self._driver = asyncio.ensure_future(self._drive())

    async def _drive(self) -> None:
        while self._due:
            for _ in range(12):  # enough turns of the loop for everybody who can go on to do so
                await asyncio.sleep(0)
            at_ms, _, act = heapq.heappop(self._due)
            self._now_ms = max(self._now_ms, at_ms)
            act()


class FakeIds:
    """Counts, per kind."""

    def __init__(self) -> None:
        self._count = 0

    def hedge_id(self, instrument: str) -> str:
        return f"h{self._next()}"

    def order_id(self, hedge_id: str, leg: str) -> str:
        return f"{hedge_id}{leg}{self._next()}"

    def transfer_id(self) -> str:
        return f"t{self._next()}"

    def _next(self) -> int:
        self._count += 1
        return self._count


class FakeJournal:
    """Rows in memory, told to listeners at once. `fails` makes `durable` raise."""

    def __init__(self) -> None:
        self.written: list[Row] = []
        self.listeners: list[Callable[[Row], None]] = []
        self.durable_seq = 0
        self.fails = False

    def append(self, kind: Kind, at_ms: int, body: Mapping[str, object]) -> int:
        row = Row(len(self.written) + 1, kind, at_ms, json.loads(canonical(plain(body))), "")
        self.written.append(row)
        for listener in self.listeners:
            listener(row)
        return row.seq

    async def durable(self) -> None:
        if self.fails:
            raise JournalFailed("disk full")
        self.durable_seq = len(self.written)

    async def rows(self, *kinds: Kind, after_seq: int = 0) -> AsyncIterator[Row]:
        for row in tuple(self.written):
            if row.seq > after_seq and (not kinds or row.kind in kinds):
                yield row

    def of(self, kind: Kind) -> list[Row]:
        return [row for row in self.written if row.kind is kind]


# --- the venue ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one order. By default: it is executed, told once, a moment after the answer.

    reject      refused with this code.          throttle_s  refused once: too many requests.
    lost        no answer, it never arrived.     ack_lost    no answer, but it was executed.
    fill        at most this share of its size.  invisible_ms  queries do not find it for so long.
    push        after | before (the answer) | twice | none.   push_ms  how much later.
    rest_fill   post-only: (after ms, share) that somebody takes.
    move_bps    the market moves so much once the order is through.
    """

    reject: str = ""
    throttle_s: float = 0
    lost: bool = False
    ack_lost: bool = False
    fill: Decimal = ONE
    invisible_ms: int = 0
    push: str = "after"
    push_ms: int = 20
    rest_fill: tuple[int, Decimal] | None = None
    move_bps: Decimal = ZERO


FINE = Fault()


@dataclass(slots=True)
class VenueOrder:
    request: OrderRequest
    record: OrderRecord
    visible_ms: int
    fills: list[Fill] = field(default_factory=list)


class FakeTrading:
    """One account at a venue that does what the script says (core.ports.Trading)."""

    def __init__(self, clock: FakeClock, pair: Pair) -> None:
        self.clock, self.pair = clock, pair
        self.sink: OrderSink | None = None
        self.cash: dict[str, Decimal] = {"USDT": D(1_000_000)}
        self.position = ZERO  # contracts, negative when short
        self.fee_in_base = True
        self.mids = {pair.spot.inst_id: D(60_000), pair.swap.inst_id: D(60_000)}
        self.half_spread_bps = D("0.5")
        self.level_base = D(1)  # coins per level; 20 levels, 1 bp apart
        self.script: dict[str, deque[Fault]] = {pair.spot.inst_id: deque(), pair.swap.inst_id: deque()}
        self.outages: deque[bool] = deque()  # queries that get no answer, in turn
        self.orders: dict[str, VenueOrder] = {}
        self.sent: list[OrderRequest] = []  # everything that was placed, also in vain
        self.queries = 0
        self.switched: list[int] = []  # timeouts the dead man's switch was told, 0 for off
        self.transfers: dict[str, TransferRecord] = {}
        self.transfer_script: deque[str] = deque()  # "", "lost", "ack_lost", "slow", or a code
        self.transfer_calls: list[str] = []
        self._trades = 0

    # --- markets ------------------------------------------------------------------------------

    def on(self, inst_id: str, *faults: Fault) -> None:
        self.script[inst_id].extend(faults)

    def book_of(self, inst_id: str) -> Book:
        """20 levels of `level_base` coins on each side, one basis point apart."""
        spec = self.pair.spot if inst_id == self.pair.spot.inst_id else self.pair.swap
        mid, size = self.mids[inst_id], self.level_base
        if isinstance(spec, SwapSpec):
            size = size / spec.ct_val
        steps = [(self.half_spread_bps + n) / BPS for n in range(20)]
        bids = tuple((floor_to(mid * (1 - s), spec.tick), size) for s in steps)
        asks = tuple((floor_to(mid * (1 + s), spec.tick), size) for s in steps)
        now_ms = self.clock.now_ms()
        return Book(inst_id, bids, asks, now_ms, now_ms, now_ms)

    def view(self, name: str) -> MarketView:
        now_ms = self.clock.now_ms()
        spot, swap = self.book_of(self.pair.spot.inst_id), self.book_of(self.pair.swap.inst_id)
        return MarketView(self.pair, spot, swap, swap.mid, now_ms, spot.mid)

    async def book(self, inst_id: str) -> Book:
        self._answer()
        return self.book_of(inst_id)

    # --- orders -------------------------------------------------------------------------------

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
        await asyncio.sleep(0)
        script = self.script[order.inst_id]
        fault = script.popleft() if script else FINE
        if fault.throttle_s:
            raise RateLimited("too many requests", "50011", fault.throttle_s)
        self.sent.append(order)
        if order.cl_id in self.orders:
            raise VenueDown("client id exists", "51016")
        if fault.lost:
            raise VenueDown("no answer")
        if fault.reject:
            raise VenueRejected("refused", fault.reject)
        self._check(order)
        found = self._accept(order, fault)
        if fault.push == "before":
            self._push(found)
        if fault.push in ("after", "twice"):
            self.clock.later(fault.push_ms, lambda: self._push(found))
        if fault.push == "twice":
            self.clock.later(fault.push_ms + 5, lambda: self._push(found))
        self.move(fault.move_bps)
        if fault.ack_lost:
            raise VenueDown("endpoint timeout", "50004")
        return found.record.ord_id

    def move(self, bps: Decimal) -> None:
        for inst_id in self.mids:
            self.mids[inst_id] *= 1 + bps / BPS

    def _check(self, order: OrderRequest) -> None:
        spec: SpotSpec | SwapSpec = (
            self.pair.spot if order.inst_id == self.pair.spot.inst_id else self.pair.swap
        )
        if order.size != floor_to(order.size, spec.lot) or order.limit_px != floor_to(
            order.limit_px, spec.tick
        ):
            raise VenueRejected("size or price off the grid", "51121")
        if order.size < spec.min_size:
            raise VenueRejected("below the minimum", "51020")
        if order.size > spec.max_limit_size:
            raise VenueRejected("above the maximum", "51202")
        if order.reduce_only and self._reducible(order) <= 0:
            raise VenueRejected("no position to reduce", "51169")
        is_spot_sale = isinstance(spec, SpotSpec) and order.side is Side.SELL
        if is_spot_sale and order.size > self.cash.get(self.pair.spot.base_ccy, ZERO):
            raise VenueRejected("insufficient balance", "51008")

    def _accept(self, order: OrderRequest, fault: Fault) -> VenueOrder:
        now_ms = self.clock.now_ms()
        record = OrderRecord(
            order.cl_id,
            f"9{len(self.orders):05}",
            order.inst_id,
            order.side,
            OrderStatus.LIVE,
            order.size,
            ZERO,
            None,
            ZERO,
            "",
            now_ms,
        )
        found = self.orders[order.cl_id] = VenueOrder(order, record, now_ms + fault.invisible_ms)
        book = self.book_of(order.inst_id)
        if order.kind is OrderKind.POST_ONLY:
            if order.side is Side.BUY and order.limit_px >= book.asks[0][0]:
                found.record = replace(record, status=OrderStatus.CANCELED, cancel_source="31")
            elif fault.rest_fill is not None:
                after_ms, share = fault.rest_fill
                self.clock.later(after_ms, lambda: self._take_resting(found, share))
            return found
        left = floor_to(order.size * fault.fill, self._lot(order))
        if order.reduce_only:
            left = min(left, self._reducible(order))
        for price, size in book.asks if order.side is Side.BUY else book.bids:
            beyond = price > order.limit_px if order.side is Side.BUY else price < order.limit_px
            if left <= 0 or beyond:
                break
            take = min(left, floor_to(size, self._lot(order)))
            self._execute(found, price, take, maker=False)
            left -= take
        self._end(found)
        return found

    def _take_resting(self, found: VenueOrder, share: Decimal) -> None:
        order = found.request
        left = order.size - found.record.filled
        take = min(left, floor_to(order.size * share, self._lot(order)))
        if found.record.status.is_final or take <= 0:
            return
        self._execute(found, order.limit_px, take, maker=True)
        status = OrderStatus.FILLED if take == left else OrderStatus.PARTIAL
        found.record = replace(found.record, status=status)
        self._push(found)

    def _reducible(self, order: OrderRequest) -> Decimal:
        """Contracts this side of an order can take off."""
        return -order.side.sign * self.position

    def _lot(self, order: OrderRequest) -> Decimal:
        return self.pair.spot.lot if order.inst_id == self.pair.spot.inst_id else self.pair.swap.lot

    def _execute(self, found: VenueOrder, price: Decimal, size: Decimal, maker: bool) -> None:
        order, base_ccy = found.request, self.pair.spot.base_ccy
        self._trades += 1
        if order.inst_id == self.pair.spot.inst_id:
            rate = FEES.spot_maker if maker else FEES.spot_taker
            buys_with_coin_fee = order.side is Side.BUY and self.fee_in_base
            fee_ccy = base_ccy if buys_with_coin_fee else "USDT"
            fee = -rate * (size if buys_with_coin_fee else size * price)
            self._credit(base_ccy, order.side.sign * size)
            self._credit("USDT", -order.side.sign * size * price)
        else:
            fee_ccy = "USDT"
            fee = -FEES.swap_taker * size * self.pair.swap.ct_val * price
            self.position += order.side.sign * size
        self._credit(fee_ccy, fee)
        found.fills.append(
            Fill(
                order.inst_id,
                str(self._trades),
                found.record.ord_id,
                order.cl_id,
                order.side,
                price,
                size,
                fee,
                fee_ccy,
                self.clock.now_ms(),
                maker,
            )
        )
        old = found.record
        filled = old.filled + size
        cost = sum((f.px * f.size for f in found.fills), ZERO)
        found.record = replace(
            old,
            filled=filled,
            avg_px=cost / filled,
            fee=old.fee + fee,
            fee_ccy=fee_ccy,
            status=OrderStatus.PARTIAL,
        )

    def _end(self, found: VenueOrder) -> None:
        done = found.record.filled == found.request.size
        status = OrderStatus.FILLED if done else OrderStatus.CANCELED
        found.record = replace(found.record, status=status, cancel_source="" if done else "14")

    def _credit(self, ccy: str, change: Decimal) -> None:
        self.cash[ccy] = self.cash.get(ccy, ZERO) + change

    def _push(self, found: VenueOrder) -> None:
        """Tell the order from its first fill to its state of now."""
        if self.sink is None:
            return
        filled = ZERO
        for fill in found.fills:
            filled += fill.size
            partial = replace(found.record, filled=filled, status=OrderStatus.PARTIAL, cancel_source="")
            self.sink.on_order(partial, fill)
        self.sink.on_order(found.record, None)

    async def cancel(self, inst_id: str, cl_id: str) -> None:
        self._answer()
        found = self.orders.get(cl_id)
        if found is None or found.record.status.is_final:
            raise VenueRejected("filled, cancelled or unknown", "51400")
        self._end(found)
        self.clock.later(20, lambda: self._push(found))

    async def cancel_all_after(self, timeout_s: int) -> None:
        self._answer()
        self.switched.append(timeout_s)

    async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
        self._answer()
        found = self.orders.get(cl_id)
        return found.record if found and self.clock.now_ms() >= found.visible_ms else None

    async def open_orders(self) -> tuple[OrderRecord, ...]:
        self._answer()
        return tuple(o.record for o in self.orders.values() if not o.record.status.is_final)

    async def order_fills(self, inst_id: str, ord_id: str) -> tuple[Fill, ...]:
        return tuple(f for f in await self.fills(0) if f.ord_id == ord_id)

    async def fills(self, since_ms: int) -> tuple[Fill, ...]:
        self._answer()
        now_ms = self.clock.now_ms()
        seen = [o for o in self.orders.values() if now_ms >= o.visible_ms]
        return tuple(f for o in seen for f in o.fills if f.ts_ms >= since_ms)

    def _answer(self) -> None:
        self.queries += 1
        if self.outages and self.outages.popleft():
            raise VenueDown("no answer")

    # --- account ------------------------------------------------------------------------------

    def snapshot(self) -> AccountSnapshot:
        now_ms, swap = self.clock.now_ms(), self.pair.swap.inst_id
        mid = self.mids[swap]
        balances = {c: Balance(c, amount, amount, amount) for c, amount in self.cash.items()}
        position = Position(swap, Contracts(self.position), mid, mid, ZERO, D(3))
        return AccountSnapshot(
            AccountMode.FUTURES, balances, {swap: position}, self.cash["USDT"], now_ms, now_ms
        )

    async def account(self) -> AccountSnapshot:
        self._answer()
        return self.snapshot()

    async def account_config(self) -> AccountConfig:
        rights = frozenset({"read_only", "trade"})
        return AccountConfig("1", AccountMode.FUTURES, True, rights, True, False, not self.fee_in_base)

    async def fee_rates(self, pair: Pair) -> FeeRates:
        return FEES

    async def leverage(self, inst_id: str) -> Decimal:
        return D(3)

    async def set_leverage(self, inst_id: str, leverage: Decimal) -> None:
        self._answer()

    async def bills(self, since_ms: int) -> tuple[Bill, ...]:
        return ()

    async def transfer(self, client_id: str, ccy: str, amount: Decimal, source: Wallet, dest: Wallet) -> str:
        self.transfer_calls.append(client_id)
        event = self.transfer_script.popleft() if self.transfer_script else ""
        if event == "throttled":
            raise RateLimited("too frequent", "58102", 0.5)
        if event == "lost":
            raise VenueDown("no answer")
        if event.isdigit():
            raise VenueRejected("refused", event)
        status = TransferStatus.PENDING if event == "slow" else TransferStatus.DONE
        record = TransferRecord(f"7{len(self.transfers):05}", client_id, ccy, amount, source, dest, status)
        self.transfers[client_id] = self.transfers[record.transfer_id] = record
        if event == "ack_lost":
            raise VenueDown("endpoint timeout", "50004")
        return record.transfer_id

    async def transfer_state(self, transfer_id: str) -> TransferRecord:
        self._answer()
        if transfer_id not in self.transfers:
            raise VenueRejected("no such transfer", "58129")
        return self.transfers[transfer_id]

    async def wallet(self) -> Mapping[str, Decimal]:
        return {}
