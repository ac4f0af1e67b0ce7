"""A mail server over real sockets: plain, STARTTLS or TLS, with a login, and troubles at any step."""

from __future__ import annotations

import base64
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import trustme


@dataclass
class MailServer:
    """`replies`: by command (CONNECT, EHLO, AUTH, MAIL, RCPT, DATA, BODY), the line instead of the right one;
    `hang` names a command that is never answered."""

    user: str = ""
    password: str = ""
    has_starttls: bool = True
    replies: dict[str, str] = field(default_factory=dict)
    hang: str = ""
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class _Session(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        wire = self.request
        if self.server.context is not None and not self.server.mail.has_starttls:
            wire = self.server.context.wrap_socket(wire, server_side=True)
        self._wire, self._secure = wire, not self.server.mail.has_starttls
        try:
            if self._answer("CONNECT", "220 ready"):
                self._converse()
        finally:
            self._wire.close()

    def _converse(self) -> None:
        mail = self.server.mail
        while line := self._line():
            command = line.split(b" ")[0].strip().upper().decode()
            mail.steps.append(command + ("+" if self._secure else ""))
            if command == "STARTTLS":
                self._say("220 go")
                assert self.server.context is not None
                self._wire, self._secure = self.server.context.wrap_socket(self._wire, server_side=True), True
                continue
            if command == "QUIT":
                self._say("221 bye")
                return
            if not self._answer(command, self._right(command, line.strip().decode())):
                return
            if command == "DATA" and "DATA" not in mail.replies and not self._body():
                return

    def _line(self) -> bytes:
        """One line, byte by byte: what follows it may be encrypted."""
        line = b""
        while not line.endswith(b"\n"):
            sign = self._wire.recv(1)
            if not sign:
                return b""
            line += sign
        return line

    def _right(self, command: str, line: str) -> str:
        mail = self.server.mail
        match command:
            case "EHLO":
                offers = ["250-mail.test"]
                offers += ["250-STARTTLS"] if mail.has_starttls and not self._secure else []
                return "\r\n".join((*offers, "250 AUTH PLAIN"))
            case "AUTH":
                told = base64.b64decode(line.split(" ")[2]).decode().split("\0")[1:]
                fits = told == [mail.user, mail.password]
                return "235 welcome" if fits else "535 5.7.8 who are you"
            case "RCPT":
                mail.recipients.append(line.partition("<")[2].partition(">")[0])
            case "DATA":
                return "354 go ahead"
        return "250 fine"

    def _body(self) -> bool:
        lines = iter(self._line, b".\r\n")
        body = b"".join(line[1:] if line.startswith(b".") else line for line in lines)
        message = message_from_bytes(body, policy=policy.default)
        if "BODY" not in self.server.mail.replies:
            self.server.mail.messages.append(message)  # type: ignore[arg-type]
        return self._answer("BODY", "250 taken")

    def _answer(self, command: str, right: str) -> bool:
        mail = self.server.mail
        if mail.hang == command:
            mail.over.wait()
            return False
        self._say(mail.replies.get(command, right))
        return True

    def _say(self, line: str) -> None:
        self._wire.sendall(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = allow_reuse_address = True
    mail: MailServer
    context: ssl.SSLContext | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up, or does not trust us, is part of the tests."""


@contextmanager
def mail_server(mail: MailServer, authority: trustme.CA | None = None) -> Iterator[MailServer]:
    """The server while inside; with an authority it can encrypt, as `localhost`."""
    server = _Server(("127.0.0.1", 0), _Session)
    server.mail = mail
    mail.port = server.server_address[1]
    if authority is not None:
        server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(server.context)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mail
    finally:
        mail.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port
