"""What passes between a client and the switchboard: requests, replies, and the venue's end of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `headers` has lower-case names; `peer` is the caller's address."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: str = "127.0.0.1"

    @property
    def target(self) -> str:
        """What the client signed: the path with its query."""
        return f"{self.path}?{self.query}" if self.query else self.path


class Fate(Enum):
    """What becomes of an answer on its way: it arrives, nothing ever comes, or the connection is reset."""

    ARRIVES = "arrives"
    SILENCE = "silence"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets to see. `status` and `body` count only when it arrives."""

    status: int
    body: bytes
    content_type: str = JSON
    fate: Fate = Fate.ARRIVES


SILENCE: Final = Reply(0, b"", fate=Fate.SILENCE)
RESET: Final = Reply(0, b"", fate=Fate.RESET)


class Wire(Protocol):
    """The way to one stream client: a socket, or a pair in memory."""

    def send(self, frames: list[bytes]) -> None:
        """Send text frames in this order."""
        ...

    def end(self, code: int, reason: str) -> None:
        """Close with a closing frame; nothing is sent after it."""
        ...

    def reset(self) -> None:
        """Break the connection without a word."""
        ...

    def mute(self) -> None:
        """Stay open, and neither hear nor say anything any more."""
        ...
