"""One file of a tape: its name, its columns, and everything that can be wrong with them.

    <venue>_<spot|perp|mark>_<time frame>_<symbol>[_<period>]   ts,symbol,open,high,low,close[,volume]
    <venue>_funding_<symbol>[_<period>]                         ts,symbol,rate[,mark_px]
    <venue>_open_interest_<time frame>_<symbol>[_<period>]      ts,symbol,oi_contracts,oi_ccy

with .csv.gz or .parquet after it. `ts` is UTC milliseconds, the open of a bar or the instant of a settlement;
`symbol` the name's, with or without its period. Nothing is repaired: what is wrong is refused with file,
line, value and what is allowed.
"""

from __future__ import annotations

import math
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import NoReturn, TypeVar

from core.errors import UsageError
from exchange.tape_store import SUFFIXES, read_lines

T = TypeVar("T")
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
FRAMES_MS = {
    "1m": MINUTE_MS, "3m": 3 * MINUTE_MS, "5m": 5 * MINUTE_MS, "15m": 15 * MINUTE_MS, "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS, "2h": 2 * HOUR_MS, "4h": 4 * HOUR_MS, "8h": 8 * HOUR_MS,
}  # fmt: skip
MARK_HEADER = ("ts", "symbol", "open", "high", "low", "close")
CANDLE_HEADER = (*MARK_HEADER, "volume")
FUNDING_HEADER = ("ts", "symbol", "rate")
INTEREST_HEADER = ("ts", "symbol", "oi_contracts", "oi_ccy")
FUNDING = "funding"
INTEREST = "open_interest"
CANDLES = ("spot", "perp", "mark")
HEADERS = {
    "spot": (CANDLE_HEADER,),
    "perp": (CANDLE_HEADER,),
    "mark": (MARK_HEADER,),
    FUNDING: (FUNDING_HEADER, (*FUNDING_HEADER, "mark_px")),
    INTEREST: (INTEREST_HEADER,),
}
FIRST_MS, LAST_MS = 1_230_768_000_000, 4_102_444_800_000  # 2009 to 2100 leaves out seconds and microseconds
MAX_RATE = Decimal("0.1")
SECOND_MS = 1_000
NAMES = "<venue>_<spot|perp|mark>_<1m..8h>_<symbol>.csv.gz and <venue>_funding_<symbol>.csv.gz"
_NAME = re.compile(
    r"(?P<venue>[a-z0-9]+)_(?:(?P<kind>spot|perp|mark|open_interest)_(?P<frame>\d+[mhd])|funding)_"
    r"(?P<symbol>[A-Z0-9-]+)(?P<period>_\w+)?(?:" + "|".join(map(re.escape, SUFFIXES)) + ")"
)


def _stamps() -> array[int]:
    return array("q")


def _prices() -> array[float]:
    return array("d")


@dataclass(slots=True)
class Candles:
    """Bars of one market, oldest first, as columns. `hour_open`: opens at full hours in the file's digits."""

    bar_ms: int
    ts: array[int] = field(default_factory=_stamps)
    open: array[float] = field(default_factory=_prices)
    high: array[float] = field(default_factory=_prices)
    low: array[float] = field(default_factory=_prices)
    close: array[float] = field(default_factory=_prices)
    volume: array[float] = field(default_factory=_prices)
    hour_open: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Settlements:
    """Funding as it was charged, oldest first. `rate` a fraction of notional; `mark` None where unknown."""

    ts: list[int] = field(default_factory=list)
    rate: list[Decimal] = field(default_factory=list)
    mark: list[Decimal | None] = field(default_factory=list)


@dataclass(slots=True)
class TapeFile:
    """A file whose name says what it holds. `bar_ms` is 0 for funding, `period_name` "" or like _2026."""

    path: Path
    venue: str
    kind: str
    bar_ms: int
    symbol: str
    period_name: str = ""
    _header: str = ""
    _rows: list[str] = field(default_factory=list)
    _stamps: list[int] = field(default_factory=list)

    @property
    def coin(self) -> str:
        """BTCUSDT, BTC-USDT and BTC-USDT-SWAP are all BTC; "" when not quoted in USDT."""
        match = re.fullmatch(r"([A-Z0-9]+?)-?USDT(-SWAP)?", self.symbol)
        return match[1] if match else ""

    def times(self) -> list[int]:
        """The stamps alone, checked."""
        if not self._stamps:
            cells = [line.partition(",")[0] for line in self.lines()]
            self._stamps = self._times(cells, self.bar_ms or SECOND_MS)
        return self._stamps

    def covered_ms(self, from_ms: int, to_ms: int) -> int:
        """How much of a period the bars that open in it cover; a file that is taken is checked then."""
        lines = self.lines()
        first, end = self._place(from_ms), self._place(to_ms)
        beyond_ms = max(0, self._stamp(lines[end - 1]) + self.bar_ms - to_ms) if end > first else 0
        return (end - first) * self.bar_ms - beyond_ms

    def period(self) -> tuple[int, int]:
        """When the first bar opens and the last one ends."""
        lines = self.lines()
        return self._stamp(lines[0]), self._stamp(lines[-1]) + self.bar_ms

    def _place(self, at_ms: int) -> int:
        """How many bars open before an instant."""
        return bisect_left(self.lines(), at_ms, key=self._stamp)

    def _stamp(self, line: str) -> int:
        try:
            return int(line.partition(",")[0])
        except ValueError:
            self.times()  # says which line it is
            raise

    def candles(self) -> Candles:
        """Read and check the whole file. Raises UsageError."""
        columns, ts = self._columns(), self.times()
        open_, high, low, close = (
            self._floats(name, cells, "a price above 0", lambda price: price > 0)
            for name, cells in zip(MARK_HEADER[2:], columns[2:6], strict=True)
        )
        tops, floors = list(map(max, open_, close)), list(map(min, open_, close))
        for n, (h, top, lo, floor) in enumerate(zip(high, tops, low, floors, strict=True)):
            if h < top:
                self._refuse(n, "high", columns[3][n], f"at least open and close, {top}")
            if lo > floor:
                self._refuse(n, "low", columns[4][n], f"at most open and close, {floor}")
        volume = [0.0] * len(ts)
        if self.kind != "mark":
            volume = self._floats("volume", columns[6], "coins, 0 or more", lambda value: value >= 0)
        hour_open = {at: cell for at, cell in zip(ts, columns[2], strict=True) if at % HOUR_MS == 0}
        return Candles(
            self.bar_ms, array("q", ts), array("d", open_), array("d", high), array("d", low),
            array("d", close), array("d", volume), hour_open,
        )  # fmt: skip

    def settlements(self) -> Settlements:
        """Read and check a funding file; stamps some milliseconds off are put on their second."""
        columns, ts = self._columns(), self.times()
        allowed = f"a fraction of notional between -{MAX_RATE} and {MAX_RATE}"
        rate = self._numbers("rate", columns[2], _decimal, allowed)
        self._each("rate", columns[2], rate, lambda value: abs(value) <= MAX_RATE, allowed)
        mark: list[Decimal | None] = [None] * len(ts)
        if len(columns) > 3:
            allowed = "a price above 0, or empty"
            cells = columns[3]
            mark = self._numbers("mark_px", cells, lambda cell: _decimal(cell) if cell else None, allowed)
            self._each("mark_px", cells, mark, lambda value: value is None or value > 0, allowed)
        return Settlements(ts, rate, mark)

    def interest(self) -> dict[int, tuple[str, str]]:
        """Read and check a file of open interest: (contracts, coins) by instant, in the file's digits."""
        columns, ts = self._columns(), self.times()
        for name, cells in zip(INTEREST_HEADER[2:], columns[2:], strict=True):
            self._floats(name, cells, "0 or more", lambda value: value >= 0)
        return dict(zip(ts, zip(*columns[2:], strict=True), strict=True))

    # --- reading ---------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """Everything after the header, which is checked. Read once. Raises UsageError."""
        if not self._rows:
            self._header, *rows = read_lines(self.path) or [""]
            if tuple(self._header.split(",")) not in HEADERS[self.kind]:
                wanted = " or ".join(",".join(names) for names in HEADERS[self.kind])
                raise UsageError(f"{self.path.name}, line 1: header is {self._header!r}, allowed: {wanted}")
            if not rows:
                raise UsageError(f"{self.path.name}, line 2: no rows, allowed: at least one row of data")
            self._rows = rows
        return self._rows

    def header(self) -> str:
        """The first line, checked."""
        self.lines()
        return self._header

    def _columns(self) -> list[list[str]]:
        """The cells by column; every row as wide as a header, every symbol the one the file is named for."""
        lines = self.lines()
        widths = {len(header) for header in HEADERS[self.kind]} & {lines[0].count(",") + 1}
        width = widths.pop() if widths else len(HEADERS[self.kind][0])
        if set(map(_commas, lines)) != {width - 1}:
            n = next(n for n, line in enumerate(lines) if line.count(",") != width - 1)
            self._refuse(n, "row", lines[n], f"{width} cells")
        cells = ",".join(lines).split(",")  # one flat list: rows as lists would keep the collector busy
        columns = [cells[n::width] for n in range(width)]
        names = {self.symbol, self.symbol + self.period_name}
        if not set(columns[1]) <= names:
            n = next(n for n, symbol in enumerate(columns[1]) if symbol not in names)
            self._refuse(n, "symbol", columns[1][n], f"{self.symbol}, as the file is named")
        return columns

    def _times(self, cells: Sequence[str], step_ms: int) -> list[int]:
        """Ascending stamps on a grid: bars exactly, settlements rounded to it."""
        allowed = f"UTC milliseconds between {FIRST_MS} and {LAST_MS}"
        ts = self._numbers("ts", cells, int, allowed)
        if not FIRST_MS <= min(ts) <= max(ts) < LAST_MS:
            self._each("ts", cells, ts, lambda at: FIRST_MS <= at < LAST_MS, allowed)
        if self.kind == FUNDING:
            ts = [round(at / step_ms) * step_ms for at in ts]
        elif any(at % step_ms for at in ts):
            self._each("ts", cells, ts, lambda at: at % step_ms == 0, f"a multiple of the bar, {step_ms} ms")
        for n, (before, after) in enumerate(pairwise(ts), 1):
            if after <= before:
                what = "a repetition" if after == before else "out of order"
                self._refuse(n, "ts", cells[n], f"later than the line above, {before} ({what})")
        return ts

    def _floats(
        self, name: str, cells: Sequence[str], allowed: str, holds: Callable[[float], bool]
    ) -> list[float]:
        """A column of finite numbers whose smallest one satisfies `holds`."""
        values = self._numbers(name, cells, float, allowed)
        if not (holds(min(values)) and math.isfinite(sum(values))):
            self._each(name, cells, values, lambda value: holds(value) and math.isfinite(value), allowed)
        return values

    def _numbers(self, name: str, cells: Sequence[str], of: Callable[[str], T], allowed: str) -> list[T]:
        try:
            return list(map(of, cells))
        except (ValueError, InvalidOperation):
            n = next(n for n, cell in enumerate(cells) if not _converts(of, cell))
            self._refuse(n, name, cells[n], allowed)

    def _each(
        self, name: str, cells: Sequence[str], values: Sequence[T], holds: Callable[[T], bool], allowed: str
    ) -> None:
        """Refuse the first value for which `holds` is not true."""
        n = next((n for n, value in enumerate(values) if not holds(value)), None)
        if n is not None:
            self._refuse(n, name, cells[n], allowed)

    def _refuse(self, row: int, column: str, value: str, allowed: str) -> NoReturn:
        raise UsageError(f"{self.path.name}, line {row + 2}: {column} is {value!r}, allowed: {allowed}")


def tape_file(path: Path) -> TapeFile | None:
    """Return what a file name promises; None for other files. Raises UsageError for a strange frame."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None
    kind, frame = match["kind"] or FUNDING, match["frame"]
    if frame is not None and frame not in FRAMES_MS:
        raise UsageError(f"{path.name}: time frame is {frame!r}, allowed: {', '.join(FRAMES_MS)}")
    bar_ms = FRAMES_MS[frame] if frame else 0
    return TapeFile(path, match["venue"], kind, bar_ms, match["symbol"], match["period"] or "")


def _decimal(cell: str) -> Decimal:
    value = Decimal(cell)
    if not value.is_finite():
        raise ValueError(f"{cell} is not finite")
    return value


def _commas(line: str) -> int:
    return line.count(",")


def _converts(of: Callable[[str], T], cell: str) -> bool:
    try:
        of(cell)
    except (ValueError, InvalidOperation):
        return False
    return True
