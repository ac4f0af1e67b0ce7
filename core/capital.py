"""How much the engine may use: the configured capital, or what it has become."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from config.schema import Account
from core.context import Context
from core.types import ZERO, Usdt

STEP: Final = Decimal(
    "0.05"
)  # of total_capital: profits count by whole steps, so that sizes stand still between


def working_capital(account: Account, ctx: Context) -> Usdt:
    """Return `total_capital`, or with `compound` the same with profits and losses, USDT.

    Whole steps of 5 % count, a part of one does not, and never more than the account's equity: 100,000 with
    7,400 earned are 105,000; with 4,000 lost, 96,000 are all there is.
    """
    total = account.total_capital
    if not account.compound:
        return Usdt(total)
    step = total * STEP
    grown = total + int(ctx.profit / step) * step
    return Usdt(max(ZERO, min(grown, ctx.equity)))


def spot_budget(account: Account, ctx: Context) -> Usdt:
    """USDT notional of all hedges together: working capital x core sleeve x its share for spot."""
    return Usdt(working_capital(account, ctx) * account.core_ratio * account.spot_ratio)
