"""The one port's front: HTTP/1.1 with keep-alive, handing WebSocket upgrades over.

Malformed requests get 400 and a closed connection, those that do not come to an end 408. Requests are
answered in order, one after the other: while one waits for its answer, those behind it on the connection
wait too. A client that does not read its answers is not read either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Final, Protocol

import httptools
from websockets.http11 import Request as Handshake
from websockets.protocol import State
from websockets.server import ServerProtocol

from exchange.sim.surface.wires import JSON, Fate, Reply, Request
from exchange.sim.surface.ws_link import LINGER_S, MOST_PER_MESSAGE, WebSocketLink, reset

_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}
MOST_PER_REQUEST: Final = 1024 * 1024  # bytes, head and body
PATIENCE_S: Final = 30.0  # for the first request of a connection, and for the rest of one begun


class Application(Protocol):
    def answer(self, request: Request, reply: Callable[[Reply], None]) -> None:
        """Call `reply` once, now or later."""
        ...

    def knock(self, path: str, peer: str) -> Reply | None:
        """May this address open a WebSocket at this path now? None, or what it gets instead."""
        ...

    def opened(self, path: str, link: WebSocketLink, peer: str, headers: Mapping[str, str]) -> None: ...


@dataclass(slots=True)
class _Incoming:
    url: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    body: list[bytes] = field(default_factory=list)
    method: str = ""
    keep_alive: bool = False

    def split_url(self) -> tuple[str, str]:
        path, _, query = self.url.decode("latin-1").partition("?")
        return path, query


class HttpFront(asyncio.Protocol):
    """One connection. `asyncio` calls it; `httptools` calls its `on_` methods."""

    def __init__(
        self, application: Application, connections: set[HttpFront], patience_s: float = PATIENCE_S
    ) -> None:
        self._application = application
        self._patience_s = patience_s
        self._timer: asyncio.TimerHandle | None = None  # runs while a request is awaited
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._incoming = _Incoming()
        self._complete: list[_Incoming] = []
        self._since_answer = 0  # bytes received of requests not yet answered
        self._whole = False  # nothing has been begun that has not come to its end
        self._refused = False
        self._waiting = False  # for the answer to a request
        self._answering = False  # in the loop that answers
        self._link: WebSocketLink | None = None
        self.transport: asyncio.Transport
        self._peer = ""

    # --- asyncio ------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._connections.add(self)
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if address else ""
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._connections.discard(self)
        self._await_nothing()
        if self._link is not None:
            self._link.gone()

    def pause_writing(self) -> None:
        if self._link is None:
            self.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._link is None:
            self.transport.resume_reading()

    def _await_request(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._patience_s, self._refuse, HTTPStatus.REQUEST_TIMEOUT)

    def _await_nothing(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
        if self._link is not None:
            self._link.feed(data)
            return
        if self._refused:
            return
        self._since_answer += len(data)
        if self._since_answer > MOST_PER_REQUEST:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            [request] = self._complete[-1:]
            if request.headers.get("upgrade", "").lower() == "websocket":
                self._upgrade(request, data[upgrade.args[0] :])
            else:  # an offer we need not take
                request.keep_alive = False
                self._answer_next()
            return
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        if self._whole:
            self._await_nothing()
        else:
            self._await_request()
        self._answer_next()

    # --- httptools ----------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._incoming = _Incoming()
        self._whole = False

    def on_url(self, url: bytes) -> None:
        self._incoming.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._incoming.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._incoming.body.append(body)

    def on_message_complete(self) -> None:
        self._incoming.method = self._parser.get_method().decode("latin-1")
        self._incoming.keep_alive = self._parser.should_keep_alive()
        self._complete.append(self._incoming)
        self._whole = True

    # --- answers ------------------------------------------------------------------------------

    def _answer_next(self) -> None:
        self._answering = True
        while self._complete and not self._waiting and not self.transport.is_closing():
            request = self._complete.pop(0)
            path, query = request.split_url()
            self._waiting = True
            self._application.answer(
                Request(request.method, path, query, request.headers, b"".join(request.body), self._peer),
                partial(self._reply, request),
            )
        self._answering = False

    def _reply(self, request: _Incoming, reply: Reply) -> None:
        if self.transport.is_closing() or reply.fate is Fate.SILENCE:  # then it waits for ever
            return
        if reply.fate is Fate.RESET:
            reset(self.transport)
            return
        self._waiting = False
        self._since_answer = 0
        keep = request.keep_alive and request.method != "HEAD"  # a HEAD answer must not have our body
        self._write(reply.status, reply.body, "keep-alive" if keep else "close", reply.content_type)
        if not keep:
            self.transport.close()
        elif not self._answering:
            self._answer_next()

    def _refuse(self, status: HTTPStatus) -> None:
        self._turn_away(Reply(status, f'{{"error":"{status.phrase}"}}'.encode()))

    def _turn_away(self, reply: Reply) -> None:
        """Answer, then read on without listening: closing at once would reset what was answered."""
        self._await_nothing()
        self._refused = True
        if reply.fate is Fate.RESET:
            reset(self.transport)
        elif reply.fate is Fate.ARRIVES:
            self._write(reply.status, reply.body, "close", reply.content_type)
            self.transport.write_eof()
            asyncio.get_running_loop().call_later(LINGER_S, self.transport.abort)

    def _write(self, status: int, body: bytes, connection: str, content_type: str = JSON) -> None:
        head = (
            f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\ncontent-type: {content_type}\r\n"
            f"content-length: {len(body)}\r\nconnection: {connection}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    def _upgrade(self, request: _Incoming, rest: bytes) -> None:
        """Repeat the request's head to the WebSocket protocol, which makes the handshake."""
        path, _ = request.split_url()
        if (instead := self._application.knock(path, self._peer)) is not None:
            self._turn_away(instead)
            return
        protocol = ServerProtocol(max_size=MOST_PER_MESSAGE)
        lines = [f"{request.method} {request.url.decode('latin-1')} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        protocol.receive_data("\r\n".join([*lines, "", ""]).encode("latin-1"))
        for event in protocol.events_received():
            if isinstance(event, Handshake):
                protocol.send_response(protocol.accept(event))
        if protocol.state is not State.OPEN:
            self._refuse_upgrade(protocol)
            return
        self._await_nothing()
        self._link = WebSocketLink(protocol, self.transport)
        self._application.opened(path, self._link, self._peer, request.headers)
        self._link.feed(rest)  # begins by sending the handshake's answer

    def _refuse_upgrade(self, protocol: ServerProtocol) -> None:
        chunks = [chunk for chunk in protocol.data_to_send() if chunk]
        if chunks:  # the protocol's own explanation: version, missing key and the like
            self.transport.write(b"".join(chunks))
            self.transport.close()
        else:
            self._refuse(HTTPStatus.BAD_REQUEST)
