"""Every scenario of the fault catalogue has a test that plays it, or a reason; the page says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import UsageError
from scripts.fault_table.catalogue import GROUPS, SCENARIOS
from scripts.fault_table.marks import Marks, collect
from scripts.fault_table.page import PAGE, generated, problems, reasons, render


def marks_of(folder: Path, source: str) -> Marks:
    (folder / "tests" / "core").mkdir(parents=True)
    (folder / "tests" / "core" / "test_x.py").write_text("import pytest\n" + source)
    return collect(folder)


def test_the_page_is_that_of_the_tests_and_nothing_is_missing_from_it() -> None:
    page, wrong = generated()
    assert wrong == []
    assert page == PAGE.read_text(encoding="utf-8"), "run `make docs`"


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
    assert problems(Marks(without), {"MD1": "never happens"}) == []
    assert problems(Marks(everywhere), {"MD1": "never happens"}) == [
        "reasons.yaml: MD1 is played by tests/test_x.py::test_x"
    ]
    assert problems(Marks(everywhere | {"ZZ1": ["tests/test_x.py::test_z"]}), {"ZZ2": "?"}) == [
        "tests/test_x.py::test_z: no scenario is called ZZ1",
        "reasons.yaml: no scenario is called ZZ2",
    ]


def test_the_page_shows_tests_and_reasons_beside_their_ids() -> None:
    page = render(Marks({"MD1": ["tests/a.py::test_a", "tests/b.py::test_b"]}), {"MD2": "never | ever"})
    assert (
        "| MD1 | the book stands still, the socket lives | `tests/a.py::test_a`<br>`tests/b.py::test_b` |"
        in page
    )
    assert "| MD2 | a gap in the sequence of book changes | no test: never \\| ever |" in page
    assert "150 scenarios: 1 played by 2 tests" in page


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("MD1: a\nMD1: b\n", "line 2"),
        ("MD1:\n", "line 1: MD1"),
        ("MD1: [a]\n", "line 1: MD1"),
        ("MD1: 'a\n", "allowed: valid YAML"),
    ],
)
def test_a_broken_file_of_reasons_is_told_with_its_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "reasons.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"reasons\.yaml") as caught:
        reasons(path)
    assert says in str(caught.value)
