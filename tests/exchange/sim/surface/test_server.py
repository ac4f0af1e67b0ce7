"""One port, real sockets: HTTP, WebSocket, and what clients do wrong."""

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from benchmarks.abuse import frames_of
from benchmarks.rudeness import HANDSHAKE, frame
from exchange.sim.surface import ws_link
from exchange.sim.surface.http_front import HttpFront
from tests.exchange.sim.surface.client import signed_headers
from tests.exchange.sim.surface.sockets import Running, heard, login, running, said
from tests.exchange.sim.surface.stub_venue import START_MS, stub_premises

TIME = b"GET /api/v5/public/time HTTP/1.1\r\nhost: x\r\n%s\r\n"


async def place(server: Running) -> bytes:
    """One resting order by REST on a connection of its own."""
    path = "/api/v5/trade/order"
    body = json.dumps(
        {
            "instId": "BTC-USDT-SWAP", "tdMode": "cross", "side": "sell", "ordType": "ioc", "px": "59000",
            "sz": "1", "clOrdId": "r1",
        }
    )  # fmt: skip
    headers = signed_headers(server.venue.now_ms, "POST", path, body)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return await server.send(
        f"POST {path} HTTP/1.1\r\n{head}connection: close\r\n"
        f"content-length: {len(body)}\r\n\r\n{body}".encode()
    )


async def test_a_connection_serves_many_requests() -> None:
    async with running() as server:
        answer = await server.send(TIME % b"" + TIME % b"" + TIME % b"connection: close\r\n")
        assert answer.count(b"HTTP/1.1 200 OK") == 3
        assert answer.count(str(START_MS).encode()) == 3


async def test_a_request_may_come_in_pieces() -> None:
    async with running() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for byte in TIME % b"connection: close\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert b"200 OK" in await reader.read()
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /api/v5/trade/order HTTP/1.1\r\ncontent-length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nbad header\r\n\r\n",
    ],
)
async def test_what_is_not_http_gets_400_and_a_closed_connection(raw: bytes) -> None:
    async with running() as server:
        assert (await server.send(raw)).startswith(b"HTTP/1.1 400 ")


async def test_a_request_too_large_gets_413() -> None:
    async with running() as server:
        head = b"POST /api/v5/trade/order HTTP/1.1\r\ncontent-length: 3000000\r\n\r\n"
        assert (await server.send(head + b"x" * 1_100_000)).startswith(b"HTTP/1.1 413 ")


async def test_another_protocols_upgrade_is_not_taken() -> None:
    async with running() as server:
        answer = await server.send(TIME % b"connection: Upgrade\r\nupgrade: h2c\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


async def test_an_unknown_path_is_404_for_both_protocols() -> None:
    async with running() as server:
        assert b"404 Not Found" in await server.send(b"GET /nothing HTTP/1.1\r\nconnection: close\r\n\r\n")
        with pytest.raises(InvalidStatus) as refused:
            await server.socket("/ws/v5/nothing")
        assert refused.value.response.status_code == 404


async def test_a_handshake_without_a_key_is_refused() -> None:
    async with running() as server:
        raw = b"GET /ws/v5/public HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
        assert (await server.send(raw)).startswith(b"HTTP/1.1 4")


async def test_a_query_on_a_stream_url_is_ignored() -> None:
    async with running() as server, server.socket("/ws/v5/public?brokerId=9999") as public:
        await public.send("ping")
        assert await public.recv() == "pong"


async def test_the_pushes_of_a_request_are_sent_to_every_session_before_its_answer() -> None:
    async with running() as server, server.socket("/ws/v5/private") as private:
        await login(private, server.venue)
        await said(private, op="subscribe", args=[{"channel": "orders", "instType": "ANY"}])
        assert (await heard(private))["event"] == "channel-conn-count"
        assert b'"sCode":"0"' in await place(server)
        push = await heard(private)
        assert push["data"][0]["clOrdId"] == "r1"


async def test_orders_over_the_stream_are_pushed_too() -> None:
    async with running() as server, server.socket("/ws/v5/private") as private:
        await login(private, server.venue)
        await said(private, op="subscribe", args=[{"channel": "orders", "instType": "ANY"}])
        await heard(private)
        order = {
            "instIdCode": 10459, "side": "sell", "tdMode": "cross", "ordType": "limit", "px": "61000",
            "sz": "1",
        }  # fmt: skip
        ack = await said(private, id="1", op="order", args=[order])
        push = await heard(private)
        assert ack["data"][0]["ordId"] == push["data"][0]["ordId"]


async def test_a_fragmented_message_is_read_as_one() -> None:
    async with running() as server, server.socket("/ws/v5/public") as public:
        await public.send(["pi", "ng"])
        assert await public.recv() == "pong"


async def test_a_failed_login_is_told_and_then_closed_with_4001() -> None:
    async with running() as server, server.socket("/ws/v5/private") as private:
        answer = await said(private, op="login", args=[{"apiKey": "x", "passphrase": "y", "sign": "z"}])
        assert answer["event"] == "error"
        with pytest.raises(ConnectionClosed) as closed:
            await private.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 4001


@pytest.mark.parametrize(("message", "code"), [("x" * 200_000, 1009), (b"ping", 1003)])
async def test_a_frame_too_long_or_not_text_ends_the_connection(message: str | bytes, code: int) -> None:
    async with running() as server, server.socket("/ws/v5/public") as public:
        await public.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await public.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == code


async def test_a_client_that_never_reads_is_closed_as_a_slow_consumer() -> None:
    async with running() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            b"GET /ws/v5/public HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        [link] = [front._link for front in server.server._connections]
        assert link is not None
        frame = b"x" * 1_000_000
        sent = 0
        while link.is_open:
            link.send([frame])
            sent += 1
            assert sent < 100
        assert sent * len(frame) > ws_link.MOST_UNSENT
        link._transport.abort()
        writer.close()


async def test_the_fourth_connection_within_a_second_is_refused_with_429() -> None:
    async with (
        running() as server,
        server.socket("/ws/v5/public"),
        server.socket("/ws/v5/public"),
        server.socket("/ws/v5/private"),
    ):
        with pytest.raises(InvalidStatus) as refused:
            await server.socket("/ws/v5/public")
        assert refused.value.response.status_code == 429
        server.venue.now_ms += 1000
        async with server.socket("/ws/v5/public") as public:
            await public.send("ping")
            assert await public.recv() == "pong"


async def test_an_announced_end_comes_a_minute_later() -> None:
    async with running() as server, server.socket("/ws/v5/public") as public:
        assert b'{"told":1}' in await server.send(
            b"POST /sim/streams HTTP/1.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}"
        )
        assert (await heard(public))["code"] == "64008"
        server.server.advance(START_MS + 60_000)
        with pytest.raises(ConnectionClosed) as closed:
            await public.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1012


async def test_a_session_that_left_is_forgotten() -> None:
    async with running() as server:
        async with server.socket("/ws/v5/public"):
            assert len(server.server.board._lines) == 1
        async with server.socket("/ws/v5/public") as public:  # a round trip after the other has gone
            await public.send("ping")
            await public.recv()
            assert len(server.server.board._lines) == 1


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with running() as first:
        second = type(first.server)(stub_premises(), None)
        with pytest.raises(OSError):
            await second.start(port=first.port)
        await second.close()


async def test_a_request_that_does_not_come_to_its_end_is_given_up() -> None:
    async with running() as server:
        loop = asyncio.get_running_loop()
        front = await loop.create_server(lambda: HttpFront(server.server, set(), patience_s=0), "127.0.0.1")
        for begun in (b"", TIME[:20]):
            reader, writer = await asyncio.open_connection(*front.sockets[0].getsockname())
            writer.write(begun)
            assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
            writer.close()
            await writer.wait_closed()
        front.close()


async def test_a_closing_code_reaches_a_client_that_is_still_sending() -> None:
    async with running() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(HANDSHAKE % b"public" + frame(b"x" * 8_000_000))
        answer = await reader.read()  # to the end, and not to a reset
        assert frames_of(answer.partition(b"\r\n\r\n")[2])[-1][1][:2] == (1009).to_bytes(2, "big")
        writer.close()
