"""What happened at the venue: the economics leave these in the outbox, the surface turns them into pushes."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from msgspec import Struct

from exchange.sim.algo_model import AlgoOrder
from exchange.sim.model import Execution, Order, PositionKey, PublicTrade


class BookChanged(Struct, frozen=True, gc=False):
    inst_id: str


class TradePrinted(Struct, frozen=True, gc=False):
    trade: PublicTrade


class MarkChanged(Struct, frozen=True, gc=False):
    inst_id: str


class IndexChanged(Struct, frozen=True, gc=False):
    name: str  # BTC-USDT


class FundingChanged(Struct, frozen=True, gc=False):
    inst_id: str


class BarChanged(Struct, frozen=True, gc=False):
    """The 1-minute-based series of an instrument moved on; `closed_ms` is the new time edge."""

    inst_id: str


class InstrumentChanged(Struct, frozen=True, gc=False):
    inst_id: str


class Liquidated(Struct, frozen=True, gc=False):
    """A position was taken over by the venue at its bankruptcy price."""

    inst_id: str
    side: str  # of the order that closed it
    pos_side: str
    bankruptcy_px: Decimal
    size: Decimal
    loss: Decimal  # what the taker-over lost against the mark, USDT, 0 or more
    ts_ms: int


class AdlChanged(Struct, frozen=True, gc=False):
    """Forced deleveraging of a contract family begins or ends."""

    family: str


class StatusChanged(Struct, frozen=True, gc=False):
    pass


class Amendment(NamedTuple):
    """How an amendment went: "0" done, "-1" refused, "1" refused and the order cancelled for it."""

    req_id: str
    result: str
    code: str = "0"
    msg: str = ""


class OrderChanged(Struct, frozen=True, gc=False):
    """`order` is a copy as of this change; `execution` when the change is a fill."""

    account: str
    order: Order
    execution: Execution | None
    amendment: Amendment | None = None


class AlgoChanged(Struct, frozen=True, gc=False):
    """`algo` is a copy as of this change; `amend_result` is "" unless the change is an amendment."""

    account: str
    algo: AlgoOrder
    req_id: str = ""
    amend_result: str = ""


class AccountChanged(Struct, frozen=True, gc=False):
    """`reason` is balance_and_position's eventType: filled, funding_fee, transferred, adl, ..."""

    account: str
    reason: str
    currencies: tuple[str, ...]
    positions: tuple[PositionKey, ...]
    trades: tuple[tuple[str, str], ...] = ()


VenueEvent = (
    BookChanged
    | TradePrinted
    | MarkChanged
    | IndexChanged
    | FundingChanged
    | BarChanged
    | InstrumentChanged
    | StatusChanged
    | Liquidated
    | AdlChanged
    | OrderChanged
    | AlgoChanged
    | AccountChanged
)
