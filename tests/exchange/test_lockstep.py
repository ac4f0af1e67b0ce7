"""A venue's clock that goes away, however it goes, is heard of once."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.sync.server import ServerConnection, serve

from core.clock import VirtualLoop
from exchange.lockstep import LockstepKeeper

NOW_MS = 1_767_571_200_000


def reset(connection: ServerConnection) -> None:
    """As a killed process leaves it: whoever writes next is told so."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.socket.close()


@contextmanager
def clock_that_ends(end: Callable[[ServerConnection], object]) -> Iterator[tuple[str, threading.Event]]:
    """A clock that takes an engine in and ends: its address, and what is set when it has ended."""
    ended = threading.Event()

    def attend(connection: ServerConnection) -> None:
        assert json.loads(connection.recv())["op"] == "attach"
        connection.send(json.dumps({"op": "attached", "now_ms": NOW_MS}))
        end(connection)
        ended.set()

    with serve(attend, "127.0.0.1", 0, close_timeout=0.1) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/sim/clock", ended
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("end", [reset, lambda connection: connection.close()], ids=["reset", "closed"])
@pytest.mark.parametrize("is_asked", [False, True], ids=["while it waits", "while it is asked"])
def test_a_clock_that_goes_away_is_heard_of_once(
    end: Callable[[ServerConnection], object], is_asked: bool
) -> None:
    with clock_that_ends(end) as (url, ended):
        keeper = LockstepKeeper(url, None)
        heard: list[str] = []

        async def live() -> None:
            lost = asyncio.Event()

            def on_lost(why: str) -> None:
                heard.append(why)
                lost.set()

            keeper.on_lost = on_lost
            assert ended.wait(10)
            if is_asked:  # the second write at the latest meets a socket that is gone
                for _ in range(3):
                    assert not keeper.idle(None)
            await lost.wait()

        with asyncio.Runner(loop_factory=lambda: VirtualLoop(keeper)) as runner:
            runner.run(live())
        keeper.close()
    assert len(heard) == 1 and heard[0]
