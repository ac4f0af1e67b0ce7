"""Signals of a process that holds hedges: the first one asks for a clean end, the second ends it at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from scripts.commands import DOORBELL

ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def ignore_doorbell() -> None:
    """Live on when it rings and nobody can answer yet, or any more: the command waits in the folder."""
    signal.signal(DOORBELL, signal.SIG_IGN)


@contextmanager
def handling(ask: Callable[[str], None], obey: Callable[[], None]) -> Iterator[None]:
    """While inside, the first ending signal calls `ask` with its name, and the doorbell calls `obey`.

    After the first, signals have their own effect again: the process is gone, as if killed. The journal is
    made for that.
    """
    loop = asyncio.get_running_loop()

    def first(number: signal.Signals) -> None:
        for other in ENDING:
            loop.remove_signal_handler(other)
            signal.signal(other, signal.SIG_DFL)
        ask(number.name)

    for number in ENDING:
        loop.add_signal_handler(number, first, number)
    loop.add_signal_handler(DOORBELL, obey)
    try:
        yield
    finally:
        for number in (*ENDING, DOORBELL):
            loop.remove_signal_handler(number)
        ignore_doorbell()
