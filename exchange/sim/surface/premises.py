"""Everything a venue is and remembers, in one piece: what it starts with, and what a snapshot holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from exchange.sim.edits import Edits as VenueEdits
from exchange.sim.event_log import EventLog
from exchange.sim.exchange import Exchange
from exchange.sim.faults.levers import Levers as VenueLevers
from exchange.sim.faults.plan import FaultPlan
from exchange.sim.seam import Venue
from exchange.sim.surface.control.api import Edits
from exchange.sim.surface.control.fault_desk import Levers
from exchange.sim.surface.entry.rate_limits import RateLimits


@dataclass(slots=True)
class Premises:
    """`edits` and `levers` belong to this `venue`, and `log` is where it records its commands."""

    venue: Venue
    edits: Edits
    levers: Levers
    log: EventLog = field(default_factory=EventLog)
    plan: FaultPlan = field(default_factory=FaultPlan)
    limits: RateLimits = field(default_factory=RateLimits)


def premises_of(venue: Exchange, rate_limits: bool = True) -> Premises:
    """Everything around a venue, as yet without faults; from here on it records its commands."""
    if venue.log is None:
        venue.log = EventLog()
    plan, limits = FaultPlan(venue.world.seed), RateLimits(rate_limits)
    return Premises(venue, VenueEdits(venue), VenueLevers(venue), venue.log, plan, limits)
