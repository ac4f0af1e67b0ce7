"""The unit files ask of systemd what the engine does, and systemd understands them."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from config.secrets import Secrets
from scripts.session import CLOSING_PATIENCE_S, FAREWELL_S
from tests.test_docs import parse

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
UNIT = DEPLOY / "funding-engine.service"
SERVICES = sorted(DEPLOY.glob("*.service"))
PYTHON = "/opt/funding-engine/current/.venv/bin/python"
SHUT_IN = {
    "NoNewPrivileges": "true", "ProtectSystem": "strict", "ProtectHome": "true", "PrivateTmp": "true",
    "PrivateDevices": "true", "RestrictNamespaces": "true", "CapabilityBoundingSet": "", "UMask": "0077",
    "SystemCallFilter": "@system-service", "User": "funding-engine",
}  # fmt: skip


def section(name: str, unit: Path = UNIT) -> dict[str, list[str]]:
    """A section with its repeated keys."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            current = line.strip("[]")
        elif current == name and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def test_the_unit_waits_for_ready_feeds_on_the_watchdog_and_limits_restarts() -> None:
    service, unit = section("Service"), section("Unit")
    assert service["Type"] == ["notify"] and int(service["WatchdogSec"][0]) >= 30
    assert service["Restart"] == ["on-failure"] and service["RestartPreventExitStatus"] == ["2"]
    assert int(unit["StartLimitBurst"][0]) <= 10 and int(unit["StartLimitIntervalSec"][0]) >= 60
    assert int(service["TimeoutStopSec"][0]) > CLOSING_PATIENCE_S + FAREWELL_S
    with pytest.raises(configparser.DuplicateOptionError):  # repeated keys are systemd's, not INI's
        configparser.ConfigParser().read_string(UNIT.read_text(encoding="utf-8"))


def test_secrets_come_as_credentials_and_every_name_is_one_the_engine_reads() -> None:
    service = section("Service")
    held = {value.partition(":")[0] for value in service["LoadCredential"]}
    named = dict(value.split("=", 1) for value in service["Environment"])
    for variable, place in named.items():
        assert variable.removesuffix("_FILE").lower() in Secrets.model_fields
        assert place.removeprefix("%d/") in held
    assert len(named) == len(held) == 4


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_may_do_no_more_than_it_must(unit: Path) -> None:
    service = section("Service", unit)
    assert {key: service.get(key) for key in SHUT_IN} == {key: [value] for key, value in SHUT_IN.items()}
    assert service["ExecStart"][0].startswith(f"{PYTHON} main.py ")
    assert "MemoryMax" in service


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_what_a_service_starts_is_a_command_of_the_engine(unit: Path) -> None:
    words = section("Service", unit)["ExecStart"][0].removeprefix(f"{PYTHON} main.py ").split()
    assert parse(words) in ("run", "watchdog", "backup")


def test_the_watchdog_outlives_every_restart_and_takes_a_key_of_its_own() -> None:
    unit = DEPLOY / "funding-watchdog.service"
    assert section("Service", unit)["Restart"] == ["always"]
    assert section("Unit", unit)["StartLimitIntervalSec"] == ["0"]
    assert all("watchdog-okx" in value for value in section("Service", unit)["LoadCredential"])


def test_the_timer_makes_up_for_a_copy_that_was_missed() -> None:
    timer = section("Timer", DEPLOY / "funding-backup.timer")
    assert timer["Persistent"] == ["true"] and timer["Unit"] == ["funding-backup.service"]


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed here")
    copies = []
    for unit in (*SERVICES, *DEPLOY.glob("*.timer")):
        text = unit.read_text(encoding="utf-8").replace(PYTHON, "/bin/true")
        copies.append(tmp_path / unit.name)
        copies[-1].write_text(text, encoding="utf-8")
    done = subprocess.run([tool, "verify", *map(str, copies)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "funding-" in line]
    assert done.returncode == 0 and complaints == [], done.stderr
