"""How questions travel to the modules' process: columns as bytes, series as text, and nothing twice.

Pickled as they are, the looks of 500 instruments cost the engine seconds of its loop: a Decimal is dear to
pickle, and most of a market does not change between two scans. So both ends remember per instrument what was
sent last. A part that is the very same object as before travels as nothing at all; a series of figures as its
instants in eight bytes each and its figures in one line of text; bars once for all modules of an instrument,
each of which then has its own number of them cut off. What comes out equals what went in, bit by bit.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from core.context import MarketView
from core.types import Book, SettledFunding
from strategy.auxiliary.bars import FRAME_MS, Bars
from strategy.auxiliary.language import Holding, Look
from strategy.auxiliary.scanning.words import Question

MARKET: Final = tuple(f.name for f in fields(MarketView) if f.init and f.name != "candles")
_COLUMNS: Final = ("open", "high", "low", "close", "volume")


class _Asked(NamedTuple):
    """One question without what it shares with the others of its instrument."""

    place: int
    module: str
    of_ms: int
    bars: tuple[tuple[str, int, int], ...]  # frame, when the last one closed, how many
    has_market: bool
    has_long_short: bool
    has_events: bool
    holding: Holding | None


class _Group(NamedTuple):
    instrument: str
    now_ms: int
    bars: dict[tuple[str, int], tuple[int, bytes]]  # frame, closed -> how many, their columns one by one
    changed: dict[str, Any]  # parts of the market that are not as they were sent last, packed
    asked: list[_Asked]


class Packer:
    """The engine's end. To be made anew with the process: it believes the other end remembers."""

    def __init__(self) -> None:
        self._sent: dict[str, dict[str, object]] = {}

    def packed(self, questions: Sequence[Question]) -> bytes:
        """Return the questions of one instrument and one instant as bytes.

        Raises ValueError for questions of several: what they share could not be told apart.
        """
        first = questions[0].look
        if any((q.instrument, q.look.now_ms) != (first.instrument, first.now_ms) for q in questions):
            raise ValueError("questions of several instruments or instants, allowed: of one")
        longest: dict[tuple[str, int], Bars] = {}
        asked = []
        for question in questions:
            look, shown = question.look, []
            for frame, bars in look.bars.items():
                key = frame, bars.closed_ms
                if key not in longest or len(longest[key]) < len(bars):
                    longest[key] = bars
                shown.append((*key, len(bars)))
            asked.append(
                _Asked(
                    question.place,
                    question.module,
                    question.of_ms,
                    tuple(shown),
                    look.market is not None,
                    bool(look.long_short),
                    bool(look.events),
                    look.holding,
                )
            )
        columns = {key: (len(bars), _columns(bars)) for key, bars in longest.items()}
        group = _Group(first.instrument, first.now_ms, columns, self._changed(questions), asked)
        return pickle.dumps(group, protocol=pickle.HIGHEST_PROTOCOL)

    def _changed(self, questions: Sequence[Question]) -> dict[str, Any]:
        """Return what differs from what was sent last of this instrument, and take it as sent."""
        sent, changed = self._sent.setdefault(questions[0].instrument, {}), {}
        for name, part in _parts(questions):
            if sent.get(name, sent) is not part:
                changed[name] = _PACKS.get(name, _as_is)(part)
                sent[name] = part
        return changed


class Unpacker:
    """The other end."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Any]] = {}

    def questions(self, body: bytes) -> list[Question]:
        group: _Group = pickle.loads(body)
        known = self._known.setdefault(group.instrument, {})
        known |= {name: _UNPACKS.get(name, _as_is)(part) for name, part in group.changed.items()}
        market = MarketView(**{name: known[name] for name in MARKET}) if MARKET[0] in known else None
        longest = {
            (frame, closed_ms): _bars(group.instrument, frame, closed_ms, *packed)
            for (frame, closed_ms), packed in group.bars.items()
        }
        return [
            Question(
                one.place,
                one.module,
                one.of_ms,
                Look(
                    now_ms=group.now_ms,
                    instrument=group.instrument,
                    bars={frame: longest[frame, closed].last(count) for frame, closed, count in one.bars},
                    market=market if one.has_market else None,
                    long_short=known["long_short"] if one.has_long_short else (),
                    events=known["events"] if one.has_events else (),
                    holding=one.holding,
                ),
            )
            for one in group.asked
        ]


def _parts(questions: Sequence[Question]) -> list[tuple[str, object]]:
    """What the looks share: the market field by field, the crowd, what was fed."""
    looks = [question.look for question in questions]
    parts: list[tuple[str, object]] = []
    if (market := next((look.market for look in looks if look.market is not None), None)) is not None:
        parts += [(name, getattr(market, name)) for name in MARKET]
    parts += [("long_short", look.long_short) for look in looks[:1] if look.long_short]
    parts += [("events", look.events) for look in looks if look.events][:1]
    return parts


def _columns(bars: Bars) -> bytes:
    return b"".join(getattr(bars, name).tobytes() for name in _COLUMNS)


def _bars(instrument: str, frame: str, closed_ms: int, count: int, columns: bytes) -> Bars:
    """The open times follow from the last close: there are no holes. What `frombuffer` gives is read-only."""
    frame_ms = FRAME_MS[frame]
    ts_ms = closed_ms - frame_ms * np.arange(count, 0, -1, dtype=np.int64)
    ts_ms.flags.writeable = False
    values = np.frombuffer(columns, dtype=np.float64).reshape(len(_COLUMNS), count)
    return Bars(instrument, frame, ts_ms, *values)


def _as_is(part: Any) -> Any:
    return part


def _series_out(rows: Sequence[tuple[int, Decimal]]) -> tuple[bytes, str]:
    at_ms = np.array([at for at, _ in rows], dtype=np.int64)
    return at_ms.tobytes(), " ".join([str(figure) for _, figure in rows])


def _series_in(packed: tuple[bytes, str]) -> tuple[tuple[int, Decimal], ...]:
    at_ms = np.frombuffer(packed[0], dtype=np.int64).tolist()
    return tuple(zip(at_ms, map(Decimal, packed[1].split()), strict=True))


def _settled_out(settled: Sequence[SettledFunding]) -> tuple[bytes, str]:
    return _series_out([(each.ts_ms, each.rate) for each in settled])


def _settled_in(packed: tuple[bytes, str]) -> tuple[SettledFunding, ...]:
    return tuple(SettledFunding(*row) for row in _series_in(packed))


def _book_out(book: Book | None) -> Any:
    if book is None:
        return None
    sides = [" ".join([f"{px} {size}" for px, size in levels]) for levels in (book.bids, book.asks)]
    rest = {f.name: getattr(book, f.name) for f in fields(book) if f.init and f.name not in ("bids", "asks")}
    return sides, rest


def _book_in(packed: Any) -> Book | None:
    if packed is None:
        return None
    sides, rest = packed
    bids, asks = (tuple(_twos([*map(Decimal, side.split())])) for side in sides)
    return Book(bids=bids, asks=asks, **rest)


def _twos(figures: list[Decimal]) -> list[tuple[Decimal, Decimal]]:
    return [pair for at, pair in enumerate(pairwise(figures)) if at % 2 == 0]


_PACKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "settled": _settled_out,
    "open_interest": _series_out,
    "long_short": _series_out,
    "spot": _book_out,
    "swap": _book_out,
}
_UNPACKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "settled": _settled_in,
    "open_interest": _series_in,
    "long_short": _series_in,
    "spot": _book_in,
    "swap": _book_in,
}
