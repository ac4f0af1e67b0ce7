"""What is asked of no frame: chart patterns, the live book, the crowd. Votes from -1 to 1, as in votes.py.

    sentiment   crowd           -log2(accounts long / accounts short): twice as many longs is -1. The last
                                sample, if it is not older than six hours
                funding_change  -(rate expected - rate last settled), both per 8 h, / 0.05 %

The crowd is read against itself: who is already in can only get out.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log2
from typing import Final

from core.types import HOUR_MS
from strategy.auxiliary.language import Look
from strategy.auxiliary.modules.ensemble.votes import Group, Vote, vote

CROWD_MS: Final = 6 * HOUR_MS
FULL_FUNDING_CHANGE: Final = 0.0005  # per 8 h


def sentiment_votes(look: Look) -> Iterator[Vote]:
    if look.long_short:
        at_ms, ratio = look.long_short[-1]
        if 0 <= look.now_ms - at_ms <= CROWD_MS and ratio > 0:
            yield vote(Group.SENTIMENT, "crowd", -log2(ratio))
    quote = look.market.funding if look.market else None
    if look.market and quote and look.market.settled and quote.interval_ms > 0:
        change = (quote.rate - look.market.settled[-1].rate) * 8 * HOUR_MS / quote.interval_ms
        yield vote(Group.SENTIMENT, "funding_change", -float(change) / FULL_FUNDING_CHANGE)
