"""Small tapes with everything a leap could trip over: shocks, wicks, holes, and funding that flickers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.exchange.tapes import CANDLES, FUNDING, HOUR_MS, MARKS, START_MS, write

PRICES = {"BTC": 40_000.0, "ETH": 2_500.0}


@dataclass(frozen=True, slots=True)
class Oddity:
    """What a tape is like. Rates are per interval, moves fractions of the price.

    sigma     of a bar's return.          shock   a few bars move by as much, up or down.
    drift     of the price over the tape. basis   how far the swap strays from spot; `break_` how far at a
    break_    shock of the basis.         wick    of the mark, beyond the swap's own bar; 0: no mark file.
    rate      around which funding moves. swing   how far, from one settlement to the next.
    interval_h  of funding; after half of the tape it may be another.
    hole      bars left out in the middle.
    """

    hours: int = 36
    bar_ms: int = HOUR_MS
    coins: tuple[str, ...] = ("BTC",)
    sigma: float = 0.002
    shock: float = 0.0
    drift: float = 0.0
    basis: float = 0.0002
    break_: float = 0.0
    wick: float = 0.0
    rate: float = 0.0003
    swing: float = 0.0002
    interval_h: tuple[int, int] = (8, 8)
    hole: int = 0


def odd_tape(folder: Path, seed: int, oddity: Oddity) -> Path:
    """Write one; the same seed writes the same."""
    for coin in oddity.coins:
        _coin(folder, Random(f"{seed} {coin}"), oddity, coin)
    return folder


def _coin(folder: Path, random: Random, oddity: Oddity, coin: str) -> None:
    symbol, frame = f"{coin}USDT", {HOUR_MS: "1h", 300_000: "5m", 900_000: "15m"}[oddity.bar_ms]
    bars = oddity.hours * HOUR_MS // oddity.bar_ms
    shocks = {random.randrange(bars) for _ in range(3)} if oddity.shock else set()
    breaks = {random.randrange(bars) for _ in range(3)} if oddity.break_ else set()
    price, apart = PRICES[coin], oddity.basis
    hole = range(bars // 2, bars // 2 + oddity.hole)
    spot_rows, swap_rows, mark_rows = [], [], []
    for n in range(bars):
        ts, open_ = START_MS + n * oddity.bar_ms, price
        move = random.gauss(oddity.drift / bars, oddity.sigma)
        if n in shocks:
            move += random.choice((-1, 1)) * oddity.shock
        price = open_ * math.exp(move)
        spot = _bar(random, open_, price, oddity.sigma)
        before = apart
        apart = 0.7 * apart + 0.3 * oddity.basis + random.gauss(0, oddity.basis / 3)
        if n in breaks:
            apart += random.choice((-1, 1)) * oddity.break_
        swap = _bar(random, open_ * (1 + before), price * (1 + apart), oddity.sigma)
        wick = oddity.wick * random.random() ** 4
        mark = (swap[0], swap[1] * (1 + wick), swap[2] * (1 - wick), swap[3])
        if n in hole:
            continue
        volume = random.choice((2.0, 200.0, 20_000.0))
        spot_rows.append(_row(ts, symbol, spot, volume))
        swap_rows.append(_row(ts, symbol, swap, volume))
        mark_rows.append(_row(ts, symbol, mark))
    write(folder, f"binance_spot_{frame}_{symbol}.csv.gz", CANDLES, spot_rows)
    write(folder, f"binance_perp_{frame}_{symbol}.csv.gz", CANDLES, swap_rows)
    if oddity.wick:
        write(folder, f"binance_mark_{frame}_{symbol}.csv.gz", MARKS, mark_rows)
    write(folder, f"binance_funding_{symbol}.csv.gz", FUNDING, list(_settlements(random, oddity, symbol)))


def _bar(random: Random, open_: float, close: float, sigma: float) -> tuple[float, float, float, float]:
    high = max(open_, close) * (1 + abs(random.gauss(0, sigma / 2)))
    low = min(open_, close) * (1 - abs(random.gauss(0, sigma / 2)))
    return open_, high, low, close


def _row(ts: int, symbol: str, bar: tuple[float, ...], *more: float) -> str:
    return ",".join((str(ts), symbol, *(f"{value:.4f}" for value in (*bar, *more))))


def _settlements(random: Random, oddity: Oddity, symbol: str) -> list[str]:
    """A fortnight of settlements before the first bar, so that there is something to forecast from."""
    rows, at_h, rate = [], -14 * 24, oddity.rate
    while at_h <= oddity.hours:
        jitter_ms = random.choice((0, 0, 3, 11))
        rows.append(f"{START_MS + at_h * HOUR_MS + jitter_ms},{symbol},{rate:.8f}")
        rate = oddity.rate + random.gauss(0, oddity.swing)
        at_h += oddity.interval_h[0] if at_h < oddity.hours // 2 else oddity.interval_h[1]
    return rows
