"""Which accounts need their margin looked at: those whose prices have moved far enough to matter.

After an exact look the account is left alone until it changes, or until a price has moved by as much as
could bring it to the threshold. No liquidation is missed or late: the bound holds for every path.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from exchange.sim.economics import liquidation
from exchange.sim.economics.margin import LOAN_MMR, MULTI, Standing
from exchange.sim.economics.world import QUOTE, World
from exchange.sim.markets.instruments import loan_quota
from exchange.sim.markets.market import Market
from exchange.sim.model import ZERO, AccountState

ROUNDING = 0.98  # of the leeway: bounds are compared with prices not rounded to ticks


def leeway(world: World, account: AccountState, now: Standing) -> Decimal:
    """How far, as a fraction, all prices may move before any ratio of the account can reach 1, or its
    losses the quota of USDT it may owe.

    A move by x takes at most x of the gross exposure from what backs a requirement, and adds at most x to
    the requirement: backing - x gross = need (1 + x). Where a loss becomes a loan, it needs margin as well.
    0 when it is there already.
    """
    gross = sum((each.notional for each in now.exposures), ZERO)
    if now.multi:
        gross *= 1 + LOAN_MMR
        gross += sum((abs(eq) * world.index(ccy) for ccy, eq in now.equity.items() if ccy != QUOTE), ZERO)
    parts = [(now.cover, gross, now.need)]
    parts += [(each.margin + each.upl, each.notional, each.mmr + each.close_fee) for each in now.isolated]
    shares = [(backing - need) / (gross + need) for backing, gross, need in parts if need]
    if now.multi and now.exposures:  # a loss may outgrow what may be owed, whatever the ratio
        room = now.equity[QUOTE] + loan_quota(account.fee_level, QUOTE)
        shares.append(room / sum(each.notional for each in now.exposures))
    return max(ZERO, min(shares, default=Decimal(1)))


@dataclass(slots=True)
class _Calm:
    """`bounds`: per market the lowest and highest mark and index price that leave the account safe."""

    since_ms: int
    bounds: list[tuple[Market, float, float, float, float]]
    until_ms: int = 0  # nothing can happen before


class Vigil:
    def __init__(self, world: World) -> None:
        self._world = world
        self._calm: dict[str, _Calm] = {}

    def keep(self, account: AccountState) -> None:
        """Liquidate what has to be liquidated at this instant."""
        calm = self._calm.get(account.name)
        if calm is not None and account.updated_ms < calm.since_ms and self._lasts(calm):
            return
        now = liquidation.watch(self._world, account)
        share = float(leeway(self._world, account, now)) * ROUNDING
        held = self._markets(account)
        self._calm[account.name] = _Calm(
            self._world.now_ms,
            [
                (market, mark * (1 - share), mark * (1 + share), index * (1 - share), index * (1 + share))
                for market in held
                for mark, index in [(float(market.mark_px), float(market.index_px))]
            ],
        )

    def _markets(self, account: AccountState) -> list[Market]:
        """Those whose prices the account's ratios depend on."""
        markets = self._world.markets
        ids = [row.inst_id for row in account.positions.values() if row.size]
        if account.level == MULTI:
            ids += [f"{ccy}-{QUOTE}" for ccy, cash in account.trading.items() if cash]
        return [markets[inst_id] for inst_id in dict.fromkeys(ids) if inst_id in markets]

    def _lasts(self, calm: _Calm) -> bool:
        if self._world.now_ms <= calm.until_ms:
            return True
        until_ms = []
        for market, mark_low, mark_high, index_low, index_high in calm.bounds:
            reach = market.reach()
            if reach.mark_low < mark_low or reach.mark_high > mark_high:
                return False
            if reach.index_low < index_low or reach.index_high > index_high:
                return False
            until_ms.append(reach.until_ms)
        calm.until_ms = min(until_ms, default=self._world.now_ms)
        return True
