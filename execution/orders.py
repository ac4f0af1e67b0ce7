"""An order between its intent and its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from core.types import ZERO, Fill, Leg, OrderKind, OrderRecord, OrderRequest, Pair, Side


class Ending(StrEnum):
    """What is known about an order in the end."""

    DONE = "done"  # final at the venue, every fill booked
    REFUSED = "refused"  # the venue said no: nothing happened
    DENIED = "denied"  # our own gate said no: nothing was sent
    ABSENT = "absent"  # no answer to the request, and proof that it never arrived
    UNKNOWN = "unknown"  # still being asked for


@dataclass(frozen=True, slots=True)
class OrderResult:
    """How an order ended. `filled` in the market's own unit, `avg_px` None when nothing filled.

    `code` and `message` are the venue's (or the gate's) words when there was no trade to speak of.
    With status UNKNOWN, `filled` is what is known so far; more may exist.
    """

    cl_id: str
    status: Ending
    filled: Decimal = ZERO
    avg_px: Decimal | None = None
    fills: tuple[Fill, ...] = ()
    code: str = ""
    message: str = ""

    @property
    def was_turned_away(self) -> bool:
        return self.status in (Ending.REFUSED, Ending.DENIED)


@dataclass(frozen=True, slots=True)
class Rest:
    """How long a post-only order may wait in the book before it is cancelled.

    A first fill starts a second, shorter clock (`after_fill_s`): from then on a leg is naked.
    `give_up` ends the wait at once.
    """

    wait_s: Decimal
    after_fill_s: Decimal
    give_up: Callable[[], bool]


def read_request(body: Mapping[str, Any]) -> OrderRequest:
    """Read an order back from its journalled intent (core.facts: Decimals are text)."""
    return OrderRequest(
        cl_id=body["cl_id"],
        instrument=body["instrument"],
        inst_id=body["inst_id"],
        leg=Leg(body["leg"]),
        side=Side(body["side"]),
        kind=OrderKind(body["kind"]),
        size=Decimal(body["size"]),
        limit_px=Decimal(body["limit_px"]),
        reduce_only=body["reduce_only"],
        ref_mid=Decimal(body["ref_mid"]),
    )


@dataclass(slots=True)
class Flight:
    """An order on its way, and all that was heard of it, by push or by answer."""

    request: OrderRequest
    hedge_id: str
    pair: Pair
    sent_ms: int
    expires_ms: int  # after this the venue does not take it any more
    on_fill: Callable[[], None] | None = None
    record: OrderRecord | None = None
    fills: dict[tuple[str, str], Fill] = field(default_factory=dict)
    first_fill_ms: int | None = None
    accepted: bool = False
    absences: list[int] = field(default_factory=list)  # when the venue said it knows no such order
    trouble: str = ""  # the last error while asking
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    ending: Ending = Ending.UNKNOWN
    wire_ms: int = 0  # when it was handed to the network last; 0 when another process did

    @property
    def filled(self) -> Decimal:
        return sum((f.size for f in self.fills.values()), ZERO)

    @property
    def avg_px(self) -> Decimal | None:
        filled = self.filled
        return sum((f.size * f.px for f in self.fills.values()), ZERO) / filled if filled else None

    @property
    def ct_val(self) -> Decimal:
        return self.pair.swap.ct_val if self.request.leg is Leg.SWAP else Decimal(1)

    @property
    def is_final(self) -> bool:
        return self.record is not None and self.record.status.is_final

    @property
    def is_complete(self) -> bool:
        """Final, and the fills add up to what the venue says was filled."""
        return self.record is not None and self.is_final and self.filled >= self.record.filled

    def see(self, record: OrderRecord) -> None:
        """Take a newer picture; an older one (less filled, or live after final) changes nothing."""
        old = self.record
        outdated = old is not None and (
            record.filled < old.filled or (old.status.is_final and not record.status.is_final)
        )
        if not outdated:
            self.record = record

    def result(self, code: str = "", message: str = "") -> OrderResult:
        return OrderResult(
            self.request.cl_id,
            self.ending,
            self.filled,
            self.avg_px,
            tuple(self.fills.values()),
            code,
            message or (self.trouble if self.ending is Ending.UNKNOWN else ""),
        )
