"""What an order book and the trades in it give away: which side presses, and who is large or hidden.

Everything here is Decimal: sizes are the market's own unit, coins for spot, contracts for a swap, and stay
exact. A Look shows one frozen book (50 levels a side), so `pressure` and `large_orders` can be asked by any
module; `order_flow` and `hidden_orders` are for whoever keeps the books that came before, and `trade_flow`
for whoever is given trades.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Final

from core.types import BPS, ZERO, Book, Level, Side

WINDOWS: Final = (5, 15, 30)
LARGE: Final = Decimal("5.0")  # times the median


@dataclass(frozen=True, slots=True)
class Print:
    """One public trade. `side` is the taker's: a BUY took from the asks."""

    side: Side
    px: Decimal
    size: Decimal
    ts_ms: int


@dataclass(frozen=True, slots=True)
class Flow:
    """What pressed one way minus what pressed the other, over the newest `window` of something.

    net    in the market's unit, above 0 for buying.
    ratio  net / all that pressed at all, -1 to 1; 0 where nothing did.
    """

    window: int
    net: Decimal
    ratio: Decimal


@dataclass(frozen=True, slots=True)
class LargeOrder:
    """A size that stands out. `side` is that of the order: a BUY is a bid, or a taker who bought.

    distance_bps  from the mid price, without sign; None for a trade.
    """

    side: Side
    px: Decimal
    size: Decimal
    times_median: Decimal
    distance_bps: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HiddenOrder:
    """A level at which more traded than it had shown, and which is still there.

    hidden  traded + what is left - what was shown: what had not been in the book, at least.
    """

    side: Side
    px: Decimal
    shown: Decimal
    traded: Decimal
    left: Decimal

    @property
    def hidden(self) -> Decimal:
        return self.traded + self.left - self.shown


def pressure(book: Book, windows: Sequence[int] = WINDOWS) -> tuple[Flow, ...]:
    """Return (bids - asks) / (bids + asks) over the best 5, 15 and 30 levels of one book.

    Fewer levels than asked for count as they are. A book that is not sane (a side missing, or crossed) says
    nothing: the result is empty. Source: the depth imbalance of Rama Cont, Arseniy Kukanov and Sasha Stoikov,
    The Price Impact of Order Book Events, Journal of Financial Econometrics 12 (2014).
    """
    _checked(windows)
    if not book.is_sane:
        return ()
    return tuple(_flow(levels, _total(book.bids[:levels]), _total(book.asks[:levels])) for levels in windows)


def order_flow(books: Sequence[Book], windows: Sequence[int] = WINDOWS) -> tuple[Flow, ...]:
    """Return the order-flow imbalance of the last 5, 15 and 30 changes of the best prices.

    A change from one book to the next adds what came to the best bid and takes off what went from it: the
    new size counts unless the price fell, the old one is taken off unless it rose. Asks the other way round.
    In `ratio` the net is held against the sum of all changes without their signs.

    Books are oldest first, of one market. What lies before one that is not sane is not looked at, and a
    window there are not enough changes for is left out. Raises ValueError for books of two markets or out
    of order. Source: as `pressure`.
    """
    _checked(windows)
    for before, book in pairwise(books):
        if before.inst_id != book.inst_id:
            raise ValueError(f"order_flow: books of {before.inst_id} and {book.inst_id}, allowed: one market")
        if book.ts_ms < before.ts_ms:
            raise ValueError(
                f"order_flow: {book.inst_id} at {book.ts_ms} after {before.ts_ms}, allowed: oldest first"
            )
    sane = list(books)
    for place, book in enumerate(books):
        if not book.is_sane:
            sane = list(books[place + 1 :])
    changes = [_change(before, book) for before, book in pairwise(sane)]
    return _flows(changes, windows)


def trade_flow(prints: Sequence[Print], windows: Sequence[int] = WINDOWS) -> tuple[Flow, ...]:
    """Return (bought - sold) / (bought + sold) over the last 5, 15 and 30 trades, by takers.

    Oldest first. A window there are not enough trades for is left out.
    """
    _checked(windows)
    return _flows([each.side.sign * each.size for each in prints], windows)


def large_orders(book: Book, times: Decimal = LARGE) -> tuple[LargeOrder, ...]:
    """Return the levels of at least `times` the median level of their own side, bids first, nearest first.

    Its own side, because a side that is thick all over is pressure and no single order. A book that is not
    sane shows none.
    """
    _checked_times(times)
    if not book.is_sane:
        return ()
    found = []
    for side, levels in ((Side.BUY, book.bids), (Side.SELL, book.asks)):
        usual = median(size for _, size in levels)
        found += [
            LargeOrder(side, px, size, size / usual, abs(px - book.mid) / book.mid * BPS)
            for px, size in levels
            if usual > 0 and size >= times * usual
        ]
    return tuple(found)


def large_trades(prints: Sequence[Print], times: Decimal = LARGE) -> tuple[LargeOrder, ...]:
    """Return the trades of at least `times` the median of all that are given, oldest first."""
    _checked_times(times)
    if not prints:
        return ()
    usual = median(each.size for each in prints)
    return tuple(
        LargeOrder(each.side, each.px, each.size, each.size / usual)
        for each in prints
        if usual > 0 and each.size >= times * usual
    )


def hidden_orders(before: Book, after: Book, prints: Sequence[Print]) -> tuple[HiddenOrder, ...]:
    """Return the levels at which more traded between two books than the first one showed there.

    A level must be in both books, and what traded there alone must exceed what was shown: an order that
    grew in between explains a refill, but not that. Bids first, nearest first.
    Raises ValueError for books of two markets.
    """
    if before.inst_id != after.inst_id:
        raise ValueError(f"hidden_orders: books of {before.inst_id} and {after.inst_id}, allowed: one market")
    found = []
    for side, shown, left in ((Side.BUY, before.bids, after.bids), (Side.SELL, before.asks, after.asks)):
        rest = dict(left)
        for px, size in shown:
            traded = sum((p.size for p in prints if p.px == px and p.side is side.opposite), ZERO)
            if px in rest and traded > size:
                found.append(HiddenOrder(side, px, size, traded, rest[px]))
    return tuple(found)


def _change(before: Book, book: Book) -> Decimal:
    (bid, bid_size), (old_bid, old_bid_size) = book.bids[0], before.bids[0]
    (ask, ask_size), (old_ask, old_ask_size) = book.asks[0], before.asks[0]
    came = bid_size * (bid >= old_bid) - old_bid_size * (bid <= old_bid)
    return came - ask_size * (ask <= old_ask) + old_ask_size * (ask >= old_ask)


def _flows(signed: Sequence[Decimal], windows: Sequence[int]) -> tuple[Flow, ...]:
    made = []
    for window in windows:
        if len(signed) >= window:
            newest = signed[-window:]
            up, down = (sum((abs(x) for x in newest if (x > 0) is way), ZERO) for way in (True, False))
            made.append(_flow(window, up, down))
    return tuple(made)


def _flow(window: int, up: Decimal, down: Decimal) -> Flow:
    return Flow(window, up - down, (up - down) / (up + down) if up + down else ZERO)


def _total(levels: Sequence[Level]) -> Decimal:
    return sum((size for _, size in levels), ZERO)


def _checked(windows: Sequence[int]) -> None:
    if not windows or min(windows) < 1:
        raise ValueError(f"windows of {', '.join(map(str, windows)) or 'nothing'}, allowed: 1 or more")


def _checked_times(times: Decimal) -> None:
    if times.is_nan() or times <= 1:
        raise ValueError(f"{times} times the median, allowed: above 1")
