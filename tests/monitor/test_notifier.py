import asyncio
import logging
import threading
from collections.abc import Mapping

import pytest

from monitor.delivery import OPEN_AFTER, ChannelDown
from monitor.notifier import REMEMBERED, REPEAT_AFTER_MS, QueueNotifier
from monitor.redaction import Redactor
from tests.monitor.fakes import ScriptedChannel, Sleeps, StillClock
from tests.monitor.samples import NOW_MS


class Desk:
    """A notifier with its clock and everything it told."""

    def __init__(self, *channels: ScriptedChannel) -> None:
        self.clock = StillClock()
        self.heard: list[tuple[int, str, str]] = []
        self.notifier = QueueNotifier(
            channels,
            self.clock,
            "en",
            Redactor(["s3cret-token"]),
            lambda at_ms, level, text: self.heard.append((at_ms, level, text)),
            Sleeps(),
        )

    def tell(self, topic: str, level: str = "warning", **fields: object) -> None:
        self.notifier.tell(topic, level, fields)

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.heard]


def test_a_message_is_rendered_and_heard_at_once() -> None:
    desk = Desk()
    desk.tell("alarm", "critical", what="hedge broken", detail="gap 0.1")
    assert desk.heard == [(NOW_MS, "critical", "ALARM: hedge broken: gap 0.1")]


def test_the_same_words_are_told_once_in_ten_minutes() -> None:
    desk = Desk()
    for _ in range(100):
        desk.tell("trouble", what="tick lost", detail="scan")
    desk.clock.ms += REPEAT_AFTER_MS - 1
    desk.tell("trouble", what="tick lost", detail="scan")
    assert len(desk.texts) == 1
    desk.clock.ms += 1
    desk.tell("trouble", what="tick lost", detail="scan")
    assert len(desk.texts) == 2


def test_different_words_are_different_messages() -> None:
    desk = Desk()
    for instrument in ("BTC-USDT", "ETH-USDT"):
        desk.tell("trouble", what="funding bill missing", detail=instrument)
    assert len(desk.texts) == 2


def test_what_was_told_is_remembered_within_a_bound() -> None:
    desk = Desk()
    for n in range(REMEMBERED + 1):
        desk.tell("trouble", what="x", detail=str(n))
    desk.tell("trouble", what="x", detail="0")  # forgotten by now
    desk.tell("trouble", what="x", detail=str(REMEMBERED))
    assert len(desk.texts) == REMEMBERED + 2


def test_words_told_again_count_as_fresh() -> None:
    desk = Desk()
    for n in range(REMEMBERED):
        desk.tell("trouble", what="x", detail=str(n))
    desk.clock.ms += REPEAT_AFTER_MS
    desk.tell("trouble", what="x", detail="0")
    desk.tell("trouble", what="x", detail="one more")  # pushes out the oldest, which is no longer "0"
    desk.tell("trouble", what="x", detail="0")
    assert len(desk.texts) == REMEMBERED + 2


def test_every_told_message_is_in_the_local_log(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    for _ in range(2):
        desk.tell("alarm", "critical", what="hedge broken", detail="gap 0.1 s3cret-token")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "message topic=alarm text='ALARM: hedge broken: gap 0.1 ***'"


def test_a_condition_is_told_when_it_begins_and_when_it_ends() -> None:
    desk = Desk()
    desk.tell("recovered", "info", condition="latency", what="latency")  # there was nothing to end
    for ms in (900, 950, 990):
        desk.tell("trouble", condition="latency", what="latency", detail=f"{ms} ms")
    desk.clock.ms += 10 * REPEAT_AFTER_MS
    desk.tell("trouble", condition="latency", what="latency", detail="1000 ms")
    desk.tell("recovered", "info", condition="latency", what="latency", lasted_ms=90_000)
    desk.tell("recovered", "info", condition="latency", what="latency", lasted_ms=90_000)
    desk.tell("trouble", condition="latency", what="latency", detail="800 ms")
    assert desk.texts == [
        "Trouble: latency: 900 ms",
        "Recovered: latency after 1m 30s",
        "Trouble: latency: 800 ms",
    ]


def test_a_condition_that_gets_worse_is_told_again_and_easing_is_not() -> None:
    desk = Desk()
    for level in ("warning", "critical", "warning", "critical"):
        desk.tell("trouble", level, condition="margin_low", what="margin_low", detail=level)
    assert [level for _, level, _ in desk.heard] == ["warning", "critical"]


def test_an_unknown_topic_or_a_missing_field_still_reaches_people(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    desk.tell("nonsense", "critical", a=1, b="two")
    desk.tell("alarm", "critical", what="hedge broken")
    assert desk.texts == ["nonsense: a=1, b=two", "alarm: what=hedge broken"]
    assert caplog.text.count("text_failed") == 2


def test_an_unknown_level_is_a_warning() -> None:
    desk = Desk()
    desk.tell("alarm", "loud", what="x", detail="y")
    assert desk.heard[0][1] == "warning"


@pytest.mark.fault("NO1")
def test_telling_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    def broken(at_ms: int, level: str, text: str) -> None:
        raise BrokenPipeError("nobody reads")

    class Unprintable:
        def __str__(self) -> str:
            raise RuntimeError("no words, but s3cret-token")

    notifier = QueueNotifier((), StillClock(), "en", Redactor(["s3cret-token"]), broken)
    notifier.tell("alarm", "critical", {"what": "x", "detail": "y"})
    notifier.tell("alarm", "critical", {"what": Unprintable(), "detail": "y"})
    assert caplog.text.count("message_lost") == 2
    assert "s3cret-token" not in caplog.text


@pytest.mark.fault("SE1")
def test_a_secret_in_a_field_is_told_to_nobody() -> None:
    desk = Desk()
    desk.tell("trouble", what="errand failed", detail="GET /bots3cret-token/x")
    assert desk.texts == ["Trouble: errand failed: GET /bot***/x"]


async def test_every_channel_gets_the_message_with_mark_and_time() -> None:
    one, two = ScriptedChannel(), ScriptedChannel(ChannelDown("once"))
    desk = Desk(one, two)
    desk.notifier.start()
    desk.tell("stop", "critical", reason="asked")
    await desk.notifier.stop()
    assert one.texts == two.texts == ["🔴 2026-03-12 08:05:00Z Engine stopped: asked"]
    assert (desk.notifier.delivered, desk.notifier.undelivered) == (2, 0)
    assert one.closed
    assert two.closed


async def test_a_dead_channel_is_named_and_its_messages_are_counted() -> None:
    class Dead(ScriptedChannel):
        async def send(self, text: str, level: str) -> None:
            if not self.script:
                tried.set()
                await asyncio.Event().wait()
            await super().send(text, level)

    tried = threading.Event()
    desk = Desk(Dead(*[ChannelDown("dead")] * OPEN_AFTER))
    desk.notifier.start()
    desk.tell("stop", "critical", reason="asked")
    assert tried.wait(timeout=30)
    assert desk.notifier.channels_down == ("scripted",)
    await desk.notifier.stop(patience_s=0.05)
    assert (desk.notifier.delivered, desk.notifier.undelivered) == (0, 1)


async def test_without_channels_everything_still_works() -> None:
    desk = Desk()
    desk.notifier.start()
    desk.tell("stop", reason="asked")
    await desk.notifier.stop()
    assert desk.texts == ["Engine stopped: asked"]
    assert desk.notifier.channels_down == ()


def test_the_notifier_is_the_port() -> None:
    from core.ports import Notifier

    def needs(notifier: Notifier, fields: Mapping[str, object]) -> None:
        notifier.tell("alarm", "critical", fields)

    desk = Desk()
    needs(desk.notifier, {"what": "a", "detail": "b"})
    assert desk.texts == ["ALARM: a: b"]
