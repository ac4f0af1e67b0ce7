"""Errors that say what is known about the world."""

from __future__ import annotations


class EngineError(Exception):
    """Base of what the engine raises on purpose."""


class VenueError(EngineError):
    """Something between us and the venue. `code` is the venue's own, or empty."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message if not code else f"{code}: {message}")
        self.code = code


class VenueRejected(VenueError):
    """The venue said no: certainly nothing happened."""


class VenueDown(VenueError):
    """No usable answer. For an order or a transfer: outcome unknown, ask before sending again."""


class RateLimited(VenueError):
    """Too many requests: nothing happened; try again after `retry_after_s`."""

    def __init__(self, message: str, code: str = "", retry_after_s: float = 0.5) -> None:
        super().__init__(message, code)
        self.retry_after_s = retry_after_s


class AuthFailed(VenueError):
    """Key, signature, passphrase or permission refused: stop, do not repeat."""


class BadPayload(VenueError):
    """The venue sent something we cannot read; the raw text is in the message."""


class JournalFailed(EngineError):
    """The journal could not be written or read."""


class JournalBroken(JournalFailed):
    """The hash chain does not hold: somebody or something changed the past."""


class UsageError(EngineError):
    """The user's input is wrong: exit code 2. The message names place, value and what is allowed."""


class SelfCheckRefused(EngineError):
    """The self-check does not let the engine start: exit code 3."""
