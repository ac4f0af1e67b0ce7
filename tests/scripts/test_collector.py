"""A collector that is kept from holding up decisions, and left as it was found."""

from __future__ import annotations

import gc
import weakref

from scripts.collector import as_before, calm_collector

RARELY = (1_000_000, 50, 50)


class Ring:
    """Refers to itself: only the collector can free it."""

    def __init__(self) -> None:
        self.me = self


def test_what_is_there_is_looked_at_no_more_and_what_has_become_garbage_is_found_the_next_time() -> None:
    with as_before():
        ring = Ring()
        gone = weakref.ref(ring)
        calm_collector(RARELY)
        assert gc.get_freeze_count() > 0 and gc.get_threshold() == RARELY
        del ring
        gc.collect()
        assert gone() is not None  # left out
        calm_collector(RARELY)
        assert gone() is None


def test_afterwards_it_does_as_before() -> None:
    thresholds = gc.get_threshold()
    with as_before():
        calm_collector()
        assert gc.get_threshold() != thresholds
    assert gc.get_threshold() == thresholds and gc.get_freeze_count() == 0
