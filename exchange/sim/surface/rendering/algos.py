"""Algo orders, and what is attached to normal ones, as the venue writes them. api-v5.md 4.6."""

from __future__ import annotations

from exchange.sim.algo_model import AlgoOrder, Attached, Trigger
from exchange.sim.events import AlgoChanged
from exchange.sim.model import Instrument
from exchange.sim.seam import MarketSide
from exchange.sim.surface.rendering.text import UNDOCUMENTED, Row, blank, ms, num


def arm(trigger: Trigger | None, prefix: str) -> Row:
    """The three fields of a take profit ("tp") or stop loss ("sl")."""
    return {
        f"{prefix}TriggerPx": num(trigger.price) if trigger else "",
        f"{prefix}TriggerPxType": trigger.watches if trigger else "",
        f"{prefix}OrdPx": order_px(trigger),
    }


def order_px(trigger: Trigger | None) -> str:
    """-1 is at the market."""
    if trigger is None:
        return ""
    return "-1" if trigger.order_px is None else num(trigger.order_px)


def attached(one: Attached) -> Row:
    return {
        "attachAlgoId": one.algo_id,
        "attachAlgoClOrdId": one.cl_id,
        "tpOrdKind": "condition",
        "sz": num(one.size),
        "failCode": "",
        "failReason": "",
        "amendPxOnTriggerType": "0",
        **blank("tpTriggerRatio slTriggerRatio callbackRatio callbackSpread activePx"),
        **arm(one.take_profit, "tp"),
        **arm(one.stop_loss, "sl"),
    }


def algo_order(a: AlgoOrder, i: Instrument) -> Row:
    trailing = a.trailing
    return {
        "activePx": num(trailing.active_px) if trailing else "",
        "actualPx": num(a.actual_px),
        "actualSide": a.actual_side,
        "actualSz": num(a.actual_size),
        "algoClOrdId": a.cl_id,
        "algoId": a.algo_id,
        "amendPxOnTriggerType": "0",
        "attachAlgoOrds": [attached(one) for one in a.attached],
        "cTime": ms(a.created_ms),
        "callbackRatio": num(trailing.ratio) if trailing else "",
        "callbackSpread": num(trailing.spread) if trailing else "",
        "closeFraction": "1" if a.size is None else "",
        "failCode": a.fail_code,
        "instId": a.inst_id,
        "instType": i.inst_type,
        "isTradeBorrowMode": "",
        "last": num(a.last_px),
        "lever": num(a.leverage) if i.is_swap else "",
        "linkedOrd": {"ordId": ""},
        "moveTriggerPx": num(a.trigger_px),
        "ordId": a.ord_id,
        "ordIdList": [a.ord_id] if a.ord_id else [],
        "ordPx": order_px(a.trigger),
        "ordType": a.kind,
        "posSide": a.pos_side,
        "reduceOnly": "true" if a.reduce_only else "false",
        "side": a.side,
        "state": a.state,
        "sz": num(a.size),
        "tag": a.tag,
        "tdMode": a.td_mode,
        "tgtCcy": a.target_ccy,
        "tradeQuoteCcy": "" if i.is_swap else i.quote,
        "triggerPx": num(a.trigger.price) if a.trigger else "",
        "triggerPxType": a.trigger.watches if a.trigger else "",
        "triggerTime": ms(a.triggered_ms),
        "uTime": ms(a.updated_ms),
        "advanceOrdType": a.then,
        "cxlOnClosePos": "true" if a.with_position else "false",
        **arm(a.take_profit, "tp"),
        **arm(a.stop_loss, "sl"),
        **blank("ccy clOrdId quickMgnType pxLimit pxSpread pxVar szLimit timeInterval"),
        **blank("chaseType chaseVal maxChaseType maxChaseVal"),
        **UNDOCUMENTED,
    }


def algo_push(event: AlgoChanged, i: Instrument, side: MarketSide) -> Row:
    """The algo order object plus what this one event adds."""
    a = event.algo
    price = next((one.price for one in (a.trigger, a.stop_loss, a.take_profit) if one), side.last)
    in_quote = a.target_ccy == "quote_ccy"
    return {
        **algo_order(a, i),
        "actualPx": num(a.actual_px) or "0",
        "amendResult": event.amend_result,
        "notionalUsd": "" if a.size is None else num(a.size if in_quote else a.size * i.ct_val * price),
        "reqId": event.req_id,
    }
