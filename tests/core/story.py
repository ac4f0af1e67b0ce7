"""Tells a journal's story row by row, for tests of what is folded from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal

from core.facts import Kind, Row, canonical, plain
from core.projections import Books
from core.types import Bill, BillKind, Fill, Leg, OrderKind, OrderRequest, Side

D = Decimal
START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
CT_VAL = D("0.01")
BTC = "BTC-USDT"
PRICES = {BTC: (D(100), D(100))}


class StillClock:
    """A clock that shows what it is told to."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.ms = now_ms
        self.holds = 0

    def now_ms(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)

    async def sleep_until(self, at_ms: int) -> None:
        self.ms = max(self.ms, at_ms)

    def holding(self) -> AbstractContextManager[None]:
        self.holds += 1
        return nullcontext()


@dataclass
class Story:
    """Every method adds one row. Prices and sizes may be given as text."""

    rows: list[Row] = field(default_factory=list)
    now_ms: int = START_MS
    trade_no: int = 0
    bill_no: int = 0

    def add(self, kind: Kind, body: Mapping[str, object]) -> Row:
        row = Row(len(self.rows) + 1, kind, self.now_ms, json.loads(canonical(plain(body))), "")
        self.rows.append(row)
        return row

    def boot(self, cash: Mapping[str, str] | None = None, epoch: int = 1) -> Row:
        body: dict[str, object] = {
            "mode": "demo",
            "version": "1",
            "fingerprint": "f",
            "epoch": epoch,
            "account_uid": "u",
        }
        return self.add(Kind.BOOT, body | ({"opening_cash": dict(cash)} if cash else {}))

    def stop(self, clean: bool = True) -> Row:
        return self.add(Kind.STOP, {"reason": "signal", "clean": clean})

    def hedge(
        self,
        event: str,
        hedge_id: str = "FE1H1",
        instrument: str = "BTC-USDT",
        target: str = "1",
        purpose: str = "open",
    ) -> Row:
        body = {
            "hedge_id": hedge_id,
            "instrument": instrument,
            "event": event,
            "target_base": D(target),
            "purpose": purpose,
            "reason": "because",
        }
        return self.add(Kind.HEDGE, body)

    def intent(
        self, cl_id: str, hedge_id: str = "FE1H1", ref_mid: str = "100", instrument: str = "BTC-USDT"
    ) -> Row:
        order = OrderRequest(
            cl_id=cl_id,
            instrument=instrument,
            inst_id=instrument,
            leg=Leg.SPOT,
            side=Side.BUY,
            kind=OrderKind.IOC,
            size=D(1),
            limit_px=D(101),
            reduce_only=False,
            ref_mid=D(ref_mid),
        )
        return self.add(Kind.INTENT, {"order": plain(order), "hedge_id": hedge_id, "purpose": "open"})

    def ack(self, cl_id: str, outcome: str = "accepted") -> Row:
        body = {"cl_id": cl_id, "outcome": outcome, "ord_id": "o1", "code": "", "message": ""}
        return self.add(Kind.ACK, body)

    def order(self, cl_id: str, status: str = "filled") -> Row:
        body = {
            "cl_id": cl_id,
            "ord_id": "o1",
            "inst_id": "BTC-USDT",
            "status": status,
            "filled": D(1),
            "avg_px": D(100),
            "fee": D(0),
            "fee_ccy": "USDT",
            "cancel_source": "",
            "category": "normal",
        }
        return self.add(Kind.ORDER, body)

    def fill(
        self,
        leg: str,
        side: str,
        size: str | Decimal,
        px: str | Decimal,
        *,
        fee: str | Decimal = "0",
        fee_ccy: str = "USDT",
        ref_mid: str | Decimal | None = None,
        hedge_id: str = "FE1H1",
        instrument: str = "BTC-USDT",
        cl_id: str = "",
        trade_id: str = "",
        ct_val: Decimal = CT_VAL,
    ) -> Row:
        self.trade_no += 1
        is_swap = leg == "swap"
        fill = Fill(
            inst_id=f"{instrument}-SWAP" if is_swap else instrument,
            trade_id=trade_id or str(self.trade_no),
            ord_id="o1",
            cl_id=cl_id,
            side=Side(side),
            px=D(px),
            size=D(size),
            fee=D(fee),
            fee_ccy=fee_ccy,
            ts_ms=self.now_ms,
        )
        body = {
            "hedge_id": hedge_id,
            "instrument": instrument,
            "leg": leg,
            "ref_mid": D(px if ref_mid is None else ref_mid),
            "ct_val": ct_val if is_swap else D(1),
            "fill": plain(fill),
        }
        return self.add(Kind.FILL, body)

    def bill(
        self,
        kind: BillKind,
        change: str | Decimal,
        *,
        ccy: str = "USDT",
        instrument: str = "BTC-USDT",
        hedge_id: str = "FE1H1",
        px: str | None = None,
        size: str | None = None,
        pnl: str = "0",
        fee: str = "0",
        bill_id: str = "",
        ts_ms: int | None = None,
    ) -> Row:
        self.bill_no += 1
        bill = Bill(
            bill_id=bill_id or f"b{self.bill_no}",
            kind=kind,
            raw_type="8",
            ccy=ccy,
            change=D(change),
            ts_ms=self.now_ms if ts_ms is None else ts_ms,
            inst_id=f"{instrument}-SWAP" if instrument else "",
            px=None if px is None else D(px),
            size=None if size is None else D(size),
            pnl=D(pnl),
            fee=D(fee),
        )
        body = {"bill": plain(bill), "instrument": instrument, "hedge_id": hedge_id}
        return self.add(Kind.BILL, body)

    def funding(self, amount: str | Decimal, **more: str) -> Row:
        return self.bill(BillKind.FUNDING, amount, **more)  # type: ignore[arg-type]

    def equity(self, equity: str, **prices: tuple[str, str]) -> Row:
        named = {name.replace("_", "-"): [D(s), D(m)] for name, (s, m) in prices.items()}
        return self.add(Kind.EQUITY, {"equity": D(equity), "terms": {}, "prices": named})

    def decision(
        self,
        on: str = "scan",
        src: str = "IDLE",
        dst: str = "IDLE",
        *,
        verdicts: tuple[Mapping[str, object], ...] = (),
        targets: tuple[Mapping[str, object], ...] = (),
        instrument: str | None = None,
        reason: str = "",
    ) -> Row:
        body = {
            "on": on,
            "at_ms": self.now_ms,
            "src": src,
            "dst": dst,
            "moved": src != dst,
            "verdicts": list(verdicts),
            "targets": list(targets),
            "reason": reason,
            "instrument": instrument,
        }
        return self.add(Kind.DECISION, body)

    def round(self, buy: str = "100", sell: str = "100", hedge_id: str = "FE1H1", **closing: str) -> None:
        """A whole round of one coin: spot bought at `buy` and sold at `sell`, the swap flat at 100."""
        self.hedge("opened", hedge_id)
        self.fill("spot", "buy", "1", buy, hedge_id=hedge_id)
        self.fill("swap", "sell", "100", "100", hedge_id=hedge_id)
        self.fill("swap", "buy", "100", "100", hedge_id=hedge_id)
        self.fill("spot", "sell", "1", sell, hedge_id=hedge_id)
        self.hedge("closed", hedge_id, **{"purpose": "exit", "target": "0", **closing})


def started() -> Story:
    """A story that has begun with 1000 USDT."""
    story = Story()
    story.boot({"USDT": "1000"})
    return story


def fold(rows: list[Row]) -> Books:
    """The books that these rows come to."""
    books = Books()
    for row in rows:
        books.apply(row)
    return books
