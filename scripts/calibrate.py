"""How well the generated market resembles a tape: the same figures of both, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.errors import UsageError
from exchange.sim.markets.fit import Fit, fit_of, fit_within
from exchange.sim.markets.measure import FRAME, BarFigures, FundingFigures, of_generated, of_tape
from exchange.sim.markets.measure_books import BookLooks, books_of_generated, books_of_tape

SEEDS = 20  # figures of one month of one seed are luck
HEAD = (
    f"{'figure':<18} {'fitted to':>11} {'tape':>11} {'10 %':>11} {'90 %':>11} {'generated':>11} "
    f"{'error':>7} {'inside':>6}  verdict"
)
BOOK_SHARE = 0.25
BOOKS_NOTE = (
    "books: one feed of minutes and an invented calm market of one seed, looked at once an hour; no holdout, "
    f"and no days to vary between: {BOOK_SHARE:.0%} is stated as the tolerance"
)


@dataclass(frozen=True, slots=True)
class Calibration:
    coin: str
    days: int
    seeds: tuple[int, int]  # first and last
    fits: tuple[Fit, ...]
    notes: tuple[str, ...]

    @property
    def count(self) -> str:
        judged = [fit for fit in self.fits if fit.judged]
        off = [fit.name for fit in judged if not fit.fits]
        line = f"{len(judged) - len(off)} of {len(judged)} figures fit"
        return f"{line}, off: {', '.join(off)}" if off else line

    @property
    def data(self) -> dict[str, Any]:
        rows = [asdict(fit) | {"error": fit.error, "verdict": _verdict(fit)} for fit in self.fits]
        return {
            "coin": self.coin, "days": self.days, "seeds": list(self.seeds), "figures": rows,
            "count": self.count, "notes": list(self.notes),
        }  # fmt: skip

    @property
    def text(self) -> str:
        title = f"{self.coin}, windows of {self.days} days"
        return "\n".join([title, HEAD, *(_row(fit) for fit in self.fits), self.count, *self.notes])


def calibrate(tape: Path, coin: str, days: int, seed: int) -> Calibration:
    """Measure all windows of `days` of a tape, and as long a time of SEEDS generated markets from `seed` on.

    Raises UsageError for a folder that is no tape, or one without a single window.
    """
    seeds = range(seed, seed + SEEDS)
    recorded = of_tape(tape, coin, days)
    if not recorded.bars or not recorded.funding:
        raise UsageError(
            f"{tape.name}: {coin} has no {days} days without a hole in its {FRAME} bars and settlements, "
            "allowed: fewer --days, or more data"
        )
    bars, funding = zip(*(of_generated(coin, one, days) for one in seeds), strict=True)
    fits = [*_compare(recorded.bars, bars), *_compare(recorded.funding, funding)]
    notes = [
        _span("bars", recorded.bars_from_ms),
        _span("funding", recorded.funding_from_ms),
        f"generated: seeds {seeds[0]} to {seeds[-1]}, {days} days each after a run-in of as many",
    ]
    books = books_of_tape(tape, coin)
    if books is None:
        notes.append(f"no order-book feed of {coin} in {tape.name}: depth is not compared")
    else:
        fits += _compare_books(books, books_of_generated(coin, seed, days))
        notes.append(BOOKS_NOTE)
    return Calibration(coin, days, (seeds[0], seeds[-1]), tuple(fits), tuple(notes))


def _compare(
    recorded: Sequence[BarFigures] | Sequence[FundingFigures],
    generated: Sequence[BarFigures] | Sequence[FundingFigures],
) -> list[Fit]:
    return [
        fit_of(name, [getattr(one, name) for one in recorded], [getattr(one, name) for one in generated])
        for name in (each.name for each in fields(recorded[0]))
    ]


def _compare_books(recorded: dict[str, BookLooks], generated: dict[str, BookLooks]) -> list[Fit]:
    fits = []
    for kind, books in recorded.items():
        depths = [[look.depth_usdt for look in each.looks] for each in (books, generated[kind])]
        ticks = [each.spread_ticks for each in (books, generated[kind])]
        for name, (one, other) in (("spread_ticks", ticks), ("depth_usdt", depths)):
            fits.append(fit_within(f"{kind}_{name}", one, other, BOOK_SHARE))
    return fits


def _span(what: str, from_ms: Sequence[int]) -> str:
    first, last = (datetime.fromtimestamp(at_ms / 1000, UTC).date() for at_ms in (from_ms[0], from_ms[-1]))
    return (
        f"{what}: {len(from_ms)} windows of the tape, the first from {first}, the last from {last}; "
        f"{len(from_ms[::2])} even ones to fit to, {len(from_ms[1::2])} odd ones reported"
    )


def _verdict(fit: Fit) -> str:
    if not fit.judged:
        return "too few windows"
    return "fits" if fit.fits else "off"


def _row(fit: Fit) -> str:
    figures = (fit.fitted, fit.recorded, fit.least, fit.most, fit.generated)
    error = "" if fit.error is None else f"{fit.error:+.0%}"
    shown = " ".join(f"{one:>11,.0f}" if abs(one) >= 100_000 else f"{one:>11,.3f}" for one in figures)
    return f"{fit.name:<18} {shown} {error:>7} {fit.inside:>6.0%}  {_verdict(fit)}"
