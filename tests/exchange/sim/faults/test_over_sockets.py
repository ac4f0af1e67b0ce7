"""The same faults over real sockets, where a reset is a reset and silence is silence."""

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.exchange.sim.surface.client import signed_headers
from tests.exchange.sim.surface.sockets import Running, heard, running, said
from tests.exchange.sim.surface.stub_venue import START_MS, STEP_MS
from tests.exchange.sim.surface.test_clock import attach, idle

TIME = b"GET /api/v5/public/time HTTP/1.1\r\nhost: x\r\n\r\n"
BOOKS = {"channel": "books", "instId": "BTC-USDT"}
CLOCK = "/sim/clock"


async def fault(server: Running, what: object, where: object = None, **when: object) -> None:
    rule = {"what": what, "where": where, "when": when}
    body = json.dumps({"rules": [{name: value for name, value in rule.items() if value}]})
    head = f"POST /sim/faults HTTP/1.1\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
    answer = await server.send((head + body).encode())
    assert b" 200 OK" in answer, answer


async def silent(server: Running, raw: bytes) -> bool:
    """Whether a connection is accepted, and still open and without an answer some round trips later."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(raw)
    for _ in range(3):
        await server.send(b"GET /sim/state HTTP/1.1\r\nconnection: close\r\n\r\n")
    quiet = not reader._buffer and not reader.at_eof()  # type: ignore[attr-defined]
    writer.close()
    await writer.wait_closed()
    return quiet


@pytest.mark.parametrize("part", ["request", "answer"])
async def test_a_reset_is_a_tcp_reset(part: str) -> None:
    async with running() as server:
        await fault(server, {"reset": {"part": part}}, {"rest": "*"})
        with pytest.raises(ConnectionResetError):
            await server.send(TIME)


@pytest.mark.parametrize("what", ["half_open", "drop", {"drop": {"part": "answer"}}, "ack_lost"])
async def test_a_silent_connection_is_accepted_and_stays_open(what: object) -> None:
    async with running() as server:
        await fault(server, what, {"rest": "GET *"})
        assert await silent(server, TIME + TIME)


async def test_a_gateways_answer_keeps_the_connection() -> None:
    async with running() as server:
        await fault(server, {"http": {"status": 502}}, {"rest": "*"}, first=1)
        answer = await server.send(TIME + TIME.replace(b"host: x", b"connection: close"))
        assert answer.startswith(b"HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html")
        assert b"HTTP/1.1 200 OK" in answer


async def test_a_stream_is_reset_without_a_closing_frame() -> None:
    async with running() as server, server.socket("/ws/v5/public") as public:
        await said(public, op="subscribe", args=[BOOKS])
        await fault(server, "reset", {"stream": "public"}, at=0)
        with pytest.raises(ConnectionClosed) as closed:
            await public.recv()
            await public.recv()
        assert closed.value.rcvd is None


async def test_a_half_open_stream_answers_no_ping_of_either_kind_and_is_not_closed() -> None:
    async with running() as server:
        public = await server.socket("/ws/v5/public")
        await fault(server, "half_open", {"stream": "public"}, at=0)
        pong = await public.ping()
        await public.send("ping")
        for _ in range(3):
            await server.send(b"GET /sim/state HTTP/1.1\r\nconnection: close\r\n\r\n")
        assert not pong.done() and public.close_code is None
        public.transport.abort()


async def test_a_half_open_stream_does_not_hold_the_lock_step_clock() -> None:
    async with running() as server, server.socket(CLOCK) as clock:
        await attach(clock)
        public = await server.socket("/ws/v5/public")
        await said(public, op="subscribe", args=[BOOKS])
        await fault(server, "half_open", {"stream": "public"}, at=0)
        assert (await idle(clock, START_MS + 5))["op"] in ("sync", "now")
        assert (await idle(clock, START_MS + 5))["now_ms"] == START_MS + 5
        public.transport.abort()


async def test_a_handshake_is_refused_reset_or_never_answered() -> None:
    async with running() as server:
        connect = {"stream": "public", "op": "connect"}
        await fault(server, {"http": {"status": 503, "body": "full"}}, connect, nth=1)
        await fault(server, "reset", connect, nth=2)
        await fault(server, "half_open", connect, nth=3)
        with pytest.raises(InvalidStatus) as refused:
            await server.socket("/ws/v5/public")
        assert (refused.value.response.status_code, refused.value.response.body) == (503, b"full")
        with pytest.raises((ConnectionError, InvalidMessage)):
            await server.socket("/ws/v5/public")
        assert await silent(
            server,
            b"GET /ws/v5/public HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        async with server.socket("/ws/v5/public") as public:
            await public.send("ping")
            assert await public.recv() == "pong"


# --- late answers and the three ways time is moved ------------------------------------------------


async def balance(server: Running) -> Any:
    path = "/api/v5/account/balance"
    head = "".join(
        f"{name}: {value}\r\n" for name, value in signed_headers(server.venue.now_ms, "GET", path, "").items()
    )
    answer = await server.send(f"GET {path} HTTP/1.1\r\nconnection: close\r\n{head}\r\n".encode())
    return json.loads(answer.partition(b"\r\n\r\n")[2])


async def test_where_time_stands_a_late_answer_moves_it() -> None:
    async with running() as server:
        await fault(server, {"delay": {"ms": 1_500}}, {"rest": "*/balance"})
        assert (await balance(server))["code"] == "0"
        assert server.venue.now_ms == START_MS + 1_500


async def test_in_lock_step_a_late_answer_moves_time_tells_it_and_what_was_pushed_comes_before() -> None:
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock)
        await said(public, op="subscribe", args=[BOOKS])
        await heard(public)
        await fault(server, {"delay": {"ms": 2 * STEP_MS}}, {"rest": "*/balance"})
        await balance(server)
        assert server.venue.now_ms == START_MS + 2 * STEP_MS
        # recv() of what has already arrived does not have to wait for the loop
        steps = [json.loads(await asyncio.wait_for(clock.recv(), 0.001)) for _ in range(2)]
        assert steps == [{"op": "tick", "now_ms": START_MS + n * STEP_MS} for n in (1, 2)]
        pushed = [json.loads(await asyncio.wait_for(public.recv(), 0.001)) for _ in range(2)]
        assert [int(one["data"][0]["ts"]) for one in pushed] == [START_MS + n * STEP_MS for n in (1, 2)]
        assert (await idle(clock, START_MS + 3 * STEP_MS))["now_ms"] >= START_MS + 2 * STEP_MS


async def test_a_late_answer_waits_for_a_free_running_clock() -> None:
    async with running(speed=1_000.0) as server:
        await fault(server, {"delay": {"ms": "30s"}}, {"rest": "*/balance"})
        at_ms = server.venue.now_ms
        assert (await balance(server))["code"] == "0"
        assert server.venue.now_ms >= at_ms + 30_000


async def test_a_late_answer_comes_though_a_lock_step_client_takes_the_clock_over() -> None:
    async with running(speed=0.001) as server:
        await fault(server, {"delay": {"ms": "5m"}}, {"rest": "*/balance"})
        waiting = asyncio.create_task(balance(server))
        await server.send(b"GET /sim/state HTTP/1.1\r\nconnection: close\r\n\r\n")
        async with server.socket(CLOCK) as clock:
            await attach(clock)
            assert (await waiting)["code"] == "0"
            assert server.venue.now_ms >= START_MS + 300_000


async def test_requests_behind_a_late_one_on_its_connection_wait_their_turn() -> None:
    async with running() as server:
        await fault(server, {"delay": {"ms": 100}}, {"rest": "*"}, nth=1)
        answer = await server.send(TIME + TIME.replace(b"host: x", b"connection: close"))
        assert answer.count(b"200 OK") == 2 and server.venue.now_ms == START_MS + 100
        assert answer.index(str(START_MS).encode()) < answer.index(str(START_MS + 100).encode())


async def test_a_late_push_is_an_instant_the_clock_stops_at() -> None:
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock)
        await said(public, op="subscribe", args=[BOOKS])
        await heard(public)
        await idle(clock)
        await fault(server, {"delay": {"ms": 500}}, {"stream": "public", "channel": "books"}, nth=1)
        await idle(clock, START_MS + STEP_MS)
        assert (await idle(clock, START_MS + 2 * STEP_MS))["now_ms"] == START_MS + STEP_MS + 500
        update = json.loads(await asyncio.wait_for(public.recv(), 0.001))
        assert update["data"][0]["ts"] == str(START_MS + STEP_MS)


async def test_a_scheduled_end_of_streams_comes_in_lock_step() -> None:
    async with running() as server, server.socket(CLOCK) as clock, server.socket("/ws/v5/public") as public:
        await attach(clock)
        await fault(server, {"close": {"code": 1000, "reason": "bye"}}, {"stream": "*"}, at="3s")
        assert (await idle(clock, None))["now_ms"] == START_MS + 3_000
        with pytest.raises(ConnectionClosed) as closed:
            await public.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
