"""Forced deleveraging (ADL): winners are closed at mark against what the venue took over. api-v5.md 7.4.

Holders of the opposite side are ranked by profit and leverage, the most profitable and most leveraged
first. The venue's exact formula is not documented: profitable ones rank by UPL ratio times effective
leverage, losing ones by UPL ratio over it.
"""

from __future__ import annotations

from decimal import Decimal

from exchange.sim.economics import freeze, insurance
from exchange.sim.economics.accounts import family_of
from exchange.sim.economics.forced import forced
from exchange.sim.economics.margin import Exposure, Standing, standing
from exchange.sim.economics.matching import BY_ADL, cancel
from exchange.sim.economics.world import World
from exchange.sim.model import ZERO, AccountState, PositionRow

_EDGES = tuple((rank, Decimal(edge)) for rank, edge in ((1, "0.02"), (2, "0.08"), (3, "0.2"), (4, "0.5")))


def score(now: Standing, each: Exposure) -> Decimal:
    """The place in the queue, higher is earlier: UPL over entry value, times or over the leverage."""
    backing = each.margin + each.upl if each.row.key.mode == "isolated" else now.backing
    leverage = each.notional / backing if backing > 0 else Decimal(100)
    entry = abs(each.row.size) * each.market.instrument.ct_val * each.row.avg_px
    ratio = each.upl / entry if entry else ZERO
    return ratio * leverage if ratio > 0 else ratio / leverage


def rank(now: Standing, each: Exposure) -> int:
    """The `adl` of a position, 1 to 5 = first in line: against fixed scores, for most holders of a real
    market are not there to be compared with."""
    points = score(now, each)
    return next((rank for rank, edge in _EDGES if points < edge), 5)


def against(world: World, inst_id: str, short: bool, size: Decimal) -> None:
    """Close `size` contracts of others against a short (or a long) the venue has taken over.

    What clients do not hold is left to the market outside.
    """
    queue: list[tuple[Decimal, int, AccountState, Exposure]] = []
    for n, account in enumerate(world.accounts.values()):
        if account.positions:
            now = standing(world, account)
            for each in (*now.exposures, *now.isolated):
                if each.row.inst_id == inst_id and (each.row.size > 0) == short:
                    queue.append((-score(now, each), n, account, each))
    for _, _, account, each in sorted(queue, key=lambda one: one[:2]):
        cut = min(size, abs(each.row.size))
        reduce(world, account, each.row, cut)
        size -= cut
        if not size:
            return


def share(world: World, account: AccountState, inst_id: str, fraction: Decimal) -> None:
    """Close a share of every position in a swap. Raises ValueError without one, or for a wrong share."""
    lot = world.market(inst_id).instrument.lot
    rows = [row for row in account.positions.values() if row.inst_id == inst_id and row.size]
    if not rows or not 0 < fraction <= 1:
        raise ValueError(f"ADL needs a position in {inst_id} and a fraction in (0, 1], not {fraction}")
    insurance.announce(world, family_of(world.market(inst_id)))
    for row in rows:
        reduce(world, account, row, max(lot, abs(row.size) * fraction // lot * lot))


def reduce(world: World, account: AccountState, row: PositionRow, size: Decimal) -> None:
    """Close contracts at mark, off book and without a fee; the account's orders in the swap go first."""
    inst_id = row.inst_id
    for order in list(account.open_orders.values()):
        if order.inst_id == inst_id:
            cancel(world, account, order, BY_ADL)
    forced(world, account, row.key, size, world.markets[inst_id].mark_px, "adl", "adl")
    freeze.begin(world, account, inst_id, adl=True)
