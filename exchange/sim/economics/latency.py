"""The way from the gateway to the matching: what is accepted now takes effect some milliseconds later.

Modelled after what the venue's documents say of acknowledgements (api-v5.md 4.1, 5.7): one means acceptance,
and fills, cancellations and amendments follow by themselves. With `match_ms` 0 everything takes effect at
once. Requests keep their order, and an acknowledgement never waits.
"""

from __future__ import annotations

from exchange.sim.economics import order_life
from exchange.sim.economics.matching import BY_SYSTEM, BY_USER, cancel
from exchange.sim.economics.orders import amended
from exchange.sim.economics.world import Request, World
from exchange.sim.model import AccountState, Order, Reject
from exchange.sim.seam import OrderChange, OrderParams

MOST_AMENDMENTS = 3  # of one order at a time
PLACE, CANCEL, AMEND = "place", "cancel", "amend"


def place(world: World, account: AccountState, params: OrderParams) -> Order:
    """Accept an order; it reaches the matching at once, or later. Raises Reject."""
    order = order_life.accept(world, account, params)
    if world.profile.match_ms:
        if order.kind != "post_only":  # is told of when it really is in the book
            world.tell_order(account, order)
        _send(world, PLACE, account, order)
    else:
        order_life.enter(world, account, order)
    return order


def ask_cancel(world: World, account: AccountState, order: Order) -> None:
    """Accept a cancellation. Raises 51400 for a finished order, 51410 for one already on its way out."""
    if not order.is_open:
        raise Reject("51400", "Cancellation failed: the order has been filled, canceled or does not exist.")
    if not world.profile.match_ms:
        cancel(world, account, order, BY_USER)
        return
    if any(each.verb == CANCEL and each.order is order for each in world.under_way):
        raise Reject(
            "51410",
            "Cancellation failed as the order is already in canceling status or pending settlement.",
        )
    _send(world, CANCEL, account, order)


def ask_amend(world: World, account: AccountState, order: Order, change: OrderChange) -> None:
    """Accept an amendment. Raises 51513 for a fourth one of the same order under way."""
    if not world.profile.match_ms:
        order_life.amend(world, account, order, change)
        return
    if not order.is_open:
        raise Reject("51503", "Your order has already been filled or canceled.")
    under_way = sum(each.verb == AMEND and each.order is order for each in world.under_way)
    if under_way >= MOST_AMENDMENTS:
        raise Reject(
            "51513",
            "Number of modification requests that are currently in progress for an order cannot exceed "
            f"{MOST_AMENDMENTS} times.",
        )
    amended(world, account, order, change)
    _send(world, AMEND, account, order, change)


def next_due_ms(world: World) -> int | None:
    return world.under_way[0].due_ms if world.under_way else None


def arrive_due(world: World, is_open: bool) -> None:
    """Let everything take effect whose time has come; a closed venue cancels what arrives."""
    while world.under_way and world.under_way[0].due_ms <= world.now_ms:
        request = world.under_way.popleft()
        account, order = request.account, request.order
        if request.verb == AMEND:
            _amend(world, request)
        elif not order.is_open:
            continue
        elif request.verb == CANCEL:
            cancel(world, account, order, BY_USER)
        elif is_open:
            order_life.enter(world, account, order)
        else:
            cancel(world, account, order, BY_SYSTEM)


def _amend(world: World, request: Request) -> None:
    """A refusal this late is told by the stream alone."""
    assert request.change is not None
    try:
        order_life.amend(world, request.account, request.order, request.change)
    except Reject:
        return


def _send(
    world: World, verb: str, account: AccountState, order: Order, change: OrderChange | None = None
) -> None:
    world.under_way.append(Request(world.now_ms + world.profile.match_ms, verb, account, order, change))
