"""The market a venue or a backtest stands on: a recorded tape, or one that is made up."""

from __future__ import annotations

import sys
from pathlib import Path

from core.errors import UsageError
from exchange.sim.markets.generated import START_MS, GeneratedMarket
from exchange.sim.markets.regimes import CALM, REGIMES
from exchange.sim.markets.source import MarketSource
from exchange.sim.markets.tape import TapeMarket
from exchange.tape import read_tape


def market_of(
    tape: Path | None,
    seed: int,
    names: tuple[str, ...],
    from_ms: int | None,
    to_ms: int | None,
    regime: str | None = None,
    hold: bool = True,
) -> MarketSource:
    """The market of `names` (BTC-USDT, ...): replayed from a tape folder, else generated from the seed.

    `regime` is the mood a generated market starts in, and with `hold` stays in. Raises UsageError for a
    broken tape, for an unknown regime or one on a tape, or for an end without a tape.
    """
    coins = tuple(name.split("-")[0] for name in names)
    if tape is not None:
        if regime is not None:
            raise UsageError("--regime: allowed without --tape only, a tape is what it is")
        read = read_tape(tape, coins, from_ms, to_ms)
        for note in read.notes:
            print(note, file=sys.stderr)
        return TapeMarket(read)
    if to_ms is not None:
        raise UsageError("--to: allowed with --tape only, a generated market never ends")
    if regime is not None and regime not in REGIMES:
        raise UsageError(f"--regime is {regime}, allowed: {', '.join(REGIMES)}")
    start_ms = START_MS if from_ms is None else from_ms
    return GeneratedMarket(seed, coins, start_ms, regime or CALM, hold and regime is not None)
