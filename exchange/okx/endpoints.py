"""Where the venue is and who we are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from config.schema import Account

# region -> (REST, live streams, demo streams); demo trading shares the live REST host
_HOSTS: Final = {
    "global": (
        "https://www.okx.com",
        "wss://ws.okx.com:8443/ws/v5",
        "wss://wspap.okx.com:8443/ws/v5",
    ),
    "eea": (
        "https://eea.okx.com",
        "wss://wseea.okx.com:8443/ws/v5",
        "wss://wseeapap.okx.com:8443/ws/v5",
    ),
    "us": (
        "https://us.okx.com",
        "wss://wsus.okx.com:8443/ws/v5",
        "wss://wsuspap.okx.com:8443/ws/v5",
    ),
}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base addresses without a trailing slash. `demo` marks every request as demo trading."""

    rest_url: str
    stream_url: str  # /public, /private and /business are appended
    demo: bool

    @classmethod
    def of(cls, account: Account) -> Endpoints:
        """Take the region's hosts unless account.yaml names others."""
        demo = account.venue == "okx-demo"
        rest, live_streams, demo_streams = _HOSTS[account.region]
        return cls(
            rest_url=(account.rest_url or rest).rstrip("/"),
            stream_url=(account.stream_url or (demo_streams if demo else live_streams)).rstrip("/"),
            demo=demo,
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key. Printing it shows nothing."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    passphrase: str = field(repr=False)
