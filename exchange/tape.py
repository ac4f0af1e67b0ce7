"""Reading a folder of recorded market data as one tape: which files, which period, which holes.

A coin needs spot and perpetual candles of one venue and one time frame, and funding; mark candles are
welcome. The finest time frame that covers the period as well as any is taken. Holes are never filled:
the times without bars are listed, and whoever replays the tape has to stand aside there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from core.errors import UsageError
from exchange.tape_files import (
    FRAMES_MS,
    FUNDING,
    HOUR_MS,
    NAMES,
    Candles,
    Settlements,
    TapeFile,
    tape_file,
)
from exchange.tape_l2 import DepthFeed, feed_paths, read_feed

FRAME_NAMES = {ms: name for name, ms in FRAMES_MS.items()}
AS_GOOD = 0.99  # share of the best coverage from which a time frame counts as covering the period as well
USUAL_INTERVAL_MS = 8 * HOUR_MS


@dataclass(frozen=True, slots=True)
class CoinTape:
    coin: str
    venue: str
    spot: Candles
    perp: Candles
    mark: Candles | None
    funding: Settlements
    feeds: dict[str, DepthFeed] = field(default_factory=dict)  # order books, by market: spot, perp


@dataclass(frozen=True, slots=True)
class Hole:
    """Bars of some coin are missing from `begin_ms` up to, not including, `end_ms`."""

    begin_ms: int
    end_ms: int
    coins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tape:
    """What a run replays: [start, end], every coin's series (earlier bars too), and the holes in between.

    `notes` says in words which time frames were taken and what is missing.
    """

    coins: tuple[CoinTape, ...]
    start_ms: int
    end_ms: int
    holes: tuple[Hole, ...]
    notes: tuple[str, ...]

    @property
    def segments(self) -> tuple[tuple[int, int], ...]:
        """The stretches [begin, end) that have every bar of every coin."""
        inner = [at for hole in self.holes for at in (hole.begin_ms, hole.end_ms)]
        edges = [self.start_ms, *inner, self.end_ms]
        return tuple(zip(edges[::2], edges[1::2], strict=True))


@dataclass(slots=True)
class _Choice:
    """One way to replay a coin: a venue and a time frame."""

    coin: str
    venue: str
    bar_ms: int
    spot: list[TapeFile]
    perp: list[TapeFile]

    def check(self) -> None:
        """Raises UsageError for stamps that cannot be, naming file, line and value."""
        for file in (*self.spot, *self.perp):
            file.times()

    def covered_ms(self, from_ms: int, to_ms: int) -> int:
        """How much of a period the bars that open in it cover."""
        return min(sum(file.covered_ms(from_ms, to_ms) for file in files) for files in (self.spot, self.perp))

    def period(self) -> tuple[int, int]:
        """From when until when both markets have bars, holes aside."""
        spot, perp = ([file.period() for file in files] for files in (self.spot, self.perp))
        begin = max(min(first for first, _ in spot), min(first for first, _ in perp))
        return begin, min(max(last for _, last in spot), max(last for _, last in perp))


def read_tape(
    folder: Path, coins: Sequence[str], from_ms: int | None = None, to_ms: int | None = None
) -> Tape:
    """Read what `coins` ("BTC", ...) need of a folder over a period; without one, all that they share.

    Raises UsageError naming the file, or what is missing and what there is.
    """
    files = _files(folder)
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise UsageError(f"the period is {from_ms} to {to_ms}, allowed: a start before its end")
    choices = {coin: _choices(folder, files, coin) for coin in coins}
    periods = [[one.period() for one in each] for each in choices.values()]
    begin_ms = max(min(begin for begin, _ in each) for each in periods)
    end_ms = min(max(end for _, end in each) for each in periods)
    wanted_from = begin_ms if from_ms is None else from_ms
    wanted_to = end_ms if to_ms is None else to_ms
    tapes = [_load(files, _pick(folder, each, wanted_from, wanted_to)) for each in choices.values()]
    shared = [sorted(set(tape.spot.ts) & set(tape.perp.ts)) for tape in tapes]
    starts = [next((at for at in times if at >= wanted_from), wanted_to) for times in shared]
    ends = [times[-1] + tape.spot.bar_ms for times, tape in zip(shared, tapes, strict=True) if times]
    start_ms = max(starts)
    stop_ms = min([wanted_to, *ends, *(_funded_until(tape) for tape in tapes)])
    if start_ms >= stop_ms:
        raise UsageError(
            f"{folder.name}: {', '.join(coins)} have no common data between {wanted_from} and {wanted_to}, "
            f"allowed: a period within {begin_ms} to {end_ms}"
        )
    holes = _holes(tapes, shared, start_ms, stop_ms)
    tapes = [replace(one, feeds=_feeds(folder, one, start_ms, stop_ms)) for one in tapes]
    return Tape(tuple(tapes), start_ms, stop_ms, holes, tuple(_notes(tapes, holes)))


def other_frames(folder: Path, coin: str, taken: str) -> tuple[str, ...]:
    """What else a coin could be replayed on, in words: spot and perp of other time frames than `taken`, and
    when both have bars. A period given to a run may choose one of them. Raises UsageError as reading does."""
    found = []
    for choice in _choices(folder, _files(folder), coin):
        begin_ms, end_ms = choice.period()
        if FRAME_NAMES[choice.bar_ms] != taken and begin_ms < end_ms:
            days = f"{_day(begin_ms)} to {_day(end_ms)}"
            found.append(f"{coin}: {choice.venue} spot and perp {FRAME_NAMES[choice.bar_ms]} from {days}")
    return tuple(found)


def _day(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d}"


def stretches(folder: Path, coin: str, frame: str) -> list[tuple[int, int]]:
    """Return every [begin, end) without a hole in a coin's spot and perp candles of one frame, in order.

    Of several venues the one with the longest is taken. Raises UsageError when the folder has none of that
    frame.
    """
    bar_ms = FRAMES_MS[frame]
    best: list[tuple[int, int]] = []
    for choice in _choices(folder, _files(folder), coin):
        if choice.bar_ms == bar_ms:
            spot, perp = (
                {at for file in files for at in file.times()} for files in (choice.spot, choice.perp)
            )
            times = sorted(spot & perp)
            breaks = [n for n, (a, b) in enumerate(pairwise(times), 1) if b - a != bar_ms]
            edges = [0, *breaks, len(times)]
            runs = [(times[a], times[b - 1] + bar_ms) for a, b in pairwise(edges) if b > a]
            best = max(best, runs, key=lambda each: max((end - begin for begin, end in each), default=0))
    if not best:
        raise UsageError(f"{folder.name}: {coin} has no {frame} candles of spot and perp, allowed: {NAMES}")
    return best


def _files(folder: Path) -> list[TapeFile]:
    if not folder.is_dir():
        raise UsageError(f"tape is {folder}, allowed: a folder of files named {NAMES}")
    found = [file for path in sorted(folder.iterdir()) if (file := tape_file(path)) is not None]
    if not found:
        raise UsageError(f"{folder}: no tape files, allowed: files named {NAMES}")
    return found


def _choices(folder: Path, files: list[TapeFile], coin: str) -> list[_Choice]:
    own = [file for file in files if file.coin == coin]
    if not any(file.kind == FUNDING for file in own):
        raise UsageError(f"{folder.name}: no funding file for {coin}, allowed: files named {NAMES}")
    found = []
    for venue, bar_ms in sorted({(file.venue, file.bar_ms) for file in own if file.kind == "spot"}):
        spot, perp = (_only(own, kind, venue, bar_ms) for kind in ("spot", "perp"))
        if perp:
            found.append(_Choice(coin, venue, bar_ms, spot, perp))
    if not found:
        raise UsageError(
            f"{folder.name}: {coin} has no spot and perp candles of one venue and time frame, "
            f"allowed: files named {NAMES}"
        )
    return found


def _pick(folder: Path, choices: list[_Choice], from_ms: int, to_ms: int) -> _Choice:
    """The finest time frame among those that cover the period as well as the best one."""
    covered = [one.covered_ms(from_ms, to_ms) for one in choices]
    best = max(covered)
    if not best:
        for one in choices:
            one.check()  # a file with a bad stamp covers nothing, and that is what is to be said
        have = "; ".join("{} {} to {}".format(FRAME_NAMES[one.bar_ms], *one.period()) for one in choices)
        raise UsageError(
            f"{folder.name}: {choices[0].coin} has no bars between {from_ms} and {to_ms}, allowed: {have}"
        )
    good = [one for one, ms in zip(choices, covered, strict=True) if ms >= AS_GOOD * best]
    return min(good, key=lambda one: one.bar_ms)


def _load(files: list[TapeFile], choice: _Choice) -> CoinTape:
    own = [file for file in files if file.coin == choice.coin]
    spot, perp = _joined(choice.spot), _joined(choice.perp)
    mark = _joined(_only(own, "mark", choice.venue, choice.bar_ms))
    if mark is None:  # a coarser mark still prices settlements
        coarser = sorted({file.bar_ms for file in own if file.kind == "mark" and file.venue == choice.venue})
        mark = next(
            (
                _joined(_only(own, "mark", choice.venue, bar_ms))
                for bar_ms in coarser
                if bar_ms > choice.bar_ms
            ),
            None,
        )
    assert spot is not None and perp is not None  # a choice has files of both
    funding = [file for file in own if file.kind == FUNDING]
    same = [file for file in funding if file.venue == choice.venue] or [
        file for file in funding if file.venue == funding[0].venue
    ]
    return CoinTape(choice.coin, choice.venue, spot, perp, mark, _joined_settlements(same))


def _feeds(folder: Path, tape: CoinTape, start_ms: int, end_ms: int) -> dict[str, DepthFeed]:
    """The order-book feeds that touch the period; one of a market at most."""
    found: dict[str, DepthFeed] = {}
    for market, paths in feed_paths(folder, tape.coin, tape.venue, start_ms, end_ms).items():
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise UsageError(f"{folder.name}: {market} order books {names}, allowed: one in a period")
        found[market] = read_feed(paths[0])
    return found


def _only(files: Iterable[TapeFile], kind: str, venue: str, bar_ms: int) -> list[TapeFile]:
    return [file for file in files if (file.kind, file.venue, file.bar_ms) == (kind, venue, bar_ms)]


def _joined(files: list[TapeFile]) -> Candles | None:
    """The periods of one series as one, oldest first."""
    parts = sorted((file.candles() for file in files), key=lambda part: part.ts[0])
    if not parts:
        return None
    whole = parts[0]
    for file, part in zip(files[1:], parts[1:], strict=True):
        _require_after(file, whole.ts[-1], part.ts[0])
        for name in ("ts", "open", "high", "low", "close", "volume"):
            getattr(whole, name).extend(getattr(part, name))
        whole.hour_open.update(part.hour_open)
    return whole


def _joined_settlements(files: list[TapeFile]) -> Settlements:
    parts = sorted((file.settlements() for file in files), key=lambda part: part.ts[0])
    whole = parts[0]
    for file, part in zip(files[1:], parts[1:], strict=True):
        _require_after(file, whole.ts[-1], part.ts[0])
        whole.ts += part.ts
        whole.rate += part.rate
        whole.mark += part.mark
    return whole


def _require_after(file: TapeFile, last_ms: int, first_ms: int) -> None:
    if first_ms <= last_ms:
        raise UsageError(
            f"{file.path.name}: overlaps another file of its series ({first_ms} is not after {last_ms}), "
            f"allowed: periods one after the other"
        )


def _funded_until(tape: CoinTape) -> int:
    """Until when the funding file knows what is charged: one interval after its last settlement."""
    ts = tape.funding.ts
    return ts[-1] + (min(ts[-1] - ts[-2], USUAL_INTERVAL_MS) if len(ts) > 1 else USUAL_INTERVAL_MS)


def _holes(tapes: list[CoinTape], shared: list[list[int]], start_ms: int, end_ms: int) -> tuple[Hole, ...]:
    """The times at which any coin lacks a bar, merged, in order."""
    found: list[tuple[int, int, str]] = []
    for tape, times in zip(tapes, shared, strict=True):
        bar_ms = tape.spot.bar_ms
        inside = [at for at in times if start_ms <= at < end_ms]
        for before, after in pairwise([*inside, end_ms]):
            if after > before + bar_ms:
                found.append((before + bar_ms, after, tape.coin))
    merged: list[Hole] = []
    for begin, end, coin in sorted(found):
        if merged and begin <= merged[-1].end_ms:
            last = merged.pop()
            names = last.coins if coin in last.coins else (*last.coins, coin)
            merged.append(Hole(last.begin_ms, max(last.end_ms, end), names))
        else:
            merged.append(Hole(begin, end, (coin,)))
    return tuple(merged)


def _notes(tapes: list[CoinTape], holes: tuple[Hole, ...]) -> Iterable[str]:
    for tape in tapes:
        mark = f"mark {FRAME_NAMES[tape.mark.bar_ms]}" if tape.mark else "no mark candles"
        for market, feed in sorted(tape.feeds.items()):
            yield f"{tape.coin}: {market} order book from {feed.name}"
        yield f"{tape.coin}: {tape.venue} spot and perp {FRAME_NAMES[tape.spot.bar_ms]}, {mark}"
    if holes:
        hours = sum(hole.end_ms - hole.begin_ms for hole in holes) / HOUR_MS
        yield f"{len(holes)} holes, {hours:.0f} hours in all: the venue is closed there"
