"""A supervised stream against a venue that refuses, falls silent, hangs up and repeats itself."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

import pytest

from core.errors import BadPayload, VenueDown
from exchange.okx import wire
from exchange.okx.session import StreamTimes
from exchange.okx.stream import Stream
from tests.exchange.okx.stream_venue import StreamVenue, eventually
from tests.exchange.okx.support import KEY, NOW_MS, StillClock

ARGS = ({"channel": "mark-price", "instId": "BTC-USDT-SWAP"}, {"channel": "account"})
TIMES = StreamTimes(ping_after_s=None, answer_within_s=0.2, pong_within_s=0.05)


class Ear:
    """Listens to one stream: what was pushed, what went wrong, how often it resynced."""

    def __init__(self) -> None:
        self.pushes: list[str] = []
        self.troubles: list[str] = []
        self.resyncs = 0
        self.on_push: Callable[[wire.Frame], None] = lambda frame: None
        self.on_resync: Callable[[], Awaitable[None]] | None = None

    def push(self, frame: wire.Frame) -> None:
        self.on_push(frame)
        self.pushes.append(bytes(frame.data).decode())

    async def resync(self) -> None:
        self.resyncs += 1
        if self.on_resync is not None:
            await self.on_resync()


@asynccontextmanager
async def listening(
    venue: StreamVenue, ear: Ear, clock: StillClock, times: StreamTimes = TIMES, name: str = "private"
) -> AsyncIterator[Stream]:
    stream = Stream(
        name,
        f"{venue.endpoints.stream_url}/{name}",
        ARGS,
        ear.push,
        clock,
        random.Random(1),
        times,
        ear.troubles.append,
        credentials=KEY if name == "private" else None,
        on_resync=ear.resync if name == "private" else None,
    )
    stream.start()
    try:
        yield stream
    finally:
        await stream.stop()


@pytest.fixture
async def venue() -> AsyncIterator[StreamVenue]:  # type: ignore[override]
    async with StreamVenue() as running:
        yield running


@pytest.fixture
def ear() -> Ear:
    return Ear()


def live(stream: Stream) -> Callable[[], bool]:
    return lambda: stream.health().live


async def test_it_logs_in_subscribes_resyncs_and_is_live(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        line = venue.line("private")
        assert line.ops() == ["login", "subscribe"]
        assert line.received[0]["args"][0]["timestamp"] == str(NOW_MS // 1000)
        assert line.subscribed == list(ARGS)
        assert ear.resyncs == 1 and ear.troubles == []
        assert stream.health().reconnects == 0
    assert not stream.health().live


async def test_the_handshake_holds_virtual_time_still(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        assert clock.held >= 3  # connect, login, subscribe


async def test_a_public_stream_does_not_log_in(venue: StreamVenue, ear: Ear, clock: StillClock) -> None:
    async with listening(venue, ear, clock, name="public") as stream:
        await eventually(live(stream))
        assert venue.line("public").ops() == ["subscribe"]


async def test_pushes_are_handed_over_in_order(venue: StreamVenue, ear: Ear, clock: StillClock) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        clock.now += 5
        for n in range(200):
            await venue.line("private").push("account", "", [n])
        await eventually(lambda: len(ear.pushes) == 200)
        assert ear.pushes == [f"[{n}]" for n in range(200)]
        assert stream.frames >= 200
        assert stream.health().last_seen_ms == clock.now


async def test_what_comes_during_the_handshake_waits_for_the_resync(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    seen_at_resync: list[int] = []

    async def early(line: object, arg: dict[str, str]) -> None:
        await venue.line("private").push(arg["channel"], "", [1])

    async def resync() -> None:
        await eventually(lambda: stream.frames >= 5)  # login, two acks, two early pushes
        seen_at_resync.append(len(ear.pushes))

    venue.on_subscribe, ear.on_resync = early, resync
    async with listening(venue, ear, clock) as stream:
        await eventually(lambda: len(ear.pushes) == 2)
        assert seen_at_resync == [0] and stream.health().live


@pytest.mark.fault("WS2", "WS11")
async def test_a_refused_login_is_reported_and_not_hammered(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    venue.login_code = "60009"
    async with listening(venue, ear, clock) as stream:
        await eventually(lambda: venue.count("private") >= 3)
        assert not stream.health().live and ear.resyncs == 0
        assert any("60009" in text for text in ear.troubles)
        assert all("subscribe" not in line.ops() for line in venue.lines)
        longest = TIMES.longest_pause_s
        assert clock.slept[0] == 0 and all(longest / 2 <= pause <= longest for pause in clock.slept[1:3])
        rare = TIMES.refused_pause_s
        assert all(rare / 2 <= pause <= rare for pause in clock.slept[3:])
        venue.login_code = "0"
        await eventually(live(stream))


@pytest.mark.fault("WS2")
async def test_a_login_without_an_answer_is_not_taken_for_one(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    venue.login_answered = False
    async with listening(venue, ear, clock) as stream:
        await eventually(lambda: ear.troubles)
        assert "no answer to login" in ear.troubles[0] and not stream.health().live
        venue.login_answered = True
        await eventually(live(stream))


@pytest.mark.fault("WS10")
async def test_a_missing_acknowledgement_means_not_live(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    venue.not_acknowledged = {"account"}
    async with listening(venue, ear, clock) as stream:
        await eventually(lambda: ear.troubles)
        assert "no answer to subscribe account" in ear.troubles[0]
        assert not stream.health().live and ear.resyncs == 0
        venue.not_acknowledged = set()
        await eventually(live(stream))


@pytest.mark.fault("WS10")
async def test_a_refused_subscription_is_reported_with_its_code(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    venue.refused = {"mark-price"}
    async with listening(venue, ear, clock) as stream:
        await eventually(lambda: ear.troubles)
        assert "60018" in ear.troubles[0] and not stream.health().live


@pytest.mark.parametrize("code", [1000, 1001, 4004])
@pytest.mark.fault("WS4")
@pytest.mark.fault("WS6")
async def test_any_close_leads_to_a_new_connection_and_a_resync(
    venue: StreamVenue, ear: Ear, clock: StillClock, code: int
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        await venue.line("private").socket.close(code)
        await eventually(lambda: stream.health().reconnects == 1)
        assert stream.health().live and ear.resyncs == 2
        assert venue.line("private").subscribed == list(ARGS)
        assert any("lost" in text for text in ear.troubles)


async def test_a_dropped_connection_is_replaced(venue: StreamVenue, ear: Ear, clock: StillClock) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        venue.line("private").socket.transport.abort()
        await eventually(lambda: stream.health().reconnects == 1 and stream.health().live)


@pytest.mark.fault("WS3")
async def test_a_peer_that_no_longer_answers_is_given_up(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    """Half open: the socket stands, nobody is behind it."""
    venue.answers_ping = False
    async with listening(venue, ear, clock, replace(TIMES, ping_after_s=lambda: 0.02)) as stream:
        await eventually(lambda: venue.lines and venue.lines[0].pings == 1)
        await eventually(lambda: stream.health().reconnects >= 1)
        assert any("no pong" in text for text in ear.troubles)


@pytest.mark.fault("WS1")
async def test_silence_is_broken_by_text_pings(venue: StreamVenue, ear: Ear, clock: StillClock) -> None:
    often = replace(TIMES, ping_after_s=lambda: 0.01, pong_within_s=0.2)
    async with listening(venue, ear, clock, often) as stream:
        await eventually(lambda: venue.lines and venue.lines[0].pings >= 3)
        assert stream.health().live and stream.health().reconnects == 0


async def test_a_talking_venue_is_not_pinged(venue: StreamVenue, ear: Ear, clock: StillClock) -> None:
    async with listening(venue, ear, clock, replace(TIMES, ping_after_s=lambda: 2.0)) as stream:
        await eventually(live(stream))
        for n in range(300):
            await venue.line("private").push("account", "", [n])
        await eventually(lambda: len(ear.pushes) == 300)
        assert venue.line("private").pings == 0


@pytest.mark.fault("WS5")
async def test_an_upgrade_notice_brings_the_new_connection_before_the_old_one_goes(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        old = venue.line("private")
        subscribed_while_old_lived: list[bool] = []

        async def note(line: object, arg: dict[str, str]) -> None:
            subscribed_while_old_lived.append(not old.closed.is_set())
            await old.push("account", "", ["old speaks on"])

        venue.on_subscribe = note
        await old.say({"event": "notice", "code": "64008", "msg": "service upgrade", "connId": "a4"})
        await eventually(old.closed.is_set)
        await eventually(lambda: stream.health().reconnects == 1)
        assert subscribed_while_old_lived == [True, True]
        assert stream.health().live and ear.resyncs == 2
        await venue.line("private").push("account", "", ["new"])
        await eventually(lambda: '["new"]' in ear.pushes)
        assert '["old speaks on"]' in ear.pushes
        assert ear.troubles == []


@pytest.mark.fault("WS12")
async def test_a_handler_that_raises_costs_the_connection_not_the_stream(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    def explode(frame: wire.Frame) -> None:
        if bytes(frame.data) == b'["boom"]':
            raise ZeroDivisionError("in a handler")

    ear.on_push = explode
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        await venue.line("private").push("account", "", ["boom"])
        await eventually(lambda: stream.health().reconnects == 1 and stream.health().live)
        assert any("ZeroDivisionError" in text for text in ear.troubles)
        await venue.line("private").push("account", "", ["fine"])
        await eventually(lambda: ear.pushes == ['["fine"]'])


async def test_an_unreadable_push_is_skipped_and_reported(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    def unreadable(frame: wire.Frame) -> None:
        if bytes(frame.data) == b'["odd"]':
            raise BadPayload("odd")

    ear.on_push = unreadable
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        for text in ("odd", "odd", "fine"):
            await venue.line("private").push("account", "", [text])
        await eventually(lambda: ear.pushes == ['["fine"]'])
        assert stream.unreadable == 2 and stream.health().reconnects == 0
        assert ear.troubles == ["private stream unreadable: odd"]  # told once


@pytest.mark.parametrize(
    "frame", ["", "}", "[]", "null", '{"arg":5}', '{"event":7}', '{"data":[', "\x00", "12"]
)
@pytest.mark.fault("MD10", "DP1")
async def test_garbage_does_not_kill_the_reader(
    venue: StreamVenue, ear: Ear, clock: StillClock, frame: str
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        await venue.line("private").say(frame)
        await venue.line("private").push("account", "", ["fine"])
        await eventually(lambda: ear.pushes == ['["fine"]'])
        assert len(ear.troubles) == 1 and stream.health().reconnects == 0


@pytest.mark.fault("MD10")
async def test_an_unknown_event_is_reported_and_a_known_count_is_not(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        line = venue.line("private")
        await line.say({"event": "channel-conn-count", "channel": "orders", "connCount": "2"})
        await line.say({"event": "weather", "msg": "rain"})
        await line.push("account", "", [1])
        await eventually(lambda: ear.pushes)
        assert len(ear.troubles) == 1 and "weather" in ear.troubles[0]
        assert stream.health().live


async def test_a_subscription_dropped_by_the_connection_limit_is_not_live(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        await venue.line("private").say(
            {"event": "channel-conn-count-error", "channel": "orders", "connCount": "30"}
        )
        await eventually(lambda: stream.health().reconnects == 1)
        assert any("too many connections for channel orders" in text for text in ear.troubles)


@pytest.mark.fault("WS11")
async def test_a_connection_that_keeps_breaking_is_renewed_ever_more_slowly(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        for n in range(6):
            await eventually(lambda n=n: stream.health().live and stream.health().reconnects == n)
            await venue.line("private").socket.close(1000)
        await eventually(lambda: len(clock.slept) == 7)
        first, *pauses = clock.slept
        assert first == 0
        assert all(0 < earlier < later for earlier, later in pairwise(pauses[::2]))


@pytest.mark.fault("WS11")
async def test_a_venue_that_keeps_announcing_upgrades_is_followed_ever_more_slowly(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    notice = {"event": "notice", "code": "64008", "msg": "service upgrade", "connId": "a4"}
    async with listening(venue, ear, clock) as stream:
        for n in range(6):
            await eventually(lambda n=n: stream.health().live and stream.health().reconnects == n)
            await venue.line("private").say(notice)
        await eventually(lambda: len(clock.slept) == 7)
        first, *pauses = clock.slept
        assert first == 0
        assert all(0 < earlier < later for earlier, later in pairwise(pauses[::2]))


async def test_the_same_loss_after_a_recovery_is_told_again(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        for n in range(3):
            await eventually(lambda n=n: stream.health().live and stream.health().reconnects == n)
            venue.line("private").socket.transport.abort()
            await eventually(lambda n=n: len(ear.troubles) == n + 1)
        assert len(set(ear.troubles)) == 1 and "lost" in ear.troubles[0]


async def test_a_failed_resync_is_not_live_and_tried_again(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async def down_at_first() -> None:
        if ear.resyncs == 1:
            raise VenueDown("rest is down")

    ear.on_resync = down_at_first
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        assert ear.resyncs == 2 and stream.health().reconnects == 0
        assert any("rest is down" in text for text in ear.troubles)


@pytest.mark.fault("WS11")
async def test_pauses_double_with_jitter_up_to_a_limit(ear: Ear, clock: StillClock) -> None:
    stream = Stream(
        "public", "ws://127.0.0.1:1", ARGS, ear.push, clock, random.Random(1), TIMES, ear.troubles.append
    )
    stream.start()
    await eventually(lambda: len(clock.slept) > 9)
    await stream.stop()
    assert clock.slept[0] == 0
    for n, pause in enumerate(clock.slept[1:]):
        full = min(TIMES.longest_pause_s, TIMES.first_pause_s * 2**n)
        assert full / 2 <= pause <= full
    assert len(set(clock.slept)) == len(clock.slept)


async def test_the_same_seed_gives_the_same_pauses(ear: Ear) -> None:
    runs = []
    for _ in range(2):
        clock = StillClock()
        stream = Stream("public", "ws://127.0.0.1:1", ARGS, ear.push, clock, random.Random(7), TIMES, print)
        stream.start()
        await eventually(lambda clock=clock: len(clock.slept) > 5)
        await stream.stop()
        runs.append(clock.slept[:5])
    assert runs[0] == runs[1]


async def test_a_renewed_subscription_is_dropped_and_taken_again_once(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        line = venue.line("private")
        for _ in range(5):
            stream.renew(ARGS[0])
        await eventually(lambda: len(line.received) == 4)
        assert line.ops() == ["login", "subscribe", "unsubscribe", "subscribe"]
        assert line.received[2]["args"] == [ARGS[0]]
        await eventually(lambda: not stream._renewals)  # the answer to the last one has been read
        stream.renew(ARGS[0])
        await eventually(lambda: len(line.received) == 6)


async def test_a_renewal_without_an_answer_costs_the_connection(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    async with listening(venue, ear, clock) as stream:
        await eventually(live(stream))
        venue.not_acknowledged = {"mark-price"}
        stream.renew(ARGS[0])
        await eventually(lambda: any("could not renew" in text for text in ear.troubles))
        venue.not_acknowledged = set()
        await eventually(lambda: stream.health().reconnects == 1 and stream.health().live)


async def test_a_stream_stops_in_the_middle_of_a_handshake(
    venue: StreamVenue, ear: Ear, clock: StillClock
) -> None:
    venue.login_answered = False
    async with asyncio.timeout(5):
        async with listening(venue, ear, clock, replace(TIMES, answer_within_s=60)):
            await eventually(lambda: venue.lines and venue.lines[0].received)
        await eventually(venue.lines[0].closed.is_set)
