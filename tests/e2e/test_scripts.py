"""scripts/bootstrap.py as an operator calls it: what it asks, what it leaves alone, and its exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.storm.inquiry import books_of
from tests.e2e.rig import PATIENCE_S, ROOT, Ended, main, venue

pytestmark = pytest.mark.timeout(600)  # real processes on a busy machine

NOBODY = "http://127.0.0.1:9"  # a port nothing listens on


def bootstrap(folder: Path, *arguments: str) -> Ended:
    """Run it from an empty folder, with no key in the environment and no .env file."""
    command = [sys.executable, str(ROOT / "scripts" / "bootstrap.py"), *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OKX_")}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=clean, timeout=PATIENCE_S)
    assert "Traceback" not in done.stderr, done.stderr
    return Ended(done.returncode, done.stdout, done.stderr)


def checks(done: Ended) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in done.summary["checks"]}


CONFIG = ("--config", str(ROOT / "config"))


def test_a_venue_in_order_passes_and_nothing_is_changed(tmp_path: Path) -> None:
    with venue("--seed", "7") as url:
        done = bootstrap(tmp_path, "--mode", "demo", "--venue", url, *CONFIG, "--json")
        assert books_of(url).orders == []
    assert done.code == 0, done.out
    assert done.summary["ok"] is True
    asked = (
        "configuration",
        "secrets",
        "journal",
        "venue",
        "clock",
        "instruments",
        "key",
        "positions",
        "orders",
    )
    assert [checks(done)[name]["result"] for name in asked] == ["pass"] * len(asked)
    assert list(tmp_path.iterdir()) == []


def test_without_a_venue_a_demo_brings_its_own_and_the_table_is_for_people(tmp_path: Path) -> None:
    done = bootstrap(tmp_path, "--mode", "demo", *CONFIG)
    assert done.code == 0, done.out
    assert "self-check" in done.out and "account mode" in done.out


def test_a_venue_that_cannot_be_reached_is_a_failed_check(tmp_path: Path) -> None:
    done = bootstrap(tmp_path, "--mode", "demo", "--venue", NOBODY, *CONFIG, "--json")
    assert done.code == 3
    found = checks(done)
    assert found["venue"]["result"] == "fail" and found["venue"]["todo"]
    assert found["configuration"]["result"] == "pass"


def test_live_without_keys_and_network_names_all_that_is_missing(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    for file in (ROOT / "config").glob("*.yaml"):
        text = file.read_text().replace("rest_url: null", f"rest_url: {NOBODY}")
        (config / file.name).write_text(text)
    done = bootstrap(tmp_path, "--config", str(config), "--json")
    assert done.code == 3
    failed = {name: check for name, check in checks(done).items() if check["result"] == "fail"}
    assert set(failed) == {"configuration", "secrets", "venue"}
    assert "OKX_API_SECRET" in failed["secrets"]["found"]


def test_a_position_outside_the_books_is_a_warning_and_our_own_is_none(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    with venue("--seed", "7") as url:
        ran = main("run", "--venue", url, "--data", str(mine), "--for", "20m", "--speed", "max", "--json")
        assert ran.summary["opens"] == 2
        told = ("--mode", "demo", "--venue", url, *CONFIG, "--json")
        own = bootstrap(tmp_path, *told, "--data", str(mine))
        stranger = bootstrap(tmp_path, *told, "--data", str(tmp_path / "elsewhere"))
    assert own.code == 0, own.out
    assert checks(own)["last exit"]["found"] == "on purpose"
    assert checks(own)["positions"]["result"] == "pass"
    assert (
        stranger.code == 0
    )  # the start itself decides: what our ids prove is adopted, the rest is left alone
    assert checks(stranger)["positions"]["result"] == "warn"
    assert not (tmp_path / "elsewhere").exists()


def test_a_configuration_error_is_one_message_and_exit_code_two(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    for file in (ROOT / "config").glob("*.yaml"):
        (config / file.name).write_text(file.read_text().replace("leverage: 3", "leverage: 5"))
    done = bootstrap(tmp_path, "--mode", "demo", "--config", str(config), "--json")
    assert done.code == 2 and done.out == ""
    assert "account.yaml" in done.err and "leverage" in done.err and "5" in done.err


def test_a_venue_for_another_mode_than_demo_is_wrong_usage(tmp_path: Path) -> None:
    done = bootstrap(tmp_path, "--mode", "live", "--venue", NOBODY, *CONFIG)
    assert done.code == 2 and "--mode demo" in done.err


def test_the_daemon_names_a_venue_that_is_not_there(tmp_path: Path) -> None:
    done = main("run", "--venue", NOBODY, "--data", str(tmp_path), "--for", "1h")
    assert done.code == 1
    assert NOBODY.removeprefix("http://") in done.err and "Traceback" not in done.err
