"""Closes whatever stands on the sleeve's account, without its engine and without its books.

Everything on that account is the sleeve's. Orders only reduce, so a second hand at the same work does no
harm; a stop under a position goes with it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from typing import Final, Protocol

from core.errors import VenueError
from core.ports import Clock, Market
from core.types import ZERO, AccountSnapshot, Leg, OrderKind, OrderRequest, Position, Side
from execution.pricing import limit_px
from scripts.standing import Still

ROUNDS: Final = 10
PAUSE_S: Final = 0.5
DEPTH: Final = 50


class Hands(Protocol):
    """The part of core.ports.Trading that closing needs."""

    async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str: ...

    async def account(self) -> AccountSnapshot: ...


async def close_sleeve(
    trading: Hands,
    market: Market,
    clock: Clock,
    new_id: Callable[[], str],
    most_bps: Decimal,
    still: Still = nullcontext,
) -> tuple[str, ...]:
    """Return what is still held after some rounds, in words; empty when nothing is. Raises VenueError when
    the account cannot be asked.

    most_bps  how far from the mid an order may go.    still  entered around each round's questions.
    """
    trouble = ""
    for _ in range(ROUNDS):
        try:
            with still():
                if await _reduced(trading, market, new_id, most_bps):
                    return ()
        except VenueError as error:  # what was sent may have arrived: it only reduces, the next look tells
            trouble = str(error)
        await clock.sleep(PAUSE_S)
    with still():
        left = _held(await trading.account())
    return tuple(f"{one.inst_id} {one.contracts:f}{trouble and f' ({trouble})'}" for one in left)


async def _reduced(trading: Hands, market: Market, new_id: Callable[[], str], most_bps: Decimal) -> bool:
    """Send one order for each position; True when there is none. Raises VenueError."""
    held = _held(await trading.account())
    for position in held:
        await trading.place(await _order(position, market, new_id(), most_bps))
    return not held


def _held(account: AccountSnapshot) -> list[Position]:
    return [one for one in (*account.positions.values(), *account.strays.values()) if one.contracts]


async def _order(position: Position, market: Market, cl_id: str, most_bps: Decimal) -> OrderRequest:
    name = position.inst_id.removesuffix("-SWAP")
    [pair] = await market.pairs((name,))
    book = await market.book(position.inst_id, DEPTH)
    side = Side.SELL if position.contracts > ZERO else Side.BUY
    return OrderRequest(
        cl_id=cl_id,
        instrument=name,
        inst_id=position.inst_id,
        leg=Leg.SWAP,
        side=side,
        kind=OrderKind.IOC,
        size=min(abs(position.contracts), pair.swap.max_limit_size),
        limit_px=limit_px(book, side, most_bps, pair.swap.tick),
        reduce_only=True,
        ref_mid=book.mid,
    )
