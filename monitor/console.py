"""The human side of a terminal: a live screen on a TTY, plain lines anywhere else.

Both read a status through a callable, in a thread of their own, and hear of messages through `note`.
The callable must hand out a finished Status (the last one built), because that thread is not the loop's.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from monitor import formats
from monitor.status import Status
from monitor.view import Note, StatusView
from monitor.words import Language, label, word

LookUp = Callable[[], Status | None]

REFRESH_PER_S = 2
NOTES_KEPT = 20
POLL_S = 0.5


class Screen(Protocol):
    """What main needs of either kind. Leaving the context restores the terminal, also after Ctrl-C."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def note(self, at_ms: int, level: str, text: str) -> None:
        """Show a message; the notifier's `echo`."""
        ...


def open_screen(stream: TextIO, status: LookUp, language: Language, scans_per_line: int) -> Screen:
    """Return the live screen when `stream` is a terminal, plain lines otherwise.

    With `--json` main passes stderr, so that stdout holds nothing but the summary.
    """
    if stream.isatty():
        return LiveScreen(Console(file=stream), status, language)
    return PlainScreen(stream, status, language, scans_per_line)


class LiveScreen:
    """The whole terminal, refreshed twice a second by rich's own thread."""

    def __init__(self, console: Console, status: LookUp, language: Language) -> None:
        self._console, self._status, self._language = console, status, language
        self._notes: deque[Note] = deque(maxlen=NOTES_KEPT)
        self._live = Live(
            get_renderable=self._draw,
            console=console,
            screen=True,
            refresh_per_second=REFRESH_PER_S,
            vertical_overflow="crop",
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        # The screen is gone with its last state; leave that behind for whoever scrolls back.
        self._console.print(self._draw())

    def note(self, at_ms: int, level: str, text: str) -> None:
        self._notes.append((at_ms, level, text))

    def _draw(self) -> RenderableType:
        status = self._status()
        if status is None:
            return Text(label("starting", self._language), "dim italic")
        return StatusView(status, self._language, tuple(self._notes))


class PlainScreen:
    """One line per message, and one per `scans_per_line` scans with the figures that matter."""

    def __init__(self, stream: TextIO, status: LookUp, language: Language, scans_per_line: int) -> None:
        self._stream, self._status, self._language = stream, status, language
        self._scans_per_line = scans_per_line
        self._scans_told = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="console", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self.look()

    def note(self, at_ms: int, level: str, text: str) -> None:
        self._print(f"{formats.utc(at_ms)} {level:<8} {text}")

    def look(self) -> None:
        """Print the summary line if enough scans have passed since the last one."""
        status = self._status()
        if status is not None and status.totals.scans - self._scans_told >= self._scans_per_line:
            self._scans_told = status.totals.scans
            self._print(summary_line(status, self._language))

    def _watch(self) -> None:
        while not self._over.wait(POLL_S):
            self.look()

    def _print(self, line: str) -> None:
        with self._lock:
            print(line, file=self._stream, flush=True)


def summary_line(status: Status, language: Language) -> str:
    """One line that says how things are: state, scans, equity, the day, what is held, warnings."""

    def figure(key: str, value: str) -> str:
        return f"{label(key, language)} {value}"

    held = ", ".join(f"{h.instrument} {formats.coins(h.spot_base)}" for h in status.hedges)
    parts = [
        word(status.state, language),
        figure("scans", str(status.totals.scans)),
        figure("equity", formats.usdt(status.equity)),
        figure("today", formats.signed_usdt(status.day_pnl)),
        figure("funding", formats.signed_usdt(status.totals.funding)),
        held or label("nothing_held", language),
    ]
    if status.margin_ratio is not None:
        parts.append(figure("margin", formats.percent(status.margin_ratio)))
    if status.warnings:
        parts.append(figure("warnings", str(len(status.warnings))))
    return f"{formats.utc(status.now_ms)} {'info':<8} " + " · ".join(parts)
