"""The premium index of a swap: a sample a minute out of its own book, and averages of them.

A sample is [max(0, impact bid - index) - max(0, index - impact ask)] / index. An impact price is the average
at which IMPACT_VALUE USDT fill. Source: api-v5.md 7.1. Samples are taken in the first instant of a minute,
and count from then on.

Without clients the book is a function of price and instant (depth.py), so its samples are worked out when
somebody asks, all of them alike whoever asked. The minutes in which a client has an order in the book, or
has just eaten of it, are sampled there by the venue, which stops at them. Samples are whole numbers of
UNIT: sums do not depend on their order.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from decimal import Decimal
from math import inf
from typing import Final

from exchange.sim.markets.depth import Depth
from exchange.sim.markets.funding import IMPACT_VALUE
from exchange.sim.markets.instruments import CoinSpec, listing
from exchange.sim.markets.source import MarketSource
from exchange.sim.markets.timeline import MINUTE_MS
from exchange.sim.model import ZERO, BookLevel

UNIT: Final = 10**10  # to one
DIGITS: Final = 8  # of an average
NEAR: Final = (10, 400)  # levels looked at, first these, then all the public sees
KEPT: Final = 2 * 24 * 60  # minutes of samples, at least
_VALUE: Final = float(IMPACT_VALUE)
_SPARE: Final = 1.05  # rounding to lots takes a little off what lies at the best price


def impact_price(levels: Iterable[BookLevel], ct_val: Decimal) -> Decimal | None:
    """The average price at which IMPACT_VALUE USDT would fill; None when there is not so much."""
    left, coins = IMPACT_VALUE, ZERO
    for level in levels:
        value = min(left, level.size * ct_val * level.price)
        coins += value / level.price
        left -= value
        if not left:
            return IMPACT_VALUE / coins
    return None


def premium_sample(view: Callable[[str, int], Iterable[BookLevel]], ct_val: Decimal, index: Decimal) -> int:
    """The sample of a public book, in UNIT; a side too thin counts 0. `view` gives a side's best levels."""
    above, below = (_impact(view, side, ct_val) for side in ("buy", "sell"))
    beyond = max(ZERO, above - index) if above is not None else ZERO
    beyond -= max(ZERO, index - below) if below is not None else ZERO
    return round(beyond / index * UNIT)


def _impact(view: Callable[[str, int], Iterable[BookLevel]], side: str, ct_val: Decimal) -> Decimal | None:
    prices = (impact_price(view(side, count), ct_val) for count in NEAR)
    return next((price for price in prices if price is not None), None)


class PremiumIndex:
    """One swap's samples, from twice the longest interval before `opened_ms` on, and every one before it."""

    def __init__(self, source: MarketSource, spec: CoinSpec, depth: Depth, opened_ms: int) -> None:
        self._source = source
        self._coin = spec.coin
        self._depth = depth
        self._spot, self._swap, _ = source.tracks(spec.coin)
        swap = listing(spec, 0)[1]
        self._tick, self._lot_coins = float(swap.tick), float(swap.lot) * float(swap.ct_val)
        self._first = (opened_ms - 1) // MINUTE_MS - 2 * 8 * 60  # the minute of the first sample
        self._sums = array("q", [0])  # of the samples before the n-th

    def mean(self, at_ms: int, span_ms: int) -> Decimal:
        """The average of the samples taken in the `span_ms` before an instant."""
        last, count = (at_ms - 1) // MINUTE_MS, span_ms // MINUTE_MS
        self._catch_up(last)
        end = last + 1 - self._first
        if end < count:
            return _average(sum(self._plain(last - count + 1, last + 1)), count)
        return _average(self._sums[end] - self._sums[end - count], count)

    def note(self, at_ms: int, sample: int) -> None:
        """What the book itself says at a whole minute; the first word on it stands."""
        minute = at_ms // MINUTE_MS
        self._catch_up(minute - 1)
        if minute == self._first + len(self._sums) - 1:
            self._sums.append(self._sums[-1] + sample)

    def past(self, times_ms: list[int], span_ms: int) -> list[Decimal]:
        """Averages of the `span_ms` before each of several instants, oldest first, without clients."""
        count = span_ms // MINUTE_MS
        first = times_ms[0] // MINUTE_MS - count
        sums = array("q", [0])
        for sample in self._plain(first, times_ms[-1] // MINUTE_MS):
            sums.append(sums[-1] + sample)
        ends = (at_ms // MINUTE_MS - first for at_ms in times_ms)
        return [_average(sums[end] - sums[end - count], count) for end in ends]

    def _catch_up(self, minute: int) -> None:
        sums = self._sums
        begin = self._first + len(sums) - 1
        if minute < begin:
            return
        total = sums[-1]
        for sample in self._plain(begin, minute + 1):
            total += sample
            sums.append(total)
        if len(sums) > 2 * KEPT:
            self._first += len(sums) - KEPT
            del sums[:-KEPT]

    def _plain(self, begin: int, end: int) -> list[int]:
        """The samples of minutes in [begin, end) of a book without clients."""
        source, spot, swap, tick = self._source, self._spot, self._swap, self._tick
        found: list[int] = []
        while begin < end:
            at_ms = begin * MINUTE_MS
            spread, depth = source.thickness(self._coin, at_ms)  # draws the bar, too
            firm = self._depth.surely(depth) > _VALUE * _SPARE
            i = swap.index(at_ms)
            first = swap.ts[i] // MINUTE_MS
            spots, mids = spot.minutes(spot.index(at_ms)), swap.minutes(i)
            stop = min(end, first + len(mids))
            for minute in range(begin, stop):
                mid = mids[minute - first]
                index = round(spots[minute - first] / tick)
                bid, ask = self._depth.best(mid, spread)
                if bid > index:
                    price = bid if firm else max(index, self._reach("buy", bid, mid, depth, minute))
                elif ask < index:
                    price = ask if firm else min(index, self._reach("sell", ask, mid, depth, minute))
                else:
                    price = index
                found.append(round((price - index) / index * UNIT))
            begin = stop
        return found

    def _reach(self, side: str, best: int, mid: float, depth: float, minute: int) -> float:
        """The impact price of one side in ticks; when there is not so much, one that counts 0."""
        left, coins = _VALUE, 0.0
        for place, lots in self._depth.levels(side, best, mid, depth, minute * MINUTE_MS):
            price = place * self._tick
            size = lots * self._lot_coins
            if size * price >= left:
                return _VALUE / (coins + left / price) / self._tick
            coins += size
            left -= size * price
        return 0 if side == "buy" else inf


def _average(total: int, count: int) -> Decimal:
    return Decimal(round(total / (count * UNIT // 10**DIGITS))).scaleb(-DIGITS)
