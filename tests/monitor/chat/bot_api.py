"""A server that speaks Telegram's Bot API over real sockets: long polls, messages, pictures, and troubles."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs

PATIENCE_S: Final = 60.0
BOT_NAME: Final = "EngineBot"


@dataclass(frozen=True, slots=True)
class Trouble:
    """An answer instead of the right one; status 0 hangs up, a negative one keeps silent until the end."""

    status: int
    description: str = "trouble"
    retry_after: int | None = None


# The younger of two polls ends the older one.
CONFLICT: Final = Trouble(409, "Conflict: terminated by other getUpdates request")


@dataclass(frozen=True, slots=True)
class Call:
    """What somebody asked: the method, its fields, its files. `number` counts calls of every kind."""

    number: int
    method: str
    fields: dict[str, str]
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.fields.get("text", "")

    @property
    def buttons(self) -> list[str]:
        """What the buttons under it send back."""
        keyboard = json.loads(self.fields.get("reply_markup", '{"inline_keyboard": []}'))["inline_keyboard"]
        return [button["callback_data"] for row in keyboard for button in row]


class BotApi:
    """The server's memory. Everything may be used from any thread."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.tokens: set[str] = set()
        self.troubles: dict[str, deque[Trouble]] = {}
        self.down: Trouble | None = None  # the answer to everything, while there is one
        self.forgetful = False  # hands out every update again and again, whatever was confirmed
        self.closed = False
        self._news = threading.Condition()
        self._updates: list[dict[str, Any]] = []
        self._last_id = 100
        self._polls = 0
        self._messages = 0

    # --- what the test does -------------------------------------------------------------------------

    def say(self, text: str, user: int = 42, chat: int = 42, at_s: float | None = None) -> int:
        """Somebody writes; return the update's id."""
        kind = "private" if chat > 0 else "group"
        person = {"id": user, "is_bot": False, "first_name": "Somebody"}
        said = {"message_id": self._last_id, "date": int(time.time() if at_s is None else at_s), "text": text}
        place = {"id": chat, "type": kind, "title": "a group"}
        return self._put({"message": {**said, "chat": place, "from": person}})

    def press(self, data: str, user: int = 42, chat: int = 42, message_id: int = 1) -> int:
        """Somebody presses a button under one of our messages."""
        person = {"id": user, "is_bot": False, "first_name": "Somebody"}
        place = {"id": chat, "type": "private" if chat > 0 else "group", "title": "a group"}
        under = {"message_id": message_id, "date": 1_773_302_700, "chat": place, "text": "a page"}
        query = {
            "id": str(self._last_id),
            "from": person,
            "chat_instance": "1",
            "data": data,
            "message": under,
        }
        return self._put({"callback_query": query})

    def hear(self, method: str, that: Callable[[Call], bool] = lambda call: True, after: int = 0) -> Call:
        """The first call of this method that is as wanted; waits for it."""
        found: list[Call] = []

        def is_there() -> bool:
            found[:] = [c for c in self.calls if c.method == method and c.number > after and that(c)]
            return bool(found)

        with self._news:
            assert self._news.wait_for(is_there, PATIENCE_S), f"no {method} in {self.calls[-5:]}"
        return found[0]

    def sent(self, method: str = "sendMessage") -> list[Call]:
        return [call for call in self.calls if call.method == method]

    def plague(self, method: str, *troubles: Trouble) -> None:
        """The next calls of this method are answered so."""
        self.troubles.setdefault(method, deque()).extend(troubles)

    def break_down(self, trouble: Trouble | None) -> None:
        """Everything is answered so from now on, open polls too; None heals."""
        with self._news:
            self.down = trouble
            self._news.notify_all()

    # --- what the server does -----------------------------------------------------------------------

    def close(self) -> None:
        with self._news:
            self.closed = True
            self._news.notify_all()

    def answer(self, method: str, fields: dict[str, str], files: dict[str, bytes]) -> Trouble | object:
        with self._news:
            call = Call(len(self.calls) + 1, method, fields, files)
            self.calls.append(call)
            self._news.notify_all()
            if self.down is not None:
                return self._troubled(self.down)
            if self.troubles.get(method):
                return self._troubled(self.troubles[method].popleft())
            return self._poll(fields) if method == "getUpdates" else self._done(method, fields)

    def _troubled(self, trouble: Trouble) -> Trouble:
        if trouble.status < 0:
            self._news.wait_for(lambda: self.closed, PATIENCE_S)
        return trouble

    def _poll(self, fields: dict[str, str]) -> Trouble | object:
        offset = int(fields.get("offset", "0"))
        if not self.forgetful:
            self._updates = [u for u in self._updates if u["update_id"] >= offset]
        self._polls += 1
        ours = self._polls
        self._news.notify_all()

        def is_over() -> bool:
            return self.closed or self.down is not None or bool(self._updates) or ours != self._polls

        self._news.wait_for(is_over, float(fields.get("timeout", "0")))
        if self.down is not None:
            return self.down
        return CONFLICT if ours != self._polls else list(self._updates)

    def _done(self, method: str, fields: dict[str, str]) -> object:
        if method == "getMe":
            return {"id": 1, "is_bot": True, "first_name": "Engine", "username": BOT_NAME}
        if method in ("sendMessage", "sendPhoto", "editMessageText"):
            self._messages += 1
            number = int(fields.get("message_id", self._messages))
            chat = {"id": int(fields["chat_id"]), "type": "private"}
            return {
                "message_id": number,
                "date": 1_773_302_700,
                "chat": chat,
                "text": fields.get("text", "-"),
            }
        return True

    def _put(self, update: dict[str, Any]) -> int:
        with self._news:
            self._last_id += 1
            self._updates.append({"update_id": self._last_id, **update})
            self._news.notify_all()
            return self._last_id


@contextmanager
def bot_api() -> Iterator[tuple[BotApi, str]]:
    """The server while inside, and its base URL."""
    api = BotApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            token, _, method = self.path.removeprefix("/bot").rpartition("/")
            api.tokens.add(token)
            fields, files = _form(self.headers.get("content-type", ""), body)
            answer = api.answer(method, fields, files)
            self.close_connection = True
            if isinstance(answer, Trouble):
                if answer.status > 0:
                    told = {"ok": False, "error_code": answer.status, "description": answer.description}
                    if answer.retry_after is not None:
                        told["parameters"] = {"retry_after": answer.retry_after}
                    self._reply(answer.status, told)
            else:
                self._reply(200, {"ok": True, "result": answer})

        def _reply(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            try:
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(body)
            except ConnectionError:
                self.close_connection = True  # who asked has gone

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        api.close()
        server.shutdown()
        thread.join()
        server.server_close()


def _form(kind: str, body: bytes) -> tuple[dict[str, str], dict[str, bytes]]:
    if not kind.startswith("multipart/"):
        return {
            name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()
        }, {}
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    parts = BytesParser().parsebytes(f"content-type: {kind}\r\n\r\n".encode() + body)
    for part in parts.get_payload():  # type: ignore[union-attr]
        name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
        content = part.get_payload(decode=True)  # type: ignore[union-attr]
        assert isinstance(content, bytes)
        if part.get_filename():  # type: ignore[union-attr]
            files[name] = content
        else:
            fields[name] = content.decode()
    return fields, files
