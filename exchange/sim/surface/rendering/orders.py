"""An account's orders, fills, ledger rows and transfers as the venue writes them."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.account_figures import AccountFigures
from exchange.sim.events import Amendment
from exchange.sim.model import ZERO, BillRow, Execution, Instrument, Order, PositionKey, Transfer
from exchange.sim.seam import MarketSide, OrderEffect
from exchange.sim.surface.rendering.algos import attached
from exchange.sim.surface.rendering.text import UNDOCUMENTED, Row, blank, ms, num

NOT_AMENDED = Amendment("", "")


def order_fee_ccy(order: Order, i: Instrument) -> str:
    """Charged in what is received: the coin of a spot buy, else the quote or settle currency."""
    return order.fee_ccy or (i.base if order.side == "buy" and not i.is_swap else i.quote)


def order(o: Order, i: Instrument, avg_if_unfilled: str = "") -> Row:
    """The order object of section 4.3. `avgPx` of an unfilled order is "" by REST and "0" by push."""
    fill = o.last_fill
    return {
        "accFillSz": num(o.filled),
        "algoClOrdId": o.algo_cl_id,
        "algoId": o.algo_id,
        "attachAlgoClOrdId": "",
        "attachAlgoOrds": [attached(one) for one in o.attached],
        "avgPx": num(o.avg_px) if o.filled else avg_if_unfilled,
        "cTime": ms(o.created_ms),
        "cancelSource": o.cancel_source,
        "cancelSourceReason": "",
        "category": o.category,
        "ccy": "",
        "clOrdId": o.cl_id,
        "fee": num(min(o.fee, ZERO)),
        "feeCcy": order_fee_ccy(o, i),
        "fillPx": num(fill.price) if fill else "",
        "fillSz": num(fill.size) if fill else "0",
        "fillTime": ms(fill.ts_ms) if fill else "",
        "instId": o.inst_id,
        "instType": i.inst_type,
        "isTpLimit": "false",
        "lever": num(o.leverage) if i.is_swap else "",
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": o.ord_id,
        "ordType": o.kind,
        "pnl": num(o.pnl),
        "posSide": o.pos_side,
        "px": num(o.price),
        "pxType": "",
        "pxUsd": "",
        "pxVol": "",
        "quickMgnType": "",
        "rebate": num(max(o.fee, ZERO)),
        "rebateCcy": i.quote,
        "reduceOnly": "true" if o.reduce_only else "false",
        "side": o.side,
        "slOrdPx": "",
        "slTriggerPx": "",
        "slTriggerPxType": "",
        "source": o.source,
        "state": o.state,
        "stpId": "",
        "stpMode": o.stp,
        "sz": num(o.size),
        "tag": o.tag,
        "tdMode": o.td_mode,
        "tgtCcy": o.target_ccy,
        "tpOrdPx": "",
        "tpTriggerPx": "",
        "tpTriggerPxType": "",
        "tradeId": str(fill.trade_id) if fill else "",
        "tradeQuoteCcy": "" if i.is_swap else i.quote,
        "uTime": ms(o.updated_ms),
        **UNDOCUMENTED,
    }


def order_push(
    o: Order,
    i: Instrument,
    side: MarketSide,
    execution: Execution | None,
    amendment: Amendment = NOT_AMENDED,
) -> Row:
    """The order object plus what this one event adds; an event without a fill has fillSz "0"."""
    row = order(o, i, avg_if_unfilled="0")
    in_quote = o.target_ccy == "quote_ccy"
    row["notionalUsd"] = num(o.size if in_quote else o.size * i.ct_val * (o.price or side.last))
    row["lastPx"] = num(side.last)
    row["reqId"], row["amendResult"], row["code"], row["msg"] = amendment
    row["amendSource"] = o.amend_source
    row.update(blank("fillFwdPx fillMarkVol fillPxUsd fillPxVol"))  # of options
    if execution is None:
        row.update(
            fillPx="", fillSz="0", tradeId="", fillTime="", fillPnl="0", fillFee="0", fillFeeCcy="",
            fillMarkPx="", fillIdxPx="", execType="", fillNotionalUsd="",
        )  # fmt: skip
    else:
        e = execution
        row.update(
            fillPx=num(e.price), fillSz=num(e.size), tradeId=str(e.trade_id), fillTime=ms(e.ts_ms),
            fillPnl=num(e.pnl), fillFee=num(e.fee), fillFeeCcy=e.fee_ccy, fillMarkPx=num(e.mark_px),
            fillIdxPx=num(e.index_px), execType="M" if e.maker else "T",
            fillNotionalUsd=num(e.size * i.ct_val * e.price),
        )  # fmt: skip
    return row


def fill(e: Execution, i: Instrument, tag: str) -> Row:
    return {
        "instType": i.inst_type,
        "instId": e.inst_id,
        "tradeId": str(e.trade_id),
        "ordId": e.ord_id,
        "clOrdId": e.cl_id,
        "billId": e.bill_id,
        "subType": e.sub_type,
        "tag": tag,
        "fillPx": num(e.price),
        "fillSz": num(e.size),
        "fillIdxPx": num(e.index_px),
        "fillPnl": num(e.pnl),
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "fillMarkPx": num(e.mark_px) if i.is_swap else "",
        "side": e.side,
        "posSide": e.pos_side,
        "execType": "M" if e.maker else "T",
        "feeCcy": e.fee_ccy,
        "fee": num(e.fee),
        "feeRate": num(e.fee_rate),
        "ts": ms(e.ts_ms),
        "fillTime": ms(e.ts_ms),
        "tradeQuoteCcy": "" if i.is_swap else i.quote,
        **UNDOCUMENTED,
    }


_TRANSFER_NOTES = {"11": "From Funding Account", "12": "To Funding Account"}


def effect(e: OrderEffect, key: PositionKey) -> Row:
    """What an order would change: each figure afterwards, and by how much it changes."""
    before, after = e.before, e.after
    row = blank("posBal posBalChg type liabChgCcy")
    pairs = {
        "adjEq": (before.adjusted_equity, after.adjusted_equity),
        "imr": (before.imr, after.imr),
        "mmr": (before.mmr, after.mmr),
        "mgnRatio": (before.mgn_ratio, after.mgn_ratio),
        "availBal": (_available(before), _available(after)),
        "liab": (before.borrowed_usd, after.borrowed_usd),
    }
    for name, (was, now) in pairs.items():
        row[name], row[f"{name}Chg"] = num(now or ZERO), num((now or ZERO) - (was or ZERO))
    position = after.positions.get(key)
    liq_px = position.liq_px if position else None
    row["liqPx"] = num(liq_px)
    row["liqPxDiff"] = num(liq_px - e.mark_px) if liq_px else ""
    row["liqPxDiffRatio"] = num((liq_px - e.mark_px) / e.mark_px) if liq_px else ""
    return row


def _available(figures: AccountFigures) -> Decimal:
    usdt = figures.coins.get("USDT")
    return usdt.available if usdt else ZERO


def bill(b: BillRow) -> Row:
    return {
        "instType": b.inst_type,
        "billId": b.bill_id,
        "type": b.kind,
        "subType": b.sub_type,
        "ts": ms(b.ts_ms),
        "balChg": num(b.change),
        "posBalChg": num(b.margin_change),
        "bal": num(b.balance),
        "posBal": num(b.margin),
        "sz": num(b.size),
        "px": num(b.price),
        "ccy": b.ccy,
        "pnl": num(b.pnl),
        "fee": num(b.fee),
        "interest": num(b.interest),
        "mgnMode": b.mode,
        "instId": b.inst_id,
        "ordId": b.ord_id,
        "clOrdId": b.cl_id,
        "tradeId": b.trade_id,
        "execType": b.exec_type,
        "from": b.source,
        "to": b.dest,
        "notes": _TRANSFER_NOTES.get(b.sub_type, "") if b.kind == "1" else "",
        "tag": "",
        "fillTime": ms(b.ts_ms) if b.trade_id else "",
        "fillIdxPx": "",
        "fillMarkPx": "",
        "fillMarkVol": "",
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillFwdPx": "",
        "earnAmt": "",
        "earnApr": "",
        **UNDOCUMENTED,
    }


def transfer_state(t: Transfer) -> Row:
    return {
        "transId": t.transfer_id,
        "clientId": t.client_id,
        "ccy": t.ccy,
        "amt": num(t.amount),
        "from": t.source,
        "to": t.dest,
        "state": t.state,
        "type": "0",
        "subAcct": "",
        "instId": "",
        "toInstId": "",
    }


def wallet(ccy: str, amount: Decimal) -> Row:
    return {"ccy": ccy, "bal": num(amount), "frozenBal": "0", "availBal": num(amount)}
