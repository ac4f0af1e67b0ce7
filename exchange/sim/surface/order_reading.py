"""What normal and algo orders have in common to be read: sides, units, triggers, attachments."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from exchange.sim.algo_model import Attached, Trigger
from exchange.sim.model import AccountState, Instrument
from exchange.sim.surface.params import Params, bad, missing

SOURCES = ("last", "mark", "index")
AT_MARKET = Decimal(-1)
RATIOS = ("tpTriggerRatio", "slTriggerRatio", "newTpTriggerRatio", "newSlTriggerRatio")  # not available here


def position_side(account: AccountState, params: Params) -> str:
    """`posSide` of a swap order: required in long_short_mode, and nothing but net in net mode."""
    if account.pos_mode == "net_mode":
        return params.choice("posSide", ("net",), "net")
    side = params.get("posSide")
    if side not in ("long", "short"):
        raise bad("posSide")
    return side


def target_ccy(params: Params, instrument: Instrument, side: str) -> str:
    """The unit of a spot market order's size: by default money for a buy, coins for a sale."""
    if instrument.is_swap:
        return ""
    return params.choice("tgtCcy", ("base_ccy", "quote_ccy"), "quote_ccy" if side == "buy" else "base_ccy")


def attached(params: Params) -> tuple[Attached, ...]:
    """The attachAlgoOrds of an order. Raises Reject(51000) naming what is not available here."""
    found = []
    for item in params.objects("attachAlgoOrds"):
        refuse(item, RATIOS)
        item.choice("tpOrdKind", ("condition",), "condition")
        item.choice("amendPxOnTriggerType", ("0",), "0")
        found.append(
            Attached(
                algo_id="",
                cl_id=item.client_id("attachAlgoClOrdId"),
                take_profit=trigger(item, "tpTriggerPx", "tpOrdPx", "tpTriggerPxType"),
                stop_loss=trigger(item, "slTriggerPx", "slOrdPx", "slTriggerPxType"),
                size=item.positive("sz") if item.get("sz") else None,
            )
        )
    return tuple(found)


def refuse(params: Params, names: Sequence[str]) -> None:
    for name in names:
        if params.get(name):
            raise bad(name)


def trigger(params: Params, px: str, ord_px: str, px_type: str) -> Trigger | None:
    """One arm: both of its prices, or none."""
    price, order_px = params.number(px), params.number(ord_px)
    if price is None and order_px is None:
        return None
    if price is None or order_px is None:
        raise missing(px if price is None else ord_px)
    return Trigger(
        price, params.choice(px_type, SOURCES, "last"), None if order_px == AT_MARKET else order_px
    )
