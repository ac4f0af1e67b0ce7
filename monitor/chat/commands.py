"""The commands of the chat: one catalogue, and how a line of text becomes one of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from core.types import DAY_MS
from monitor.words import Language


class Takes(Enum):
    """What may follow a command."""

    NOTHING = "nothing"
    INSTRUMENT = "instrument"
    PERIOD = "period"  # may be left out: everything
    COUNT = "count"  # may be left out


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. `verb` is what is asked of the engine; without one it only shows something.

    A command with a verb trades or changes what the engine may do, so it is asked back before it counts.
    """

    name: str
    takes: Takes
    en: str
    zh: str
    verb: str = ""

    def describe(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


ENTRIES: Final = (
    Entry("status", Takes.NOTHING, "everything at a glance", "总览"),
    Entry("hedges", Takes.NOTHING, "what is held, leg by leg", "对冲持仓"),
    Entry("pnl", Takes.PERIOD, "profit with a chart: /pnl week", "盈亏与曲线：/pnl week"),
    Entry("funding", Takes.NOTHING, "next settlements and what was received", "下次结算与已收资金费"),
    Entry("why", Takes.INSTRUMENT, "why it is held, or not: /why BTC", "为何持有或不持有：/why BTC"),
    Entry("risk", Takes.NOTHING, "permission, margin, breaker, warnings", "权限、保证金、熔断、告警"),
    Entry("balance", Takes.NOTHING, "where the money is", "资金分布"),
    Entry("history", Takes.NOTHING, "the latest closed rounds", "最近平仓"),
    Entry("logs", Takes.COUNT, "the newest lines of the log", "最新日志"),
    Entry("pause", Takes.NOTHING, "open nothing new", "暂停新开仓", "pause"),
    Entry("unpause", Takes.NOTHING, "end the pause", "取消暂停", "unpause"),
    Entry("resume", Takes.NOTHING, "leave STOPPED", "离开 STOPPED 状态", "resume"),
    Entry("halt", Takes.NOTHING, "stop, keep what is held", "停止，保留持仓", "halt"),
    Entry("flatten", Takes.NOTHING, "close everything, then stop", "全部平仓后停止", "flatten"),
    Entry("close", Takes.INSTRUMENT, "give up one hedge: /close BTC", "平掉一个对冲：/close BTC", "close"),
    Entry("scan", Takes.NOTHING, "look for a hedge now", "立即扫描", "scan"),
    Entry("help", Takes.NOTHING, "all commands", "全部命令"),
)  # fmt: skip
CATALOGUE: Final[Mapping[str, Entry]] = {entry.name: entry for entry in ENTRIES}

PERIODS: Final[Mapping[str, int]] = {"day": DAY_MS, "week": 7 * DAY_MS, "month": 30 * DAY_MS}
OTHER_WORDS: Final[Mapping[str, str]] = {
    **{"today": "day", "日": "day", "今日": "day", "周": "week", "月": "month", "all": "", "全部": ""},
    "start": "help",  # what a phone sends when a bot is opened for the first time
    "positions": "hedges",
}
MOST_LINES: Final = 30

_COMMAND = re.compile(r"/([A-Za-z_]+)(?:@(\w+))?(?:\s+(.*))?", re.S)


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was understood. `argument`: an instrument, a period or a count, as text."""

    entry: Entry
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that is for us and is no command: the topic of the answer, and its fields."""

    topic: str
    fields: Mapping[str, object]


def parse(text: str, bot_name: str, instruments: Collection[str]) -> Command | Mistake | None:
    """Read one line. None when it is not for this bot: plain talk, or another bot's command.

    instruments  names that are known; `btc`, `BTC/USDT` and `BTC-USDT-SWAP` all mean BTC-USDT.
    """
    found = _COMMAND.fullmatch(text.strip())
    if found is None or (found[2] and found[2].lower() != bot_name.lower()):
        return None
    name, argument = found[1].lower(), (found[3] or "").strip()
    entry = CATALOGUE.get(OTHER_WORDS.get(name, name))
    if entry is None:
        return Mistake("chat.unknown_command", {"command": f"/{name}"[:40]})
    match entry.takes:
        case Takes.INSTRUMENT:
            return _about_instrument(entry, argument, instruments)
        case Takes.PERIOD:
            period = OTHER_WORDS.get(argument.lower(), argument.lower())
            if period and period not in PERIODS:
                allowed = (*PERIODS, "all")
                return Mistake("chat.bad_argument", _wrong(entry, argument, allowed))
            return Command(entry, period)
        case Takes.COUNT:
            if argument and not (argument.isdecimal() and 0 < int(argument[:4]) <= MOST_LINES):
                return Mistake("chat.bad_argument", _wrong(entry, argument, (f"1 - {MOST_LINES}",)))
            return Command(entry, argument)
    return Command(entry)


def _about_instrument(entry: Entry, argument: str, instruments: Collection[str]) -> Command | Mistake:
    # One coin has one hedge here, so its name alone says which.
    coin = re.split(r"[-/_ ]", argument.upper().removesuffix("-SWAP"))[0]
    coin = coin.removesuffix("USDT") or coin
    name = f"{coin}-USDT"
    if name in instruments:
        return Command(entry, name)
    return Mistake("chat.bad_argument", _wrong(entry, argument, sorted(instruments)))


def _wrong(entry: Entry, argument: str, allowed: Collection[str]) -> dict[str, object]:
    return {"command": f"/{entry.name}", "value": argument[:40] or "–", "allowed": tuple(allowed)}
