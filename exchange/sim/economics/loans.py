"""Borrowing in multi-currency mode: interest by the hour, and repayment by force.

A coin whose equity is below zero is owed, whether cash was spent or a loss is not realised yet. The
part beyond the interest-free quota costs interest at every full hour (bill type 7). When the account can
no longer carry its loans, or owes more than its quota, coins it has are sold for them (bill type 4).
Source: api-v5.md 7.2, 7.3, recorded rates and quotas.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics.accounts import credit, new_bill
from exchange.sim.economics.margin import MULTI, Standing, standing
from exchange.sim.economics.matching import BORROW_CAP, cancel
from exchange.sim.economics.world import QUOTE, World, booked
from exchange.sim.markets.instruments import loan_quota, loan_terms
from exchange.sim.model import ZERO, AccountState, InterestRow

HOUR_MS = 3_600_000
INTEREST, REPAYMENT = "7", "4"  # bill types
DEDUCTED, REPAID_BUY, REPAID_SELL = "9", "114", "115"  # sub types
REPAYMENT_COST = Decimal("0.005")  # what a forced sale loses against the index; goes to the venue


def next_due_ms(world: World) -> int | None:
    """The next full hour, while any account could owe something."""
    if any(_may_owe(account) for account in world.accounts.values()):
        return world.now_ms // HOUR_MS * HOUR_MS + HOUR_MS
    return None


def _may_owe(account: AccountState) -> bool:
    return account.level == MULTI and (
        any(row.size for row in account.positions.values())
        or any(cash < 0 for cash in account.trading.values())
    )


def charge_due(world: World) -> None:
    """Deduct an hour's interest from every account that owes, once per full hour."""
    if world.now_ms % HOUR_MS:
        return
    for account in world.accounts.values():
        if not _may_owe(account):
            continue
        for ccy, owed in standing(world, account).loans.items():
            terms = loan_terms(ccy)
            interest = -booked(-max(ZERO, owed - terms.free) * terms.hourly)
            if interest:
                bill = new_bill(INTEREST, DEDUCTED, interest=interest, mode="cross")
                credit(world, account, ccy, -interest, bill, (world.house.fees, ccy, interest))
                account.interest.append(InterestRow(world.now_ms, ccy, interest, terms.hourly, owed))
                world.tell_account(account, "interest_deduction", (ccy,))


def most(world: World, account: AccountState, ccy: str) -> Decimal:
    """What could be borrowed of a currency now, coins; nothing where borrowing is turned off."""
    return standing(world, account).borrowable(account, ccy)


def repay_risk(account: AccountState, ccy: str, owed: Decimal) -> int:
    """How near a loan is to being repaid by force, 0 to 5: fifths of the quota. The venue's `twap`."""
    return min(5, int(5 * owed / loan_quota(account.fee_level, ccy))) if owed else 0


def repay_excess(world: World, account: AccountState, now: Standing) -> bool:
    """Bring loans beyond their quota back to it; return whether anything was sold."""
    sold = False
    for ccy, owed in now.loans.items():
        excess = owed - loan_quota(account.fee_level, ccy)
        if excess > 0:
            for order in list(account.open_orders.values()):
                if order.hold_ccy:  # its coins may be needed
                    cancel(world, account, order, BORROW_CAP)
            sold = _repay(world, account, ccy, excess) or sold
    return sold


def repay_all(world: World, account: AccountState, now: Standing) -> bool:
    """Repay every loan as far as the account's coins reach; return whether anything was sold."""
    sold = False
    for ccy, owed in now.loans.items():
        sold = _repay(world, account, ccy, owed) or sold
    return sold


def _repay(world: World, account: AccountState, ccy: str, amount: Decimal) -> bool:
    """Sell coins, the most valuable holding first, until `amount` of `ccy` is bought back."""
    price = world.index(ccy)
    sold = False
    while amount > 0 and price:
        worth = [
            (cash * world.index(coin), coin)
            for coin, cash in account.trading.items()
            if coin != ccy and cash > 0 and world.index(coin)
        ]
        if not worth:
            break
        _, coin = max(worth)
        rate = world.index(coin) / price * (1 - REPAYMENT_COST)  # of `ccy` for one coin
        size = min(account.trading[coin], amount / rate)
        size, bought = -booked(-size), booked(min(size * rate, amount))
        house = world.house
        market = world.markets.get(f"{coin if ccy == QUOTE else ccy}-{QUOTE}")
        sell = new_bill(REPAYMENT, REPAID_SELL, market, size=size, price=world.index(coin), mode="cross")
        credit(world, account, coin, -size, sell, (house.cash, coin, size))
        buy = new_bill(REPAYMENT, REPAID_BUY, market, size=bought, price=price, mode="cross")
        credit(world, account, ccy, bought, buy, (house.cash, ccy, -bought))
        world.tell_account(account, "liquidation", (coin, ccy))
        amount -= bought
        sold = True
    return sold
