"""Whatever happens in whatever order: the books are the venue's, a stop stands, nothing grows by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass

from hypothesis import event, given, settings
from hypothesis import strategies as st

from core.events import State
from core.facts import Kind
from core.types import ZERO, Side
from tests.core.sleeve.rig import BTC, Sleeve
from tests.fakes import FINE, D, Fault

SWAP = "BTC-USDT-SWAP"

faults = st.builds(
    Fault,
    lost=st.booleans(),
    ack_lost=st.booleans(),
    reject=st.sampled_from(["", "", "", "50001", "51169"]),
    fill=st.sampled_from([D(1), D(1), D("0.4"), ZERO]),
    push=st.sampled_from(["after", "before", "twice", "none"]),
    invisible_ms=st.sampled_from([0, 0, 900]),
)


@dataclass(frozen=True)
class Do:
    what: str
    percent: int = 0
    fault: Fault = FINE


entries_first = st.tuples(
    st.builds(Do, st.just("fault"), fault=st.one_of(st.just(FINE), faults)),
    st.builds(Do, st.sampled_from(["buy", "sell"])),
).map(list)
deeds = st.lists(
    st.one_of(
        st.builds(Do, st.just("mark"), st.integers(-6, 6)),
        st.builds(Do, st.sampled_from(["buy", "sell", "wait", "restart", "close", "differ", "blink"])),
        st.builds(Do, st.just("fault"), fault=faults),
        st.builds(Do, st.sampled_from(["stop lost", "stop ack_lost", "stop 50001", "outage"])),
    ),
    max_size=14,
)
stories = st.builds(lambda first, rest: [*first, *rest], entries_first, deeds)


async def act(sleeve: Sleeve, deed: Do) -> None:
    match deed.what:
        case "mark":
            px = (sleeve.venue.mids[SWAP] * (1 + D(deed.percent) / 100)).quantize(D("0.1"))
            await sleeve.mark(px, seconds=1)
        case "buy" | "sell":
            sleeve.propose(Side.BUY if deed.what == "buy" else Side.SELL)
            await sleeve.settle(0.05)
        case "wait":
            await sleeve.settle(4_000)
        case "restart":
            await sleeve.restart()
        case "close":
            sleeve.engine.close("operator")
        case "differ":
            sleeve.engine.differ()
        case "blink":
            await sleeve.settle(0.02)
        case "fault":
            sleeve.venue.on(SWAP, deed.fault)
        case "outage":
            sleeve.venue.outages.extend([True] * 3)
        case stop:
            sleeve.venue.stop_script.append(stop.removeprefix("stop "))


async def play(story: list[Do]) -> Sleeve:
    sleeve = Sleeve()
    await sleeve.start()
    for deed in story:
        await act(sleeve, deed)
    sleeve.venue.outages.clear()
    sleeve.venue.stop_script.clear()
    sleeve.venue.script[SWAP].clear()
    await sleeve.settle(300)
    sleeve.engine.differ()
    await sleeve.settle(300)
    return sleeve


@given(stories)
@settings(max_examples=150, deadline=None)
def test_after_any_story_books_and_venue_agree_and_whatever_is_held_has_its_stop(story: list[Do]) -> None:
    sleeve = asyncio.run(play(story))
    held = sleeve.books.held(BTC)
    event(f"held {bool(held)} closed {len(sleeve.books.closed)}")
    assert abs(sleeve.at_venue) == held
    assert not sleeve.engine.busy and not sleeve.books.unresolved_orders()
    standing = [(stop.size, stop.side.sign) for stop in sleeve.venue.standing()]
    if held:
        position = sleeve.books.position(BTC)
        assert position is not None and sleeve.engine.state(BTC) is State.RUNNING
        assert standing == [(abs(sleeve.venue.position), -position.side.sign)]
        assert sleeve.at_venue * position.side.sign > 0
    else:
        assert standing == [] and sleeve.engine.state(BTC) is State.IDLE
        assert sleeve.books.position(BTC) is None
    ids = Counter(order.cl_id for order in sleeve.venue.sent)
    assert not ids or max(ids.values()) == 1
    for order in sleeve.venue.sent:
        assert order.reduce_only or order.cl_id in entries(sleeve)
    assert sleeve.permissions.causes == {}


def entries(sleeve: Sleeve) -> set[str]:
    """Orders that entered: one for each executed signal at most."""
    found = [row.body for row in sleeve.journal.of(Kind.INTENT) if row.body["purpose"] == "enter"]
    by_position = Counter(body["hedge_id"] for body in found)
    assert not by_position or max(by_position.values()) == 1
    return {body["order"]["cl_id"] for body in found}
