from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from monitor.chat.layout import SCREEN, Page, clipped, columns_of, facts, table


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_columns_stand_under_each_other_also_in_chinese() -> None:
    lines = facts((("权益", "100.00"), ("equity", "5")))
    assert lines == ("权益    100.00", "equity       5")
    assert len(set(map(columns_of, lines))) == 1
    assert table([("BTC", "+1.5", "2h"), ("币", "-20.25", "12m")]) == ("BTC   +1.5  2h", "币  -20.25 12m")


def test_a_text_is_clipped_by_what_it_takes_on_the_screen() -> None:
    assert clipped("abcdef", 4) == "abc…"
    assert columns_of(clipped("保证金率不足", 7)) <= 7
    assert clipped("short", SCREEN) == "short"


@given(st.text(max_size=60), st.lists(st.text(max_size=300), max_size=40), st.lists(st.text(max_size=300)))
def test_no_page_is_too_long_or_says_anything_as_markup(
    head: str, lines: list[str], notes: list[str]
) -> None:
    html = Page(head, tuple(lines), tuple(notes)).as_html()
    assert len(html) <= 4096
    read = _Reader()
    read.feed(html)
    read.close()
    assert set(read.tags) <= {"b", "pre"}
