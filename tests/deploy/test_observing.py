"""Dashboard and alert rules speak of metrics that exist, and of runbooks that do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.metrics.catalogue import METRICS
from tests.deploy.names import CONFIG, DEPLOY, RULES, alerts, all_names, dashboard, queries

PROCESS = {
    f"process_{name}"
    for name in (
        "resident_memory_bytes", "virtual_memory_bytes", "cpu_seconds_total", "open_fds", "max_fds",
        "start_time_seconds",
    )
}  # fmt: skip
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(
    PROMTOOL is None,
    reason="promtool is not installed: it is in Debian's package prometheus, see .ci/run",
)


def promtool(*arguments: str) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_metric_they_name_is_one_the_engine_serves() -> None:
    served = {name for metric in METRICS for name in metric.series} | PROCESS
    assert all_names() - served == set()


def test_every_metric_the_engine_serves_is_on_the_dashboard() -> None:
    """What is measured and shown nowhere is forgotten."""
    shown = " ".join(expr for _, expr in queries())
    forgotten = {m.full_name for m in METRICS if not re.search(rf"\b{m.full_name}(?:_bucket|_sum)?\b", shown)}
    assert forgotten <= {"funding_engine_permission_seconds", "funding_engine_condition_seconds"}


def test_the_dashboard_has_its_rows_and_nothing_lies_on_something_else() -> None:
    panels = dashboard()["panels"]
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "At a glance", "Hedges", "Earnings", "Risk", "Venue latency", "Engine internals",
    ]  # fmt: skip
    covered: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & covered and place["x"] + place["w"] <= 24, panel["title"]
        covered |= cells
    ids = [panel["id"] for panel in panels]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_wrong_what_was_done_and_where_the_rest_stands(rule: dict[str, object]) -> None:
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"}, {"severity": "info"})
    said = rule["annotations"]
    assert isinstance(said, dict) and set(said) == {"summary", "already", "runbook"}
    assert str(said["summary"]).endswith(".") and str(said["already"]).endswith(".")
    assert str(said["runbook"]).startswith("docs/runbooks.md#")


@needs_promtool
def test_prometheus_reads_rules_and_configuration(tmp_path: Path) -> None:
    assert "SUCCESS" in promtool("check", "rules", str(RULES))
    token = tmp_path / "web_token"
    token.write_text("a token")
    shutil.copy(RULES, tmp_path)
    config = tmp_path / CONFIG.name
    config.write_text(CONFIG.read_text("utf-8").replace("/run/secrets/web_token", str(token)), "utf-8")
    assert "SUCCESS" in promtool("check", "config", str(config))


@needs_promtool
def test_every_alert_fires_when_it_should_and_only_then() -> None:
    tests = yaml.safe_load((DEPLOY / "prometheus" / "alerts_test.yml").read_text("utf-8"))["tests"]
    played = {case["alertname"]: case for test in tests for case in test["alert_rule_test"]}
    assert set(played) == {rule["alert"] for rule in alerts()}
    assert "SUCCESS" in promtool("test", "rules", str(DEPLOY / "prometheus" / "alerts_test.yml"))
