"""Asking a module at every close of its bars, as the engine would: with what was known then and no more.

The module's own code answers. Most closes cannot bring a proposal, and asking costs 15 to 100 us; a screen
(screens.py) names those at which one is possible, and only they are asked. A module that holds something is
not asked: whatever it said, the position would be in the way (book.py). So a list of proposals does not
depend on what became of any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from core.context import MarketView
from core.types import DAY_MS, Base, Pair, SpotSpec, SwapSpec
from scripts.modules.tape import Coin, Indices
from strategy.auxiliary.language import Look, Module, Needs, Signal

FUNDING_DAYS = 91  # of settlements shown: the longest any module looks back, and one more
LOT = Base(Decimal("0.00000001"))  # sizes are not rounded to a venue's lots

Marks = NDArray[np.bool_]
Screen = Callable[[Coin, Indices], Marks]


@dataclass(frozen=True, slots=True)
class Proposals:
    """What a module said of one coin. `closes_ms`: every close at which it could be asked."""

    signals: tuple[Signal, ...]
    closes_ms: NDArray[np.int64]


def proposals(
    module: Module, coin: Coin, from_ms: int, to_ms: int, screen: Screen | None = None
) -> Proposals:
    """Return every proposal of a module within [from, to) of a coin's tape, in order.

    screen  marks the closes (by index into the bars it is asked on) at which one is possible; None asks all.
    """
    needs = module.needs
    if not needs.bars.keys() <= coin.series.keys():
        return Proposals((), np.empty(0, dtype=np.int64))
    on = coin.series[needs.on or min(needs.bars, key=lambda frame: coin.series[frame].frame_ms)]
    asked = np.flatnonzero((on.closed_ms >= from_ms) & (on.closed_ms < to_ms))
    shown = _shown(needs, coin, on.closed_ms[asked])
    ready = np.ones(len(asked), dtype=np.bool_)
    for frame, (_, count) in shown.items():
        ready &= count >= needs.bars[frame]
    possible = ready if screen is None else ready & screen(coin, asked)
    found = []
    for place in np.flatnonzero(possible):
        now_ms = int(on.closed_ms[asked[place]])
        signal = module.signal(
            _look(needs, coin, now_ms, {f: int(each[0][place]) for f, each in shown.items()})
        )
        if signal is not None and signal.at_ms == now_ms:
            found.append(signal)
    return Proposals(tuple(found), on.closed_ms[asked][ready])


def _shown(needs: Needs, coin: Coin, now_ms: Indices) -> dict[str, tuple[Indices, Indices]]:
    return {frame: coin.series[frame].newest(now_ms) for frame in needs.bars}


def _look(needs: Needs, coin: Coin, now_ms: int, index: Mapping[str, int]) -> Look:
    bars = {frame: coin.series[frame].bars(index[frame], count) for frame, count in needs.bars.items()}
    begin, end = np.searchsorted(coin.settled_ms, (now_ms - FUNDING_DAYS * DAY_MS, now_ms), side="right")
    market = MarketView(_pair(coin.instrument), settled=coin.settled[begin:end])
    return Look(now_ms, coin.instrument, bars, market)


def _pair(name: str) -> Pair:
    """Steps of no venue: no module looks at them, and a Look has a pair."""
    coin, quote = name.split("-")
    tick, many = Decimal("0.00000001"), Decimal(10**12)
    spot = SpotSpec(name, coin, quote, tick, tick, tick, many)
    return Pair(name, spot, SwapSpec(f"{name}-SWAP", Decimal(1), tick, tick, tick, many, Decimal(100)))
