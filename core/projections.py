"""What the engine knows of itself, folded from journal rows.

The same fold runs live (as a listener of the journal) and at replay, so a restart knows what the
process before it knew. Nothing in here reads a clock, and no row is an error: a row that contradicts
the books (a hedge said to be closed that still holds contracts) leaves the holdings as they are, for
reconciliation to find.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import takewhile
from typing import Any, Final

from core.context import BreakerView, HedgeView, PermissionView
from core.events import On, Purpose, State
from core.facts import Kind, Row
from core.hedges import NOTHING, Hedge
from core.ledger import Ledger, Prices, coin_of
from core.order_states import OrderState, OrderStates
from core.ownership import Holding
from core.permission import take_up
from core.tally import Booking, Trade
from core.types import DAY_MS, ONE, ZERO, Base, BillKind, Contracts, Leg, TransferStatus

SAID: Final = frozenset({Kind.DECISION, Kind.REPORT, Kind.NOTE})  # of what is held and owed they say nothing
CHARGE_LAG_MS: Final = 15 * 60_000  # a bill may be dated so long after the settlement it is for


@dataclass
class Books:
    """Apply every row once, in order; `journal.listeners.append(books.apply)`.

    margin_per_spot  USDT of margin set aside per USDT of spot (futures_ratio / spot_ratio): what a
    round ties up is its spot cost times one plus this.
    The ledger in here is fed by `apply` and must not be fed again.
    """

    margin_per_spot: Decimal = ONE
    ledger: Ledger = field(default_factory=Ledger)

    state: State = State.IDLE
    state_since_ms: int = 0
    boots_ms: list[int] = field(default_factory=list)
    epoch: int = 0
    epochs: set[int] = field(default_factory=set)  # of every process that wrote into this journal
    external: Holding = field(default_factory=Holding)  # on the account, and not ours
    refused: Holding = field(default_factory=Holding)  # of that: the operator wants it left alone
    stopped_clean: bool = False  # the last process said good-bye
    last_row_ms: int = 0

    rounds: list[Hedge] = field(default_factory=list)  # closed hedges that traded, oldest first
    dust: dict[str, Decimal] = field(default_factory=dict)  # coin -> what closed hedges left
    last_open_ms: dict[str, int] = field(default_factory=dict)
    last_close_ms: dict[str, int] = field(default_factory=dict)
    sent: OrderStates = field(default_factory=OrderStates)
    transfers: dict[str, str] = field(default_factory=dict)  # client id -> last status
    top_up_failed_ms: int = 0  # 0: never, or one has passed since
    bill_watermark_ms: int = 0  # the youngest bill seen, at first the first start
    last_fill_ms: int = 0  # likewise for fills
    last_equity: Decimal = ZERO
    changes: int = field(default=0, compare=False)  # rows that may have changed a figure: see SAID

    _hedges: dict[str, Hedge] = field(default_factory=dict)  # open ones, by instrument
    _by_id: dict[str, Hedge] = field(default_factory=dict)
    _causes: dict[str, PermissionView] = field(default_factory=dict)
    _crashes_ms: list[int] = field(default_factory=list)  # starts after an abnormal end
    _day_pnl: dict[str, Decimal] = field(default_factory=dict)
    _day_rounds: dict[str, int] = field(default_factory=dict)
    _reset_ms: int = 0  # rounds closed until then were forgiven
    _net: Decimal = ZERO  # of the last equity row: its equity, net of the transfers until then
    _peak: Decimal = ZERO  # highest of these since the reset
    _tripped: str = ""
    _tripped_ms: int = 0
    _breach: bool = False  # unwinding because of a breach
    _unwinding: bool = False  # unwinding in order to stop, whatever the cause

    def apply(self, row: Row) -> None:
        self.last_row_ms = max(self.last_row_ms, row.at_ms)
        self.changes += row.kind not in SAID
        booked = self.ledger.apply(row)
        body = row.body
        match row.kind:
            case Kind.BOOT:
                self._boot(row)
            case Kind.STOP:
                self.stopped_clean = bool(body["clean"])
            case Kind.DECISION:
                self._decision(row)
            case Kind.INTENT | Kind.ACK | Kind.ORDER:
                self.sent.apply(row)
            case Kind.FILL if isinstance(booked, Trade):
                self._trade(booked, row.at_ms)
            case Kind.BILL if isinstance(booked, Booking):
                self._booking(booked)
            case Kind.TRANSFER:
                self.transfers[body["client_id"]] = body["status"]
                if body.get("purpose") == Purpose.TOP_UP and body["status"] != TransferStatus.PENDING:
                    failed = body["status"] == TransferStatus.FAILED
                    self.top_up_failed_ms = row.at_ms if failed else 0
            case Kind.HEDGE:
                self._hedge_row(row)
            case Kind.OWNERSHIP:
                self._ownership(body)
            case Kind.PERMISSION:
                take_up(self._causes, row)
            case Kind.BREAKER:
                self._breaker(row)
            case Kind.EQUITY:
                self.last_equity = Decimal(body["equity"])
                self._net = self.last_equity - self.ledger.transfers
                self._peak = max(self._peak, self._net)

    # --- hedges ---------------------------------------------------------------------------------

    def hedge(self, instrument: str) -> Hedge | None:
        """The open hedge, or None. Live: it changes as rows come in."""
        return self._hedges.get(instrument)

    def hedge_at(self, instrument: str, ts_ms: int) -> Hedge | None:
        """The hedge that stood at an instant, open or closed by now: what was charged then is its.

        Of closed ones it is the last whose swap traded until then, for as long as a charge may carry a
        later time than the settlement it is for. Afterwards, and before any swap traded, None.
        """
        standing = self._hedges.get(instrument)
        if standing is not None and standing.opened_ms <= ts_ms:
            return standing
        sold = self.ledger.sold_short.get(instrument, ())
        last = next((t for t in reversed(sold) if t.fill.ts_ms <= ts_ms), None)
        hedge = self._by_id.get(last.hedge_id) if last is not None else None
        if hedge is None or (hedge.closed_ms and ts_ms - hedge.closed_ms > CHARGE_LAG_MS):
            return None
        return hedge

    def contracts_at(self, instrument: str, ts_ms: int) -> Contracts:
        """Contracts held short at an instant, by the swap's fills until then."""
        hedge = self.hedge_at(instrument, ts_ms)
        if hedge is None:
            return Contracts(ZERO)
        later = takewhile(lambda trade: trade.fill.ts_ms > ts_ms, reversed(self.ledger.trades))
        own = (t.fill for t in later if t.hedge_id == hedge.hedge_id and t.leg is Leg.SWAP)
        return Contracts(hedge.contracts + sum((fill.side.sign * fill.size for fill in own), ZERO))

    def is_settled(self, instrument: str, funding_time_ms: int) -> bool:
        """Whether the bill of this settlement is booked."""
        settled_ms = self.ledger.settled_ms.get(instrument, ())
        place = bisect_left(settled_ms, funding_time_ms)
        return place < len(settled_ms) and settled_ms[place] - funding_time_ms <= CHARGE_LAG_MS

    def target_of(self, instrument: str) -> Base:
        """What the instrument's open hedge is meant to hold, coins; 0 without one."""
        hedge = self._hedges.get(instrument)
        return hedge.target_base if hedge else NOTHING

    def hedge_views(self, prices: Prices) -> dict[str, HedgeView]:
        """Open hedges with their terms at these prices (the last ones seen where one is missing)."""
        views = {}
        for name, hedge in self._hedges.items():
            spot_px, mark_px = prices.get(name) or self.ledger.prices.get(name, (ZERO, ZERO))
            views[name] = hedge.view(spot_px, mark_px, self.margin_per_spot)
        return views

    # --- orders and facts -----------------------------------------------------------------------

    @property
    def orders(self) -> Mapping[str, OrderState]:
        """Every order ever intended, by client id."""
        return self.sent.orders

    def unresolved_orders(self) -> tuple[str, ...]:
        """Client ids of orders with an intent and no outcome, oldest first."""
        return tuple(self.sent.unresolved)

    def knows_order(self, cl_id: str) -> bool:
        return cl_id in self.orders

    def order_ref_mid(self, cl_id: str) -> Decimal:
        """The mid price the order's decision saw. Raises KeyError for an order that is not ours."""
        return self.orders[cl_id].ref_mid

    def has_fill(self, key: tuple[str, str]) -> bool:
        return key in self.ledger.fills_seen

    def has_bill(self, bill_id: str) -> bool:
        return bill_id in self.ledger.bills_seen

    @property
    def pending_transfer(self) -> bool:
        return TransferStatus.PENDING.value in self.transfers.values()

    # --- permission and breaker -----------------------------------------------------------------

    @property
    def permission(self) -> PermissionView:
        """The strictest of the causes that hold, the oldest of equals."""
        return min(self._causes.values(), key=lambda v: (v.level, v.since_ms), default=PermissionView())

    @property
    def causes(self) -> Mapping[str, PermissionView]:
        """Everything that lowers the permission now."""
        return dict(self._causes)

    def breaker(self, now_ms: int) -> BreakerView:
        """What the circuit breaker counts.

        losing_rounds  closed rounds at the end of the list, all of them losses, since the last reset.
        day_pnl        of the UTC day of `now_ms`: funding, interest, other bookings and fees when they
                       happen, and a round's basis net of slippage when the round closes. The price
                       result of an open pair is not in it: half of it means nothing by itself.
        rounds_today   rounds whose first fill was today.
        peak_equity    highest equity row since the last reset, moved along with transfers, so that
                       taking money out is not a drawdown.
        """
        day = day_of(now_ms)
        losing = 0
        for hedge in reversed(self.rounds):
            if hedge.closed_ms <= self._reset_ms or not hedge.is_loss:
                break
            losing += 1
        return BreakerView(
            losing_rounds=losing,
            day=day,
            day_pnl=self._day_pnl.get(day, ZERO),
            rounds_today=self._day_rounds.get(day, 0),
            last_round_ms=self.rounds[-1].closed_ms if self.rounds else 0,
            peak_equity=self._peak + self.ledger.transfers,
            tripped=self._tripped,
            tripped_ms=self._tripped_ms,
        )

    @property
    def unwinding(self) -> bool:
        """A breach or a halt was decided, and its unwinding has not come to an end."""
        return self._unwinding and self.state is State.REBALANCING

    def crashes_since(self, since_ms: int) -> int:
        """Starts since then after a process that did not say good-bye: many in a few minutes are a loop."""
        return sum(at_ms >= since_ms for at_ms in self._crashes_ms)

    # --- folding --------------------------------------------------------------------------------

    def _boot(self, row: Row) -> None:
        if self.boots_ms and not self.stopped_clean:
            self._crashes_ms.append(row.at_ms)
        if not self.boots_ms:
            self.bill_watermark_ms = self.last_fill_ms = row.at_ms
            self._peak = self._net = self.last_equity = self.ledger.opening_equity
        self.boots_ms.append(row.at_ms)
        self.epoch = int(row.body["epoch"])
        self.epochs.add(self.epoch)
        self.stopped_clean = False

    def _decision(self, row: Row) -> None:
        state = State(row.body["dst"])
        if state is not self.state:
            self.state, self.state_since_ms = state, row.at_ms
        if row.body["moved"] and row.body["on"] in (On.BREACH.value, On.HALT.value):
            self._breach = row.body["on"] == On.BREACH.value
            self._unwinding = True
        elif state in (State.IDLE, State.RUNNING):
            self._breach = self._unwinding = False

    def _trade(self, trade: Trade, at_ms: int) -> None:
        self.last_fill_ms = max(self.last_fill_ms, trade.fill.ts_ms)
        self._add_day(trade.fill.ts_ms, -trade.fee_usdt)
        order = self.orders.get(trade.fill.cl_id)
        hedge_id = trade.hedge_id or (order.hedge_id if order else "")
        if not hedge_id:
            return  # no hedge's business; the ledger has it
        hedge = self._hedges.get(trade.instrument) or self._reopen(hedge_id)
        if hedge is None:
            hedge = self._start(trade.instrument, hedge_id, at_ms)
        if not hedge.tally.trades:
            day = day_of(trade.fill.ts_ms)
            self._day_rounds[day] = self._day_rounds.get(day, 0) + 1
        hedge.take(trade)

    def _booking(self, booking: Booking) -> None:
        bill = booking.bill
        self.bill_watermark_ms = max(self.bill_watermark_ms, bill.ts_ms)
        self._add_day(bill.ts_ms, booking.amount)
        hedge = self._by_id.get(booking.hedge_id)
        if hedge is not None and bill.kind not in (BillKind.TRADE, BillKind.TRANSFER):
            hedge.book(booking)

    def _hedge_row(self, row: Row) -> None:
        body = row.body
        name, event = str(body["instrument"]), body["event"]
        hedge = self._hedges.get(name)
        if event == "closed":
            self.last_close_ms[name] = row.at_ms
            if hedge is not None:
                self._close(hedge, row)
            return
        if hedge is None:
            hedge = self._start(name, str(body["hedge_id"]), row.at_ms)
        if event == "opened":
            self.last_open_ms[name] = row.at_ms
        hedge.aim(Base(Decimal(body["target_base"])), body["purpose"], body["reason"])

    def _ownership(self, body: Any) -> None:
        match body["event"]:
            case "seen":
                self.external = Holding.read(body)
            case "refused":
                self.refused = Holding.read(body)
            case "adopted":
                name, coins = str(body["instrument"]), Decimal(body["coins"])
                hedge = self._hedges.get(name)
                if hedge is not None and coins:
                    hedge.take_over(coins, Decimal(body["px"]))

    def _start(self, instrument: str, hedge_id: str, at_ms: int) -> Hedge:
        """A new hedge takes over the coin's dust: it is sold or hedged with the next round."""
        hedge = Hedge(instrument, hedge_id, at_ms)
        dust = self.dust.pop(coin_of(instrument), ZERO)
        if dust:
            hedge.take_over(dust, self.ledger.prices[instrument][0])
        self._hedges[instrument] = self._by_id[hedge_id] = hedge
        return hedge

    def _reopen(self, hedge_id: str) -> Hedge | None:
        """A fill that comes after its hedge was closed stands in the books again until it is dealt with."""
        hedge = self._by_id.get(hedge_id)
        if hedge is not None:
            if hedge in self.rounds:
                self._add_day(hedge.closed_ms, -_price_result(hedge))
                self.rounds.remove(hedge)
            hedge.closed_ms = 0
            self._hedges[hedge.instrument] = hedge
        return hedge

    def _close(self, hedge: Hedge, row: Row) -> None:
        hedge.aim(NOTHING, row.body["purpose"], row.body["reason"])
        if hedge.contracts:
            return
        spot_px = self.ledger.prices.get(hedge.instrument, (ZERO, ZERO))[0]
        rest = hedge.close(row.at_ms, spot_px)
        coin = coin_of(hedge.instrument)
        if rest:
            self.dust[coin] = self.dust.get(coin, ZERO) + rest
        del self._hedges[hedge.instrument]
        if hedge.tally.trades:
            hedge.forced = hedge.forced or (self._breach and hedge.purpose == Purpose.FLATTEN.value)
            self.rounds.append(hedge)
            self._add_day(hedge.closed_ms, _price_result(hedge))

    def _breaker(self, row: Row) -> None:
        if row.body["event"] == "tripped":
            self._tripped, self._tripped_ms = row.body["reason"], row.at_ms
            return
        self._tripped, self._tripped_ms = "", 0
        self._reset_ms = row.at_ms
        self._peak = self._net

    def _add_day(self, ts_ms: int, amount: Decimal) -> None:
        day = day_of(ts_ms)
        self._day_pnl[day] = self._day_pnl.get(day, ZERO) + amount


def _price_result(hedge: Hedge) -> Decimal:
    terms = hedge.closing_terms
    return terms.basis - terms.slippage


def day_of(ts_ms: int) -> str:
    """The UTC date of an instant, as 2026-01-31."""
    return _date_of(ts_ms // DAY_MS)


@lru_cache(maxsize=64)  # every look asks for today's
def _date_of(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_MS // 1000, UTC).strftime("%Y-%m-%d")
