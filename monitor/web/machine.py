"""The state machine for the page: read from core/table.py, the table the engine itself decides by."""

from __future__ import annotations

from typing import Final

from core.events import State
from core.table import TABLE
from monitor.web.answers import Machine, Place, Way

MEANINGS: Final = {
    State.IDLE: "nothing is held",
    State.OPENING: "a hedge is on its way to its size",
    State.RUNNING: "hedges are held and collect funding",
    State.REBALANCING: "what is held is being changed",
    State.STOPPED: "nothing until the operator says so",
}


def machine() -> Machine:
    """Every state, and every row of the table for each state it starts from."""
    return Machine(
        tuple(Place(state.value, MEANINGS[state]) for state in State),
        tuple(
            Way(
                row.on.value,
                source.value,
                row.dest.value if row.dest else None,
                row.guards,
                "" if row.act is None else row.act.value,
            )
            for row in TABLE
            for source in row.sources
        ),
    )
