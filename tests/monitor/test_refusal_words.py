"""What a change of the configuration is refused with, in Chinese, nothing of it left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.fields import allowed, allowed_in_chinese, section_of
from config.loader import load
from config.overlay import Overlay
from config.schema import Settings
from config.section import Section
from core.errors import UsageError
from monitor.refusal_words import refusal_in_chinese

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("schema", "monitor", "degradation", "watchdog")
ENGLISH = re.compile(r"\b(allowed|must|needs?|line|least|most|unknown|above|below|problem|neither|would)\b")


def fields(model: type[Section], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Every key with what is allowed there, in both languages."""
    for name, field in model.model_fields.items():
        if (inner := section_of(field)) is not None:
            yield from fields(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", allowed(field), allowed_in_chinese(field)


def contradictions() -> Iterator[str]:
    """Every sentence with which the models refuse, a name or 7 in the place of what they fill in."""
    for model in MODELS:
        for node in ast.walk(ast.parse((ROOT / "config" / f"{model}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ValueError":
                parts = node.args[0].values if isinstance(node.args[0], ast.JoinedStr) else [node.args[0]]
                yield "".join(_shown(part) for part in parts)


def _shown(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "name" if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name) else "7"


def refusal(changes: dict[str, str]) -> str:
    with pytest.raises(UsageError) as refused:
        load(ROOT / "config", Overlay(1, changes))
    return str(refused.value)


def test_what_any_key_allows_is_said_as_on_the_page() -> None:
    told = {
        key: (refusal_in_chinese(f"allowed: {english}"), chinese)
        for key, english, chinese in fields(Settings)
    }
    assert len(told) > 100
    assert {key: both for key, both in told.items() if both[0] != f"允许：{both[1]}"} == {}


def test_every_contradiction_of_the_models_has_its_chinese() -> None:
    said = list(contradictions())
    assert len(said) > 15
    assert [one for one in said if refusal_in_chinese(one) == one] == []


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("strategy.exit.cooldown_hours", "-1", "允许：数，不小于 0，不大于 2160"),
        ("strategy.exit.cooldown_hours", "'1'", "；不加引号"),
        ("strategy.exit.cooldown_hours", "1e2", "普通十进制数字：写作 100"),
        ("strategy.exit.cooldown_hours", "[1", "合法的 YAML"),
        ("strategy.exit.cooldown", "1", "未知的键"),
        ("monitor.language", "fr", "en、zh 之一"),
        ("instruments.instruments", "[btc, ETH-USDT]", "格式为"),
        ("secrets.api_key", "1", "不放密钥"),
        ("account.venue", "okx", "只有主机上的文件"),
        ("risk.margin.emergency_below", "0.95", "须满足 emergency_below < rebalance_below"),
        ("risk.margin.target", "0.1", "（overlay.json 第 1 行）"),
    ],
)
def test_a_refusal_names_place_value_and_what_is_allowed_in_chinese(key: str, value: str, told: str) -> None:
    english = refusal({key: value})
    chinese = refusal_in_chinese(english)
    assert told in chinese and "处问题：" in chinese
    head, *lines = chinese.split("\n")
    assert head.startswith("配置目录 ") and " 及其上的更改有 " in head
    assert len(lines) == len(english.split("\n")) - 1 and all(line.startswith("  ") for line in lines)
    assert ENGLISH.search(re.sub(r"[a-z]+[._][a-z_.]+", "", chinese.replace(str(ROOT), ""))) is None


def test_what_an_overlay_refuses_by_itself_has_its_chinese() -> None:
    long = "x" * 3_000
    for version, changes in (
        (0, {"strategy.exit.cooldown_hours": "12"}),
        (1, {}),
        (1, {"account.venue": "okx"}),
        (1, {"strategy.exit.cooldown_hours": long}),
        (1, {f"strategy.k{n}": "1" for n in range(300)}),
    ):
        with pytest.raises(UsageError) as refused:
            Overlay(1).changed(version, changes)
        said = str(refused.value)
        assert refusal_in_chinese(said) != said and ENGLISH.search(refusal_in_chinese(said)) is None


def test_what_nobody_has_foreseen_is_shown_as_it_was_said() -> None:
    for text in ("", "the moon is full", "two\n  lines", "risk.yaml line 3: x; the moon is full"):
        said = refusal_in_chinese(text)
        assert said == text or "the moon is full" in said
