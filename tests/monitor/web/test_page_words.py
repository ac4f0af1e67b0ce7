"""The page has a word, in both languages, for everything the engine may call by name."""

from __future__ import annotations

import re
from enum import Enum

import pytest

from core.context import Permission
from core.events import On, State
from core.facts import Kind
from core.table import TABLE
from monitor.cause_words import CAUSES, EXITS, REASONS
from monitor.web.pages import BUNDLE

I18N = BUNDLE.parents[1] / "dashboard" / "src" / "i18n"
WORDS = (I18N / "words.ts").read_text(encoding="utf-8")
NAMED = re.compile(r'^  (?:"([^"]+)"|(\w[\w-]*)): ', re.M)
PAGE_KEY = re.compile(r'^  "?([\w.]+)"?: "', re.M)
FIELD = re.compile(r"\{(\w+)\}")


def words() -> set[str]:
    return {quoted or bare for quoted, bare in NAMED.findall(WORDS)}


def texts(language: str) -> dict[str, set[str]]:
    """The fields of each text of a catalogue."""
    lines = (I18N / f"{language}.ts").read_text(encoding="utf-8").splitlines()
    return {key[1]: set(FIELD.findall(line)) for line in lines if (key := PAGE_KEY.match(line))}


@pytest.mark.parametrize("names", [State, Permission, On, Kind], ids=lambda names: str(names.__name__))
def test_every_one_of_these_has_a_word(names: type[Enum]) -> None:
    told = {one.name if names is Permission else str(one.value) for one in names}
    assert told - words() == set()


def test_every_guard_of_the_table_has_a_word() -> None:
    assert {guard for row in TABLE for guard in row.guards} - words() == set()


def test_every_cause_and_reason_that_is_told_in_chat_has_a_word_here() -> None:
    assert {*CAUSES, *REASONS, *EXITS} - words() == set()


def test_both_languages_use_the_same_fields_in_every_text() -> None:
    english, chinese = texts("en"), texts("zh")
    assert len(english) > 200
    assert english == chinese
