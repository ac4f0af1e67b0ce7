"""Orders as the journal tells them: intended, sent, ended; which of them have no outcome yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from core.facts import Kind, Row


@dataclass(slots=True)
class OrderState:
    """One order. `status` ends at rejected, filled, canceled or absent."""

    cl_id: str
    instrument: str
    hedge_id: str
    purpose: str
    ref_mid: Decimal
    intent_ms: int
    status: str = "intent"  # intent, accepted, unknown: the outcome is still open
    ord_id: str = ""

    @property
    def is_unresolved(self) -> bool:
        return self.status in ("intent", "accepted", "unknown")


@dataclass(slots=True)
class OrderStates:
    """A fold over INTENT, ACK and ORDER rows. `unresolved` keeps the order of the intents."""

    orders: dict[str, OrderState] = field(default_factory=dict)
    unresolved: dict[str, None] = field(default_factory=dict)

    def apply(self, row: Row) -> None:
        match row.kind:
            case Kind.INTENT:
                self._intent(row)
            case Kind.ACK:
                self._outcome(row.body, str(row.body["outcome"]))
            case Kind.ORDER:
                self._outcome(row.body, str(row.body["status"]))

    def _intent(self, row: Row) -> None:
        order = row.body["order"]
        self.orders[order["cl_id"]] = OrderState(
            cl_id=order["cl_id"],
            instrument=order["instrument"],
            hedge_id=row.body["hedge_id"],
            purpose=row.body["purpose"],
            ref_mid=Decimal(order["ref_mid"]),
            intent_ms=row.at_ms,
        )
        self.unresolved[order["cl_id"]] = None

    def _outcome(self, body: Mapping[str, Any], status: str) -> None:
        """An acknowledgement or a final state; a late acknowledgement does not reopen an order."""
        order = self.orders.get(body["cl_id"])
        if order is None or not order.is_unresolved:
            return
        order.status = status
        order.ord_id = body["ord_id"] or order.ord_id
        if not order.is_unresolved:
            del self.unresolved[order.cl_id]
