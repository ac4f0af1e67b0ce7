"""Every alarm has a section in both languages that says what it means, what was done and what to do."""

from __future__ import annotations

import re

import pytest

from tests.deploy.alarms import alert_names, every_alarm, told
from tests.deploy.names import ROOT, alerts
from tests.test_docs import slug

PAGES = {
    "docs/runbooks.md": ("Means", "Already done", "To do"),
    "docs/runbooks.zh.md": ("含义", "已经做了", "要做"),
}


def sections(page: str) -> dict[str, str]:
    """Anchor -> text of every section of a page."""
    parts = re.split(r"^### (.+)$", (ROOT / page).read_text("utf-8"), flags=re.M)[1:]
    found = {slug(title): text for title, text in zip(parts[::2], parts[1::2], strict=True)}
    assert len(found) == len(parts) // 2, "a heading stands twice"
    return found


def test_the_code_tells_of_alarms_that_are_known_to_be_there() -> None:
    """The reader of the code sees what it should: one of each way to tell."""
    assert {"hedge broken", "tick lost", "backup failed", "dead_man", "frozen pair"} <= told()


@pytest.mark.parametrize("page", PAGES)
def test_every_alarm_has_its_section(page: str) -> None:
    assert {slug(alarm) for alarm in every_alarm()} - set(sections(page)) == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_section_says_what_it_means_what_was_done_and_what_to_do(page: str) -> None:
    for anchor, text in sections(page).items():
        for part in PAGES[page]:
            assert re.search(rf"^- \*\*{part}[:：]\*\* ?\S", text, re.M), (anchor, part)


def test_both_languages_have_the_same_sections_in_the_same_order() -> None:
    english, chinese = (sections(page) for page in PAGES)
    assert list(english) == list(chinese)


@pytest.mark.parametrize("page", PAGES)
def test_every_alert_rule_leads_to_a_section_that_names_it(page: str) -> None:
    found, anchors = sections(page), set()
    for rule in alerts():
        anchor = rule["annotations"]["runbook"].partition("#")[2]
        if "$labels.condition" in anchor:
            continue  # the name of the condition, which every section of one has
        anchors.add(anchor)
        assert f"`{rule['alert']}`" in found[anchor], rule["alert"]
    assert anchors


@pytest.mark.parametrize("page", PAGES)
def test_a_section_speaks_of_no_alert_that_does_not_exist(page: str) -> None:
    for anchor, text in sections(page).items():
        first = text.strip().splitlines()[0]
        assert set(re.findall(r"`([A-Z]\w+)`", first)) <= alert_names(), anchor
