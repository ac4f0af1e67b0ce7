"""Every scenario of the fault catalogue has a test that plays it, or a reason; the page says which."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import UsageError
from monitor.words import Language
from scripts.fault_table.catalogue import GROUPS, SCENARIOS
from scripts.fault_table.chinese import CHINESE
from scripts.fault_table.marks import Marks, collect
from scripts.fault_table.page import PAGES, generated, problems, reasons, render

BOTH = "MD1:\n  en: never\n  zh: 不会\n"
WHY: dict[Language, str] = {"en": "never happens", "zh": "不会发生"}


def marks_of(folder: Path, source: str) -> Marks:
    (folder / "tests" / "core").mkdir(parents=True)
    (folder / "tests" / "core" / "test_x.py").write_text("import pytest\n" + source)
    return collect(folder)


def test_the_pages_are_those_of_the_tests_and_nothing_is_missing_from_them() -> None:
    texts, wrong = generated()
    assert wrong == []
    for language, page in PAGES.items():
        assert texts[language] == page.read_text(encoding="utf-8"), "run `make docs`"


def test_the_catalogue_names_a_hundred_and_fifty_scenarios_once_each() -> None:
    assert len(SCENARIOS) == sum(len(group.scenarios) for group in GROUPS) == 150


def test_marks_are_read_from_the_source_without_running_it(tmp_path: Path) -> None:
    source = """
raise SystemExit("never run")

@pytest.mark.fault("MD1", "OL7")
@pytest.mark.parametrize("x", [1])
@pytest.mark.fault("MD1")
async def test_a(x): ...

class TestB:
    @pytest.mark.fault("MD1")
    def test_b(self): ...
"""
    marks = marks_of(tmp_path, source)
    here = "tests/core/test_x.py"
    assert marks.played == {"MD1": [f"{here}::test_a", f"{here}::test_b"], "OL7": [f"{here}::test_a"]}
    assert marks.errors == []


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ('@pytest.mark.fault("MD1")\ndef helper(): ...', "line 2: a fault mark that stands on no test"),
        ('@pytest.mark.fault("MD1")\nclass TestX: ...', "stands on no test"),
        ('pytestmark = pytest.mark.fault("MD1")', "stands on no test"),
        ("@pytest.mark.fault(NAME)\ndef test_x(): ...", "allowed: one id or more, each as a plain text"),
        ("@pytest.mark.fault()\ndef test_x(): ...", "allowed: one id or more"),
    ],
)
def test_a_mark_nobody_could_find_again_is_an_error_with_its_place(
    source: str, says: str, tmp_path: Path
) -> None:
    (error,) = marks_of(tmp_path, source).errors
    assert error.startswith("tests/core/test_x.py line 2: ") and says in error


def test_what_keeps_the_table_from_being_whole_is_told() -> None:
    everywhere = {name: ["tests/test_x.py::test_x"] for name in SCENARIOS}
    assert problems(Marks(everywhere), {}) == []
    without = {name: tests for name, tests in everywhere.items() if name != "MD1"}
    assert problems(Marks(without), {}) == [
        "MD1 (the book stands still, the socket lives): neither a test nor a reason"
    ]
    assert problems(Marks(without), {"MD1": WHY}) == []
    assert problems(Marks(everywhere), {"MD1": WHY}) == [
        "reasons.yaml: MD1 is played by tests/test_x.py::test_x"
    ]
    assert problems(Marks(everywhere | {"ZZ1": ["tests/test_x.py::test_z"]}), {"ZZ2": WHY}) == [
        "tests/test_x.py::test_z: no scenario is called ZZ1",
        "reasons.yaml: no scenario is called ZZ2",
    ]


def test_every_text_of_the_catalogue_has_chinese_words_and_none_are_left_over() -> None:
    everywhere = Marks({name: ["tests/test_x.py::test_x"] for name in SCENARIOS})
    assert problems(everywhere, {}, CHINESE) == []
    assert all(re.search("[\u4e00-\u9fff]", text) for text in CHINESE.values())
    poor = {english: text for english, text in CHINESE.items() if english != "a half-open connection"}
    assert problems(everywhere, {}, poor | {"Requests": " ", "a clean end": "正常结束"}) == [
        "chinese.py: nothing for: Requests",
        "chinese.py: nothing for: a half-open connection",
        "chinese.py: nothing is called: a clean end",
    ]


def test_the_pages_show_tests_and_reasons_beside_their_ids() -> None:
    marks = Marks({"MD1": ["tests/a.py::test_a", "tests/b.py::test_b"]})
    why = {"MD2": {"en": "never | ever", "zh": "从不|绝不"}}
    english, chinese = render(marks, why, "en"), render(marks, why, "zh")
    by = "`tests/a.py::test_a`<br>`tests/b.py::test_b`"
    assert f"| MD1 | the book stands still, the socket lives | {by} |" in english
    assert f"| MD1 | 盘口不再变动，连接却还活着 | {by} |" in chinese
    assert "| MD2 | a gap in the sequence of book changes | no test: never \\| ever |" in english
    assert "| MD2 | 盘口增量的序号有缺口 | 没有测试：从不\\|绝不 |" in chinese
    assert "150 scenarios: 1 played by 2 tests" in english
    assert "共 150 种情形：1 种由 2 个测试演练" in chinese
    assert "## Margin, liquidation, deleveraging\n" in english
    assert "## 保证金、强平、自动减仓 {#margin-liquidation-deleveraging}\n" in chinese


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{BOTH}{BOTH}", "line 4: MD1: a second time"),
        ("MD1:\n", "line 1: MD1: ; allowed: en and zh, a sentence each"),
        ("MD1: never\n", "line 1: MD1: never; allowed: en and zh"),
        ("MD1:\n  en: never\n", "line 2: MD1: en; allowed: en and zh"),
        (f"{BOTH}  fr: jamais\n", "line 2: MD1: en, zh, fr; allowed: en and zh"),
        ("MD1:\n  en: never\n  zh: 7\n", "line 2: MD1.zh: 7; allowed: a sentence"),
        ("MD1:\n  en: ' '\n  zh: 不会\n", "line 2: MD1.en:  ; allowed: a sentence"),
        ("MD1: 'a\n", "allowed: valid YAML"),
    ],
)
def test_a_broken_file_of_reasons_is_told_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "reasons.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"reasons\.yaml") as caught:
        reasons(path)
    assert says in str(caught.value)
