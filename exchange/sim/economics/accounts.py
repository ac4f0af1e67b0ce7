"""Booking: every change of cash or position, with its bill and its counter-entry in the house."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from exchange.sim.economics import fees
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.market import Market
from exchange.sim.model import (
    ZERO,
    AccountState,
    BillRow,
    Execution,
    Order,
    PositionRow,
)

# Bill types and sub types, api-v5.md 3.6.
TRANSFER, TRADE, DELIVERY, LIQUIDATION, FUNDING_FEE, ADL = "1", "2", "3", "5", "8", "9"
_TRADE_SUB = {"buy": "1", "sell": "2"}
_OPEN_SUB = {"buy": "3", "sell": "4"}
_CLOSE_SUB = {"sell": "5", "buy": "6"}  # selling closes a long
_FORCED_SUB = {  # category: (type, {side: sub type}, positions-history type when partly, wholly closed)
    "partial_liquidation": (LIQUIDATION, {"sell": "100", "buy": "101"}, "4", "3"),
    "full_liquidation": (LIQUIDATION, {"sell": "104", "buy": "105"}, "4", "3"),
    "adl": (ADL, {"sell": "125", "buy": "126"}, "5", "6"),
    "delivery": (DELIVERY, {"sell": "112", "buy": "113"}, "1", "2"),
}


def credit(world: World, account: AccountState, ccy: str, change: Decimal, bill: BillRow) -> BillRow:
    """Change the trading balance and file the bill with the balance after it."""
    balance = account.trading.get(ccy, ZERO) + change
    account.trading[ccy] = balance
    filed = replace(
        bill, bill_id=world.next_id(), ccy=ccy, change=change, balance=balance, ts_ms=world.now_ms
    )
    account.bills.append(filed)
    return filed


def new_bill(kind: str, sub_type: str, market: Market | None = None, **details: object) -> BillRow:
    """A bill still without its number, amount and balance: `credit` fills those in."""
    instrument = market.instrument if market else None
    return BillRow(
        bill_id="", kind=kind, sub_type=sub_type, ccy="", change=ZERO, balance=ZERO, ts_ms=0,
        inst_id=instrument.inst_id if instrument else "",
        inst_type=instrument.inst_type if instrument else "",
        **details,  # type: ignore[arg-type]
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Deal:
    """One match, before it is booked. `trade_id` is the instrument's, negative when forced."""

    price: Decimal
    size: Decimal
    trade_id: int
    maker: bool
    fee_free: bool = False


def book_deal(world: World, account: AccountState, order: Order, deal: Deal) -> Execution:
    """Book one fill of an order: cash, position, fee, bills, house. Updates the order too."""
    market = world.markets[order.inst_id]
    book = _book_swap if market.instrument.is_swap else _book_spot
    remaining = order.size - order.filled
    execution = book(world, account, market, order, deal)
    order.filled += deal.size
    order.notional += deal.size * deal.price
    order.fee += execution.fee
    order.fee_ccy = execution.fee_ccy
    order.pnl += execution.pnl
    order.last_fill = execution
    if order.frozen:
        order.frozen *= (order.size - order.filled) / remaining
    account.executions.append(execution)
    return execution


def _book_spot(world: World, account: AccountState, market: Market, order: Order, deal: Deal) -> Execution:
    """A buy's fee is taken in the coin, a sale's in USDT. api-v5.md 7.8."""
    base, quote = market.instrument.base, market.instrument.quote
    rate = _fee_rate(account, market, deal)
    cost = deal.price * deal.size
    sign = 1 if order.side == "buy" else -1
    fee, fee_ccy = (-deal.size * rate, base) if sign > 0 else (-cost * rate, quote)
    sub_type = _TRADE_SUB[order.side]
    bill = new_bill(
        TRADE, sub_type, market, ord_id=order.ord_id, cl_id=order.cl_id, trade_id=str(deal.trade_id),
        size=deal.size, price=deal.price, exec_type="M" if deal.maker else "T",
    )  # fmt: skip
    for ccy, change in ((base, sign * deal.size), (quote, -sign * cost)):
        own_fee = fee if ccy == fee_ccy else ZERO
        filed = credit(world, account, ccy, change + own_fee, replace(bill, fee=own_fee))
        world.house.cash[ccy] -= change
        world.house.fees[ccy] -= own_fee
    return _execution(world, market, order, deal, fee, fee_ccy, rate, ZERO, filed.bill_id, sub_type)


def _book_swap(world: World, account: AccountState, market: Market, order: Order, deal: Deal) -> Execution:
    instrument = market.instrument
    signed = deal.size if order.side == "buy" else -deal.size
    notional = deal.size * instrument.ct_val * deal.price
    rate = _fee_rate(account, market, deal)
    fee = -notional * rate
    row = position(world, account, market)
    closes = row.size * signed < 0
    sub_type = (_CLOSE_SUB if closes else _OPEN_SUB)[order.side]
    kind, history = TRADE, ("1", "2")
    if order.category in _FORCED_SUB:
        kind, subs, *types = _FORCED_SUB[order.category]
        sub_type, history = subs[order.side], (types[0], types[1])
    row.trade_id = str(deal.trade_id)
    closing = min(deal.size, abs(row.size)) if closes else ZERO
    sign = 1 if signed > 0 else -1
    pnl = ZERO
    if closing:
        pnl = change_position(world, account, market, sign * closing, deal.price)
        row.fee += fee * closing / deal.size
    if closing and (kind != TRADE or not row.size):
        _record_close(account, market, row, order, deal, history)
    if deal.size > closing:
        change_position(world, account, market, sign * (deal.size - closing), deal.price)
        row.fee += fee * (deal.size - closing) / deal.size
    bill = new_bill(
        kind, sub_type, market, ord_id=order.ord_id, cl_id=order.cl_id, trade_id=str(deal.trade_id),
        size=deal.size, price=deal.price, pnl=pnl, fee=fee, pos_change=signed, pos_after=row.size,
        exec_type="M" if deal.maker else "T",
    )  # fmt: skip
    filed = credit(world, account, QUOTE, pnl + fee, bill)
    world.house.fees[QUOTE] -= fee
    return _execution(world, market, order, deal, fee, QUOTE, rate, pnl, filed.bill_id, sub_type)


def position(world: World, account: AccountState, market: Market) -> PositionRow:
    """The account's position row of a swap, made when missing; size 0 when closed."""
    inst_id = market.instrument.inst_id
    row = account.positions.get(inst_id)
    if row is None:
        row = account.positions[inst_id] = PositionRow(
            inst_id, world.next_id(), ZERO, ZERO, leverage_of(account, market), world.now_ms, world.now_ms
        )
    return row


def leverage_of(account: AccountState, market: Market) -> Decimal:
    """What the account has set for a swap; the venue starts everybody at 3."""
    return account.leverage.get(market.instrument.inst_id, Decimal(3))


def change_position(
    world: World, account: AccountState, market: Market, signed: Decimal, price: Decimal
) -> Decimal:
    """Move a net position by `signed` contracts at `price`, never across zero; return the PnL, USDT.

    Adding moves the average price, reducing realises against it.
    """
    row = position(world, account, market)
    ct_val = market.instrument.ct_val
    old, pnl = row.size, ZERO
    if not old:
        _start(row, price, world.now_ms)
    elif old * signed > 0:
        row.avg_px = (abs(old) * row.avg_px + abs(signed) * price) / abs(old + signed)
    else:
        pnl = -signed * ct_val * (price - row.avg_px)
        row.realized += pnl
    row.size = old + signed
    row.max_size = max(row.max_size, abs(row.size))
    row.leverage = leverage_of(account, market)
    row.updated_ms = world.now_ms
    world.house.contracts[row.inst_id] -= signed
    world.house.cash[QUOTE] += signed * ct_val * price
    return pnl


def _start(row: PositionRow, price: Decimal, now_ms: int) -> None:
    row.avg_px, row.created_ms = price, now_ms
    row.realized = row.fee = row.funding_fee = row.liq_penalty = row.max_size = ZERO


def _fee_rate(account: AccountState, market: Market, deal: Deal) -> Decimal:
    if deal.fee_free:
        return ZERO
    maker, taker = fees.rates(account.fee_level, market.instrument.inst_type)
    return maker if deal.maker else taker


def _execution(
    world: World, market: Market, order: Order, deal: Deal, fee: Decimal, fee_ccy: str, rate: Decimal,
    pnl: Decimal, bill_id: str, sub_type: str,
) -> Execution:  # fmt: skip
    return Execution(
        trade_id=deal.trade_id,
        ord_id=order.ord_id,
        cl_id=order.cl_id,
        inst_id=order.inst_id,
        side=order.side,
        pos_side=order.pos_side,
        price=deal.price,
        size=deal.size,
        maker=deal.maker,
        fee=fee,
        fee_ccy=fee_ccy,
        fee_rate=-rate,
        pnl=pnl,
        mark_px=market.mark_px,
        index_px=market.index_px,
        ts_ms=world.now_ms,
        bill_id=bill_id,
        sub_type=sub_type,
    )


def _record_close(
    account: AccountState, market: Market, row: PositionRow, order: Order, deal: Deal, types: tuple[str, str]
) -> None:
    long = order.side == "sell"
    realized = row.realized + row.fee + row.funding_fee + row.liq_penalty
    figures = {
        "openAvgPx": row.avg_px, "closeAvgPx": deal.price, "openMaxPos": row.max_size,
        "closeTotalPos": row.max_size - abs(row.size), "realizedPnl": realized, "pnl": row.realized,
        "fee": row.fee, "fundingFee": row.funding_fee, "liqPenalty": row.liq_penalty, "lever": row.leverage,
    }  # fmt: skip
    account.closed_positions.append(
        {name: f"{value:f}" for name, value in figures.items()}
        | {
            "instType": market.instrument.inst_type, "instId": row.inst_id, "mgnMode": "cross",
            "type": types[0] if row.size else types[1], "posId": row.pos_id, "posSide": "net",
            "direction": "long" if long else "short", "cTime": str(row.created_ms),
            "uTime": str(row.updated_ms), "uly": f"{market.instrument.base}-{QUOTE}", "ccy": QUOTE,
        }
    )  # fmt: skip
