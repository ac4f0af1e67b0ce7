"""How REST has been doing, and whether it may be used at all just now.

Two things close the door from our side: the venue's edge turned this address away (a ban, a captcha), then
nothing is sent for a while; and the key was refused several times in a row, then nothing signed is sent
until the operator says so. Asking on would only make either worse.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Final

from core.errors import AuthFailed, RateLimited, VenueError, VenueRejected
from exchange.okx.errors import CLOCK_CODE, ShutOut

MINUTE_MS: Final = 60_000
LATENCIES_KEPT: Final = 50
LATENCY_AGE_MS: Final = 600_000  # an older round trip says nothing about now
FAILURES_IN_A_ROW: Final = 3  # one question tried three times
SHUT_OUT_MS: Final = 60_000
WAIT_S: Final = 5.0  # what a caller is told to wait for at most, so that he can look around in between


@dataclass(frozen=True, slots=True)
class RestHealth:
    """Counts over the last minute, the median of recent round trips, and what keeps the door closed."""

    requests: int
    errors_1m: int
    rejects_1m: int
    throttled_1m: int
    latency_ms: Decimal
    clock_offset_ms: int
    rate_use_ratio: Decimal
    failing_since_ms: int | None
    shut_out_until_ms: int
    key_refusals: int


class RestLog:
    """Told every outcome; asked before every request. Times are the engine's clock."""

    def __init__(self, max_key_refusals: int) -> None:
        self._max_key_refusals = max_key_refusals
        self.requests = 0
        self._errors_ms: deque[int] = deque(maxlen=1000)
        self._rejects_ms: deque[int] = deque(maxlen=1000)
        self._throttled_ms: deque[int] = deque(maxlen=1000)
        self._latencies_ms: deque[tuple[int, int]] = deque(maxlen=LATENCIES_KEPT)
        self._failed_ms: deque[int] = deque(maxlen=FAILURES_IN_A_ROW)  # since the last answer
        self._failing_since_ms: int | None = None
        self._shut_out_until_ms = 0
        self._key_refusals = 0
        self._refusal = ""

    def admit(self, now_ms: int, *, signed: bool) -> None:
        """Raise RateLimited while this address is shut out, AuthFailed while the key rests."""
        left_ms = self._shut_out_until_ms - now_ms
        if left_ms > 0:
            raise RateLimited("the venue's edge refuses this address", "", min(WAIT_S, left_ms / 1000))
        if signed and self._key_refusals >= self._max_key_refusals:
            raise AuthFailed(f"the key was refused {self._key_refusals} times and rests: {self._refusal}")

    def began(self) -> None:
        self.requests += 1

    def answered(self, *, signed: bool) -> None:
        """A usable answer came, a refusal of business included."""
        self._failed_ms.clear()
        self._failing_since_ms = None
        if signed:
            self._key_refusals = 0

    def failed(self, error: VenueError, now_ms: int, *, signed: bool) -> None:
        """No usable answer, or one that says no to the request as such."""
        match error:
            case VenueRejected():
                self.answered(signed=signed)
                return
            case AuthFailed():
                self.answered(signed=False)
                if signed and error.code != CLOCK_CODE:
                    self._key_refusals += 1
                    self._refusal = str(error)
            case RateLimited():
                self.answered(signed=False)
                self._throttled_ms.append(now_ms)
            case _:
                if isinstance(error, ShutOut):
                    self._shut_out_until_ms = now_ms + SHUT_OUT_MS
                self._failed_ms.append(now_ms)
                if self._failing_since_ms is None and len(self._failed_ms) == FAILURES_IN_A_ROW:
                    self._failing_since_ms = self._failed_ms[0]
        self._errors_ms.append(now_ms)

    def refused(self, now_ms: int) -> None:
        """The venue refused something that was to change something: an order, a transfer."""
        self._rejects_ms.append(now_ms)

    def took(self, milliseconds: int, now_ms: int) -> None:
        self._latencies_ms.append((now_ms, milliseconds))

    def forgive_key(self) -> None:
        """The operator says that the key may be tried again."""
        self._key_refusals = 0

    def health(self, now_ms: int, clock_offset_ms: int, rate_use_ratio: Decimal) -> RestHealth:
        since_ms = now_ms - MINUTE_MS
        recent = [ms for at_ms, ms in self._latencies_ms if now_ms - at_ms <= LATENCY_AGE_MS]
        return RestHealth(
            requests=self.requests,
            errors_1m=sum(at > since_ms for at in self._errors_ms),
            rejects_1m=sum(at > since_ms for at in self._rejects_ms),
            throttled_1m=sum(at > since_ms for at in self._throttled_ms),
            latency_ms=Decimal(median(recent)) if recent else Decimal(0),
            clock_offset_ms=clock_offset_ms,
            rate_use_ratio=rate_use_ratio,
            failing_since_ms=self._failing_since_ms,
            shut_out_until_ms=self._shut_out_until_ms,
            key_refusals=self._key_refusals,
        )
