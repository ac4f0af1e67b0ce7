"""What can be said of one file of a tape: what it covers, what is missing, and what cannot be.

The reader a backtest uses has the first word: a file it takes is only looked at for gaps and jumps, in one
it refuses every line that is wrong is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import isfinite
from typing import Final, NamedTuple

from core.errors import UsageError
from exchange.tape import FRAME_NAMES
from exchange.tape_files import CANDLES, FIRST_MS, FUNDING, LAST_MS, MAX_RATE, Candles, TapeFile
from exchange.tape_gaps import Gap, irregular_intervals, missing_bars

WIDTHS: Final = {"spot": (7,), "perp": (7,), "mark": (6,), FUNDING: (3, 4), "open_interest": (4,)}


class Place(NamedTuple):
    """A line of a file (the header is line 1), its instant if it has one, and what is wrong there."""

    line: int
    ts_ms: int | None
    what: str


@dataclass(slots=True)
class Review:
    """One file. `refusal` is why a backtest cannot use it, None when it can; `irregular` are intervals of
    funding in which a settlement may be missing; `jumps` are bars that reach further from the close
    before them than the bound."""

    file: str
    venue: str = ""
    kind: str = ""
    coin: str = ""
    bar: str = ""
    rows: int = 0
    from_ms: int | None = None
    to_ms: int | None = None
    gaps: list[Gap] = field(default_factory=list)
    irregular: list[Gap] = field(default_factory=list)
    duplicates: list[Place] = field(default_factory=list)
    disorder: list[Place] = field(default_factory=list)
    impossible: list[Place] = field(default_factory=list)
    jumps: list[Place] = field(default_factory=list)
    mark_off: list[Place] = field(default_factory=list)
    refusal: str | None = None


def review(file: TapeFile, max_jump: float) -> tuple[Review, Candles | None]:
    """Read one file; its bars come with it when they can be used."""
    bar = FRAME_NAMES.get(file.bar_ms, "")
    found = Review(file.path.name, file.venue, file.kind, file.coin, bar)
    candles: Candles | None = None
    try:
        if file.kind in CANDLES:
            candles = file.candles()
        elif file.kind == FUNDING:
            file.settlements()
        else:
            file.interest()
        times: Sequence[int] = file.times()
        found.rows = len(times)
    except UsageError as error:
        found.refusal = str(error)
        times = _look_closer(file, found)
    if times:
        found.from_ms, found.to_ms = times[0], times[-1] + file.bar_ms
        if file.kind == FUNDING:
            found.irregular = [Gap(*pair) for pair in irregular_intervals(times)]
        else:
            found.gaps = missing_bars(times, file.bar_ms, times[0], times[-1] + file.bar_ms)
    if candles is not None:
        found.jumps = list(_jumps(candles, max_jump))
    return found, candles


def compare_mark(marks: Candles, perps: Sequence[Candles], bound: float) -> Iterator[Place]:
    """Bars whose mark closes further from the contract's close than the bound, a fraction."""
    closes = {at: close for each in perps for at, close in zip(each.ts, each.close, strict=True)}
    for n, (at_ms, mark) in enumerate(zip(marks.ts, marks.close, strict=True)):
        close = closes.get(at_ms)
        if close is not None and abs(mark / close - 1) > bound:
            yield Place(n + 2, at_ms, f"mark {mark:g}, perp {close:g}: {mark / close - 1:+.2%}")


def _jumps(candles: Candles, bound: float) -> Iterator[Place]:
    for n, ((a, b), close, high, low) in enumerate(
        zip(pairwise(candles.ts), candles.close, candles.high[1:], candles.low[1:], strict=False)
    ):
        if b - a == candles.bar_ms and (high > close * (1 + bound) or low < close * (1 - bound)):
            reach = high / close - 1 if high > close * (1 + bound) else low / close - 1
            yield Place(n + 3, b, f"{reach:+.1%} from the close before it, {close:g}")


# --- a file that is refused -------------------------------------------------------------------------


def _look_closer(file: TapeFile, found: Review) -> list[int]:
    """Name every line that is wrong; return the instants there are, ascending."""
    try:
        lines = file.lines()
    except UsageError:  # not even a header: the refusal says it
        return []
    found.rows = len(lines)
    seen: set[int] = set()
    newest_ms = 0
    for number, line in enumerate(lines, 2):
        cells = line.split(",")
        ts_ms = int(cells[0]) if cells[0].isdigit() and FIRST_MS <= int(cells[0]) < LAST_MS else None
        found.impossible += [Place(number, ts_ms, what) for what in _faults(file, cells, ts_ms)]
        if ts_ms is None:
            continue
        if ts_ms in seen:
            found.duplicates.append(Place(number, ts_ms, "a repetition"))
        elif ts_ms < newest_ms:
            found.disorder.append(Place(number, ts_ms, "earlier than a line above"))
        seen.add(ts_ms)
        newest_ms = max(newest_ms, ts_ms)
    return sorted(seen)


def _faults(file: TapeFile, cells: list[str], ts_ms: int | None) -> Iterator[str]:
    if len(cells) not in WIDTHS[file.kind]:
        yield f"{len(cells)} cells"
        return
    if ts_ms is None:
        yield f"ts {cells[0]!r} is no time in UTC milliseconds"
    elif file.bar_ms and ts_ms % file.bar_ms:
        yield "no multiple of the bar"
    if cells[1] not in (file.symbol, file.symbol + file.period_name):
        yield f"symbol {cells[1]!r}"
    numbers = [_number(cell) for cell in cells[2:]]
    if file.kind == FUNDING:
        yield from _funding_faults(cells, numbers)
    elif None in numbers:
        yield f"{cells[2 + numbers.index(None)]!r} is no number"
    elif file.kind in CANDLES:
        yield from _bar_faults([number for number in numbers if number is not None])
    elif min(number for number in numbers if number is not None) < 0:
        yield "negative open interest"


def _funding_faults(cells: list[str], numbers: list[float | None]) -> Iterator[str]:
    rate = numbers[0]
    if rate is None or abs(rate) > MAX_RATE:
        yield f"rate {cells[2]!r} is no fraction between -{MAX_RATE} and {MAX_RATE}"
    if len(numbers) > 1 and cells[3] and (numbers[1] is None or numbers[1] <= 0):
        yield f"mark_px {cells[3]!r}"


def _bar_faults(numbers: list[float]) -> Iterator[str]:
    open_, high, low, close, *volume = numbers
    if min(open_, high, low, close) <= 0:
        yield "a price of 0 or less"
    if high < low:
        yield f"high {high:g} is below low {low:g}"
    elif not (low <= open_ <= high and low <= close <= high):
        yield f"open {open_:g} or close {close:g} is outside {low:g} to {high:g}"
    if volume and volume[0] < 0:
        yield f"negative volume {volume[0]:g}"


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if isfinite(value) else None
