"""Python's search for garbage, kept out of the way of what keeps nearly all it makes."""

from __future__ import annotations

import gc


def calm_collector() -> None:
    """Look for garbage rarely, and never again in what is there by now: modules, the market's columns.

    A venue and a backtest keep what they make (orders, fills, bills, rows), and few of their objects refer to
    each other in circles. With Python's own thresholds a quarter of a venue's time goes into looking.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
