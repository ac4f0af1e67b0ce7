"""`main.py download`: the venue's public history into a tape folder."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from config.loader import load
from core.clock import SystemClock
from core.errors import UsageError, VenueRejected
from core.ports import Clock
from exchange.okx.endpoints import Endpoints
from exchange.okx.history import BARS, INTEREST_BARS, KINDS, OkxHistory, Series
from exchange.okx.market import OkxMarket
from exchange.okx.rest import OkxRest
from exchange.tape_files import FUNDING, HOUR_MS, INTEREST
from exchange.tape_growth import Growth, alone_in
from exchange.tape_store import GZIP, PARQUET, require_parquet
from scripts.options import check_order
from scripts.tape.filling import Filled, fill, series_of, stem_of
from scripts.tape.words import span, stamp

FORMATS: Final = {"csv": GZIP, "parquet": PARQUET}
DEFAULT_MS: Final = 90 * 24 * HOUR_MS  # as far back as the venue tells funding


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """One download as asked for; `to_ms` None is now. Raises UsageError for what cannot be."""

    tape: Path
    instruments: tuple[str, ...] = ()
    from_ms: int | None = None
    to_ms: int | None = None
    bars: tuple[str, ...] = ("1h",)
    kinds: tuple[str, ...] = KINDS
    format: str = "csv"
    venue: str | None = None
    config: Path = Path("config")
    json: bool = False

    def __post_init__(self) -> None:
        for option, given, allowed in (
            ("--bars", self.bars, tuple(BARS)),
            ("--kinds", self.kinds, KINDS),
            ("--format", (self.format,), tuple(FORMATS)),
        ):
            wrong = [word for word in given if word not in allowed]
            if wrong or not given:
                raise UsageError(f"{option} {','.join(wrong)!r}: allowed: {', '.join(allowed)}")
        if self.venue is not None and not self.venue.startswith(("http://", "https://")):
            raise UsageError(f"--venue {self.venue!r}: a URL like http://127.0.0.1:8080 is allowed")
        check_order(self.from_ms, self.to_ms)
        if self.format == "parquet":
            require_parquet()


def download(options: DownloadOptions) -> int:
    """Fetch, print what the folder holds now, return the exit code: 1 when there was nothing to fetch.

    Raises UsageError for folder and instruments, VenueError when the venue does not answer; all that was
    fetched until then is kept.
    """
    begun_s = time.monotonic()
    settings = load(options.config)
    endpoints = replace(Endpoints.of(settings.account), demo=False)  # demo trading has no history of its own
    if options.venue is not None:
        endpoints = Endpoints(options.venue.rstrip("/"), "", demo=False)
    names = options.instruments or settings.instruments.instruments
    with alone_in(options.tape):
        found, requests, period = asyncio.run(_run(options, endpoints, names))
    if options.json:
        print(json.dumps(_data(options, found, requests, period, time.monotonic() - begun_s)))
    else:
        print(_text(options, found, requests))
    return 0 if any(one.rows for one in found) else 1


async def _run(
    options: DownloadOptions, endpoints: Endpoints, names: Sequence[str]
) -> tuple[list[Filled], int, tuple[int, int]]:
    clock = SystemClock()
    rest = OkxRest(endpoints, None, clock)
    try:
        from_ms, to_ms = await _period(options, rest, clock, names)
        history = OkxHistory(rest, clock, _waiting)
        found = []
        for series in _wanted(options, names):
            growth = Growth(options.tape, stem_of(series), FORMATS[options.format])
            say = _progress(growth.name, from_ms, to_ms)
            found.append(await fill(history, growth, series, from_ms, to_ms, say))
        return found, rest.requests, (from_ms, to_ms)
    finally:
        await rest.close()


async def _period(
    options: DownloadOptions, rest: OkxRest, clock: Clock, names: Sequence[str]
) -> tuple[int, int]:
    """Ask the venue for its time and its instruments; both must be as asked for."""
    market = OkxMarket(rest, clock, demo=False)
    now_ms = await market.server_time_ms()
    try:
        await market.pairs(names)
    except VenueRejected as error:
        raise UsageError(f"--instruments: {error}, allowed: names like BTC-USDT") from error
    to_ms = min(options.to_ms or now_ms, now_ms)
    from_ms = to_ms - DEFAULT_MS if options.from_ms is None else options.from_ms
    if from_ms >= to_ms:
        raise UsageError(f"--from {stamp(from_ms)}: allowed: a time before {stamp(to_ms)}")
    return from_ms, to_ms


def _wanted(options: DownloadOptions, names: Sequence[str]) -> Iterator[Series]:
    """Every file once, small ones first: funding decides how far a tape is of use."""
    for name in names:
        if FUNDING in options.kinds:
            yield series_of(FUNDING, name, "")
        for bar in options.bars:
            for kind in options.kinds:
                if kind != FUNDING and (kind != INTEREST or bar in INTEREST_BARS):
                    yield series_of(kind, name, bar)


def _progress(name: str, from_ms: int, to_ms: int) -> Callable[[int, int], None]:
    """A line that grows where somebody looks, else a line for every tenth."""
    shown = -1

    def say(at_ms: int, rows: int) -> None:
        nonlocal shown
        share = 100 * (at_ms - from_ms) // (to_ms - from_ms)
        live = sys.stderr.isatty()
        step = share if live else share // 10
        if step != shown:
            shown = step
            end = "\n" if not live or share >= 100 else ""
            back = "\r" if live else ""
            print(f"{back}{name} {share:3d} % {rows:,} rows", end=end, file=sys.stderr, flush=True)

    return say


def _waiting(error: Exception, pause_s: float) -> None:
    print(f"waiting {pause_s:.0f} s: {error}", file=sys.stderr, flush=True)


def _data(
    options: DownloadOptions, found: list[Filled], requests: int, period: tuple[int, int], wall_s: float
) -> dict[str, Any]:
    return {
        "tape": str(options.tape),
        "from_ms": period[0],
        "to_ms": period[1],
        "requests": requests,
        "wall_s": round(wall_s, 3),
        "files": [
            {
                "file": one.file,
                "kind": one.series.kind,
                "instrument": one.series.inst_id,
                "bar": one.series.bar,
                "rows": one.rows,
                "added": one.added,
                "from_ms": one.from_ms,
                "to_ms": one.to_ms,
                "holes": [gap._asdict() for gap in one.holes],
            }
            for one in found
        ],
    }


def _text(options: DownloadOptions, found: list[Filled], requests: int) -> str:
    width = max(len(one.file) for one in found) if found else 0
    lines = [f"{one.file:<{width}}  {_said(one)}" for one in found]
    total = sum(one.added for one in found)
    return "\n".join([*lines, f"{total:,} new rows by {requests:,} requests, in {options.tape}"])


def _said(one: Filled) -> str:
    if one.from_ms is None or one.to_ms is None:
        return "nothing: the venue has none of this period"
    what = f"{one.rows:>9,} rows, {one.added:,} new, {stamp(one.from_ms)} to {stamp(one.to_ms)}"
    places = "; ".join(span(*gap) for gap in one.holes[:3])
    return what + (f", {len(one.holes)} holes: {places}" if one.holes else "")
