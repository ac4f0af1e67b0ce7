"""The indicators once more, by their published formulas and in fractions: nothing here knows TA-Lib.

None stands for what is not known yet. Slow, exact and as near to the words of the formula as it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise

F = Fraction
Row = list[F | None]

HALF = F(50)


@dataclass(frozen=True)
class Prices:
    high: tuple[F, ...]
    low: tuple[F, ...]
    close: tuple[F, ...]
    volume: tuple[F, ...]

    @property
    def typical(self) -> list[F]:
        return [(h + low + c) / 3 for h, low, c in zip(self.high, self.low, self.close, strict=True)]

    @property
    def ranges(self) -> list[F]:
        """True ranges; the first bar has none, so this is one shorter."""
        rows = zip(self.high[1:], self.low[1:], self.close[:-1], strict=True)
        return [max(h - low, abs(h - before), abs(low - before)) for h, low, before in rows]


def mean(x: Sequence[F]) -> F:
    return sum(x, F(0)) / len(x)


def rolling(x: Sequence[F], n: int) -> list[Sequence[F]]:
    return [x[end - n : end] for end in range(n, len(x) + 1)]


def after(unknown: int, known: Sequence[F], length: int) -> Row:
    """The column: `unknown` times None, then what is known; as long as the bars."""
    return [*[None] * min(unknown, length), *known]


def sma(x: Sequence[F], n: int) -> Row:
    return after(n - 1, [mean(window) for window in rolling(x, n)], len(x))


def ema_known(x: Sequence[F], n: int, begins: F | None = None) -> list[F]:
    """From the bar on where the first mean is; `begins` where that first value is another one."""
    if len(x) < n:
        return []
    known = [mean(x[:n]) if begins is None else begins]
    for value in x[n:]:
        known.append(known[-1] + (value - known[-1]) * F(2, n + 1))
    return known


def ema(x: Sequence[F], n: int) -> Row:
    return after(n - 1, ema_known(x, n), len(x))


def wilder_known(x: Sequence[F], n: int) -> list[F]:
    if len(x) < n:
        return []
    known = [mean(x[:n])]
    for value in x[n:]:
        known.append((known[-1] * (n - 1) + value) / n)
    return known


def rsi_known(close: Sequence[F], n: int) -> list[F]:
    changes = [b - a for a, b in pairwise(close)]
    gains = wilder_known([max(c, F(0)) for c in changes], n)
    losses = wilder_known([max(-c, F(0)) for c in changes], n)
    return [100 * g / (g + lo) if g + lo else HALF for g, lo in zip(gains, losses, strict=True)]


def rsi(close: Sequence[F], n: int) -> Row:
    return after(n, rsi_known(close, n), len(close))


def macd(close: Sequence[F], fast: int, slow: int, signal: int) -> tuple[Row, Row, Row]:
    if len(close) < slow + signal - 1:
        return ([None] * len(close),) * 3
    late = ema_known(close[slow - fast :], fast)  # begun so late that both begin at one bar
    dif = [a - b for a, b in zip(late, ema_known(close, slow), strict=True)]
    dea = ema_known(dif, signal)
    dif = dif[signal - 1 :]
    unknown = slow + signal - 2
    hist = [a - b for a, b in zip(dif, dea, strict=True)]
    return tuple(after(unknown, known, len(close)) for known in (dif, dea, hist))  # type: ignore[return-value]


def stoch_rsi(close: Sequence[F], rsi_n: int, stoch_n: int, k: int, d: int) -> tuple[Row, Row]:
    raw = []
    for window in rolling(rsi_known(close, rsi_n), stoch_n):
        span = max(window) - min(window)
        raw.append(100 * (window[-1] - min(window)) / span if span else HALF)
    smooth = [mean(window) for window in rolling(raw, k)]
    unknown = rsi_n + stoch_n + k - 2
    twice = [mean(window) for window in rolling(smooth, d)]
    return after(unknown, smooth, len(close)), after(unknown + d - 1, twice, len(close))


def ultimate(p: Prices, short: int, middle: int, long: int) -> Row:
    rows = zip(p.low[1:], p.close[1:], p.close[:-1], strict=True)
    pressure = [close - min(low, before) for low, close, before in rows]
    ranges, known = p.ranges, []
    for end in range(long, len(pressure) + 1):
        total = F(0)
        for n, weight in ((short, 4), (middle, 2), (long, 1)):
            span = sum(ranges[end - n : end], F(0))
            total += weight * (sum(pressure[end - n : end], F(0)) / span if span else F(1, 2))
        known.append(100 * total / 7)
    return after(long, known, len(p.close))


def cci(p: Prices, n: int) -> Row:
    known = []
    for window in rolling(p.typical, n):
        middle = mean(window)
        deviation = mean([abs(value - middle) for value in window])
        known.append((window[-1] - middle) / (F("0.015") * deviation) if deviation else F(0))
    return after(n - 1, known, len(p.close))


def williams(p: Prices, n: int) -> Row:
    known = []
    for highs, lows, closes in zip(*(rolling(x, n) for x in (p.high, p.low, p.close)), strict=True):
        span = max(highs) - min(lows)
        known.append(-100 * (max(highs) - closes[-1]) / span if span else -HALF)
    return after(n - 1, known, len(p.close))


def adx(p: Prices, n: int) -> Row:
    rises = [b - a for a, b in pairwise(p.high)]
    falls = [a - b for a, b in pairwise(p.low)]
    plus = [up if up > down and up > 0 else F(0) for up, down in zip(rises, falls, strict=True)]
    minus = [down if down > up and down > 0 else F(0) for up, down in zip(rises, falls, strict=True)]
    if len(p.close) < 2 * n:
        return [None] * len(p.close)
    sums = [sum(x[: n - 1], F(0)) for x in (plus, minus, p.ranges)]
    strengths: list[F | None] = []
    for one in zip(plus[n - 1 :], minus[n - 1 :], p.ranges[n - 1 :], strict=True):
        sums = [total - total / n + new for total, new in zip(sums, one, strict=True)]
        up, down, span = sums
        strengths.append(100 * abs(up - down) / (up + down) if span and up + down else None)
    index = sum((s or F(0) for s in strengths[:n]), F(0)) / n
    known = [index]
    for strength in strengths[n:]:
        index = index if strength is None else (index * (n - 1) + strength) / n
        known.append(index)
    return after(2 * n - 1, known, len(p.close))


def supertrend(p: Prices, n: int, times: F) -> tuple[Row, Row]:
    reach = wilder_known(p.ranges, n)
    line: list[F] = []
    way: list[F] = []
    upper = lower = F(0)
    up = True
    for at, swing in enumerate(reach, n):
        middle = (p.high[at] + p.low[at]) / 2
        above, below = middle + times * swing, middle - times * swing
        if at == n:
            upper, lower = above, below
        else:
            upper = above if above < upper or p.close[at - 1] > upper else upper
            lower = below if below > lower or p.close[at - 1] < lower else lower
            up = p.close[at] >= lower if up else p.close[at] > upper
        line.append(lower if up else upper)
        way.append(F(1 if up else -1))
    return after(n, line, len(p.close)), after(n, way, len(p.close))


def psar(p: Prices, step: F, most: F) -> Row:
    if len(p.high) < 2:
        return [None] * len(p.high)
    rise, fall = p.high[1] - p.high[0], p.low[0] - p.low[1]
    up = not (fall > rise and fall > 0)
    stop, extreme = (p.low[0], p.high[1]) if up else (p.high[0], p.low[1])
    factor, known = step, []
    for at in range(1, len(p.high)):
        high, low = p.high[at], p.low[at]
        # The first bar is held within its own range only: the one before it gave the stop.
        highs, lows = p.high[max(1, at - 1) : at + 1], p.low[max(1, at - 1) : at + 1]
        if (low <= stop) if up else (high >= stop):
            up, factor = not up, step
            stop = min(extreme, *lows, extreme) if up else max(extreme, *highs, extreme)
            known.append(stop)
            extreme = high if up else low
        else:
            known.append(stop)
            if (high > extreme) if up else (low < extreme):
                extreme, factor = high if up else low, min(factor + step, most)
        stop += factor * (extreme - stop)
        stop = min(stop, *lows, stop) if up else max(stop, *highs, stop)
    return after(1, known, len(p.high))


def ichimoku(p: Prices, tenkan_n: int, kijun_n: int, senkou_n: int) -> tuple[Row, Row, Row, Row]:
    def middle(n: int) -> Row:
        rows = zip(rolling(p.high, n), rolling(p.low, n), strict=True)
        return after(n - 1, [(max(highs) + min(lows)) / 2 for highs, lows in rows], len(p.high))

    tenkan, kijun, wide = middle(tenkan_n), middle(kijun_n), middle(senkou_n)
    halves: Row = [
        None if a is None or b is None else (a + b) / 2 for a, b in zip(tenkan, kijun, strict=True)
    ]
    ahead = [([None] * kijun_n + span)[: len(p.high)] for span in (halves, wide)]
    return tenkan, kijun, ahead[0], ahead[1]


def atr(p: Prices, n: int) -> Row:
    return after(n, wilder_known(p.ranges, n), len(p.close))


def deviation(window: Sequence[F]) -> F:
    middle = mean(window)
    variance = mean([(value - middle) ** 2 for value in window])
    with localcontext() as context:
        context.prec = 40
        return F((Decimal(variance.numerator) / variance.denominator).sqrt())


def around(middle: Row, reach: Row, times: F) -> tuple[Row, Row, Row]:
    rows = list(zip(middle, reach, strict=True))
    return (
        [None if m is None or r is None else m + times * r for m, r in rows],
        [None if m is None or r is None else m for m, r in rows],
        [None if m is None or r is None else m - times * r for m, r in rows],
    )


def bollinger(close: Sequence[F], n: int, times: F) -> tuple[Row, Row, Row]:
    swings = after(n - 1, [deviation(window) for window in rolling(close, n)], len(close))
    return around(sma(close, n), swings, times)


def keltner(p: Prices, n: int, times: F, atr_n: int) -> tuple[Row, Row, Row]:
    unknown, length = max(n - 1, atr_n), len(p.close)
    if length <= unknown:
        return ([None] * length,) * 3
    # Both averages are begun so late that their first values fall on the first bar that has both.
    middle = ema_known(p.typical[unknown - n + 1 :], n)
    reach = wilder_known(p.ranges[unknown - atr_n :], atr_n)
    return around(after(unknown, middle, length), after(unknown, reach, length), times)


def atr_channel(p: Prices, n: int, times: F) -> tuple[Row, Row, Row]:
    return around(sma(p.close, n), atr(p, n), times)


def obv(p: Prices) -> Row:
    total, known = F(0), []
    for at, volume in enumerate(p.volume):
        step = p.close[at] - p.close[at - 1] if at else F(1)
        total += volume * ((step > 0) - (step < 0))
        known.append(total)
    return after(0, known, len(p.close))


def cmf(p: Prices, n: int) -> Row:
    flows = [
        (2 * c - h - low) / (h - low) * v if h > low else F(0)
        for h, low, c, v in zip(p.high, p.low, p.close, p.volume, strict=True)
    ]
    rows = zip(rolling(flows, n), rolling(p.volume, n), strict=True)
    known = [sum(f, F(0)) / sum(v, F(0)) if any(v) else F(0) for f, v in rows]
    return after(n - 1, known, len(p.close))


def mfi(p: Prices, n: int) -> Row:
    pairs = list(zip(p.typical[:-1], p.typical[1:], p.volume[1:], strict=True))
    rising = [b * v if b > a else F(0) for a, b, v in pairs]
    falling = [b * v if b < a else F(0) for a, b, v in pairs]
    known = []
    for up, down in zip(rolling(rising, n), rolling(falling, n), strict=True):
        flow = sum(up, F(0)) + sum(down, F(0))
        known.append(100 * sum(up, F(0)) / flow if flow else HALF)
    return after(n, known, len(p.close))


def relative_volume(volume: Sequence[F], n: int) -> Row:
    known = [window[-1] / mean(window) if any(window) else F(0) for window in rolling(volume, n)]
    return after(n - 1, known, len(volume))
