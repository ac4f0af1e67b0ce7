"""Reading orders and amendments: their shapes, units, triggers and attachments. Economics come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from exchange.sim.algo_model import Attached, Trigger
from exchange.sim.model import ZERO, AccountState, Instrument, Order, Reject
from exchange.sim.seam import OrderChange, OrderParams
from exchange.sim.surface.entry.params import Params, bad, missing, one_of_missing

KINDS = ("market", "limit", "post_only", "fok", "ioc", "optimal_limit_ioc")
STP_MODES = ("cancel_maker", "cancel_taker", "cancel_both")
OPTION_PRICES = ("pxUsd", "pxVol", "newPxUsd", "newPxVol")
MOST_SLIPPAGE, SLIPPAGE_STEP = Decimal("0.05"), Decimal("0.0001")
SOURCES = ("last", "mark", "index")
AT_MARKET = Decimal(-1)
RATIOS = ("tpTriggerRatio", "slTriggerRatio", "newTpTriggerRatio", "newSlTriggerRatio")  # not available here
_OLD_STOPS = ("newTpTriggerPx", "newTpOrdPx", "newSlTriggerPx", "newSlOrdPx")  # before attachAlgoOrds


def read_order(account: AccountState, params: Params, instrument: Instrument) -> OrderParams:
    """Read one order body. Raises Reject with 50014, 51000 or what fits better."""
    spot = not instrument.is_swap
    td_mode = params.choice("tdMode", _td_modes(account, instrument))
    side = params.choice("side", ("buy", "sell"))
    kind = params.choice("ordType", KINDS)
    if kind == "optimal_limit_ioc" and spot:
        raise bad("ordType")
    _refuse_option_prices(params)
    if spot:
        params.choice("tradeQuoteCcy", (instrument.quote,), instrument.quote)
    priced = kind not in ("market", "optimal_limit_ioc")
    spot_market = spot and kind == "market"
    return OrderParams(
        inst_id=instrument.inst_id,
        td_mode=td_mode,
        side=side,
        kind=kind,
        size=params.positive("sz"),
        price=params.positive("px") if priced else None,
        cl_id=params.client_id(),
        tag=params.tag(),
        pos_side="net" if spot else position_side(account, params),
        reduce_only=params.flag("reduceOnly") and not spot,
        target_ccy=target_ccy(params, instrument, side) if kind == "market" else "",
        stp=params.choice("stpMode", STP_MODES, "cancel_maker"),
        ban_amend=params.flag("banAmend"),
        move_price=params.choice("pxAmendType", ("0", "1"), "0") == "1",
        slippage=_slippage(params) if spot_market else ZERO,
        attached=attached(params),
    )


def read_change(order: Order, params: Params) -> OrderChange:
    """Read an amendment. What it says of attached stops is applied to those the order has."""
    _refuse_option_prices(params)
    if any(params.get(name) for name in (*_OLD_STOPS, *RATIOS)):
        raise Reject(
            "51538",
            "You need to use attachAlgoOrds if you used attachAlgoOrds when placing an order. attachAlgoOrds "
            "is not supported if you did not use attachAlgoOrds when placing this order.",
        )
    change = OrderChange(
        size=params.positive("newSz") if params.get("newSz") else None,
        price=params.positive("newPx") if params.get("newPx") else None,
        move_price=params.choice("pxAmendType", ("0", "1"), "0") == "1",
        cancel_on_fail=params.flag("cxlOnFail"),
        req_id=params.client_id("reqId"),
        attached=_reattached(order, params),
    )
    if change.size is None and change.price is None and change.attached is None:
        raise one_of_missing("newSz", "newPx")
    return change


def _reattached(order: Order, params: Params) -> tuple[Attached, ...] | None:
    items = params.objects("attachAlgoOrds")
    if not items:
        return None
    found = list(order.attached)
    for item in items:
        refuse(item, RATIOS)
        algo_id, cl_id = item.get("attachAlgoId"), item.get("attachAlgoClOrdId")
        at = [n for n, one in enumerate(found) if (one.algo_id == algo_id if algo_id else one.cl_id == cl_id)]
        if len(at) != 1 or not (algo_id or cl_id):
            raise Reject(
                "51527", "Order modification failed. At least 1 of the attached TP/SL orders does not exist."
            )
        old = found[at[0]]
        take_profit = changed_trigger(item, old.take_profit, "newTp") or old.take_profit
        stop_loss = changed_trigger(item, old.stop_loss, "newSl") or old.stop_loss
        found[at[0]] = replace(
            old,
            take_profit=take_profit if take_profit and take_profit.price else None,
            stop_loss=stop_loss if stop_loss and stop_loss.price else None,
            size=item.positive("sz") if item.get("sz") else old.size,
        )
    return tuple(one for one in found if one.take_profit or one.stop_loss)


def _refuse_option_prices(params: Params) -> None:
    if any(params.get(name) for name in OPTION_PRICES):
        raise Reject("51537", "pxUsd or pxVol are not supported by non-options instruments")


def _slippage(params: Params) -> Decimal:
    value = params.number("slippagePct")
    if value is None:
        return ZERO
    if not 0 <= value <= MOST_SLIPPAGE:
        raise Reject("54084", "The slippage must be between 0% and 5%, inclusive.")
    if value % SLIPPAGE_STEP:
        raise Reject("54085", "The slippage percentage can have at most 2 decimal places.")
    return value


def _td_modes(account: AccountState, instrument: Instrument) -> tuple[str, ...]:
    """Spot is `cash` in spot and futures mode, `cross` in multi-currency mode."""
    if instrument.is_swap:
        if account.level == "1":
            raise Reject("51010", "You can't complete this request under your current account mode.")
        return "cross", "isolated"
    return ("cash",) if account.level in ("1", "2") else ("cross",)


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


def changed_trigger(params: Params, old: Trigger | None, prefix: str) -> Trigger | None:
    """An arm as amended, None when nothing of it changes; a price of 0 takes it away."""
    names = [f"{prefix}{what}" for what in ("TriggerPx", "OrdPx", "TriggerPxType")]
    if not any(params.get(name) for name in names):
        return None
    price, order_px = params.number(names[0]), params.number(names[1])
    if price == 0 or order_px == 0:
        return Trigger(Decimal(0), "last", None)
    if price is None:
        price = old.price if old else Decimal(-1)
    if order_px is None:
        order_px = AT_MARKET if old is None or old.order_px is None else old.order_px
    source = params.choice(names[2], SOURCES, old.watches if old else "last")
    return Trigger(price, source, None if order_px == AT_MARKET else order_px)
