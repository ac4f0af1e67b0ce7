"""A recorded market in columns: between what bounds everything lies from one instant to the next.

Time is cut wherever anything may turn: at the bars of all markets, at settlements, around gaps of the data.
Within such a stretch no price leaves the bar it is in, and the quoted funding rate moves in a straight line.
So each figure the engine decides by has a lowest and a highest value per stretch, and where the worst of them
changes nothing, nothing happens. Bounds are floats a little wider than the truth: prices by one tick.

Needs numpy, which the engine does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.schema import Settings
from core.types import HOUR_MS, SettledFunding
from exchange.market_data import KEEP_SETTLED
from exchange.sim.markets.calibration import SPOT_DEPTH, SWAP_DEPTH, DepthProfile
from exchange.sim.markets.depth import LEAST
from exchange.sim.markets.funding import DAMP, DEFAULT_INTERVAL_MS, INTEREST
from exchange.sim.markets.instruments import CoinSpec
from exchange.sim.markets.rates import SETTLED_KEPT
from exchange.sim.markets.tape import FIRST_RATE, LAST_WORD_MS, USUAL_INTERVAL_MS, TapeMarket
from exchange.sim.markets.timeline import Track
from strategy.forecast_range import Floats, Ints, Quotes, expected_range, sums_of

Bools = NDArray[np.bool_]

GAP_LEAD_MS: Final = 3 * HOUR_MS  # a gap is announced two hours ahead, and hedges leave before it
GAP_EDGE_MS: Final = HOUR_MS // 4  # for the engine to see that the venue has closed
GAP_REST_MS: Final = HOUR_MS  # after it: what held during it is over, prices have been seen
RATE_ROOM: Final = 2e-8  # rates are rounded to eight digits
CANDLE_MS: Final = 180_000
CALM_JUMP: Final = 0.9  # of the jump that is doubted


@dataclass(frozen=True, slots=True)
class Prices:
    """Lowest and highest of one price in each stretch, USDT."""

    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Ground:
    """One coin in columns.

    spot, mark      what is held is valued at.      carry  spot less mark, USDT.
    rate_low, rate_high          quoted funding per 8 h.
    expected_low, expected_high  its forecast over the horizon, bps.
    known, below    settlements known; how many of the last of them in a row were below zero.
    swing           the largest move of spot within three minutes, of the last hour, a fraction.
    uneasy          something may be noticed that passes: a price jump, thin books, a wide basis.
    paid_ms, paid   when funding is charged, and what a short coin receives of it, USDT.
    charged_at      the mark prices it is charged on.
    """

    spot: Prices
    mark: Prices
    carry: Prices
    rate_low: Floats
    rate_high: Floats
    expected_low: Floats
    expected_high: Floats
    known: Ints
    below: Ints
    swing: Floats
    uneasy: Bools
    paid_ms: Ints
    paid: Floats
    charged_at: Floats
    spot_track: Track
    mark_track: Track
    ticks: float  # of spot and swap together

    def spot_at(self, at_ms: Ints) -> Floats:
        """The spot price of each instant."""
        return _at(self.spot_track, at_ms)

    def mark_at(self, at_ms: Ints) -> Floats:
        """The mark price of each instant: of a settlement's, the one that is charged on."""
        marks = _at(self.mark_track, at_ms)
        if len(self.paid_ms):
            place = np.minimum(np.searchsorted(self.paid_ms, at_ms), len(self.paid_ms) - 1)
            marks = np.where(self.paid_ms[place] == at_ms, self.charged_at[place], marks)
        return marks


class Terrain:
    """All coins of a tape over the same stretches.

    begin_ms, end_ms  of each stretch.
    unknown  nothing can be said of it: the edge of a gap, a recorded book, the end of the data.
    uneasy   something may be noticed of any coin.
    closed   inside a gap, and away from its edges: nobody trades.
    """

    def __init__(self, market: TapeMarket, settings: Settings) -> None:
        self._market, self._settings = market, settings
        self.end_of_data_ms = market.end_ms or 0
        cuts = self._cuts()
        self.begin_ms, self.end_ms = cuts[:-1], cuts[1:]
        self.unknown: Bools = np.zeros(len(self.begin_ms), dtype=np.bool_)
        self.closed: Bools = np.zeros(len(self.begin_ms), dtype=np.bool_)
        for gap in market.gaps:
            near = (self.end_ms > gap.begin_ms - GAP_LEAD_MS) & (self.begin_ms < gap.end_ms + GAP_REST_MS)
            inside = (self.begin_ms >= gap.begin_ms + GAP_EDGE_MS) & (self.end_ms <= gap.end_ms - GAP_EDGE_MS)
            self.unknown |= near & ~inside
            self.closed |= inside
        self.grounds = {f"{spec.coin}-USDT": self._ground(spec) for spec in market.coins}
        self.uneasy: Bools = np.logical_or.reduce([ground.uneasy for ground in self.grounds.values()])

    def place(self, at_ms: int) -> int:
        """The stretch an instant lies in."""
        return int(np.searchsorted(self.begin_ms, at_ms, side="right")) - 1

    def is_closed(self, at_ms: int) -> bool:
        """Whether nobody trades at that instant."""
        return bool(self.closed[self.place(at_ms)])

    def _cuts(self) -> Ints:
        """Every instant at which something may turn, from two hours before the start to the end."""
        market = self._market
        cuts = [np.array([market.start_ms - 2 * HOUR_MS, market.start_ms, self.end_of_data_ms])]
        for spec in market.coins:
            for track in market.tracks(spec.coin):
                ts = np.array(track.ts, dtype=np.int64)
                parts = 12 if track.bar_ms >= HOUR_MS else 1  # finer bounds, and its corners
                cuts += [ts + n * track.bar_ms // parts for n in range(parts + 1)]
            cuts.append(np.array(market.charges(spec.coin).times, dtype=np.int64))
        for gap in market.gaps:
            # Twice the edge: the first stretch inside has an unknown one before it, and may be long.
            inside = (gap.begin_ms + GAP_EDGE_MS, gap.begin_ms + 2 * GAP_EDGE_MS)
            edges = (gap.begin_ms - GAP_LEAD_MS, gap.begin_ms, *inside)
            ends = (gap.end_ms - GAP_EDGE_MS, gap.end_ms, gap.end_ms + GAP_REST_MS)
            cuts.append(np.array((*edges, *ends), dtype=np.int64))
        begin_ms, end_ms = market.start_ms - 2 * HOUR_MS, self.end_of_data_ms
        found = np.sort(np.concatenate([one[(one >= begin_ms) & (one <= end_ms)] for one in cuts]))
        return found[np.concatenate(([True], found[1:] > found[:-1]))]

    def _ground(self, spec: CoinSpec) -> Ground:
        market = self._market
        spot, swap, mark = market.tracks(spec.coin)
        tick, spot_tick = float(spec.tick), float(spec.spot_tick or spec.tick)
        spots, swaps, marks = (self._path(track) for track in (spot, swap, mark))
        ticks = tick + spot_tick
        carry = _apart(spots, marks, ticks)
        basis = _apart(swaps, spots, ticks)
        quotes, below = self._quotes(spec, spot, swap)
        charges = market.charges(spec.coin)
        settled = [SettledFunding(*one) for one in zip(charges.times, charges.rates, strict=True)]
        keep, first = min(SETTLED_KEPT, KEEP_SETTLED), int(quotes.known[0])
        forecast = self._settings.strategy.forecast
        sums = sums_of(settled, forecast, keep, first)
        low, high = expected_range(sums, quotes, self.begin_ms, self.end_ms, forecast)
        eight = 8 * HOUR_MS / quotes.interval_ms
        paid = [
            (at_ms, float(charges.marks[at_ms]), float(rate))
            for at_ms, rate in zip(charges.times[first:], charges.rates[first:], strict=True)
            if at_ms in charges.marks
        ]
        for feed in (market.feed(spec.coin, False), market.feed(spec.coin, True)):
            if feed is not None:
                self.unknown |= (self.end_ms > feed.times[0] - HOUR_MS) & (
                    self.begin_ms < feed.times[-1] + HOUR_MS
                )
        self.unknown |= quotes.known >= len(charges.times)  # nothing is known of what is charged next
        return Ground(
            spot=_prices(spots, spot_tick),
            mark=_prices(marks, tick),
            carry=carry,
            rate_low=quotes.low * eight,
            rate_high=quotes.high * eight,
            expected_low=low,
            expected_high=high,
            known=sums.count[quotes.known],
            below=below[quotes.known],
            swing=self._swing(spots, spot_tick),
            uneasy=self._uneasy(spec, (spots, swaps, marks), basis, swap),
            paid_ms=np.array([at_ms for at_ms, _, _ in paid], dtype=np.int64),
            paid=np.array([mark_px * rate for _, mark_px, rate in paid]),
            charged_at=np.array([mark_px for _, mark_px, _ in paid]),
            spot_track=spot,
            mark_track=mark,
            ticks=ticks,
        )

    def _path(self, track: Track) -> _Path:
        """A market's path in each stretch: where it begins, turns and ends; its last close where it has no
        bar."""
        ts = np.array(track.ts, dtype=np.int64)
        at = np.maximum(np.searchsorted(ts, self.begin_ms, side="right") - 1, 0)
        open_, high, low, close = (
            np.array(column)[at] for column in (track.open, track.high, track.low, track.close)
        )
        low_first = np.array(track.low_first, dtype=np.bool_)[at]
        still = self.begin_ms >= ts[at] + track.bar_ms
        turns = [open_, np.where(low_first, low, high), np.where(low_first, high, low), close]
        turns = [np.where(still, close, turn) for turn in turns]
        quarter = track.bar_ms // 4
        legs = np.array([*turns, turns[3]])
        corners = []
        for turn_ms in (self.begin_ms, *(ts[at] + n * quarter for n in (1, 2, 3)), self.end_ms):
            phase = np.clip((np.clip(turn_ms, self.begin_ms, self.end_ms) - ts[at]) / quarter, 0.0, 3.0)
            leg = phase.astype(np.int64)[None]
            before, after = (np.take_along_axis(legs, leg + n, axis=0)[0] for n in (0, 1))
            corners.append(before + (after - before) * (phase - leg[0]))
        bar = np.where(still, -1, ts[at])
        return _Path(bar, track.bar_ms, np.array(turns), np.array(corners))

    def _quotes(self, spec: CoinSpec, spot: Track, swap: Track) -> tuple[Quotes, Ints]:
        """The range of the quoted rate in each stretch, as exchange/sim/markets/tape.py makes it; and for
        each count of settlements known how many of the last were below zero."""
        charges = self._market.charges(spec.coin)
        times = np.array(charges.times, dtype=np.int64)
        rates = np.array([float(rate) for rate in charges.rates])
        listed = np.array(charges.listed, dtype=np.int64)
        known = np.searchsorted(times, self.begin_ms, side="right")
        coming = np.minimum(known, max(0, len(times) - 1))
        due = times[coming]
        after = np.searchsorted(listed, due, side="right")
        later = listed[np.minimum(after, len(listed) - 1)]
        interval = np.where(
            after < len(listed), np.minimum(later - due, USUAL_INTERVAL_MS), USUAL_INTERVAL_MS
        )
        is_first = known == 0
        last = np.maximum(known - 1, 0)
        before = np.where(is_first, float(FIRST_RATE), rates[last])
        begin = np.where(is_first, due - interval, np.maximum(times[last], due - USUAL_INTERVAL_MS))
        swap_ts, spot_ts = np.array(swap.ts, dtype=np.int64), np.array(spot.ts, dtype=np.int64)
        beside = np.maximum(np.searchsorted(spot_ts, swap_ts, side="right") - 1, 0)
        premiums = np.array(swap.close) / np.array(spot.close)[beside] - 1
        summed = np.concatenate(([0.0], np.cumsum(premiums)))
        to = np.searchsorted(swap_ts, self.begin_ms - swap.bar_ms, side="right")
        frm = np.minimum(np.searchsorted(swap_ts, begin, side="left"), to)
        premium = (summed[to] - summed[frm]) / np.maximum(to - frm, 1)
        width = np.maximum(due - begin, 1)
        interest, damp, cap = float(INTEREST), float(DAMP), float(spec.funding_cap)
        damped = premium + np.clip(interest - premium, -damp, damp)
        told = np.clip(damped * width / DEFAULT_INTERVAL_MS, -cap, cap)
        ends = [
            before + (told - before) * np.clip((at_ms - begin) / width, 0, 1)
            for at_ms in (self.begin_ms, self.end_ms)
        ]
        final = np.where(self.end_ms > due - LAST_WORD_MS, rates[coming], ends[1])
        low, high = np.minimum.reduce([*ends, final]), np.maximum.reduce([*ends, final])
        quotes = Quotes(known, due, np.maximum(interval, 1), low - RATE_ROOM, high + RATE_ROOM)
        below = np.zeros(len(rates) + 1, dtype=np.int64)
        for n, rate in enumerate(rates):
            below[n + 1] = below[n] + 1 if rate < 0 else 0
        return quotes, below

    def _swing(self, path: _Path, tick: float) -> Floats:
        """No candle of three minutes in the last hour has moved by more. A move crosses two bars at most, or
        all of them are inside of one leg of a long bar."""
        low, high = path.turns.min(axis=0), path.turns.max(axis=0)
        legs = abs(np.diff(path.turns, axis=0)).max(axis=0)
        within = np.minimum(high - low, legs * CANDLE_MS / (path.bar_ms // 4))
        jump = abs(path.corners[0] - _before(path.corners[4]))
        move = (within + _before(within) + jump + 2 * tick) / np.minimum(low, _before(low))
        most: Floats = move.copy()
        back = 1
        while back < len(move):
            near = self.end_ms[:-back] >= self.begin_ms[back:] - HOUR_MS - 2 * CANDLE_MS
            if not near.any():
                break
            most[back:] = np.where(near, np.maximum(most[back:], move[:-back]), most[back:])
            back += 1
        return most

    def _uneasy(self, spec: CoinSpec, paths: tuple[_Path, _Path, _Path], basis: Prices, swap: Track) -> Bools:
        """Where a price may jump between two looks, a book be thin, or swap and spot stand far apart."""
        risk = self._settings.risk
        found: Bools = np.zeros(len(self.begin_ms), dtype=np.bool_)
        jump = float(risk.degradation.max_jump_ratio) * CALM_JUMP
        for path in paths:
            low, high = path.corners.min(axis=0), path.corners.max(axis=0)
            low, high = np.minimum(low, _before(low)), np.maximum(high, _before(high))
            found |= high / low - 1 > jump
        spots, swaps, _ = paths
        cheapest = np.minimum(spots.corners.min(axis=0), swaps.corners.min(axis=0))
        widest = np.maximum(abs(basis.low), abs(basis.high)) / cheapest * 1e4
        found |= widest > float(self._settings.strategy.opening.max_basis_bps) * CALM_JUMP
        ts = np.array(swap.ts, dtype=np.int64)
        at = np.searchsorted(ts, self.begin_ms, side="right") - 1
        last = np.maximum(at - 1, 0)
        width = (np.array(swap.high)[last] - np.array(swap.low)[last]) / np.array(swap.open)[last]
        stress = np.where(at > 0, np.maximum(1.0, width / self._market.calm_range(spec.coin) / 2), 1.0)
        ticks = max(float(spec.tick), float(spec.spot_tick or spec.tick))
        spread_bps = (np.round(np.minimum(stress, 10.0)) + 1) * ticks / cheapest * 1e4
        liquidity = risk.liquidity
        found |= spread_bps > float(liquidity.max_spread_bps)
        band = float(liquidity.depth_band_bps) / 2
        thinnest = min(_within(SPOT_DEPTH, band), _within(SWAP_DEPTH, band)) * spec.liquidity * LEAST
        found |= thinnest / np.minimum(stress, 8.0) < float(liquidity.min_depth_usdt)
        found[1:] |= found[:-1].copy()
        return found


@dataclass(frozen=True, slots=True)
class _Path:
    """One market in each stretch.

    ts       of the bar it lies in; -1 where there is none, and the price stands still.
    turns    that bar's open, its extremes in the order they are met, and its close.
    corners  the price at the stretch's begin, at the turns that lie in it, and at its end.
    """

    ts: Ints
    bar_ms: int
    turns: Floats
    corners: Floats


def _at(track: Track, at_ms: Ints) -> Floats:
    """`Track.at` for many instants."""
    ts = np.array(track.ts, dtype=np.int64)
    at = np.maximum(np.searchsorted(ts, at_ms, side="right") - 1, 0)
    open_, high, low, close = (
        np.array(column)[at] for column in (track.open, track.high, track.low, track.close)
    )
    low_first = np.array(track.low_first, dtype=np.bool_)[at]
    corners = (open_, np.where(low_first, low, high), np.where(low_first, high, low), close, close)
    phase = np.minimum((at_ms - ts[at]) * 4 / track.bar_ms, 3.0)
    leg = phase.astype(np.int64)
    before, after = np.choose(leg, corners[:4]), np.choose(leg, corners[1:])
    found: Floats = before + (after - before) * (phase - leg)
    return found


def _prices(path: _Path, tick: float) -> Prices:
    return Prices(path.corners.min(axis=0) - tick, path.corners.max(axis=0) + tick)


def _apart(a: _Path, b: _Path, ticks: float) -> Prices:
    """How far one path is above the other. Both turn at the same instants where their bars are the same or
    one of them stands still, and then the extremes are at the corners; else the ranges tell."""
    same = ((a.ts == b.ts) & (a.bar_ms == b.bar_ms)) | (a.ts < 0) | (b.ts < 0)  # low first in both, or none
    gaps = a.corners - b.corners
    low = np.where(same, gaps.min(axis=0), a.corners.min(axis=0) - b.corners.max(axis=0))
    high = np.where(same, gaps.max(axis=0), a.corners.max(axis=0) - b.corners.min(axis=0))
    return Prices(low - ticks, high + ticks)


def _within(profile: DepthProfile, bps: float) -> float:
    return sum(usdt for offset, usdt in profile if offset <= bps)


def _before(column: Floats) -> Floats:
    """Each value's predecessor; the first is its own."""
    found: Floats = np.concatenate((column[:1], column[:-1]))
    return found
