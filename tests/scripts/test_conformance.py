"""What the simulated venue answers, field by field, held against recorded payloads of the real venue."""

import re
from collections.abc import Iterator

import pytest

from scripts.conformance.checklist import DEVIATIONS, must_have
from scripts.conformance.page import PAGES, Report, compare, render
from scripts.conformance.recordings import FOLDER, Recording, kind_of_frame, recordings
from scripts.conformance.scenario import Scenario
from scripts.conformance.shapes import Lack, lacking, shape_of

HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    if not FOLDER.is_dir():
        pytest.skip("the recorded payloads are not at hand")
    yield compare(recordings(), Scenario().play())


def test_every_recorded_field_is_served_with_its_type_or_listed_with_a_reason(report: Report) -> None:
    assert report.unexplained() == {}


def test_no_listed_deviation_is_outdated(report: Report) -> None:
    assert report.outdated() == []


def test_everything_a_client_must_find_is_answered(report: Report) -> None:
    assert not report.unanswered


def test_every_must_have_with_a_recording_is_covered_but_for_its_deviations(report: Report) -> None:
    listed = {kind for kind, _ in DEVIATIONS}
    needed = set(must_have()) - listed
    lines = [line for line in report.lines if line.kind in needed and line.files]
    assert len(lines) > 50
    assert [line.kind for line in lines if line.covered < 100] == []


def test_the_pages_say_what_was_compared(report: Report) -> None:
    for language, page in PAGES.items():
        assert render(report, language) == page.read_text("utf-8"), "run python -m scripts.conformance"


def test_both_languages_have_the_same_figures_for_the_same_types() -> None:
    english, chinese = (
        re.findall(r"^\| (`[^|]+`) \|.*\| (\d*) \| ([\d.]* ?%?) \|", page.read_text("utf-8"), re.M)
        for page in PAGES.values()
    )
    assert len(english) > 100
    assert chinese == english


def test_every_deviation_is_explained_in_both_languages() -> None:
    for english, chinese in DEVIATIONS.values():
        assert english and not HAN.search(english)
        assert HAN.search(chinese)


# --- how it compares --------------------------------------------------------------------------------


def test_a_missing_field_and_a_wrong_type_are_found() -> None:
    recorded = shape_of({"data": [{"a": "1", "b": 2, "c": {"d": "x"}, "e": [{"f": "y"}], "g": None}]})
    assert lacking(recorded, recorded) == {}
    served = shape_of({"data": [{"a": 1, "c": {}, "e": [{"f": True}], "g": "x"}]})
    assert {path: lack.said("en") for path, lack in lacking(recorded, served).items()} == {
        "data[].a": "served as number, recorded as text",
        "data[].b": "not served",
        "data[].c.d": "not served",
        "data[].e[].f": "served as flag, recorded as text",
    }
    assert {path: lack.said("zh") for path, lack in lacking(recorded, served).items()} == {
        "data[].a": "提供的是数值，录制的是文本",
        "data[].b": "没有提供",
        "data[].c.d": "没有提供",
        "data[].e[].f": "提供的是布尔值，录制的是文本",
    }


def test_columns_of_a_row_are_counted() -> None:
    recorded = shape_of({"data": [["1", "2", "3"]]})
    assert lacking(recorded, shape_of({"data": [["1", "2"]]})) == {"data[][2]": Lack(("text",))}


def test_below_a_missing_field_nothing_more_is_said() -> None:
    recorded = shape_of({"a": {"b": {"c": "1"}}, "ab": "1"})
    assert lacking(recorded, shape_of({})) == {"a": Lack(("object",)), "ab": Lack(("text",))}


def test_messages_are_told_apart() -> None:
    push = {"arg": {"channel": "mark-price-candle1Dutc", "instId": "x"}, "data": []}
    assert kind_of_frame(push) == "ws:mark-price-candle"
    assert kind_of_frame({"arg": {"channel": "books"}, "action": "update"}) == "ws:books:update"
    assert kind_of_frame({"op": "order", "data": []}) == "wsop:order"
    assert kind_of_frame({"event": "login"}) == "wsev:login"


def test_a_report_names_what_nobody_explained() -> None:
    recorded = [Recording("rest:/x", "somebody/x", {"a": "1", "b": "2"})]
    made = compare(recorded, {"rest:/x": [{"a": "1"}]})
    assert made.unexplained() == {("rest:/x", "b"): "not served"}
    assert "rest:/public/time" in made.unanswered
    [line] = made.lines
    assert round(line.covered, 1) == 66.7
    row = "| `rest:/x` |  | somebody/x | 3 | 66.7 % |"
    assert f"{row} `b` not served: unexplained |" in render(made, "en")
    assert f"{row} `b` 没有提供（没有解释） |" in render(made, "zh")
    assert "\nMust-haves not answered: `rest:/public/time`, " in render(made, "en")
    assert "\n没有回答的必备类型：`rest:/public/time`、" in render(made, "zh")
