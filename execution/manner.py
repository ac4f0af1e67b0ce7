"""How hard a purpose may push: one place for the patience and the prices of every routine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from config.schema import Settings
from core.events import Purpose
from core.types import ONE
from execution.pricing import ladder

ON_TIME = Decimal("0.8")  # of a state's deadline: a routine ends by itself before the machine escalates


@dataclass(frozen=True, slots=True)
class Manner:
    """The limits within which a target is pursued.

    may_grow     the hedge may become larger than it is.
    may_complete a gap may be closed by enlarging the smaller leg; else only by reducing the larger.
    may_return   where nobody takes the larger leg, what the routine gave up of the smaller is taken again: a
                 hedge kept for a while is better than a leg alone. Never when margin has to be freed.
    slice_bps    slippage bounds of a slice's first order, from the mid; a fruitless slice goes one up.
    repair_bps   slippage bounds of the order that closes a gap; each try goes one up.
    band_bps, depth_share  a slice takes at most this share of the depth within the band.
    patience     fruitless slices in a row before the rest is left for another time.
    deadline_s   no slice starts later; `repair_s` the same for the tries of one repair.
    heeds_stop   a stop ends the routine between two slices.
    """

    may_grow: bool
    may_complete: bool
    may_return: bool
    slice_bps: tuple[Decimal, ...]
    repair_bps: tuple[Decimal, ...]
    band_bps: Decimal
    depth_share: Decimal
    patience: int
    deadline_s: Decimal
    repair_s: Decimal
    heeds_stop: bool = True

    def reducing(self) -> Manner:
        """The same, but nothing may become larger."""
        return replace(self, may_grow=False, may_complete=False)


def manner_of(purpose: Purpose, settings: Settings) -> Manner:
    """Return the manner of a purpose: openings are picky, reductions patient, flattening insists."""
    execution, liquidity = settings.risk.execution, settings.risk.liquidity
    usual_bps = settings.strategy.opening.max_slippage_bps
    if purpose is Purpose.FLATTEN:
        bounds = ladder(execution.repair_slippage_bps, execution.flatten_slippage_bps)
        deadline_s = execution.rebalancing_deadline_s * ON_TIME
        return Manner(False, False, False, bounds, bounds, bounds[-1], ONE, 30, deadline_s, deadline_s, False)
    grows = purpose.adds_risk
    deadline_s = ON_TIME * (execution.opening_deadline_s if grows else execution.rebalancing_deadline_s)
    return Manner(
        may_grow=grows,
        may_complete=grows or purpose is Purpose.REPAIR,
        may_return=True,
        slice_bps=(usual_bps,),
        repair_bps=ladder(usual_bps, execution.repair_slippage_bps),
        band_bps=liquidity.depth_band_bps,
        depth_share=liquidity.max_depth_share,
        patience=2 if grows else 10,
        deadline_s=deadline_s,
        repair_s=execution.repair_deadline_s,
    )
