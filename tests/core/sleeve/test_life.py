"""A position's life: signal, entry, first target, stop moved, the end; whatever happens in between."""

from __future__ import annotations

import asyncio

import pytest

from core.context import Permission
from core.errors import AuthFailed
from core.events import State
from core.facts import Kind
from core.types import OrderRecord, Side
from tests.core.sleeve.rig import BTC, Sleeve
from tests.fakes import D, Fault

SWAP = "BTC-USDT-SWAP"


async def test_a_position_lives_from_its_signal_to_its_last_target() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    assert sleeve.propose().fate == "executed"
    await sleeve.settle()
    entered = sleeve.at_venue
    assert entered > 0 and sleeve.engine.state(BTC) is State.RUNNING
    [stop] = sleeve.venue.standing()
    assert stop.side is Side.SELL and stop.trigger_px < 60_000 * D("0.97")
    await sleeve.mark(63_100)  # the first target
    assert 0 < sleeve.at_venue < entered
    [stop] = sleeve.venue.standing()  # at the entry now, for what is left
    assert stop.size == sleeve.venue.position and stop.trigger_px > 59_500
    await sleeve.mark(66_100)
    assert sleeve.at_venue == 0 and sleeve.venue.standing() == []
    assert sleeve.engine.state(BTC) is State.IDLE
    [closed] = sleeve.books.closed
    assert closed.ended == "target" and closed.net > 0
    assert sleeve.venue.had_no_stop_ms <= 1_000
    assert sleeve.events() == ["entering", "begun", "progress", "progress", "closed"]
    assert [topic for topic, _ in sleeve.told] == ["sleeve_entering", "sleeve_closed"]


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
async def test_a_stop_that_is_reached_takes_everything_off(side: Side) -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose(side)
    await sleeve.settle()
    assert sleeve.at_venue * side.sign > 0
    await sleeve.mark(60_000 * (1 - side.sign * D("0.0302")))
    assert sleeve.at_venue == 0 and sleeve.venue.standing() == []
    [closed] = sleeve.books.closed
    assert closed.ended == "stop" and closed.net < 0


async def test_a_signal_for_a_taken_instrument_is_a_conflict_and_the_position_stays() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    held = sleeve.at_venue
    await sleeve.settle(7_200)
    assert sleeve.propose(Side.SELL).fate == "conflict"
    await sleeve.settle()
    assert sleeve.at_venue == held
    assert [row.body["fate"] for row in sleeve.journal.of(Kind.SIGNAL)] == ["executed", "conflict"]


@pytest.mark.parametrize("moment", range(1, 14))
async def test_a_process_that_dies_after_any_row_goes_on_where_it_was(moment: int) -> None:
    """After every row of an entry in turn: the next process holds it, with its stop and its plan."""
    sleeve = Sleeve()
    await sleeve.start()
    first = len(sleeve.journal.written)
    dead = asyncio.Event()

    def die(_: object) -> None:
        if len(sleeve.journal.written) >= first + moment:
            dead.set()

    sleeve.journal.listeners.append(die)
    sleeve.propose()
    for _ in range(300):
        if dead.is_set():
            break
        await asyncio.sleep(0)
        await sleeve.settle(0.01)
    await sleeve.restart()
    await sleeve.settle()
    assert sleeve.at_venue == sleeve.books.held(BTC)
    if not sleeve.at_venue:
        assert sleeve.engine.state(BTC) is State.IDLE and sleeve.venue.standing() == []
        return
    assert sleeve.engine.state(BTC) is State.RUNNING
    [stop] = sleeve.venue.standing()
    assert stop.size == sleeve.venue.position
    await sleeve.mark(63_100)
    await sleeve.mark(66_100)
    assert sleeve.at_venue == 0 and sleeve.books.closed[-1].ended == "target"


@pytest.mark.parametrize("fault", [Fault(lost=True), Fault(ack_lost=True), Fault(ack_lost=True, push="none")])
async def test_an_entry_without_an_answer_is_asked_for_and_never_sent_again(fault: Fault) -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.venue.on(SWAP, fault)
    sleeve.propose()
    await sleeve.settle(60)
    assert len(sleeve.venue.sent) == 1
    assert sleeve.at_venue == sleeve.books.held(BTC)
    assert sleeve.engine.state(BTC) is (State.IDLE if fault.lost else State.RUNNING)
    assert len(sleeve.venue.standing()) == (0 if fault.lost else 1)


@pytest.mark.parametrize(
    "fault", [Fault(lost=True), Fault(ack_lost=True, push="none"), Fault(reject="50001")]
)
@pytest.mark.parametrize("px", [63_100, 58_000])
async def test_an_exit_whose_order_goes_wrong_is_carried_through(fault: Fault, px: int) -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    sleeve.venue.stop_triggers = False  # the venue's own stop is not to help
    entered = sleeve.at_venue
    sleeve.venue.on(SWAP, fault)
    await sleeve.mark(px, seconds=90)
    assert sleeve.at_venue == sleeve.books.held(BTC)
    if px < 60_000:
        assert sleeve.at_venue == 0 and sleeve.engine.state(BTC) is State.IDLE
    else:
        assert 0 < sleeve.at_venue < entered and sleeve.engine.state(BTC) is State.RUNNING
        assert [stop.size for stop in sleeve.venue.standing()] == [sleeve.venue.position]


async def test_what_the_venue_s_stop_takes_off_while_nobody_watches_is_known_after_the_start() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    await sleeve.die()
    sleeve.venue.mark(D(57_000))
    assert sleeve.at_venue == 0
    await sleeve.start()
    await sleeve.settle()
    assert sleeve.engine.state(BTC) is State.IDLE
    [closed] = sleeve.books.closed
    assert closed.ended == "outside" and closed.net < 0


@pytest.mark.parametrize("fate", ["lost", "ack_lost", "50001"])
async def test_a_stop_that_did_not_get_there_is_placed_again_and_the_operator_is_told(fate: str) -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.venue.stop_script = [fate]
    sleeve.propose()
    await sleeve.settle()
    [stop] = sleeve.venue.standing()
    assert stop.size == sleeve.venue.position
    alarms = [fields for topic, fields in sleeve.told if topic == "alarm"]
    assert len(alarms) == (0 if fate == "ack_lost" else 1)
    assert sleeve.permissions.causes == {}  # it stands again


async def test_closing_comes_before_the_plan_and_also_ends_an_entry_that_is_on_its_way() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await asyncio.sleep(0)
    sleeve.engine.close("emergency of the hedges")
    await sleeve.settle(60)
    assert sleeve.at_venue == 0 and sleeve.venue.standing() == []
    assert sleeve.engine.state(BTC) is State.IDLE
    assert [position.ended for position in sleeve.books.closed] == ["emergency of the hedges"]


async def test_a_close_that_was_decided_goes_on_after_a_restart() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    sleeve.venue.on(SWAP, Fault(lost=True), Fault(lost=True), Fault(lost=True))
    sleeve.engine.close("operator")
    await sleeve.settle(1)
    await sleeve.restart()
    await sleeve.settle(120)
    assert sleeve.at_venue == 0 and sleeve.books.closed[-1].ended == "operator"


async def test_what_cannot_be_explained_stops_the_instrument_until_the_operator_has_looked() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    sleeve.venue.position -= 1  # gone without any trade
    sleeve.engine.differ()
    await sleeve.settle()
    assert sleeve.engine.state(BTC) is State.STOPPED
    sleeve.venue.position += 1
    sleeve.engine.differ()
    await sleeve.settle()
    sleeve.engine.resume()
    assert sleeve.engine.state(BTC) is State.RUNNING


async def test_nothing_is_entered_while_the_permission_is_lowered_but_what_is_held_may_leave() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    sleeve.permissions.lower("operator", Permission.NO_NEW_RISK, "pause")
    await sleeve.mark(58_000)
    assert sleeve.at_venue == 0
    await sleeve.settle(7_200)
    judged = sleeve.propose()
    assert judged.fate == "circuit_break" and "pause" in str(judged.verdicts)
    assert len(sleeve.journal.of(Kind.SIGNAL)) == 2


async def test_nothing_is_entered_where_the_venue_holds_what_nobody_can_explain() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.venue.position += 1  # somebody's, from before the books
    sleeve.engine.differ()
    await sleeve.settle()
    judged = sleeve.propose()
    await sleeve.settle()
    assert judged.fate == "circuit_break" and "the venue 1" in str(judged.verdicts)
    assert sleeve.venue.sent == [] and sleeve.engine.state(BTC) is State.IDLE
    sleeve.venue.position -= 1
    sleeve.engine.differ()
    await sleeve.settle()
    assert sleeve.propose().fate == "executed"


async def test_a_key_that_is_refused_while_an_order_is_asked_for_does_not_end_the_engine() -> None:
    sleeve = Sleeve()
    await sleeve.start()
    sleeve.propose()
    await sleeve.settle()
    sleeve.venue.stop_triggers = False
    sleeve.venue.on(SWAP, Fault(ack_lost=True, push="none", invisible_ms=40_000))
    asked = sleeve.venue.order

    async def refused(inst_id: str, cl_id: str) -> OrderRecord | None:
        raise AuthFailed("key refused", "50111")

    sleeve.venue.order = refused  # type: ignore[method-assign]
    await sleeve.mark(58_000, seconds=30)
    sleeve.venue.order = asked  # type: ignore[method-assign]
    await sleeve.settle(120)
    assert sleeve.at_venue == 0 and sleeve.engine.state(BTC) is State.IDLE
