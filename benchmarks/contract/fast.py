"""The fast path of the contract: at which bars its rules can decide anything, and what is paid on the way.

A flat pair waits for the next settlement with a rate in the band. A held one waits for the next with a
negative rate, or for the first bar whose mark uses its margin up:

    M + (entry - mark) x qty < R x mark x qty      with R = MIN_RATIO x MMR
    mark > (M + entry x qty) / (qty x (1 + R))

The engine is there before each of these bars and decides by itself; what lies between is the leaper's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from benchmarks.contract.market import TICK, Bars
from benchmarks.contract.rules import BAR_MS, LEAST, MARGIN, MIN_RATIO, MMR, MOST
from core.context import Context, HedgeView
from exchange.sim.exchange import Exchange
from exchange.sim.model import AccountState
from scripts.backtest.leaper import Leaper
from scripts.backtest.vigil import Outlook
from strategy.forecast_range import Floats, Ints

LEAD_MS: Final = BAR_MS // 2  # the engine is there before the bar closes
SHORTEST_MS: Final = 2 * BAR_MS  # of a leap worth asking for
WARY: Final = 1 - 1e-9  # floats may say a mark is near which is not; never the other way round


class Field(NamedTuple):
    """One coin in columns. Implements scripts.backtest.leaper.Soil.

    falls, opens  the settlements at which a hedge is given up, and those at which one is opened.
    """

    ts: Ints
    spot: Floats
    mark: Floats
    paid_ms: Ints
    paid: Floats
    ticks: float
    falls: list[int]
    opens: list[int]

    def spot_at(self, at_ms: Ints) -> Floats:
        return self.spot[self._places(at_ms)]

    def mark_at(self, at_ms: Ints) -> Floats:
        return self.mark[self._places(at_ms)]

    def _places(self, at_ms: Ints) -> Ints:
        found: Ints = np.clip((at_ms - self.ts[0]) // BAR_MS, 0, len(self.ts) - 1)
        return found


class ContractLand:
    """Implements scripts.backtest.leaper.Land: nothing of it is ever closed."""

    def __init__(self, coins: Sequence[Bars]) -> None:
        self.end_of_data_ms = coins[0].ts[-1] + BAR_MS
        self.grounds = {f"{bars.coin}-USDT": _field(bars) for bars in coins}

    def is_closed(self, at_ms: int) -> bool:
        return False


def _field(bars: Bars) -> Field:
    ts, mark = np.array(bars.ts, dtype=np.int64), np.array(bars.mark)
    paid_ms, rate = np.array(bars.settled_ts, dtype=np.int64), np.array(bars.rate)
    in_band = (rate >= float(LEAST)) & (rate <= float(MOST))
    return Field(
        ts=ts,
        spot=np.array(bars.spot),
        mark=mark,
        paid_ms=paid_ms,
        paid=rate * mark[(paid_ms - ts[0]) // BAR_MS],
        ticks=2 * float(TICK),
        falls=paid_ms[rate < 0].tolist(),
        opens=paid_ms[in_band].tolist(),
    )


class ContractVigil:
    """Implements scripts.backtest.leaper.Watcher for the contract's rules."""

    def __init__(self, land: ContractLand) -> None:
        self._land = land

    def outlook(self, ctx: Context, limit_ms: int) -> Outlook:
        event_ms = limit_ms
        for name, field in self._land.grounds.items():
            hedge = ctx.hedges.get(name)
            if hedge is not None and hedge.size:
                event_ms = min(event_ms, self._leaves(ctx, field, hedge, event_ms))
            else:
                event_ms = min(event_ms, _next(field.opens, ctx.now_ms, event_ms))
        until_ms = event_ms - LEAD_MS
        if until_ms - ctx.now_ms < SHORTEST_MS:
            return Outlook(0, event_ms + BAR_MS // 2)
        return Outlook(until_ms, event_ms)  # and once there, nothing can be said before the event

    def unmoved_until_ms(self, ctx: Context) -> int:
        """Every push of the account is heard: there is none between two leaps."""
        return ctx.now_ms

    @staticmethod
    def _leaves(ctx: Context, field: Field, hedge: HedgeView, limit_ms: int) -> int:
        """When a hedge may be given up; an instant from `limit_ms` on says no more than that."""
        assert ctx.account is not None  # the engine holds something
        entry = ctx.account.positions[ctx.markets[hedge.instrument].pair.swap.inst_id].avg_px
        bound = (MARGIN + entry * hedge.short_base) / (hedge.short_base * (1 + MIN_RATIO * MMR))
        first = max(0, (ctx.now_ms - int(field.ts[0])) // BAR_MS)
        until_ms = min(limit_ms, _next(field.falls, ctx.now_ms, limit_ms))
        last = max(first, (until_ms - int(field.ts[0])) // BAR_MS + 1)
        above = np.flatnonzero(field.mark[first:last] > float(bound) * WARY)
        return int(field.ts[first + above[0]]) if len(above) else until_ms


def _next(times: list[int], after_ms: int, otherwise_ms: int) -> int:
    i = bisect_right(times, after_ms)
    return times[i] if i < len(times) else otherwise_ms


def leaper_of(venue: Exchange, account: AccountState, coins: Sequence[Bars]) -> Leaper:
    """The leaper of a contract's run; `engage` hands it the engine."""
    land = ContractLand(coins)
    return Leaper(venue, account, land, ContractVigil(land), looks_back_ms=0)
