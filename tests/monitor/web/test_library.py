from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest

from core.facts import encoded
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.projections import Books
from core.replay import checkpoint
from core.types import DAY_MS
from monitor.web.library import Library
from tests.core.story import Story
from tests.monitor.web.shelf import Shelf
from tests.scripts.test_questions import running_story


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_before_the_first_row_there_is_nothing_and_no_error(tmp_path: Path) -> None:
    library = Library(tmp_path / FILE_NAME)
    assert library.performance().net == 0 and library.performance().win_rate is None
    assert library.orders(10) == () and library.funding().total == 0


async def test_what_is_new_is_taken_in_and_nothing_counts_twice(shelf: Shelf) -> None:
    story = Story()
    story.boot({"USDT": "1000"})
    story.hedge("opened")
    story.fill("spot", "buy", "1", "100")
    story.fill("swap", "sell", "100", "100")
    story.funding("0.5")
    await shelf.write(story)
    library = Library(shelf.path)
    assert library.funding().total == D("0.5") == library.funding().total
    story.funding("0.25")
    await shelf.write(story)
    told = library.funding()
    assert told.total == D("0.75") and [p.amount for p in told.payments] == [D("0.25"), D("0.5")]
    assert told.by_instrument == {"BTC-USDT": D("0.75")} and sum(told.by_day.values()) == D("0.75")


async def test_the_days_and_the_instruments_add_up_to_the_whole(shelf: Shelf) -> None:
    await shelf.write(running_story())
    told = Library(shelf.path).performance()
    for parts in (told.by_day, told.by_instrument):
        assert sum((terms.net for terms in parts.values()), D(0)) == pytest.approx(told.terms.net)
    assert told.win_rate == D(0) and [r.instrument for r in told.rounds] == ["ETH-USDT"]
    assert told.rounds[0].net == told.rounds[0].terms.net < 0
    assert told.net == told.equity[-1].equity - told.equity[0].equity


async def test_an_order_is_told_with_what_came_of_it(shelf: Shelf) -> None:
    story = Story()
    story.boot({"USDT": "1000"})
    for cl_id in ("a", "b", "c", "d"):
        story.intent(cl_id)
    story.ack("a")
    story.ack("b", "unknown")
    story.ack("c", "rejected")
    story.order("a")
    await shelf.write(story)
    library = Library(shelf.path)
    told = {one.cl_id: (one.status, one.filled, one.avg_px) for one in library.orders(10)}
    assert told == {
        "a": ("filled", D(1), D(100)),
        "b": ("unknown", D(0), None),
        "c": ("rejected", D(0), None),
        "d": ("intent", D(0), None),
    }
    assert [one.cl_id for one in library.orders(2)] == ["d", "c"]


async def test_orders_are_found_by_coin_by_state_and_by_what_they_say(shelf: Shelf) -> None:
    story = Story()
    story.boot({"USDT": "1000"})
    story.intent("aaa", hedge_id="h1")
    story.intent("bbb", hedge_id="h2", instrument="ETH-USDT")
    story.ack("bbb", "rejected")
    await shelf.write(story)
    library = Library(shelf.path)
    assert [one.cl_id for one in library.orders(10, "ETH-USDT")] == ["bbb"]
    assert [one.cl_id for one in library.orders(10, status="intent")] == ["aaa"]
    assert [one.cl_id for one in library.orders(10, find="AA")] == ["aaa"]
    assert library.orders(10, "BTC-USDT", "rejected") == ()


async def test_an_answer_is_kept_until_a_figure_may_be_another_one_or_a_day_begins(shelf: Shelf) -> None:
    story = running_story()
    await shelf.write(story)
    library = Library(shelf.path)

    def is_true() -> bool:
        anew = Library(shelf.path)
        return (library.performance_json(), library.funding_json()) == (
            encoded(anew.performance()),
            encoded(anew.funding()),
        )

    assert is_true()
    first = library.performance_json()
    story.decision("scan", "RUNNING", "RUNNING")
    await shelf.write(story)
    assert library.performance_json() is first and is_true()
    story.funding("0.5")
    await shelf.write(story)
    paid = library.performance_json()
    assert paid != first and is_true()
    story.equity("1002.5", BTC_USDT=("102", "102"))
    await shelf.write(story)
    assert library.performance_json() != paid and is_true()
    story.now_ms += DAY_MS
    story.decision("scan", "RUNNING", "RUNNING")
    await shelf.write(story)
    assert len(library.performance().by_day) == 3 and is_true()


async def test_the_books_without_verdicts_are_the_books(shelf: Shelf) -> None:
    await shelf.write(running_story())
    whole, brief = Books(), Books()
    with JournalReader(shelf.path) as reader:
        for row, outline in zip(reader.rows(), reader.outlines(), strict=True):
            whole.apply(row)
            brief.apply(outline)
    assert brief == whole and checkpoint(brief) == checkpoint(whole)
