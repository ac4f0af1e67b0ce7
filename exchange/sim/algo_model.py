"""Nouns of orders that wait for a price: triggers, protective stops, trailing stops. api-v5.md 4.6."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Trigger:
    """When an algo order goes off, and at what price it then orders; `order_px` None is at the market."""

    price: Decimal
    watches: str  # last | mark | index
    order_px: Decimal | None


@dataclass(frozen=True, slots=True)
class Attached:
    """Take profit and stop loss that come alive when the order they hang on has filled."""

    algo_id: str
    cl_id: str
    take_profit: Trigger | None
    stop_loss: Trigger | None
    size: Decimal | None  # None: all that filled


@dataclass(frozen=True, slots=True)
class Trailing:
    """A trigger that follows the best price since activation, at a share of it or at a distance."""

    ratio: Decimal | None
    spread: Decimal | None
    active_px: Decimal | None  # None: active at once


@dataclass(slots=True)
class AlgoOrder:
    """An order that waits for a price. It holds nothing back until it triggers. api-v5.md 4.6."""

    algo_id: str
    cl_id: str
    tag: str
    inst_id: str
    side: str
    pos_side: str
    td_mode: str
    kind: str  # conditional oco trigger move_order_stop
    size: Decimal | None  # None: the whole position (closeFraction 1)
    reduce_only: bool
    target_ccy: str
    with_position: bool  # cxlOnClosePos: goes when the position does
    created_ms: int
    updated_ms: int
    last_px: Decimal  # last trade when it was placed
    leverage: Decimal
    take_profit: Trigger | None = None
    stop_loss: Trigger | None = None
    trigger: Trigger | None = None
    rises: bool = False  # a plain trigger waits for the price to rise to it
    then: str = ""  # advanceOrdType of what a plain trigger places: "" fok ioc
    trailing: Trailing | None = None
    extreme_px: Decimal | None = None  # best price since a trailing order became active
    attached: tuple[Attached, ...] = ()
    state: str = "live"  # live effective canceled order_failed
    actual_side: str = ""  # tp | sl
    actual_px: Decimal | None = None
    actual_size: Decimal = Decimal(0)
    triggered_ms: int | None = None
    fail_code: str = ""
    ord_id: str = ""  # what it placed

    @property
    def is_open(self) -> bool:
        return self.state == "live"

    @property
    def trigger_px(self) -> Decimal | None:
        """Where a trailing order would go off now; None before its activation."""
        if self.trailing is None or self.extreme_px is None:
            return None
        sign = -1 if self.side == "sell" else 1
        if self.trailing.ratio is not None:
            return self.extreme_px * (1 + sign * self.trailing.ratio)
        assert self.trailing.spread is not None
        return self.extreme_px + sign * self.trailing.spread
