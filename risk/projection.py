"""What the margin ratio would be if prices rose before anybody looks again: the short side's bad case."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Final

from config.schema import Margin
from core.context import Context, MarketView
from core.types import ZERO, AccountMode

BAR: Final = "3m"
BAR_MINUTES: Final = 3
BARS: Final = 20  # closed ones: an hour
LEAST_BARS: Final = 5


def rise_ahead(market: MarketView, sigmas: Decimal, minutes: Decimal) -> Decimal | None:
    """Return a rise of `sigmas` standard deviations over `minutes`, a fraction; None without bars.

    Measured are the moves of the last hour's closed 3m bars, without taking their mean off: a steady rally
    is not calm. Twenty bars of 0.5 % each: 4 sigmas over an hour are 4 x 0.5 % x sqrt(20) = 8.9 %.
    """
    closes = [c.close for c in market.newest(BAR, BARS + 2) if c.closed][-BARS - 1 :]
    if len(closes) <= LEAST_BARS:
        return None
    moves = [new / old - 1 for old, new in pairwise(closes)]
    variance = sum((move * move for move in moves), ZERO) / len(moves)
    return sigmas * (variance * minutes / BAR_MINUTES).sqrt()


def projected_ratio(ctx: Context, limits: Margin) -> Decimal | None:
    """Return the margin ratio after that rise of every held swap; None where it cannot be told.

    N grows by the rise m. In futures mode the loss N x m leaves the backing equity; in multi-currency mode
    the spot behind it rises too, and only the notional grows.
    """
    if ctx.account is None or not limits.project_sigmas:
        return None
    more = ZERO
    for hedge in ctx.open_hedges:
        market = ctx.markets[hedge.instrument]
        rise = rise_ahead(market, limits.project_sigmas, Decimal(limits.project_minutes))
        if rise is None or not market.mark_px:
            return None
        more += hedge.short_base * market.mark_px * rise
    notional = ctx.swap_notional + more
    if not notional:
        return None
    lost = more if ctx.account.mode is AccountMode.FUTURES else ZERO
    return (ctx.backing_equity - lost) / notional
