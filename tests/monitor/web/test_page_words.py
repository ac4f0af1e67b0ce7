"""The page has a word, in both languages, for everything the engine may call by name."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path

import pytest

from core.context import Permission
from core.events import On, State
from core.facts import Kind
from core.table import TABLE
from monitor.cause_words import CAUSES
from monitor.page_words import catalogue
from monitor.page_words import names as page_names
from monitor.verdict_words import GUARDS
from monitor.web import door
from monitor.web.audit import SEVERAL
from monitor.web.pages import BUNDLE
from monitor.words import NAMES, SENTENCES, word
from scripts.page_words import FILE, source

I18N = BUNDLE.parents[1] / "dashboard" / "src" / "i18n"
PAGE_KEY = re.compile(r'^  "?([\w.]+)"?: "', re.M)
FIELD = re.compile(r"\{(\w+)\}")


def texts(language: str) -> dict[str, set[str]]:
    """The fields of each text of a catalogue."""
    lines = (I18N / f"{language}.ts").read_text(encoding="utf-8").splitlines()
    return {key[1]: set(FIELD.findall(line)) for line in lines if (key := PAGE_KEY.match(line))}


@pytest.mark.parametrize("names", [State, Permission, On, Kind], ids=lambda names: str(names.__name__))
def test_every_one_of_these_has_a_word(names: type[Enum]) -> None:
    told = {one.name if names is Permission else str(one.value) for one in names}
    assert told - page_names().keys() == set()


def test_every_guard_of_the_table_has_a_word() -> None:
    assert {guard for row in TABLE for guard in row.guards} - GUARDS.keys() == set()


def test_every_reason_to_be_turned_away_has_a_word() -> None:
    reasons = set(re.findall(r'Refusal\(\d+, "(\w+)"', Path(door.__file__).read_text(encoding="utf-8")))
    assert len(reasons) > 8
    assert {*reasons, SEVERAL} - page_names().keys() == set()


def test_the_page_has_the_words_that_are_told_in_messages() -> None:
    """Its file is written from theirs; what it says in its own way is no other word in Chinese."""
    assert FILE.read_text(encoding="utf-8") == source(), "run `make docs`, then build the bundle"
    page = page_names()
    in_its_own_way = {name for name, chinese in (NAMES | CAUSES).items() if page[name][1] != chinese}
    assert in_its_own_way == {"account"}  # there it is an event
    assert catalogue()["SENTENCES"] == {sentence: word(sentence, "zh") for sentence in SENTENCES}


def test_both_languages_use_the_same_fields_in_every_text() -> None:
    english, chinese = texts("en"), texts("zh")
    assert len(english) > 200
    assert english == chinese
