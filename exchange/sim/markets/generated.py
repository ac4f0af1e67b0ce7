"""An invented market: any number of coins under one climate of moods, each with moves of its own.

Only additions, multiplications and square roots are used, no logarithms or exponentials, so that the same
seed gives the same prices to the last bit on every machine. Figures are calibrated in calibration.py.
Future and past are drawn as far as somebody looks; nothing is drawn for coins nobody looks at.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from types import MappingProxyType

from exchange.sim.markets.calibration import (
    BAR_SIGMA,
    BASIS_FLICKER,
    BASIS_NOISE,
    PREMIUMS,
    SPOT_VOLUME_SHARE,
    VOLUME_USD_5M,
)
from exchange.sim.markets.climate import Climate, Weather, normal
from exchange.sim.markets.funding import next_settlements
from exchange.sim.markets.instruments import CoinSpec, coin_spec
from exchange.sim.markets.regimes import CALM, DELISTING, Mood, regime_named
from exchange.sim.markets.source import (
    Delisting,
    FundingRecord,
    Gap,
    Quote,
    Reach,
    next_turn_ms,
    reach_of,
)
from exchange.sim.markets.timeline import Points, Track, path_points
from exchange.tape_l2 import DepthFeed

BAR_MS = 300_000
DAY_MS = 86_400_000
HISTORY_DAYS = 60
START_MS = 1_767_571_200_000  # 2026-01-05T00:00Z
BARS_PER_DAY = DAY_MS // BAR_MS
CHUNK_BARS = BARS_PER_DAY // 3  # drawn at a time: an interval of funding

HOME_PULL = 1 / (60 * BARS_PER_DAY)  # a price drifts back to its start within months
BASIS_PULL = 1 / 12  # the basis follows what the crowding asks for within an hour
CROWD_PULL, CROWD_NOISE = 1 / (20 * BARS_PER_DAY), 0.015  # who crowds in changes within weeks,
RUSH_PULL, RUSH_HOURS = 1 / (2 * BARS_PER_DAY), 48  # in a mood shorter than that within days
LEAN = 0.4  # the crowding a calm market starts with: funding on its plateau
WICK = 0.36  # how far a bar reaches beyond its open and close, in standard deviations
MAX_BAR_MOVE = 0.06
COMMON = 0.85  # correlation of each coin with the market
OWN = (1 - COMMON * COMMON) ** 0.5

DELIST_CHANCE = 0.004  # per day and small coin; large ones stay
DELIST_NOTICE_MS = 5 * DAY_MS
SMALL = 0.1  # liquidity from which on a coin is large
DELIST_DAYS = 360  # looked ahead


@dataclass(slots=True)
class _State:
    """Where a coin's path stands; `crowding` in standard deviations, `basis` is swap / spot - 1.

    `anchor` is the basis without what is gone a bar later.
    """

    price: float
    crowding: float
    anchor: float
    basis: float
    mark_basis: float
    usd: float = 1.0


class _Coin:
    """One coin's paths away from the start, forward and back."""

    def __init__(
        self,
        spec: CoinSpec,
        seed: int,
        climates: tuple[Climate, Climate],
        start_ms: int,
        mood: Mood,
        history_ms: int,
    ) -> None:
        self.spec = spec
        self.tracks = tuple(Track(BAR_MS, self._earlier) for _ in range(3))  # spot, swap, mark
        self.moods: list[Mood] = []
        self._ahead, self._behind = climates
        self._ahead_rng, self._behind_rng = (
            Random(f"{seed}:{spec.coin}:{way}") for way in ("ahead", "behind")
        )
        self._start_ms = start_ms
        self._past = 0  # bars drawn before the start
        self._most_past = history_ms // BAR_MS
        crowding = LEAN if mood.name == CALM else mood.crowding
        level = premium_at(crowding)
        self._last = _State(spec.price, crowding, level, level, level)
        self._first = replace(self._last)

    def bar(self, at_ms: int) -> int:
        """The index of the bar an instant lies in; drawn now when it was not yet. -1 before all history."""
        i = (at_ms - self._start_ms) // BAR_MS
        while i >= len(self.moods) - self._past:
            self._extend()
        while i < -self._past and self._past < self._most_past:
            self._reach_back()
        return i + self._past

    def _earlier(self, at_ms: int) -> None:
        self.bar(at_ms)

    def _extend(self) -> None:
        begin = len(self.moods) - self._past
        weather = self._ahead.upto(begin + CHUNK_BARS)
        for n in range(begin, begin + CHUNK_BARS):
            before, self._last = self._last, self._step(self._ahead_rng, self._last, weather[n], 1)
            self._draw(
                self._start_ms + n * BAR_MS, before, self._last, weather[n], self._ahead_rng, self.tracks
            )
            self.moods.append(weather[n].mood)

    def _reach_back(self) -> None:
        """Draw the bars before the first, newest first, and put them in front."""
        begin, count = self._past, min(CHUNK_BARS, self._most_past - self._past)
        weather = self._behind.upto(begin + count)
        steps: list[tuple[_State, _State, Weather]] = []
        for n in range(begin, begin + count):
            after, self._first = self._first, self._step(self._behind_rng, self._first, weather[n], -1)
            steps.append((self._first, after, weather[n]))
        older = tuple(Track(BAR_MS) for _ in self.tracks)
        for n, (before, after, one) in enumerate(reversed(steps)):
            ts_ms = self._start_ms - (begin + count - n) * BAR_MS
            self._draw(ts_ms, before, after, one, self._behind_rng, older)
        for track, part in zip(self.tracks, older, strict=True):
            track.prepend(part)
        self.moods[:0] = [one.mood for _, _, one in reversed(steps)]
        self._past += count

    def _step(self, rng: Random, state: _State, weather: Weather, sign: int) -> _State:
        """The state a bar on, or with `sign` -1 a bar earlier."""
        mood, beta = weather.mood, self.spec.beta
        own = normal(rng)
        shock = BAR_SIGMA * beta * weather.volatility * (COMMON * weather.move + OWN * own)
        home = HOME_PULL * (self.spec.price / state.price - 1.0)
        move = min(max(shock + mood.drift * beta / BARS_PER_DAY + sign * home, -MAX_BAR_MOVE), MAX_BAR_MOVE)
        price = state.price * (1.0 + move) if sign > 0 else state.price / (1.0 + move)
        price *= state.usd / weather.usd  # in USDT: a weaker one buys less
        pull = RUSH_PULL if mood.hours < RUSH_HOURS else CROWD_PULL
        crowding = state.crowding + pull * (mood.crowding - state.crowding) + CROWD_NOISE * normal(rng)
        level = premium_at(crowding) + mood.blow_out
        noise = BASIS_NOISE * mood.basis_noise * (normal(rng) + 0.5 * own)
        anchor = state.anchor + BASIS_PULL * (level - state.anchor) + noise
        basis = anchor + BASIS_FLICKER * mood.basis_noise * normal(rng)
        mark_basis = state.mark_basis + 0.25 * (basis - state.mark_basis)  # a moving average of the basis
        return _State(price, crowding, anchor, basis, mark_basis, weather.usd)

    def _draw(
        self,
        ts_ms: int,
        before: _State,
        after: _State,
        weather: Weather,
        rng: Random,
        tracks: tuple[Track, ...],
    ) -> None:
        sigma = BAR_SIGMA * self.spec.beta * weather.volatility
        up, down = sigma * WICK * abs(normal(rng)), sigma * WICK * abs(normal(rng))
        open_, close = before.price, after.price
        high, low = max(open_, close) * (1.0 + up), min(open_, close) * (1.0 - down)
        spot = path_points(open_, high, low, close, low_first=close >= open_)
        volume = VOLUME_USD_5M * self.spec.liquidity / open_ * weather.volatility * (0.5 + rng.random())
        spot_track, swap_track, mark_track = tracks
        spot_track.append(ts_ms, spot, volume * SPOT_VOLUME_SHARE)
        swap_track.append(ts_ms, _lifted(spot, before.basis, after.basis), volume)
        mark_track.append(ts_ms, _lifted(spot, before.mark_basis, after.mark_basis), 0.0)


def premium_at(crowding: float) -> float:
    """Where swap / spot - 1 settles at so much crowding, fraction; between the knots a straight line."""
    i = min(max(bisect_right(PREMIUMS, (crowding, 0.0)), 1), len(PREMIUMS) - 1)
    (left, low), (right, high) = PREMIUMS[i - 1], PREMIUMS[i]
    place = min(max((crowding - left) / (right - left), 0.0), 1.0)
    return (low + (high - low) * place) / 10_000


def _lifted(points: Points, begin: float, end: float) -> Points:
    """A path lifted by a basis that goes from `begin` to `end` over the bar."""
    first, second, third, last = points
    step = (end - begin) / 3
    return (
        first * (1.0 + begin),
        second * (1.0 + begin + step),
        third * (1.0 + end - step),
        last * (1.0 + end),
    )


class GeneratedMarket:
    """A market source without end. Same seed, coins, start and regime: same market.

    regime  where it starts from (regimes.REGIMES), by default calm; `hold` keeps it there for ever. With
            delisting all coins but the first go one after the other
    history_days  how much of the past before the start can be asked for
    turns   regimes it is put into later: hours after the start -> name

    Raises ValueError naming an unknown regime and what is allowed.
    """

    def __init__(
        self,
        seed: int,
        coins: Sequence[str] = ("BTC", "ETH"),
        start_ms: int = START_MS,
        regime: str = CALM,
        hold: bool = False,
        history_days: int = HISTORY_DAYS,
        turns: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        mood = regime_named(regime)
        self.start_ms = start_ms
        self.end_ms: int | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.coins = tuple(coin_spec(coin) for coin in coins)
        self.delistings = _delistings(seed, self.coins, start_ms, every=regime == DELISTING)
        origin_ms = start_ms // BAR_MS * BAR_MS
        bars = {hours * 3_600_000 // BAR_MS: name for hours, name in turns.items()}
        climates = Climate(seed, "ahead", regime, hold, bars), Climate(seed, "behind")
        self.history_ms = history_days * DAY_MS
        self._coins = {
            spec.coin: _Coin(spec, seed, climates, origin_ms, mood, self.history_ms) for spec in self.coins
        }
        self._climate = climates[0]
        self._origin_ms = origin_ms
        self._traded = [track for coin in self._coins.values() for track in coin.tracks[:2]]

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int:
        for coin in self._coins.values():
            coin.bar(after_ms + BAR_MS)  # the path is drawn as far as anybody looks
        return next_turn_ms(after_ms, BAR_MS, self._traded, every_turn)

    def quote(self, coin: str, at_ms: int) -> Quote:
        path = self._coins[coin]
        i = path.bar(at_ms)
        spot, swap, mark = path.tracks
        mood = path.moods[i]
        return Quote(spot.at(at_ms, i), swap.at(at_ms, i), mark.at(at_ms, i), mood.spread, mood.depth)

    def thickness(self, coin: str, at_ms: int) -> tuple[float, float]:
        path = self._coins[coin]
        mood = path.moods[path.bar(at_ms)]
        return mood.spread, mood.depth

    def reach(self, coin: str, at_ms: int) -> Reach:
        path = self._coins[coin]
        path.bar(at_ms)
        return reach_of(path.tracks[2], path.tracks[0], at_ms)

    def feed(self, coin: str, swap: bool) -> DepthFeed | None:
        return None

    @property
    def record(self) -> FundingRecord | None:
        return None

    def usd(self, at_ms: int) -> float:
        bar = (at_ms - self._origin_ms) // BAR_MS
        return self._climate.upto(bar + 1)[bar].usd if bar >= 0 else 1.0

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        spot, swap, mark = self._coins[coin].tracks
        return spot, swap, mark

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        return next_settlements(after_ms, interval_ms)

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        return None  # the path is the only truth here


def _delistings(seed: int, coins: Sequence[CoinSpec], start_ms: int, every: bool) -> tuple[Delisting, ...]:
    """Which coins go and when: small ones by chance, or with `every` all but the first, two days apart."""
    found: list[Delisting] = []
    for n, spec in enumerate(coins):
        rng = Random(f"{seed}:{spec.coin}:delisting")
        day = next((day for day in range(1, DELIST_DAYS) if rng.random() < DELIST_CHANCE), None)
        if every:
            day = 2 * n if n or len(coins) == 1 else None
        elif spec.liquidity >= SMALL:
            day = None
        if day is not None:
            announced_ms = start_ms + (day * DAY_MS or 8 * 3_600_000)
            found.append(Delisting(spec.coin, announced_ms, announced_ms + DELIST_NOTICE_MS))
    return tuple(found)
