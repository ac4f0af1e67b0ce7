from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from scripts.signals import ENDING, handling


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """What this process did about signals before, it does again afterwards."""
    before = {number: signal.getsignal(number) for number in ENDING}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def nothing() -> None:
    """Nobody rings here."""


async def test_a_signal_between_two_engines_is_heard_by_the_next() -> None:
    heard: list[str] = []
    with handling(heard.append, nothing, lambda: True):
        assert heard == []
    os.kill(os.getpid(), signal.SIGTERM)
    assert heard == []
    with handling(heard.append, nothing):
        await asyncio.sleep(0)
    assert heard == ["SIGTERM"]


async def test_an_engine_hears_only_the_first_signal() -> None:
    heard: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with handling(heard.set_result, nothing):
        os.kill(os.getpid(), signal.SIGTERM)
        assert await heard == "SIGTERM"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
