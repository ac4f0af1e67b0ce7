from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from monitor.web.door import BURST, COMMAND_BURST, LOCK_OUT_S, MOST_BODY, WRONG_TOKENS, Door, Refusal, Rules

TOKEN = "correct horse battery staple"
JSON = {"content-type": "application/json"}


@dataclass
class House:
    """A room behind a door, and who came in or was turned away."""

    token: str | None = None
    now_s: float = 1000.0
    entered: list[str] = field(default_factory=list)
    refused: list[tuple[str, str, str, str]] = field(default_factory=list)
    address: str = "127.0.0.1"

    def __post_init__(self) -> None:
        rules = Rules(frozenset({"127.0.0.1", "localhost", "::1", "desk.example"}), self.token)
        self.door = Door(self._room, rules, lambda: self.now_s, self._turned_away)

    async def _room(self, scope: Any, receive: Any, send: Any) -> None:
        self.entered.append(scope["path"])
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})

    def _turned_away(self, address: str, method: str, path: str, why: Refusal) -> None:
        self.refused.append((address, method, path, why.error))

    async def ask(self, method: str = "GET", path: str = "/api/status", **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.door, client=(self.address, 5000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8788") as client:
            return await client.request(method, path, **more)


OURS = ["127.0.0.1", "localhost:8788", "[::1]:8788", "DESK.example", "desk.example:1"]
FORMS = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
TRICKS = ["/..%2f..%2fetc/passwd", "/%252e%252e/x", "/a/../../b", "/a%5c..%5cb", "/a%00b", "/" + "x" * 2000]


@pytest.mark.parametrize("host", OURS)
async def test_the_names_of_this_host_are_answered(host: str) -> None:
    assert (await House().ask(headers={"host": host})).status_code == 200


@pytest.mark.fault("DA2")
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::2]", "desk.example.evil"])
async def test_a_name_that_is_not_ours_is_refused_and_told(host: str) -> None:
    house = House()
    answer = await house.ask(headers={"host": host})
    assert (answer.status_code, answer.json()["error"]) == (421, "unknown_host")
    assert house.entered == [] and house.refused == [("127.0.0.1", "GET", "/api/status", "unknown_host")]


@pytest.mark.fault("DA2")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8788.evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_a_page_of_another_server_may_neither_ask_nor_command(headers: dict[str, str]) -> None:
    house = House()
    for method in ("GET", "POST"):
        assert (await house.ask(method, headers=headers | JSON)).status_code == 403
    assert house.entered == []


async def test_our_own_page_may_command() -> None:
    headers = JSON | {"origin": "http://127.0.0.1:8788", "sec-fetch-site": "same-origin"}
    assert (await House().ask("POST", content=b"{}", headers=headers)).status_code == 200


@pytest.mark.fault("DA2")
@pytest.mark.parametrize("kind", FORMS)
async def test_what_a_form_can_send_is_no_command(kind: str) -> None:
    assert (await House().ask("POST", content=b"{}", headers={"content-type": kind})).status_code == 415


@pytest.mark.parametrize("path", TRICKS)
async def test_tricks_with_paths_are_refused(path: str) -> None:
    house = House()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "headers": [(b"host", b"localhost")],
        "client": ("127.0.0.1", 1),
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    await house.door(scope, receive, send)
    assert sent[0]["status"] == 400 and house.entered == []


async def test_a_header_that_decides_may_not_stand_twice() -> None:
    headers = [("host", "localhost"), ("host", "evil.example")]
    assert (await House().ask(headers=headers)).status_code == 400


async def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    house = House()
    answer = await house.ask("POST", content=b"x" * (MOST_BODY + 1), headers=JSON)
    assert answer.status_code == 413 and house.entered == []


async def test_a_body_in_pieces_is_cut_off_where_it_gets_too_large() -> None:
    async def pieces() -> Any:
        for _ in range(5):
            yield b"x" * (MOST_BODY // 4)

    house = House()
    with pytest.raises(AssertionError):  # the client sees a connection that ended without an answer
        await house.ask("POST", content=pieces(), headers=JSON)
    assert house.refused == [("127.0.0.1", "POST", "/api/status", "too_large")]


@pytest.mark.fault("DA1")
async def test_without_the_token_nothing_is_told() -> None:
    house = House(TOKEN)
    for headers in ({}, {"authorization": TOKEN}, {"authorization": "Basic " + TOKEN}):
        answer = await house.ask(headers=headers)
        assert answer.status_code == 401 and TOKEN not in answer.text
    assert (await house.ask(headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200


@pytest.mark.fault("DA1")
async def test_wrong_tokens_lock_the_address_out_and_no_other() -> None:
    house = House(TOKEN)
    for _ in range(WRONG_TOKENS):
        assert (await house.ask(headers={"authorization": "Bearer guess"})).status_code == 401
    right = {"authorization": f"Bearer {TOKEN}"}
    locked = await house.ask(headers=right)
    assert locked.status_code == 429 and int(locked.headers["retry-after"]) == LOCK_OUT_S + 1
    house.address = "10.0.0.9"
    assert (await house.ask(headers=right)).status_code == 200
    house.address = "127.0.0.1"
    house.now_s += LOCK_OUT_S
    assert (await house.ask(headers=right)).status_code == 200


async def test_a_supervisor_and_the_page_itself_need_no_token() -> None:
    house = House(TOKEN)
    for path in ("/healthz", "/readyz", "/", "/assets/app.js"):
        assert (await house.ask(path=path)).status_code == 200
    for path in ("/api/stream", "/metrics", "/openapi.json", "/docs"):
        assert (await house.ask(path=path)).status_code == 401


@pytest.mark.fault("DA3")
async def test_who_asks_too_often_waits_and_is_heard_again() -> None:
    house = House()
    answers = [(await house.ask()).status_code for _ in range(int(BURST) + 2)]
    assert answers.count(200) == BURST and answers[-1] == 429
    house.now_s += 1
    assert (await house.ask()).status_code == 200


async def test_commands_have_a_pace_of_their_own() -> None:
    house = House()
    answers = [
        (await house.ask("POST", content=b"{}", headers=JSON)).status_code
        for _ in range(int(COMMAND_BURST) + 1)
    ]
    assert answers == [200] * int(COMMAND_BURST) + [429]
    assert (await house.ask()).status_code == 200


@pytest.mark.fault("DA2")
async def test_every_answer_forbids_frames_and_foreign_scripts() -> None:
    for answer in (await House().ask(), await House().ask(headers={"host": "evil.example"})):
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers
