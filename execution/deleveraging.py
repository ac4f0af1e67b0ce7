"""Giving up a part of a hedge by choice before the venue takes one leg of it by force."""

from __future__ import annotations

from config.schema import Deleveraging
from core.context import Context, HedgeView
from core.events import HedgeTarget, Plan, Purpose
from core.types import ZERO
from core.verdict import Verdict


class DeleveragingPlanner:
    """Shrinks both legs of a hedge whose short stays near the head of the ADL queue (core.ports.Planner).

    Asked for is a share of what the hedge was when the warning began, once for each warning: the
    indicator is the venue's, and does not fall at once because of what we do.
    """

    def __init__(self, limits: Deleveraging) -> None:
        self._limits = limits

    def plan(self, ctx: Context) -> Plan:
        judged = tuple(self._judge(ctx, hedge) for hedge in ctx.open_hedges)
        return Plan(
            adjusting=tuple(t for _, t in judged if t is not None), verdicts=tuple(v for v, _ in judged)
        )

    def _judge(self, ctx: Context, hedge: HedgeView) -> tuple[Verdict, HedgeTarget | None]:
        view, name = ctx.adl.get(hedge.instrument), hedge.instrument
        if view is None:
            return Verdict(True, "adl_queue", "not near the head of the queue", (), name), None
        swap = ctx.markets[name].pair.swap
        goal = swap.to_contracts(view.size_before * (1 - self._limits.shrink_share))
        base = swap.to_base(goal if goal >= swap.min_size else ZERO)
        figures = (
            ("adl_rank", view.rank),
            ("warn_rank", self._limits.warn_rank),
            ("samples", view.samples),
            ("needed_samples", self._limits.samples),
            ("size_before_base", view.size_before),
        )
        if view.samples < self._limits.samples:
            return Verdict(True, "adl_queue", "near the head of the queue, not for long", figures, name), None
        if hedge.target_base <= base:
            return Verdict(True, "adl_queue", "made smaller already for this warning", figures, name), None
        reason = "the short is about to be deleveraged by force"
        return (
            Verdict(False, "adl_queue", reason, figures, name),
            HedgeTarget(name, base, Purpose.SHRINK, reason, figures),
        )
