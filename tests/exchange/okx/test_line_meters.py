"""What is counted of the way to the venue: each request once, as what it came to; each push by its age."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from core.errors import VenueError
from core.meters import Meters
from exchange.okx import wire
from exchange.okx.feeds import OkxStreams
from exchange.okx.rest import OkxRest
from tests.exchange.okx.stream_venue import StreamVenue, eventually
from tests.exchange.okx.support import KEY, Answer, HttpVenue, StillClock
from tests.exchange.okx.test_feeds import PAIR, SNAPSHOT, SPOT, Desk, say_book
from tests.exchange.okx.test_rest import ACK, CONFIG, HTML, ORDER, place, uid


class Slow(StillClock):
    """Every look at it is 20 ms later."""

    def now_ms(self) -> int:
        self.now += 20
        return self.now


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer([ACK]), "answered"),
        (Answer([ACK | {"ordId": "", "sCode": "51008", "sMsg": "Insufficient balance"}]), "rejected"),
        (Answer(code="50011", msg="Too Many Requests", status=429), "throttled"),
        (Answer(code="50105", msg="Passphrase incorrect", status=401), "unauthorized"),
        (Answer(text=HTML, status=502), "failed"),
        (Answer(text='{"answer":42}'), "failed"),
        (Answer(hang_up=True), "failed"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_a_request_counts_once_as_what_it_came_to(venue: HttpVenue, answer: Answer, kind: str) -> None:
    meters = Meters()
    client = OkxRest(venue.endpoints, KEY, Slow(), meters=meters)
    venue.script[ORDER] = answer
    try:
        await place(client)
    except VenueError:
        assert kind != "answered"
    await client.close()
    assert meters.answers.read() == {("order", kind): 1}
    took = meters.rest_s.read()["order"]
    assert took.count == 1 and took.total > 0


async def test_a_question_that_is_asked_again_counts_each_time(venue: HttpVenue) -> None:
    meters = Meters()
    client = OkxRest(venue.endpoints, KEY, StillClock(), meters=meters)
    venue.script[CONFIG] = Answer(text="", status=503)
    with pytest.raises(VenueError):
        await client.read(client.sdk.account.get_account_config, wire.Config, uid)
    await client.close()
    assert meters.answers.read() == {("account", "failed"): 3}


@pytest.fixture
async def streams() -> AsyncIterator[StreamVenue]:
    async with StreamVenue() as started:
        yield started


async def test_a_push_is_as_old_as_the_venues_clock_says(streams: StreamVenue) -> None:
    clock, meters = StillClock(1_700_000_000_100 - 7_000 + 250), Meters()
    desk = Desk(streams, clock, None)
    desk.streams = OkxStreams(
        streams.endpoints, None, [PAIR], desk.market, None, None, clock, desk.resync, desk.troubles.append,
        silence_s=None, offset_ms=lambda: 7_000, meters=meters,
    )  # fmt: skip
    await desk.streams.start()
    await say_book(streams.line("public"), SPOT, "snapshot", SNAPSHOT)
    await eventually(lambda: bool(meters.pushes_s.read()))
    await desk.streams.stop()
    took = meters.pushes_s.read()["books"]
    assert (took.count, took.total) == (1, 0.25)
