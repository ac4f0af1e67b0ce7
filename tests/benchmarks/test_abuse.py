"""Rude clients, in this very loop: every kind ends as it must, and nothing is kept of them."""

import asyncio

import pytest

from benchmarks.abuse import abuse, converse, figures
from benchmarks.rudeness import End, Rudeness, frame, rudenesses
from tests.exchange.sim.surface.sockets import running


@pytest.mark.parametrize("rude", list(rudenesses(7)), ids=lambda rude: rude.name)
async def test_every_rudeness_ends_as_it_must(rude: Rudeness) -> None:
    async with running(rate_limits=False) as server:
        assert await converse(server.port, rude) is None


async def test_a_polite_client_is_served_among_rude_ones() -> None:
    async with running(rate_limits=False) as server:
        made, wrong = await abuse(server.port, range(2))
        assert made > 60 and wrong == []


async def test_nothing_is_kept_of_rude_clients() -> None:
    async with running(rate_limits=False) as server:
        await abuse(server.port, range(2))
        board = server.server.board
        await server.server.close()
        for _ in range(3):  # the aborted connections' own callbacks
            await asyncio.sleep(0)
        assert not server.server._connections
        assert board._lines == {}
        assert board._hub._backstage.sessions == {} and board._hub._backstage.topics == {}


async def test_a_wrong_end_is_noticed() -> None:
    async with running(rate_limits=False) as server:
        complaint = await converse(server.port, Rudeness("x", frame(b"\xff"), End.CLOSED, (1002,)))
        assert complaint == "closed with 1007, not (1002,)"


async def test_figures_come_out() -> None:
    rude, wrong, _ = await figures(seconds=0.0, warm_rounds=1)
    assert rude.value > 0 and wrong.value == 0
