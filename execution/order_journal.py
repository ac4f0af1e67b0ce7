"""What an order leaves in the journal; bodies as core/facts.py says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from core.errors import JournalFailed, RateLimited
from core.events import Purpose
from core.facts import Kind
from core.ports import Clock, Journal
from core.sleeve.events import Intent
from core.types import ZERO, Fill, OrderRequest
from core.verdict import Verdict
from execution.holdings import Known
from execution.orders import Flight, read_request

THROTTLED: Final = "order throttled"  # refused for coming too soon; the same order goes out once more


class OrderJournal:
    """Writes an order's life, each fact once, and reads an intent back."""

    def __init__(self, journal: Journal, clock: Clock, holdings: Known) -> None:
        self._journal = journal
        self._clock = clock
        self._holdings = holdings

    async def durable(self) -> None:
        await self._journal.durable()

    def denied(
        self, request: OrderRequest, hedge_id: str, purpose: Purpose | Intent, verdict: Verdict
    ) -> None:
        body = {"what": "order denied", "order": request, "hedge_id": hedge_id, "purpose": purpose}
        self._write(Kind.NOTE, body | {"guard": verdict.guard, "reason": verdict.reason})

    def throttled(self, flight: Flight, error: RateLimited) -> None:
        body = {"what": THROTTLED, "cl_id": flight.request.cl_id, "code": error.code}
        self._write(Kind.NOTE, body | {"retry_after_s": str(error.retry_after_s)})

    def intent(self, request: OrderRequest, hedge_id: str, purpose: Purpose | Intent) -> None:
        self._write(Kind.INTENT, {"order": request, "hedge_id": hedge_id, "purpose": purpose})

    def ack(self, flight: Flight, outcome: str, ord_id: str = "", code: str = "", message: str = "") -> None:
        cl_id = flight.request.cl_id
        body = {"cl_id": cl_id, "outcome": outcome, "ord_id": ord_id, "code": code, "message": message}
        self._write(Kind.ACK, body)

    def fill(self, flight: Flight, fill: Fill) -> None:
        """Book one execution unless it is known; a fill without a trade id is a summary, not a trade."""
        if not fill.trade_id or fill.size <= 0:
            return
        request = flight.request
        fill = replace(fill, cl_id=request.cl_id)
        flight.fills[fill.key] = fill
        if flight.first_fill_ms is None:
            flight.first_fill_ms = self._clock.now_ms()
        if not self._holdings.has_fill(fill.key):
            body = {
                "hedge_id": flight.hedge_id,
                "instrument": request.instrument,
                "leg": request.leg,
                "ref_mid": request.ref_mid,
                "ct_val": flight.ct_val,
                "fill": fill,
            }
            self._write(Kind.FILL, body)
        if flight.on_fill is not None:
            flight.on_fill()

    def final(self, flight: Flight) -> None:
        """Write the final state; without a record of the venue the order is absent."""
        record = flight.record
        body = {
            "cl_id": flight.request.cl_id,
            "ord_id": record.ord_id if record else "",
            "inst_id": flight.request.inst_id,
            "status": record.status if record else "absent",
            "filled": flight.filled,
            "avg_px": flight.avg_px,
            "fee": record.fee if record else ZERO,
            "fee_ccy": record.fee_ccy if record else "",
            "cancel_source": record.cancel_source if record else "",
            "category": record.category if record else "normal",
        }
        self._write(Kind.ORDER, body)

    async def recall(self, cl_id: str) -> tuple[OrderRequest, str, int]:
        """Return a journalled order, its hedge id and when it was sent last; JournalFailed when unknown."""
        found, sent_ms = None, 0
        async for row in self._journal.rows(Kind.INTENT, Kind.NOTE):
            if row.kind is Kind.INTENT and row.body["order"]["cl_id"] == cl_id:
                found, sent_ms = row.body, row.at_ms
            elif row.body.get("what") == THROTTLED and row.body["cl_id"] == cl_id:
                sent_ms = row.at_ms + int(Decimal(row.body["retry_after_s"]) * 1000)
        if found is None:
            raise JournalFailed(f"the journal has no intent of order {cl_id}")
        return read_request(found["order"]), found["hedge_id"], sent_ms

    def _write(self, kind: Kind, body: Mapping[str, object]) -> None:
        self._journal.append(kind, self._clock.now_ms(), body)
