"""The unit file asks of systemd what the engine does, and systemd understands it."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from config.secrets import Secrets
from scripts.session import CLOSING_PATIENCE_S, FAREWELL_S

UNIT = Path(__file__).resolve().parents[1] / "deploy" / "funding-engine.service"


def section(name: str) -> dict[str, list[str]]:
    """A section with its repeated keys."""
    found: dict[str, list[str]] = {}
    current = ""
    for line in UNIT.read_text(encoding="utf-8").splitlines():
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
    assert len(named) == len(held) == 3


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("systemd-analyze is not installed here")
    text = UNIT.read_text(encoding="utf-8").replace("/opt/funding-engine/.venv/bin/python", "/bin/true")
    copy = tmp_path / UNIT.name
    copy.write_text(text, encoding="utf-8")
    done = subprocess.run([tool, "verify", str(copy)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert done.returncode == 0 and complaints == [], done.stderr
