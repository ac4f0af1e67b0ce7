"""Booking: every change of cash or position, with its bill and its counter-entry in the house."""

from __future__ import annotations

from decimal import Decimal

from msgspec import Struct

from exchange.sim.economics import fees
from exchange.sim.economics.closed_positions import record_close
from exchange.sim.economics.open_orders import count_fill
from exchange.sim.economics.world import QUOTE, Leg, World, booked, post
from exchange.sim.markets.market import Market
from exchange.sim.model import (
    ZERO,
    AccountState,
    BillRow,
    Execution,
    Order,
    PositionKey,
    PositionRow,
    position_key,
)

CROSS, ISOLATED, NET = "cross", "isolated", "net"
DEFAULT_LEVERAGE = Decimal(3)

# Bill types and sub types, api-v5.md 3.6.
TRANSFER, TRADE, DELIVERY, LIQUIDATION, MARGIN, FUNDING_FEE, ADL = "1", "2", "3", "5", "6", "8", "9"
CLAWBACK = "10"
MARGIN_ADDED, MARGIN_TAKEN, MARGIN_FOLLOWS = "160", "161", "162"
_TRADE_SUB = {"buy": "1", "sell": "2"}
_OPEN_SUB = {"buy": "3", "sell": "4"}
_CLOSE_SUB = {"sell": "5", "buy": "6"}  # selling closes a long
_FORCED_SUB = {  # category: (type, {side: sub type}, positions-history type when partly, wholly closed)
    "partial_liquidation": (LIQUIDATION, {"sell": "100", "buy": "101"}, "4", "3"),
    "full_liquidation": (LIQUIDATION, {"sell": "104", "buy": "105"}, "4", "3"),
    "adl": (ADL, {"sell": "125", "buy": "126"}, "5", "6"),
    "delivery": (DELIVERY, {"sell": "112", "buy": "113"}, "1", "2"),
}

SAME_ID_MS = 30 * 86_400_000  # since the last close

LIQUIDATIONS = ("partial_liquidation", "full_liquidation")


def credit(
    world: World, account: AccountState, ccy: str, change: Decimal, bill: BillRow, *others: Leg
) -> BillRow:
    """Change the trading balance against `others`, and file the bill, complete with the balance after it.

    A bill is filed once and never changed again. Raises Unbalanced when the others do not give what the
    account receives.
    """
    post((account.trading, ccy, change), *others)
    bill.bill_id, bill.ts_ms = world.next_id(), world.now_ms
    bill.ccy, bill.change, bill.balance = ccy, change, account.trading[ccy]
    account.bills.append(bill)
    return bill


def new_bill(kind: str, sub_type: str, market: Market | None = None, **details: object) -> BillRow:
    """A bill still without its number, amount and balance: `credit` fills those in."""
    instrument = market.instrument if market else None
    return BillRow(
        "", kind, sub_type, "", ZERO, ZERO, 0,
        inst_id=instrument.inst_id if instrument else "",
        inst_type=instrument.inst_type if instrument else "",
        **details,  # type: ignore[arg-type]
    )  # fmt: skip


class Deal(Struct, frozen=True, gc=False):
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
    execution = book(world, account, market, order, deal)
    count_fill(account, order, deal.size)
    order.notional += deal.size * deal.price
    order.fee += execution.fee
    order.fee_ccy = execution.fee_ccy
    order.pnl += execution.pnl
    order.last_fill = execution
    account.executions.append(execution)
    return execution


def _book_spot(world: World, account: AccountState, market: Market, order: Order, deal: Deal) -> Execution:
    """A buy's fee is taken in the coin unless the account chose USDT, a sale's in USDT. api-v5.md 7.8."""
    base, quote = market.instrument.base, market.instrument.quote
    rate = _fee_rate(account, market, deal)
    cost = deal.price * deal.size
    sign = 1 if order.side == "buy" else -1
    in_base = sign > 0 and account.fee_type == "0"
    fee, fee_ccy = (booked(-deal.size * rate), base) if in_base else (booked(-cost * rate), quote)
    sub_type = _TRADE_SUB[order.side]
    house = world.house
    for ccy, change in ((base, sign * deal.size), (quote, -sign * cost)):
        own_fee = fee if ccy == fee_ccy else ZERO
        bill = _deal_bill(TRADE, sub_type, market, order, deal, deal.size)
        bill.fee = own_fee
        filed = credit(
            world, account, ccy, change + own_fee, bill,
            (house.cash, ccy, -change), (house.fees, ccy, -own_fee),
        )  # fmt: skip
    return _execution(world, market, order, deal, fee, fee_ccy, rate, ZERO, filed.bill_id, sub_type)


def _book_swap(world: World, account: AccountState, market: Market, order: Order, deal: Deal) -> Execution:
    instrument = market.instrument
    signed = deal.size if order.side == "buy" else -deal.size
    rate = _fee_rate(account, market, deal)
    fee = booked(-deal.size * instrument.ct_val * deal.price * rate)
    row = position(world, account, order.position)
    closes = row.size * signed < 0
    sub_type = (_CLOSE_SUB if closes else _OPEN_SUB)[order.side]
    kind, history = TRADE, ("1", "2")
    if order.category in _FORCED_SUB:
        kind, subs, *types = _FORCED_SUB[order.category]
        sub_type, history = subs[order.side], (types[0], types[1])
    row.trade_id = str(deal.trade_id)
    closing = min(deal.size, abs(row.size)) if closes else ZERO
    opening = deal.size - closing
    sign = 1 if signed > 0 else -1
    pnl = share = ZERO  # `share` of the fee falls to what closes
    bill_id = ""
    if closing:
        share = booked(fee * closing / deal.size) if opening else fee
        bill = _deal_bill(kind, sub_type, market, order, deal, closing)
        turn = turn_position(world, account, market, row, sign * closing, deal.price)
        pnl = turn.pnl
        bill_id = _book_turn(world, account, market, row, turn, share, bill).bill_id
        record_close(account, market, row, order.side, history, kind in (LIQUIDATION, ADL))
    if opening:
        opened = _OPEN_SUB[order.side] if closing else sub_type
        bill = _deal_bill(kind, opened, market, order, deal, opening)
        turn = turn_position(world, account, market, row, sign * opening, deal.price)
        filed = _book_turn(world, account, market, row, turn, fee - share, bill)
        bill_id = bill_id or filed.bill_id  # of the bill that has the fill's sub type
    return _execution(world, market, order, deal, fee, QUOTE, rate, pnl, bill_id, sub_type)


def _deal_bill(
    kind: str, sub_type: str, market: Market, order: Order, deal: Deal, size: Decimal
) -> BillRow:  # fmt: skip
    return BillRow(
        "", kind, sub_type, "", ZERO, ZERO, 0,
        inst_id=order.inst_id, inst_type=market.instrument.inst_type, ord_id=order.ord_id,
        cl_id=order.cl_id, trade_id=str(deal.trade_id), size=size, price=deal.price,
        mode=order.td_mode, exec_type="M" if deal.maker else "T",
    )  # fmt: skip


class Turn(Struct, frozen=True, gc=False):
    """A position has been changed; the money still has to follow: cash gets `pnl` less `margin`."""

    pnl: Decimal
    margin: Decimal  # what an isolated position takes in
    legs: list[Leg]


def turn_position(
    world: World, account: AccountState, market: Market, row: PositionRow, signed: Decimal, price: Decimal
) -> Turn:
    """Move a position by `signed` contracts at `price`, never across zero.

    Adding moves the average price, reducing realises against it. An isolated position takes its margin
    from the account's cash when it grows, and gives it back in proportion when it shrinks.
    """
    key, ct_val, house = row.key, market.instrument.ct_val, world.house
    if not row.size:
        _start(world, row)
    old, entry, pnl, margin = row.size, row.size * row.avg_px, ZERO, ZERO
    row.size = old + signed
    if not old or old * signed > 0:
        row.opened += abs(signed)
        row.opened_value += abs(signed) * price
        row.avg_px = (abs(entry) + abs(signed) * price) / abs(row.size) if old else price
        if key.mode == ISOLATED:
            margin = -booked(-abs(signed) * ct_val * price / leverage_of(account, key))
    else:
        pnl = booked(-signed * ct_val * (price - row.avg_px))
        row.realized += pnl
        row.closed += abs(signed)
        row.closed_value += abs(signed) * price
        if key.mode == ISOLATED:
            own = account.margins[key]
            margin = -booked(own * -signed / old) if row.size else -own
    row.max_size = max(row.max_size, abs(row.size))
    row.leverage = leverage_of(account, key)
    row.updated_ms = world.now_ms
    house.contracts[key.inst_id] -= signed
    legs: list[Leg] = [
        (house.cash, QUOTE, signed * ct_val * price),
        (house.owed, key.inst_id, (entry - row.size * row.avg_px) * ct_val),
    ]
    if margin:
        legs.append((account.margins, key, margin))
    return Turn(pnl, margin, legs)


def family_of(market: Market) -> str:
    """The contract family a swap belongs to, which is also the name of its underlying."""
    return f"{market.instrument.base}-{market.instrument.quote}"


def _book_turn(
    world: World, account: AccountState, market: Market, row: PositionRow, turn: Turn, fee: Decimal,
    bill: BillRow,
) -> BillRow:  # fmt: skip
    """The fee of a liquidation is a penalty, and goes to the insurance fund."""
    penalty = bill.kind == LIQUIDATION
    if penalty:
        row.liq_penalty += fee
    else:
        row.fee += fee
    bill.pnl, bill.fee = turn.pnl, fee
    if turn.margin:
        bill.margin_change = turn.margin
        bill.margin = account.margins.get(row.key, ZERO) + turn.margin
    change = turn.pnl + fee - turn.margin
    house = world.house
    earned: Leg = (house.insurance, family_of(market), -fee) if penalty else (house.fees, QUOTE, -fee)
    return credit(world, account, QUOTE, change, bill, earned, *turn.legs)


def move_margin(
    world: World, account: AccountState, key: PositionKey, change: Decimal, sub_type: str, market: Market
) -> None:
    """Take margin for an isolated position out of the account's cash, or give some back (negative)."""
    after = account.margins[key] + change
    bill = new_bill(MARGIN, sub_type, market, mode=key.mode, margin_change=change, margin=after)
    credit(world, account, QUOTE, -change, bill, (account.margins, key, change))
    account.positions[key].updated_ms = world.now_ms


def position(world: World, account: AccountState, key: PositionKey) -> PositionRow:
    """The account's position row, made when missing; size 0 when closed."""
    row = account.positions.get(key)
    if row is None:
        row = account.positions[key] = PositionRow(
            key, world.next_id(), ZERO, ZERO, leverage_of(account, key), world.now_ms, world.now_ms
        )
    return row


def held(account: AccountState, key: PositionKey) -> Decimal:
    """Contracts of a position, negative when short."""
    row = account.positions.get(key)
    return row.size if row else ZERO


def leverage_key(key: PositionKey) -> PositionKey:
    """What a leverage is set for: cross per swap, isolated per swap and side. api-v5.md 3.4."""
    return key if key.side == NET or key.mode != CROSS else position_key(key.inst_id)


def leverage_of(account: AccountState, key: PositionKey) -> Decimal:
    """What the account has set for a position; the venue starts everybody at 3."""
    return account.leverage.get(leverage_key(key), DEFAULT_LEVERAGE)


def _start(world: World, row: PositionRow) -> None:
    """A position opens, anew perhaps: it keeps its id if it was closed lately. api-v5.md 3.3."""
    if world.now_ms - row.updated_ms > SAME_ID_MS:
        row.pos_id = world.next_id()
    row.created_ms = world.now_ms
    row.realized = row.fee = row.funding_fee = row.liq_penalty = row.max_size = ZERO
    row.opened = row.opened_value = row.closed = row.closed_value = ZERO


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
        deal.trade_id, order.ord_id, order.cl_id, order.inst_id, order.side, order.pos_side,
        deal.price, deal.size, deal.maker, fee, fee_ccy, -rate, pnl,
        market.mark_px, market.index_px, world.now_ms, bill_id, sub_type,
    )  # fmt: skip
