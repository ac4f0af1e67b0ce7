"""Any HTTP receiver as a message channel: JSON, signed so that the receiver knows who wrote it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Final

import httpx

from monitor.delivery import ChannelBusy, ChannelDown, ChannelRefused, real_ms

TIMEOUT_S: Final = 5.0
BUSY_S: Final = 60.0
TIMESTAMP, SIGNATURE = "X-Engine-Timestamp", "X-Engine-Signature"
TRY_AGAIN: Final = frozenset({408, 425})


def sign(timestamp_ms: int, body: bytes, secret: str) -> str:
    """Return `sha256=` and the hex HMAC-SHA256 of `timestamp.body` under the secret."""
    signed = f"{timestamp_ms}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


class WebhookChannel:
    """Posts {id, level, text, sent_ms} to one address. Redirects are not followed: they lead to others.

    `id` is the same when the same text is sent again, so a receiver can leave out what it has.
    """

    name = "webhook"
    max_chars = 10_000
    pace_s = 1.0

    def __init__(self, url: str, secret: str, wall_ms: Callable[[], int] = real_ms) -> None:
        self._url, self._secret, self._wall_ms = url, secret, wall_ms
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)

    async def send(self, text: str, level: str) -> None:
        now_ms = self._wall_ms()
        number = hashlib.sha256(f"{level}\n{text}".encode()).hexdigest()[:32]
        told = {"id": number, "level": level, "text": text, "sent_ms": now_ms}
        body = json.dumps(told, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: str(now_ms),
            SIGNATURE: sign(now_ms, body, self._secret),
        }
        try:
            response = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise ChannelDown(f"no answer: {type(error).__name__}") from None
        _judge(response)

    async def close(self) -> None:
        await self._client.aclose()


def _judge(response: httpx.Response) -> None:
    code = response.status_code
    if code == httpx.codes.TOO_MANY_REQUESTS:
        wait = response.headers.get("retry-after", "")
        raise ChannelBusy(float(wait) if wait.isdecimal() else BUSY_S)
    if code in TRY_AGAIN or code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ChannelDown(f"HTTP {code}")
    if not response.is_success:
        raise ChannelRefused(f"HTTP {code}")
