"""How well the generated market resembles a tape: the same figures of both, side by side."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.errors import UsageError
from exchange.sim.markets.measure import (
    Fit,
    books_of_generated,
    books_of_tape,
    compare,
    of_generated,
    of_tape,
)
from exchange.tape import longest_stretch

DAY_MS = 86_400_000
FRAME = "5m"  # of the generated market's bars
SEEDS = 3  # figures of one month of one seed are luck


@dataclass(frozen=True, slots=True)
class Calibration:
    coin: str
    days: int
    fits: tuple[Fit, ...]
    notes: tuple[str, ...]

    @property
    def data(self) -> dict[str, Any]:
        rows = [asdict(fit) | {"error": fit.error} for fit in self.fits]
        return {"coin": self.coin, "days": self.days, "figures": rows, "notes": list(self.notes)}

    @property
    def text(self) -> str:
        head = f"{'figure':<18} {'tape':>16} {'generated':>16} {'error':>9}"
        rows = [
            f"{fit.name:<18} {fit.recorded:>16,.3f} {fit.generated:>16,.3f} {fit.error:>+9.0%}"
            for fit in self.fits
        ]
        return "\n".join([f"{self.coin}, {self.days} days", head, *rows, *self.notes])


def calibrate(tape: Path, coin: str, days: int | None, seed: int) -> Calibration:
    """Measure `days` of the tape (default: its longest stretch of 5-minute bars) and as many generated ones.

    The generated figures are means over seeds from `seed` on. Raises UsageError for a folder that is no tape.
    """
    begin_ms, end_ms = longest_stretch(tape, coin, FRAME)
    wanted = (end_ms - begin_ms) // DAY_MS if days is None else days
    to_ms = min(end_ms, begin_ms + wanted * DAY_MS)
    measured = (to_ms - begin_ms) // DAY_MS
    if measured < 1:
        raise UsageError(f"{tape.name}: the longest stretch of {coin} is under a day, allowed: a day or more")
    seeds = range(seed, seed + SEEDS)
    fits = compare(of_tape(tape, coin, begin_ms, to_ms), of_generated(coin, seeds, measured))
    notes = [
        f"bars of {measured} days from {begin_ms}, all settlements of the file, seeds {seed} to {seeds[-1]}"
    ]
    books = books_of_tape(tape, coin)
    if books is None:
        notes.append(f"no order-book feed of {coin} in {tape.name}: depth is not compared")
    else:
        fits += compare(books, books_of_generated(coin, seed, measured))
    return Calibration(coin, measured, tuple(fits), tuple(notes))
