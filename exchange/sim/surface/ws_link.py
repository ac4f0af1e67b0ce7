"""One WebSocket connection on an asyncio transport: text in and out, and proof of arrival.

What comes in is checked by the `websockets` protocol. What goes out in bulk, text and pings, is framed
here: a server's frames are unmasked and equal for everybody, so there is nothing to it but a length.
"""

from __future__ import annotations

import asyncio
import struct
from socket import SO_LINGER, SOL_SOCKET
from typing import Final, Protocol

from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

MOST_PER_MESSAGE: Final = 128 * 1024  # bytes from a client; longer ones end in 1009
MOST_UNSENT: Final = 8 * 1024 * 1024  # bytes; a client this far behind is a slow consumer
LINGER_S: Final = 5.0  # for the closing handshake; after it the connection is cut
SLOW_CONSUMER: Final = 4005


_TEXT, _PING = b"\x81", b"\x89"  # final frames; RFC 6455, 5.2


def head_of(payload: bytes) -> bytes:
    """The header of an unmasked, final text frame."""
    size = len(payload)
    if size < 126:
        return _TEXT + size.to_bytes(1, "big")
    return _TEXT + (b"\x7e" + size.to_bytes(2, "big") if size < 65_536 else b"\x7f" + size.to_bytes(8, "big"))


class Listener(Protocol):
    """What stands behind a link: a stream session or a clock client."""

    def heard(self, text: str) -> None: ...

    def lost(self) -> None:
        """The link is gone, whoever ended it. Called once."""
        ...


class WebSocketLink:
    """Frames of one accepted connection. `listener` is set by whoever opens the link."""

    def __init__(self, protocol: ServerProtocol, transport: asyncio.Transport) -> None:
        self.listener: Listener | None = None
        self._protocol = protocol
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self.active_s = self._loop.time()
        self._parts: list[bytes] = []  # of a fragmented message
        self._pings = 0
        self._proofs: dict[bytes, asyncio.Future[None]] = {}
        self._muted = False

    @property
    def is_open(self) -> bool:
        return self._protocol.state is State.OPEN and not self._muted

    def feed(self, data: bytes) -> None:
        if self._muted:
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
        self._flush()
        if self._transport.get_write_buffer_size() > MOST_UNSENT:  # one that pings and never reads
            self._transport.abort()
        elif self._protocol.close_expected():
            self._linger()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.PONG:
            proof = self._proofs.pop(bytes(frame.data), None)
            if proof is not None and not proof.done():
                proof.set_result(None)
        elif frame.opcode is Opcode.BINARY:
            self.end(1003, "Only text is spoken here")
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            if frame.data:
                self._parts.append(bytes(frame.data))
            if not frame.fin:
                return
            message, self._parts = b"".join(self._parts), []
            self.active_s = self._loop.time()
            try:
                text = message.decode()
            except UnicodeDecodeError:
                self.end(1007, "Not UTF-8")
                return
            if self.listener is not None and self.is_open:
                self.listener.heard(text)

    def send(self, frames: list[bytes]) -> None:
        """Send text frames, or end the link when the client has stopped reading."""
        self._write(frames, b"")

    def send_proved(self, frames: list[bytes]) -> asyncio.Future[None]:
        """Send text frames and a ping behind them, in one piece; done when the pong has come, or when
        the link is gone. A client answers a ping after it has received everything sent before it.
        """
        proof: asyncio.Future[None] = self._loop.create_future()
        self._pings += 1
        token = self._pings.to_bytes(4, "big")
        self._proofs[token] = proof
        if not self._write(frames, _PING + b"\x04" + token):
            self._settle_proofs()
        return proof

    def _write(self, frames: list[bytes], tail: bytes) -> bool:
        if not self.is_open or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self.end(SLOW_CONSUMER, "Buffer is full, too slow a consumer")
            return False
        parts: list[bytes] = []
        for frame in frames:
            parts += (head_of(frame), frame)
        parts.append(tail)
        self._transport.write(b"".join(parts))
        self.active_s = self._loop.time()
        return True

    def end(self, code: int, reason: str) -> None:
        """Close from our side; nothing is sent after it."""
        if not self.is_open:
            return
        self._protocol.send_close(code, reason)
        self._flush()
        self._settle_proofs()
        self._linger()

    def reset(self) -> None:
        """Break the connection without a word."""
        reset(self._transport)

    def mute(self) -> None:
        """Stay open, and neither hear nor say anything any more: no pong, no closing handshake."""
        self._muted = True
        self._settle_proofs()

    def gone(self) -> None:
        """The transport is closed."""
        self._settle_proofs()
        if self.listener is not None:
            self.listener.lost()
            self.listener = None

    def _settle_proofs(self) -> None:
        for proof in self._proofs.values():
            if not proof.done():
                proof.set_result(None)
        self._proofs.clear()

    def _flush(self) -> None:
        chunks = self._protocol.data_to_send()
        if self._transport.is_closing():
            return
        if data := b"".join(chunks):
            self._transport.write(data)
        if b"" in chunks:  # the protocol's word for end of stream
            self._transport.write_eof()  # closing at once would reset what the client has not read yet
            self._linger()

    def _linger(self) -> None:
        self._loop.call_later(LINGER_S, self._transport.abort)


def reset(transport: asyncio.Transport) -> None:
    """Cut a TCP connection so that the peer gets a reset instead of an end of stream."""
    socket = transport.get_extra_info("socket")
    socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
