"""The reference pages say what the configuration says, in both languages."""

from __future__ import annotations

import re

import pytest

from config.loader import describe
from config.meanings import MEANINGS
from config.schema import Settings
from monitor.words import Language
from scripts.config_reference import PAGES, ROOT, page

ROW = re.compile(r"^\| `([^`]+)` \| (.+) \| (.+) \| `([^`]+)` \|$", re.M)
LANGUAGES = tuple(PAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_in_docs_is_up_to_date(language: Language) -> None:
    assert PAGES[language].read_text(encoding="utf-8") == page(language), "run `make docs`"


def chapters(language: Language) -> dict[str, list[tuple[str, str, str, str]]]:
    """File -> key, meaning, what is allowed, default; a bar within a cell reads as it is meant."""
    found = {}
    for chapter in page(language).split("\n## ")[1:]:
        rows = ROW.findall(chapter.replace("\\|", "\N{BROKEN BAR}"))
        found[chapter.partition(".yaml")[0]] = [
            (key, meaning.replace("\N{BROKEN BAR}", "|"), allowed, default)
            for key, meaning, allowed, default in rows
        ]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_key_has_a_row_under_its_file_with_meaning_bounds_and_default(language: Language) -> None:
    told = {
        f"{file}.{key}": (meaning, default)
        for file, rows in chapters(language).items()
        for key, meaning, allowed, default in rows
        if allowed.strip()
    }
    column = LANGUAGES.index(language)
    assert told == {path: (MEANINGS[path][column], default) for path, default in describe(Settings()).items()}
    assert min(len(meaning) for meaning, _ in told.values()) >= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_is_introduced(language: Language) -> None:
    sections = re.findall(r"^\| \*\*`([^`]+)`\*\* \| (.+) \| \| \|$", page(language), re.M)
    assert len(sections) == len(MEANINGS) - len(describe(Settings())) - len(Settings.model_fields)
    for file in Settings.model_fields:
        assert f"\n\n{MEANINGS[file][LANGUAGES.index(language)]}\n\n|" in page(language)


def test_both_pages_have_the_same_keys_bounds_and_defaults_in_the_same_order() -> None:
    english, chinese = chapters("en"), chapters("zh")

    def skeleton(row: tuple[str, str, str, str]) -> tuple[str, list[str], str]:
        key, _, allowed, default = row
        return key, re.findall(r"`.+`|\d[\d.]*", allowed), default

    assert {file: [skeleton(row) for row in rows] for file, rows in chinese.items()} == {
        file: [skeleton(row) for row in rows] for file, rows in english.items()
    }
    assert not [
        row for rows in chinese.values() for row in rows if re.search(r"\b(?:at|above|list|or)\b", row[2])
    ]


def test_the_few_keys_of_the_chinese_manual_are_told_as_in_the_reference() -> None:
    manual = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")
    chapter = manual.partition("## 12.")[2].partition("## 13.")[0]
    assert set(re.findall(r"^\| `(\w+)\.yaml` \|", chapter, re.M)) == set(Settings.model_fields)
    told = re.findall(r"^\| `([\w.]+)` \| (.+) \| `(.+)` \|$", chapter, re.M)
    defaults = describe(Settings())
    assert len(told) >= 10
    assert told == [(key, MEANINGS[key][1], defaults[key]) for key, _, _ in told]
    assert "(docs/configuration.zh.md)" in chapter
