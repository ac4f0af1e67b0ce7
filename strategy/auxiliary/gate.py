"""What becomes of a signal: every limit of the sleeve asked, every answer kept, and a grant if all agree.

    Signal + SleeveView + MarketView + configuration -> judge -> Judgement(fate, verdicts, grant)

Pure, like every decision. All checks that can be made are made, also after one has refused, so that "why was
this signal not traded" has the whole answer. A grant is a ceiling: execution may do less, never more.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from config.auxiliary import AuxiliaryModules
from core.context import MarketView
from core.types import Base, Side, Usdt
from core.verdict import Verdict, refused
from strategy.auxiliary import gate_checks as checks
from strategy.auxiliary.exit_plan import ExitPlan, Measures
from strategy.auxiliary.gate_bounds import bounds_of
from strategy.auxiliary.gate_size import protected, quoted, sized
from strategy.auxiliary.language import Fate, Signal
from strategy.auxiliary.sleeve_view import SleeveView

BREAKS = frozenset({"sleeve_open", "sleeve_daily_loss"})  # nothing may be entered, whatever it is
CONFLICTS = frozenset({"sleeve_conflict"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What may be entered.

    base      coins, whole lots of the swap, at most.
    leverage_wished   the preset's or the module's.    leverage_granted  for the venue's setting, isolated.
    entry_px  the worst price to be paid, on the tick: the order's limit.
    stop_px   of the plan for that price; for another one `plan.levels` gives it.
    risk      USDT lost at the stop, without fees.    margin  USDT, initial.
    plan      with its rules applied; none are left in it.    measures  what its distances are measured in.
    """

    signal_id: str
    module: str
    instrument: str
    side: Side
    base: Base
    leverage_wished: Decimal
    leverage_granted: Decimal
    entry_px: Decimal
    stop_px: Decimal
    risk: Usdt
    margin: Usdt
    plan: ExitPlan
    measures: Measures


@dataclass(frozen=True, slots=True)
class Judgement:
    """`grant` is there exactly when the fate is EXECUTED: it may be, and an order that fails still ends it
    as FILTERED."""

    signal_id: str
    fate: Fate
    verdicts: tuple[Verdict, ...]
    grant: Grant | None = None

    @property
    def why(self) -> str:
        """The first reason against it; empty when there is none."""
        against = refused(self.verdicts)
        return against[0].reason if against else ""


def judge(
    signal: Signal,
    sleeve: SleeveView,
    market: MarketView,
    rules: AuxiliaryModules,
    now_ms: int,
    *,
    paper: bool = False,
) -> Judgement:
    """Return what becomes of the signal.

    market  of the signal's instrument, as of `now_ms`.
    paper   True only where no order can reach a venue (backtests): how often a module would enter is then
            a figure, and refuses nothing. Every other limit is the same.
    """
    limits, bounds, swap = rules.limits, bounds_of(signal, rules, sleeve.capital), market.pair.swap
    verdicts = [
        checks.is_open(signal, sleeve),
        checks.day_is_not_lost(signal, sleeve, bounds),
        checks.is_fresh(signal, now_ms),
        checks.is_new(signal, sleeve),
        checks.may_be_traded(signal, sleeve, market, rules, now_ms),
        checks.has_no_conflict(signal, sleeve, market),
        checks.has_a_place(signal, sleeve, bounds),
        checks.is_rare(signal, sleeve, bounds, now_ms, paper),
        checks.has_trades_left(signal, sleeve, bounds, now_ms),
        checks.is_uncorrelated(signal, sleeve, limits.max_correlation),
        checks.is_strong(signal, bounds),
    ]
    stop = size = None
    near, quote = quoted(
        signal,
        market,
        limits.max_slippage_bps,
        limits.max_deviation_ratio,
        1_000 * limits.max_market_age_s,
        now_ms,
    )
    verdicts.append(near)
    if quote is not None:
        planned, stop = protected(signal, bounds, quote, swap)
        verdicts.append(planned)
    if quote is not None and stop is not None:
        large, size = sized(signal, sleeve, bounds, quote, stop, swap, limits.max_depth_share)
        verdicts.append(large)
    said = tuple(verdicts)
    against = {verdict.guard for verdict in refused(said)}
    if against or quote is None or stop is None or size is None:
        fate = Fate.FILTERED
        if against & BREAKS:
            fate = Fate.CIRCUIT_BREAK
        elif against & CONFLICTS:
            fate = Fate.CONFLICT
        return Judgement(signal.signal_id, fate, said)
    grant = Grant(
        signal.signal_id,
        signal.module,
        signal.instrument,
        signal.side,
        size.base,
        leverage_wished=bounds.wished_leverage,
        leverage_granted=stop.leverage,
        entry_px=quote.limit_px,
        stop_px=stop.stop_px,
        risk=size.risk,
        margin=size.margin,
        plan=stop.plan,
        measures=signal.measures,
    )
    return Judgement(signal.signal_id, Fate.EXECUTED, said, grant)
