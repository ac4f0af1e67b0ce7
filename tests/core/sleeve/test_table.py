"""The table of positions has an answer to everything, and no row that cannot be reached by name."""

from __future__ import annotations

from itertools import product

from core.events import State
from core.sleeve.events import PositionOn
from core.sleeve.table import POSITION_GUARDS, POSITION_IGNORED, POSITION_TABLE


def test_every_event_in_every_state_is_in_the_table_or_is_ignored_and_never_both() -> None:
    ruled = {(source, row.on) for row in POSITION_TABLE for source in row.sources}
    every = set(product(State, PositionOn))
    assert ruled | POSITION_IGNORED == every
    assert not ruled & POSITION_IGNORED


def test_every_guard_is_asked_by_some_row() -> None:
    asked = {name for row in POSITION_TABLE for name in row.guards}
    assert asked == {guard.name for guard in POSITION_GUARDS}


def test_only_a_grant_leads_to_an_entry() -> None:
    [way_in] = [row for row in POSITION_TABLE if row.dest is State.OPENING]
    assert way_in.guards == ("granted",) and way_in.sources == (State.IDLE,)


def test_nothing_that_ends_a_position_waits_for_a_permission() -> None:
    closing = [row for row in POSITION_TABLE if row.on is PositionOn.CLOSE]
    assert [row.guards for row in closing] == [()]
    assert {source for row in closing for source in row.sources} == set(State) - {State.IDLE}
