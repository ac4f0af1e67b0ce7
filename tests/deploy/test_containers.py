"""Dockerfile and compose file, as far as they can be judged without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from config.loader import load
from config.secrets import Secrets
from core.errors import UsageError
from scripts.cockpit import check_web
from tests.deploy.names import CONFIG, DEPLOY, ROOT
from tests.test_docs import parse

pytestmark = pytest.mark.timeout(300)
DOCKERFILE = (DEPLOY / "Dockerfile").read_text("utf-8")
FINAL = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PACKAGES = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["root_packages"]
)


def copied(text: str) -> set[str]:
    """First words of the COPY lines that take something of the project's."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", text, re.M)
    return {word for line in lines for word in line.split()[:-1]}


def test_the_image_holds_every_package_of_the_engine_and_all_of_it_exists() -> None:
    assert copied(FINAL) >= PACKAGES
    assert all((ROOT / name).exists() for name in copied(DOCKERFILE))


def test_what_the_image_holds_is_enough_to_run_and_is_not_written_to(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for name in copied(FINAL):
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, app / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
            )
        else:
            shutil.copy(ROOT / name, app)
    page = app / "config" / "monitor.yaml"
    page.write_text(page.read_text("utf-8").replace("port: 8788", "port: 0"), "utf-8")

    def picture() -> set[tuple[Path, int]]:
        return {(path, path.stat().st_mtime_ns) for path in app.rglob("*")}

    before, [settings] = picture(), re.findall(r"^ENV PATH.*$", FINAL, re.M)
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONUNBUFFERED": "1"}
    assert {"PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1"} <= set(settings.split())
    done = subprocess.run(
        [sys.executable, "main.py", "run", "--web", "--for", "1h", "--speed", "max",
         "--data", str(tmp_path / "data")],
        cwd=app, env=environment, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "API: http://127.0.0.1" in done.stdout and (tmp_path / "data" / "journal.db").exists()
    assert picture() == before, "the root file system of the container is read-only"


def test_the_builder_is_shown_what_is_copied_and_no_secret() -> None:
    shown = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in shown if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied(DOCKERFILE)
    assert {"**/.env", "**/*.db"} <= set(rules)


def test_the_image_runs_as_nobody_in_particular_and_says_whether_it_lives() -> None:
    [user] = re.findall(r"^USER (.+)$", FINAL, re.M)
    assert user == "10001:10001"
    assert "/healthz" in FINAL[FINAL.index("HEALTHCHECK") :]
    assert re.search(r"--require-hashes", DOCKERFILE) and "pip install" not in FINAL
    [command] = re.findall(r"^CMD (\[.+\])$", FINAL, re.M)
    assert parse(json.loads(command)) == "run"


def test_no_layer_and_no_variable_holds_a_secret() -> None:
    names = {name.upper() for name in Secrets.model_fields}
    assert not [name for name in names if name in DOCKERFILE]
    for service in SERVICES.values():
        for variable in service.get("environment", {}):
            assert variable not in names and not re.search(
                r"(KEY|SECRET|PASSPHRASE|TOKEN|PASSWORD)$", variable
            )


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] and service["restart"]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", ["engine", "watchdog"])
def test_our_services_start_commands_that_exist_with_secrets_they_read(name: str) -> None:
    service = SERVICES[name]
    assert parse(service["command"]) == {"engine": "run", "watchdog": "watchdog"}[name]
    for variable, place in service["environment"].items():
        assert variable.removesuffix("_FILE").lower() in Secrets.model_fields
        assert place.removeprefix("/run/secrets/") in service["secrets"]
    assert service["user"] == "10001:10001" and service["stop_grace_period"] == "90s"


def test_engine_and_watchdog_share_the_books_and_no_key() -> None:
    engine, watchdog = SERVICES["engine"], SERVICES["watchdog"]
    assert engine["volumes"] == watchdog["volumes"]
    assert not set(engine["secrets"]) & set(watchdog["secrets"])
    assert watchdog["restart"] == "always" and engine["restart"].startswith("on-failure:")


def test_every_secret_volume_network_and_file_that_is_used_is_there() -> None:
    for service in SERVICES.values():
        for secret in service.get("secrets", ()):
            assert (secret if isinstance(secret, str) else secret["source"]) in COMPOSE["secrets"]
        assert set(service["networks"]) <= set(COMPOSE["networks"])
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]
    assert all(secret["file"].startswith("./secrets/") for secret in COMPOSE["secrets"].values())
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_the_containers_configuration_is_allowed_with_a_token_and_known_to_prometheus(tmp_path: Path) -> None:
    folder = Path(
        shutil.copytree(ROOT / "config", tmp_path / "config", ignore=shutil.ignore_patterns("*.py"))
    )
    shutil.copy(DEPLOY / "container" / "monitor.yaml", folder)
    web = load(folder).monitor.web
    check_web(web, Secrets(web_token=SecretStr("a token")))
    with pytest.raises(UsageError, match="WEB_TOKEN"):
        check_web(web, Secrets(web_token=None))
    [target] = yaml.safe_load(CONFIG.read_text("utf-8"))["scrape_configs"][0]["static_configs"][0]["targets"]
    name, _, port = target.partition(":")
    assert name in web.names and name in SERVICES and int(port) == web.port


def test_grafana_finds_its_data_source_and_the_dashboard() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in SERVICES
    [provider] = yaml.safe_load((provisioning / "dashboards" / "files.yaml").read_text())["providers"]
    mounted = {volume.split(":")[1] for volume in SERVICES["grafana"]["volumes"]}
    assert f"{provider['options']['path']}/funding-engine.json" in mounted
