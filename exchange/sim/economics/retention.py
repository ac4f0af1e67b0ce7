"""What the venue forgets, and when. Source: api-v5.md 4.2, 3.6.

A cancelled order without a fill is gone two hours after its end; other orders, their fills, algo orders
and bills are kept for three months. What a shorter list shows of them is a matter of the asking.
"""

from __future__ import annotations

from collections import deque

from exchange.sim.economics.world import World
from exchange.sim.model import AccountState

HOUR_MS = 3_600_000
UNFILLED_MS = 2 * HOUR_MS
ARCHIVE_MS = 90 * 24 * HOUR_MS
SWEEP_MS = HOUR_MS


def sweep(world: World) -> None:
    """Drop what is past its time; does something once an hour of venue time."""
    if world.now_ms - world.swept_ms < SWEEP_MS:
        return
    world.swept_ms = world.now_ms
    for account, ord_id in _older(world.ended, world.now_ms - UNFILLED_MS):
        order = account.orders[ord_id]
        if order.filled:
            world.archived.append((order.updated_ms, account, ord_id))
        else:
            _forget(account, ord_id)
    oldest_ms = world.now_ms - ARCHIVE_MS
    for account, ord_id in _older(world.archived, oldest_ms):
        _forget(account, ord_id)
    for account, algo_id in _older(world.ended_algos, oldest_ms):
        del account.algos[algo_id]
    for account in world.accounts.values():
        while account.executions and account.executions[0].ts_ms < oldest_ms:
            account.executions.popleft()
        while account.bills and account.bills[0].ts_ms < oldest_ms:
            account.bills.popleft()


def _older(ended: deque[tuple[int, AccountState, str]], than_ms: int) -> list[tuple[AccountState, str]]:
    found = []
    while ended and ended[0][0] < than_ms:
        _, account, ident = ended.popleft()
        found.append((account, ident))
    return found


def _forget(account: AccountState, ord_id: str) -> None:
    order = account.orders.pop(ord_id)
    if order.cl_id and account.by_client.get(order.cl_id) == ord_id:
        del account.by_client[order.cl_id]
