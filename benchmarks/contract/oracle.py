"""The contract as a plain loop over bars: what the engine's books must come to, in exact decimals."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from benchmarks.contract.market import TICK, Bars
from benchmarks.contract.rules import CASH, LEAST, MOST, is_sunk, size_at
from core.types import ZERO
from exchange.sim.markets.day import round_to

SPOT_FEE, SWAP_FEE = Decimal("0.001"), Decimal("0.0005")


class Result(NamedTuple):
    """What a run came to; money in USDT."""

    fills: int
    margin_exits: int
    funding: Decimal
    fees: Decimal
    equity: Decimal

    @property
    def told(self) -> tuple[int, int, float, float, float]:
        """As the reference tells it: to four decimals."""
        return self.fills, self.margin_exits, *(round(float(one), 4) for one in self[2:])  # type: ignore[return-value]


# By symbols and years: fills, margin exits, funding, fees, equity (README of the reference).
KNOWN: Final = {
    (1, 1): (98, 0, 1568.6014, 723.6906, 20854.2859),
    (2, 1): (212, 0, 2721.8307, 1584.1978, 41141.46),
    (50, 1): (5802, 17, 63500.673, 43499.4687, 1020073.3761),
    (10, 3): (3514, 12, 38083.1799, 26366.809, 211633.8588),
}


def expected(coins: Iterable[Bars]) -> Result:
    """Every coin for itself, with its own cash; the sums."""
    alone = [_one(bars) for bars in coins]
    return Result(*(sum(column, type(column[0])(0)) for column in zip(*alone, strict=True)))


def _one(bars: Bars) -> Result:
    rates = dict(zip(bars.settled_ts, (Decimal(str(rate)) for rate in bars.rate), strict=True))
    fills = sunk = 0
    cash, fees, funding = Decimal(CASH), ZERO, ZERO
    coins = entry = spot = swap = ZERO
    for ts, *prices in zip(bars.ts, bars.spot, bars.swap, bars.mark, strict=True):
        rate = rates.get(ts)
        if not coins and rate is None:
            continue
        spot, swap, mark = (round_to(price, TICK) for price in prices)
        if coins:
            if rate is not None:
                funding += mark * coins * rate
            is_low = is_sunk(entry, mark, coins)
            if is_low or (rate is not None and rate < 0):
                fee = coins * (spot * SPOT_FEE + swap * SWAP_FEE)
                cash += coins * (spot + entry - swap) - fee
                fees, fills, sunk, coins = fees + fee, fills + 2, sunk + is_low, ZERO
        elif rate is not None and LEAST <= rate <= MOST:
            coins, entry = size_at(spot), swap
            fee = coins * (spot * SPOT_FEE + swap * SWAP_FEE)
            cash -= coins * spot + fee
            fees, fills = fees + fee, fills + 2
    spot, swap = round_to(bars.spot[-1], TICK), round_to(bars.swap[-1], TICK)
    return Result(fills, sunk, funding, fees, cash + funding + coins * (spot + entry - swap))
