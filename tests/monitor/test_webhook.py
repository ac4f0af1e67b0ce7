"""The signed webhook against a receiver over real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from monitor.delivery import ChannelBusy, ChannelDown, ChannelRefused
from monitor.webhook import SIGNATURE, TIMESTAMP, WebhookChannel, sign
from tests.monitor.fakes import Answer, web_service
from tests.monitor.smtp_server import closed_port

SECRET = "CANARY-webhook-secret"
WALL_MS = 1_773_302_700_124
FINE = Answer(204, b"")


def channel(url: str) -> WebhookChannel:
    return WebhookChannel(f"{url}/hook", SECRET, lambda: WALL_MS)


@contextmanager
def receiver() -> Iterator[tuple[str, list[tuple[Mapping[str, str], bytes]]]]:
    """Keeps headers and bodies, as a receiver that checks signatures must."""
    got: list[tuple[Mapping[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_message_is_posted_with_a_signature_its_receiver_can_check() -> None:
    with receiver() as (url, got):
        of = channel(url)
        await of.send("引擎停止 stopped", "critical")
        await of.close()
    [(headers, body)] = got
    told = json.loads(body)
    assert (told["level"], told["text"], told["sent_ms"]) == ("critical", "引擎停止 stopped", WALL_MS)
    lower = {name.lower(): value for name, value in headers.items()}
    assert lower["content-type"] == "application/json"
    assert lower[TIMESTAMP.lower()] == str(WALL_MS)
    assert lower[SIGNATURE.lower()] == sign(WALL_MS, body, SECRET)


def test_the_signature_is_the_documented_one() -> None:
    # echo -n '1700000000000.{}' | openssl dgst -sha256 -hmac key
    expected = "sha256=36a72f4525d3323bd0f238fe82098164fb77b1e42288ff8e07b074c686178ad3"
    assert sign(1_700_000_000_000, b"{}", "key") == expected


async def test_the_same_text_again_has_the_same_id() -> None:
    with web_service(Answer(500), otherwise=FINE) as service:
        of = channel(service.url)
        with pytest.raises(ChannelDown):
            await of.send("alarm", "critical")
        await of.send("alarm", "critical")
        await of.send("alarm", "warning")
        await of.close()
    first, again, other = (json.loads(body)["id"] for body in service.bodies)
    assert first == again != other


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Answer(429, headers={"retry-after": "12"}), ChannelBusy),
        (Answer(429), ChannelBusy),
        (Answer(500), ChannelDown),
        (Answer(503), ChannelDown),
        (Answer(408), ChannelDown),
        (Answer(0), ChannelDown),
        (Answer(302, headers={"location": "http://evil.example/"}), ChannelRefused),
        (Answer(401), ChannelRefused),
        (Answer(404), ChannelRefused),
    ],
)
@pytest.mark.fault("NO1")
async def test_what_the_receiver_says_decides_whether_to_try_again(
    reply: Answer, kind: type[Exception]
) -> None:
    with web_service(otherwise=reply) as service:
        of = channel(service.url)
        with pytest.raises(kind) as caught:
            await of.send("alarm", "critical")
        await of.close()
    assert len(service.bodies) == 1
    if isinstance(caught.value, ChannelBusy):
        assert caught.value.retry_after_s == (12 if reply.headers else 60)
    assert "CANARY" not in str(caught.value)


@pytest.mark.fault("NO1")
async def test_a_closed_port_is_down() -> None:
    of = channel(f"http://127.0.0.1:{closed_port()}")
    with pytest.raises(ChannelDown):
        await of.send("alarm", "critical")
    await of.close()
