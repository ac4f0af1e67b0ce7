"""What happened at the venue: the economics leave these in the outbox, the surface turns them into pushes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from exchange.sim.algo_model import AlgoOrder
from exchange.sim.model import Execution, Order, PositionKey, PublicTrade


@dataclass(frozen=True, slots=True)
class BookChanged:
    inst_id: str


@dataclass(frozen=True, slots=True)
class TradePrinted:
    trade: PublicTrade


@dataclass(frozen=True, slots=True)
class MarkChanged:
    inst_id: str


@dataclass(frozen=True, slots=True)
class IndexChanged:
    name: str  # BTC-USDT


@dataclass(frozen=True, slots=True)
class FundingChanged:
    inst_id: str


@dataclass(frozen=True, slots=True)
class BarChanged:
    """The 1-minute-based series of an instrument moved on; `closed_ms` is the new time edge."""

    inst_id: str


@dataclass(frozen=True, slots=True)
class InstrumentChanged:
    inst_id: str


@dataclass(frozen=True, slots=True)
class Liquidated:
    """A position was taken over by the venue at its bankruptcy price."""

    inst_id: str
    side: str  # of the order that closed it
    pos_side: str
    bankruptcy_px: Decimal
    size: Decimal
    loss: Decimal  # what the taker-over lost against the mark, USDT, 0 or more
    ts_ms: int


@dataclass(frozen=True, slots=True)
class AdlChanged:
    """Forced deleveraging of a contract family begins or ends."""

    family: str


@dataclass(frozen=True, slots=True)
class StatusChanged:
    pass


class Amendment(NamedTuple):
    """How an amendment went: "0" done, "-1" refused, "1" refused and the order cancelled for it."""

    req_id: str
    result: str
    code: str = "0"
    msg: str = ""


@dataclass(frozen=True, slots=True)
class OrderChanged:
    """`order` is a copy as of this change; `execution` when the change is a fill."""

    account: str
    order: Order
    execution: Execution | None
    amendment: Amendment | None = None


@dataclass(frozen=True, slots=True)
class AlgoChanged:
    """`algo` is a copy as of this change; `amend_result` is "" unless the change is an amendment."""

    account: str
    algo: AlgoOrder
    req_id: str = ""
    amend_result: str = ""


@dataclass(frozen=True, slots=True)
class AccountChanged:
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
