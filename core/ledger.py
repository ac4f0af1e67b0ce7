"""The account's money, derived from journal rows alone.

Two ways lead to the same figure, and a test holds them together:

    the venue's way  cash by currency, swap results realised at the average price, unrealised rest
    our way          funding + basis - fees - slippage - interest + other, per instrument

What counts where, so that nothing counts twice:

- Trades count from FILL rows. TRADE bills repeat them and move no money here.
- LIQUIDATION and ADL bills say in `pnl` and `fee` what their fill says; that part comes from the FILL
  row (its client id is empty), whichever of the two arrives first. The rest of the bill is `other`.
- FUNDING and INTEREST bills are their terms; CLAWBACK, MARGIN and OTHER bills are `other`, in full.
- TRANSFER bills are money from outside: they move cash, never profit. TRANSFER rows, which are what we
  asked for, move nothing.
- Bills from before the first start are inside its opening cash.

Equity is what this engine answers for: USDT, coins bought by it, and its swaps. Coins found on the
account or moved in are kept in `cash` for the comparison with the venue, and valued nowhere. So is a
fee in a coin that no instrument here trades.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from msgspec import Struct

from core.facts import Kind, Row
from core.statement import Statement
from core.tally import NOTHING, Booking, Tally, Terms, Trade, total_of
from core.types import ZERO, AccountSnapshot, Bill, BillKind, Fill, Leg, Side

USDT = "USDT"
Prices = Mapping[str, tuple[Decimal, Decimal]]  # instrument -> spot price, swap mark price


class Settlement(Struct, frozen=True, gc=False):
    """One funding payment. `amount` in USDT, positive when received.

    base_qty and mark_px are the bill's; rate = amount / (base_qty x mark_px), so it is positive when
    shorts receive, and None when the bill does not say enough.
    """

    ts_ms: int
    instrument: str
    hedge_id: str
    base_qty: Decimal | None
    mark_px: Decimal | None
    rate: Decimal | None
    amount: Decimal


@dataclass(slots=True)
class NetPosition:
    """A swap in net mode the way the venue books it: average entry price, realised on reduction."""

    base: Decimal = ZERO  # coins, negative when short
    avg_px: Decimal = ZERO
    ct_val: Decimal = ZERO  # coins per contract, of the last fill

    def trade(self, signed_base: Decimal, px: Decimal) -> Decimal:
        """Apply a trade and return the result it realises, USDT. Crossing zero closes, then opens."""
        opposite = self.base * signed_base < 0
        closed = min(abs(self.base), abs(signed_base)) if opposite else ZERO
        realised = closed * (px - self.avg_px) * (1 if self.base > 0 else -1)
        after = self.base + signed_base
        if not opposite:
            self.avg_px = (self.base * self.avg_px + signed_base * px) / after if after else ZERO
        elif abs(signed_base) > abs(self.base):
            self.avg_px = px
        elif after == 0:
            self.avg_px = ZERO
        self.base = after
        return realised

    def unrealised(self, mark_px: Decimal) -> Decimal:
        return self.base * (mark_px - self.avg_px)


@dataclass
class Ledger:
    """A fold over rows. Applying a fill or a bill a second time changes nothing."""

    cash: dict[str, Decimal] = field(default_factory=dict)  # by currency, as the venue counts it
    opening_equity: Decimal = ZERO  # USDT at the first start
    opened_ms: int | None = None
    transfers: Decimal = ZERO  # USDT moved in from outside since, net
    prices: dict[str, tuple[Decimal, Decimal]] = field(default_factory=dict)  # last ones seen
    trades: list[Trade] = field(default_factory=list)
    settlements: list[Settlement] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)  # "" is the account as a whole
    positions: dict[str, NetPosition] = field(default_factory=dict)
    fills_seen: set[tuple[str, str]] = field(default_factory=set)
    bills_seen: set[str] = field(default_factory=set)
    statement: Statement = field(default_factory=Statement)
    # The same again by instrument: they are asked for at every settlement.
    sold_short: dict[str, list[Trade]] = field(default_factory=dict, compare=False)  # trades of the swap
    settled_ms: dict[str, list[int]] = field(default_factory=dict, compare=False)  # ascending

    def apply(self, row: Row) -> Trade | Booking | None:
        """Take in one row; return what a fill or a bill meant, None for anything already known."""
        match row.kind:
            case Kind.BOOT:
                self._open(row)
            case Kind.FILL:
                return self._fill(row.body)
            case Kind.BILL:
                return self._bill(row.body)
            case Kind.OWNERSHIP:
                self._take_in(row.body)
            case Kind.EQUITY:
                for name, (spot, mark) in row.body.get("prices", {}).items():
                    self.prices[name] = (Decimal(spot), Decimal(mark))
        return None

    # --- answers --------------------------------------------------------------------------------

    @property
    def instruments(self) -> tuple[str, ...]:
        return tuple(sorted(name for name in self.tallies if name))

    def equity(self, prices: Prices) -> Decimal:
        """USDT, by the venue's way. An instrument without a price takes the last one seen."""
        total = self.cash.get(USDT, ZERO)
        for name, tally in self.tallies.items():
            spot, mark = self._price(name, prices)
            total += tally.spot_base * spot
            if name in self.positions:
                total += self.positions[name].unrealised(mark)
        return total

    def terms(self, prices: Prices, instrument: str | None = None) -> Terms:
        """Terms of one instrument, or of all: then their net is the equity change since the first
        start, net of transfers."""
        names = self.tallies if instrument is None else (instrument,)
        return total_of([self.tallies.get(name, NOTHING).terms(*self._price(name, prices)) for name in names])

    def differences(self, snapshot: AccountSnapshot) -> dict[str, Decimal]:
        """The venue's cash minus ours, by currency; currencies that agree are left out.

        What somebody else's trades moved is explained by their bills.
        """
        foreign = self.statement.external()
        names = {*self.cash, *snapshot.balances}
        gaps = {
            ccy: snapshot.cash(ccy) - self.cash.get(ccy, ZERO) - foreign.get(ccy, ZERO)
            for ccy in sorted(names)
        }
        return {ccy: gap for ccy, gap in gaps.items() if gap}

    def unexplained(self, snapshot: AccountSnapshot, prices: Prices) -> Decimal:
        """How far our cash is from the venue's, USDT, >= 0.

        Absolute values per currency, added: a coin bought by hand must not cancel against the USDT it
        cost. Coins of no instrument are not valued.
        """
        total = ZERO
        for ccy, gap in self.differences(snapshot).items():
            px = Decimal(1) if ccy == USDT else self._price(f"{ccy}-{USDT}", prices)[0]
            total += abs(gap) * px
        return total

    def open_items(self, snapshot: AccountSnapshot) -> tuple[str, ...]:
        """Each currency that does not close, with the type of bill it fails at: `USDT trade 1.5` is a
        trade billed otherwise than it was filled, `BTC no bill -0.2` is a change without any bill."""
        wrong = self.statement.wrong()
        items = []
        for ccy, gap in self.differences(snapshot).items():
            trade = wrong.get(ccy, ZERO)
            parts = (("trade", trade), ("no bill", gap - trade))
            items += [f"{ccy} {name} {amount.normalize():f}" for name, amount in parts if amount]
        return tuple(items)

    # --- folding --------------------------------------------------------------------------------

    def _open(self, row: Row) -> None:
        if self.opened_ms is None and "opening_cash" in row.body:
            self.opened_ms = row.at_ms
            self.cash = {ccy: Decimal(amount) for ccy, amount in row.body["opening_cash"].items()}
            self.opening_equity = self.cash.get(USDT, ZERO)

    def _fill(self, body: Mapping[str, Any]) -> Trade | None:
        fill = read_fill(body["fill"])
        if fill.key in self.fills_seen:
            return None
        self.fills_seen.add(fill.key)
        name, leg = str(body["instrument"]), Leg(body["leg"])
        coin, ref_mid, ct_val = coin_of(name), Decimal(body["ref_mid"] or 0), Decimal(body["ct_val"])
        base = fill.size * ct_val
        signed = fill.side.sign * base
        before = dict(self.cash)
        tally = self.tallies.setdefault(name, Tally())
        self._see_price(name, leg, fill.px)
        if leg is Leg.SPOT:
            self._add_cash(coin, signed)
            self._add_cash(USDT, -signed * fill.px)
        else:
            position = self.positions.setdefault(name, NetPosition())
            position.ct_val = ct_val
            self._add_cash(USDT, position.trade(signed, fill.px))
        trade = Trade(
            fill=fill,
            instrument=name,
            hedge_id=str(body["hedge_id"]),
            leg=leg,
            base=base,
            fee_usdt=-self._change(fill.fee_ccy, fill.fee, fill.px if fill.fee_ccy == coin else None),
            fee_base=fill.fee if fill.fee_ccy == coin else ZERO,
            slippage=(fill.px - ref_mid) * signed if ref_mid else ZERO,
        )
        tally.trade(trade)
        self.trades.append(trade)
        if leg is Leg.SWAP:
            self.sold_short.setdefault(name, []).append(trade)
        if self.opened_ms is None or fill.ts_ms >= self.opened_ms:  # else its bill is in the opening cash
            effects = {
                ccy: cash - held for ccy, cash in self.cash.items() if cash != (held := before.get(ccy, ZERO))
            }
            self.statement.fill(fill.key, effects, split=bool(body.get("split")))
        return trade

    def _bill(self, body: Mapping[str, Any]) -> Booking | None:
        bill = read_bill(body["bill"])
        if bill.bill_id in self.bills_seen:
            return None
        self.bills_seen.add(bill.bill_id)
        name = str(body["instrument"])
        before_opening = self.opened_ms is not None and bill.ts_ms < self.opened_ms
        amount = ZERO if before_opening else self._bill_amount(bill)
        if not before_opening and bill.kind in (BillKind.TRADE, BillKind.LIQUIDATION, BillKind.ADL):
            self.statement.bill(bill)
        booking = Booking(bill, name, str(body["hedge_id"]), amount)
        if before_opening or bill.kind in (BillKind.TRADE, BillKind.TRANSFER):
            return booking
        self.tallies.setdefault(name, Tally()).book(booking)
        if bill.kind is BillKind.FUNDING:
            self.settlements.append(self._settlement(booking))
            insort(self.settled_ms.setdefault(name, []), bill.ts_ms)
        return booking

    def _take_in(self, body: Mapping[str, Any]) -> None:
        """What the operator gave to the books, or wrote off: moved in from outside, never profit."""
        if body["event"] == "adopted":
            coins, px = Decimal(body["coins"]), Decimal(body["px"])
            self.tallies.setdefault(str(body["instrument"]), Tally()).moved_in(coins, px)
            self.transfers += coins * px
        for ccy, gap in body.get("written_off", {}).items():
            self._add_cash(ccy, Decimal(gap))
            if ccy == USDT:
                self.transfers += Decimal(gap)

    def _bill_amount(self, bill: Bill) -> Decimal:
        match bill.kind:
            case BillKind.TRADE:
                return ZERO
            case BillKind.TRANSFER:
                self._add_cash(bill.ccy, bill.change)
                if bill.ccy == USDT:
                    self.transfers += bill.change
                return ZERO
            case BillKind.LIQUIDATION | BillKind.ADL:
                return self._change(bill.ccy, bill.change - bill.pnl - bill.fee)
        return self._change(bill.ccy, bill.change)

    def _settlement(self, booking: Booking) -> Settlement:
        bill, position = booking.bill, self.positions.get(booking.instrument)
        base = abs(bill.size) * position.ct_val if bill.size is not None and position else None
        rate = booking.amount / (base * bill.px) if base and bill.px else None
        return Settlement(
            bill.ts_ms, booking.instrument, booking.hedge_id, base, bill.px, rate, booking.amount
        )

    def _change(self, ccy: str, change: Decimal, px: Decimal | None = None) -> Decimal:
        """Book a change of cash that is no trade; return its USDT value, signed."""
        if not change:
            return ZERO
        self._add_cash(ccy, change)
        if ccy == USDT:
            return change
        tally = self.tallies.get(f"{ccy}-{USDT}")
        if tally is None:
            return ZERO
        value = change * (px if px is not None else self._price(f"{ccy}-{USDT}", {})[0])
        tally.coins_changed(change, value)
        return value

    def _add_cash(self, ccy: str, change: Decimal) -> None:
        self.cash[ccy] = self.cash.get(ccy, ZERO) + change

    def _see_price(self, name: str, leg: Leg, px: Decimal) -> None:
        spot, mark = self.prices.get(name, (px, px))
        self.prices[name] = (px, mark) if leg is Leg.SPOT else (spot, px)

    def _price(self, name: str, prices: Prices) -> tuple[Decimal, Decimal]:
        return prices.get(name) or self.prices.get(name, (ZERO, ZERO))


def coin_of(instrument: str) -> str:
    """BTC of BTC-USDT."""
    return instrument.partition("-")[0]


def read_fill(body: Mapping[str, Any]) -> Fill:
    """Read back what `plain` made of a Fill."""
    return Fill(
        inst_id=body["inst_id"],
        trade_id=body["trade_id"],
        ord_id=body["ord_id"],
        cl_id=body["cl_id"],
        side=Side(body["side"]),
        px=Decimal(body["px"]),
        size=Decimal(body["size"]),
        fee=Decimal(body["fee"]),
        fee_ccy=body["fee_ccy"],
        ts_ms=body["ts_ms"],
        maker=body["maker"],
        bill_id=body["bill_id"],
    )


def read_bill(body: Mapping[str, Any]) -> Bill:
    """Read back what `plain` made of a Bill."""
    return Bill(
        bill_id=body["bill_id"],
        kind=BillKind(body["kind"]),
        raw_type=body["raw_type"],
        ccy=body["ccy"],
        change=Decimal(body["change"]),
        ts_ms=body["ts_ms"],
        inst_id=body["inst_id"],
        ord_id=body["ord_id"],
        trade_id=body["trade_id"],
        px=None if body["px"] is None else Decimal(body["px"]),
        size=None if body["size"] is None else Decimal(body["size"]),
        pnl=Decimal(body["pnl"]),
        fee=Decimal(body["fee"]),
        interest=Decimal(body["interest"]),
    )
