"""The scanner: which module is asked about which instrument now, what it is shown, what becomes of it.

    closed bars, market, events -> Scanner.begin -> questions -> whoever asks them -> Scanner.end -> Scan

A module that is asked on a frame is asked once for each bar of it that closes, and is shown what had closed
when that bar did, however late the question comes: the answer does not depend on the moment. It is not asked
before everything it needs is there, and no longer than `stale_periods` bars after the close. One that is
asked on no frame is asked when something was fed, or once a minute.

Nothing here waits, reads a clock or asks a module: that is for the driver, which may do it in slices, in
another process or not at all. What a question was about is remembered once it has been answered, so a scan
that is cut short loses nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from core.types import DAY_MS
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS, Bars
from strategy.auxiliary.language import FeedEvent, Look, Module, Needs, Signal
from strategy.auxiliary.scanning.blacklist import Blacklist
from strategy.auxiliary.scanning.health import Ward
from strategy.auxiliary.scanning.sights import STALE_PERIODS, Key, Known, Sights, turnover_of
from strategy.auxiliary.scanning.words import LATE, Line, Outcome, Question, Reply, Scan, trouble_with

MOST_INSTRUMENTS: Final = 500
FORGOTTEN_MS: Final = 7 * DAY_MS  # a bar as old as that is stale on every frame


@dataclass(frozen=True, slots=True)
class Memory:
    """What must not be forgotten when the engine starts again, or a question or a signal would come twice.

    asked  (module, instrument) -> the close, or the minute, it was asked about last; UTC ms.
    said   name of a signal -> until when it holds; UTC ms.
    """

    asked: Mapping[Key, int] = field(default_factory=dict)
    said: Mapping[str, int] = field(default_factory=dict)


class Scanner:
    """Knows what was asked, how the modules fare and what is kept out; the rest it is told every time."""

    def __init__(
        self,
        modules: Sequence[Module],
        blacklist: Blacklist | None = None,
        ward: Ward | None = None,
        stale_periods: float = STALE_PERIODS,
        memory: Memory | None = None,
    ) -> None:
        """`memory` is what an earlier life of the engine left: no bar of it is asked about twice.

        Raises ValueError for two modules of one name, and for a limit that is not above zero.
        """
        names = [module.name for module in modules]
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise ValueError(f"modules of the same name: {', '.join(twice)}")
        if not stale_periods > 0:
            raise ValueError(f"stale_periods is {stale_periods}, allowed: above 0")
        self.modules: Final = tuple(modules)
        self.blacklist: Final = blacklist or Blacklist()
        self.ward: Final = ward or Ward(names)
        self._needs: Final = {module.name: module.needs for module in modules}
        self._stale_periods = stale_periods
        memory = memory or Memory()
        self._asked, self._said = dict(memory.asked), dict(memory.said)
        self._fed: dict[Key, tuple[FeedEvent, ...]] = {}
        self._number = 0

    @property
    def memory(self) -> Memory:
        return Memory(dict(self._asked), dict(self._said))

    def begin(self, instruments: Sequence[str], sights: Sights, now_ms: int) -> Round:
        """Return the questions of one scan, to be gone through; `now_ms` is the venue's time.

        Raises ValueError for more than MOST_INSTRUMENTS, or for one that is named twice.
        """
        if len(instruments) > MOST_INSTRUMENTS:
            raise ValueError(f"{len(instruments)} instruments, allowed: up to {MOST_INSTRUMENTS}")
        if len(set(instruments)) < len(instruments):
            twice = sorted(name for name, count in Counter(instruments).items() if count > 1)
            raise ValueError(f"instruments named twice: {', '.join(twice)}")
        self._number += 1
        self._forget(now_ms)
        return Round(self, tuple(instruments), sights, now_ms, self._number)

    def due(self, module: str, instrument: str, bars: Bars, now_ms: int) -> tuple[list[int], Outcome | None]:
        """Return the closes a module is to be asked about, oldest first; none, and why."""
        if not len(bars):
            return [], Outcome.MISSING
        newest_ms, frame_ms = bars.closed_ms, bars.frame_ms
        if now_ms - newest_ms > self._stale_periods * frame_ms:
            return [], Outcome.STALE_BAR
        last_ms = self._asked.get((module, instrument))
        if last_ms is None:
            return [newest_ms], None  # what closed before anybody looked is not caught up with
        if newest_ms <= last_ms:
            return [], Outcome.NOT_NEW
        oldest_ms = max(last_ms + frame_ms, newest_ms - (len(bars) - 1) * frame_ms)
        fresh = range(oldest_ms, newest_ms + 1, frame_ms)
        return [at for at in fresh if now_ms - at <= self._stale_periods * frame_ms], None

    def fed(self, module: str, instrument: str, events: tuple[FeedEvent, ...], now_ms: int) -> bool:
        """Return whether a module that is asked on no frame is to be asked now."""
        key = module, instrument
        minute_ms = now_ms - now_ms % MINUTE_MS
        return self._asked.get(key) != minute_ms or events != self._fed.get(key, ())

    def answered(self, question: Question, sights: Sights) -> None:
        """Note that a question was answered, well or badly: it is not asked again."""
        key = question.module, question.instrument
        if self._needs[question.module].on:
            self._asked[key] = max(question.of_ms, self._asked.get(key, 0))
        else:
            self._asked[key] = question.of_ms - question.of_ms % MINUTE_MS
            self._fed[key] = sights.events.get(question.instrument, ())

    def repeats(self, signal: Signal) -> bool:
        """Return whether a signal was said before; from now on it was."""
        name = signal.signal_id
        if name in self._said:
            return True
        self._said[name] = signal.valid_until_ms
        return False

    def _forget(self, now_ms: int) -> None:
        """Drop what can no longer matter: signals that have ended, questions about bars that are history."""
        self._said = {name: until for name, until in self._said.items() if until >= now_ms}
        self._asked = {key: at_ms for key, at_ms in self._asked.items() if at_ms > now_ms - FORGOTTEN_MS}
        self._fed = {key: events for key, events in self._fed.items() if key in self._asked}

    def needs_of(self, module: str) -> Needs:
        return self._needs[module]


class Round:
    """One scan under way: go through `groups`, hand in what came back, and end it."""

    def __init__(
        self, scanner: Scanner, instruments: tuple[str, ...], sights: Sights, now_ms: int, number: int
    ) -> None:
        self.now_ms: Final = now_ms
        self._scanner, self._instruments, self._sights = scanner, instruments, sights
        self._number = number
        self._lines: list[Line] = []  # of a question that is open, the place is kept
        self._counts: Counter[str] = Counter()  # as they come: to count thousands at the end takes long
        self._open: dict[int, Question] = {}
        self._signals: list[Signal] = []
        self._slowest: dict[str, float] = {}
        self._asked = 0
        self._reached = 0  # instruments gone through
        self._shortest = min(sights.shelf.frames, key=FRAME_MS.__getitem__, default="")

    def groups(self) -> Iterator[tuple[Question, ...]]:
        """Yield the questions of one instrument after another, none where there are none: whoever goes
        through can stop after each."""
        for instrument in self._instruments:
            self._reached += 1
            yield self._group(instrument)

    def take(self, replies: Iterable[Reply]) -> None:
        """Take what came back. Raises KeyError for a reply to what is not open."""
        for reply in replies:
            question = self._open.pop(reply.place)
            self._scanner.answered(question, self._sights)
            self._asked += 1
            name = question.module
            self._slowest[name] = max(self._slowest.get(name, 0.0), reply.took_ms)
            outcome, detail = self._judged(question, reply)
            if outcome is Outcome.FAILED:
                self._scanner.ward.failed(name, f"{question.instrument}: {detail}", self.now_ms)
            elif outcome is Outcome.SIGNAL and reply.signal is not None:
                self._signals.append(reply.signal)
            self._fill(question, outcome, detail)

    def end(self, why: str = "") -> Scan:
        """Return what the scan came to. What is still open counts as cut short, and comes again.

        why  it ended before all was asked, "" when it did not.
        """
        why = why or "the scan ended"
        for question in self._open.values():
            self._fill(question, Outcome.CUT_SHORT, why)
        self._open.clear()
        for instrument in self._instruments[self._reached :]:
            for module in self._scanner.modules:
                self._say(module.name, instrument, Outcome.CUT_SHORT, why)
        self._reached = len(self._instruments)
        scanner = self._scanner
        return Scan(
            number=self._number,
            at_ms=self.now_ms,
            signals=tuple(sorted(self._signals, key=_rank)),
            lines=tuple(self._lines),
            counts=dict(sorted(self._counts.items())),
            health=scanner.ward.all(),
            bans=scanner.blacklist.bans(self.now_ms),
            asked=self._asked,
            slowest=dict(sorted(self._slowest.items())),
        )

    def _group(self, instrument: str) -> tuple[Question, ...]:
        scanner = self._scanner
        banned = self._banned(instrument)
        known = Known(instrument, self._sights, self.now_ms)
        questions: list[Question] = []
        for module in scanner.modules:
            name = module.name
            if not scanner.ward.of(name).is_on:
                self._say(name, instrument, Outcome.SWITCHED_OFF, scanner.ward.of(name).off)
            elif banned:
                self._say(name, instrument, Outcome.KEPT_OUT, banned)
            else:
                questions += self._of_module(name, known)
        return tuple(questions)

    def _banned(self, instrument: str) -> str:
        blacklist, now_ms = self._scanner.blacklist, self.now_ms
        ban = blacklist.ban(instrument, now_ms)
        if ban is None and self._shortest:
            shelf, market = self._sights.shelf, self._sights.markets.get(instrument)
            shortest = shelf.bars(instrument, self._shortest, now_ms)
            turnover = market.volume_24h_usdt if market is not None else None
            if turnover is None:
                turnover = turnover_of(shelf, instrument, now_ms)
            ban = blacklist.judge(instrument, shortest, turnover, shelf.listed_ms(instrument), now_ms)
        return f"{ban.cause.value}: {ban.reason}" if ban else ""

    def _of_module(self, name: str, known: Known) -> Iterator[Question]:
        needs, instrument = self._scanner.needs_of(name), known.instrument
        if not needs.on:
            events = self._sights.events.get(instrument, ())
            if not self._scanner.fed(name, instrument, events, self.now_ms):
                self._say(name, instrument, Outcome.NOT_NEW)
                return
            closes = [self.now_ms]
        else:
            on, closed_ms = known.whole(needs.on)
            closes, why = self._scanner.due(name, instrument, on, self.now_ms)
            if why is not None:
                detail = f"bars of {needs.on}" if why is Outcome.MISSING else ""
                if why is Outcome.STALE_BAR:
                    detail = f"{needs.on} closed {(self.now_ms - closed_ms) // MINUTE_MS} minutes ago"
                self._say(name, instrument, why, detail, closed_ms)
                return
        for of_ms in closes:
            if missing := self._missing(needs, known, of_ms):
                self._say(name, instrument, Outcome.MISSING, missing, of_ms)
            else:
                yield self._question(name, needs, known, of_ms)

    def _missing(self, needs: Needs, known: Known, of_ms: int) -> str:
        """Return what is not there of what a module needs, "" when all is."""
        for frame, count in needs.bars.items():
            bars = known.bars(frame, count, of_ms)
            if len(bars) < count:
                return f"bars of {frame}: {len(bars)} of {count}"
            # Asked on no frame it comes at any moment, also at one when the newest bar is on its way
            if of_ms - bars.closed_ms >= bars.frame_ms * (1 if needs.on else 2):
                return f"bars of {frame}: {LATE}"
        market, instrument = known.market, known.instrument
        if needs.book and (market is None or not market.is_quoted):
            return "the book"
        if needs.funding and (market is None or not market.settled):
            return "funding"
        if needs.open_interest and (market is None or not market.open_interest):
            return "open interest"
        if needs.long_short and not self._sights.long_short.get(instrument):
            return "long/short ratio"
        if needs.events and not self._sights.events.get(instrument):
            return "events"
        return ""

    def _question(self, name: str, needs: Needs, known: Known, of_ms: int) -> Question:
        sights, instrument = self._sights, known.instrument
        look = Look(
            now_ms=self.now_ms,
            instrument=instrument,
            bars={frame: known.bars(frame, count, of_ms) for frame, count in needs.bars.items()},
            market=known.market,
            long_short=sights.long_short.get(instrument, ()),
            events=sights.events.get(instrument, ()) if needs.events else (),
            holding=sights.holdings.get((name, instrument)),
        )
        question = Question(len(self._lines), name, of_ms, look)
        self._lines.append(Line(name, instrument, Outcome.CUT_SHORT))
        self._open[question.place] = question
        return question

    def _judged(self, question: Question, reply: Reply) -> tuple[Outcome, str]:
        signal = reply.signal
        if reply.trouble:
            return Outcome.FAILED, reply.trouble
        if signal is None:
            return Outcome.NOTHING, ""
        if trouble := trouble_with(signal, question):
            return Outcome.FAILED, trouble
        if signal.valid_until_ms < self.now_ms:
            return Outcome.STALE_SIGNAL, f"it ended at {signal.valid_until_ms}"
        if signal.at_ms > self.now_ms:
            return Outcome.STALE_SIGNAL, f"it speaks of {signal.at_ms}, which is to come"
        if self._scanner.repeats(signal):
            return Outcome.REPEATED, signal.signal_id
        return Outcome.SIGNAL, signal.signal_id

    def _say(self, module: str, instrument: str, outcome: Outcome, detail: str = "", of_ms: int = 0) -> None:
        self._lines.append(Line(module, instrument, outcome, detail, of_ms))
        self._counts[_counted(self._lines[-1])] += 1

    def _fill(self, question: Question, outcome: Outcome, detail: str) -> None:
        line = Line(question.module, question.instrument, outcome, detail, question.of_ms)
        self._lines[question.place] = line
        self._counts[_counted(line)] += 1


def _rank(signal: Signal) -> tuple[Decimal, str, str, int]:
    return -signal.strength, signal.module, signal.instrument, signal.at_ms


def _counted(line: Line) -> str:
    if line.outcome in (Outcome.MISSING, Outcome.KEPT_OUT):
        return f"{line.outcome.value}: {line.detail.partition(':')[0]}"
    return line.outcome.value
