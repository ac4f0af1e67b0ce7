"""The bot over real sockets, against a server that speaks the Bot API."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path

import httpx
import pytest
from PIL import Image

from core.errors import UsageError
from core.journal import FILE_NAME
from monitor.chat.bot import CALM_MS, TelegramBot
from monitor.chat.commands import ENTRIES
from monitor.chat.dialogue import OLDEST_MS, Allowed, Dialogue
from monitor.redaction import Redactor
from monitor.side_thread import SideThread
from tests.core.story import Story
from tests.monitor.chat.bot_api import CONFLICT, BotApi, Trouble, bot_api
from tests.monitor.chat.desks import NOW_MS, OWNER, STRANGER, FakeDesk, status_of
from tests.monitor.fakes import Sleeps
from tests.monitor.web.shelf import Shelf

TOKEN = "123456:CANARY-telegram-token"
REAL_MS = 1_800_000_000_000


class Wall:
    """Real time as the test wants it."""

    def __init__(self) -> None:
        self.ms = REAL_MS

    def __call__(self) -> int:
        return self.ms


@dataclass
class Line:
    """A bot at work, the server it talks to, and the engine's desk behind it."""

    api: BotApi
    url: str
    desk: FakeDesk
    wall: Wall
    told: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    sleeps: Sleeps = field(default_factory=Sleeps)

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        with self.news:
            self.told.append((topic, level, fields))
            self.news.notify_all()

    def wait(self, that: Callable[[], bool]) -> None:
        with self.news:
            assert self.news.wait_for(that, 60), self.told

    def say(self, text: str, **where: int) -> int:
        return self.api.say(text, at_s=self.wall.ms / 1000, **where)

    def confirm(self, text: str) -> str:
        """Say a command and return what its yes sends back."""
        before = len(self.api.calls)
        self.say(text)
        yes: str = self.api.hear("sendMessage", lambda c: "y:" in str(c.buttons), before).buttons[0]
        return yes


@contextmanager
def line(folder: Path, troubled: Callable[[BotApi], None] = lambda api: None) -> Iterator[Line]:
    with bot_api() as (api, url):
        troubled(api)
        desk, wall, tokens = FakeDesk(folder, status_of()), Wall(), count(1)
        of = Line(api, url, desk, wall)
        dialogue = Dialogue(desk, Allowed(frozenset({OWNER})), "en", lambda: f"t{next(tokens)}")
        bot = TelegramBot(
            TOKEN, url, dialogue, desk, "en", Redactor([TOKEN, "s3cret"]), of.tell, wall, of.sleeps
        )
        thread = SideThread("chat", [bot.run])
        thread.start()
        try:
            yield of
        finally:
            thread.stop(30)


def test_every_command_gets_an_answer(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        for entry in ENTRIES:
            before = len(of.api.calls)
            of.say(f"/{entry.name} {'eth' if entry.takes.value == 'instrument' else ''}")
            call = of.api.hear("sendMessage", after=before)
            assert call.fields["chat_id"] == str(OWNER) and call.fields["parse_mode"] == "HTML"
            assert bool(entry.verb) == any(data.startswith("y:") for data in call.buttons)
    assert of.desk.asked == [] and of.told == []


def test_the_menu_is_offered_in_both_languages(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        for code, text in (("en", "everything at a glance"), ("zh", "总览")):
            call = of.api.hear("setMyCommands", lambda c, x=code: c.fields.get("language_code") == x)  # type: ignore[misc]
            assert (
                text in call.fields["commands"].encode().decode("unicode_escape")
                or text in call.fields["commands"]
            )


def test_a_confirmed_command_reaches_the_engine_once_and_the_question_is_closed(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        yes = of.confirm("/flatten")
        of.api.press(yes, message_id=5)
        edit = of.api.hear("editMessageText")
        assert edit.fields["message_id"] == "5" and "handed to the engine" in edit.text
        assert edit.buttons == []
        of.api.hear("answerCallbackQuery")
        of.api.press(yes, message_id=5)
        of.api.hear("answerCallbackQuery", lambda c: "no longer open" in c.text)
    assert of.desk.asked == [("flatten", "/flatten by 42", "")]


def test_a_command_the_engine_cannot_take_is_said_to_have_failed(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        of.desk.error = UsageError("the disk is full")
        of.api.press(of.confirm("/pause"))
        assert "could NOT be handed over: the disk is full" in of.api.hear("editMessageText").text


@pytest.mark.fault("NO3")
def test_strangers_are_logged_and_never_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with line(tmp_path) as of:
        for _ in range(3):
            of.say("/flatten", user=STRANGER, chat=STRANGER)
        of.api.press("y:t1", user=STRANGER, chat=STRANGER)
        before = len(of.api.calls)
        of.say("/help")
        of.api.hear("sendMessage", after=before)
        asked = {call.fields.get("chat_id") for call in of.api.calls} - {None}
    assert asked == {str(OWNER)} and of.api.sent("answerCallbackQuery") == []
    assert of.desk.asked == []
    assert [r.getMessage() for r in caplog.records if "chat_refused" in r.getMessage()] == [
        "chat_refused chat=666 user=666 said='/flatten'"
    ]


@pytest.mark.fault("NO3")
def test_a_server_that_hands_out_updates_again_and_again_changes_nothing(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        of.api.forgetful = True
        of.api.press(of.confirm("/flatten"))
        of.api.hear("editMessageText")
        polls = len(of.api.sent("getUpdates"))
        of.api.hear("getUpdates", lambda c: len(of.api.sent("getUpdates")) > polls + 5)
        of.say("/help")
        of.api.hear("sendMessage", lambda c: "/unpause" in c.text)
    assert of.desk.asked == [("flatten", "/flatten by 42", "")]
    assert len(of.api.sent()) == 2


def test_a_command_from_while_nobody_listened_is_not_carried_out(tmp_path: Path) -> None:
    with bot_api() as (api, url):
        api.say("/flatten", at_s=(REAL_MS - OLDEST_MS - 60_000) / 1000)
        desk = FakeDesk(tmp_path, status_of())
        dialogue = Dialogue(desk, Allowed(frozenset({OWNER})), "en", lambda: "t1")
        bot = TelegramBot(TOKEN, url, dialogue, desk, "en", Redactor(), lambda *_: None, Wall(), Sleeps())
        thread = SideThread("chat", [bot.run])
        thread.start()
        call = api.hear("sendMessage")
        thread.stop(30)
    assert "4m ago and was not carried out" in call.text and call.buttons == []


@pytest.mark.parametrize("hours", [1, 3])
async def test_pnl_comes_with_a_picture_from_the_first_minutes_on(tmp_path: Path, hours: int) -> None:
    story = Story()
    story.now_ms = NOW_MS - hours * 3_600_000
    story.boot({"USDT": "1000"})
    for n in range(hours):
        story.equity(f"{1000 + n}")
        story.now_ms += 3_600_000
    await Shelf(tmp_path).write(story)
    assert (tmp_path / FILE_NAME).exists()
    with line(tmp_path) as of:
        of.say("/pnl")
        page = of.api.hear("sendMessage")
        assert ("gains a point every hour" in page.text) == (hours == 1)
        call = of.api.hear("sendPhoto")
        image = Image.open(BytesIO(call.files["photo"]))
        assert image.format == "PNG" and image.size == (1080, 810)


@pytest.mark.parametrize("trouble", [Trouble(500), Trouble(0), Trouble(502, "bad gateway")])
@pytest.mark.fault("NO1")
def test_an_answer_is_tried_again_while_the_server_is_in_trouble(tmp_path: Path, trouble: Trouble) -> None:
    with line(tmp_path, lambda api: api.plague("sendMessage", trouble, trouble)) as of:
        of.say("/status")
        of.api.hear("sendMessage", lambda c: len(of.api.sent()) == 3)
    assert of.sleeps.seconds[:2] == [1.0, 5.0]


@pytest.mark.fault("NO1")
def test_a_server_that_keeps_silent_is_asked_again(tmp_path: Path) -> None:
    with line(tmp_path, lambda api: api.plague("sendMessage", Trouble(-1))) as of:
        of.say("/status")
        of.api.hear("sendMessage", lambda c: len(of.api.sent()) == 2)
        of.say("/help")
        of.api.hear("sendMessage", lambda c: "/unpause" in c.text)


@pytest.mark.fault("NO2")
def test_the_servers_own_waiting_time_is_kept(tmp_path: Path) -> None:
    with line(tmp_path, lambda api: api.plague("sendMessage", Trouble(429, "slow down", 17))) as of:
        of.say("/status")
        of.api.hear("sendMessage", lambda c: len(of.api.sent()) == 2)
    assert of.sleeps.seconds[0] == 17


def test_an_answer_nobody_takes_is_given_up_and_the_next_is_given(tmp_path: Path) -> None:
    with line(tmp_path, lambda api: api.plague("sendMessage", *[Trouble(400, "chat not found")])) as of:
        of.say("/status")
        of.say("/help")
        of.api.hear("sendMessage", lambda c: "/unpause" in c.text)
    assert len(of.api.sent()) == 2


@pytest.mark.fault("NO1")
def test_the_engines_part_of_a_command_does_not_wait_for_a_server_that_is_down(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        yes = of.confirm("/flatten")
        for method in ("editMessageText", "answerCallbackQuery"):
            of.api.plague(method, *[Trouble(500)] * 4)
        of.api.press(yes)
        of.api.hear("editMessageText")
        assert of.desk.asked == [("flatten", "/flatten by 42", "")]


@pytest.mark.fault("NO1")
def test_a_server_that_is_down_at_the_start_is_waited_for(tmp_path: Path) -> None:
    with line(tmp_path, lambda api: api.plague("getMe", *[Trouble(500), Trouble(0)])) as of:
        of.say("/status")
        of.api.hear("sendMessage")
    assert of.sleeps.seconds[:2] == [1.0, 2.0]


def test_another_program_on_the_same_bot_is_told(tmp_path: Path) -> None:
    with line(tmp_path) as of:
        of.api.hear("getUpdates")
        httpx.post(f"{of.url}/bot{TOKEN}/getUpdates", data={"timeout": "0"})
        of.wait(lambda: bool(of.told))
    [(topic, level, fields)] = of.told
    assert (topic, level) == ("trouble", "warning") and "another program" in str(fields["detail"])


def test_a_second_poller_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    with line(tmp_path, lambda api: api.plague("getUpdates", CONFLICT, CONFLICT)) as of:
        of.wait(lambda: len(of.told) == 1)
        of.say("/help")
        of.api.hear("sendMessage")  # it goes on between two conflicts, and they are one condition
        assert len(of.told) == 1
        of.wall.ms += CALM_MS + 1
        of.say("/help")
        of.wait(lambda: len(of.told) == 2)
    (topic, level, fields), (end, _, ended) = of.told
    assert (topic, level, end) == ("trouble", "warning", "recovered")
    assert fields["condition"] == ended["condition"] == "chat"
    assert "another program" in str(fields["detail"])


@pytest.mark.parametrize("method", ["getMe", "getUpdates"])
def test_a_token_nobody_knows_is_told_once_and_ends_the_chat_only(tmp_path: Path, method: str) -> None:
    with line(tmp_path, lambda api: api.plague(method, *[Trouble(401, "Unauthorized")] * 9)) as of:
        of.wait(lambda: len(of.told) == 1)
    [(topic, _, fields)] = of.told
    assert topic == "trouble" and "token is not accepted" in str(fields["detail"])


@pytest.mark.fault("SE1")
def test_no_secret_is_said_or_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # as monitor/logs.py sets it
    with line(tmp_path, lambda api: api.plague("sendMessage", Trouble(500), Trouble(0), Trouble(400))) as of:
        of.say("/status")
        of.desk.error = UsageError("no room for s3cret")
        of.api.press(of.confirm("/halt"))
        assert "no room for ***" in of.api.hear("editMessageText").text
    assert "CANARY" not in caplog.text and "s3cret" not in caplog.text
    assert of.api.tokens == {TOKEN}
