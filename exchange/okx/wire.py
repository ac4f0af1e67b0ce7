"""The venue's payloads as they travel: everything is text, and "" or null means absent.

Only the fields the engine reads are listed; the decoder skips the others. Names are the venue's own
in snake case (inst_id is instId, s_code is sCode). What a field means: OKX API v5 documentation.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

Text = str | None
W = TypeVar("W")


class _Wire(msgspec.Struct, rename="camel", gc=False):
    """Base of all payloads: camel case outside, every field absent unless sent."""


# --- envelopes --------------------------------------------------------------------------------


class Head(_Wire):
    """The part of a REST reply that says whether the rest is worth reading."""

    code: str
    msg: Text = ""


class Reply(msgspec.Struct, Generic[W]):
    data: list[W] | None


class Arg(_Wire):
    """A subscription: what was asked for, echoed with every push."""

    channel: str = ""
    inst_type: Text = ""
    inst_id: Text = ""


class Frame(_Wire):
    """Any stream message: an event (ack, error, notice) or a push with its data still undecoded."""

    event: str = ""
    code: Text = ""
    msg: Text = ""
    channel: Text = ""
    arg: Arg | None = None
    action: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


# --- market -----------------------------------------------------------------------------------


class Instrument(_Wire):
    inst_type: Text = ""
    inst_id: Text = ""
    base_ccy: Text = ""
    quote_ccy: Text = ""
    settle_ccy: Text = ""
    ct_val: Text = ""
    ct_mult: Text = ""
    ct_val_ccy: Text = ""
    ct_type: Text = ""
    lot_sz: Text = ""
    min_sz: Text = ""
    tick_sz: Text = ""
    max_lmt_sz: Text = ""
    lever: Text = ""
    state: Text = ""
    exp_time: Text = ""
    group_id: Text = ""


class Ticker(_Wire):
    inst_id: Text = ""
    last: Text = ""
    # swap: coins; spot: quote currency. Named by hand: the camel rule would write 24H
    vol_ccy_24h: Text = msgspec.field(default="", name="volCcy24h")


class BookLevel(msgspec.Struct, array_like=True, gc=False):
    """[price, size, ...]: decoded straight to Decimal, the only numbers that come by the hundred."""

    px: Decimal
    sz: Decimal


class BookData(_Wire):
    asks: list[BookLevel]
    bids: list[BookLevel]
    ts: Text = ""
    seq_id: int = -1
    prev_seq_id: int = -1


CandleRow = list[str]  # ts, o, h, l, c, vol, volCcy, volCcyQuote, confirm


class FundingRate(_Wire):
    inst_id: Text = ""
    funding_rate: Text = ""
    funding_time: Text = ""
    next_funding_time: Text = ""
    min_funding_rate: Text = ""
    max_funding_rate: Text = ""
    sett_state: Text = ""
    sett_funding_rate: Text = ""


class FundingHistory(_Wire):
    funding_time: Text = ""
    funding_rate: Text = ""
    realized_rate: Text = ""


class MarkPrice(_Wire):
    inst_id: Text = ""
    mark_px: Text = ""


class PriceLimit(_Wire):
    inst_id: Text = ""
    buy_lmt: Text = ""  # the highest price of a buy; "" where there is no limit
    sell_lmt: Text = ""


class IndexTicker(_Wire):
    inst_id: Text = ""
    idx_px: Text = ""


class OpenInterest(_Wire):
    inst_id: Text = ""
    oi_ccy: Text = ""  # coins


class Time(_Wire):
    ts: Text = ""


class Status(_Wire):
    title: Text = ""
    state: Text = ""
    begin: Text = ""
    end: Text = ""
    env: Text = ""  # 1 live, 2 demo


# --- account ----------------------------------------------------------------------------------


class Config(_Wire):
    uid: Text = ""
    acct_lv: Text = ""
    pos_mode: Text = ""
    perm: Text = ""
    ip: Text = ""
    auto_loan: bool | str | None = None
    fee_type: Text = ""


class CcyBalance(_Wire):
    ccy: Text = ""
    cash_bal: Text = ""
    eq: Text = ""
    avail_bal: Text = ""
    avail_eq: Text = ""
    liab: Text = ""
    dis_eq: Text = ""
    mgn_ratio: Text = ""
    u_time: Text = ""


class AccountBalance(_Wire):
    u_time: Text = ""
    total_eq: Text = ""
    adj_eq: Text = ""
    mgn_ratio: Text = ""
    details: list[CcyBalance] | None = None


class PositionRow(_Wire):
    inst_type: Text = ""
    inst_id: Text = ""
    mgn_mode: Text = ""
    pos_side: Text = ""
    pos: Text = ""
    avg_px: Text = ""
    mark_px: Text = ""
    upl: Text = ""
    lever: Text = ""
    liq_px: Text = ""
    margin: Text = ""
    mgn_ratio: Text = ""
    adl: Text = ""
    u_time: Text = ""


class CashRow(_Wire):
    ccy: Text = ""
    cash_bal: Text = ""
    u_time: Text = ""


class BalanceAndPosition(_Wire):
    bal_data: list[CashRow] | None = None
    pos_data: list[PositionRow] | None = None


class Leverage(_Wire):
    lever: Text = ""


class FeeGroup(_Wire):
    group_id: Text = ""
    maker: Text = ""
    taker: Text = ""


class TradeFee(_Wire):
    fee_group: list[FeeGroup] | None = None
    maker: Text = ""
    taker: Text = ""
    maker_u: Text = ""
    taker_u: Text = ""


class BillRow(_Wire):
    bill_id: Text = ""
    type: Text = ""
    sub_type: Text = ""
    ccy: Text = ""
    bal_chg: Text = ""
    ts: Text = ""
    inst_id: Text = ""
    ord_id: Text = ""
    trade_id: Text = ""
    px: Text = ""
    sz: Text = ""
    pnl: Text = ""
    fee: Text = ""
    interest: Text = ""


class FundingBalance(_Wire):
    ccy: Text = ""
    avail_bal: Text = ""


class Transfer(_Wire):
    trans_id: Text = ""
    client_id: Text = ""
    ccy: Text = ""
    amt: Text = ""
    from_: Text = msgspec.field(default="", name="from")
    to: Text = ""
    state: Text = ""


# --- trade ------------------------------------------------------------------------------------


class Ack(_Wire):
    """The answer to an order or a cancel: acceptance of one item, or why not."""

    ord_id: Text = ""
    cl_ord_id: Text = ""
    s_code: Text = ""
    s_msg: Text = ""


class AlgoAck(Ack):
    """The same about an order that waits for a price."""

    algo_id: Text = ""


class TimerAck(_Wire):
    trigger_time: Text = ""


class Order(_Wire):
    """An order, by REST or as a push; the push also tells the last fill (fill_*, trade_id)."""

    inst_id: Text = ""
    ord_id: Text = ""
    cl_ord_id: Text = ""
    side: Text = ""
    state: Text = ""
    sz: Text = ""
    acc_fill_sz: Text = ""
    avg_px: Text = ""
    fee: Text = ""
    fee_ccy: Text = ""
    category: Text = ""
    cancel_source: Text = ""
    algo_cl_ord_id: Text = ""
    u_time: Text = ""
    trade_id: Text = ""
    fill_px: Text = ""
    fill_sz: Text = ""
    fill_fee: Text = ""
    fill_fee_ccy: Text = ""
    fill_time: Text = ""
    exec_type: Text = ""


class Algo(_Wire):
    """An order that waits for a price; only the stop loss of a conditional one is read."""

    inst_type: Text = ""
    inst_id: Text = ""
    algo_id: Text = ""
    algo_cl_ord_id: Text = ""
    ord_id: Text = ""
    ord_id_list: list[str] | None = None
    side: Text = ""
    state: Text = ""
    sz: Text = ""
    sl_trigger_px: Text = ""
    sl_ord_px: Text = ""
    c_time: Text = ""


class FillRow(_Wire):
    inst_id: Text = ""
    trade_id: Text = ""
    ord_id: Text = ""
    cl_ord_id: Text = ""
    bill_id: Text = ""
    side: Text = ""
    fill_px: Text = ""
    fill_sz: Text = ""
    fee: Text = ""
    fee_ccy: Text = ""
    exec_type: Text = ""
    ts: Text = ""
    fill_time: Text = ""
