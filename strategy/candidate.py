"""What could be opened, or made larger: every condition, and the target when all of them hold."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from config.schema import Settings
from core.context import Context, HedgeView, MarketView
from core.events import HedgeTarget, Purpose
from core.types import BPS, ZERO, Base, Contracts
from core.verdict import Verdict, refused
from strategy import conditions
from strategy.costs import RoundTrip, round_trip
from strategy.funding_forecast import Forecast, History, forecast
from strategy.sizing import Sizing, ceilings, fit


@dataclass(frozen=True, slots=True)
class Candidate:
    """One instrument, and what its conditions said.

    outlook, cost, sizing  None while they cannot be told; the verdicts say why.
    target                 what to open; None when a condition refuses.
    """

    instrument: str
    verdicts: tuple[Verdict, ...]
    outlook: Forecast | None
    cost: RoundTrip | None
    sizing: Sizing | None
    target: HedgeTarget | None

    @property
    def funding_bps(self) -> Decimal:
        """Forecast funding over the horizon, bps of notional; 0 without a forecast."""
        return self.outlook.expected_sum * BPS if self.outlook else ZERO

    @property
    def net_bps(self) -> Decimal:
        """The same less the round trip of our size: what openings are ranked by."""
        return self.funding_bps - (self.cost.total_bps if self.cost else ZERO)


def judge(
    settings: Settings, ctx: Context, market: MarketView, hedge: HedgeView | None, history: History
) -> Candidate:
    """Ask every condition, also after a refusal: "why not" has a complete answer.

    A hedge that is held may grow: the same is asked of what would be added, but not whether it is held.
    """
    strategy, name = settings.strategy, market.pair.name
    fees, quote = ctx.fees.get(name), conditions.usable_quote(market, ctx.now_ms)
    is_quoted = conditions.quoted(market)
    sizing = cost = outlook = None
    if is_quoted.ok and fees is not None:
        sizing = fit(market.pair, fees.spot_taker, ceilings(settings, ctx, market, fees))
        if sizing.contracts:
            cost = round_trip(market, fees, sizing.base)
    if quote is not None:
        outlook = forecast(quote, history, strategy.forecast, ctx.now_ms)
    in_account = ctx.account.contracts(market.pair.swap.inst_id) if ctx.account else Contracts(ZERO)
    grown = hedge if hedge is not None and conditions.is_held(hedge, market.pair) else None
    place = (
        (conditions.may_grow(market, grown),)
        if grown
        else (
            conditions.not_held(market, hedge, in_account),
            conditions.cooled_down(ctx, name, strategy.exit.cooldown_hours),
        )
    )
    verdicts = (
        conditions.wanted(name, strategy, settings.instruments),
        is_quoted,
        conditions.funding_in_band(market, quote, strategy),
        *place,
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
    target = None
    if sizing is not None and outlook is not None and cost is not None and not refused(verdicts):
        carry, base = verdicts[-1], sizing.base
        purpose = Purpose.GROW if grown else Purpose.OPEN
        if grown:
            base = Base(base + grown.short_base)
        target = HedgeTarget(name, base, purpose, carry.reason, (*sizing.terms, *carry.figures))
    return Candidate(name, verdicts, outlook, cost, sizing, target)
