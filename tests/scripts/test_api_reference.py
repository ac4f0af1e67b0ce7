"""The reference pages say what the API says, in both languages."""

from __future__ import annotations

import re

import pytest

from monitor.words import Language
from scripts.api_reference import PAGES, description, page, sentences
from scripts.chinese import api as chinese
from tests.bilingual import told_otherwise

CODE = re.compile(r"`[^`]+`|\b[A-Z]\w+|\d+")


@pytest.mark.parametrize("language", PAGES)
def test_the_page_in_docs_is_up_to_date(language: Language) -> None:
    assert PAGES[language].read_text(encoding="utf-8") == page(language), "run `make docs`"


def test_no_answer_is_left_without_a_shape() -> None:
    told = page("en")
    assert "| anything" not in told and "of anything" not in told


def test_what_has_to_be_given_is_called_needed() -> None:
    for language, needed, optional in (("en", "needed", "optional"), ("zh", "必填", "可省略")):
        assert re.search(rf"^\| `at_ms` \| .+ \| {needed} \|$", page(language), re.M)
        assert re.search(rf"^\| `find` \| .+ \| {optional} \|$", page(language), re.M)


def test_the_chinese_catalogue_has_every_text_of_the_description_and_no_other() -> None:
    assert set(chinese.SENTENCES) == set(sentences(description()))


def test_every_title_and_every_word_of_the_chinese_page_is_used_and_none_is_missing() -> None:
    english, told = page("en"), page("zh")  # a word that is missing raises
    assert set(re.findall(r"^## (.+)$", english, re.M)) == set(chinese.TITLES)
    unused = {
        word for word in chinese.WORDS.values() if any(part.strip() not in told for part in word.split("{}"))
    }
    assert unused == set()


def test_the_chinese_has_every_number_and_every_name_of_the_english() -> None:
    assert told_otherwise({text: (text, said) for text, said in chinese.SENTENCES.items()}) == {}
    assert told_otherwise({"head": (page("en").partition("\n## ")[0], chinese.HEAD)}) == {}


def rows(text: str) -> list[list[str]]:
    """The names and numbers of every row of every table and of every heading of code, in order."""
    lines = [line for line in text.splitlines() if line.startswith(("| `", "### "))]
    return [CODE.findall(line) for line in lines]


def test_both_pages_have_the_same_headings_fields_types_and_bounds_in_the_same_order() -> None:
    assert rows(page("zh")) == rows(page("en"))
