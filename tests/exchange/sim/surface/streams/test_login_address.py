"""A key bound to addresses opens no private stream from another one."""

import pytest

from tests.exchange.sim.surface.client import Rest, Stream
from tests.exchange.sim.surface.sockets import login, running


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
