"""Every alarm the engine can raise, read from the code that raises it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from config.schema import Risk, Settings
from monitor.cause_words import CAUSES
from monitor.texts import TEXTS
from risk import Degradation, build_alarms
from tests.deploy.names import ROOT, alerts
from tests.risk.scenes import scene

WHO_TELLS = ("core", "execution", "exchange", "monitor", "risk", "scripts")
TOLD = {"alarm", "trouble", "breach"}


def conditions() -> set[str]:
    return {topic.removeprefix("health.") for topic in TEXTS if topic.startswith("health.")}


def of_the_watchdog() -> set[str]:
    return {topic for topic in TEXTS if topic.startswith("watchdog.")}


def causes() -> set[str]:
    return {finding.cause for finding in Degradation(Settings()).judge(scene())} | set(CAUSES)


def breaches() -> set[str]:
    return {alarm.name for alarm in build_alarms(Risk())}


def told() -> set[str]:
    """What messages of trouble are about: the constant `what` of every message the code can send."""
    found: set[str] = set()
    for folder in WHO_TELLS:
        for path in (ROOT / folder).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            found |= set(_constants(tree))
            for function in ast.walk(tree):
                if isinstance(function, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef):
                    found |= set(_whats(function))
    return found


def _constants(module: ast.Module) -> Iterator[str]:
    """What a module calls its one condition: `CONDITION = "name"`, or a mapping with `what`."""
    for node in module.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        target = node.targets[0] if isinstance(node, ast.Assign) else target
        if not (isinstance(target, ast.Name) and target.id == "CONDITION"):
            continue
        assert isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        value = ast.literal_eval(node.value)
        yield value["what"] if isinstance(value, dict) else value


def _whats(scope: ast.AST) -> Iterator[str]:
    """Of a function that tells something: its dictionaries with `what`, and `trouble(what, ...)` calls."""
    tells = False
    whats: list[str] = []
    for node in ast.walk(scope):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            tells |= node.func.attr == "tell" and first in TOLD
            if node.func.attr == "trouble" and isinstance(first, str):
                yield first
        if isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            said = {k.value: v for k, v in pairs if isinstance(k, ast.Constant) and isinstance(k.value, str)}
            what = said.get("what")
            if isinstance(what, ast.Constant) and isinstance(what.value, str):
                whats.append(what.value)
    if tells and not isinstance(scope, ast.Module):
        yield from whats


def alert_names() -> set[str]:
    return {str(rule["alert"]) for rule in alerts()}


def every_alarm() -> set[str]:
    return (
        conditions() | of_the_watchdog() | causes() | breaches() | told() | {"self_check_failed", "stopped"}
    )
