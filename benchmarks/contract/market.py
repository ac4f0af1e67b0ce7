"""The reference data as a market of the simulated venue: a bar's close is the price until the next one's.

A bar's row says when it closed and at what prices; at that instant the venue's market moves there and stays,
so whoever looks after the close and before the next one sees exactly the contract's bar. Settlements are
charged at their bar's close and mark.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.contract.rules import BAR_MS, LOT
from exchange.sim.markets.day import round_to
from exchange.sim.markets.instruments import CoinSpec
from exchange.sim.markets.source import Delisting, Forecast, FundingRecord, Gap, Quote, Reach
from exchange.sim.markets.timeline import Track
from exchange.sim.model import ZERO, Settled
from exchange.tape_l2 import DepthFeed
from exchange.tape_store import require_parquet

TICK: Final = Decimal("0.01")  # of every price
SETTLE_MS: Final = 8 * 3_600_000


class Bars(NamedTuple):
    """One coin's columns: closing time, spot and swap close, spot volume, mark; and its settlements."""

    coin: str
    ts: Sequence[int]
    spot: Sequence[float]
    swap: Sequence[float]
    mark: Sequence[float]
    volume: Sequence[float]
    settled_ts: Sequence[int]
    rate: Sequence[float]

    def cut(self, begin: int, end: int) -> Bars:
        """The bars in [begin, end) and their settlements."""
        ts = self.ts[begin:end]
        first, last = bisect_left(self.settled_ts, ts[0]), bisect_left(self.settled_ts, ts[-1] + 1)
        return Bars(
            coin=self.coin,
            ts=ts,
            spot=self.spot[begin:end],
            swap=self.swap[begin:end],
            mark=self.mark[begin:end],
            volume=self.volume[begin:end],
            settled_ts=self.settled_ts[first:last],
            rate=self.rate[first:last],
        )


def read_bars(folder: Path, coin: str) -> Bars:
    """Read what the reference generator wrote. Raises UsageError without pyarrow."""
    read = require_parquet().parquet.read_table
    bars = read(folder / f"{coin}.parquet", columns=["ts", "sc", "pc", "mark", "sv"])
    settled = read(folder / f"{coin}.funding.parquet")
    return Bars(
        coin=coin,
        ts=_column(bars, "ts", "q"),
        spot=_column(bars, "sc", "d"),
        swap=_column(bars, "pc", "d"),
        mark=_column(bars, "mark", "d"),
        volume=_column(bars, "sv", "d"),
        settled_ts=_column(settled, "ts", "q"),
        rate=_column(settled, "rate", "d"),
    )


def shorten(folder: Path, coin: str, bars: int, target: Path) -> None:
    """Write the first `bars` bars of a coin, and their settlements, into `target`."""
    arrow = require_parquet()
    table = arrow.parquet.read_table(folder / f"{coin}.parquet").slice(0, bars)
    end_ms = table.column("ts")[-1].as_py()
    settled = arrow.parquet.read_table(folder / f"{coin}.funding.parquet")
    count = sum(at_ms <= end_ms for at_ms in settled.column("ts").to_pylist())
    target.mkdir(exist_ok=True)
    arrow.parquet.write_table(table, target / f"{coin}.parquet")
    arrow.parquet.write_table(settled.slice(0, count), target / f"{coin}.funding.parquet")


def _column(table: Any, name: str, code: str) -> array[Any]:
    found = array(code)
    for chunk in table.column(name).chunks:
        one = array(code)
        one.frombytes(chunk.buffers()[1])
        found += one[chunk.offset : chunk.offset + len(chunk)]
    return found


class _Coin:
    def __init__(self, bars: Bars, code: int) -> None:
        self.spec = CoinSpec(
            bars.coin, bars.spot[0], f"{TICK}", f"{LOT}", f"{LOT}", "1", f"{LOT}", code, 100, 10**6,
            "0.0075", 1.0, 1.0,
        )  # fmt: skip
        ts, self.mark = array("q", bars.ts), array("d", bars.mark)
        self.spot = _flat(ts, array("d", bars.spot), array("d", bars.volume))
        self.swap = _flat(ts, array("d", bars.swap), self.spot.volume)
        self.marks = _flat(ts, self.mark, self.spot.volume)
        self.times = list(bars.settled_ts)
        self.rates = [Decimal(str(rate)) for rate in bars.rate]


def _flat(ts: array[int], close: array[float], volume: array[float]) -> Track:
    """A track that stands at one price for a whole bar; the columns are shared, nobody writes them."""
    track = Track(BAR_MS)
    track.ts, track.volume = ts, volume
    track.open = track.high = track.low = track.close = close
    track.low_first = bytearray(len(ts))
    return track


class ContractMarket:
    """Implements exchange.sim.markets.source.MarketSource. All coins have bars at the same times."""

    def __init__(self, coins: Sequence[Bars]) -> None:
        ts = coins[0].ts
        self._first_ms, self._last = ts[0], len(ts) - 1
        self.start_ms = ts[0] - BAR_MS  # the engine is up before the first bar closes
        self.history_ms = 0
        self.end_ms: int | None = ts[-1] + BAR_MS - 1
        self._end_ms = self.end_ms
        self.gaps: tuple[Gap, ...] = ()
        self.delistings: tuple[Delisting, ...] = ()
        self._coins: Mapping[str, _Coin] = {one.coin: _Coin(one, 50_000 + n) for n, one in enumerate(coins)}
        self.coins = tuple(coin.spec for coin in self._coins.values())

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int | None:
        if after_ms >= self._end_ms:
            return None
        return min((after_ms // BAR_MS + 1) * BAR_MS, self._end_ms)

    def _at(self, at_ms: int) -> int:
        return min(max((at_ms - self._first_ms) // BAR_MS, 0), self._last)

    def quote(self, coin: str, at_ms: int) -> Quote:
        data, i = self._coins[coin], self._at(at_ms)
        return Quote(data.spot.close[i], data.swap.close[i], data.mark[i], 1.0, 1.0)

    def thickness(self, coin: str, at_ms: int) -> tuple[float, float]:
        return 1.0, 1.0

    def reach(self, coin: str, at_ms: int) -> Reach:
        now = self.quote(coin, at_ms)
        return Reach(now.mark, now.mark, now.spot, now.spot, at_ms // BAR_MS * BAR_MS + BAR_MS - 1)

    def feed(self, coin: str, swap: bool) -> DepthFeed | None:
        return None

    def usd(self, at_ms: int) -> float:
        return 1.0

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        data = self._coins[coin]
        return data.spot, data.swap, data.marks

    @property
    def record(self) -> FundingRecord | None:
        return self

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        first_ms = self._coins[coin].times[0]
        next_ms = first_ms + max(0, (after_ms - first_ms) // SETTLE_MS + 1) * SETTLE_MS
        return next_ms, next_ms + SETTLE_MS

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        """The last settled rate until the settlement itself: the contract does not look ahead."""
        data = self._coins[coin]
        i = bisect_left(data.times, settle_ms)
        if i < len(data.times) and at_ms >= data.times[i] == settle_ms:
            return Forecast(data.rates[i], ZERO)
        return Forecast(data.rates[i - 1] if i else ZERO, ZERO)

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        data = self._coins[coin]
        end = bisect_left(data.times, before_ms)
        first = max(0, end - count)
        pairs = zip(data.times[first:end], data.rates[first:end], strict=True)
        return [Settled(ts, rate, rate) for ts, rate in pairs]

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        return round_to(self._coins[coin].mark[self._at(at_ms)], TICK)

    def last(self, coin: str) -> tuple[Decimal, Decimal]:
        """Spot and swap price of the last bar."""
        data = self._coins[coin]
        return round_to(data.spot.close[-1], TICK), round_to(data.swap.close[-1], TICK)
