import asyncio
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.delivery import (
    OPEN_AFTER,
    ChannelBusy,
    ChannelDown,
    ChannelRefused,
    Courier,
    PostOffice,
)
from monitor.outbox import LEVELS, Message, Outbox
from monitor.redaction import Redactor
from tests.monitor.fakes import ScriptedChannel, Sleeps


def info(text: str) -> Message:
    return Message("info", text)


def courier(channel: ScriptedChannel, sleeps: Sleeps | None = None) -> Courier:
    return Courier(channel, Redactor(["s3cret-token"]), sleeps or Sleeps())


def test_urgent_messages_leave_first_and_equals_in_order() -> None:
    box = Outbox()
    for level, text in (("info", "a"), ("warning", "b"), ("critical", "c"), ("critical", "d"), ("info", "e")):
        box.put(Message(level, text))
    assert [m.text for m in box.take(100)] == ["c", "d", "b", "a", "e"]


def test_a_batch_takes_what_fits_and_never_lets_the_less_urgent_overtake() -> None:
    box = Outbox()
    for message in (Message("warning", "w" * 10), Message("warning", "v" * 10), Message("info", "i")):
        box.put(message)
    assert [m.text for m in box.take(15)] == ["w" * 10]
    assert [m.text for m in box.take(15)] == ["v" * 10, "i"]
    assert box.take(15) == ()


def test_a_message_longer_than_a_send_still_leaves() -> None:
    box = Outbox()
    box.put(info("x" * 50))
    assert len(box.take(10)) == 1


def test_a_full_box_gives_up_the_oldest_of_the_least_urgent() -> None:
    box = Outbox(capacity=3)
    for message in (info("old"), info("new"), Message("warning", "w")):
        assert box.put(message) is None
    assert box.put(Message("critical", "c")) == info("old")
    assert box.put(info("newest")) == info("new")
    assert [m.text for m in box.take(100)] == ["c", "w", "newest"]


def test_info_never_pushes_out_anything_more_urgent() -> None:
    box = Outbox(capacity=1)
    box.put(Message("warning", "w"))
    assert box.put(info("i")) == info("i")


def test_a_box_full_of_critical_messages_keeps_the_first() -> None:
    box = Outbox(capacity=2)
    for text in ("cause", "effect"):
        box.put(Message("critical", text))
    assert box.put(Message("critical", "echo")) == Message("critical", "echo")
    assert [m.text for m in box.take(100)] == ["cause", "effect"]


messages = st.builds(Message, st.sampled_from(LEVELS), st.text(min_size=1, max_size=12))


@given(st.lists(messages, max_size=40), st.integers(1, 10), st.integers(1, 40))
def test_no_message_is_lost_or_doubled_and_no_critical_one_yields_to_less(
    sent: list[Message], capacity: int, max_chars: int
) -> None:
    box = Outbox(capacity)
    given_up: list[Message] = []
    taken: list[Message] = []
    for message in sent:
        if (lost := box.put(message)) is not None:
            given_up.append(lost)
            if lost.level == "critical":
                assert all(m.level == "critical" for lane in box._lanes.values() for m in lane)
        assert len(box) <= capacity
    while batch := box.take(max_chars):
        assert len(batch) == 1 or sum(len(m.text) for m in batch) + len(batch) - 1 <= max_chars
        taken += batch
    assert sorted(map(repr, taken + given_up)) == sorted(map(repr, sent))
    assert [LEVELS.index(m.level) for m in taken] == sorted(LEVELS.index(m.level) for m in taken)


async def test_waiting_messages_travel_together() -> None:
    channel = ScriptedChannel()
    c = courier(channel)
    for n in range(3):
        c.put(info(f"m{n}"))
    await c.deliver()
    assert channel.texts == ["m0\nm1\nm2"]
    assert (c.delivered, c.undelivered) == (3, 0)


async def test_a_text_is_cut_to_what_the_channel_takes() -> None:
    channel = ScriptedChannel(max_chars=10)
    c = courier(channel)
    c.put(info("x" * 50))
    await c.deliver()
    assert channel.texts == ["x" * 10]


@pytest.mark.fault("NO2")
async def test_the_services_own_waiting_time_is_kept_and_nothing_is_lost() -> None:
    channel, sleeps = ScriptedChannel(ChannelBusy(17)), Sleeps()
    c = courier(channel, sleeps)
    c.put(info("m"))
    await c.deliver()
    assert sleeps.seconds == [17]
    assert channel.texts == ["m"]
    assert c.failures == 0


@pytest.mark.fault("NO1")
async def test_a_channel_that_is_down_is_waited_for_longer_and_longer() -> None:
    channel, sleeps = ScriptedChannel(*[ChannelDown("no answer")] * 9), Sleeps()
    c = courier(channel, sleeps)
    c.put(info("m"))
    await c.deliver()
    assert sleeps.seconds == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert channel.texts == ["m"]


@pytest.mark.fault("NO1")
async def test_the_circuit_opens_after_failures_in_a_row_and_closes_with_a_delivery() -> None:
    open_during = []

    class Watched(ScriptedChannel):
        async def send(self, text: str, level: str) -> None:
            open_during.append(c.is_open)
            await super().send(text, level)

    c = courier(Watched(*[ChannelDown("no answer")] * OPEN_AFTER))
    c.put(info("m"))
    await c.deliver()
    assert open_during == [False] * OPEN_AFTER + [True]
    assert not c.is_open


@pytest.mark.fault("NO2")
async def test_a_critical_message_overtakes_while_the_channel_is_down() -> None:
    class Alarming(ScriptedChannel):
        async def send(self, text: str, level: str) -> None:
            if self.script:
                c.put(Message("critical", "alarm"))
            await super().send(text, level)

    channel = Alarming(ChannelDown("no answer"), max_chars=5)
    c = courier(channel)
    c.put(info("quiet"))
    await c.deliver()
    assert channel.texts == ["alarm", "quiet"]


async def test_a_refused_message_is_given_up_with_its_text_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    channel = ScriptedChannel(ChannelRefused("chat not found, s3cret-token"))
    c = courier(channel)
    c.put(Message("critical", "alarm"))
    await c.deliver()
    assert (c.delivered, c.undelivered, channel.texts) == (0, 1, [])
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "alarm" in record.getMessage()
    assert "s3cret-token" not in record.getMessage()


async def test_a_channel_that_refuses_everything_counts_as_down() -> None:
    c = courier(ScriptedChannel(*[ChannelRefused("wrong token")] * OPEN_AFTER))
    for n in range(OPEN_AFTER):
        assert not c.is_open
        c.put(info(str(n)))
        await c.deliver()
    assert c.is_open


async def test_a_failed_batch_keeps_its_order() -> None:
    channel = ScriptedChannel(ChannelDown("once"))
    c = courier(channel)
    for text in ("a", "b", "c"):
        c.put(info(text))
    await c.deliver()
    assert channel.texts == ["a\nb\nc"]


@pytest.mark.fault("DP1")
async def test_an_error_nobody_thought_of_does_not_end_the_courier() -> None:
    channel = ScriptedChannel(RuntimeError("library bug"))
    c = courier(channel)
    c.put(info("m"))
    await c.deliver()
    assert channel.texts == ["m"]


async def test_the_pace_of_the_channel_is_kept_between_two_sends() -> None:
    channel, sleeps = ScriptedChannel(max_chars=1), Sleeps()
    channel.pace_s = 1_000.0
    c = courier(channel, sleeps)
    c.put(info("a"))
    await c.deliver()
    assert sleeps.seconds == []  # nobody waits after the last one
    c.put(info("b"))
    await c.deliver()
    (waited,) = sleeps.seconds
    assert 0 < waited <= 1_000


async def test_a_cancelled_send_keeps_its_message() -> None:
    class Hanging(ScriptedChannel):
        async def send(self, text: str, level: str) -> None:
            sending.set()
            await asyncio.Event().wait()

    sending = asyncio.Event()
    c = courier(Hanging())
    c.put(info("m"))
    task = asyncio.create_task(c.deliver())
    await sending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(c.outbox) == 1


def test_the_post_office_delivers_and_closes() -> None:
    channel = ScriptedChannel()
    c = courier(channel)
    office = PostOffice([c])
    c.put(info("before the start"))
    office.start()
    c.put(info("after the start"))
    office.wake()
    office.stop(patience_s=5)
    assert "\n".join(channel.texts) == "before the start\nafter the start"
    assert channel.closed


@pytest.mark.fault("NO2")
def test_what_cannot_be_delivered_in_time_is_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(ScriptedChannel):
        async def send(self, text: str, level: str) -> None:
            await asyncio.Event().wait()

        async def close(self) -> None:
            raise RuntimeError("cannot even close")

    deaf, fine = courier(Deaf()), courier(ScriptedChannel())
    office = PostOffice([deaf, fine])
    office.start()
    for c in (deaf, fine):
        c.put(Message("critical", "engine stopped"))
    office.wake()
    office.stop(patience_s=0.05)
    assert (deaf.delivered, deaf.undelivered) == (0, 1)
    assert (fine.delivered, fine.undelivered) == (1, 0)
    assert "engine stopped" in caplog.text
    assert "cannot even close" in caplog.text


def test_messages_after_the_end_are_counted_not_queued() -> None:
    c = courier(ScriptedChannel())
    office = PostOffice([c])
    office.start()
    office.stop(patience_s=5)
    c.put(info("too late"))
    office.wake()
    assert (c.undelivered, len(c.outbox)) == (1, 0)


def test_an_office_that_never_opened_gives_up_its_messages() -> None:
    c = courier(ScriptedChannel())
    c.put(info("m"))
    PostOffice([c]).stop(patience_s=5)
    assert c.undelivered == 1
