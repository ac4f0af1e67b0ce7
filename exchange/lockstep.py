"""The engine's side of a venue's lock-step clock (`/sim/clock`).

The venue's time stands still until the engine's loop has worked off everything and says for which
instant it waits. Pings the venue sends on the engine's other sockets prove that all it pushed has
arrived before the answer does, so acceleration changes no decision.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from core.clock import VirtualLoop
from core.errors import VenueDown

HANDSHAKE_TIMEOUT_S = 10.0


class LockstepKeeper:
    """Implements core.clock.TimeKeeper over one WebSocket that the event loop never awaits.

    `speed` None runs as fast as both sides can; a number paces venue seconds per wall second.
    Raises VenueDown when the venue does not offer the clock or goes away.
    """

    def __init__(self, url: str, speed: float | None) -> None:
        uri = parse_uri(url)
        try:
            self._socket = socket.create_connection((uri.host, uri.port), timeout=HANDSHAKE_TIMEOUT_S)
        except OSError as error:
            raise VenueDown(f"no venue at {url}: {error}") from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._protocol = ClientProtocol(uri)
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        self._loop: VirtualLoop | None = None
        self.steps = 0
        self.on_lost: Callable[[str], None] = lambda reason: None  # the clock stands still for good
        self.on_end: Callable[[], None] = lambda: None  # the market data has come to its end
        try:
            self._say({"op": "attach", "speed": speed})
            self._now_ms = int(self._wait_for("attached")["now_ms"])
        except (OSError, InvalidHandshake) as error:
            raise VenueDown(f"the venue at {url} offers no clock: {error}") from error
        self._socket.setblocking(False)

    def now_ms(self) -> int:
        return self._now_ms

    def live(self, ms: int) -> None:
        """Let so much of the venue's time pass, before a loop is attached and while nobody else is."""
        self._socket.setblocking(True)
        until_ms = self._now_ms + ms
        while self._now_ms < until_ms:
            self._say({"op": "idle", "until_ms": until_ms})
            self._now_ms = max(self._now_ms, int(self._wait_for("now", "sync")["now_ms"]))
        self._socket.setblocking(False)

    def attach(self, loop: VirtualLoop) -> None:
        self._loop = loop
        loop.add_reader(self._socket, self._readable)

    def idle(self, until_ms: int | None) -> bool:
        try:
            self._say({"op": "idle", "until_ms": until_ms})
        except (OSError, VenueDown) as error:
            self._lose(error)
        return False

    def close(self) -> None:
        if self._loop is not None:
            self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        try:
            messages = list(self._messages())
        except (OSError, VenueDown) as error:
            self._lose(error)
            return
        for message in messages:
            self._now_ms = max(self._now_ms, int(message["now_ms"]))
            if message["op"] == "tick":
                continue  # pushes of this instant are on their way; timers wait for `now`
            if message.get("end"):
                self.on_end()
            self.steps += 1
            assert self._loop is not None
            self._loop.moved()

    def _lose(self, error: Exception) -> None:
        assert self._loop is not None
        if self._loop.remove_reader(self._socket):
            self._loop.call_soon_threadsafe(self.on_lost, str(error))  # wakes a loop that is about to wait

    def _wait_for(self, *ops: str) -> dict[str, Any]:
        while True:
            for message in self._messages():
                if message.get("op") in ops:
                    return message

    def _messages(self) -> Iterator[dict[str, Any]]:
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        if not data:
            raise VenueDown("the venue closed its clock")
        self._protocol.receive_data(data)
        self._flush()
        if self._protocol.handshake_exc is not None:
            raise self._protocol.handshake_exc
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                yield json.loads(bytes(event.data))
            elif isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
                raise VenueDown("the venue closed its clock")

    def _say(self, message: dict[str, Any]) -> None:
        # A handshake that is still under way must end before the first frame.
        while self._protocol.state is not State.OPEN:
            for _ in self._messages():
                raise VenueDown("the venue spoke before the handshake was over")
        self._protocol.send_text(json.dumps(message).encode())
        self._flush()

    def _flush(self) -> None:
        for chunk in self._protocol.data_to_send():
            if chunk:
                self._socket.sendall(chunk)
