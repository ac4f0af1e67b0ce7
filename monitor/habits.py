"""How a channel is written to: what is urgent enough for it, and when it is left in peace. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from core.types import DAY_MS
from monitor.outbox import Message
from monitor.texts import render
from monitor.words import Language

MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Quiet:
    """A part of every UTC day, in minutes after midnight; one that ends before it begins spans midnight."""

    begin: int
    end: int

    @classmethod
    def of(cls, text: str) -> Quiet:
        """`22:00-07:30`. The configuration has checked its form."""
        begin, end = (
            int(hour) * 60 + int(minute) for hour, minute in (t.split(":") for t in text.split("-"))
        )
        return cls(begin, end)

    def left_ms(self, at_ms: int) -> int:
        """For how long it is still quiet; 0 when it is not."""
        minutes_ms = at_ms % DAY_MS
        begin_ms, end_ms = self.begin * MINUTE_MS, self.end * MINUTE_MS
        if begin_ms <= end_ms:
            return end_ms - minutes_ms if begin_ms <= minutes_ms < end_ms else 0
        if minutes_ms >= begin_ms:
            return DAY_MS - minutes_ms + end_ms
        return max(0, end_ms - minutes_ms)


@dataclass(frozen=True, slots=True)
class Habits:
    """`least`: by channel name, the least level that is sent there; a channel not named gets everything."""

    language: Language = "en"
    quiet: Quiet | None = None
    least: Mapping[str, str] = field(default_factory=dict)


def shown(message: Message, now_ms: int, language: Language) -> str:
    """A message's text; one that an earlier process could not deliver says how late it comes."""
    if not message.is_kept:
        return message.text
    fields = {"age_ms": max(0, now_ms - message.put_ms), "text": message.text}
    return render("late", fields, language)


def digest(
    batch: Sequence[Message], max_chars: int, language: Language, say: Callable[[Message], str]
) -> str:
    """One text for what waited through the quiet hours, as much of it as fits, the urgent first."""
    warnings = sum(message.level == "warning" for message in batch)
    fields = {"warnings": warnings, "infos": len(batch) - warnings}
    lines = [render("digest", fields, language)]
    room = max_chars - len(lines[0]) - len(render("digest.more", {"count": len(batch)}, language)) - 1
    for number, message in enumerate(batch):
        text = say(message)
        if len(text) + 1 > room:
            lines.append(render("digest.more", {"count": len(batch) - number}, language))
            break
        room -= len(text) + 1
        lines.append(text)
    return "\n".join(lines)
