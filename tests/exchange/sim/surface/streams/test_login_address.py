"""A key opens no private stream from an address it is not bound to, nor in the other environment."""

import pytest
from websockets.asyncio.client import connect

from exchange.sim.surface.entry.auth import stream_environment
from tests.exchange.sim.surface.client import Rest, Stream, sign
from tests.exchange.sim.surface.sockets import login, running, said
from tests.exchange.sim.surface.stub_venue import KEY, PASSPHRASE, SECRET, StubVenue


def test_a_login_from_an_address_outside_the_whitelist_is_refused() -> None:
    rest = Rest()
    rest.venue.demo.ip = "10.0.0.1,10.0.0.2"
    stranger, known = Stream(rest, "private"), Stream(rest, "private", peer="10.0.0.2")
    (answer,) = stranger.login()
    assert (answer["event"], answer["code"]) == ("error", "60009") and "127.0.0.1" in answer["msg"]
    assert stranger.session.closing == (4001, "Login failed")
    assert known.login()[0]["event"] == "login"


async def test_over_sockets_the_address_is_that_of_the_connection() -> None:
    async with running() as server:
        server.venue.demo.ip = "10.0.0.1"
        async with server.socket("/ws/v5/private") as socket:
            with pytest.raises(AssertionError):
                await login(socket, server.venue)
        server.venue.demo.ip = "10.0.0.1,127.0.0.1"
        async with server.socket("/ws/v5/private") as socket:
            await login(socket, server.venue)


@pytest.mark.parametrize("kind", ["private", "business", "public"])
@pytest.mark.parametrize(
    ("keys", "asked", "is_let_in"),
    [
        ("demo", "demo", True),
        ("demo", "live", False),
        ("live", "demo", False),
        ("live", "live", True),
        ("live", "", True),
        ("any", "demo", True),
        ("any", "live", True),
    ],
)
def test_a_key_of_the_other_environment_does_not_log_in(
    kind: str, keys: str, asked: str, is_let_in: bool
) -> None:
    stream = Stream(Rest(environment=keys), kind, asked=asked)
    (answer,) = stream.login()
    if is_let_in:
        assert answer["event"] == "login" and stream.session.account is not None
    else:
        assert (answer["event"], answer["code"]) == ("error", "50101")
        assert stream.session.account is None and stream.session.closing == (4001, "Login failed")


@pytest.mark.parametrize(
    ("headers", "environment"),
    [
        ({"host": "wspap.okx.com:8443"}, "demo"),
        ({"host": "wseeapap.okx.com:8443"}, "demo"),
        ({"host": "WS.okx.com:8443"}, "live"),
        ({"host": "127.0.0.1:8080"}, ""),
        ({"host": "localhost"}, ""),
        ({}, ""),
        ({"host": "127.0.0.1", "x-simulated-trading": "1"}, "demo"),
        ({"host": "wspap.okx.com:8443", "x-simulated-trading": "0"}, "live"),
    ],
)
def test_a_handshake_names_its_environment_by_header_or_by_host(
    headers: dict[str, str], environment: str
) -> None:
    assert stream_environment(headers) == environment


@pytest.mark.parametrize(
    ("host", "headers", "event"),
    [
        ("127.0.0.1", {}, "login"),
        ("127.0.0.1", {"x-simulated-trading": "1"}, "login"),
        ("127.0.0.1", {"x-simulated-trading": "0"}, "error"),
        ("wspap.okx.com", {}, "login"),
        ("ws.okx.com", {}, "error"),
    ],
)
async def test_over_sockets_the_handshake_says_the_environment(
    host: str, headers: dict[str, str], event: str
) -> None:
    venue = StubVenue()
    async with running(venue, environment="demo") as server:
        there = {"host": "127.0.0.1", "port": server.port}  # whatever the name says
        uri = f"ws://{host}:{server.port}/ws/v5/private"
        async with connect(uri, compression=None, proxy=None, additional_headers=headers, **there) as socket:
            seconds = str(venue.now_ms // 1000)
            signed = sign(SECRET, seconds + "GET/users/self/verify")
            arg = {"apiKey": KEY, "passphrase": PASSPHRASE, "timestamp": seconds, "sign": signed}
            answer = await said(socket, op="login", args=[arg])
            assert answer["event"] == event and (event == "login" or answer["code"] == "50101")
