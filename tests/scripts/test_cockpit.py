"""The web's thread over real sockets: what it shows, what it takes, and that it keeps nobody from trading."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

import httpx
import pytest

from config.monitor import Web
from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError
from monitor.status import Status, build_status
from monitor.web.audit import Refusals
from scripts.cockpit import EngineDesk, check_web, open_web
from scripts.commands import Command, Verb, take
from scripts.reconfiguration import Reconfiguration
from tests.monitor import samples

SHIPPED = Path(__file__).resolve().parents[2] / "config"
TOKEN = "a token of this test"


class Ear:
    """Implements core.ports.Notifier."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, Mapping[str, object]]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.heard.append((topic, level, fields))


def desk_of(folder: Path, status: Status | None) -> EngineDesk:
    return EngineDesk(folder, Settings(), lambda: status, Reconfiguration(SHIPPED, folder))


@contextmanager
def page(folder: Path, token: str | None = None) -> Iterator[httpx.Client]:
    status = build_status(samples.context(), "demo", samples.TOTALS, samples.DECISIONS)
    desk = desk_of(folder, status)
    urls: list[str] = []
    web, secrets = Web(port=0), Secrets(web_token=token)  # type: ignore[arg-type]  # pydantic wraps it
    with ExitStack() as stack:
        refusals = Refusals(monotonic)
        stack.enter_context(open_web(web, secrets, desk, folder, Ear(), str, urls.append, refusals))
        yield stack.enter_context(httpx.Client(base_url=urls[0]))


def test_a_page_is_there_while_the_engine_runs_and_gone_afterwards(tmp_path: Path) -> None:
    with page(tmp_path) as client:
        assert client.get("/api/status").json()["mode"] == "demo"
        url = client.base_url
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.fault("DA3")
def test_an_open_stream_holds_up_no_end(tmp_path: Path) -> None:
    with page(tmp_path) as client, client.stream("GET", "/api/stream") as news:
        assert next(news.iter_lines()) == "id: 1"


def test_a_command_lies_in_the_box_with_its_reason_and_where_it_came_from(tmp_path: Path) -> None:
    with page(tmp_path) as client:
        answer = client.post("/api/halt", json={"reason": "I leave", "confirm": "HALT"})
        assert answer.status_code == 202, answer.text
    assert list(take(tmp_path)) == [Command(Verb.HALT, "I leave (web)")]


def test_a_command_that_is_none_is_refused_with_what_is_allowed(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, None)
    with pytest.raises(UsageError, match=r"'buy': allowed are close, flatten, halt"):
        desk.command("buy", "it will rise")
    assert list(take(tmp_path)) == []


@pytest.mark.fault("DA1")
def test_with_a_token_nobody_gets_in_without(tmp_path: Path) -> None:
    with page(tmp_path, token=TOKEN) as client:
        assert client.get("/api/status").status_code == 401
        assert client.get("/api/status", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert client.get("/healthz").status_code == 200
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_port_that_is_taken_is_told_and_the_engine_goes_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ear, urls = Ear(), list[str]()
        web = Web(port=taken.getsockname()[1])
        desk = desk_of(tmp_path, None)
        with open_web(web, Secrets(), desk, tmp_path, ear, str, urls.append, Refusals(monotonic)):
            assert urls == []
    [(topic, level, fields)] = ear.heard
    assert (topic, level) == ("trouble", "warning") and str(web.port) in str(fields["detail"])


@pytest.mark.fault("DA1")
@pytest.mark.parametrize(
    ("web", "token", "allowed"),
    [
        (Web(), None, True),
        (Web(host="::1"), None, True),
        (Web(host="0.0.0.0"), None, False),
        (Web(host="192.168.1.5"), TOKEN, True),
        (Web(host="0.0.0.0", enabled=False), None, True),
    ],
)
def test_beyond_this_host_a_page_needs_a_token(web: Web, token: str | None, allowed: bool) -> None:
    secrets = Secrets(web_token=token)  # type: ignore[arg-type]
    if allowed:
        check_web(web, secrets)
    else:
        with pytest.raises(UsageError, match="WEB_TOKEN"):
            check_web(web, secrets)


def test_the_newest_lines_of_the_log_come_oldest_first(tmp_path: Path) -> None:
    desk = desk_of(tmp_path, None)
    assert desk.log_lines(5) == ()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "engine.log").write_text("".join(f"line {n}\n" for n in range(200_000)))
    assert desk.log_lines(3) == ["line 199997", "line 199998", "line 199999"]
    assert all(line.startswith("line ") for line in desk.log_lines(1_000_000))


def test_a_change_of_the_configuration_is_judged_and_lies_in_the_box(tmp_path: Path) -> None:
    change = {"reason": "calmer", "version": 0, "changes": {"strategy.exit.cooldown_hours": "12"}}
    with page(tmp_path) as client:
        answer = client.post("/api/config", json=change)
        assert answer.status_code == 202, answer.text
        assert answer.json()["diff"] == [
            {"key": "strategy.exit.cooldown_hours", "before": "8", "after": "12", "asked": True}
        ]
    [command] = take(tmp_path)
    assert (command.verb, command.reason) == (Verb.CONFIGURE, "calmer (web)")
    assert (command.version, command.changes) == (0, {"strategy.exit.cooldown_hours": "12"})


@pytest.mark.parametrize(
    ("version", "changes", "status", "told"),
    [
        (0, {"account.leverage": "5"}, 422, "at most 3"),
        (0, {"account.venue": "okx"}, 422, "only the files"),
        (0, {"risk.margin.emergency_below": "0.2"}, 422, "3x, a red line"),
        (3, {"strategy.exit.cooldown_hours": "12"}, 409, "allowed: 0"),
        (0, {}, 422, "at least 1"),
        (0, {"Strategy": "1"}, 422, "pattern"),
    ],
)
def test_a_change_that_may_not_be_lies_nowhere(
    tmp_path: Path, version: int, changes: dict[str, str], status: int, told: str
) -> None:
    with page(tmp_path) as client:
        answer = client.post("/api/config", json={"reason": "try", "version": version, "changes": changes})
        assert answer.status_code == status and told in answer.json()["detail"], answer.text
        assert client.get("/api/config/form").json()["version"] == 0
    assert list(take(tmp_path)) == []
