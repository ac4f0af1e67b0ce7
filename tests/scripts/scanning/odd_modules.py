"""What modules should not do, as functions another process can import."""

from __future__ import annotations

import os
import signal as signals
import sys
from typing import Any

from strategy.auxiliary.language import Look
from tests.strategy.auxiliary.scan_scenes import Toy, signal


def proposes(look: Look) -> Any:
    return signal(look, "good")


def hangs(look: Look) -> Any:
    while look.instrument == "B-USDT":
        pass


def raises(look: Look) -> Any:
    raise RuntimeError(f"not {look.instrument}")


def leaves(look: Look) -> Any:
    sys.exit(3)


def dies(look: Look) -> Any:
    if look.instrument == "B-USDT":
        os.kill(os.getpid(), signals.SIGSEGV)


def is_greedy(look: Look) -> Any:
    return bytearray(3 * 2**30)


def prints(look: Look) -> Any:
    print("something that is no reply", flush=True)
    return proposes(look)


def writes(look: Look) -> Any:
    look.bars["1H"].close[0] = 1


def tells_secrets(look: Look) -> Any:
    raise RuntimeError(" ".join(sorted(os.environ)))


def hangs_always(look: Look) -> Any:
    while True:
        pass


GOOD = Toy("good", says=proposes)
