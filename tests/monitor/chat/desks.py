"""A desk with a realistic engine behind it, and everything that was asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from config.schema import Settings
from core.errors import UsageError
from monitor.chat.dialogue import Allowed, Dialogue, Do, Effect, Pressed, Show, Written
from monitor.chat.layout import Page
from monitor.chat.passbook import Passbook
from monitor.health_check import Condition
from monitor.status import Status, build_status
from monitor.words import Language
from tests.monitor import samples

NOW_MS = samples.NOW_MS
OWNER, GROUP, STRANGER = 42, -1007, 666
SLOW = Condition("latency", "warning", NOW_MS - 60_000, "the venue answers in 900 ms")


def status_of(**changes: object) -> Status:
    return build_status(samples.context(**changes), "demo", samples.TOTALS, samples.DECISIONS, (SLOW,))


class FakeDesk:
    """Implements monitor.chat.desk.Desk."""

    def __init__(self, folder: Path, status: Status | None) -> None:
        self.passbook = Passbook(folder / "journal.db")
        self.instruments: Sequence[str] = ("BTC-USDT", "ETH-USDT", "SOL-USDT")
        self.shown = status
        self.asked: list[tuple[str, str, str]] = []
        self.error: Exception | None = None

    def status(self) -> Status | None:
        return self.shown

    def settings(self) -> Mapping[str, Any]:
        return Settings().model_dump(mode="json")

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        if self.error is not None:
            raise self.error
        if verb == "adopt":
            raise UsageError("command 'adopt': not from here")
        self.asked.append((verb, reason, instrument))

    def log_lines(self, most: int) -> Sequence[str]:
        line = '{"ts": "2026-03-12T08:05:00.123+00:00", "level": "info", "event": "scan <done>", "n": 7}'
        return [line, "half a li"][:most]


class Talk:
    """One dialogue, and what it answered. Ids of updates count up by themselves."""

    def __init__(
        self,
        desk: FakeDesk,
        language: Language = "en",
        chats: Sequence[int] = (OWNER, GROUP),
        users: Sequence[int] = (),
    ) -> None:
        tokens: Iterator[int] = count(1)
        allowed = Allowed(frozenset(chats), frozenset(users))
        self.dialogue = Dialogue(desk, allowed, language, lambda: f"t{next(tokens)}")
        self.dialogue.bot_name = "EngineBot"
        self.now_ms = NOW_MS
        self._ids = count(1)

    def write(
        self,
        text: str,
        user: int = OWNER,
        chat: int = OWNER,
        sent_ms: int | None = None,
        id_: int | None = None,
    ) -> tuple[Effect, ...]:
        update = next(self._ids) if id_ is None else id_
        sent_ms = self.now_ms if sent_ms is None else sent_ms
        return self.dialogue.hear(Written(update, chat, user, sent_ms, text), self.now_ms)

    def press(
        self, data: str, user: int = OWNER, chat: int = OWNER, id_: int | None = None
    ) -> tuple[Effect, ...]:
        update = next(self._ids) if id_ is None else id_
        pressed = Pressed(update, chat, user, self.now_ms, data, 77, f"q{update}")
        return self.dialogue.hear(pressed, self.now_ms)

    def page(self, text: str) -> Page:
        [show] = self.write(text)
        assert isinstance(show, Show)
        return show.page


def wishes(effects: Sequence[Effect]) -> list[tuple[str, str]]:
    return [(e.wish.verb, e.wish.instrument) for e in effects if isinstance(e, Do)]
