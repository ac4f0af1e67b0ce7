"""What a service manager wants to hear (sd_notify): one datagram a message, nothing when nobody listens."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping
from typing import Self

log = logging.getLogger(__name__)


class Systemd:
    """Talks to the socket in NOTIFY_SOCKET. Never waits and never raises: a message that cannot be handed
    over is lost, which is logged once.

    watchdog_s  how often WATCHDOG=1 is expected (WATCHDOG_USEC, when it is meant for this process); None
                when there is no watchdog.
    """

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s
        self._told = False

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """As the service manager left it in the environment."""
        usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
        ours = pid in ("", str(os.getpid()))
        watchdog_s = int(usec) / 1e6 if ours and usec.isdigit() and int(usec) > 0 else None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={_line(text)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self, why: str) -> None:
        self._send(f"STOPPING=1\nSTATUS={_line(why)}")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as door:
                door.setblocking(False)
                door.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._told:
                log.warning("the service manager cannot be told: %s", error)
            self._told = True


def _line(text: str) -> str:
    return " ".join(text.split())
