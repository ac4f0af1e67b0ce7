"""Cash and carry: hold long spot and short swap of a coin while its funding pays.

For every instrument one of two questions is asked: should it be opened (strategy/conditions.py), or, when
it is held, should it be kept (strategy/exits.py). The answers are targets; how they are reached is
execution's.
"""

from __future__ import annotations

from decimal import Decimal

from config.schema import Settings
from core.context import Context, HedgeView, MarketView
from core.events import HedgeTarget, Plan, Purpose
from core.types import ZERO, Base, Contracts, SettledFunding
from core.verdict import Verdict, refused
from strategy import conditions
from strategy.costs import round_trip
from strategy.exits import reasons_to_keep, tradable
from strategy.funding_forecast import History, digest, forecast
from strategy.sizing import ceilings, fit

HistoryKey = tuple[int, SettledFunding | None, SettledFunding | None]  # length, first, last


class CashAndCarry:
    """The main strategy as a planner. Its plan depends on the context alone.

    Openings are ranked by expected net carry per notional, equal ones by name; a scan acts on the first.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._histories: dict[str, tuple[HistoryKey, History]] = {}  # a memo: folding is the costly part

    def plan(self, ctx: Context) -> Plan:
        verdicts: list[Verdict] = []
        openings: list[tuple[Decimal, HedgeTarget]] = []
        exits: list[HedgeTarget] = []
        for name in sorted(ctx.markets):
            market, hedge = ctx.markets[name], ctx.hedges.get(name)
            if hedge is not None and conditions.is_held(hedge, market.pair):
                spoken, leaving = self._held(ctx, market, hedge)
                exits += [leaving] if leaving else []
            else:
                spoken, candidate = self._candidate(ctx, market, hedge)
                openings += [candidate] if candidate else []
            verdicts += spoken
        openings.sort(key=lambda o: (-o[0], o[1].instrument))
        return Plan(tuple(target for _, target in openings), tuple(exits), tuple(verdicts))

    def _candidate(
        self, ctx: Context, market: MarketView, hedge: HedgeView | None
    ) -> tuple[tuple[Verdict, ...], tuple[Decimal, HedgeTarget] | None]:
        """Ask every condition; net carry (bps) and target when all of them hold."""
        settings, strategy, name = self._settings, self._settings.strategy, market.pair.name
        fees, quote = ctx.fees.get(name), conditions.usable_quote(market, ctx.now_ms)
        history = self._history(market)
        is_quoted = conditions.quoted(market)
        sizing = cost = outlook = None
        if is_quoted.ok and fees is not None:
            sizing = fit(market.pair, fees.spot_taker, ceilings(settings, ctx, market, fees))
            if sizing.contracts:
                cost = round_trip(market, fees, sizing.base)
        if quote is not None:
            outlook = forecast(quote, history, strategy.forecast, ctx.now_ms)
        in_account = ctx.account.contracts(market.pair.swap.inst_id) if ctx.account else Contracts(ZERO)
        verdicts = (
            conditions.wanted(name, strategy, settings.instruments),
            is_quoted,
            conditions.funding_in_band(market, quote, strategy),
            conditions.not_held(market, hedge, in_account),
            conditions.cooled_down(ctx, name, strategy.exit.cooldown_hours),
            conditions.away_from_settlement(
                ctx,
                market,
                strategy.opening.settlement_quiet_s,
                settings.risk.execution.opening_deadline_s,
            ),
            conditions.calm(ctx, market, strategy.regime),
            conditions.uncrowded(ctx, market, quote, history, strategy.regime),
            conditions.history_known(market, history, strategy.forecast.min_settlements),
            conditions.basis_in_bounds(market, strategy.opening.max_basis_bps),
            conditions.large_enough(market, sizing),
            conditions.carry_pays(market, outlook, cost, settings),
        )
        if sizing is None or outlook is None or cost is None or refused(verdicts):
            return verdicts, None
        carry = verdicts[-1]
        target = HedgeTarget(name, sizing.base, Purpose.OPEN, carry.reason, (*sizing.terms, *carry.figures))
        return verdicts, (conditions.net_carry_bps(outlook, cost), target)

    def _held(
        self, ctx: Context, market: MarketView, hedge: HedgeView
    ) -> tuple[tuple[Verdict, ...], HedgeTarget | None]:
        """Ask whether to keep the hedge; a target of zero when the first reason against it speaks."""
        strategy, name = self._settings.strategy, market.pair.name
        fees, quote = ctx.fees.get(name), conditions.usable_quote(market, ctx.now_ms)
        outlook = forecast(quote, self._history(market), strategy.forecast, ctx.now_ms) if quote else None
        cost = round_trip(market, fees, hedge.size) if fees else None
        keep = reasons_to_keep(self._settings, ctx, market, hedge, outlook, cost)
        in_account = ctx.account.contracts(market.pair.swap.inst_id) if ctx.account else Contracts(ZERO)
        verdicts = (conditions.not_held(market, hedge, in_account), *keep)
        can_leave = tradable(market)
        if not can_leave.ok:
            return (can_leave, *verdicts), None
        against = refused(keep)
        if not against:
            return verdicts, None
        first = against[0]
        return verdicts, HedgeTarget(name, Base(ZERO), Purpose.EXIT, first.reason, first.figures)

    def _history(self, market: MarketView) -> History:
        """Fold the settled rates, or reuse the last fold: a history only ever grows at its end."""
        settled, name = market.settled, market.pair.name
        key: HistoryKey = (len(settled), settled[0], settled[-1]) if settled else (0, None, None)
        known = self._histories.get(name)
        if known is None or known[0] != key:
            known = (key, digest(settled, self._settings.strategy.forecast.half_life_hours))
            self._histories[name] = known
        return known[1]


class CarryGuard:
    """The row of an opening asks: is there one? The plan's verdicts say why, or why not."""

    name = "carry_pays"

    def check(self, ctx: Context) -> Verdict:
        if not ctx.plan.opening:
            return Verdict(False, self.name, "nothing is worth opening now", (("candidates", 0),))
        best = ctx.plan.opening[0]
        figures = (("candidates", len(ctx.plan.opening)), *best.figures)
        return Verdict(True, self.name, best.reason, figures, best.instrument)
