"""What is asked of no frame: chart patterns, the live book, the crowd. Votes from -1 to 1, as in votes.py.

    patterns        breakout            1 the way the last of the 5m bars left 20 of them, times its volume /
                                        (2 * their mean), at most 1
                    wedge, triangle,    1 the way the price has left it; half the way the textbook expects
                    head_and_shoulders  while it has not; 0 where there is none
                    likeness            1 - distance / limit, the way of the drawn curve that is nearest
    microstructure  pressure_5, _15,    (bids - asks) / (bids + asks) of the swap's best levels
                    _30
                    large_orders        the same of the levels of 5 times the median of their side, or more
    sentiment       crowd               -z / 2 of the long/short ratio's logarithm among its own past, if its
                                        newest sample is not older than six hours
                    funding_change      -(rate expected - rate last settled) / 5 bps, per 8 h

The crowd is read against itself: who is already in can only get out. A book is heard while it is young and
sane; hidden orders show only between two books, and a Look has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.types import HOUR_MS, Side
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.indicators import patterns
from strategy.auxiliary.indicators.microstructure import large_orders, pressure
from strategy.auxiliary.indicators.sentiment import funding_change, long_short_standing
from strategy.auxiliary.indicators.templates import LIMIT, template_match
from strategy.auxiliary.language import Look
from strategy.auxiliary.modules.ensemble.votes import VOTE_BARS, Group, Vote, vote

PATTERN_FRAME: Final = "5m"
LOUD: Final = 2.0  # times the mean volume: a breakout's whole vote
BOOK_MS: Final = 15_000
CROWD_MS: Final = 6 * HOUR_MS
FULL_Z: Final = 2.0
FULL_CHANGE_BPS: Final = 5.0


def market_votes(look: Look) -> tuple[Vote, ...]:
    bars = look.bars[PATTERN_FRAME].last(VOTE_BARS)
    return (*pattern_votes(bars), *book_votes(look), *sentiment_votes(look))


def pattern_votes(bars: Bars) -> Iterator[Vote]:
    left = patterns.breakout(bars)
    yield vote(Group.PATTERNS, "breakout", _way(left.side) * left.volume_times / LOUD if left else 0.0)
    for name, found in (
        ("wedge", patterns.wedge(bars)),
        ("triangle", patterns.triangle(bars)),
        ("head_and_shoulders", patterns.head_and_shoulders(bars)),
    ):
        way = (_way(found.broken) or _way(found.side) / 2) if found else 0.0
        yield vote(Group.PATTERNS, name, way)
    like = template_match(bars)
    yield vote(Group.PATTERNS, "likeness", _way(like.side) * (1 - like.distance_sd / LIMIT) if like else 0.0)


def book_votes(look: Look) -> Iterator[Vote]:
    book = look.market.swap if look.market else None
    if book is None or not book.is_sane or look.now_ms - book.seen_ms > BOOK_MS:
        return
    for flow in pressure(book):
        yield vote(Group.MICROSTRUCTURE, f"pressure_{flow.window}", float(flow.ratio))
    large = large_orders(book)
    total = sum(order.size for order in large)
    net = sum(order.side.sign * order.size for order in large)
    yield vote(Group.MICROSTRUCTURE, "large_orders", float(net / total) if total else 0.0)


def sentiment_votes(look: Look) -> Iterator[Vote]:
    if look.long_short and 0 <= look.now_ms - look.long_short[-1][0] <= CROWD_MS:
        standing = long_short_standing(look.long_short)
        if standing:
            yield vote(Group.SENTIMENT, "crowd", -standing.z / FULL_Z)
    if look.market and look.market.funding:
        change = funding_change(look.market.funding, look.market.settled, over=1)
        if change:
            yield vote(Group.SENTIMENT, "funding_change", -change.change_bps_8h / FULL_CHANGE_BPS)


def _way(side: Side | None) -> float:
    return float(side.sign) if side else 0.0
