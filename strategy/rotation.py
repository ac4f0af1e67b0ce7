"""Whether a held hedge gives its place to a better coin, once all places are taken.

With E the forecast funding over the horizon, c the round trip of the new hedge (bps of notional), and s the
new hedge's size over the held one's, at most 1:

    gain = s (E_new - c_new) - E_held

in bps of the held notional. The held hedge's own way out is paid sooner or later in any case and is no part
of it. Only the exit is decided here; the opening follows by the next scan, with all its guards. So a place
is given up only for a coin that passes every condition, and every guard, in the account as it would be then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from config.schema import Settings
from core.context import Context, HedgeView, MarketView, Permission
from core.events import HedgeTarget, Plan, Purpose
from core.ports import Guard
from core.types import BPS, HOUR_MS, ONE, ZERO, AccountSnapshot, Balance, Base, Contracts
from core.verdict import Figures, Verdict, refused
from strategy.candidate import Candidate
from strategy.costs import RoundTrip
from strategy.exits import tradable
from strategy.funding_forecast import Forecast
from strategy.sizing import place_is_free

NAME: Final = "keep_place"
MINUTE_MS: Final = 60_000
LEAD_MS: Final = 15 * MINUTE_MS  # the exit, the next scan and a whole opening come before the settlement
BY_SIZE: Final = frozenset({"large_enough", "net_carry"})  # conditions a taken place makes refuse

Judge = Callable[[Context, MarketView], Candidate]


@dataclass(frozen=True, slots=True)
class Standing:
    """A held hedge, what its funding is forecast to be, and what leaving and coming back costs."""

    market: MarketView
    hedge: HedgeView
    outlook: Forecast | None
    cost: RoundTrip | None

    @property
    def funding_bps(self) -> Decimal:
        return self.outlook.expected_sum * BPS if self.outlook else ZERO


@dataclass(frozen=True, slots=True)
class Change:
    """One hedge for another. `size_ratio`: notional of the new one over the held one's, at most 1."""

    standing: Standing
    better: Candidate
    size_ratio: Decimal

    @property
    def gain_bps(self) -> Decimal:
        return gain_bps(self.better.net_bps, self.standing.funding_bps, self.size_ratio)

    def figures(self, least: Decimal) -> Figures:
        new, cost = self.better, self.better.cost
        return (
            ("better", new.instrument),
            ("gain_bps", self.gain_bps),
            ("min_gain_bps", least),
            ("funding_held_bps", self.standing.funding_bps),
            ("funding_new_bps", new.funding_bps),
            ("round_trip_new_bps", cost.total_bps if cost else ZERO),
            ("size_ratio", self.size_ratio),
        )


def gain_bps(new_net_bps: Decimal, held_bps: Decimal, size_ratio: Decimal = ONE) -> Decimal:
    """What the change brings over the horizon, bps of the held notional.

    new_net_bps  forecast funding of the new coin less its round trip.   held_bps  forecast of the held one.

    250 bps to come for a round trip of 32 against 90 bps: 128; with half the size only 19.
    """
    return new_net_bps * size_ratio - held_bps


class Rotation:
    """Looks for one change that pays for itself; never more than one at a time.

    may_we  the guards an opening has to pass.   judge  asks a coin's own conditions in a given context.
    """

    def __init__(self, settings: Settings, may_we: tuple[Guard, ...], judge: Judge) -> None:
        self._settings, self._guards, self._judge = settings, may_we, judge

    def look(
        self, ctx: Context, held: Sequence[Standing], candidates: Sequence[Candidate]
    ) -> tuple[Verdict | None, HedgeTarget | None]:
        """Return what is said about the weakest hedge's place, and its exit when a change pays.

        Nothing is said while a place is free: the ordinary opening takes it.
        """
        rules = self._settings.strategy.rotation
        if not rules.enabled or not self._settings.strategy.enabled or not held:
            return None, None
        if place_is_free(self._settings, ctx):
            return None, None
        weakest = min(held, key=lambda one: (one.funding_bps, one.hedge.instrument))
        if busy := _something_else(ctx, held):
            return Verdict(True, NAME, f"not judged: {busy}", (), weakest.hedge.instrument), None
        ripe = [one for one in held if self._is_ripe(ctx, one)]
        if not ripe:
            reason = "no hedge has been held for long enough to give up its place"
            return Verdict(True, NAME, reason, (), weakest.hedge.instrument), None
        weakest = min(ripe, key=lambda one: (one.funding_bps, one.hedge.instrument))
        return self._weigh(ctx, weakest, candidates)

    def _is_ripe(self, ctx: Context, one: Standing) -> bool:
        """Held for `exit.min_hold_hours`, with a forecast, in books that take it, no settlement near."""
        strategy = self._settings.strategy
        known = one.outlook is not None and one.outlook.history >= strategy.forecast.min_settlements
        carried = one.cost is not None and one.cost.covered
        held_hours = Decimal(ctx.now_ms - one.hedge.opened_ms) / HOUR_MS
        return (
            known and carried and tradable(one.market).ok and held_hours >= strategy.exit.min_hold_hours
        ) and _settles_later(ctx, one.market)

    def _weigh(
        self, ctx: Context, weakest: Standing, candidates: Sequence[Candidate]
    ) -> tuple[Verdict, HedgeTarget | None]:
        name, least = weakest.hedge.instrument, self._settings.strategy.rotation.min_gain_bps
        after = without(ctx, weakest)
        changes = [
            change
            for one in candidates
            if self._may_be_better(ctx, weakest, one)
            and (change := self._change(after, weakest, one.instrument)) is not None
        ]
        if not changes:
            alone: Figures = (("funding_held_bps", weakest.funding_bps), ("min_gain_bps", least))
            return Verdict(True, NAME, "no other coin is worth a change", alone, name), None
        best = min(changes, key=lambda change: (-change.gain_bps, change.better.instrument))
        figures = best.figures(least)
        if best.gain_bps <= least:
            return Verdict(True, NAME, "a better coin would not pay for the change", figures, name), None
        if against := self._refusal(after, best):
            figures = (*figures, ("refused_by", against.guard), ("refusal", against.reason))
            return Verdict(True, NAME, "a better coin may not be opened now", figures, name), None
        reason = "a better coin pays for the change"
        leaving = HedgeTarget(name, Base(ZERO), Purpose.EXIT, reason, figures)
        return Verdict(False, NAME, reason, figures, name), leaving

    def _may_be_better(self, ctx: Context, weakest: Standing, one: Candidate) -> bool:
        """Whether it is worth asking again: only the taken place stands in its way, and it earns more."""
        others = [verdict for verdict in refused(one.verdicts) if verdict.guard not in BY_SIZE]
        least = self._settings.strategy.rotation.min_gain_bps
        return (
            not others
            and one.funding_bps - weakest.funding_bps > least
            and one.instrument not in ctx.doubtful
            and _settles_later(ctx, ctx.markets[one.instrument])
        )

    def _change(self, after: Context, weakest: Standing, name: str) -> Change | None:
        better = self._judge(after, after.markets[name])
        held_market, market = weakest.market, after.markets[name]
        assert market.spot is not None and held_market.spot is not None  # both are quoted
        if better.target is None:
            return None
        notional = weakest.hedge.size * held_market.spot.mid
        ratio = better.target.base * market.spot.mid / notional
        return Change(weakest, better, min(ONE, ratio))

    def _refusal(self, after: Context, change: Change) -> Verdict | None:
        """What a guard would say against the opening, in the account as it would be then."""
        assert change.better.target is not None  # _change has looked
        planned = after.with_plan(Plan(opening=(change.better.target,)))
        against = refused(tuple(guard.check(planned) for guard in self._guards))
        return against[0] if against else None


def without(ctx: Context, one: Standing) -> Context:
    """Return the context as it would be with the hedge closed at the prices of now.

    Spot is sold for USDT less half a round trip, which pays for both legs' fees and slippage; the short's
    result is in the equity already. What the venue frees of margin, and what its discount took off the
    coins, is not counted. A result below zero is a losing round.
    """
    hedge, market = one.hedge, one.market
    assert market.spot is not None and one.cost is not None
    worth = hedge.spot_base * market.spot.mid
    costs = worth * one.cost.total_bps / 2 / BPS
    result = hedge.pnl - costs
    breaker = replace(
        ctx.breaker,
        losing_rounds=ctx.breaker.losing_rounds + 1 if result < 0 else 0,
        day_pnl=ctx.breaker.day_pnl + hedge.basis - hedge.slippage - costs,  # the rest is in it already
    )
    return replace(
        ctx,
        account=_account_without(ctx.account, one, worth, costs) if ctx.account else None,
        hedges={name: other for name, other in ctx.hedges.items() if name != hedge.instrument},
        last_close_ms={**ctx.last_close_ms, hedge.instrument: ctx.now_ms},
        breaker=breaker,
    )


def _account_without(
    account: AccountSnapshot, one: Standing, worth: Decimal, costs: Decimal
) -> AccountSnapshot:
    hedge, pair = one.hedge, one.market.pair
    balances = dict(account.balances)
    usdt = balances.get("USDT", Balance("USDT", ZERO, ZERO, ZERO))
    balances["USDT"] = _changed(usdt, worth - costs)
    if coins := balances.get(pair.spot.base_ccy):
        balances[pair.spot.base_ccy] = _changed(coins, -min(coins.cash, hedge.spot_base))
    positions = dict(account.positions)
    if position := positions.get(pair.swap.inst_id):
        left = Contracts(min(ZERO, position.contracts + hedge.contracts))
        positions[pair.swap.inst_id] = replace(position, contracts=left)
    adjusted = account.adjusted_equity_usd
    if adjusted is not None:
        adjusted -= costs
    return replace(account, balances=balances, positions=positions, adjusted_equity_usd=adjusted)


def _changed(balance: Balance, amount: Decimal) -> Balance:
    return replace(
        balance,
        cash=balance.cash + amount,
        equity=balance.equity + amount,
        available=max(ZERO, balance.available + amount),
    )


def _settles_later(ctx: Context, market: MarketView) -> bool:
    """The next settlement is far enough away not to be missed between the exit and the opening."""
    return market.funding is not None and market.funding.funding_time_ms - ctx.now_ms > LEAD_MS


def _something_else(ctx: Context, held: Sequence[Standing]) -> str:
    """What is being done, or is in doubt, so that nobody should begin a change; empty when nothing is."""
    if ctx.permission.level is not Permission.FULL:
        return "new risk is not permitted"
    if ctx.unresolved_orders or ctx.repairs:
        return "an order or a repair is under way"
    if any(one.hedge.target_base <= 0 for one in held):
        return "an exit was begun"
    if any(abs(one.hedge.net_delta) >= one.market.pair.swap.step for one in held):
        return "legs are unequal"
    if any(one.hedge.instrument in ctx.doubtful for one in held):
        return "a price has jumped"
    return ""
