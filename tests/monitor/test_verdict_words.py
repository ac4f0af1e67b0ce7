"""The engine's verdicts in people's words: the same on the page and in a chat, and none of them left out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from monitor.verdict_words import FIGURES, GUARDS, SENTENCES, figure_word, guard_word
from monitor.words import word

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "monitor" / "dashboard" / "src" / "i18n" / "words.ts").read_text(encoding="utf-8")


def block(name: str) -> str:
    found = re.search(rf"const {name}: Record<string, (?:Pair|string)> = {{\n(.*?)\n}};", PAGE, re.S)
    assert found is not None
    return found[1]


@pytest.mark.parametrize(("name", "ours"), [("GUARDS", GUARDS), ("FIGURES", FIGURES)])
def test_the_page_calls_guards_and_figures_the_same(name: str, ours: dict[str, tuple[str, str]]) -> None:
    theirs = re.findall(r'^  "?([^":]+?)"?: \["([^"]*)", "([^"]*)"\],$', block(name), re.M)
    assert {key: (english, chinese) for key, english, chinese in theirs} == dict(ours)


def test_the_page_says_sentences_the_same() -> None:
    theirs = re.findall(r'^  "?([^"\n]+?)"?: "([^"]*)",$', block("REASONS"), re.M)
    assert len(theirs) > 100
    assert {english: word(english, "zh") for english, _ in theirs} == dict(theirs)


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
