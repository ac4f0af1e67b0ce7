"""What matters and could not be delivered waits in a file for the next process."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from pathlib import Path

import pytest

from monitor.delivery import ChannelDown
from monitor.keepsake import MOST, Keepsake
from monitor.notifier import QueueNotifier
from monitor.outbox import Message
from monitor.redaction import Redactor
from tests.monitor.fakes import ScriptedChannel, Sleeps, StillClock

WALL_MS = 1_800_000_000_000
HOUR_MS = 3_600_000


class Dead(ScriptedChannel):
    """Fails once and then hangs, as a service does that is gone for long."""

    def __init__(self) -> None:
        super().__init__(ChannelDown("no answer"))
        self.tried = threading.Event()

    async def send(self, text: str, level: str) -> None:
        if not self.script:
            self.tried.set()
            await asyncio.Event().wait()
        await super().send(text, level)


class Life:
    """One process after the other over one file."""

    def __init__(self, folder: Path) -> None:
        self.path, self.wall_ms = folder / "messages.json", WALL_MS
        self.heard: list[str] = []

    def notifier(self, *channels: ScriptedChannel) -> QueueNotifier:
        return QueueNotifier(
            channels,
            StillClock(),
            "en",
            Redactor(["s3cret-token"]),
            lambda _, __, text: self.heard.append(text),
            Sleeps(),
            keepsake=Keepsake(self.path),
            wall_ms=lambda: self.wall_ms,
        )


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


async def undelivered(life: Life) -> None:
    """A process whose channel is dead, and its end."""
    dead = Dead()
    notifier = life.notifier(dead)
    notifier.start()
    for level in ("info", "warning", "critical"):
        notifier.tell("alarm", level, {"what": "x", "detail": f"{level} s3cret-token"})
    assert dead.tried.wait(30)
    await notifier.stop(patience_s=0.05)


@pytest.mark.fault("NO1")
async def test_the_next_process_delivers_what_matters_and_says_how_late(life: Life) -> None:
    await undelivered(life)
    assert "s3cret" not in life.path.read_text()
    life.wall_ms += 2 * HOUR_MS
    channel = ScriptedChannel()
    notifier = life.notifier(channel)
    notifier.start()
    await notifier.stop()
    [text] = channel.texts
    critical, warning = text.splitlines()
    assert critical.startswith("(2h late) 🔴") and critical.endswith("ALARM: x: critical ***")
    assert warning.startswith("(2h late) 🟡")
    assert not life.path.exists()
    assert (notifier.delivered, notifier.undelivered) == (2, 0)


@pytest.mark.fault("NO1")
async def test_what_is_late_twice_still_says_it_once(life: Life) -> None:
    await undelivered(life)
    for _ in range(2):
        dead = Dead()
        again = life.notifier(dead)
        again.start()
        assert dead.tried.wait(30)
        await again.stop(patience_s=0.05)
    channel = ScriptedChannel()
    notifier = life.notifier(channel)
    notifier.start()
    await notifier.stop()
    assert channel.texts[0].count("late") == 2  # once for each of the two


@pytest.mark.fault("NO1")
async def test_what_matters_is_in_the_file_before_it_is_on_its_way(life: Life) -> None:
    seen: list[str] = []

    class Looking(ScriptedChannel):
        async def send(self, text: str, level: str) -> None:
            seen.append(life.path.read_text())
            await super().send(text, level)

    notifier = life.notifier(Looking())
    notifier.tell("stop", "critical", {"reason": "asked"})
    notifier.start()
    await notifier.stop()
    assert "Engine stopped: asked" in seen[0]
    assert not life.path.exists()


async def test_delivered_and_unimportant_messages_leave_no_file(life: Life) -> None:
    dead = Dead()
    notifier = life.notifier(dead)
    notifier.start()
    notifier.tell("stop", "info", {"reason": "asked"})
    assert dead.tried.wait(30)
    await notifier.stop(patience_s=0.05)
    assert not life.path.exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"version": 2, "channels": {}}', '{"version": 1}', '{"version": 1, "channels": []}',
     '{"version": 1, "channels": {"scripted": [{"level": "loud", "put_ms": 1, "text": "x"}]}}',
     '{"version": 1, "channels": {"scripted": [{"level": "info", "put_ms": "x", "text": "x"}]}}'],
)  # fmt: skip
async def test_a_file_that_cannot_be_read_is_set_aside_and_told(life: Life, text: str) -> None:
    life.path.write_text(text)
    channel = ScriptedChannel()
    notifier = life.notifier(channel)
    notifier.start()
    await notifier.stop()
    assert life.path.with_name("messages.json.unreadable").read_text() == text
    [told] = life.heard
    assert "kept messages: messages.json: " in told and "it is now messages.json.unreadable" in told
    assert told in channel.texts[0]


def test_the_file_is_bounded_and_keeps_the_most_urgent_first(tmp_path: Path) -> None:
    path = tmp_path / "messages.json"
    warnings = [Message("warning", f"w{n}" + "x" * 9_000, n) for n in range(MOST)]
    Keepsake(path).save({"a": [*warnings, Message("critical", "alarm", 999)]})
    kept, problem = Keepsake(path).load()
    assert problem == "" and len(kept["a"]) == MOST
    assert kept["a"][0].text == "alarm" and kept["a"][-1].text.startswith(f"w{MOST - 2}x")
    assert path.stat().st_size < 300_000


def test_a_disk_that_fails_is_logged_once_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keepsake = Keepsake(tmp_path / "missing" / "messages.json")
    for n in range(3):
        keepsake.save({"a": [Message("critical", str(n), 1)]})
    assert caplog.text.count("messages_not_kept") == 1
    (tmp_path / "missing").mkdir()
    keepsake.save({"a": [Message("critical", "2", 1)]})
    assert json.loads((tmp_path / "missing" / "messages.json").read_text())["channels"]["a"][0]["text"] == "2"


async def test_messages_of_a_channel_that_is_gone_are_logged(
    life: Life, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    Keepsake(life.path).save({"telegram:1": [Message("critical", "alarm", 1)]})
    notifier = life.notifier(ScriptedChannel())
    notifier.start()
    await notifier.stop()
    assert "messages_dropped channel=telegram:1" in caplog.text


async def test_a_text_may_be_posted_from_any_thread_and_secrets_are_masked(life: Life) -> None:
    channel = ScriptedChannel()
    notifier = life.notifier(channel)
    notifier.start()
    thread = threading.Thread(target=notifier.post, args=("info", "a report with s3cret-token"))
    thread.start()
    thread.join()
    await notifier.stop()
    assert channel.texts == ["a report with ***"]
