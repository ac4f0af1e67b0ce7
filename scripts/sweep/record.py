"""The funding a sweep is played on: recorded settlements, cut where the record has a hole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from core.errors import UsageError
from core.types import DAY_MS, SettledFunding
from exchange.tape_files import TapeFile, tape_file
from strategy.foresight import Segments, segments_of
from strategy.rehearsal import KNOWN

Span = tuple[int, int]  # [from_ms, to_ms)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Settlements without a hole. Those before `first` are known when it begins, and not played."""

    settled: tuple[SettledFunding, ...]
    first: int = 0

    @property
    def played(self) -> tuple[SettledFunding, ...]:
        return self.settled[self.first :]


@dataclass(frozen=True, slots=True)
class Record:
    """One instrument's stretches, oldest first. A hedge is flat at the ends of each."""

    instrument: str
    stretches: tuple[Stretch, ...]

    @property
    def played_ms(self) -> int:
        """How long hedges can have been held: the stretches without the holes between."""
        return sum(
            sum(min(b.ts_ms - a.ts_ms, DAY_MS) for a, b in pairwise(one.played)) for one in self.stretches
        )

    def within(self, span: Span) -> Record:
        """What lies in a span of time; the settlements before it, in the same stretch, stay known."""
        from_ms, to_ms = span
        kept = []
        for one in self.stretches:
            begin = max(one.first, sum(each.ts_ms < from_ms for each in one.settled))
            end = sum(each.ts_ms < to_ms for each in one.settled)
            if begin < end:
                known = max(0, begin - KNOWN)
                kept.append(Stretch(one.settled[known:end], begin - known))
        return Record(self.instrument, tuple(kept))


def record_of(instrument: str, settled: Sequence[SettledFunding]) -> Record:
    """Cut at the holes; nothing before a hole is known after it."""
    times_ms = [one.ts_ms for one in settled]
    return Record(instrument, tuple(Stretch(tuple(settled[first:end])) for first, end in holes_of(times_ms)))


def holes_of(times_ms: Sequence[int]) -> Segments:
    """Stretches of settlements without a hole of more than a day: a position is flat at their ends."""
    holes = [(before + 1, after - 1) for before, after in pairwise(times_ms) if after - before > DAY_MS]
    return segments_of(times_ms, holes)


def funding_files(tape: Path, coins: Iterable[str]) -> dict[str, TapeFile]:
    """The longest funding record of each of these coins in the folder."""
    wanted = set(coins)
    found = [one for path in sorted(tape.iterdir()) if (one := tape_file(path)) is not None]
    longest: dict[str, TapeFile] = {}
    for one in (each for each in found if each.kind == "funding" and each.coin in wanted):
        if one.coin not in longest or len(one.times()) > len(longest[one.coin].times()):
            longest[one.coin] = one
    return longest


def read_records(tape: Path, instruments: Sequence[str], span: Span) -> tuple[Record, ...]:
    """The funding of these instruments within a span. Raises UsageError for one the tape does not have."""
    coins = [name.partition("-")[0] for name in instruments]
    files = funding_files(tape, coins)
    records = []
    for name, coin in zip(instruments, coins, strict=True):
        if coin not in files:
            raise UsageError(f"--instruments {name}: --tape {tape} has no funding record of {coin}")
        read = files[coin].settlements()
        settled = [SettledFunding(*one) for one in zip(read.ts, read.rate, strict=True)]
        record = record_of(name, settled).within(span)
        if not record.played_ms:
            raise UsageError(f"--from and --to: the funding record of {coin} has no two settlements between")
        records.append(record)
    return tuple(records)
