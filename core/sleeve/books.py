"""What the sleeve knows of itself, folded from its own journal: positions, the stops under them, signals.

Money is the ledger's, the same that books the hedges. What a plan is and how far it has come is strategy's:
here it is a record that came from there and goes back there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.events import State
from core.facts import Kind, Row
from core.hedges import NOTHING
from core.ledger import USDT, Ledger
from core.order_states import OrderStates
from core.projections import CHARGE_LAG_MS, day_of
from core.tally import Booking, Tally, Trade
from core.types import ZERO, Base, BillKind, Side

NO_MONEY = (BillKind.TRADE, BillKind.TRANSFER)  # repeat a fill, or are no profit at all


@dataclass(slots=True)
class Position:
    """One position, from the grant to its end.

    wanted    the grant as strategy recorded it: plan, leverage, what distances are measured in.
    entry     what was entered, as strategy recorded it; None before.    progress  how far it has come.
    entered   coins bought (sold for a short) so far, and for how much.
    closing   why it is to be closed whatever its plan says; "" when it is not.
    ended     why it is over; "" while it is not.
    """

    position_id: str
    instrument: str
    module: str
    signal_id: str
    side: Side
    asked_ms: int
    wanted: Mapping[str, Any]
    tally: Tally = field(default_factory=Tally)
    entered: Decimal = ZERO
    entered_for: Decimal = ZERO
    opened_ms: int = 0  # its first fill
    entry: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    closing: str = ""
    closed_ms: int = 0
    ended: str = ""

    @property
    def held(self) -> Base:
        """Coins held in its direction."""
        return Base(self.tally.swap_base * self.side.sign)

    @property
    def entry_px(self) -> Decimal:
        """What was paid on average, USDT per coin. Raises ZeroDivisionError before the first fill."""
        return self.entered_for / self.entered

    @property
    def net(self) -> Decimal:
        """USDT, of a closed position: nothing is held, so no price is needed."""
        return self.tally.terms(ZERO, ZERO).net

    def take(self, trade: Trade) -> None:
        self.tally.trade(trade)
        if trade.fill.side is self.side:
            self.entered += trade.base
            self.entered_for += trade.base * trade.fill.px
            self.opened_ms = self.opened_ms or trade.fill.ts_ms


@dataclass(slots=True)
class StandingStop:
    """A conditional order at the venue. `status`: intent, placed, unknown (it may stand), gone."""

    cl_id: str
    instrument: str
    inst_id: str
    position_id: str
    side: Side
    size: Decimal  # contracts
    trigger_px: Decimal
    status: str = "intent"

    @property
    def may_stand(self) -> bool:
        return self.status != "gone"


@dataclass(frozen=True, slots=True)
class Granted:
    """A signal that was executed: what the limits of a day count."""

    module: str
    instrument: str
    at_ms: int


@dataclass
class SleeveBooks:
    """Apply every row of the sleeve's journal once, in order."""

    ledger: Ledger = field(default_factory=Ledger)
    sent: OrderStates = field(default_factory=OrderStates)
    stops: dict[str, StandingStop] = field(default_factory=dict)
    closed: list[Position] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)  # ids of signals the gate has judged
    granted: list[Granted] = field(default_factory=list)
    fates: dict[tuple[str, str], int] = field(default_factory=dict)  # (module, fate) -> how often
    boots_ms: list[int] = field(default_factory=list)
    epoch: int = 0
    epochs: set[int] = field(default_factory=set)
    stopped_clean: bool = False
    bill_watermark_ms: int = 0
    last_fill_ms: int = 0
    _open: dict[str, Position] = field(default_factory=dict)  # by instrument
    _by_id: dict[str, Position] = field(default_factory=dict)
    _states: dict[str, State] = field(default_factory=dict)
    _day_cash: dict[str, Decimal] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        before = self.ledger.cash.get(USDT, ZERO)
        booked = self.ledger.apply(row)
        self.sent.apply(row)
        body = row.body
        match row.kind:
            case Kind.BOOT:
                self._boot(row)
            case Kind.STOP:
                self.stopped_clean = bool(body["clean"])
            case Kind.DECISION:
                self._states[body["instrument"]] = State(body["dst"])
            case Kind.SIGNAL:
                self._signal(row)
            case Kind.POSITION:
                self._position(row)
            case Kind.PROTECTION:
                self._protection(body)
            case Kind.FILL if isinstance(booked, Trade):
                self._trade(booked)
                self._add_day(booked.fill.ts_ms, before)
            case Kind.BILL if isinstance(booked, Booking):
                self.bill_watermark_ms = max(self.bill_watermark_ms, booked.bill.ts_ms)
                if booked.bill.kind not in NO_MONEY:
                    if (position := self._by_id.get(booked.hedge_id)) is not None:
                        position.tally.book(booked)
                    self._add_day(booked.bill.ts_ms, before)

    # --- answers --------------------------------------------------------------------------------

    @property
    def concerned(self) -> tuple[str, ...]:
        """`instruments`, and those where a stop stands, or may, under nothing."""
        bare = (stop.instrument for stop in self.stops.values() if stop.may_stand)
        return tuple(dict.fromkeys((*self._open, *bare)))

    @property
    def instruments(self) -> tuple[str, ...]:
        """Those where something is held, or an entry is on its way; in the order they were granted."""
        return tuple(self._open)

    def position(self, instrument: str) -> Position | None:
        return self._open.get(instrument)

    def by_id(self, position_id: str) -> Position | None:
        """A position that is open or was."""
        return self._by_id.get(position_id)

    def position_at(self, instrument: str, ts_ms: int) -> Position | None:
        """The position that was held at an instant, open or closed by now: what was charged then is its.

        A charge may be dated a little after the settlement it is for.
        """
        standing = self._open.get(instrument)
        if standing is not None and standing.opened_ms and standing.opened_ms <= ts_ms:
            return standing
        for position in reversed(self.closed):
            if position.instrument == instrument and position.opened_ms <= ts_ms:
                return position if ts_ms - position.closed_ms <= CHARGE_LAG_MS else None
        return None

    def held(self, instrument: str) -> Base:
        position = self._open.get(instrument)
        return position.held if position else NOTHING

    def state(self, instrument: str) -> State:
        return self._states.get(instrument, State.IDLE)

    def day_cash(self, now_ms: int) -> Decimal:
        """What the UTC day of an instant has realised so far: results, fees and funding, USDT."""
        return self._day_cash.get(day_of(now_ms), ZERO)

    def standing(self, instrument: str) -> tuple[StandingStop, ...]:
        """Stops that stand at the venue for an instrument, or may; oldest first."""
        return tuple(s for s in self.stops.values() if s.instrument == instrument and s.may_stand)

    def unresolved(self, instrument: str) -> tuple[str, ...]:
        return tuple(i for i in self.sent.unresolved if self.sent.orders[i].instrument == instrument)

    def has_fill(self, key: tuple[str, str]) -> bool:
        return key in self.ledger.fills_seen

    def has_bill(self, bill_id: str) -> bool:
        return bill_id in self.ledger.bills_seen

    def unresolved_orders(self) -> tuple[str, ...]:
        return tuple(self.sent.unresolved)

    # --- folding --------------------------------------------------------------------------------

    def _boot(self, row: Row) -> None:
        if not self.boots_ms:
            self.bill_watermark_ms = self.last_fill_ms = row.at_ms
        self.boots_ms.append(row.at_ms)
        self.epoch = int(row.body["epoch"])
        self.epochs.add(self.epoch)
        self.stopped_clean = False

    def _signal(self, row: Row) -> None:
        body = row.body
        self.seen.add(body["signal_id"])
        key = (str(body["module"]), str(body["fate"]))
        self.fates[key] = self.fates.get(key, 0) + 1
        if body["fate"] == "executed":
            self.granted.append(Granted(key[0], str(body["instrument"]), row.at_ms))

    def _position(self, row: Row) -> None:
        body = row.body
        match body["event"]:
            case "entering":
                position = Position(
                    body["position_id"],
                    body["instrument"],
                    body["module"],
                    body["signal_id"],
                    Side(body["side"]),
                    row.at_ms,
                    body["record"],
                )
                self._open[position.instrument] = self._by_id[position.position_id] = position
            case "begun":
                position = self._by_id[body["position_id"]]
                position.entry, position.progress = body["entry"], body["record"]
            case "progress":
                self._by_id[body["position_id"]].progress = body["record"]
            case "closing":
                self._by_id[body["position_id"]].closing = body["reason"]
            case "closed":
                self._close(self._by_id[body["position_id"]], row)

    def _close(self, position: Position, row: Row) -> None:
        position.closed_ms, position.ended = row.at_ms, row.body["reason"]
        if self._open.get(position.instrument) is position:
            del self._open[position.instrument]
        if position.entered:
            self.closed.append(position)

    def _protection(self, body: Mapping[str, Any]) -> None:
        stop = body["stop"]
        known = self.stops.get(stop["cl_id"])
        if known is None:
            known = self.stops[stop["cl_id"]] = StandingStop(
                stop["cl_id"],
                stop["instrument"],
                stop["inst_id"],
                body["position_id"],
                Side(stop["side"]),
                Decimal(stop["size"]),
                Decimal(stop["trigger_px"]),
            )
        known.status = body["event"]

    def _trade(self, trade: Trade) -> None:
        """A fill is its position's, also when that was closed by then: it stands in the books again."""
        self.last_fill_ms = max(self.last_fill_ms, trade.fill.ts_ms)
        position = self._by_id.get(trade.hedge_id)
        if position is None:
            return
        position.take(trade)
        if position.closed_ms:
            position.closed_ms, position.ended, position.closing = 0, "", "a fill came after its end"
            if position in self.closed:
                self.closed.remove(position)
            self._open.setdefault(position.instrument, position)

    def _add_day(self, ts_ms: int, before: Decimal) -> None:
        day = day_of(ts_ms)
        change = self.ledger.cash.get(USDT, ZERO) - before
        self._day_cash[day] = self._day_cash.get(day, ZERO) + change
