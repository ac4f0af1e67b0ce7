"""Messages to people: rendered, told once, queued by urgency. Trading never waits for them.

tell() -> text -> told already? -> one outbox per channel -> couriers in a thread of their own
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from core.ports import Clock
from monitor import formats
from monitor.delivery import Channel, Courier, PostOffice, Sleep, real_ms
from monitor.habits import Habits
from monitor.keepsake import Keepsake
from monitor.outbox import LEVELS, Message
from monitor.redaction import Redactor
from monitor.texts import TextError, render
from monitor.words import Language

log = logging.getLogger(__name__)

MARKS: Final[Mapping[str, str]] = {"critical": "🔴", "warning": "🟡", "info": "🟢"}
LOG_LEVELS: Final[Mapping[str, int]] = {
    "critical": logging.ERROR,
    "warning": logging.WARNING,
    "info": logging.INFO,
}
REPEAT_AFTER_MS = 10 * 60_000  # the same words are news again after this time (engine clock)
REMEMBERED = 500  # texts kept for that


class QueueNotifier:
    """core.ports.Notifier over any number of channels, also none.

    A message with the field `condition` is told when the condition begins and again when its level
    rises; `recovered` with the same `condition` ends it, and is silent when there was nothing to end.
    Any other text is told once in ten minutes. Every told message is in the local log, and
    `echo(at_ms, level, text)` hears it at once: the console, which people have without any channel.

    Call `tell` from the engine's thread only. Counters may be read at any time.
    """

    def __init__(
        self,
        channels: Sequence[Channel],
        clock: Clock,
        language: Language,
        redact: Redactor,
        echo: Callable[[int, str, str], None] | None = None,
        sleep: Sleep = asyncio.sleep,
        habits: Habits | None = None,
        keepsake: Keepsake | None = None,
        wall_ms: Callable[[], int] = real_ms,
    ) -> None:
        self.couriers = tuple(Courier(channel, redact, sleep, habits, wall_ms) for channel in channels)
        self._office = PostOffice(self.couriers, keepsake)
        self._keepsake, self._wall_ms = keepsake, wall_ms
        self._clock, self._language, self._redact, self._echo = clock, language, redact, echo
        self._conditions: dict[str, str] = {}  # condition -> the worst level it was told at
        self._told: OrderedDict[str, int] = OrderedDict()  # text -> when, oldest first

    @property
    def delivered(self) -> int:
        return sum(courier.delivered for courier in self.couriers)

    @property
    def undelivered(self) -> int:
        return sum(courier.undelivered for courier in self.couriers)

    @property
    def channels_down(self) -> tuple[str, ...]:
        return tuple(courier.channel.name for courier in self.couriers if courier.is_open)

    def start(self) -> None:
        """Begin to deliver, what an earlier process could not deliver first."""
        if not self.couriers:
            return
        if self._keepsake is not None:
            kept, problem = self._keepsake.load()
            for courier in self.couriers:
                for message in kept.get(courier.channel.name, ()):
                    courier.put(message)
            for name in kept.keys() - {courier.channel.name for courier in self.couriers}:
                log.warning("%s", self._redact(f"messages_dropped channel={name} reason='not configured'"))
            if problem:
                self.tell("trouble", "warning", {"what": "kept messages", "detail": problem})
        self._office.start()

    def post(self, level: str, text: str) -> None:
        """Send a text that is ready, as it is. Unlike `tell` it may be called from any thread."""
        self._put(level, self._redact(text))

    async def stop(self, patience_s: float = 5.0) -> None:
        """Deliver what waits for at most `patience_s` real seconds; the rest is logged as undelivered."""
        with self._clock.holding():
            await asyncio.get_running_loop().run_in_executor(None, self._office.stop, patience_s)

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        try:
            self._tell(topic, level if level in LEVELS else "warning", fields)
        except Exception as error:  # noqa: BLE001  # the port's promise: a message never hurts its sender
            log.error("%s", self._redact(f"message_lost topic={topic} error={error!r}"))

    def _tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        text = self._redact(self._text(topic, fields))
        now_ms = self._clock.now_ms()
        condition = str(fields.get("condition", ""))
        if not (self._changes(topic, level, condition) if condition else self._is_new(text, now_ms)):
            return
        log.log(LOG_LEVELS[level], "%s", f"message topic={topic} text={text!r}")
        if self._echo:
            self._echo(now_ms, level, text)
        self._put(level, f"{MARKS[level]} {formats.utc(now_ms)} {text}")

    def _put(self, level: str, text: str) -> None:
        for courier in self.couriers:
            courier.put(Message(level, text, self._wall_ms()))
        self._office.wake()

    def _text(self, topic: str, fields: Mapping[str, object]) -> str:
        try:
            return render(topic, fields, self._language)
        except TextError as error:
            # An ugly message is better than none: the facts are in the fields.
            log.error("%s", self._redact(f"text_failed topic={topic} error={error}"))
            return f"{topic}: " + ", ".join(f"{name}={value}" for name, value in fields.items())

    def _changes(self, topic: str, level: str, condition: str) -> bool:
        if topic == "recovered":
            return self._conditions.pop(condition, None) is not None
        told = self._conditions.get(condition)
        if told is not None and LEVELS.index(told) <= LEVELS.index(level):
            return False
        self._conditions[condition] = level
        return True

    def _is_new(self, text: str, now_ms: int) -> bool:
        told_ms = self._told.get(text)
        if told_ms is not None and now_ms - told_ms < REPEAT_AFTER_MS:
            return False
        self._told[text] = now_ms
        self._told.move_to_end(text)
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True
