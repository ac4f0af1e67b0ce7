"""The conversation: what somebody wrote or pressed becomes what is shown and what is asked of the engine.

Nothing here speaks to a service. A shown page is only text; a wish for the engine comes out as `Do`, and
only after it was asked back and confirmed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from core.errors import EngineError
from core.types import DAY_MS
from monitor.chat.answers import Answers
from monitor.chat.commands import CATALOGUE, PERIODS, Command, Mistake, parse
from monitor.chat.confirmation import PATIENCE_S, Confirmations, Wish
from monitor.chat.desk import Desk
from monitor.chat.layout import Button, Page
from monitor.chat.passbook import Stretch
from monitor.status import Status
from monitor.texts import render
from monitor.words import Language, label

OLDEST_MS: Final = 3 * 60_000  # a command that waited longer while nobody listened is asked for again
UPDATES_REMEMBERED: Final = 1_000
LOG_LINES: Final = 10
ROUNDS_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Heard:
    """Something from a chat. Ids are the service's; `sent_ms` and all other times here are real UTC."""

    update_id: int
    chat_id: int
    user_id: int
    sent_ms: int


@dataclass(frozen=True, slots=True)
class Written(Heard):
    text: str


@dataclass(frozen=True, slots=True)
class Pressed(Heard):
    """A button under one of our messages. `sent_ms` is when it arrived: the service does not say."""

    data: str
    message_id: int
    query_id: str


@dataclass(frozen=True, slots=True)
class Show:
    """Send a page; with `message_id` put it where that message is. `chart`: also a picture of this."""

    chat_id: int
    page: Page
    message_id: int | None = None
    chart: Stretch | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Tell the service that a press was heard, with a word for who pressed."""

    query_id: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Do:
    """Hand a confirmed wish to the engine; show `done` in the message, or say that it failed."""

    wish: Wish
    message_id: int
    done: Page


@dataclass(frozen=True, slots=True)
class Refuse:
    """Not from somebody who may: to the log, and never an answer."""

    heard: Heard


Effect = Show | Notice | Do | Refuse


@dataclass(frozen=True, slots=True)
class Allowed:
    """Who may command. Without user ids only private chats that are listed; their owner has the same id."""

    chat_ids: frozenset[int]
    user_ids: frozenset[int] = frozenset()

    def may(self, heard: Heard) -> bool:
        if heard.chat_id not in self.chat_ids:
            return False
        return heard.user_id in self.user_ids if self.user_ids else heard.user_id == heard.chat_id


class Dialogue:
    """One bot's conversation with everybody. Not for several threads."""

    def __init__(
        self, desk: Desk, allowed: Allowed, language: Language, new_token: Callable[[], str]
    ) -> None:
        self._desk, self._allowed, self._language = desk, allowed, language
        self._answers = Answers(language)
        self._confirmations = Confirmations(new_token)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self.bot_name = ""

    def hear(self, heard: Written | Pressed, now_ms: int) -> tuple[Effect, ...]:
        """What is to be done about it, in order. An update that was heard before changes nothing."""
        if not self._allowed.may(heard):  # first: a stranger's flood must not push out what is remembered
            return (Refuse(heard),)
        if heard.update_id in self._seen:
            return ()
        self._seen[heard.update_id] = None
        while len(self._seen) > UPDATES_REMEMBERED:
            self._seen.popitem(last=False)
        if isinstance(heard, Written):
            return tuple(self._written(heard, now_ms))
        return tuple(self._pressed(heard, now_ms))

    # --- what was written ------------------------------------------------------------------------

    def _written(self, heard: Written, now_ms: int) -> Iterable[Effect]:
        said = parse(heard.text, self.bot_name, self._desk.instruments)
        if said is None:
            return
        if isinstance(said, Mistake):
            yield Show(heard.chat_id, Page(render(said.topic, said.fields, self._language)))
        elif said.entry.verb:
            yield self._asked_back(said, heard, now_ms)
        else:
            yield self._shown(said, heard.chat_id, None)

    def _asked_back(self, said: Command, heard: Heard, now_ms: int) -> Effect:
        """A wish that trades or changes the permission: what it would do, and a yes and a no."""
        command = f"/{said.entry.name} {said.argument}".rstrip()
        age_ms = now_ms - heard.sent_ms
        if age_ms > OLDEST_MS:
            return self._say(heard.chat_id, "chat.too_old", command=command, age_ms=age_ms)
        plan = self._plan(said, self._desk.status())
        if plan is None:
            held = tuple(h.instrument for h in status.hedges) if (status := self._desk.status()) else ()
            return self._say(heard.chat_id, "chat.not_held", instrument=said.argument, held=held or ("–",))
        wish = Wish(said.entry.verb, said.argument, command, heard.chat_id, heard.user_id)
        token = self._confirmations.ask(wish, now_ms)
        buttons = (
            Button(f"✅ {label('yes', self._language)}", f"y:{token}"),
            Button(f"✖ {label('no', self._language)}", f"n:{token}"),
        )
        return Show(heard.chat_id, replace(plan, head=self._asking(command), buttons=(buttons,)))

    def _asking(self, command: str) -> str:
        fields = {"command": command, "seconds": PATIENCE_S}
        return "❓ " + render("chat.confirm", fields, self._language)

    def _plan(self, said: Command, status: Status | None) -> Page | None:
        """Exactly what would be done, the legs as they are now; None when it cannot be done."""
        verb, topic = said.entry.verb, f"chat.plan.{said.entry.verb}"
        hedges = status.hedges if status is not None else ()
        if verb == "close":
            hedges = tuple(h for h in hedges if h.instrument == said.argument)
            if not hedges:
                return None
        if verb == "flatten" and status is None:
            topic = "chat.plan.flatten_unseen"
        elif verb == "flatten" and not hedges:
            topic = "chat.plan.flatten_nothing"
        lines = self._answers.legs(hedges) if verb in ("flatten", "close", "halt") else ()
        return Page("", lines, (render(topic, {}, self._language),))

    # --- what was pressed ------------------------------------------------------------------------

    def _pressed(self, heard: Pressed, now_ms: int) -> Iterable[Effect]:
        kind, _, rest = heard.data.partition(":")
        if kind == "c":
            yield Notice(heard.query_id)
            said = parse(f"/{rest}", self.bot_name, self._desk.instruments)
            if isinstance(said, Command) and said.entry.verb:
                yield self._asked_back(said, heard, now_ms)
            elif isinstance(said, Command):
                yield self._shown(said, heard.chat_id, heard.message_id)
            return
        taken = self._confirmations.take(rest, heard.chat_id, heard.user_id, now_ms)
        if isinstance(taken, str):
            text = render(taken, {}, self._language)
            yield Notice(heard.query_id, text)
            if taken == "chat.expired":
                yield Show(heard.chat_id, Page(f"⌛ {text}"), heard.message_id)
            return
        fields = {"command": taken.command}
        if kind == "y":
            done = Page("✅ " + render("chat.sent", fields, self._language))
            yield Do(taken, heard.message_id, done)  # before anything that waits for the service
            yield Notice(heard.query_id)
        else:
            yield Notice(heard.query_id)
            cancelled = Page("✖ " + render("chat.cancelled", fields, self._language))
            yield Show(heard.chat_id, cancelled, heard.message_id)

    # --- what is shown ---------------------------------------------------------------------------

    def _shown(self, said: Command, chat_id: int, message_id: int | None) -> Show:
        if said.entry.name == "help":
            return Show(chat_id, self._answers.help(), message_id)
        if said.entry.name == "logs":
            lines = self._desk.log_lines(int(said.argument or LOG_LINES))
            return Show(chat_id, self._answers.logs(lines), message_id)
        status = self._desk.status()
        if status is None:
            return replace(self._say(chat_id, "chat.starting"), message_id=message_id)
        try:
            page, chart = self._page(said, status)
        except (EngineError, OSError) as error:
            return self._say(chat_id, "chat.unreadable", detail=str(error))
        # A chart is a message of its own: a page that is only turned brings none.
        return Show(chat_id, page, message_id, chart if message_id is None else None)

    def _page(self, said: Command, s: Status) -> tuple[Page, Stretch | None]:
        answers, book = self._answers, self._desk.passbook
        match said.entry.name:
            case "hedges":
                return answers.hedges(s), None
            case "pnl":
                stretch = book.stretch(_begin(said.argument, s.now_ms), s.now_ms)
                return answers.pnl(said.argument, stretch), stretch
            case "funding":
                day = book.stretch(s.now_ms - DAY_MS, s.now_ms)
                return answers.funding(s, day, book.stretch(None, s.now_ms)), None
            case "why":
                return answers.why(said.argument, s, book.judged(said.argument)), None
            case "risk":
                return answers.risk(s, self._desk.settings()), None
            case "balance":
                return answers.balance(s, book.cash(), book.moved_out()), None
            case "history":
                return answers.history(book.rounds(ROUNDS_SHOWN)), None
        return answers.status(s), None

    def _say(self, chat_id: int, topic: str, **fields: object) -> Show:
        return Show(chat_id, Page(render(topic, fields, self._language)))


def described(language: Language) -> tuple[tuple[str, str], ...]:
    """(command, description) for the service's own menu."""
    return tuple((name, entry.describe(language)) for name, entry in CATALOGUE.items())


def _begin(period: str, now_ms: int) -> int | None:
    """A day is the UTC day so far, as the engine counts it; a week and a month end now."""
    if period == "day":
        return now_ms - now_ms % DAY_MS
    return now_ms - PERIODS[period] if period else None
