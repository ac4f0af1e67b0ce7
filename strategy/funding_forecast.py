"""What funding is likely to pay: exponentially weighted, mean-reverting, aware of the interval.

Everything is closed form and every term is shown with the decision. All arithmetic is on hourly rates, so
that a swap whose interval steps from 8 to 4 or 1 hours keeps one history.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Final

from config.schema import Forecast as ForecastSettings
from core.types import HOUR_MS, ONE, ZERO, FundingQuote, SettledFunding
from core.verdict import Figures

LONGEST_MS: Final = 8 * HOUR_MS  # no OKX swap settles less often; a longer gap is a hole in the history
MINUTE_MS: Final = 60_000
LN2: Final = Decimal(2).ln()


@dataclass(frozen=True, slots=True)
class History:
    """Settled funding, folded once. Weighted sums forget with the half-life, plain sums never.

    paid, hours, square    sums of w r, w I and w r^2 / I, with r the rate of a settlement, I its interval in
                           hours and w = 2^(-age / half-life), age counted at `last_ms`.
    total_paid, total_hours  the same with w = 1.     hourly  r / I of each settlement, sorted.
    """

    count: int = 0
    last_ms: int = 0
    paid: Decimal = ZERO
    hours: Decimal = ZERO
    square: Decimal = ZERO
    total_paid: Decimal = ZERO
    total_hours: Decimal = ZERO
    hourly: tuple[Decimal, ...] = ()

    def percentile(self, rate: Decimal, interval_ms: int) -> Decimal | None:
        """Return the share of past settlements that paid less per hour than `rate`; None without any."""
        if not self.hourly:
            return None
        return Decimal(bisect_left(self.hourly, rate / _hours(interval_ms))) / len(self.hourly)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Expected funding of a short, as fractions of its notional.

    rate_now_8h   exponentially weighted rate including the current quote, per 8 h.
    mean_8h       plain mean of everything known, per 8 h: what the rate returns to.
    std_8h        weighted standard deviation around rate_now, per 8 h; shown, never acted on.
    expected_sum  all settlements within the horizon together, undiscounted.
    settlements   how many those are.    history  settled rates it rests on.
    """

    rate_now_8h: Decimal
    mean_8h: Decimal
    std_8h: Decimal
    expected_sum: Decimal
    settlements: int
    history: int

    @property
    def terms(self) -> Figures:
        return (
            ("rate_now_8h", self.rate_now_8h),
            ("mean_8h", self.mean_8h),
            ("std_8h", self.std_8h),
            ("expected_sum_ratio", self.expected_sum),
            ("settlements_ahead", self.settlements),
            ("settlements_known", self.history),
        )


def digest(settled: Sequence[SettledFunding], half_life_hours: Decimal) -> History:
    """Fold settled rates (oldest first) into the sums a forecast needs.

    The interval of a settlement is the time since the one before, at most 8 h; the first takes the next
    one's. Settlements less than a minute apart are the same one told twice.
    """
    paid = hours = square = total_paid = total_hours = ZERO
    hourly: list[Decimal] = []
    last_ms = 0
    for index, item in enumerate(settled):
        gap_ms = item.ts_ms - last_ms if index else _first_gap(settled)
        interval = _hours(min(gap_ms, LONGEST_MS))
        if interval <= 0:
            continue
        weight = _halved(gap_ms, half_life_hours)
        paid = paid * weight + item.rate
        hours = hours * weight + interval
        square = square * weight + item.rate * item.rate / interval
        total_paid += item.rate
        total_hours += interval
        hourly.append(item.rate / interval)
        last_ms = item.ts_ms
    return History(len(hourly), last_ms, paid, hours, square, total_paid, total_hours, tuple(sorted(hourly)))


class RollingHistory:
    """What `digest` makes of the last `keep` settlements, one settlement after the other.

    Long series would be folded over and over otherwise. Percentiles are not kept: `hourly` stays empty.
    """

    def __init__(self, half_life_hours: Decimal, keep: int) -> None:
        self._half_life, self._keep = half_life_hours, keep
        self._known: deque[tuple[int, Decimal, Decimal]] = deque()  # ts_ms, rate, interval in hours
        self._sums = History()

    @property
    def history(self) -> History:
        return self._sums

    def add(self, item: SettledFunding) -> None:
        """Take in the next settlement; one less than a minute after the last is the same told twice."""
        gap_ms = item.ts_ms - self._sums.last_ms if self._known else LONGEST_MS
        interval = _hours(min(gap_ms, LONGEST_MS))
        if interval <= 0:
            return
        weight = _halved(gap_ms, self._half_life) if self._known else ZERO
        old = self._sums
        self._sums = replace(
            old,
            last_ms=item.ts_ms,
            paid=old.paid * weight,
            hours=old.hours * weight,
            square=old.square * weight,
        )
        self._count((item.ts_ms, item.rate, interval), 1)
        if len(self._known) == 2 or len(self._known) > self._keep:
            self._begin_anew()

    def _begin_anew(self) -> None:
        """Forget what is too old. The first settlement's interval is the next one's, as in `digest`."""
        while len(self._known) > self._keep:
            self._count(self._known[0], -1)
        if len(self._known) > 1:
            (ts_ms, rate, _), (next_ms, _, _) = self._known[0], self._known[1]
            self._count(self._known[0], -1)
            self._count((ts_ms, rate, _hours(min(next_ms - ts_ms, LONGEST_MS))), 1, first=True)

    def _count(self, one: tuple[int, Decimal, Decimal], times: int, first: bool = False) -> None:
        ts_ms, rate, interval = one
        old, weight = self._sums, times * _halved(self._sums.last_ms - ts_ms, self._half_life)
        if times < 0:
            self._known.popleft()
        elif first:
            self._known.appendleft(one)
        else:
            self._known.append(one)
        self._sums = History(
            count=old.count + times,
            last_ms=old.last_ms,
            paid=old.paid + weight * rate,
            hours=old.hours + weight * interval,
            square=old.square + weight * rate * rate / interval,
            total_paid=old.total_paid + times * rate,
            total_hours=old.total_hours + times * interval,
        )


def forecast(quote: FundingQuote, history: History, settings: ForecastSettings, now_ms: int) -> Forecast:
    """Return the forecast over `horizon_hours` from now.

    The quote's own rate is what the next settlement pays, and the newest observation. With m the weighted
    hourly mean then, u the long hourly mean, I the interval in hours and q = 2^(-I / reversion half-life),
    settlement number k after the next is expected to pay I (u + (m - u) q^k). Over n settlements:

        sum = r + I ((n - 1) u + (m - u) q (1 - q^(n-1)) / (1 - q))

    which rises with every single observed rate, because all its weights are positive. Worked: r = m I =
    u I = 0.0001 per 8 h and 720 h give 90 settlements and 0.009.

    Raises ValueError for a quote without a positive interval.
    """
    if quote.interval_ms <= 0:
        raise ValueError(f"{quote.inst_id}: funding interval {quote.interval_ms} ms")
    interval = _hours(quote.interval_ms)
    weight = _halved(max(0, quote.funding_time_ms - history.last_ms), settings.half_life_hours)
    hours = history.hours * weight + interval
    now_hourly = (history.paid * weight + quote.rate) / hours
    square = (history.square * weight + quote.rate * quote.rate / interval) / hours
    mean_hourly = (history.total_paid + quote.rate) / (history.total_hours + interval)

    wait_ms = Decimal(max(0, quote.funding_time_ms - now_ms))
    left_ms = settings.horizon_hours * HOUR_MS - wait_ms
    ahead = int(left_ms // quote.interval_ms) + 1 if left_ms >= 0 else 0
    expected = ZERO
    if ahead:
        q = _halved(quote.interval_ms, settings.reversion_half_life_hours)
        reverting = q * (1 - q ** (ahead - 1)) / (1 - q)
        later = (ahead - 1) * mean_hourly + (now_hourly - mean_hourly) * reverting
        expected = quote.rate + interval * later
    return Forecast(
        rate_now_8h=now_hourly * 8,
        mean_8h=mean_hourly * 8,
        std_8h=max(ZERO, square - now_hourly * now_hourly).sqrt() * 8,
        expected_sum=expected,
        settlements=ahead,
        history=history.count,
    )


def _first_gap(settled: Sequence[SettledFunding]) -> int:
    return settled[1].ts_ms - settled[0].ts_ms if len(settled) > 1 else LONGEST_MS


def _hours(interval_ms: int) -> Decimal:
    """Hours of an interval, to the minute: settlement times carry a few milliseconds of jitter."""
    return Decimal((interval_ms + MINUTE_MS // 2) // MINUTE_MS) / 60


@lru_cache(maxsize=4096)
def _halved(span_ms: int, half_life_hours: Decimal) -> Decimal:
    """2^(-span / half-life); cached, because histories repeat the same few intervals."""
    return (-LN2 * span_ms / (half_life_hours * HOUR_MS)).exp() if span_ms else ONE
