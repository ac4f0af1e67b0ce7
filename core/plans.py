"""What several planners want, made one plan."""

from __future__ import annotations

from core.events import HedgeTarget, Plan, Target


def merge(plans: tuple[Plan, ...]) -> Plan:
    """One plan of several planners': per instrument the smallest target wins, transfers add up."""
    opening = tuple(t for p in plans for t in p.opening)
    verdicts = tuple(v for p in plans for v in p.verdicts)
    smallest: dict[str, HedgeTarget] = {}
    transfers: list[Target] = []
    for target in (t for p in plans for t in p.adjusting):
        if not isinstance(target, HedgeTarget):
            transfers.append(target)
        elif target.instrument not in smallest or target.base < smallest[target.instrument].base:
            smallest[target.instrument] = target
    return Plan(opening, (*smallest.values(), *transfers), verdicts)
