"""Quiet hours, levels and lateness: what reaches people when, and nothing important lost meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import DAY_MS
from monitor.delivery import ChannelDown, ChannelRefused, Courier
from monitor.habits import Habits, Quiet, digest, shown
from monitor.outbox import LEVELS, Message
from monitor.redaction import Redactor
from tests.monitor.fakes import ScriptedChannel

MIDNIGHT_MS = 1_773_273_600_000  # 2026-03-12 00:00 UTC
HOUR_MS = 3_600_000
NIGHT = Quiet.of("22:00-07:00")


class Wall:
    """Real time; whoever sleeps moves it."""

    def __init__(self, hour: float = 0) -> None:
        self.ms = int(MIDNIGHT_MS + hour * HOUR_MS)
        self.slept: list[float] = []

    def __call__(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.ms += int(seconds * 1000)
        await asyncio.sleep(0)


class Ear(ScriptedChannel):
    """Says when it was sent a text with these words."""

    def __init__(self, *script: Exception | None) -> None:
        super().__init__(*script)
        self.words, self.heard = "", asyncio.Event()

    async def send(self, text: str, level: str) -> None:
        await super().send(text, level)
        if self.words in text:
            self.heard.set()


def courier(channel: ScriptedChannel, wall: Wall, habits: Habits) -> Courier:
    return Courier(channel, Redactor(), wall.sleep, habits, wall)


async def work(c: Courier, ear: Ear, until: str) -> None:
    """Let a courier work until its channel has been sent these words."""
    ear.words, ear.heard = until, asyncio.Event()
    task = asyncio.create_task(c.serve())
    async with asyncio.timeout(30):
        await ear.heard.wait()
    c.closing = True
    c.news.set()
    await task


@pytest.mark.parametrize(
    ("quiet", "hour", "left_hours"),
    [
        ("22:00-07:00", 21.99, 0),
        ("22:00-07:00", 22, 9),
        ("22:00-07:00", 23.5, 7.5),
        ("22:00-07:00", 0, 7),
        ("22:00-07:00", 6.5, 0.5),
        ("22:00-07:00", 7, 0),
        ("13:00-14:30", 12.5, 0),
        ("13:00-14:30", 13, 1.5),
        ("13:00-14:30", 14.5, 0),
        ("08:00-08:00", 8, 0),
    ],
)
def test_quiet_hours_begin_and_end_on_the_minute(quiet: str, hour: float, left_hours: float) -> None:
    assert Quiet.of(quiet).left_ms(int(MIDNIGHT_MS + hour * HOUR_MS)) == left_hours * HOUR_MS


@given(st.integers(0, 1439), st.integers(0, 1439), st.integers(0, DAY_MS - 1))
def test_when_the_quiet_is_said_to_end_it_ends(begin: int, end: int, at_ms: int) -> None:
    quiet = Quiet(begin, end)
    left_ms = quiet.left_ms(at_ms)
    assert 0 <= left_ms <= DAY_MS
    assert quiet.left_ms(at_ms + left_ms) == 0
    assert left_ms == 0 or quiet.left_ms(at_ms + left_ms - 1) == 1


async def test_in_quiet_hours_only_what_is_critical_comes_and_the_rest_as_one_digest() -> None:
    channel, wall = Ear(), Wall(23)
    c = courier(channel, wall, Habits(quiet=NIGHT))
    for level, text in (("info", "i"), ("warning", "w"), ("critical", "ALARM"), ("info", "i2")):
        c.put(Message(level, text))
    await work(c, channel, "While it was quiet")
    assert channel.texts == ["ALARM", "While it was quiet: 1 warnings, 2 notes\nw\ni\ni2"]
    assert wall.ms == MIDNIGHT_MS + 31 * HOUR_MS  # at seven, not a minute earlier
    assert c.delivered == 4


async def test_a_digest_that_does_not_get_through_comes_again_whole() -> None:
    channel, wall = Ear(ChannelDown("no answer")), Wall(6)
    c = courier(channel, wall, Habits(quiet=NIGHT))
    c.put(Message("warning", "w"))
    await work(c, channel, "While")
    assert channel.texts == ["While it was quiet: 1 warnings, 0 notes\nw"]


async def test_after_the_digest_messages_come_as_always() -> None:
    channel, wall = Ear(), Wall(6)
    c = courier(channel, wall, Habits(quiet=NIGHT))
    c.put(Message("info", "night"))
    await work(c, channel, "While")
    c.closing = False
    c.put(Message("info", "morning"))
    await work(c, channel, "morning")
    assert channel.texts[-1] == "morning"


async def test_a_refused_digest_holds_nothing_back() -> None:
    channel, wall = ScriptedChannel(ChannelRefused("no such chat")), Wall(6)
    c = courier(channel, wall, Habits(quiet=NIGHT))
    c.put(Message("info", "night"))
    wall.ms += HOUR_MS
    await c.deliver()
    c.put(Message("info", "morning"))
    await c.deliver()
    assert channel.texts == ["morning"]


async def test_a_channel_is_sent_nothing_below_its_level() -> None:
    channel = ScriptedChannel()
    c = courier(channel, Wall(12), Habits(least={"scripted": "warning"}))
    for level in reversed(LEVELS):
        c.put(Message(level, level))
    await c.deliver()
    assert channel.texts == ["critical\nwarning"]
    assert c.undelivered == 0


def test_what_comes_late_says_how_late() -> None:
    message = Message("critical", "Engine stopped", MIDNIGHT_MS, is_kept=True)
    assert shown(message, MIDNIGHT_MS + 2 * HOUR_MS + 300_000, "en") == "(2h 5m late) Engine stopped"
    assert shown(message, MIDNIGHT_MS + 2 * HOUR_MS, "zh") == "（迟到 2h）Engine stopped"
    assert shown(Message("critical", "x", MIDNIGHT_MS), MIDNIGHT_MS + DAY_MS, "en") == "x"


@given(
    st.lists(st.builds(Message, st.sampled_from(LEVELS), st.text(max_size=80)), min_size=1, max_size=60),
    st.integers(200, 4000),
)
def test_a_digest_fits_and_counts_what_it_leaves_out(batch: list[Message], max_chars: int) -> None:
    text = digest(batch, max_chars, "en", lambda message: message.text.replace("\n", " "))
    assert len(text) <= max_chars
    lines = text.split("\n")
    left_out = int(lines[-1].split()[2]) if lines[-1].endswith("more, in the log.") else 0
    assert len(lines) - 1 - bool(left_out) + left_out == len(batch)


def test_a_restart_in_quiet_hours_rings_nobody_and_loses_no_warning(tmp_path: Path) -> None:
    c = courier(ScriptedChannel(), Wall(23), Habits(quiet=NIGHT))
    for level in ("info", "warning"):
        c.put(Message(level, level))
    assert [m.text for m in c.important()] == ["warning"]


@pytest.mark.fault("NO1")
async def test_an_hour_without_the_service_costs_no_warning_and_says_the_worst_first() -> None:
    class Away(Ear):
        """Nobody answers for an hour of real time."""

        async def send(self, text: str, level: str) -> None:
            if wall.ms < begin_ms + HOUR_MS:
                said = next(told, None)
                if said is not None:
                    c.put(said)  # the engine goes on talking meanwhile
                raise ChannelDown("no answer")
            await super().send(text, level)

    wall = Wall(12)
    begin_ms = wall.ms
    told = iter([Message(LEVELS[n % 3], f"{LEVELS[n % 3]} {n}") for n in range(60)])
    channel = Away()
    channel.max_chars = 10_000
    c = courier(channel, wall, Habits())
    c.put(Message("info", "the last before it"))
    await work(c, channel, "critical")
    said = "\n".join(channel.texts).splitlines()
    assert not c.is_open and c.undelivered == 0
    levels = [line.split()[0] for line in said if line.split()[0] in LEVELS]
    assert levels == sorted(levels, key=LEVELS.index)
    assert levels.count("critical") == 20 and levels.count("warning") == 20
    # a probe a minute, not a storm: that is what an hour of backing off comes to
    assert 60 <= len(wall.slept) <= 75


async def test_a_full_box_gives_up_notes_before_it_gives_up_a_warning() -> None:
    channel = ScriptedChannel(max_chars=1_000_000)
    c = courier(channel, Wall(12), Habits())
    for n in range(150):
        c.put(Message("info", f"info {n}"))
        c.put(Message("warning", f"warning {n}"))
    assert len(c.important()) == 150 and c.undelivered == 100
    await c.deliver()
    assert channel.texts[0].count("warning") == 150
