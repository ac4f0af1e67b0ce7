"""An invented market with seeded moods: calm, rally, slide, crash, inverted funding.

One Markov chain of moods drives all coins; each coin adds its own moves and its own basis. Only
additions and multiplications are used, no logarithms or exponentials, so that the same seed gives the
same prices to the last bit on every machine. Figures are calibrated in calibration.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from exchange.sim.markets.calibration import BAR_SIGMA, SPOT_VOLUME_SHARE, VOLUME_USD_5M
from exchange.sim.markets.funding import DEFAULT_INTERVAL_MS, funding_rate, next_settlements
from exchange.sim.markets.instruments import CoinSpec, coin_spec
from exchange.sim.markets.source import Forecast, Gap, Quote, Reach, next_turn_ms, reach_of
from exchange.sim.markets.timeline import Points, Track, path_points
from exchange.sim.model import Settled

BAR_MS = 300_000
DAY_MS = 86_400_000
HISTORY_MS = 60 * DAY_MS
START_MS = 1_767_571_200_000  # 2026-01-05T00:00Z
BARS_PER_DAY = DAY_MS // BAR_MS
MOOD_BARS = 12  # a mood may change once an hour
CHUNK_BARS = 576  # two days are generated at a time

HOME_PULL = 1 / (60 * BARS_PER_DAY)  # a price drifts back to its start within months
BASIS_PULL = 1 / 24  # basis forgets a shock within two hours
LEVEL_PULL = 1 / (2 * BARS_PER_DAY)  # what funding hovers around changes within days
LEVEL_NOISE = 0.000025
WICK = 0.45  # how far a bar reaches beyond its open and close, in standard deviations
JUMP_CHANCE, JUMP_SIZE = 0.002, 7.0
MAX_BAR_MOVE = 0.06
ROOT_2 = 2.0**0.5
COMMON = 0.85  # correlation of each coin with the market
OWN = (1 - COMMON * COMMON) ** 0.5


@dataclass(frozen=True, slots=True)
class Mood:
    """How the market behaves for a while.

    drift     fraction per day
    volatility, spread, depth   multiples of a calm day's
    premium   where swap / spot - 1 settles, fraction; `premium_noise` per bar
    hours     mean stay
    exits     next moods and their weights
    """

    name: str
    drift: float
    volatility: float
    premium: float
    premium_noise: float
    spread: float
    depth: float
    hours: float
    exits: tuple[tuple[str, float], ...]


MOODS = {
    mood.name: mood
    for mood in (
        Mood("calm", 0.001, 0.75, 0.0003, 0.00003, 1.0, 1.0, 96,
             (("rally", 0.45), ("slide", 0.33), ("inverted", 0.14), ("crash", 0.08))),
        Mood("rally", 0.024, 1.15, 0.0010, 0.00006, 1.2, 0.9, 72,
             (("calm", 0.72), ("slide", 0.18), ("crash", 0.10))),
        Mood("slide", -0.020, 1.25, 0.0001, 0.00006, 1.5, 0.8, 60,
             (("calm", 0.55), ("inverted", 0.25), ("rally", 0.20))),
        Mood("inverted", -0.004, 1.10, -0.0009, 0.00006, 1.5, 0.8, 40,
             (("calm", 0.75), ("rally", 0.25))),
        Mood("crash", -0.40, 3.50, -0.0035, 0.00080, 10.0, 0.15, 5,
             (("inverted", 0.50), ("calm", 0.30), ("rally", 0.20))),
    )
}  # fmt: skip


def normal(rng: Random) -> float:
    """A draw close to the standard normal, from sums alone: six uniforms, centred and scaled."""
    u = rng.random
    return (u() + u() + u() + u() + u() + u() - 3.0) * ROOT_2


@dataclass(frozen=True, slots=True)
class _Weather:
    """One bar of the common market."""

    mood: Mood
    move: float  # standard normal, jumps included
    volatility: float


class _Climate:
    """The common factor all coins share, bar by bar."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(f"{seed}:climate")
        self._mood = MOODS["calm"]
        self._swell = 1.0
        self._bars: list[_Weather] = []

    def upto(self, count: int) -> Sequence[_Weather]:
        rng = self._rng
        while len(self._bars) < count:
            if len(self._bars) % MOOD_BARS == 0 and rng.random() < 1 / self._mood.hours:
                names, weights = zip(*self._mood.exits, strict=True)
                self._mood = MOODS[rng.choices(names, weights)[0]]
            swell = self._swell + 0.02 * (1.0 - self._swell) + 0.1 * (rng.random() - 0.5)
            self._swell = min(max(swell, 0.4), 2.5)
            move = normal(rng)
            if rng.random() < JUMP_CHANCE:
                move *= JUMP_SIZE
            self._bars.append(_Weather(self._mood, move, self._mood.volatility * self._swell))
        return self._bars


class _Coin:
    """One coin's path: spot, swap and mark, and the running sum of its premium."""

    def __init__(self, spec: CoinSpec, seed: int, climate: _Climate, begin_ms: int, history: int) -> None:
        self.spec = spec
        self.tracks = (Track(BAR_MS), Track(BAR_MS), Track(BAR_MS))
        self.premium_sum = [0.0]  # of all bars before the index
        self.moods: list[Mood] = []
        self._rng = Random(f"{seed}:{spec.coin}")
        self._climate = climate
        self._begin_ms = begin_ms
        self._price = self._home = spec.price
        self._basis = self._mark_basis = self._level = MOODS["calm"].premium
        self.extend(history)
        self._scale_history()

    def extend(self, count: int) -> None:
        """Generate bars until there are `count`."""
        weather = self._climate.upto(count)
        for i in range(len(self.moods), count):
            self._bar(self._begin_ms + i * BAR_MS, weather[i])

    def _bar(self, ts_ms: int, weather: _Weather) -> None:
        rng, spec, mood = self._rng, self.spec, weather.mood
        sigma = BAR_SIGMA * spec.beta * weather.volatility
        own = normal(rng)
        shock = sigma * (COMMON * weather.move + OWN * own)
        drift = mood.drift * spec.beta / BARS_PER_DAY + HOME_PULL * (self._home / self._price - 1.0)
        move = min(max(shock + drift, -MAX_BAR_MOVE), MAX_BAR_MOVE)
        open_ = self._price
        close = open_ * (1.0 + move)
        up, down = sigma * WICK * abs(normal(rng)), sigma * WICK * abs(normal(rng))
        high, low = max(open_, close) * (1.0 + up), min(open_, close) * (1.0 - down)
        spot = path_points(open_, high, low, close, low_first=close >= open_)
        basis = self._next_basis(mood, own)
        mark_basis = self._mark_basis + 0.25 * (basis - self._mark_basis)  # a moving average of the basis
        swap, marks = _shifted(spot, self._basis, basis), _shifted(spot, self._mark_basis, mark_basis)
        volume = VOLUME_USD_5M * spec.liquidity / open_ * weather.volatility * (0.5 + rng.random())
        spot_track, swap_track, mark_track = self.tracks
        spot_track.append(ts_ms, spot, volume * SPOT_VOLUME_SHARE)
        swap_track.append(ts_ms, swap, volume)
        mark_track.append(ts_ms, marks, 0.0)
        self.premium_sum.append(self.premium_sum[-1] + (self._basis + basis) / 2)
        self.moods.append(mood)
        self._price, self._basis, self._mark_basis = close, basis, mark_basis

    def _next_basis(self, mood: Mood, own: float) -> float:
        """Premium at the bar's end: pulled to a level that wanders around the mood's."""
        rng = self._rng
        pull = LEVEL_PULL * (8 if mood.name in ("crash", "inverted") else 2)
        self._level += pull * (mood.premium - self._level) + LEVEL_NOISE * normal(rng)
        noise = mood.premium_noise * (normal(rng) + 0.5 * own)
        return self._basis + BASIS_PULL * (self._level - self._basis) + noise

    def _scale_history(self) -> None:
        """Make the invented past end at the coin's starting price."""
        factor = self._home / self._price
        for track in self.tracks:
            for column in (track.open, track.high, track.low, track.close):
                for i, price in enumerate(column):
                    column[i] = price * factor
        self._price = self._home


def _shifted(points: Points, begin: float, end: float) -> Points:
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
    """A market source without end. Same seed, coins and start: same market."""

    def __init__(self, seed: int, coins: Sequence[str] = ("BTC", "ETH"), start_ms: int = START_MS) -> None:
        self.start_ms = start_ms
        self.end_ms: int | None = None
        self.gaps: tuple[Gap, ...] = ()
        self.coins = tuple(coin_spec(coin) for coin in coins)
        self._begin_ms = (start_ms - HISTORY_MS) // BAR_MS * BAR_MS
        climate = _Climate(seed)
        history = HISTORY_MS // BAR_MS
        self._coins = {spec.coin: _Coin(spec, seed, climate, self._begin_ms, history) for spec in self.coins}
        self._traded = [track for coin in self._coins.values() for track in coin.tracks[:2]]

    def next_ms(self, after_ms: int, every_turn: bool = False) -> int:
        for spec in self.coins:
            self._paths(spec.coin, after_ms + BAR_MS)  # the path is drawn as far as anybody looks
        return next_turn_ms(after_ms, BAR_MS, self._traded, every_turn)

    def quote(self, coin: str, at_ms: int) -> Quote:
        paths, i = self._paths(coin, at_ms)
        spot, swap, mark = paths.tracks
        mood = paths.moods[i]
        return Quote(spot.at(at_ms, i), swap.at(at_ms, i), mark.at(at_ms, i), mood.spread, mood.depth)

    def reach(self, coin: str, at_ms: int) -> Reach:
        spot, _, mark = self._paths(coin, at_ms)[0].tracks
        return reach_of(mark, spot, at_ms)

    def tracks(self, coin: str) -> tuple[Track, Track, Track]:
        return self._coins[coin].tracks

    def schedule(self, coin: str, after_ms: int, interval_ms: int) -> tuple[int, int]:
        return next_settlements(after_ms, interval_ms)

    def forecast(self, coin: str, at_ms: int, settle_ms: int, interval_ms: int) -> Forecast:
        paths, i = self._paths(coin, at_ms)
        first = max(0, i - interval_ms // BAR_MS)
        sums = paths.premium_sum
        premium = (sums[i] - sums[first]) / (i - first) if i > first else 0.0
        return Forecast(None, Decimal(f"{premium:.8f}"))

    def settlement_mark(self, coin: str, at_ms: int) -> Decimal | None:
        return None  # the path is the only truth here

    def settled(self, coin: str, before_ms: int, count: int) -> list[Settled]:
        last = (before_ms - 1) // DEFAULT_INTERVAL_MS
        found = []
        for n in range(last - count + 1, last + 1):
            at_ms = n * DEFAULT_INTERVAL_MS
            if at_ms - DEFAULT_INTERVAL_MS >= self._begin_ms:
                premium = self.forecast(coin, at_ms, at_ms, DEFAULT_INTERVAL_MS).premium
                cap = Decimal(self._coins[coin].spec.funding_cap)
                rate = funding_rate(premium, DEFAULT_INTERVAL_MS, cap)
                found.append(Settled(at_ms, rate, rate))
        return found

    def _paths(self, coin: str, at_ms: int) -> tuple[_Coin, int]:
        paths = self._coins[coin]
        i = (at_ms - self._begin_ms) // BAR_MS
        if i >= len(paths.moods):
            paths.extend(i + CHUNK_BARS)
        return paths, i
