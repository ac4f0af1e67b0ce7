"""The daemon's page, asked and commanded while it trades."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.canaries import CANARIES
from tests.e2e.rig import ROOT, main

pytestmark = pytest.mark.timeout(300)


def config_in(folder: Path) -> Path:
    """The shipped configuration, on any free port."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monitor = folder / "monitor.yaml"
    monitor.write_text(monitor.read_text().replace("port: 8788", "port: 0"))
    return folder


def test_who_opens_the_page_sees_the_engine_pauses_it_and_changes_its_settings(tmp_path: Path) -> None:
    data = tmp_path / "data"
    daemon = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "run", "--web", "--speed", "3600", "--data", str(data),
         "--config", str(config_in(tmp_path / "config"))],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip
    try:
        assert daemon.stdout is not None
        line = next(line for line in daemon.stdout if "API: " in line)
        url, shown = line.split("API: ")[1].strip(), {"authorization": f"Bearer {CANARIES['WEB_TOKEN']}"}
        assert httpx.get(f"{url}api/status").status_code == 401
        with httpx.Client(base_url=url, headers=shown, timeout=60) as client:
            assert client.get("/healthz").json()["ok"]
            held = False
            with client.stream("GET", "/api/stream") as news:
                for line in news.iter_lines():
                    if not line.startswith("data: "):
                        continue
                    seen = json.loads(line.removeprefix("data: "))
                    if seen["hedges"] and not held:
                        held = True
                        body = {"reason": "a test wants it"}
                        assert client.post("/api/pause", json=body).status_code == 202
                    if "a test wants it (web)" in {cause["reason"] for cause in seen["causes"]}:
                        break
            assert held and seen["permission"] != "FULL"
            orders = client.get("/api/orders").json()
            assert {o["instrument"] for o in orders} >= {hedge["instrument"] for hedge in seen["hedges"]}
            told = client.get("/api/decisions", params={"moved": True}).json()
            assert {"IDLE", "OPENING"} <= {one["src"] for one in told}
            lines = client.get("/api/export").text.splitlines()
            assert any('"command":"pause"' in row for row in lines)
            change = {"reason": "calmer", "version": 0, "changes": {"strategy.exit.cooldown_hours": "12"}}
            assert client.post("/api/config", json=change).status_code == 202
            with suppress(httpx.RemoteProtocolError), client.stream("GET", "/api/stream") as news:
                for _ in news.iter_lines():
                    """Until the engine ends, to start again with the change."""
        patient = httpx.HTTPTransport(retries=9)  # each waits twice as long as the one before
        with httpx.Client(base_url=url, headers=shown, timeout=60, transport=patient) as client:
            assert client.get("/api/config").json()["strategy"]["exit"]["cooldown_hours"] == "12"
            with client.stream("GET", "/api/stream") as news:
                first = next(line for line in news.iter_lines() if line.startswith("data: "))
            now = json.loads(first.removeprefix("data: "))
            assert now["state"] == "RUNNING" and now["permission"] == "NO_NEW_RISK"
            assert {h["instrument"]: h["contracts"] for h in now["hedges"]} == {
                h["instrument"]: h["contracts"] for h in seen["hedges"]
            }
            asked = {"kind": "note", "find": "cooldown_hours", "most": 1}
            [row] = client.get("/api/journal", params=asked).json()
            assert row["body"]["diff"] == [
                {"key": "strategy.exit.cooldown_hours", "before": "8", "after": "12", "asked": True}
            ]
            told = {"kind": "note", "find": '"what":"refused"'}
            [row] = client.get("/api/journal", params=told).json()  # of the question without the token, above
            assert (row["body"]["error"], row["body"]["count"]) == ("no_token", 1)
            assert row["body"]["detail"] == "GET /api/status"
            forged = client.get("/api/status", headers={"host": "evil.example"})
            assert forged.status_code == 421
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=60)
        assert daemon.returncode == 0
    finally:
        daemon.kill()
    assert main("journal", "verify", "--data", str(data)).code == 0
    notes = main("journal", "export", "--kinds", "note", "--data", str(data)).out
    assert '"error":"unknown_host"' in notes  # though the engine ended the moment it came
