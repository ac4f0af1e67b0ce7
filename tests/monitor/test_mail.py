"""E-mail against a server that speaks SMTP over real sockets, with certificates of the test's own."""

from __future__ import annotations

import logging
import ssl
from typing import Any

import pytest
import trustme

import monitor.mail
from config.monitor import Email
from monitor.delivery import ChannelDown, ChannelRefused
from monitor.mail import EmailChannel
from monitor.notifier import QueueNotifier
from monitor.redaction import Redactor
from tests.monitor.fakes import Sleeps, StillClock
from tests.monitor.smtp_server import MailServer, closed_port, mail_server

PASSWORD = "CANARY-smtp-password"
WALL_MS = 1_773_302_700_000
TEXT = "🔴 2026-03-12 08:05:00Z Engine stopped: asked\n.and a line with a dot\n权益 100,000.00"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def channel(port: int, context: ssl.SSLContext | None = None, **changes: Any) -> EmailChannel:
    settings = {
        "enabled": True,
        "host": "localhost",
        "port": port,
        "sender": "engine@fund.example",
        "user": "me",
    }
    settings["recipients"] = ("a@fund.example", "b@fund.example")
    return EmailChannel(Email(**{**settings, **changes}), PASSWORD, context, lambda: WALL_MS)


def server(**changes: Any) -> MailServer:
    return MailServer(user="me", password=PASSWORD, **changes)


async def refusal(mail: EmailChannel) -> Exception | None:
    try:
        await mail.send(TEXT, "critical")
    except (ChannelDown, ChannelRefused) as error:
        return error
    return None


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_mail_goes_encrypted_to_every_recipient(authority: trustme.CA, security: str) -> None:
    with mail_server(server(has_starttls=security == "starttls"), authority) as mail:
        await channel(mail.port, trusting(authority), security=security).send(TEXT, "critical")
    [message] = mail.messages
    assert message.get_content().splitlines() == TEXT.splitlines()
    assert message["subject"] == ("[funding engine] critical: 🔴 2026-03-12 08:05:00Z Engine stopped: asked")
    assert message["from"] == "engine@fund.example" and message["to"] == "a@fund.example, b@fund.example"
    assert message["date"] == "Thu, 12 Mar 2026 08:05:00 -0000"
    assert mail.recipients == ["a@fund.example", "b@fund.example"]
    assert "AUTH+" in mail.steps and "AUTH" not in mail.steps  # never in the clear


async def test_the_same_text_again_is_the_same_mail(authority: trustme.CA) -> None:
    with mail_server(server(), authority) as mail:
        of = channel(mail.port, trusting(authority))
        for text in ("alarm", "alarm", "another"):
            await of.send(text, "critical")
    first, again, other = (message["message-id"] for message in mail.messages)
    assert first == again != other and first.endswith("@fund.example>")


async def test_a_server_on_this_host_may_want_no_password() -> None:
    with mail_server(MailServer(has_starttls=True)) as mail:
        await channel(mail.port, security="none", user=None).send(TEXT, "info")
    assert len(mail.messages) == 1 and "AUTH" not in mail.steps


async def test_a_server_that_cannot_encrypt_gets_no_password(authority: trustme.CA) -> None:
    with mail_server(MailServer(has_starttls=True)) as mail:
        mail.replies["EHLO"] = "250 AUTH PLAIN"
        error = await refusal(channel(mail.port, trusting(authority)))
    assert isinstance(error, ChannelRefused) and "AUTH" not in mail.steps


async def test_a_certificate_of_somebody_else_is_not_trusted(authority: trustme.CA) -> None:
    with mail_server(server(), authority) as mail:
        error = await refusal(channel(mail.port, ssl.create_default_context()))
    assert isinstance(error, ChannelDown) and "certificate" in str(error)
    assert mail.messages == [] and not any("AUTH" in step for step in mail.steps)


@pytest.mark.parametrize(
    ("step", "reply", "kind"),
    [
        ("AUTH", "535 5.7.8 no", ChannelRefused),
        ("MAIL", "553 not your address", ChannelRefused),
        ("RCPT", "550 no such user", ChannelRefused),
        ("RCPT", "450 greylisted", ChannelDown),
        ("DATA", "554 no", ChannelRefused),
        ("BODY", "552 too much", ChannelRefused),
        ("BODY", "451 try later", ChannelDown),
        ("CONNECT", "421 busy", ChannelDown),
        ("CONNECT", "nonsense", ChannelDown),
    ],
)
async def test_what_the_server_says_decides_whether_to_try_again(
    authority: trustme.CA, step: str, reply: str, kind: type[Exception]
) -> None:
    with mail_server(server(replies={step: reply}), authority) as mail:
        error = await refusal(channel(mail.port, trusting(authority)))
    assert isinstance(error, kind), error
    assert mail.messages == []


async def test_some_recipients_are_better_than_none(authority: trustme.CA) -> None:
    with mail_server(server(), authority) as mail:
        await channel(mail.port, trusting(authority), recipients=("a@fund.example",)).send("x", "info")
    assert mail.recipients == ["a@fund.example"]


@pytest.mark.fault("NO1")
async def test_a_closed_port_is_down() -> None:
    assert isinstance(await refusal(channel(closed_port())), ChannelDown)


@pytest.mark.fault("NO1")
async def test_a_server_that_hangs_holds_up_neither_the_thread_nor_the_end(authority: trustme.CA) -> None:
    with mail_server(server(hang="DATA"), authority) as mail:
        notifier = QueueNotifier([channel(mail.port, trusting(authority))], StillClock(), "en", Redactor())
        notifier.start()
        notifier.tell("stop", "critical", {"reason": "asked"})
        await notifier.stop(patience_s=0.3)
    assert (notifier.delivered, notifier.undelivered) == (0, 1)


async def test_no_end_of_a_line_in_a_text_becomes_a_header(authority: trustme.CA) -> None:
    with mail_server(server(), authority) as mail:
        await channel(mail.port, trusting(authority)).send("x\rBcc: thief@evil.example\r\n\x0bmore", "info")
    assert mail.messages[0]["bcc"] is None
    assert mail.recipients == ["a@fund.example", "b@fund.example"]


@pytest.mark.fault("SE1")
async def test_the_password_shows_in_no_error_and_no_log(
    authority: trustme.CA, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = ""
    for step, reply in (("AUTH", f"535 {PASSWORD}"), ("MAIL", "553 no"), ("BODY", "451 later")):
        with mail_server(server(replies={step: reply}), authority) as mail:
            of = channel(mail.port, trusting(authority))
            seen += repr(await refusal(of))
            notifier = QueueNotifier([of], StillClock(), "en", Redactor([PASSWORD]), None, Sleeps())
            notifier.start()
            notifier.tell("alarm", "critical", {"what": "x", "detail": f"{step} {PASSWORD}"})
            await notifier.stop(patience_s=0.2)
    assert "CANARY" not in seen + caplog.text


def test_a_mail_is_given_more_time_than_one_step_with_the_server() -> None:
    assert monitor.mail.TIMEOUT_S < monitor.mail.SEND_WITHIN_S
