"""What the chat says was earned, beside the web's answers from the same rows."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

from core.facts import Kind
from core.journal import FILE_NAME
from core.projections import Books
from core.tally import Terms
from monitor.chat.passbook import HOUR_MS, Passbook
from monitor.web.library import Library
from tests.core.story import Story
from tests.monitor.web.shelf import Shelf
from tests.scripts.test_questions import running_story


def test_before_the_first_row_there_is_nothing_and_no_error(tmp_path: Path) -> None:
    book = Passbook(tmp_path / FILE_NAME)
    stretch = book.stretch(None, 1)
    assert stretch.terms == Terms() and stretch.equity == () and stretch.payments == ()
    assert book.rounds(5) == () and book.cash() == {} and book.moved_out() == 0
    assert book.judged("BTC-USDT").verdicts == ()


async def test_the_whole_stretch_says_what_the_web_says(tmp_path: Path) -> None:
    shelf, story = Shelf(tmp_path), running_story()
    await shelf.write(story)
    told, web = Passbook(shelf.path).stretch(None, story.rows[-1].at_ms), Library(shelf.path)
    assert told.terms == web.performance().terms and told.terms != Terms()
    assert told.funding == web.funding().by_instrument
    assert sum(amount for _, amount in told.payments) == web.funding().total
    assert told.rounds == len(web.performance().rounds) == 1


async def test_what_is_new_is_taken_in_and_nothing_counts_twice(tmp_path: Path) -> None:
    shelf, story = Shelf(tmp_path), Story()
    story.boot({"USDT": "1000"})
    story.hedge("opened")
    story.fill("spot", "buy", "1", "100")
    story.fill("swap", "sell", "100", "100")
    story.funding("0.5")
    await shelf.write(story)
    book = Passbook(shelf.path)
    now_ms = story.rows[-1].at_ms
    assert book.stretch(None, now_ms).terms.funding == D("0.5") == book.stretch(None, now_ms).terms.funding
    story.funding("0.25")
    await shelf.write(story)
    told = book.stretch(None, story.rows[-1].at_ms)
    assert told.terms.funding == D("0.75") and [amount for _, amount in told.payments] == [
        D("0.5"),
        D("0.25"),
    ]


async def test_stretches_that_follow_each_other_add_up_to_the_whole(tmp_path: Path) -> None:
    shelf, story = Shelf(tmp_path), running_story()
    await shelf.write(story)
    book, end_ms = Passbook(shelf.path), story.rows[-1].at_ms
    start_ms = story.rows[0].at_ms
    whole = book.stretch(None, end_ms).terms
    for cut_ms in range(start_ms, end_ms, HOUR_MS):
        late = book.stretch(cut_ms, end_ms)
        assert all(at_ms >= cut_ms for at_ms, _ in late.equity)
        early = [amount for at_ms, amount in book.stretch(None, end_ms).payments if at_ms <= cut_ms]
        assert sum(early) + sum(amount for _, amount in late.payments) == whole.funding
    assert book.stretch(end_ms, end_ms).rounds == 0
    assert book.stretch(start_ms - 1, end_ms).terms == whole


async def test_an_hour_that_is_over_is_taken_off_a_later_stretch(tmp_path: Path) -> None:
    shelf, story = Shelf(tmp_path), running_story()
    await shelf.write(story)
    book, end_ms, then = Passbook(shelf.path), story.rows[-1].at_ms, Books()
    for row in story.rows:
        then.apply(row)
        if row.kind is Kind.EQUITY:
            break
    before = then.ledger.terms({})
    assert before != Terms()
    assert book.stretch(then.last_row_ms, end_ms).terms == book.stretch(None, end_ms).terms - before


async def test_in_its_first_hour_an_engine_shows_its_beginning_and_what_fees_have_cost_since(
    tmp_path: Path,
) -> None:
    shelf, story = Shelf(tmp_path), Story()
    story.boot({"USDT": "1000"})
    story.equity("1000", BTC_USDT=("100", "100"))
    story.hedge("opened")
    story.fill("spot", "buy", "1", "100", fee="-0.1")
    await shelf.write(story)
    book, now_ms = Passbook(shelf.path), story.rows[-1].at_ms
    told = book.stretch(None, now_ms + 60_000)
    assert told.hours == 1
    assert told.equity[0] == (story.rows[0].at_ms, D(1000))
    assert told.equity[-1][0] == now_ms + 60_000
    assert told.equity[-1][1] - told.equity[0][1] == told.terms.net == D("-0.1")


async def test_a_curve_begins_and_ends_with_its_stretch_and_changes_by_what_was_earned(
    tmp_path: Path,
) -> None:
    shelf, story = Shelf(tmp_path), running_story()
    await shelf.write(story)
    book, end_ms = Passbook(shelf.path), story.rows[-1].at_ms + 1
    for from_ms in (None, story.rows[0].at_ms, end_ms - HOUR_MS):
        told = book.stretch(from_ms, end_ms)
        assert (told.equity[0][0], told.equity[-1][0]) == (from_ms or story.rows[0].at_ms, end_ms)
        assert told.equity[-1][1] - told.equity[0][1] == told.terms.net
        assert [at_ms for at_ms, _ in told.equity] == sorted({at_ms for at_ms, _ in told.equity})
