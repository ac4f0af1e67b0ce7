"""Telegram and DingTalk against a local server that speaks their protocols."""

import base64
import hashlib
import hmac
import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from config.monitor import Telegram
from monitor.delivery import Channel, ChannelBusy, ChannelDown, ChannelRefused
from monitor.dingtalk import DingTalkChannel
from monitor.notifier import QueueNotifier
from monitor.redaction import Redactor
from monitor.telegram import TelegramChannel, telegram_channels
from tests.monitor.fakes import Answer, Sleeps, StillClock, web_service

TOKEN = "123456:CANARY-telegram-token"
ACCESS = "CANARY-dingtalk-access"
SECRET = "SEC-CANARY-dingtalk/secret+"
WALL_MS = 1_773_302_700_124  # its signature has a plus and a slash in it, which must be quoted


def answer(status: int, headers: dict[str, str] | None = None, **body: object) -> Answer:
    return Answer(status, json.dumps(body).encode(), headers or {})


SENT = answer(
    200, ok=True, result={"message_id": 1, "date": 1_773_302_700, "chat": {"id": 42, "type": "private"}}
)
FLOOD = answer(429, ok=False, description="Too Many Requests", parameters={"retry_after": 17})
UNAUTHORIZED = answer(401, ok=False, error_code=401, description="Unauthorized")
NO_CHAT = answer(400, ok=False, error_code=400, description="Bad Request: chat not found")
BLOCKED = answer(403, ok=False, error_code=403, description="Forbidden: bot was blocked by the user")
HANG_UP = Answer(0)
HTML = Answer(502, b"<html>bad gateway</html>", {"content-type": "text/html"})

TAKEN = answer(200, errcode=0, errmsg="ok")
TOO_FAST = answer(200, errcode=130101, errmsg="send too fast")
BAD_TOKEN = answer(200, errcode=300001, errmsg="token is not exist")
BAD_SIGN = answer(200, errcode=310000, errmsg="sign not match")


def telegram(url: str) -> TelegramChannel:
    return TelegramChannel(TOKEN, 42, url)


def dingtalk(url: str) -> DingTalkChannel:
    return DingTalkChannel(f"{url}/robot/send?access_token={ACCESS}", SECRET, wall_ms=lambda: WALL_MS)


async def outcome(channel: Channel, text: str = "hello 你好 & <b>") -> Exception | None:
    try:
        await channel.send(text, "warning")
    except (ChannelBusy, ChannelDown, ChannelRefused) as error:
        return error
    finally:
        await channel.close()
    return None


async def test_telegram_sends_the_text_as_it_is_to_its_chat() -> None:
    with web_service(otherwise=SENT) as service:
        assert await outcome(telegram(service.url)) is None
    assert service.paths == [f"/bot{TOKEN}/sendMessage"]
    sent = {name: values[0] for name, values in parse_qs(service.bodies[0].decode()).items()}
    assert (sent["chat_id"], sent["text"]) == ("42", "hello 你好 & <b>")
    assert "parse_mode" not in sent


async def test_telegram_says_how_long_to_wait() -> None:
    with web_service(otherwise=FLOOD) as service:
        error = await outcome(telegram(service.url))
    assert isinstance(error, ChannelBusy)
    assert error.retry_after_s == 17


@pytest.mark.parametrize("reply", [UNAUTHORIZED, NO_CHAT, BLOCKED])
async def test_telegram_refusals_are_final(reply: Answer) -> None:
    with web_service(otherwise=reply) as service:
        error = await outcome(telegram(service.url))
    assert isinstance(error, ChannelRefused)


@pytest.mark.parametrize("reply", [HANG_UP, HTML, answer(500, ok=False), answer(200), Answer(200, b"[]")])
async def test_telegram_without_a_usable_answer_is_down(reply: Answer) -> None:
    with web_service(otherwise=reply) as service:
        error = await outcome(telegram(service.url))
    assert isinstance(error, ChannelDown)


@pytest.mark.fault("NO1")
async def test_telegram_at_a_closed_port_is_down() -> None:
    with web_service(otherwise=SENT) as service:
        pass
    assert isinstance(await outcome(telegram(service.url)), ChannelDown)


def test_each_chat_is_a_channel_of_its_own() -> None:
    channels = telegram_channels(Telegram(enabled=True, chat_ids=(42, -7)), TOKEN)
    assert [c.name for c in channels] == ["telegram:42", "telegram:-7"]


async def test_dingtalk_signs_and_sends() -> None:
    with web_service(otherwise=TAKEN) as service:
        assert await outcome(dingtalk(service.url)) is None
    query = {name: values[0] for name, values in parse_qs(urlsplit(service.paths[0]).query).items()}
    expected = hmac.new(SECRET.encode(), f"{WALL_MS}\n{SECRET}".encode(), hashlib.sha256).digest()
    assert query["access_token"] == ACCESS
    assert query["timestamp"] == str(WALL_MS)
    assert base64.b64decode(query["sign"]) == expected
    told = json.loads(service.bodies[0])
    assert (told["msgtype"], told["text"]) == ("text", {"content": "hello 你好 & <b>"})


async def test_dingtalk_sends_the_same_text_under_the_same_key_so_that_it_is_shown_once() -> None:
    with web_service(HANG_UP, otherwise=TAKEN) as service:
        channel = dingtalk(service.url)
        with pytest.raises(ChannelDown):
            await channel.send("alarm", "critical")
        await channel.send("alarm", "critical")
        await channel.send("another", "critical")
        await channel.close()
    first, again, other = (json.loads(body)["msgUuid"] for body in service.bodies)
    assert first == again != other


async def test_dingtalk_without_a_secret_does_not_sign_and_puts_the_keyword_in() -> None:
    with web_service(otherwise=TAKEN) as service:
        channel = DingTalkChannel(f"{service.url}/robot/send?access_token={ACCESS}", "", "引擎")
        await channel.send("stopped", "critical")
        await channel.send("引擎停止", "critical")
        await channel.close()
    assert service.paths == [f"/robot/send?access_token={ACCESS}"] * 2
    said = [json.loads(body)["text"]["content"] for body in service.bodies]
    assert said == ["[引擎] stopped", "引擎停止"]


def test_dingtalk_is_never_sent_more_than_twenty_messages_in_a_minute() -> None:
    assert 60 / DingTalkChannel.pace_s + 1 <= 20


@pytest.mark.parametrize(("level", "rings"), [("critical", True), ("warning", True), ("info", False)])
async def test_telegram_lets_a_phone_ring_only_for_what_matters(level: str, rings: bool) -> None:
    with web_service(otherwise=SENT) as service:
        channel = telegram(service.url)
        await channel.send("hello", level)
        await channel.close()
    quietly = parse_qs(service.bodies[0].decode()).get("disable_notification", ["False"])[0].lower()
    assert (quietly == "true") is not rings


@pytest.mark.parametrize(
    ("reply", "wait_s"),
    [(TOO_FAST, 600), (answer(429, {"retry-after": "12"}), 12), (answer(429), 600)],
)
async def test_dingtalk_says_when_it_is_too_fast(reply: Answer, wait_s: float) -> None:
    with web_service(otherwise=reply) as service:
        error = await outcome(dingtalk(service.url))
    assert isinstance(error, ChannelBusy)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize("reply", [BAD_TOKEN, BAD_SIGN])
async def test_dingtalk_refusals_are_final_and_carry_the_services_words(reply: Answer) -> None:
    with web_service(otherwise=reply) as service:
        error = await outcome(dingtalk(service.url))
    assert isinstance(error, ChannelRefused)
    assert "errcode 3" in str(error)


@pytest.mark.parametrize(
    "reply", [HANG_UP, HTML, answer(200), Answer(200, b"[]"), answer(200, errcode=-1), answer(404)]
)
async def test_dingtalk_without_a_usable_answer_is_down(reply: Answer) -> None:
    with web_service(otherwise=reply) as service:
        error = await outcome(dingtalk(service.url))
    assert isinstance(error, ChannelDown)


TROUBLES = {
    "telegram": (FLOOD, HANG_UP, HTML),
    "dingtalk": (TOO_FAST, HANG_UP, HTML),
}


@pytest.mark.parametrize("service_name", TROUBLES)
async def test_a_service_that_comes_back_gets_the_message_once(service_name: str) -> None:
    fine = SENT if service_name == "telegram" else TAKEN
    with web_service(*TROUBLES[service_name], otherwise=fine) as service:
        channel: Channel = (telegram if service_name == "telegram" else dingtalk)(service.url)
        sleeps = Sleeps()
        notifier = QueueNotifier(
            [channel], StillClock(), "zh", Redactor([TOKEN, ACCESS, SECRET]), None, sleeps
        )
        notifier.start()
        notifier.tell("stop", "critical", {"reason": "人工"})
        await notifier.stop(patience_s=30)
    assert (notifier.delivered, notifier.undelivered) == (1, 0)
    assert len(service.bodies) == 4
    # what the service asked for, then our own backoff, between them the channel's pace
    asked_for = 17.0 if service_name == "telegram" else 600.0
    assert [s for s in sleeps.seconds if s in (17.0, 600.0)] == [asked_for]
    assert [s for s in sleeps.seconds if s in (1.0, 2.0)] == [1.0, 2.0]


@pytest.mark.parametrize("service_name", TROUBLES)
@pytest.mark.fault("SE1")
async def test_no_secret_shows_in_any_log_or_error(
    service_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # as monitor/logs.py sets it
    logging.getLogger("httpcore").setLevel(logging.WARNING)
    make = telegram if service_name == "telegram" else dingtalk
    replies = [HANG_UP, HTML, FLOOD, UNAUTHORIZED, NO_CHAT, BAD_TOKEN, BAD_SIGN, TOO_FAST]
    seen = ""
    for reply in replies:
        with web_service(otherwise=reply) as service:
            error = await outcome(make(service.url))
            seen += f"{error!r} {error} {error.__cause__ if error else None}"
            notifier = QueueNotifier(
                [make(service.url)], StillClock(), "en", Redactor([TOKEN, ACCESS, SECRET])
            )
            notifier.start()
            notifier.tell("alarm", "critical", {"what": "x", "detail": f"{reply.status} {TOKEN} {SECRET}"})
            await notifier.stop(patience_s=0.2)
    assert "CANARY" not in seen + caplog.text
    assert caplog.text.count("message_undelivered") == len(replies)
