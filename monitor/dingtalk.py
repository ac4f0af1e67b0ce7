"""DingTalk as a message channel: a group robot's signed webhook."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from urllib.parse import quote_plus

import httpx

from monitor.delivery import ChannelBusy, ChannelDown, ChannelRefused, real_ms

TIMEOUT_S = 5.0
BUSY_CODES = frozenset({130101, 660026})  # more than twenty messages a minute
BUSY_S = 600.0  # who sends more is shut out for ten minutes
SYSTEM_BUSY = -1


def sign(timestamp_ms: int, secret: str) -> str:
    """Return the URL-quoted signature: HMAC-SHA256 of "timestamp\\nsecret" under the secret, base64.

    Source: DingTalk custom robot access, "additional signature".
    """
    text = f"{timestamp_ms}\n{secret}".encode()
    return quote_plus(base64.b64encode(hmac.new(secret.encode(), text, hashlib.sha256).digest()))


class DingTalkChannel:
    """Sends to the group behind one webhook, at most twenty messages a minute.

    The group's robot checks a signature, a keyword that every text must hold, or the sender's address:
    `secret` signs, `keyword` is put into texts that lack it; each may be empty.

    The webhook's URL carries the access token, and httpx names the URL in its logs and some errors: its
    loggers stay at WARNING (monitor/logs.py), and errors raised here never contain a URL.
    """

    name = "dingtalk"
    max_chars = 5000  # the service takes 20,000 bytes
    pace_s = 3.2  # nineteen in any minute

    def __init__(
        self,
        webhook: str,
        secret: str,
        keyword: str = "",
        wall_ms: Callable[[], int] = real_ms,
    ) -> None:
        self._webhook, self._secret, self._keyword, self._wall_ms = webhook, secret, keyword, wall_ms
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S)

    async def send(self, text: str, level: str) -> None:
        if self._keyword not in text:
            text = f"[{self._keyword}] {text}"
        message = {
            "msgtype": "text",
            "text": {"content": text},
            # Sent again after no answer, the same text is shown once.
            "msgUuid": hashlib.sha256(text.encode()).hexdigest()[:32],
        }
        try:
            response = await self._client.post(self._url(), json=message)
        except httpx.HTTPError as error:
            raise ChannelDown(f"no answer: {type(error).__name__}") from None
        _judge(response)

    def _url(self) -> str:
        if not self._secret:
            return self._webhook
        now_ms = self._wall_ms()
        joint = "&" if "?" in self._webhook else "?"
        return f"{self._webhook}{joint}timestamp={now_ms}&sign={sign(now_ms, self._secret)}"

    async def close(self) -> None:
        await self._client.aclose()


def _judge(response: httpx.Response) -> None:
    # The service answers 200 with an errcode; anything else comes from something in between.
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        wait = response.headers.get("retry-after", "")
        raise ChannelBusy(float(wait) if wait.isdecimal() else BUSY_S)
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ChannelDown(f"HTTP {response.status_code}")
    try:
        answer = response.json()
        code = int(answer["errcode"])
    except (ValueError, TypeError, KeyError):
        raise ChannelDown(f"HTTP {response.status_code} without an errcode") from None
    if code in BUSY_CODES:
        raise ChannelBusy(BUSY_S)
    if code == SYSTEM_BUSY:
        raise ChannelDown("errcode -1: the service is busy")
    if code != 0:
        raise ChannelRefused(f"errcode {code}: {answer.get('errmsg', '')}")
