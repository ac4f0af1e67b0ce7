"""The settings besides the demo's own: multi-currency accounts, dry runs, rankings, and what live refuses."""

from __future__ import annotations

import base64
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.facts import Kind
from core.journal_reader import JournalReader
from scripts.storm.inquiry import books_of
from tests.e2e.rig import PATIENCE_S, ROOT, Ended, main, run, start, venue

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

D = Decimal
DRIVER = str(ROOT / "tests" / "e2e" / "dry_run_driver.py")
STARTING_MS = 2_000  # what the free-running venue needs to come up, so that its clock is about ours
PRIVATE = (b"ok-access-", b"/api/v5/account", b"/api/v5/trade", b"/api/v5/asset", b"/ws/v5/private")


def config_copy(folder: Path, **changes: tuple[str, str]) -> Path:
    """A configuration folder with `section=(old line, new line)` changed in section.yaml."""
    folder.mkdir()
    for file in (ROOT / "config").glob("*.yaml"):
        shutil.copy(file, folder)
    for section, (old, new) in changes.items():
        change(folder, section, old, new)
    return folder


def change(folder: Path, section: str, old: str, new: str) -> None:
    file = folder / f"{section}.yaml"
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} in {file.name}"
    file.write_text(text.replace(old, new))


# --- multi-currency ---------------------------------------------------------------------------


def accounts(url: str) -> list[dict[str, Any]]:
    with httpx.Client(base_url=url, trust_env=False) as client:
        found: list[dict[str, Any]] = client.get("/sim/accounts").json()
        return found


def make_multi_currency(url: str) -> None:
    """Switch the demo account as its owner would, by a signed request at the venue's own time."""
    path, body = "/api/v5/account/set-account-level", '{"acctLv":"3"}'
    with httpx.Client(base_url=url, trust_env=False) as client:
        at_ms = int(client.get("/api/v5/public/time").json()["data"][0]["ts"])
        stamp = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
        digest = hmac.digest(b"demo-secret", f"{stamp}POST{path}{body}".encode(), "sha256")
        headers = {
            "OK-ACCESS-KEY": "demo-key",
            "OK-ACCESS-PASSPHRASE": "demo-pass",
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
        }
        answer = client.post(path, content=body, headers=headers).json()
    assert answer["data"] == [{"acctLv": "3"}], answer


def test_in_a_multi_currency_account_the_spot_backs_the_short(tmp_path: Path) -> None:
    arguments = ("--data", str(tmp_path), "--for", "9h", "--speed", "max", "--json")
    with venue("--seed", "7") as url:
        make_multi_currency(url)
        done = main("run", "--venue", url, *arguments)
        held, usdt = books_of(url), D(accounts(url)[0]["cash"]["USDT"])
    assert done.code == 0, done.err
    said = done.summary
    assert said["opens"] == 2 and said["state"] == "RUNNING" and said["permission"] == "FULL"
    assert said["unexplained"] == "0" and said["violations"] == []
    assert D(said["funding"]) > 0
    assert abs(held.naked("BTC")) < D("0.0001") and abs(held.naked("ETH")) < D("0.001")
    seen = last_upkeep(tmp_path)
    usdt_ratio = usdt / D(seen["swap_notional_usdt"])
    assert usdt_ratio < D("0.8") < D(seen["margin_ratio"])  # by USDT alone a rebalance would be due


def last_upkeep(folder: Path) -> dict[str, str]:
    """The figures the last scan judged the margin by."""
    with JournalReader(folder / "journal.db") as reader:
        scans = [row.body for row in reader.rows(Kind.DECISION) if row.body["on"] == "scan"]
    figures = {v["guard"]: dict(v["figures"]) for v in scans[-1]["verdicts"]}
    return figures["margin_upkeep"]


# --- dry run ----------------------------------------------------------------------------------


class Listener:
    """Passes TCP connections on to the venue, and keeps what the engine said."""

    def __init__(self, venue_port: int) -> None:
        self._venue_port = venue_port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self.heard = bytearray()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._door.close()

    def _accept(self) -> None:
        while True:
            try:
                engine, _ = self._door.accept()
            except OSError:
                return  # closed: the test is over
            onward = socket.create_connection(("127.0.0.1", self._venue_port))
            for source, dest, ear in ((engine, onward, self.heard), (onward, engine, None)):
                threading.Thread(target=self._pump, args=(source, dest, ear), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, dest: socket.socket, ear: bytearray | None) -> None:
        with source, dest:
            try:
                while data := source.recv(65_536):
                    if ear is not None:
                        ear += data
                    dest.sendall(data)
            except OSError:
                return  # the other direction has ended


@contextmanager
def outside() -> Iterator[str]:
    """A venue that runs by itself, on the wall's time."""
    from_ms = str(int(time.time() * 1000) + STARTING_MS)
    command = ("venue", "--port", "0", "--from", from_ms, "--speed", "1", "--until-stdin-closes")
    child = start(str(ROOT / "main.py"), *command, talks=True)
    assert child.stdout is not None and child.stdin is not None
    try:
        yield f"http://127.0.0.1:{json.loads(child.stdout.readline())['port']}"
    finally:
        child.stdin.close()
        child.wait(timeout=10)
        child.stdout.close()


@pytest.mark.fault("AU4")
def test_a_dry_run_trades_on_paper_only_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with outside() as url:
        listener = Listener(int(url.rpartition(":")[2]))
        config = config_copy(
            tmp_path / "config", risk=("max_clock_offset_ms: 1000", "max_clock_offset_ms: 30000")
        )
        change(config, "account", "rest_url: null", f"rest_url: http://127.0.0.1:{listener.port}")
        change(config, "account", "stream_url: null", f"stream_url: ws://127.0.0.1:{listener.port}/ws/v5")
        before = accounts(url)
        first = run(DRIVER, str(config), str(tmp_path / "data"), "2")
        assert first.code == 0, first.err
        again = run(DRIVER, str(config), str(tmp_path / "data"), "0")
        assert again.code == 0, again.err
        listener.close()
        assert accounts(url) == before
    heard = bytes(listener.heard).lower()
    assert b"/api/v5/public/time" in heard and b"/ws/v5/public" in heard
    assert [word for word in PRIVATE if word in heard] == []
    said = first.summary
    assert said["mode"] == "dry-run" and said["state"] == "RUNNING"
    assert said["opens"] == 2 and said["orders"] == 4
    assert D(said["fees"]) > 0 and said["unexplained"] == "0"
    assert D(said["max_leverage"]) > 0  # the paper account is seen while it changes
    said = again.summary
    assert said["state"] == "RUNNING" and said["orders"] == 0 and said["unexplained"] == "0"
    assert said["equity_start"] == first.summary["equity_end"]


def test_the_dry_run_command_prints_its_summary_without_keys(tmp_path: Path) -> None:
    with outside() as url:
        config = config_copy(
            tmp_path / "config", risk=("max_clock_offset_ms: 1000", "max_clock_offset_ms: 30000")
        )
        change(config, "account", "rest_url: null", f"rest_url: {url}")
        stream_url = url.replace("http", "ws") + "/ws/v5"
        change(config, "account", "stream_url: null", f"stream_url: {stream_url}")
        arguments = ("--for", "3s", "--json", "--config", str(config), "--data", str(tmp_path / "data"))
        done = run(str(ROOT / "scripts" / "dry_run.py"), *arguments)
    assert done.code == 0, done.err
    assert done.summary["mode"] == "dry-run" and done.summary["ws_messages"] > 0


# --- the universe -----------------------------------------------------------------------------


def test_the_universe_takes_the_most_traded_coins_of_the_venue(tmp_path: Path) -> None:
    config = config_copy(tmp_path / "config", instruments=("  enabled: false", "  enabled: true"))
    change(config, "instruments", "  - BTC-USDT\n  - ETH-USDT\n", "  - DOGE-USDT\n")
    change(config, "instruments", "  size: 20", "  size: 2")
    arguments = ("--for", "30m", "--speed", "max", "--json", "--config", str(config))
    with venue("--seed", "7", "--instruments", "DOGE-USDT,ETH-USDT,SOL-USDT,BTC-USDT") as url:
        done = main("run", "--venue", url, "--data", str(tmp_path / "a"), *arguments)
        assert done.code == 0, done.err
        change(config, "instruments", "  exclude: []", "  exclude: [BTC-USDT]")
        again = main("run", "--venue", url, "--data", str(tmp_path / "a"), *arguments)
        assert again.code == 0, again.err
    assert sorted(done.summary["instruments"]) == ["BTC-USDT", "ETH-USDT"]
    assert done.summary["opens"] == 2
    said = again.summary  # what is held is looked after, ranked or not
    assert sorted(said["instruments"]) == ["BTC-USDT", "ETH-USDT", "SOL-USDT"]
    assert said["state"] == "RUNNING" and said["unexplained"] == "0"


# --- live -------------------------------------------------------------------------------------


def live(folder: Path, config: Path, **environment: str) -> Ended:
    """Start live mode with no more of the environment than given, away from any .env file."""
    command = [sys.executable, str(ROOT / "main.py"), "run", "--mode", "live", "--for", "1s"]
    command += ["--config", str(config), "--data", str(folder / "data")]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OKX_")}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**clean, **environment},
        timeout=PATIENCE_S,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def test_live_refuses_to_start_while_dry_run_is_true(tmp_path: Path) -> None:
    keys = {"OKX_API_KEY": "k", "OKX_API_SECRET": "s", "OKX_PASSPHRASE": "p"}
    done = live(tmp_path, config_copy(tmp_path / "config"), **keys)
    assert done.code == 2
    assert "dry_run is true" in done.err and "Traceback" not in done.err


def test_live_refuses_to_start_without_keys_and_names_them(tmp_path: Path) -> None:
    config = config_copy(tmp_path / "config", strategy=("dry_run: true", "dry_run: false"))
    done = live(tmp_path, config, OKX_API_KEY="k")
    assert done.code == 2
    assert "OKX_API_SECRET" in done.err and "OKX_PASSPHRASE" in done.err
    assert "OKX_API_KEY" not in done.err and "Traceback" not in done.err
    assert not (tmp_path / "data" / "journal.db").exists()
