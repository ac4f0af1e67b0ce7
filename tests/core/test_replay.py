"""A replay proves itself: the same books to the last digit, both chains, and a legal state at every row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.facts import Kind
from core.journal import FILE_NAME, SqliteJournal
from core.journal_reader import JournalReader
from core.projections import Books
from core.replay import Replay, checkpoint, digest
from tests.core.story import StillClock, Story

D = Decimal


def told() -> Story:
    """A boot, a round that opens and closes, a settlement, an order, a breaker that trips."""
    story = Story()
    story.boot({"USDT": "1000"})
    story.decision("boot", "IDLE", "IDLE", verdicts=yes("flat"))
    story.decision("scan", "IDLE", "OPENING", verdicts=yes(*OPENING))
    story.intent("FE1H1s0")
    story.hedge("opened")
    story.fill("spot", "buy", "1", "100", cl_id="FE1H1s0", fee="-0.001", fee_ccy="BTC")
    story.order("FE1H1s0")
    story.fill("swap", "sell", "100", "100")
    story.decision("opened", "OPENING", "RUNNING", verdicts=yes("balanced"))
    story.funding("0.5")
    story.equity("1000.4", BTC_USDT=("100", "101"))
    return story


def yes(*guards: str) -> tuple[dict[str, Any], ...]:
    return tuple({"guard": g, "ok": True, "reason": "", "figures": [], "instrument": None} for g in guards)


OPENING = (
    "carry_pays", "venue_up", "not_tripped", "margin_ok", "funds_ok", "liquid", "red_lines", "may_add_risk",
)  # fmt: skip


async def written(folder: Path, story: Story, prove: bool = True) -> Path:
    """Put a story into a real journal whose live books leave a digest after every row."""
    journal, live = await SqliteJournal.open(folder / FILE_NAME, StillClock()), Books()
    journal.listeners.append(live.apply)
    for row in story.rows:
        journal.append(row.kind, row.at_ms, row.body)
        if prove:
            journal.append(Kind.NOTE, row.at_ms, checkpoint(live))
    await journal.close()
    return folder / FILE_NAME


def replayed(path: Path) -> Replay:
    with JournalReader(path) as reader:
        return Replay().run(reader.rows())


async def test_folding_again_meets_the_live_books_at_every_row(tmp_path: Path) -> None:
    path = await written(tmp_path, told())
    played = replayed(path)
    assert played.illegal == []
    assert played.checkpoints == len(told().rows)
    with JournalReader(path) as reader:
        verified = reader.verify()
    assert (played.head.hex(), played.decision_head.hex()) == (verified.head, verified.decision_head)


@given(st.integers(0, 11))
def test_any_prefix_is_a_legal_state_and_goes_on_as_the_whole_does(cut: int) -> None:
    rows = told().rows
    whole, parts = Books(), Books()
    for row in rows:
        whole.apply(row)
    for row in rows[:cut]:
        parts.apply(row)
    digest(parts)  # looking at it changes nothing
    for row in rows[cut:]:
        parts.apply(row)
    assert digest(parts) == digest(whole)


CHANGES: list[tuple[str, Callable[[Books], None]]] = [
    ("another state", lambda books: setattr(books, "epoch", books.epoch + 1)),
    ("one digit", lambda books: setattr(books.hedge("BTC-USDT"), "spot_cost", D("100.0000000000000001"))),
    ("only the way it is written", lambda books: setattr(books, "last_equity", D("1000.40"))),
    ("a fill forgotten", lambda books: books.ledger.fills_seen.clear()),
    ("an order forgotten", lambda books: books.orders.clear()),
    ("a bill forgotten", lambda books: books.ledger.bills_seen.clear()),
    ("a price", lambda books: books.ledger.prices.update({"BTC-USDT": (D(1), D(1))})),
]


@pytest.mark.parametrize(("what", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_the_digest_sees(what: str, change: Callable[[Books], None]) -> None:
    one, other = Books(), Books()
    for row in told().rows:
        one.apply(row)
        other.apply(row)
    assert digest(one) == digest(other)
    change(other)
    assert digest(one) != digest(other), what


def test_the_configured_margin_is_no_part_of_the_digest() -> None:
    assert digest(Books(margin_per_spot=D(2))) == digest(Books())


def test_what_is_kept_only_to_be_quick_is_no_part_of_the_digest() -> None:
    asked, fresh = Books(), Books()
    for row in told().rows:
        asked.apply(row)
        fresh.apply(row)
    assert asked.hedge_views({"BTC-USDT": (D(100), D(101))})
    fresh.changes += 1
    fresh.ledger.sold_short.clear()
    assert digest(asked) == digest(fresh)


async def test_books_that_were_others_when_they_were_live_are_told(tmp_path: Path) -> None:
    story = told()
    story.add(Kind.NOTE, {"what": "books", "digest": "0" * 64})
    (said,) = replayed(await written(tmp_path, story, prove=False)).illegal
    assert "the live engine's books were others" in said and said.startswith("row 12 (note)")


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (("scan", "IDLE", "OPENING", yes(*OPENING)), "decided in IDLE, the books are in RUNNING"),
        (("opened", "RUNNING", "IDLE", yes("flat")), "the table has no way RUNNING -> IDLE for opened"),
        (("scan", "RUNNING", "OPENING", yes(*OPENING[1:])), "its guards had not all said yes"),
    ],
)
async def test_a_step_the_table_does_not_know_is_no_legal_state(
    tmp_path: Path, decision: tuple[str, str, str, tuple[dict[str, Any], ...]], why: str
) -> None:
    story = told()
    on, src, dst, verdicts = decision
    story.decision(on, src, dst, verdicts=verdicts)
    assert any(why in said for said in replayed(await written(tmp_path, story)).illegal)


async def test_an_order_that_was_meant_twice_is_told(tmp_path: Path) -> None:
    story = told()
    story.intent("FE1H1s0")
    (said,) = replayed(await written(tmp_path, story)).illegal
    assert "order FE1H1s0 was meant twice" in said
