"""The engine's verdicts in people's words, none of them left out."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Literal

import pytest

from core.conditions import CONDITIONS, Condition
from monitor.verdict_words import SENTENCES, figure_word, guard_word
from monitor.words import verdict_sentence, word

LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")
ROOT = Path(__file__).resolve().parents[2]


def refusals() -> set[str]:
    """Every sentence with which a condition of the strategy says no to an opening."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "strategy" / "conditions.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Verdict":
            ok, _, reason = node.args[:3]
            is_no = isinstance(ok, ast.Constant) and ok.value is False
            if is_no and isinstance(reason, ast.Constant):
                found.add(str(reason.value))
        elif isinstance(node, ast.IfExp) and isinstance(node.orelse, ast.Constant):
            said = str(node.orelse.value)
            found |= {said} if " " in said else set()
    return found


def test_every_no_to_an_opening_is_said_in_chinese_too() -> None:
    said = refusals()
    assert len(said) > 12
    assert {sentence for sentence in said if word(sentence, "zh") == sentence} == set()


def test_what_has_no_words_is_shown_as_the_engine_says_it() -> None:
    assert (
        guard_word("funding_band", "zh") == "费率区间"
        and guard_word("never_heard_of", "en") == "Never heard of"
    )
    assert figure_word("net_carry_bps", "en") == "net carry"
    assert (
        figure_word("max_basis_bps", "en") == "most basis"
        and figure_word("max_basis_bps", "zh") == "基差上限"
    )
    assert figure_word("min_quiet_s", "en") == "least quiet time"
    assert figure_word("strange_ratio", "zh") == "strange"
    assert set(SENTENCES) & {"", " "} == set()


def test_a_no_that_would_read_like_a_yes_has_words_of_its_own() -> None:
    said = "something held must change"
    assert verdict_sentence("adjustment_due", True, said, "zh") == "持仓需要变动"
    assert verdict_sentence("adjustment_due", False, said, "zh") == "持仓无需变动"
    assert verdict_sentence("adjustment_due", False, said, "en") == "nothing that is held needs a change"
    assert verdict_sentence("calm", False, "the last hour was not calm", "en") == "the last hour was not calm"


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda c: c.name)
def test_no_condition_says_its_yes_when_it_means_no(condition: Condition) -> None:
    for language in LANGUAGES:
        yes = verdict_sentence(condition.name, True, condition.reason, language)
        no = verdict_sentence(condition.name, False, condition.reason, language)
        assert yes != no
    assert word(condition.reason, "zh") != condition.reason
