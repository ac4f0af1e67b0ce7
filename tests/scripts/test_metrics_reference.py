"""The reference pages of the metrics say what is served, in both languages."""

from __future__ import annotations

import re

import pytest

from monitor.metrics.catalogue import GROUPS, METRICS
from monitor.words import Language
from scripts.chinese import metrics as chinese
from scripts.metrics_reference import PAGES, page
from tests.bilingual import told_otherwise


@pytest.mark.parametrize("language", PAGES)
def test_the_page_in_docs_is_up_to_date(language: Language) -> None:
    assert PAGES[language].read_text(encoding="utf-8") == page(language), "run `make docs`"


@pytest.mark.parametrize("language", PAGES)
def test_every_metric_has_a_row_with_its_labels_and_a_meaning(language: Language) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S.*) \| (.*) \| (\S.+) \|$", page(language), re.M)
    assert [(name, re.findall(r"`(\w+)`", labels)) for name, _, labels, _ in rows] == [
        (metric.full_name, list(metric.labels)) for metric in METRICS
    ]


def test_the_chinese_catalogue_has_every_meaning_title_and_kind_and_no_other() -> None:
    assert set(chinese.MEANINGS) == {metric.help for metric in METRICS}
    assert set(chinese.TITLES) == set(GROUPS)
    assert set(chinese.KINDS) == {metric.kind for metric in METRICS}


def test_the_chinese_has_every_number_and_every_name_of_the_english() -> None:
    assert told_otherwise({text: (text, said) for text, said in chinese.MEANINGS.items()}) == {}
    assert told_otherwise({"head": (page("en").partition("\n## ")[0], chinese.HEAD)}) == {}
