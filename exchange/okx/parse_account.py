"""Private payloads to domain types. Pure; raises BadPayload on what cannot be read.

Signs: a fee is negative when charged, as the venue books it; only fee *rates* are turned around,
because the engine's rates are costs when positive.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from core.types import (
    AccountConfig,
    AccountMode,
    AccountSnapshot,
    Balance,
    Bill,
    BillKind,
    Contracts,
    Fill,
    OrderRecord,
    OrderStatus,
    Position,
    Side,
    TransferRecord,
    TransferStatus,
    Wallet,
)
from exchange.account_data import BalancePush, CashPush, PositionPush
from exchange.okx import wire
from exchange.okx.fields import maybe, millis, number, one_of, or_zero, positive, unreadable, word

MODES: Final = {
    "1": AccountMode.SPOT,
    "2": AccountMode.FUTURES,
    "3": AccountMode.MULTI,
    "4": AccountMode.PORTFOLIO,
}
WALLETS: Final = {"6": Wallet.FUNDING, "18": Wallet.TRADING}
WALLET_CODES: Final = {wallet: code for code, wallet in WALLETS.items()}
_SIDES: Final = {side.value: side for side in Side}
_STATES: Final = {s.value: s for s in OrderStatus} | {"mmp_canceled": OrderStatus.CANCELED}
_TRANSFERS: Final = {status.value: status for status in TransferStatus}
BILLS: Final = {
    "1": BillKind.TRANSFER,
    "2": BillKind.TRADE,
    "4": BillKind.INTEREST,
    "5": BillKind.LIQUIDATION,
    "6": BillKind.MARGIN,
    "7": BillKind.INTEREST,
    "8": BillKind.FUNDING,
    "9": BillKind.ADL,
    "10": BillKind.CLAWBACK,
}
_MARGIN_CCY: Final = "USDT"


# --- orders -----------------------------------------------------------------------------------


def order(row: wire.Order) -> OrderRecord:
    filled = or_zero("accFillSz", row.acc_fill_sz, row)
    return OrderRecord(
        cl_id=row.cl_ord_id or "",
        ord_id=word("ordId", row.ord_id, row),
        inst_id=word("instId", row.inst_id, row),
        side=one_of("side", row.side, _SIDES, row),
        status=one_of("state", row.state, _STATES, row),
        size=number("sz", row.sz, row),
        filled=filled,
        # "" by REST but "0" by push while nothing has filled
        avg_px=positive("avgPx", row.avg_px, row) if filled else None,
        fee=or_zero("fee", row.fee, row),
        fee_ccy=row.fee_ccy or "",
        updated_ms=millis("uTime", row.u_time, row),
        category=row.category or "normal",
        cancel_source=row.cancel_source or "",
        algo_cl_id=row.algo_cl_ord_id or "",
    )


def pushed_fill(row: wire.Order) -> Fill | None:
    """Return the execution an order push tells of; None when the push is about something else.

    The extra `filled` message that ends a spot market order has no trade id: not a fill. A push that
    leaves out this fill's own fee tells it only when the whole order is this one fill; otherwise the
    fill is left to REST, where fees are always told.
    """
    if not row.trade_id or not or_zero("fillSz", row.fill_sz, row):
        return None
    fee, fee_ccy = row.fill_fee, row.fill_fee_ccy
    if not fee:
        if or_zero("accFillSz", row.acc_fill_sz, row) != number("fillSz", row.fill_sz, row):
            return None
        fee, fee_ccy = row.fee, row.fee_ccy
    return Fill(
        inst_id=word("instId", row.inst_id, row),
        trade_id=row.trade_id,
        ord_id=word("ordId", row.ord_id, row),
        cl_id=row.cl_ord_id or "",
        side=one_of("side", row.side, _SIDES, row),
        px=positive("fillPx", row.fill_px, row),
        size=positive("fillSz", row.fill_sz, row),
        fee=or_zero("fillFee", fee, row),
        fee_ccy=fee_ccy or "",
        ts_ms=millis("fillTime", row.fill_time or row.u_time, row),
        maker=row.exec_type == "M",
    )


def fill(row: wire.FillRow) -> Fill:
    return Fill(
        inst_id=word("instId", row.inst_id, row),
        trade_id=word("tradeId", row.trade_id, row),
        ord_id=word("ordId", row.ord_id, row),
        cl_id=row.cl_ord_id or "",
        side=one_of("side", row.side, _SIDES, row),
        px=positive("fillPx", row.fill_px, row),
        size=positive("fillSz", row.fill_sz, row),
        fee=or_zero("fee", row.fee, row),
        fee_ccy=row.fee_ccy or "",
        ts_ms=millis("fillTime", row.fill_time or row.ts, row),
        maker=row.exec_type == "M",
        bill_id=row.bill_id or "",
    )


# --- account ----------------------------------------------------------------------------------


def config(row: wire.Config) -> AccountConfig:
    """Read what key and account may do. Fee type 1 takes spot fees in the quote currency."""
    return AccountConfig(
        uid=word("uid", row.uid, row),
        mode=one_of("acctLv", row.acct_lv, MODES, row),
        net_positions=one_of("posMode", row.pos_mode, {"net_mode": True, "long_short_mode": False}, row),
        permissions=frozenset(p for p in (row.perm or "").split(",") if p),
        ip_bound=bool(row.ip),
        auto_loan=row.auto_loan in (True, "true"),
        fee_in_quote=row.fee_type == "1",
    )


def snapshot(
    push: BalancePush, positions: Iterable[tuple[Position, int]], mode: AccountMode, seen_ms: int
) -> AccountSnapshot:
    """Join what the balance and positions replies said."""
    held = [p for p, _ in positions if p.contracts]
    return AccountSnapshot(
        mode=mode,
        balances={balance.ccy: balance for balance, _ in push.balances},
        positions={p.inst_id: p for p in held if not p.is_stray},
        # An account never used has no numbers at all
        total_equity_usd=push.total_equity_usd or Decimal(0),
        ts_ms=push.ts_ms,
        seen_ms=seen_ms,
        adjusted_equity_usd=push.adjusted_equity_usd,
        mgn_ratio=push.mgn_ratio,
        strays={p.key: p for p in held if p.is_stray},
    )


def balances(row: wire.AccountBalance, default_ms: int) -> BalancePush:
    """Read the account object. In futures mode the margin ratio stands with USDT, not on top."""
    details = row.details or []
    ts_ms = millis("uTime", row.u_time, row) if row.u_time else default_ms
    margin = next((d.mgn_ratio for d in details if d.ccy == _MARGIN_CCY), None)
    return BalancePush(
        balances=tuple((_balance(d), millis("uTime", d.u_time, d) if d.u_time else ts_ms) for d in details),
        ts_ms=ts_ms,
        total_equity_usd=maybe("totalEq", row.total_eq, row),
        adjusted_equity_usd=maybe("adjEq", row.adj_eq, row),
        mgn_ratio=maybe("mgnRatio", row.mgn_ratio or margin, row),
        tells_margin=bool(row.mgn_ratio) or margin is not None,
    )


def _balance(row: wire.CcyBalance) -> Balance:
    """Of the margin currency only what is free as cash and as margin counts as available."""
    cash = number("cashBal", row.cash_bal, row)
    equity = maybe("eq", row.eq, row)
    free = or_zero("availBal", row.avail_bal, row)
    margin = maybe("availEq", row.avail_eq, row) if row.ccy == _MARGIN_CCY else None
    return Balance(
        ccy=word("ccy", row.ccy, row),
        cash=cash,
        equity=cash if equity is None else equity,
        available=free if margin is None else min(free, margin),
        liability=or_zero("liab", row.liab, row),
        discounted_usd=maybe("disEq", row.dis_eq, row),
    )


def position(row: wire.PositionRow, default_ms: int, *, sleeve: bool = False) -> tuple[Position, int]:
    """Read a position and the time of its last change; a closed one has zero contracts.

    The sign of `pos` is the direction in net mode; in long/short mode it is `posSide`. `sleeve` says whose
    account it is in.
    """
    size = or_zero("pos", row.pos, row)
    avg_px = or_zero("avgPx", row.avg_px, row)
    read = Position(
        inst_id=word("instId", row.inst_id, row),
        contracts=Contracts(-abs(size) if row.pos_side == "short" else size),
        avg_px=avg_px,
        mark_px=maybe("markPx", row.mark_px, row) or avg_px,
        upl=or_zero("upl", row.upl, row),
        leverage=or_zero("lever", row.lever, row),
        liq_px=maybe("liqPx", row.liq_px, row),
        mgn_ratio=maybe("mgnRatio", row.mgn_ratio, row),
        adl_rank=int(or_zero("adl", row.adl, row)),
        isolated=row.mgn_mode == "isolated",
        long_side=row.pos_side == "long",
        in_sleeve=sleeve,
        margin=maybe("margin", row.margin, row),
    )
    if read.contracts and avg_px <= 0:
        unreadable("avgPx", row.avg_px, row)
    return read, millis("uTime", row.u_time, row) if row.u_time else default_ms


def positions(rows: Iterable[wire.PositionRow], default_ms: int, *, sleeve: bool = False) -> PositionPush:
    swaps = (row for row in rows if row.inst_type == "SWAP")
    return PositionPush(tuple(position(row, default_ms, sleeve=sleeve) for row in swaps))


def cash(row: wire.BalanceAndPosition, default_ms: int, *, sleeve: bool = False) -> CashPush:
    swaps = positions(row.pos_data or [], default_ms, sleeve=sleeve).positions
    return CashPush(
        cash=tuple(
            (
                word("ccy", c.ccy, c),
                number("cashBal", c.cash_bal, c),
                millis("uTime", c.u_time, c) if c.u_time else default_ms,
            )
            for c in row.bal_data or []
        ),
        sizes=tuple((p.inst_id, p.contracts, p.avg_px, ts_ms) for p, ts_ms in swaps if not p.is_stray),
    )


def leverage(row: wire.Leverage) -> Decimal:
    return positive("lever", row.lever, row)


def fee_pair(row: wire.TradeFee, group_id: str, *, swap: bool) -> tuple[Decimal, Decimal]:
    """Return (maker, taker) as costs; the venue's sign is the other way round.

    Newer replies list rates by fee group; older ones have plain fields, where a USDT-margined swap's
    are the ones ending in U.
    """
    maker, taker = row.maker, row.taker
    if swap and row.taker_u:
        maker, taker = row.maker_u, row.taker_u
    for group in row.fee_group or []:
        if group.group_id == group_id:
            maker, taker = group.maker, group.taker
    return -number("maker", maker, row), -number("taker", taker, row)


def bill(row: wire.BillRow) -> Bill:
    raw_type = word("type", row.type, row)
    return Bill(
        bill_id=word("billId", row.bill_id, row),
        kind=BILLS.get(raw_type, BillKind.OTHER),
        raw_type=f"{raw_type}/{row.sub_type or ''}",
        ccy=word("ccy", row.ccy, row),
        change=number("balChg", row.bal_chg, row),
        ts_ms=millis("ts", row.ts, row),
        inst_id=row.inst_id or "",
        ord_id=row.ord_id or "",
        trade_id=row.trade_id or "",
        px=maybe("px", row.px, row),
        size=maybe("sz", row.sz, row),
        pnl=or_zero("pnl", row.pnl, row),
        fee=or_zero("fee", row.fee, row),
        interest=or_zero("interest", row.interest, row),
    )


def wallet(row: wire.FundingBalance) -> tuple[str, Decimal]:
    return word("ccy", row.ccy, row), number("availBal", row.avail_bal, row)


def transfer(row: wire.Transfer) -> TransferRecord:
    return TransferRecord(
        transfer_id=word("transId", row.trans_id, row),
        client_id=row.client_id or "",
        ccy=word("ccy", row.ccy, row),
        amount=number("amt", row.amt, row),
        source=one_of("from", row.from_, WALLETS, row),
        dest=one_of("to", row.to, WALLETS, row),
        status=one_of("state", row.state, _TRANSFERS, row),
    )
