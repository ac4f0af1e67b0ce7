"""The operator's chat with a daemon that trades: asked, commanded, and while its server is away."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import pytest

from scripts.commands import Command, Verb, send
from tests.canaries import CANARIES, leaks
from tests.e2e.rig import ROOT, main, venue
from tests.e2e.test_cockpit import config_in
from tests.monitor.chat.bot_api import BotApi, Call, Trouble, bot_api

pytestmark = pytest.mark.timeout(300)
SPEED = "3600"


@dataclass
class Daemon:
    """A demo whose operator is reached at the local server, and its lines."""

    api: BotApi
    lines: IO[str]
    process: subprocess.Popen[str]

    def ask(self, text: str) -> Call:
        """Say something in the operator's chat and return what comes back."""
        before = len(self.api.calls)
        self.api.say(text)
        return self.api.hear("sendMessage", lambda c: c.fields.get("parse_mode") == "HTML", before)

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        assert self.process.returncode == 0


@contextmanager
def daemon(folder: Path, api: BotApi, url: str, *arguments: str) -> Iterator[Daemon]:
    config = folder / "config"
    if not config.exists():
        monitor = config_in(config) / "monitor.yaml"
        before, _, after = monitor.read_text().partition("telegram:\n")
        for old, new in (("enabled: false", "enabled: true"), ("chat_ids: []", "chat_ids: [42]"),
                         ("base_url: null", f"base_url: {url}")):  # fmt: skip
            after = after.replace(old, new, 1)
        monitor.write_text(f"{before}telegram:\n{after}")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "run", "--no-web", "--speed", SPEED, "--data",
         str(folder / "data"), "--config", str(config), *arguments],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield Daemon(api, process.stdout, process)
    finally:
        process.kill()
        process.communicate()


def is_plain(call: Call) -> bool:
    """A message of the engine's own accord."""
    return "parse_mode" not in call.fields


def test_a_flatten_by_chat_ends_stopped_and_flat(tmp_path: Path) -> None:
    with bot_api() as (api, url), daemon(tmp_path, api, url) as of:
        api.hear("sendMessage", lambda c: is_plain(c) and "Opened" in c.text)
        assert "permission" not in (told := of.ask("/status").text) and "equity" in told
        assert "ETH-USDT" in of.ask("/why eth").text
        assert of.ask("/hedges").buttons[-1] == "c:flatten"
        assert api.tokens == {CANARIES["TELEGRAM_BOT_TOKEN"]}
        # somebody else says the same, and is not heard
        api.say("/flatten", user=666, chat=666)
        question = of.ask("/flatten")
        assert question.fields["chat_id"] == "42"
        api.press(question.buttons[0])
        assert "handed to the engine" in api.hear("editMessageText").text
        api.hear("sendMessage", lambda c: is_plain(c) and "Closed" in c.text)
        for _ in range(100):  # the next decision may be under way still
            if "STOPPED" in (told := of.ask("/status").text) and "hedges                0" in told:
                break
        assert "STOPPED" in told
        of.end()
    told = main("status", "--data", str(tmp_path / "data")).out
    assert "STOPPED" in told
    exported = main("journal", "export", "--data", str(tmp_path / "data")).out
    assert '"reason":"/flatten by 42 (telegram)"' in exported.replace('": "', '":"')
    assert main("journal", "verify", "--data", str(tmp_path / "data")).code == 0
    assert list(leaks(tmp_path)) == []


def test_an_engine_that_starts_again_with_a_changed_configuration_hears_its_chat(tmp_path: Path) -> None:
    with bot_api() as (api, url), daemon(tmp_path, api, url) as of:
        api.hear("sendMessage", lambda c: is_plain(c) and "Connected" in c.text)
        send(tmp_path / "data", Command(Verb.CONFIGURE, "a test", "", 0, {"monitor.language": "zh"}))
        api.hear("sendMessage", lambda c: is_plain(c) and "已连接" in c.text)
        before = len(api.calls)
        api.hear("getUpdates", after=before)
        assert "权益" in of.ask("/status").text
        of.end()
    assert not any("another program" in call.text or "另有程序" in call.text for call in api.calls)


@pytest.mark.fault("NO1")
def test_while_the_server_is_away_the_engine_trades_and_its_messages_come_later(tmp_path: Path) -> None:
    with bot_api() as (api, url), daemon(tmp_path, api, url) as of:
        api.hear("sendMessage", lambda c: is_plain(c) and "Opened" in c.text)
        api.break_down(Trouble(0))
        before = len(api.calls)
        assert len(list(islice((line for line in of.lines if "Funding" in line), 2))) == 2
        assert not any(call.method == "setMyCommands" for call in api.calls[before:])
        api.break_down(None)
        healed = len(api.calls)
        api.hear("sendMessage", lambda c: is_plain(c) and "Funding" in c.text, healed)
        assert "equity" in of.ask("/status").text  # and the chat is back too
        of.end()
    assert main("journal", "verify", "--data", str(tmp_path / "data")).code == 0


@pytest.mark.fault("NO1")
def test_what_a_daemon_could_not_say_the_next_one_says(tmp_path: Path) -> None:
    with bot_api() as (api, url), venue("--seed", "7") as market:
        with daemon(tmp_path, api, url, "--venue", market) as of:
            api.hear("sendMessage", lambda c: is_plain(c) and "Opened" in c.text)
            api.break_down(Trouble(500))
            assert main("pause", "--data", str(tmp_path / "data")).code == 0
            next(line for line in of.lines if "Operator: pause" in line)
            of.end()
        assert "Operator: pause" in (tmp_path / "data" / "messages.json").read_text()
        api.break_down(None)
        healed = len(api.calls)
        with daemon(tmp_path, api, url, "--venue", market) as of:
            call = api.hear("sendMessage", lambda c: is_plain(c) and "Operator: pause" in c.text, healed)
            assert "late) 🟡" in call.text
            api.hear("sendMessage", lambda c: "Connected" in c.text, healed)
            of.end()
    assert not (tmp_path / "data" / "messages.json").exists()
