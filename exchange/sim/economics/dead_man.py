"""The dead man's switch: cancel everything unless the client says in time that it lives. api-v5.md 4.5.

One timer for all orders, and up to 20 for the orders of one tag each. It cancels, it never closes a
position; algo orders stay.
"""

from __future__ import annotations

from exchange.sim.economics.matching import DEAD_MAN, cancel
from exchange.sim.economics.world import World
from exchange.sim.model import AccountState, Reject

SECONDS = range(10, 121)
MOST_TAGS = 20
ALL = ""  # stands for the orders of every tag


def arm(world: World, account: AccountState, tag: str, seconds: int) -> int:
    """Start or renew the timer of `tag`, or stop it (0). Return when it fires, ms; 0 when it is off."""
    if not seconds:
        account.dead_man.pop(tag, None)
        return 0
    if seconds not in SECONDS:
        raise Reject("51000", "Parameter timeOut error")
    if tag != ALL and tag not in account.dead_man and len(account.dead_man.keys() - {ALL}) >= MOST_TAGS:
        raise Reject("51071", "You've reached the maximum limit for tag level cancel all after timers.")
    account.dead_man[tag] = world.now_ms + seconds * 1_000
    return account.dead_man[tag]


def next_due_ms(world: World) -> int | None:
    armed = (at_ms for account in world.accounts.values() for at_ms in account.dead_man.values())
    return min(armed, default=None)


def fire_due(world: World) -> None:
    for account in world.accounts.values():
        due = [tag for tag, at_ms in account.dead_man.items() if at_ms <= world.now_ms]
        for tag in due:
            del account.dead_man[tag]
            for order in list(account.open_orders.values()):
                if tag in (ALL, order.tag):
                    cancel(world, account, order, DEAD_MAN)
