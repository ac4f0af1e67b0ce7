"""How long nothing can happen: the engine's decisions, asked of the terrain instead of instant by instant.

Every question the engine asks at a scan, a review, a settlement or an account push is put here once for all
stretches ahead, at the worst figure each can have there. A stretch is safe when no answer can differ from
"nothing to do". What is not understood is never safe: then the engine runs, and nobody has to be right here.

Needs numpy, which the engine does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from config.schema import Settings
from core.capital import STEP
from core.context import Context, HedgeView
from core.events import State
from core.types import BPS, DAY_MS, HOUR_MS, ONE, ZERO, AccountMode
from exchange.sim.economics.margin import discounted
from risk.alarms import LAST_CALL
from risk.circuit_breaker import DAILY_LOSS
from risk.fund_guard import CASH, CENT, LEAST_CASH, ROOM
from risk.margin_guard import lowest_mgn_ratio
from risk.projection import BAR_MINUTES
from scripts.backtest.terrain import Bools, Ground, Terrain
from strategy.exits import negative_needed
from strategy.forecast_range import Floats
from strategy.sizing import LEAST_GROWTH, planned_hedges

PAD_MS: Final = 300_000  # the engine is back so long before something might happen
AHEAD: Final = 48  # stretches
LEAST_MS: Final = 600_000  # a shorter leap is not worth asking for
ROOMY: Final = 1e-9
WARNED: Final = (0.2, 0.5)  # the venue's score from which a position's place is 4, and 5


@dataclass(frozen=True, slots=True)
class Outlook:
    """until_ms  nothing can happen before; `retry_ms`, where that is not far enough: ask again then."""

    until_ms: int
    retry_ms: int


class _Bounds(NamedTuple):
    """What an account can be worth in each stretch, USDT.

    least, most   what backs the swaps.            low, high  their notional.
    poor, rich    USDT alone, which losses are paid from; in futures mode the same as what backs.
    """

    least: Floats
    most: Floats
    low: Floats
    high: Floats
    poor: Floats
    rich: Floats


class Vigil:
    """Asks for one engine's settings; `look_ms` are the instants it may be woken at, and their phase."""

    def __init__(self, settings: Settings, terrain: Terrain, look_ms: int, phase_ms: int) -> None:
        self._settings, self._terrain = settings, terrain
        self._look_ms, self._phase_ms = look_ms, phase_ms

    def outlook(self, ctx: Context, limit_ms: int) -> Outlook:
        """How far the engine may be left alone from a context on in which it has nothing under way."""
        terrain = self._terrain
        first, window = terrain.place(ctx.now_ms), 512
        last = min(len(terrain.begin_ms), terrain.place(limit_ms) + 1)
        stop = first
        while stop < last:
            stop = min(first + window, last)
            safe = self._safe(ctx, slice(max(0, first - 1), stop))[first - max(0, first - 1) :]
            unsafe = np.flatnonzero(~safe)
            if len(unsafe):
                place = first + int(unsafe[0])
                return self._before(ctx, place, safe)
            window *= 8
        return Outlook(self._look_before(limit_ms), ctx.now_ms + LEAST_MS)

    def _before(self, ctx: Context, place: int, safe: Bools) -> Outlook:
        """The last look well before the first stretch in which something might happen."""
        terrain = self._terrain
        until_ms = self._look_before(int(terrain.begin_ms[place]) - PAD_MS)
        if until_ms - ctx.now_ms >= LEAST_MS:
            return Outlook(until_ms, ctx.now_ms)
        first = terrain.place(ctx.now_ms)
        again = np.flatnonzero(safe[place - first :])
        end = place + int(again[0]) if len(again) else first + len(safe) - 1
        return Outlook(0, max(ctx.now_ms + self._look_ms, int(terrain.begin_ms[end])))

    def _look_before(self, at_ms: int) -> int:
        return (at_ms - self._phase_ms) // self._look_ms * self._look_ms + self._phase_ms

    # --- the questions ------------------------------------------------------------------------

    def _safe(self, ctx: Context, at: slice) -> Bools:
        """For each stretch whether nothing can happen in it, and in the one before: the market shown may be
        a moment old."""
        terrain = self._terrain
        held = {hedge.instrument: hedge for hedge in ctx.open_hedges}
        safe: Bools = ~(terrain.unknown[at] | terrain.uneasy[at])
        if held:
            safe &= ~terrain.closed[at] & self._keeps(ctx, at, held)
        shut = terrain.closed[at] | self._tripped(ctx, at)
        if ctx.state is not State.STOPPED:
            for name, ground in terrain.grounds.items():
                hedge = held.get(name)
                if hedge is None:
                    safe &= shut | self._stays_shut(ctx, at, name, ground)
                elif self._settings.account.compound:
                    safe &= shut | self._stays_shut(ctx, at, name, ground) | self._is_full(ctx, at, hedge)
        safe &= self._breaker_rests(ctx, at)
        return safe & np.concatenate((safe[:1], safe[:-1]))

    def _stays_shut(self, ctx: Context, at: slice, name: str, ground: Ground) -> Bools:
        """No opening of a coin can be decided on: its funding is out of the band, its forecast does not even
        pay the fees, or it was closed a moment ago."""
        strategy = self._settings.strategy
        band, fees = strategy.funding_rate_threshold, ctx.fees.get(name)
        shut: Bools = (ground.rate_high[at] < float(band.min)) | (ground.rate_low[at] > float(band.max))
        shut |= ground.known[at] < strategy.forecast.min_settlements
        if fees is not None:
            least = _fees_bps(ctx, name) + float(strategy.opening.min_net_carry_bps)
            shut |= ground.expected_high[at] < least
        if not (strategy.enabled and strategy.auto_trading):
            shut |= True
        closed_ms = ctx.last_close_ms.get(name)
        if closed_ms is not None:
            shut |= self._terrain.end_ms[at] <= closed_ms + int(strategy.exit.cooldown_hours * HOUR_MS)
        return shut

    def _tripped(self, ctx: Context, at: slice) -> Bools:
        """The breaker forbids new risk."""
        view = ctx.breaker
        if not view.tripped:
            return np.zeros(at.stop - at.start, dtype=np.bool_)
        if view.tripped != DAILY_LOSS:
            return np.ones(at.stop - at.start, dtype=np.bool_)
        shut: Bools = self._terrain.end_ms[at] <= view.tripped_ms + self._cooldown_ms
        return shut

    @property
    def _cooldown_ms(self) -> int:
        return int(self._settings.risk.circuit_breaker.cooldown_hours * HOUR_MS)

    def _breaker_rests(self, ctx: Context, at: slice) -> Bools:
        """Neither does a cooldown end, nor can a day's charges trip the breaker."""
        terrain, view = self._terrain, ctx.breaker
        rests: Bools = np.ones(at.stop - at.start, dtype=np.bool_)
        if view.tripped == DAILY_LOSS:
            over_ms = view.tripped_ms + self._cooldown_ms
            rests &= (terrain.end_ms[at] <= over_ms) | (terrain.begin_ms[at] > over_ms + HOUR_MS)
        limit = float(self._settings.risk.circuit_breaker.daily_loss_limit) * (1 - 1e-6)
        charged: dict[int, float] = {ctx.now_ms // DAY_MS: min(0.0, float(view.day_pnl))}
        for hedge in ctx.open_hedges:
            ground = terrain.grounds[hedge.instrument]
            lo, hi = np.searchsorted(ground.paid_ms, (ctx.now_ms, terrain.end_ms[at.stop - 1]), side="right")
            for at_ms, paid in zip(ground.paid_ms[lo:hi], ground.paid[lo:hi], strict=True):
                if paid < 0:
                    day = int(at_ms) // DAY_MS
                    charged[day] = charged.get(day, 0.0) + float(paid) * float(hedge.short_base)
        for day, sum_ in charged.items():
            if sum_ <= -limit and not (view.tripped and view.day == _day(day)):
                rests &= (terrain.end_ms[at] <= day * DAY_MS) | (terrain.begin_ms[at] > (day + 1) * DAY_MS)
        return rests

    def _is_full(self, ctx: Context, at: slice, hedge: HedgeView) -> Bools:
        """A place cannot have outgrown the hedge in it."""
        budget = self._budget(ctx, self._gain(ctx, at)[1] + ROOMY)
        share = budget / planned_hedges(self._settings)
        full: Bools = share - float(hedge.entry_notional) < share * float(LEAST_GROWTH) - ROOMY
        return full

    def _budget(self, ctx: Context, gain: Floats) -> Floats:
        """The sleeve's spot budget with so much more profit than now; with `compound` by whole steps."""
        account = self._settings.account
        total = float(account.total_capital)
        capital = np.full(len(gain), total)
        if account.compound:
            step = total * float(STEP)
            grown = total + np.trunc((float(ctx.profit) + gain) / step) * step
            capital = np.maximum(0.0, np.minimum(grown, float(ctx.equity) + gain))
        return capital * float(account.core_ratio) * float(account.spot_ratio)

    def _gain(self, ctx: Context, at: slice) -> tuple[Floats, Floats]:
        """The least and the most that equity can have changed."""
        low = high = np.zeros(at.stop - at.start)
        for hedge in ctx.open_hedges:
            least, most = self._change(ctx, at, hedge)
            low, high = low + least, high + most
        return low, high

    def _paid(self, ctx: Context, at: slice, hedge: HedgeView) -> Floats:
        """Funding a hedge has received since now, by the beginning of each stretch, USDT."""
        ground, terrain = self._terrain.grounds[hedge.instrument], self._terrain
        lo = int(np.searchsorted(ground.paid_ms, ctx.now_ms, side="right"))
        to = np.searchsorted(ground.paid_ms, terrain.begin_ms[at], side="right")
        summed = np.concatenate(([0.0], np.cumsum(ground.paid[lo:])))
        paid: Floats = summed[np.maximum(to - lo, 0)] * float(hedge.short_base)
        return paid

    def _change(self, ctx: Context, at: slice, hedge: HedgeView) -> tuple[Floats, Floats]:
        """The least and the most a hedge's result can have changed since now, USDT."""
        market, ground = ctx.markets[hedge.instrument], self._terrain.grounds[hedge.instrument]
        assert market.spot is not None and market.mark_px is not None  # the market is quoted
        short, naked = float(hedge.short_base), float(hedge.net_delta)
        carry = float(market.spot.mid - market.mark_px)
        alone = abs(naked) * np.maximum(
            abs(ground.spot.high[at] - float(market.spot.mid)),
            abs(ground.spot.low[at] - float(market.spot.mid)),
        )
        paid = self._paid(ctx, at, hedge)
        return (
            paid + short * (ground.carry.low[at] - carry) - alone - ROOMY,
            paid + short * (ground.carry.high[at] - carry) + alone + ROOMY,
        )

    # --- what is held -------------------------------------------------------------------------

    def _keeps(self, ctx: Context, at: slice, held: dict[str, HedgeView]) -> Bools:
        """Nothing held is left, made larger or smaller, and no money moves."""
        safe = self._margin_rests(ctx, at, held)
        for hedge in held.values():
            safe &= self._pays(ctx, at, hedge) & self._result_rests(ctx, at, hedge)
        low, high = self._gain(ctx, at)
        peak, fall = float(ctx.breaker.peak_equity), self._settings.risk.circuit_breaker.max_drawdown_ratio
        if peak > 0:
            peaks = np.maximum(peak, np.maximum.accumulate(float(ctx.equity) + high))
            settled = float(ctx.converged_equity) + sum(
                (self._converged(ctx, at, hedge) for hedge in held.values()), np.zeros(at.stop - at.start)
            )
            lowest = np.maximum(float(ctx.equity) + low, settled)
            safe &= 1 - lowest / peaks < float(fall) * (1 - 1e-6)
        return safe

    def _converged(self, ctx: Context, at: slice, hedge: HedgeView) -> Floats:
        """The least a hedge's result can have changed with the swap at the spot price."""
        market, ground = ctx.markets[hedge.instrument], self._terrain.grounds[hedge.instrument]
        assert market.spot is not None  # the market is quoted
        mid, naked = float(market.spot.mid), float(hedge.net_delta)
        moved = np.minimum(naked * (ground.spot.low[at] - mid), naked * (ground.spot.high[at] - mid))
        return self._paid(ctx, at, hedge) + moved - ROOMY

    def _result_rests(self, ctx: Context, at: slice, hedge: HedgeView) -> Bools:
        """Neither stop loss nor profit target. The stop needs the loss at converged prices as well."""
        rules, market = self._settings.strategy.exit, ctx.markets[hedge.instrument]
        capital = float(hedge.capital)
        if capital <= 0:
            return np.zeros(at.stop - at.start, dtype=np.bool_)
        assert market.spot is not None and market.mark_px is not None  # the market is quoted
        apart = float((market.mark_px - market.spot.mid) * hedge.short_base)
        _, most = self._change(ctx, at, hedge)
        converged = float(hedge.pnl) + apart + self._converged(ctx, at, hedge)
        rests: Bools = (float(hedge.pnl) + most) / capital < float(rules.take_profit_ratio) - ROOMY
        return rests & (converged / capital > -float(rules.stop_loss_ratio) + ROOMY)

    def _pays(self, ctx: Context, at: slice, hedge: HedgeView) -> Bools:
        """Its income gives no reason to leave. Leaving costs at least the fees."""
        strategy, ground = self._settings.strategy, self._terrain.grounds[hedge.instrument]
        if not strategy.enabled:
            return np.ones(at.stop - at.start, dtype=np.bool_)
        if strategy.exit.mode != "expected_cost":
            pays: Bools = ground.below[at] < negative_needed(strategy.exit)
        else:
            pays = ground.known[at] < strategy.forecast.min_settlements
            pays |= ground.expected_low[at] > -_fees_bps(ctx, hedge.instrument)
        until_ms = hedge.opened_ms + int(strategy.exit.min_hold_hours * HOUR_MS)
        return pays | (self._terrain.end_ms[at] <= until_ms)

    def _margin_rests(self, ctx: Context, at: slice, held: dict[str, HedgeView]) -> Bools:
        """No top-up, no sweep, no emergency, nobody near the head of the venue's queue."""
        limits, bounds = self._settings.risk.margin, self._bounds(ctx, at, held)
        if bounds is None:
            return np.zeros(at.stop - at.start, dtype=np.bool_)
        least, high = bounds.least, bounds.high
        safe = self._unmoved(ctx, at, held, bounds)
        safe &= least / high > float(limits.emergency_below) + ROOMY
        rise = sum(
            (
                float(hedge.short_base) * self._terrain.grounds[name].mark.high[at] * self._rise(name, at)
                for name, hedge in held.items()
            ),
            np.zeros(at.stop - at.start),
        )
        projected = (least - rise) / (high + rise)
        safe &= (projected > float(limits.emergency_below) + ROOMY) | (
            least / high > float(limits.target) + ROOMY
        )
        safe &= (bounds.most / bounds.low < float(limits.sweep_above) - ROOMY) | self._no_sweep(
            ctx, at, bounds
        )
        if _in_coins(ctx):
            safe &= bounds.poor / high > float(LEAST_CASH) + ROOMY
        assert ctx.account is not None  # _bounds has looked
        venue = lowest_mgn_ratio(ctx.account)
        if venue is not None:
            floor = max(LAST_CALL, limits.venue_ratio_warning / 2)
            need = float(ctx.backing_equity / venue) * high / float(ctx.swap_notional)
            safe &= least / need > float(floor) * 1.05
        return safe

    def _bounds(self, ctx: Context, at: slice, held: dict[str, HedgeView]) -> _Bounds | None:
        """The account at the bounds of the prices: USDT fall by what the notional rises, and coins, where
        they back the swaps too, by their own price at the venue's discount. None where that is not so."""
        account = ctx.account
        if account is None or not ctx.swap_notional:
            return None
        if account.mode not in (AccountMode.FUTURES, AccountMode.MULTI):
            return None
        grounds = {name: self._terrain.grounds[name].mark for name in held}
        nothing: Floats = np.zeros(at.stop - at.start)
        low = sum((float(held[name].short_base) * mark.low[at] for name, mark in grounds.items()), nothing)
        high = sum((float(held[name].short_base) * mark.high[at] for name, mark in grounds.items()), nothing)
        cash = float(ctx.cash) + sum((self._paid(ctx, at, h) for h in held.values()), nothing)
        now = float(ctx.swap_notional)
        poor, rich = cash - (high - now) - ROOMY, cash + (now - low) + ROOMY
        if not _in_coins(ctx):
            return _Bounds(poor, rich, low, high, poor, rich)
        least, most = poor, rich
        for ccy, balance in account.balances.items():
            if ccy == "USDT" or not balance.equity:
                continue
            ground = self._terrain.grounds.get(f"{ccy}-USDT")
            if ground is None:
                return None
            counted = float(discounted(ccy, balance.equity, ONE))  # coins; which do not change on the way
            least, most = least + counted * ground.spot.low[at], most + counted * ground.spot.high[at]
        return _Bounds(least, most, low, high, poor, rich)

    def _unmoved(self, ctx: Context, at: slice, held: dict[str, HedgeView], bounds: _Bounds) -> Bools:
        """A push of the account wakes nobody: the ratio is not low, the places in the queue stay."""
        floor = float(self._settings.risk.margin.rebalance_below) + ROOMY
        unmoved: Bools = bounds.least / bounds.high > floor
        for hedge in held.values():
            unmoved &= self._queue_rests(ctx, at, hedge, bounds)
        return unmoved

    def unmoved_until_ms(self, ctx: Context) -> int:
        """Before when pushes of the account can wake nobody, as far as is worth looking."""
        held = {hedge.instrument: hedge for hedge in ctx.open_hedges}
        first = self._terrain.place(ctx.now_ms)
        at = slice(max(0, first - 1), min(first + AHEAD, len(self._terrain.begin_ms)))
        bounds = self._bounds(ctx, at, held) if held else None
        if bounds is None:
            return 0
        moved = np.flatnonzero(~self._unmoved(ctx, at, held, bounds) | self._terrain.unknown[at])
        return int(self._terrain.begin_ms[at.start + int(moved[0]) if len(moved) else at.stop - 1])

    def _no_sweep(self, ctx: Context, at: slice, bounds: _Bounds) -> Bools:
        """What the shorts do not need is needed by the rest of the sleeve, or too little to move; where coins
        back them too, USDT do not exceed what stays by enough."""
        account, limits = self._settings.account, self._settings.risk.margin
        in_use = float(sum((hedge.entry_notional for hedge in ctx.open_hedges), ZERO))
        per_spot = float(account.futures_ratio / account.spot_ratio)
        unused = np.maximum(0.0, self._budget(ctx, self._gain(ctx, at)[0] - ROOMY) - in_use)
        reserved = unused * (1 + per_spot) * float(ROOM)
        excess = bounds.most - float(limits.target) * bounds.low - reserved
        if _in_coins(ctx):
            excess = np.minimum(excess, bounds.rich - float(CASH) * bounds.low - reserved)
        kept: Bools = excess < float(max(limits.min_transfer_usdt, CENT)) - ROOMY
        if _in_coins(ctx):
            kept |= (bounds.rich - reserved) / bounds.low < float(
                CASH * limits.sweep_above / limits.target
            ) - ROOMY
        return kept

    def _queue_rests(self, ctx: Context, at: slice, hedge: HedgeView, bounds: _Bounds) -> Bools:
        """The short's place in the venue's queue neither becomes a warning nor ends one."""
        assert ctx.account is not None  # _margin_rests has looked
        limits, ground = self._settings.risk.deleveraging, self._terrain.grounds[hedge.instrument]
        position = ctx.account.positions.get(ctx.markets[hedge.instrument].pair.swap.inst_id)
        if position is None or limits.warn_rank not in (4, 5):
            return np.zeros(at.stop - at.start, dtype=np.bool_)
        edge, entry, short = WARNED[limits.warn_rank - 4], float(position.avg_px), float(hedge.short_base)
        best, worst = 1 - ground.mark.low[at] / entry, 1 - ground.mark.high[at] / entry
        highest = best * short * ground.mark.high[at] / bounds.least
        lowest = worst * short * ground.mark.low[at] / bounds.most
        view = ctx.adl.get(hedge.instrument)
        if view is None:
            calm: Bools = (best <= 0) | (highest < edge * (1 - 1e-6))
            return calm
        answered = view.samples >= limits.samples and hedge.target_base <= Decimal(
            view.size_before * (1 - limits.shrink_share)
        )
        warned: Bools = (worst > 0) & (lowest > edge * (1 + 1e-6))
        return warned if answered else np.zeros(at.stop - at.start, dtype=np.bool_)

    def _rise(self, name: str, at: slice) -> Floats:
        """The most a rise like those of the last hour can be, a fraction (risk/projection.py)."""
        limits, ground = self._settings.risk.margin, self._terrain.grounds[name]
        if not limits.project_sigmas:
            return np.zeros(at.stop - at.start)
        bars = float(limits.project_minutes) / BAR_MINUTES
        rise: Floats = ground.swing[at] * float(limits.project_sigmas) * bars**0.5
        return rise


def _in_coins(ctx: Context) -> bool:
    """Whether coins back the swaps as well as USDT."""
    return ctx.account is not None and ctx.account.mode is AccountMode.MULTI


def _fees_bps(ctx: Context, name: str) -> float:
    fees = ctx.fees[name]
    return float(2 * (fees.spot_taker + fees.swap_taker) * BPS)


def _day(day: int) -> str:
    return str(np.datetime64(day, "D"))
