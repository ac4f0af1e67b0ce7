from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import httpx
import pytest

from config.overlay import StaleVersion
from config.schema import Settings
from core.errors import UsageError
from core.events import State
from core.journal import FILE_NAME
from core.table import TABLE
from monitor.figures import Figures
from monitor.health_check import Condition
from monitor.status import Status, build_status
from monitor.web.answers import Form, Meaning, Moved, Reconfigured
from monitor.web.api import build_api
from monitor.web.archive import Archive
from monitor.web.library import Library
from tests.monitor import samples

SECRET = "hush-hush-passphrase"


class FakeDesk:
    """An engine that shows what it is given and remembers what it is asked for."""

    def __init__(self) -> None:
        self.shown: Status | None = build_status(samples.context(), "demo", samples.TOTALS, samples.DECISIONS)
        self.commands: list[tuple[str, str, str]] = []

    def status(self) -> Status | None:
        return self.shown

    def figures(self) -> Figures | None:
        return None

    def settings(self) -> Mapping[str, Any]:
        return Settings().model_dump(mode="json")

    def form(self) -> Form:
        meanings = {"risk": Meaning("May we.", "能不能做。")}
        return Form(3, {}, {"risk": {"type": "object"}}, ("account.venue",), "at once", meanings)

    def configure(self, version: int, changes: Mapping[str, str | None], reason: str) -> Reconfigured:
        if version != 3:
            raise StaleVersion(f"version: {version}; allowed: 3, the present one")
        if "account.venue" in changes:
            raise UsageError("changes: account.venue; only the files on the host may change it")
        self.commands.append(("configure", reason, ""))
        return Reconfigured(
            4, tuple(Moved(key, "1", str(value)) for key, value in changes.items()), "at once"
        )

    def command(self, verb: str, reason: str, instrument: str = "") -> None:
        if verb == "scan" and reason == "refuse me":
            raise UsageError("command 'scan': allowed are none")
        self.commands.append((verb, reason, instrument))

    def log_lines(self, most: int) -> Sequence[str]:
        return ('{"event": "one"}', f'{{"event": "{SECRET}"}}')[-most:]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
async def client(desk: FakeDesk, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    journal = tmp_path / FILE_NAME
    api = build_api(desk, Library(journal), Archive(journal), "0", lambda text: text.replace(SECRET, "***"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(api), base_url="http://here") as client:
        yield client


async def test_the_status_is_the_engines_own_with_money_as_text(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    told = (await client.get("/api/status")).json()
    assert desk.shown is not None
    assert told["equity"] == str(desk.shown.equity) and told["state"] == desk.shown.state.value
    assert [hedge["instrument"] for hedge in told["hedges"]] == [h.instrument for h in desk.shown.hedges]


async def test_a_small_amount_is_written_out_like_in_the_journal(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    assert desk.shown is not None
    desk.shown = replace(desk.shown, day_pnl=D("2.38E-9"))
    assert (await client.get("/api/status")).json()["day_pnl"] == "0.00000000238"


async def test_the_machine_is_told_as_the_table_has_it(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/machine")).json()
    assert [state["name"] for state in told["states"]] == [state.value for state in State]
    assert all(state["meaning"] for state in told["states"])
    ways = [(way["on"], way["src"], way["dst"], tuple(way["guards"])) for way in told["transitions"]]
    assert ways == [
        (row.on.value, src.value, row.dest.value if row.dest else None, row.guards)
        for row in TABLE
        for src in row.sources
    ]


async def test_positions_can_be_asked_for_one_coin(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/positions", params={"instrument": "BTC-USDT"})).json()
    assert [hedge["instrument"] for hedge in told] == ["BTC-USDT"]
    assert (await client.get("/api/positions", params={"instrument": "SOL-USDT"})).json() == []


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/positions?instrument=btc", "instrument"),
        ("/api/decisions?most=0", "most"),
        ("/api/decisions?most=501", "most"),
        ("/api/decisions?before_seq=x", "before_seq"),
        ("/api/orders?most=-1", "most"),
    ],
)
async def test_a_value_that_is_not_allowed_is_named(client: httpx.AsyncClient, path: str, named: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422 and named in answer.json()["detail"]


async def test_before_the_first_decision_questions_wait(client: httpx.AsyncClient, desk: FakeDesk) -> None:
    desk.shown = None
    for path in ("/api/status", "/api/positions", "/api/signals"):
        answer = await client.get(path)
        assert answer.status_code == 503 and answer.json()["error"] == "not_yet"
    assert (await client.get("/readyz")).status_code == 503
    assert (await client.get("/healthz")).status_code == 200


async def test_a_critical_condition_makes_it_not_ready_and_says_which(
    client: httpx.AsyncClient, desk: FakeDesk
) -> None:
    assert (await client.get("/readyz")).status_code == 200
    assert desk.shown is not None
    desk.shown = replace(
        desk.shown,
        warnings=(
            Condition("unhedged", "critical", 1, "a leg stands alone"),
            Condition("x", "warning", 1, "y"),
        ),
    )
    answer = await client.get("/readyz")
    assert answer.status_code == 503 and answer.json()["problems"] == ["a leg stands alone"]


@pytest.mark.parametrize(
    ("path", "body", "verb"),
    [
        ("/api/halt", {"confirm": "HALT"}, "halt"),
        ("/api/halt", {"confirm": "FLATTEN", "flatten": True}, "flatten"),
        ("/api/resume", {}, "resume"),
        ("/api/pause", {}, "pause"),
        ("/api/unpause", {}, "unpause"),
        ("/api/scan/manual", {}, "scan"),
        ("/api/positions/BTC-USDT/close", {"confirm": "BTC-USDT"}, "close"),
    ],
)
async def test_a_command_reaches_the_engine_with_its_reason(
    client: httpx.AsyncClient, desk: FakeDesk, path: str, body: dict[str, Any], verb: str
) -> None:
    answer = await client.post(path, json={"reason": "because I say so", **body})
    assert answer.status_code == 202 and answer.json()["command"] == verb
    assert desk.commands == [(verb, "because I say so", "BTC-USDT" if verb == "close" else "")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/halt", {"reason": "why not"}),
        ("/api/halt", {"reason": "why not", "confirm": "halt"}),
        ("/api/halt", {"reason": "why not", "confirm": "HALT", "flatten": True}),
        ("/api/halt", {"reason": "why not", "confirm": "FLATTEN"}),
        ("/api/pause", {}),
        ("/api/pause", {"reason": "ab"}),
        ("/api/pause", {"reason": "why not", "other": 1}),
        ("/api/pause", ["why not"]),
        ("/api/resume", {"reason": "x" * 201}),
        ("/api/positions/BTC-USDT/close", {"reason": "why not"}),
        ("/api/positions/BTC-USDT/close", {"reason": "why not", "confirm": "ETH-USDT"}),
        ("/api/positions/btc/close", {"reason": "why not", "confirm": "btc"}),
    ],
)
async def test_a_command_that_is_not_whole_does_nothing(
    client: httpx.AsyncClient, desk: FakeDesk, path: str, body: object
) -> None:
    answer = await client.post(path, json=body)
    assert answer.status_code == 422 and answer.json()["detail"]
    assert desk.commands == []


async def test_what_the_engine_refuses_is_told_as_it_says_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/scan/manual", json={"reason": "refuse me"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "command 'scan': allowed are none")


async def test_why_a_change_of_the_configuration_is_refused_is_told_in_chinese_too(
    client: httpx.AsyncClient,
) -> None:
    change = {"version": 3, "reason": "a test wants it", "changes": {"account.venue": "binance"}}
    told = (await client.post("/api/config", json=change)).json()
    assert told["detail"] == "changes: account.venue; only the files on the host may change it"
    assert told["zh"] == "更改 account.venue：只有主机上的文件可以更改它"
    stale = (await client.post("/api/config", json={**change, "version": 2})).json()
    assert stale["zh"] == "版本 2：允许 3，即当前版本"
    other = (await client.post("/api/scan/manual", json={"reason": "refuse me"})).json()
    assert "zh" not in other


async def test_no_known_secret_leaves(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/logs")).text
    assert SECRET not in told and "***" in told


async def test_the_configuration_is_told_by_file_and_key(client: httpx.AsyncClient) -> None:
    told = (await client.get("/api/config")).json()
    assert told["risk"]["margin"]["rebalance_below"] == "0.8"


async def test_every_question_and_command_is_described_with_its_answers(client: httpx.AsyncClient) -> None:
    told = (await client.get("/openapi.json")).json()
    for path, methods in told["paths"].items():
        for method, described in methods.items():
            assert described.get("summary") and described.get("description"), (method, path)
            good = next(one for code, one in described["responses"].items() if code.startswith("2"))
            streams = path in ("/api/stream", "/api/export", "/metrics")
            assert streams or good["content"]["application/json"]["schema"], (method, path)


async def test_a_page_that_does_not_exist_is_one_clear_problem(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/nothing")).json()["error"] == "not_found"
    assert (await client.post("/api/status")).json()["error"] == "method_not_allowed"


async def test_the_stream_begins_with_the_whole_picture(desk: FakeDesk, tmp_path: Path) -> None:
    api = build_api(desk, Library(tmp_path / FILE_NAME), Archive(tmp_path / FILE_NAME), "0")
    first: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    left = asyncio.Event()

    async def receive() -> Any:
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message.get("body") and not first.done():
            first.set_result(message["body"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/stream",
        "raw_path": b"/api/stream",
        "query_string": b"",
        "headers": [],
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "server": ("here", 80),
        "client": ("there", 1),
    }
    listening = asyncio.create_task(api(scope, receive, send))
    data = (await first).decode().split("data: ", 1)[1]
    assert json.loads(data)["mode"] == "demo"
    left.set()
    await listening
