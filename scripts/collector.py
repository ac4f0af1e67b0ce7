"""How Python looks for garbage: objects that refer to each other in circles, which counting does not free.

A look at everything holds up every thread, and with all libraries loaded everything is a third of a million
objects, a tenth of a second on a quiet machine: a decision that meets it comes that much later. What is there
when a process has put itself together stays for good, so it is taken out of what is looked at.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# New objects between two looks at the newest, some 0.1 ms each; then every tenth looks at the older ones too,
# and every tenth of these at all: a process that runs for months gathers 30 MB of garbage at the most.
DAEMON: Final = (2_000, 10, 10)


def calm_collector(thresholds: tuple[int, int, int] = DAEMON) -> None:
    """Look once more, leave out from now on whatever is there, and look more rarely at what comes.

    thresholds  as gc.set_threshold takes them. May be called again: what has become garbage since is found.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*thresholds)


@contextmanager
def as_before() -> Iterator[None]:
    """Afterwards the collector does as it did before, with everything in its sight."""
    thresholds = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def expect_to_keep() -> None:
    """Look very rarely, and never again at what is there by now: modules, the market's columns.

    A venue and a backtest keep what they make (orders, fills, bills, rows), and few of their objects refer to
    each other in circles. With Python's own thresholds a quarter of a venue's time goes into looking.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
