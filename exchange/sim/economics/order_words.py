"""Words about orders that the checks and the matching share."""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.markets.market import Market
from exchange.sim.seam import OrderParams

PRICED = ("limit", "post_only", "ioc", "fok")
KINDS = (*PRICED, "market", "optimal_limit_ioc")
STP_MODES = ("cancel_maker", "cancel_taker", "cancel_both")
_CLOSING = {"long": "sell", "short": "buy"}


def opposite(side: str) -> str:
    return "sell" if side == "buy" else "buy"


def closes(params: OrderParams) -> bool:
    """Whether an order of long_short_mode closes: selling a long or buying back a short."""
    return _CLOSING.get(params.pos_side) == params.side


def in_quote(params: OrderParams, market: Market) -> bool:
    """Whether the size counts USDT: only a spot market order, by default only a buy."""
    if params.kind != "market" or market.instrument.is_swap:
        return False
    return params.target_ccy == "quote_ccy" or (not params.target_ccy and params.side == "buy")


def best_price(market: Market, side: str) -> Decimal:
    """What an order of `side` would trade at first."""
    return market.book.best(opposite(side)) or market.last
