"""Moving money between the funding wallet (6) and the trading account (18): it takes a second."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics import freeze
from exchange.sim.economics.accounts import TRANSFER, credit, new_bill
from exchange.sim.economics.margin import standing
from exchange.sim.economics.world import QUOTE, World, booked, post
from exchange.sim.model import ZERO, AccountState, Reject, Transfer

FUNDING, TRADING = "6", "18"
TAKES_MS = 1_000
COIN_DECIMALS = 8  # no smaller part of a coin moves


def ask(
    world: World, account: AccountState, ccy: str, amount: Decimal, source: str, dest: str, client_id: str
) -> Transfer:
    """Take the amount out of its wallet; it arrives later. Raises Reject and moves nothing otherwise."""
    if {source, dest} != {FUNDING, TRADING}:
        raise Reject("58114" if source == dest else "51000", "Parameter from/to error")
    if amount <= 0:
        raise Reject("58114", "Transfer amount must be greater than 0.")
    if world.settling:
        raise Reject("58111", "Unable to transfer while the perpetual contract is charging funding fees.")
    freeze.check_currency(world, account, ccy)
    if source == FUNDING:
        if account.funding.get(ccy, ZERO) < amount:
            raise Reject("58350", "Insufficient balance.")
        post((account.funding, ccy, -amount), (world.transit, ccy, amount))
    else:
        if max_withdrawal(world, account, ccy) < amount:
            raise Reject("58116", "Transfer amount exceeds the available amount.")
        bill = new_bill(TRANSFER, "12", size=-amount, source=TRADING, dest=FUNDING)
        credit(world, account, ccy, -amount, bill, (world.transit, ccy, amount))
        world.tell_account(account, "transferred", (ccy,))
    move = Transfer(world.next_id(), client_id, ccy, amount, source, dest, "pending", world.now_ms)
    account.transfers[move.transfer_id] = move
    world.moving.append((account, move))
    return move


def max_withdrawal(world: World, account: AccountState, ccy: str) -> Decimal:
    """What may leave the trading account: free cash that no position or order needs as margin."""
    now = standing(world, account)
    free = now.own(account, ccy)
    if now.multi and (now.exposures or now.loans or now.loan_imr or now.order_margin):
        price = world.index(ccy)
        free = min(free, max(ZERO, now.free) / price) if price else free
    elif ccy == QUOTE:
        free = min(free, max(ZERO, now.free))
    return booked(free, COIN_DECIMALS)


def complete_due(world: World) -> None:
    while world.moving and world.moving[0][1].created_ms + TAKES_MS <= world.now_ms:
        account, move = world.moving.popleft()
        move.state = "success"
        if move.dest == FUNDING:
            post((world.transit, move.ccy, -move.amount), (account.funding, move.ccy, move.amount))
            continue
        bill = new_bill(TRANSFER, "11", size=move.amount, source=FUNDING, dest=TRADING)
        credit(world, account, move.ccy, move.amount, bill, (world.transit, move.ccy, -move.amount))
        world.tell_account(account, "transferred", (move.ccy,))


def next_due_ms(world: World) -> int | None:
    return world.moving[0][1].created_ms + TAKES_MS if world.moving else None
