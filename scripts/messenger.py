"""The chat beside the engine: who may talk to it, what of it is seen, and how its commands get in.

A command goes the way of every operator's: a file in the data folder and the doorbell, so that it is the
same fact in the journal wherever it came from, and waits while the engine is busy or restarts.
"""

from __future__ import annotations

import asyncio
import secrets as chance
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from config.monitor import Monitor
from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError
from core.journal import FILE_NAME as JOURNAL
from monitor.chat.daily import DailyReport
from monitor.chat.dialogue import Allowed, Dialogue
from monitor.chat.passbook import Passbook
from monitor.delivery import real_ms
from monitor.notifier import QueueNotifier
from monitor.redaction import Redactor
from monitor.side_thread import Service, SideThread
from monitor.status import Status
from scripts.cockpit import SAID_BY_WEB, EngineDesk
from scripts.commands import Command, Verb, send

SAID_BY_CHAT: Final = SAID_BY_WEB
GOODBYE_S: Final = 4.0

Tell = Callable[[str, str, Mapping[str, object]], None]


class ChatDesk:
    """Implements monitor.chat.desk.Desk for the engine of one data folder."""

    def __init__(self, folder: Path, settings: Settings, desk: EngineDesk) -> None:
        self._folder, self._desk = folder, desk
        self._listed = settings.instruments.instruments
        self.passbook = Passbook(folder / JOURNAL)

    @property
    def instruments(self) -> Sequence[str]:
        status = self.status()
        if status is None:
            return self._listed
        held, judged = (h.instrument for h in status.hedges), (c.instrument for c in status.candidates)
        return sorted({*self._listed, *held, *judged})

    def status(self) -> Status | None:
        return self._desk.status()

    def settings(self) -> Mapping[str, Any]:
        return self._desk.settings()

    def log_lines(self, most: int) -> Sequence[str]:
        return self._desk.log_lines(most)

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        if verb not in SAID_BY_CHAT:
            raise UsageError(f"command {verb!r}: allowed are {', '.join(sorted(SAID_BY_CHAT))}")
        send(self._folder, Command(Verb(verb), f"{reason} (telegram)", instrument))


@contextmanager
def open_chat(
    monitor: Monitor,
    secrets: Secrets,
    desk: ChatDesk,
    folder: Path,
    notifier: QueueNotifier,
    redact: Redactor,
) -> Iterator[None]:
    """While inside, chats are heard and the daily report is made, in a thread of their own.

    Belongs into the engine's running loop: what the chat has to tell is told there.
    """
    services: list[Service] = []
    if monitor.telegram.enabled and monitor.telegram.commands and secrets.telegram_bot_token is not None:
        token = secrets.telegram_bot_token.get_secret_value()
        tell = _told_in(asyncio.get_running_loop(), notifier)
        services.append(_bot(monitor, token, desk, redact, tell))
    if notifier.couriers and monitor.daily_report_hour is not None:
        report = DailyReport(desk, monitor.daily_report_hour, monitor.language, folder, notifier.post)
        services.append(report.run)
    if not services:
        yield
        return
    thread = SideThread("chat", services, redact)
    thread.start()
    try:
        yield
    finally:
        thread.stop(GOODBYE_S)


def _bot(monitor: Monitor, token: str, desk: ChatDesk, redact: Redactor, tell: Tell) -> Service:
    from monitor.chat.bot import TelegramBot  # its library is loaded only for who has a chat

    telegram, language = monitor.telegram, monitor.language
    allowed = Allowed(frozenset(telegram.chat_ids), frozenset(telegram.user_ids))
    dialogue = Dialogue(desk, allowed, language, lambda: chance.token_urlsafe(12))
    return TelegramBot(token, telegram.base_url, dialogue, desk, language, redact, tell, real_ms).run


def _told_in(loop: asyncio.AbstractEventLoop, notifier: QueueNotifier) -> Tell:
    """`tell` for other threads: it happens in the engine's."""

    def tell(topic: str, level: str, fields: Mapping[str, object]) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody is left to be told
            loop.call_soon_threadsafe(notifier.tell, topic, level, fields)

    return tell
