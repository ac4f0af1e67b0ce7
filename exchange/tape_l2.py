"""One order-book feed of a tape: a snapshot, then every changed level and every trade, in order.

    <venue>_<spot|perp>_l2_<symbol>[_<day>].csv.gz
    ts,ts_local_us,symbol,ev,side,px,qty,id_first,id_last,id_prev

ev      snapshot and depth, a row per level (side b or a, qty absolute, 0 removes it); trade (side b or s of
        the taker, id_first its id)
ids     of the venue's updates. What the snapshot holds already is left out, and the rest has to follow
        without a break: a first id one after the last one, or an id_prev that is the last one

Prices and sizes are whole numbers of a hundred-millionth, so nothing is lost. Rows come in the order of
receipt; an event that is stamped earlier than the one before it is taken to happen with that one.
"""

from __future__ import annotations

import gzip
import re
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import gcd
from pathlib import Path
from typing import Final, NoReturn

from core.errors import UsageError

HOUR_MS: Final = 3_600_000
UNIT: Final = 100_000_000  # of prices and sizes
HEADER: Final = "ts,ts_local_us,symbol,ev,side,px,qty,id_first,id_last,id_prev"
SNAPSHOT, DEPTH, TRADE = 0, 1, 2
_KINDS: Final = {"snapshot": SNAPSHOT, "depth": DEPTH, "trade": TRADE}
_NAME = re.compile(
    r"(?P<venue>[a-z0-9]+)_(?P<market>spot|perp)_l2_(?P<coin>[A-Z0-9]+?)-?USDT(-SWAP)?(_(?P<day>20\d{6})|_\w+)?\.csv\.gz"
)


@dataclass(frozen=True, slots=True)
class DepthFeed:
    """Events as columns, and their rows: event i has rows[i] up to, not including, rows[i + 1].

    times    UTC ms, never falling
    ids      the venue's last update id, or a trade's id
    buys     per row: a bid, or a taker that bought
    tick     the greatest price step all prices are multiples of
    skipped  rows left out because the snapshot holds them already
    """

    name: str
    times: array[int]
    kinds: bytearray
    ids: array[int]
    rows: array[int]
    buys: bytearray
    prices: array[int]
    sizes: array[int]
    tick: int
    skipped: int


def feed_paths(folder: Path, coin: str, venue: str, start_ms: int, end_ms: int) -> dict[str, list[Path]]:
    """The feed files of a coin at a venue that have something of [start, end), by market (spot, perp).

    A file named for its day is opened only when that day, give or take an hour, touches the period.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        match = _NAME.fullmatch(path.name)
        if match is None or (match["coin"], match["venue"]) != (coin, venue):
            continue
        first_ms, last_ms = _day(match["day"]) if match["day"] else _period(path)
        if first_ms < end_ms and last_ms > start_ms:
            if match["day"]:
                first_ms, last_ms = _period(path)
            if first_ms < end_ms and last_ms > start_ms:
                found.setdefault(match["market"], []).append(path)
    return found


def _day(text: str) -> tuple[int, int]:
    begin_ms = int(datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).timestamp()) * 1_000
    return begin_ms - HOUR_MS, begin_ms + 25 * HOUR_MS


def _period(path: Path) -> tuple[int, int]:
    lines = _lines(path)
    return int(lines[0].partition(",")[0]), int(lines[-1].partition(",")[0])


def read_feed(path: Path) -> DepthFeed:
    """Read and check a whole feed. Raises UsageError with file, line, value and what is allowed."""
    return _Reader(path).feed()


def _lines(path: Path) -> list[str]:
    try:
        header, *rows = gzip.decompress(path.read_bytes()).decode("utf-8").splitlines() or [""]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path.name}: not readable ({error}), allowed: a whole gzip file of text"
        ) from error
    if header != HEADER:
        raise UsageError(f"{path.name}, line 1: header is {header!r}, allowed: {HEADER}")
    if not rows:
        raise UsageError(f"{path.name}, line 2: no rows, allowed: a snapshot and what follows it")
    return rows


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        lines = _lines(path)
        width = HEADER.count(",") + 1
        for n, line in enumerate(lines):
            if line.count(",") != width - 1:
                self._refuse(n, "row", line, f"{width} cells")
        cells = ",".join(lines).split(",")
        columns = [cells[n::width] for n in range(width)]
        self._ts = self._whole("ts", columns[0])
        self._kinds = [self._kind(n, text) for n, text in enumerate(columns[3])]
        self._sides = columns[4]
        self._prices = self._units("px", columns[5], least=1)
        self._sizes = self._units("qty", columns[6], least=0)
        self._firsts, self._lasts, self._prevs = (
            self._whole(name, [cell or "-1" for cell in column])
            for name, column in zip(("id_first", "id_last", "id_prev"), columns[7:], strict=True)
        )

    def feed(self) -> DepthFeed:
        starts = self._starts()
        snapshot = next((n for n in starts if self._kinds[n] == SNAPSHOT), None)
        if snapshot is None:
            self._refuse(0, "ev", "no snapshot", "a snapshot before what it does not hold")
        held = self._lasts[snapshot]
        ends = dict(zip(starts, [*starts[1:], len(self._ts)], strict=True))
        late = [n for n in starts if not (self._kinds[n] == DEPTH and self._lasts[n] <= held)]
        early = [n for n in late if n < snapshot and self._kinds[n] == DEPTH]
        order = [snapshot, *early, *(n for n in late if n > snapshot)]  # trades before it have no book yet
        self._check_ids(order, held)
        skipped = sum(ends[n] - n for n in starts) - sum(ends[n] - n for n in order)
        feed = DepthFeed(
            self._path.name, array("q"), bytearray(), array("q"), array("q", [0]), bytearray(), array("q"),
            array("q"), gcd(*self._prices), skipped,
        )  # fmt: skip
        at_ms = 0
        for n in order:
            at_ms = max(at_ms, self._ts[n])
            feed.times.append(at_ms)
            feed.kinds.append(self._kinds[n])
            feed.ids.append(self._firsts[n] if self._kinds[n] == TRADE else self._lasts[n])
            feed.buys.extend(side == "b" for side in self._sides[n : ends[n]])
            feed.prices.extend(self._prices[n : ends[n]])
            feed.sizes.extend(self._sizes[n : ends[n]])
            feed.rows.append(len(feed.prices))
        return feed

    def _starts(self) -> list[int]:
        """Where events begin: a depth event is all rows of its ids, a snapshot all of its own."""
        starts, before = [], (-1, -1, -1)
        for n, kind in enumerate(self._kinds):
            key = (kind, self._firsts[n], self._lasts[n]) if kind != SNAPSHOT else (kind, 0, self._lasts[n])
            if key != before or kind == TRADE:
                starts.append(n)
            before = key
            allowed = "bs" if kind == TRADE else "ba"
            if self._sides[n] not in allowed or not self._sides[n]:
                self._refuse(n, "side", self._sides[n], " or ".join(allowed))
        return starts

    def _check_ids(self, order: Sequence[int], held: int) -> None:
        last, first = held, True
        for n in order:
            if self._kinds[n] != DEPTH:
                continue
            begins, prev = self._firsts[n], self._prevs[n]
            follows = begins <= last + 1 if first else last in (begins - 1, prev)
            if not follows:
                self._refuse(
                    n, "id_first", str(begins), f"{last + 1}, or id_prev {last}: no update may be missing"
                )
            last, first = self._lasts[n], False

    def _kind(self, n: int, text: str) -> int:
        if text not in _KINDS:
            self._refuse(n, "ev", text, ", ".join(_KINDS))
        return _KINDS[text]

    def _whole(self, name: str, cells: Sequence[str]) -> list[int]:
        try:
            return list(map(int, cells))
        except ValueError:
            n = next(n for n, cell in enumerate(cells) if not cell.lstrip("-").isdigit())
            self._refuse(n, name, cells[n], "a whole number")

    def _units(self, name: str, cells: Sequence[str], least: int) -> list[int]:
        try:
            values = [round(float(cell) * UNIT) for cell in cells]
        except (ValueError, OverflowError):
            values = []
        if len(values) != len(cells) or min(values) < least:
            n = next(n for n, cell in enumerate(cells) if not _is_units(cell, least))
            self._refuse(n, name, cells[n], "a number above 0" if least else "0 or more")
        return values

    def _refuse(self, row: int, column: str, value: str, allowed: str) -> NoReturn:
        raise UsageError(f"{self._path.name}, line {row + 2}: {column} is {value!r}, allowed: {allowed}")


def _is_units(cell: str, least: int) -> bool:
    try:
        return round(float(cell) * UNIT) >= least
    except (ValueError, OverflowError):
        return False
