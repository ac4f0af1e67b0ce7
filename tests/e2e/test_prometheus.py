"""A real Prometheus with the shipped configuration scrapes a running engine, and can answer every question of
the dashboard and the rules."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.deploy.names import CONFIG, RULES, alerts, all_names, queries
from tests.e2e.rig import ROOT
from tests.e2e.test_cockpit import config_in

PROMETHEUS = shutil.which("prometheus")
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        PROMETHEUS is None, reason="prometheus is not installed: Debian's package of this name, see .ci/run"
    ),
]
TOKEN = "the token of this test"


@contextmanager
def engine(folder: Path) -> Iterator[tuple[str, int]]:
    """A demo that holds something, its token file, and the port of its page."""
    token = folder / "web_token"
    token.touch(0o600)
    token.write_text(TOKEN)
    daemon = subprocess.Popen(
        ["env", f"WEB_TOKEN_FILE={token}", sys.executable, str(ROOT / "main.py"), "run", "--web",
         "--speed", "3600", "--data", str(folder / "data"), "--config", str(config_in(folder / "config"))],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        assert daemon.stdout is not None
        port = 0
        for line in daemon.stdout:
            if "API: " in line:
                port = int(re.findall(r":(\d+)/", line)[0])
            if "Opened" in line:
                break
        assert port, "the daemon ended before it had a page"
        yield str(token), port
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=60)
        assert daemon.returncode == 0
    finally:
        daemon.kill()
        daemon.wait()


@contextmanager
def prometheus(folder: Path, token: str, port: int) -> Iterator[httpx.Client]:
    """The shipped configuration, with this test's token file and addresses and a quicker pace."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    text = CONFIG.read_text("utf-8").replace("/run/secrets/web_token", token)
    text = text.replace("engine:8788", f"127.0.0.1:{port}").replace("localhost:9090", f"127.0.0.1:{own}")
    (folder / CONFIG.name).write_text(re.sub(r"_interval: 15s", "_interval: 1s", text), "utf-8")
    shutil.copy(RULES, folder)
    assert PROMETHEUS is not None
    server = subprocess.Popen(
        [PROMETHEUS, f"--config.file={folder / CONFIG.name}", f"--storage.tsdb.path={folder / 'tsdb'}",
         f"--web.listen-address=127.0.0.1:{own}"],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        ready = next((line for line in server.stderr if "ready to receive" in line), None)
        assert ready, "Prometheus ended before it was ready"
        with httpx.Client(base_url=f"http://127.0.0.1:{own}", timeout=30) as client:
            yield client
    finally:
        server.terminate()
        server.communicate(timeout=30)


def ask(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", f"{query}: {answer}"
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def eventually(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    until_s = time.monotonic() + 60
    while not (found := ask(client, query)):
        assert time.monotonic() < until_s, f"no answer to {query}"
        time.sleep(0.2)
    return found


def plain(query: str) -> str:
    """A question of the dashboard without Grafana's variables."""
    query = query.replace('instance=~"$instance"', 'job="funding-engine"')
    return query.replace("$__rate_interval", "1m")


def test_a_real_prometheus_scrapes_the_engine_and_answers_for_dashboard_and_rules(tmp_path: Path) -> None:
    with engine(tmp_path) as (token, port), prometheus(tmp_path, token, port) as client:
        eventually(client, 'up{job="funding-engine"} == 1')
        lit = eventually(client, 'funding_engine_state{job="funding-engine"} == 1')
        assert len(lit) == 1 and lit[0]["metric"]["state"] in ("RUNNING", "OPENING", "REBALANCING")
        eventually(client, "funding_engine_hedges > 0 and funding_engine_equity_usdt > 90000")
        eventually(client, "rate(funding_engine_scans_total[10s]) > 0")

        names = set(client.get("/api/v1/label/__name__/values").json()["data"])
        at_times = {"condition", "permission_cause", "capture_ratio", "messages_undelivered_total",
                    "channel_down", "messages_waiting", "messages_delivered_total",
                    "backup_age_seconds"}  # fmt: skip
        assert all_names() - names <= {f"funding_engine_{name}" for name in at_times}
        for _, query in queries():
            ask(client, plain(query))

        rules = client.get("/api/v1/rules").json()["data"]["groups"]
        known = {rule["name"]: rule for group in rules for rule in group["rules"]}
        assert set(known) == {rule["alert"] for rule in alerts()}
        eventually(client, "prometheus_rule_evaluations_total > 0")
        assert all(rule["health"] != "err" for rule in known.values())
        wrong = ask(client, 'ALERTS{alertstate="firing", alertname=~"EngineDown|JournalFailed|TaskDead"}')
        assert wrong == []


def test_a_wrong_token_is_seen_as_down(tmp_path: Path) -> None:
    with engine(tmp_path) as (_, port):
        wrong = tmp_path / "wrong_token"
        wrong.write_text("not the token")
        with prometheus(tmp_path, str(wrong), port) as client:
            eventually(client, 'up{job="funding-engine"} == 0')
