"""Who moves the time: lock-step with proof of arrival, and the free-running clock."""

import asyncio
import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from exchange.sim.surface.pacing import LockStep
from tests.exchange.sim.surface.sockets import Running, heard, running, said
from tests.exchange.sim.surface.stub_venue import START_MS, STEP_MS, StubVenue

CLOCK = "/sim/clock"
BOOKS = {"channel": "books", "instId": "BTC-USDT"}


async def attach(socket: ClientConnection, speed: float | None = None) -> dict[str, Any]:
    return await said(socket, op="attach", speed=speed)


async def idle(socket: ClientConnection, until_ms: int | None = None) -> dict[str, Any]:
    """Say idle and return the answer; the tick before a move is checked and left out."""
    message = await said(socket, op="idle", until_ms=until_ms)
    if message["op"] != "tick":
        return message
    answer = await heard(socket)
    assert answer["op"] == "now" and answer["now_ms"] == message["now_ms"]
    return answer


async def info(server: Running) -> dict[str, Any]:
    answer = await server.send(b"GET /sim/clock HTTP/1.1\r\nconnection: close\r\n\r\n")
    body: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return body


async def test_time_moves_to_what_the_client_waits_for() -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        assert await attach(clock) == {"op": "attached", "now_ms": START_MS}
        assert await idle(clock, START_MS + 5) == {"op": "now", "now_ms": START_MS + 5, "end": False}
        assert server.venue.now_ms == START_MS + 5


async def test_time_stops_where_the_venue_itself_has_something_to_do() -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        await attach(clock)
        assert (await idle(clock, START_MS + 10 * STEP_MS))["now_ms"] == START_MS + STEP_MS
        assert (await idle(clock, None))["now_ms"] == START_MS + 2 * STEP_MS


async def test_time_never_goes_back() -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        await attach(clock)
        await idle(clock, START_MS + 50)
        assert (await idle(clock, START_MS))["now_ms"] == START_MS + 50


async def test_the_end_of_the_market_data_is_told_and_time_can_still_be_asked_for() -> None:
    venue = StubVenue()
    venue.ends_ms = START_MS + STEP_MS
    async with running(venue) as server, server.socket(CLOCK) as clock:
        await attach(clock)
        assert await idle(clock) == {"op": "now", "now_ms": START_MS + STEP_MS, "end": True}
        assert await idle(clock) == {"op": "now", "now_ms": START_MS + STEP_MS, "end": True}
        later = START_MS + 9 * STEP_MS
        assert await idle(clock, later) == {"op": "now", "now_ms": later, "end": True}


async def test_a_new_instant_is_told_before_its_pushes() -> None:
    """The client's clock must stand at the instant of a push when the push arrives."""
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock)
        await said(public, op="subscribe", args=[BOOKS])
        await heard(public)
        await idle(clock)
        order: list[str] = []

        async def follow(socket: ClientConnection, name: str, count: int) -> None:
            for _ in range(count):
                message = await heard(socket)
                order.append(message.get("op", name))

        both = asyncio.gather(follow(clock, "clock", 2), follow(public, "push", 1))
        await clock.send(json.dumps({"op": "idle", "until_ms": START_MS + 1000}))
        await both
        assert order == ["tick", "push", "now"]


async def test_whoever_does_not_attach_moves_nothing() -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        assert (await idle(clock, START_MS + 5))["op"] == "error"
        peek = await said(clock, op="peek")
        assert peek == {"op": "peek", "now_ms": START_MS, "next_ms": START_MS + STEP_MS}
        assert server.venue.now_ms == START_MS


@pytest.mark.parametrize(
    "message",
    ["{", "[]", '{"op":"attach","speed":0}', '{"op":"attach","speed":"x"}', '{"op":"jump"}', '{"op":[1]}'],
)
async def test_nonsense_on_the_clock_is_an_error_with_a_reason(message: str) -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        await clock.send(message)
        answer = await heard(clock)
        assert answer["op"] == "error" and "allowed" in answer["msg"]
        assert (await attach(clock))["op"] == "attached"
        assert (await said(clock, op="idle", until_ms="soon"))["op"] == "error"


# --- the barrier --------------------------------------------------------------------------------


async def test_what_was_sent_since_the_last_barrier_is_proven_before_time_moves() -> None:
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock)
        await said(public, op="subscribe", args=[BOOKS])
        assert await idle(clock, START_MS + 5) == {"op": "sync", "now_ms": START_MS}
        assert server.venue.now_ms == START_MS
        assert (await idle(clock, START_MS + 5))["op"] == "now"


async def test_the_pushes_of_a_step_have_arrived_before_the_answer() -> None:
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock)
        await said(public, op="subscribe", args=[BOOKS])
        await heard(public)
        await idle(clock)
        for n in range(1, 20):
            assert (await idle(clock, START_MS + n * 1000))["op"] == "now"
            # recv() of what has already arrived does not have to wait for the loop
            update = json.loads(await asyncio.wait_for(public.recv(), 0.001))
            assert update["data"][0]["ts"] == str(START_MS + n * 1000)


async def test_time_stands_while_a_client_does_not_read() -> None:
    """A client whose queue is full stops reading its socket: no pong, no answer, no time."""
    async with (
        running() as server,
        server.socket(CLOCK) as clock,
        server.socket("/ws/v5/public", max_queue=1) as slow,
    ):
        await attach(clock)
        await slow.send(json.dumps({"op": "subscribe", "args": [BOOKS]}))
        for _ in range(40):  # more than the client's queue holds
            await slow.send("ping")
        await server.send(b"GET /sim/state HTTP/1.1\r\nconnection: close\r\n\r\n")
        asked = asyncio.create_task(idle(clock, START_MS + 5))
        await info(server)  # several round trips of another client
        await info(server)
        assert not asked.done()
        assert server.venue.now_ms == START_MS
        got = [await slow.recv() for _ in range(42)]
        assert got.count("pong") == 40
        assert await asked == {"op": "sync", "now_ms": START_MS}


async def test_a_client_that_disappears_does_not_hold_the_clock() -> None:
    async with (
        running() as server,
        server.socket(CLOCK) as clock,
        server.socket("/ws/v5/public", max_queue=1) as slow,
    ):
        await attach(clock)
        await slow.send(json.dumps({"op": "subscribe", "args": [BOOKS]}))
        for _ in range(40):
            await slow.send("ping")
        await info(server)
        asked = asyncio.create_task(idle(clock, START_MS + 5))
        await info(server)
        assert not asked.done()
        slow.transport.abort()
        assert (await asked)["op"] == "sync"


async def test_the_clock_stands_when_its_client_leaves_and_goes_on_with_the_next() -> None:
    async with running() as server:
        async with server.socket(CLOCK) as clock:
            await attach(clock)
            await idle(clock, START_MS + 5)
        assert (await info(server))["now_ms"] == START_MS + 5
        async with server.socket(CLOCK) as again:
            assert await attach(again) == {"op": "attached", "now_ms": START_MS + 5}
            assert (await info(server))["clients"] == 1
            assert (await idle(again, START_MS + 6))["now_ms"] == START_MS + 6


async def test_two_clients_go_to_the_earlier_of_what_they_wait_for() -> None:
    async with running() as server, server.socket(CLOCK) as one, server.socket(CLOCK) as two:
        await attach(one)
        await attach(two)
        first = asyncio.create_task(idle(one, START_MS + 500))
        await info(server)
        assert not first.done() and server.venue.now_ms == START_MS
        assert (await idle(two, START_MS + 20))["now_ms"] == START_MS + 20
        assert (await first)["now_ms"] == START_MS + 20
        waits_for_nothing = asyncio.create_task(idle(two, None))
        assert (await idle(one, START_MS + 500))["now_ms"] == START_MS + 500
        assert (await waits_for_nothing)["now_ms"] == START_MS + 500


async def test_a_client_that_leaves_is_not_waited_for() -> None:
    async with running() as server, server.socket(CLOCK) as one:
        await attach(one)
        async with server.socket(CLOCK) as two:
            await attach(two)
            asked = asyncio.create_task(idle(one, START_MS + 5))
            await info(server)
            assert not asked.done()
        assert (await asked)["now_ms"] == START_MS + 5


async def test_a_paced_step_waits_and_notices_that_its_client_has_left() -> None:
    async with running() as server:
        async with server.socket(CLOCK) as clock:
            await attach(clock, 0.001)  # 5 venue seconds would take over an hour
            await clock.send(json.dumps({"op": "idle", "until_ms": START_MS + 5_000}))
            await info(server)
        while (await info(server))["clients"]:
            pass
        async with server.socket(CLOCK) as again:
            assert (await attach(again))["now_ms"] == START_MS
            assert (await idle(again, START_MS + 1))["op"] == "now"


async def test_a_paced_client_gets_its_step() -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        await attach(clock, 1_000_000)
        assert (await idle(clock))["now_ms"] == START_MS + STEP_MS


async def test_what_happens_during_a_paced_wait_is_told_before_time_moves() -> None:
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock, 0.001)
        await clock.send(json.dumps({"op": "idle", "until_ms": START_MS + 5_000}))
        await info(server)
        await public.send("ping")
        assert await heard(clock) == {"op": "sync", "now_ms": START_MS}


async def test_a_venue_that_breaks_in_a_step_ends_the_server() -> None:
    venue = StubVenue()
    venue.broken = RuntimeError("the books do not balance")
    async with running(venue) as server, server.socket(CLOCK) as clock:
        await attach(clock)
        await clock.send('{"op":"idle","until_ms":null}')
        with pytest.raises(RuntimeError, match="do not balance"):
            await server.server.finished()


# --- free running -------------------------------------------------------------------------------


async def test_a_free_running_clock_follows_the_wall_until_a_client_takes_over() -> None:
    async with running(speed=100_000.0) as server, server.socket("/ws/v5/public") as public:
        assert (await info(server))["driver"] == "free-running"
        await said(public, op="subscribe", args=[BOOKS])
        await heard(public)
        update = await heard(public)  # nobody asked for it
        assert int(update["data"][0]["ts"]) > START_MS
        async with server.socket(CLOCK) as clock:
            at_ms = (await attach(clock))["now_ms"]
            assert (await info(server))["driver"] == "lock-step"
            assert server.venue.now_ms == at_ms


async def test_a_free_running_venue_that_breaks_ends_the_server() -> None:
    venue = StubVenue()
    venue.broken = RuntimeError("the books do not balance")
    async with running(venue, speed=100_000.0) as server:
        with pytest.raises(RuntimeError, match="do not balance"):
            await server.server.finished()


async def test_a_silent_session_of_a_free_running_venue_is_closed_with_4004() -> None:
    async with (
        running(speed=100_000.0, idle_s=0.0) as server,
        server.socket("/ws/v5/public") as public,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            await public.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4004


async def test_a_silent_session_of_a_lock_step_run_stays() -> None:
    async with (
        running(idle_s=0.0) as server,
        server.socket(CLOCK) as clock,
        server.socket("/ws/v5/public") as public,
    ):
        await attach(clock)
        await idle(clock, START_MS + STEP_MS)
        await public.send("ping")
        assert await public.recv() == "pong"


# --- moved for a client that waits for an answer --------------------------------------------------


class Watched:
    """A stage that remembers the order of things. Implements Stage; a step is 10 ms."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.done: list[str] = []

    def next_ms(self) -> int:
        return self.now_ms + 10

    def advance(self, until_ms: int) -> int:
        self.now_ms = min(until_ms, self.next_ms())
        self.done.append(f"moved to {self.now_ms}")
        return self.now_ms

    async def prove_if_read(self) -> None:
        self.done.append("proven")

    async def prove(self) -> None:
        raise AssertionError("nobody is idle")

    def close_idle(self) -> None:
        raise AssertionError("not in lock-step")

    def failed(self, error: BaseException) -> None:
        raise error

    def unproven(self) -> bool:
        return False

    def send(self, link: object, frames: list[bytes]) -> None:
        self.done += [frame.decode() for frame in frames]


class Told:
    """A clock client's link."""

    def send(self, frames: list[bytes]) -> None:
        pass


async def test_every_step_for_a_late_answer_is_told_made_and_proven_before_the_next() -> None:
    stage = Watched()
    lockstep, link = LockStep(stage), Told()
    lockstep.hear(link, '{"op":"attach","speed":null}')  # type: ignore[arg-type]
    await lockstep.move(15)
    assert stage.done == [
        '{"op":"tick","now_ms":10}', "moved to 10", "proven",
        '{"op":"tick","now_ms":15}', "moved to 15", "proven",
    ]  # fmt: skip
    await lockstep.move(15)
    assert len(stage.done) == 6
