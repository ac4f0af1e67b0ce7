"""A book is right or unreadable, whatever order its changes come in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.types import Level
from exchange.local_book import DEPTH, BookChange, LocalBook

D = Decimal


def change(seq: int, previous: int, bids: Sequence[Level] = (), asks: Sequence[Level] = ()) -> BookChange:
    return BookChange(False, bids, asks, ts_ms=seq * 10, seq_id=seq, prev_seq_id=previous)


def snapshot(seq: int = 10, levels: int = 1) -> BookChange:
    bids = [(D(100 - n), D(1)) for n in range(levels)]
    asks = [(D(101 + n), D(2)) for n in range(levels)]
    return BookChange(True, bids, asks, ts_ms=seq * 10, seq_id=seq, prev_seq_id=-1)


def seeded() -> LocalBook:
    book = LocalBook("BTC-USDT")
    assert book.apply(snapshot(), seen_ms=5)
    return book


def test_nothing_is_readable_before_a_snapshot() -> None:
    book = LocalBook("BTC-USDT")
    assert book.freeze() is None
    assert not book.apply(change(11, 10), seen_ms=1)
    assert book.freeze() is None


def test_a_change_sets_adds_and_removes_levels() -> None:
    book = seeded()
    assert book.apply(
        change(11, 10, bids=[(D(100), D(0)), (D(99), D(4))], asks=[(D("100.5"), D(1))]), seen_ms=6
    )
    frozen = book.freeze()
    assert frozen is not None
    assert frozen.bids == ((D(99), D(4)),)
    assert frozen.asks == ((D("100.5"), D(1)), (D(101), D(2)))
    assert (frozen.seq_id, frozen.ts_ms, frozen.seen_ms) == (11, 110, 6)


def test_a_price_written_differently_is_the_same_level() -> None:
    book = seeded()
    book.apply(change(11, 10, bids=[(D("100.00"), D(7))]), seen_ms=6)
    assert book.freeze().bids == ((D(100), D(7)),)  # type: ignore[union-attr]


@pytest.mark.fault("MD2")
def test_a_gap_makes_it_unreadable_until_the_next_snapshot() -> None:
    book = seeded()
    assert not book.apply(change(12, 11), seen_ms=6)
    assert book.freeze() is None
    assert not book.apply(change(13, 12), seen_ms=7)
    assert book.freeze() is None
    assert book.apply(snapshot(20), seen_ms=8)
    assert book.freeze() is not None


def test_a_snapshot_forgets_the_old_levels() -> None:
    book = seeded()
    book.apply(BookChange(True, [(D(50), D(1))], [(D(51), D(1))], 1, 3, -1), seen_ms=6)
    frozen = book.freeze()
    assert frozen is not None and frozen.bids == ((D(50), D(1)),) and frozen.asks == ((D(51), D(1)),)


def test_a_keep_alive_only_makes_it_younger() -> None:
    book = seeded()
    before = book.freeze()
    assert book.apply(change(10, 10), seen_ms=60)
    after = book.freeze()
    assert before is not None and after is not None
    assert after.seen_ms == 60 and after.bids is before.bids


@pytest.mark.fault("MD4")
def test_numbers_may_start_again_after_maintenance() -> None:
    book = seeded()
    assert book.apply(change(3, 10, bids=[(D(98), D(1))]), seen_ms=6)
    assert book.apply(change(4, 3), seen_ms=7)
    assert book.freeze().seq_id == 4  # type: ignore[union-attr]


@pytest.mark.fault("MD9")
def test_an_exact_repeat_is_ignored() -> None:
    book = seeded()
    update = change(11, 10, bids=[(D(100), D(5))])
    assert book.apply(update, seen_ms=6) and book.apply(update, seen_ms=7)
    assert book.freeze().seq_id == 11  # type: ignore[union-attr]


def test_only_the_best_levels_leave_in_order() -> None:
    book = LocalBook("BTC-USDT")
    book.apply(snapshot(levels=80), seen_ms=1)
    frozen = book.freeze()
    assert frozen is not None and len(frozen.bids) == len(frozen.asks) == DEPTH
    assert [px for px, _ in frozen.bids] == [D(100 - n) for n in range(DEPTH)]
    assert [px for px, _ in frozen.asks] == [D(101 + n) for n in range(DEPTH)]


LEVELS = st.lists(st.tuples(st.integers(1, 20).map(D), st.integers(0, 3).map(D)), max_size=6)


@given(st.lists(st.tuples(LEVELS, LEVELS), max_size=15), st.data())
def test_a_book_equals_the_sum_of_its_changes_or_cannot_be_read(
    changes: list[tuple[list[Level], list[Level]]], data: st.DataObject
) -> None:
    """Whatever is lost: what can be read is what the venue has."""
    book, truth_bids, truth_asks = LocalBook("X"), dict[Decimal, Decimal](), dict[Decimal, Decimal]()
    book.apply(BookChange(True, [], [], 1, 0, -1), seen_ms=1)
    for seq, (bids, asks) in enumerate(changes, start=1):
        truth_bids.update(bids)
        truth_asks.update(asks)
        if data.draw(st.booleans()) or seq == 1:
            book.apply(change(seq, seq - 1, bids, asks), seen_ms=seq)
            frozen = book.freeze()
            if frozen is not None:
                assert dict(frozen.bids) == {px: sz for px, sz in truth_bids.items() if sz}
                assert dict(frozen.asks) == {px: sz for px, sz in truth_asks.items() if sz}
