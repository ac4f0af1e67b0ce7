"""Cash and carry: hold long spot and short swap of a coin while its funding pays.

For every instrument one of two questions is asked: should it be opened (strategy/candidate.py), or, when it
is held, should it be kept (strategy/exits.py). When all places are taken there is a third: should the weakest
hedge give its place to a better coin (strategy/rotation.py). The answers are targets; how they are reached
is execution's.
"""

from __future__ import annotations

from config.schema import Settings
from core.context import Context, HedgeView, MarketView
from core.events import HedgeTarget, Plan, Purpose
from core.ports import Guard
from core.types import ZERO, Base, Contracts, SettledFunding
from core.verdict import Verdict, refused
from strategy import conditions
from strategy.candidate import Candidate, judge
from strategy.costs import round_trip
from strategy.exits import reasons_to_keep, tradable
from strategy.funding_forecast import History, digest, forecast
from strategy.rotation import Rotation, Standing
from strategy.sizing import growth_due, place_is_free

HistoryKey = tuple[int, SettledFunding | None, SettledFunding | None]  # length, first, last


class CashAndCarry:
    """The main strategy as a planner. Its plan depends on the context alone.

    Openings are ranked by expected net carry per notional, equal ones by name; a scan acts on the first.
    What is held grows with its place, after new hedges while a place is free, before them when none is.
    may_we  the guards an opening will have to pass: a place is given up only for one they let through.
    """

    def __init__(self, settings: Settings, may_we: tuple[Guard, ...] = ()) -> None:
        self._settings = settings
        self._rotation = Rotation(settings, may_we, self._candidate)
        self._histories: dict[str, tuple[HistoryKey, History]] = {}  # a memo: folding is the costly part

    def plan(self, ctx: Context) -> Plan:
        verdicts: list[Verdict] = []
        candidates: list[Candidate] = []
        growing: list[Candidate] = []
        held: list[Standing] = []
        exits: list[HedgeTarget] = []
        for name in sorted(ctx.markets):
            market, hedge = ctx.markets[name], ctx.hedges.get(name)
            if hedge is not None and conditions.is_held(hedge, market.pair):
                standing, spoken, leaving = self._held(ctx, market, hedge)
                held.append(standing)
                if leaving is not None:
                    exits.append(leaving)
                elif growth_due(self._settings, ctx, hedge):
                    larger = self._candidate(ctx, market)
                    growing.append(larger)
                    spoken += larger.verdicts
            else:
                candidate = self._candidate(ctx, market)
                candidates.append(candidate)
                spoken = candidate.verdicts
            verdicts += spoken
        if not exits:
            place, giving_up = self._rotation.look(ctx, held, candidates)
            verdicts += [place] if place else []
            exits += [giving_up] if giving_up else []
        new, more = _targets(candidates), _targets(growing)
        openings = new + more if place_is_free(self._settings, ctx) else more + new
        return Plan(openings, tuple(exits), tuple(verdicts))

    def _candidate(self, ctx: Context, market: MarketView) -> Candidate:
        hedge = ctx.hedges.get(market.pair.name)
        return judge(self._settings, ctx, market, hedge, self._history(market))

    def _held(
        self, ctx: Context, market: MarketView, hedge: HedgeView
    ) -> tuple[Standing, tuple[Verdict, ...], HedgeTarget | None]:
        """Ask whether to keep the hedge; a target of zero when the first reason against it speaks."""
        strategy, name = self._settings.strategy, market.pair.name
        fees, quote = ctx.fees.get(name), conditions.usable_quote(market, ctx.now_ms)
        outlook = forecast(quote, self._history(market), strategy.forecast, ctx.now_ms) if quote else None
        cost = round_trip(market, fees, hedge.size) if fees else None
        keep = reasons_to_keep(self._settings, ctx, market, hedge, outlook, cost)
        in_account = ctx.account.contracts(market.pair.swap.inst_id) if ctx.account else Contracts(ZERO)
        verdicts = (conditions.not_held(market, hedge, in_account), *keep)
        standing = Standing(market, hedge, outlook, cost)
        can_leave = tradable(market)
        if not can_leave.ok:
            return standing, (can_leave, *verdicts), None
        against = refused(keep)
        if not against:
            return standing, verdicts, None
        first = against[0]
        leaving = HedgeTarget(name, Base(ZERO), Purpose.EXIT, first.reason, first.figures)
        return standing, verdicts, leaving

    def _history(self, market: MarketView) -> History:
        """Fold the settled rates, or reuse the last fold: a history only ever grows at its end."""
        settled, name = market.settled, market.pair.name
        key: HistoryKey = (len(settled), settled[0], settled[-1]) if settled else (0, None, None)
        known = self._histories.get(name)
        if known is None or known[0] != key:
            known = (key, digest(settled, self._settings.strategy.forecast.half_life_hours))
            self._histories[name] = known
        return known[1]


def _targets(candidates: list[Candidate]) -> tuple[HedgeTarget, ...]:
    """Those whose conditions all hold, the best net carry first."""
    ranked = sorted(candidates, key=lambda one: (-one.net_bps, one.instrument))
    return tuple(one.target for one in ranked if one.target is not None)


class CarryGuard:
    """The row of an opening asks: is there one? The plan's verdicts say why, or why not."""

    name = "carry_pays"

    def check(self, ctx: Context) -> Verdict:
        if not ctx.plan.opening:
            return Verdict(False, self.name, "nothing is worth opening now", (("candidates", 0),))
        best = ctx.plan.opening[0]
        figures = (("candidates", len(ctx.plan.opening)), *best.figures)
        return Verdict(True, self.name, best.reason, figures, best.instrument)
