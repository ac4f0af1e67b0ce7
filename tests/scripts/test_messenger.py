"""The chat's thread beside an engine: what is opened for which configuration, and how commands get in."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from config.monitor import DingTalk, Email, Monitor, Receiver, Telegram
from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError
from monitor.habits import Quiet
from monitor.notifier import QueueNotifier
from monitor.redaction import Redactor
from monitor.status import Status, build_status
from scripts.channels import channels_of, habits_of
from scripts.commands import Command, Verb, take
from scripts.messenger import ChatDesk, open_chat
from tests.monitor import samples
from tests.monitor.chat.bot_api import Trouble, bot_api
from tests.monitor.fakes import StillClock
from tests.scripts.test_cockpit import desk_of

TOKEN = "123456:a-token"
MAIL = Email(enabled=True, host="localhost", sender="a@b.example", recipients=("c@d.example",), user="me")


def secrets(**given: str) -> Secrets:
    none: dict[str, Any] = dict.fromkeys(Secrets.model_fields)
    return Secrets(**(none | given))


def status() -> Status:
    return build_status(samples.context(), "demo", samples.TOTALS, samples.DECISIONS)


def desk(folder: Path, shown: Status | None = None) -> ChatDesk:
    return ChatDesk(folder, Settings(), desk_of(folder, shown))


def notifier() -> QueueNotifier:
    return QueueNotifier((), StillClock(), "en", Redactor())


def test_a_command_lies_in_the_box_with_its_reason_and_where_it_came_from(tmp_path: Path) -> None:
    desk(tmp_path).command("close", "/close BTC-USDT by 42", "BTC-USDT")
    assert list(take(tmp_path)) == [Command(Verb.CLOSE, "/close BTC-USDT by 42 (telegram)", "BTC-USDT")]


@pytest.mark.parametrize("verb", ["adopt", "refuse", "buy"])
def test_what_may_not_come_from_a_chat_is_refused(tmp_path: Path, verb: str) -> None:
    with pytest.raises(UsageError, match="allowed are close, flatten, halt"):
        desk(tmp_path).command(verb, "x")
    assert list(take(tmp_path)) == []


def test_one_may_ask_about_what_is_configured_and_whatever_else_is_seen(tmp_path: Path) -> None:
    assert list(desk(tmp_path).instruments) == ["BTC-USDT", "ETH-USDT"]
    assert set(desk(tmp_path, status()).instruments) > {"BTC-USDT", "ETH-USDT", "SOL-USDT"}


def test_who_has_no_chat_does_not_load_its_library() -> None:
    code = "import sys, scripts.daemon; sys.exit('telegram' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_nothing_is_opened_for_who_has_no_channel(tmp_path: Path) -> None:
    before = threading.active_count()
    with open_chat(Monitor(), secrets(), desk(tmp_path), tmp_path, notifier(), Redactor()):
        assert threading.active_count() == before


async def test_a_chat_that_only_sends_hears_nobody(tmp_path: Path) -> None:
    with bot_api() as (api, url):
        telegram = Telegram(enabled=True, chat_ids=(42,), commands=False, base_url=url)
        monitor = Monitor(telegram=telegram, daily_report_hour=None)
        with open_chat(
            monitor, secrets(telegram_bot_token=TOKEN), desk(tmp_path), tmp_path, notifier(), Redactor()
        ):
            pass
    assert api.calls == []


async def test_what_ails_the_chat_is_told_in_the_engines_loop(tmp_path: Path) -> None:
    heard: list[tuple[str, threading.Thread]] = []
    told = asyncio.Event()

    def echo(_: int, __: str, text: str) -> None:
        heard.append((text, threading.current_thread()))
        told.set()

    with bot_api() as (api, url):
        api.plague("getMe", Trouble(401, "Unauthorized"))
        monitor = Monitor(telegram=Telegram(enabled=True, chat_ids=(42,), base_url=url))
        given, voice = (
            secrets(telegram_bot_token=TOKEN),
            QueueNotifier((), StillClock(), "en", Redactor(), echo),
        )
        with open_chat(monitor, given, desk(tmp_path), tmp_path, voice, Redactor()):
            async with asyncio.timeout(30):
                await told.wait()
    [(text, thread)] = heard
    assert text.startswith("Trouble: chat: the bot token is not accepted")
    assert thread is threading.main_thread()


def test_every_channel_is_built_from_its_section_and_secret() -> None:
    monitor = Monitor(
        telegram=Telegram(enabled=True, chat_ids=(1, 2), min_level="critical"),
        dingtalk=DingTalk(enabled=True),
        email=MAIL,
        receiver=Receiver(enabled=True, url="https://a.example/hook", min_level="warning"),
        quiet_hours="22:00-07:00",
        language="zh",
    )
    given = secrets(
        telegram_bot_token=TOKEN,
        dingtalk_webhook="https://a.example/robot",
        dingtalk_secret="SEC",
        smtp_password="pass",
        webhook_secret="hook",
    )
    names = [channel.name for channel in channels_of(monitor, given)]
    assert names == ["telegram:1", "telegram:2", "dingtalk", "email", "webhook"]
    habits = habits_of(monitor)
    assert (habits.language, habits.quiet) == ("zh", Quiet(22 * 60, 7 * 60))
    assert {name: habits.least[name] for name in names} == {
        "telegram:1": "critical", "telegram:2": "critical", "dingtalk": "info", "email": "warning",
        "webhook": "warning",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("monitor", "variable"),
    [
        (Monitor(telegram=Telegram(enabled=True, chat_ids=(1,))), "TELEGRAM_BOT_TOKEN"),
        (Monitor(dingtalk=DingTalk(enabled=True)), "DINGTALK_WEBHOOK"),
        (Monitor(email=MAIL), "SMTP_PASSWORD"),
        (Monitor(receiver=Receiver(enabled=True, url="https://a.example/")), "WEBHOOK_SECRET"),
    ],
)
def test_a_channel_without_its_secret_stops_the_start(monitor: Monitor, variable: str) -> None:
    with pytest.raises(UsageError, match=variable):
        channels_of(monitor, secrets())
    assert variable in secrets().missing(Settings(monitor=monitor), trading=False)


def test_dingtalk_with_a_keyword_needs_no_secret() -> None:
    monitor = Monitor(dingtalk=DingTalk(enabled=True, keyword="引擎"))
    [channel] = channels_of(monitor, secrets(dingtalk_webhook="https://a.example/robot"))
    assert channel.name == "dingtalk"
