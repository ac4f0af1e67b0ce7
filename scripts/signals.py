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


_kept: Final[list[signal.Signals]] = []  # what came while one engine had ended and the next had not begun


def _keep(number: int, _: object) -> None:
    _kept.append(signal.Signals(number))


@contextmanager
def handling(
    ask: Callable[[str], None], obey: Callable[[], None], is_followed: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """While inside, the first ending signal calls `ask` with its name, and the doorbell calls `obey`.

    After the first, signals have their own effect again: the process is gone, as if killed. The journal is
    made for that.

    is_followed  whether another engine of this process begins next: it hears what comes until then.
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
    if _kept:
        loop.call_soon(first, _kept[0])
        _kept.clear()
    try:
        yield
    finally:
        for number in (*ENDING, DOORBELL):
            loop.remove_signal_handler(number)
            if is_followed() and number is not DOORBELL:
                signal.signal(number, _keep)
        ignore_doorbell()
