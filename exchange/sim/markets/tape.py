"""A recorded market: candles become a price path, settlements happen as they did.

spot, swap  each bar's open, extremes and close in turn; both markets meet their lows in the same order
mark        the mark candles when they have the candles' time frame; where there are none, the swap's price
settlement  at the file's instant (its second), at the file's rate, on the mark price of that instant:
            the file's mark_px, else the open of the mark candle that begins then, else the open of the
            perpetual candle that begins then. So contracts x ct_val x mark x rate can be recomputed from
            the files alone.
forecast    from the last settled rate to the formula's rate of the premium since, by the elapsed share of
            the interval; the file's rate is known only from a minute before its instant on
feeds       where the folder has an order book of a market (`*_l2_*`): book, trades and prices are the feed's
            as long as it lasts, instant by instant; price steps are the feed's where they are finer
books       else the depth of calibration.py, thinner after a bar with an unusual range

Binance files stand for the same coin's OKX markets. Prices are rounded to the instrument's tick, the
mark of a settlement is not.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from math import fsum, gcd
from typing import NamedTuple, TypeVar

from exchange.sim.markets.calibration import BAR_RANGE
from exchange.sim.markets.funding import INTEREST, funding_rate
from exchange.sim.markets.instruments import CoinSpec, coin_spec
from exchange.sim.markets.source import (
    Delisting,
    Forecast,
    FundingRecord,
    Gap,
    Quote,
    Reach,
    next_turn_ms,
    reach_of,
)
from exchange.sim.markets.timeline import Track
from exchange.sim.model import Settled
from exchange.tape import CoinTape, Tape
from exchange.tape_files import Candles
from exchange.tape_l2 import TRADE, UNIT, DepthFeed

T = TypeVar("T")

FIVE_MINUTES_MS = 300_000
USUAL_INTERVAL_MS = 8 * 3_600_000
LAST_WORD_MS = 60_000  # a forecast is recomputed every minute, and its last value is what settles
RATE_DIGITS = 8
FIRST_RATE = INTEREST  # before anything has settled


class _Prints:
    """The prices of a feed's trades."""

    def __init__(self, feed: DepthFeed) -> None:
        self._end_ms = feed.times[-1]
        self._times, self._prices = array("q"), array("d")
        for i, kind in enumerate(feed.kinds):
            if kind == TRADE:
                self._times.append(feed.times[i])
                self._prices.append(feed.prices[feed.rows[i]] / UNIT)

    def last(self, at_ms: int) -> float | None:
        i = bisect_right(self._times, at_ms) - 1
        return None if i < 0 or at_ms > self._end_ms else self._prices[i]


class _Coin:
    """One coin's tracks, settlements and the marks they use."""

    def __init__(self, tape: CoinTape, end_ms: int, gaps: tuple[Gap, ...]) -> None:
        self.spec: CoinSpec = _in_steps_of(tape.feeds, coin_spec(tape.coin, tape.spot.open[-1]))
        self.feeds = tape.feeds
        self.prints = {market: _Prints(feed) for market, feed in tape.feeds.items()}
        self.bar_ms = tape.spot.bar_ms
        low_first = {
            ts: close >= open_
            for ts, open_, close in zip(tape.spot.ts, tape.spot.open, tape.spot.close, strict=True)
        }
        self.spot = _track(tape.spot, low_first)
        self.swap = _track(tape.perp, low_first)
        self.mark = self.swap
        if tape.mark is not None and tape.mark.bar_ms == self.bar_ms:
            self.mark = _aligned(_track(tape.mark, low_first), self.swap)
        self.calm_range = BAR_RANGE * (self.bar_ms / FIVE_MINUTES_MS) ** 0.5 * self.spec.beta
        marks = tape.perp.hour_open | (tape.mark.hour_open if tape.mark else {})
        self.listed = tape.funding.ts
        self.times: list[int] = []  # of these, the ones somebody can hold a position at
        self.rates: list[Decimal] = []
        self.marks: dict[int, Decimal] = {}
        for ts, rate, mark in zip(tape.funding.ts, tape.funding.rate, tape.funding.mark, strict=True):
            priced = mark if mark is not None else Decimal(marks[ts]) if ts in marks else None
            if ts > end_ms or (priced is None and ts >= tape.perp.ts[0]) or _inside(gaps, ts):
                continue
            self.times.append(ts)
            self.rates.append(rate)
            if priced is not None:
                self.marks[ts] = priced

    def traded(self, market: str, at_ms: int) -> float | None:
        """The last price of a market's feed; None outside of it."""
        prints = self.prints.get(market)
        return None if prints is None else prints.last(at_ms)

    def premium(self, begin_ms: int, at_ms: int) -> Decimal:
        """The mean of swap / spot - 1 at the closes of bars that began and ended in [begin, at]; else 0."""
        swap, spot = self.swap, self.spot
        found = []
        for k in range(bisect_left(swap.ts, begin_ms), bisect_right(swap.ts, at_ms - self.bar_ms)):
            i = spot.index(swap.ts[k])
            found.append(swap.close[k] / spot.close[i] - 1)
        return round(Decimal(fsum(found) / len(found)), RATE_DIGITS) if found else Decimal(0)


class Charges(NamedTuple):
    """A coin's settlements as a tape has them: instants, rates, and marks where they are known.

    listed  all instants of the file, also those nobody can hold a position at.
    """

    times: list[int]
    rates: list[Decimal]
    marks: dict[int, Decimal]
    listed: Sequence[int]


class TapeMarket:
    """A market source that ends. Positions must be flat where its gaps begin: the venue is closed there."""

    def __init__(self, tape: Tape) -> None:
        self.start_ms = tape.start_ms
        self.history_ms = 0  # its funding is recorded
        self.end_ms: int | None = tape.end_ms
        self.gaps = tuple(
            Gap(hole.begin_ms, hole.end_ms, f"No market data for {', '.join(hole.coins)}")
            for hole in tape.holes
        )
        self.delistings: tuple[Delisting, ...] = ()
        self.tapes = tape.coins
        self._end_ms = tape.end_ms
        self._coins = {one.coin: _Coin(one, tape.end_ms, self.gaps) for one in tape.coins}
        self.coins = tuple(coin.spec for coin in self._coins.values())
        self._feeds = [feed for coin in self._coins.values() for feed in coin.feeds.values()]
        self._traded: dict[int, list[Track]] = {}  # spot and swap, by the length of their bars
        for coin in self._coins.values():
            self._traded.setdefault(coin.bar_ms, []).extend((coin.spot, coin.swap))

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int | None:
        if after_ms >= self._end_ms:
            return None
        at_ms = min(next_turn_ms(after_ms, ms, tracks, every_turn) for ms, tracks in self._traded.items())
        for feed in self._feeds:
            k = bisect_right(feed.times, after_ms)
            if k < len(feed.times):
                at_ms = min(at_ms, feed.times[k])
        gap = next((gap for gap in self.gaps if gap.begin_ms < at_ms < gap.end_ms), None)
        return min(at_ms if gap is None else gap.end_ms, self._end_ms)

    def quote(self, coin: str, at_ms: int) -> Quote:
        data = self._coins[coin]
        spot, swap = data.spot, data.swap
        i = swap.index(at_ms)
        spot_px, swap_px = data.traded("spot", at_ms), data.traded("perp", at_ms)
        spot_px = spot.at(at_ms) if spot_px is None else spot_px
        swap_px = swap.at(at_ms, i) if swap_px is None else swap_px
        mark = swap_px if data.mark is swap else data.mark.at(at_ms, i)
        return Quote(spot_px, swap_px, mark, *self.thickness(coin, at_ms))

    def thickness(self, coin: str, at_ms: int) -> tuple[float, float]:
        data = self._coins[coin]
        swap, stress = data.swap, 1.0
        i = swap.index(at_ms)
        if i > 0:  # the bar before: how wild the present one is, nobody can know yet
            width = (swap.high[i - 1] - swap.low[i - 1]) / swap.open[i - 1]
            stress = max(1.0, width / data.calm_range / 2)
        return min(stress, 10.0), 1 / min(stress, 8.0)

    def reach(self, coin: str, at_ms: int) -> Reach:
        data = self._coins[coin]
        if any(
            feed.times[0] <= at_ms + data.bar_ms and at_ms <= feed.times[-1] for feed in data.feeds.values()
        ):
            now = self.quote(coin, at_ms)  # what a feed will bring is not known
            return Reach(now.mark, now.mark, now.spot, now.spot, at_ms)
        return reach_of(data.mark, data.spot, at_ms)

    def feed(self, coin: str, swap: bool) -> DepthFeed | None:
        return self._coins[coin].feeds.get("perp" if swap else "spot")

    @property
    def record(self) -> FundingRecord | None:
        return self

    def usd(self, at_ms: int) -> float:
        return 1.0  # no tape says otherwise

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        data = self._coins[coin]
        return data.spot, data.swap, data.mark

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        times = self._coins[coin].times
        i = bisect_right(times, after_ms)
        if i >= len(times):  # the data has ended: nothing is charged before the end
            beyond = max(after_ms, self._end_ms) // USUAL_INTERVAL_MS * USUAL_INTERVAL_MS + USUAL_INTERVAL_MS
            return beyond, beyond + USUAL_INTERVAL_MS
        first = times[i]
        listed = self._coins[coin].listed
        after = bisect_right(listed, first)
        interval = listed[after] - first if after < len(listed) else USUAL_INTERVAL_MS
        return first, first + min(interval, USUAL_INTERVAL_MS)  # a longer wait is a break of the data

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        data = self._coins[coin]
        i = bisect_left(data.times, settle_ms)
        settled = data.rates[i - 1] if i else FIRST_RATE
        begin_ms = max(data.times[i - 1], settle_ms - USUAL_INTERVAL_MS) if i else settle_ms - interval_ms
        premium = data.premium(begin_ms, at_ms)
        if i < len(data.times) and data.times[i] == settle_ms and at_ms >= settle_ms - LAST_WORD_MS:
            return Forecast(data.rates[i], premium)
        cap = Decimal(data.spec.funding_cap)
        elapsed = Decimal(min(max(at_ms - begin_ms, 0), settle_ms - begin_ms)) / (settle_ms - begin_ms)
        coming = funding_rate(premium, settle_ms - begin_ms, cap)
        return Forecast(round(settled + (coming - settled) * elapsed, RATE_DIGITS), premium)

    def charges(self, coin: str) -> Charges:
        """Everything that is charged on a coin's swap, from the first row of its file on."""
        data = self._coins[coin]
        return Charges(data.times, data.rates, data.marks, data.listed)

    def calm_range(self, coin: str) -> float:
        """The usual range of a bar, a fraction: books of `thickness` are measured by it."""
        usual: float = self._coins[coin].calm_range
        return usual

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        return self._coins[coin].marks.get(at_ms)

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        data = self._coins[coin]
        end = bisect_left(data.times, before_ms)
        first = max(0, end - count)
        pairs = zip(data.times[first:end], data.rates[first:end], strict=True)
        return [Settled(ts, rate, rate) for ts, rate in pairs]


def _track(candles: Candles, low_first: dict[int, bool]) -> Track:
    """The candles' own columns, not a copy: a tape may be large."""
    track = Track(candles.bar_ms)
    track.ts, track.volume = candles.ts, candles.volume
    track.open, track.high, track.low, track.close = candles.open, candles.high, candles.low, candles.close
    track.low_first = bytearray(
        low_first.get(ts, close >= open_)
        for ts, open_, close in zip(candles.ts, candles.open, candles.close, strict=True)
    )
    return track


def _aligned(mark: Track, swap: Track) -> Track:
    """The mark bar by bar beside the swap; where the mark file has no bar, the swap's own price."""
    if mark.ts == swap.ts:
        return mark
    known = {ts: i for i, ts in enumerate(mark.ts)}
    beside = [known.get(ts) for ts in swap.ts]

    def column(own: Sequence[T], marks: Sequence[T]) -> Iterator[T]:
        return (own[i] if k is None else marks[k] for i, k in enumerate(beside))

    track = Track(swap.bar_ms)
    track.ts, track.volume = swap.ts, array("d", bytes(swap.volume.itemsize * len(beside)))
    for name in ("open", "high", "low", "close"):
        setattr(track, name, array("d", column(getattr(swap, name), getattr(mark, name))))
    track.low_first = bytearray(column(swap.low_first, mark.low_first))
    return track


def _in_steps_of(feeds: dict[str, DepthFeed], spec: CoinSpec) -> CoinSpec:
    """The coin with price steps no coarser than those of its feeds, so that no level is moved."""
    ticks = {"spot": Decimal(spec.spot_tick or spec.tick), "perp": Decimal(spec.tick)}
    for market, feed in feeds.items():
        ticks[market] = Decimal(gcd(feed.tick, int(ticks[market] * UNIT))) / UNIT
    return replace(spec, tick=f"{ticks['perp']:f}", spot_tick=f"{ticks['spot']:f}")


def _inside(gaps: tuple[Gap, ...], at_ms: int) -> bool:
    return any(gap.begin_ms <= at_ms < gap.end_ms for gap in gaps)
