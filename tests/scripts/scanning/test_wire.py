"""What travels to the process of the modules comes out as it went in, bit by bit; nothing travels twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from core.context import MarketView
from core.types import HOUR_MS, Base, Book, FundingQuote, SettledFunding, Side
from scripts.scanning.wire import Packer, Unpacker
from strategy.auxiliary.bars import Bars
from strategy.auxiliary.language import FeedEvent, Holding, Look, Needs
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Question
from tests.fakes import START_MS, D, btc
from tests.strategy.auxiliary.scan_scenes import NAME, Toy, candle, kept, scanner_of

MODULES = [
    Toy("few", Needs(bars={"1H": 3}, on="1H")),
    Toy("many", Needs(bars={"1H": 9, "15m": 20, "4H": 2}, on="1H")),
    Toy("fed", Needs(bars={"15m": 1}, events=True)),
]
BOOK = Book(
    "BTC-USDT-SWAP", ((D("99.9"), D(1)), (D(99), D("2.50"))), ((D("100.1"), D(3)),), START_MS, START_MS, 7
)
MARKET = MarketView(
    btc(),
    swap=BOOK,
    mark_px=D("100.05"),
    funding=FundingQuote("BTC-USDT-SWAP", D("0.0001"), START_MS, START_MS + HOUR_MS, START_MS),
    settled=tuple(SettledFunding(START_MS - n * HOUR_MS, D(n) / 10**6) for n in range(9, 0, -1)),
    open_interest=((START_MS, D("12345.678900")), (START_MS + 1, D("1E+3"))),
)
CROWD = ((START_MS, D("1.20")), (START_MS + 5, D("0.9")))
EVENTS = (FeedEvent("a", "113", NAME, START_MS, "test"),)
HELD = Holding(Side.SELL, Base(D(2)), D(101), START_MS)


def groups(late: bool = False) -> Iterator[tuple[Question, ...]]:
    """Questions of one instrument; a late one is about two closes at once."""
    store = kept(MODULES)
    scanner = scanner_of(*MODULES)
    sights = Sights(
        store,
        {NAME: MARKET},
        long_short={NAME: CROWD},
        events={NAME: EVENTS},
        holdings={("few", NAME): HELD},
    )
    if late:
        for group in scanner.begin([NAME], sights, START_MS).groups():
            for question in group:
                scanner.answered(question, sights)
        for frame, count in (("1H", 2), ("15m", 5)):
            until_ms = START_MS + 9 * HOUR_MS // 8
            store.take(NAME, frame, [candle(frame, at) for at in range(count)], until_ms)
    now_ms = START_MS + (HOUR_MS + 60_000 if late else 0)
    yield from scanner.begin([NAME], sights, now_ms).groups()


def same(one: Look, other: Look) -> bool:
    """Equal part by part; columns bit by bit."""
    rest = [replace(look, bars={}) for look in (one, other)]
    return (
        rest[0] == rest[1]
        and one.bars.keys() == other.bars.keys()
        and all(_same_bars(one.bars[frame], other.bars[frame]) for frame in one.bars)
    )


def _same_bars(one: Bars, other: Bars) -> bool:
    def plain(bars: Bars) -> list[Any]:
        values = [getattr(bars, field.name) for field in fields(bars)]
        return [value if isinstance(value, str) else value.tobytes() for value in values]

    return plain(one) == plain(other)


@pytest.mark.parametrize("late", [False, True])
def test_questions_come_out_as_they_went_in(late: bool) -> None:
    (group,) = groups(late)
    found = Unpacker().questions(Packer().packed(group))
    assert len(found) == len(group) >= 3
    for one, other in zip(group, found, strict=True):
        assert (one.place, one.module, one.of_ms) == (other.place, other.module, other.of_ms)
        assert same(one.look, other.look)
        for bars in other.look.bars.values():
            for column in (bars.ts_ms, bars.open, bars.volume):
                assert not column.flags.writeable


def test_figures_keep_the_digits_they_came_in() -> None:
    (group,) = groups()
    look = Unpacker().questions(Packer().packed(group))[0].look
    assert look.market is not None
    assert [str(coins) for _, coins in look.market.open_interest] == ["12345.678900", "1E+3"]
    assert look.market.swap is not None and str(look.market.swap.bids[1][1]) == "2.50"


def test_what_has_not_changed_does_not_travel_again_and_is_still_shown() -> None:
    (group,) = groups()
    packer, unpacker = Packer(), Unpacker()
    first, second = packer.packed(group), packer.packed(group)
    assert b"12345.678900" in first and b"12345.678900" not in second
    unpacker.questions(first)
    for one, other in zip(group, unpacker.questions(second), strict=True):
        assert same(one.look, other.look)


def test_what_has_changed_and_what_has_gone_is_told() -> None:
    (group,) = groups()
    packer, unpacker = Packer(), Unpacker()
    unpacker.questions(packer.packed(group))
    question = group[0]
    for market in (
        replace(MARKET, mark_px=D(7)),
        replace(MARKET, swap=None, funding=None),
        replace(MARKET, open_interest=()),
        None,
        MARKET,
    ):
        look = replace(question.look, market=market, long_short=(), events=EVENTS)
        (found,) = unpacker.questions(packer.packed([replace(question, look=look)]))
        assert same(found.look, look)


def test_questions_of_two_instruments_are_refused() -> None:
    (group,) = groups()
    other = replace(group[0], look=replace(group[0].look, instrument="ETH-USDT"))
    with pytest.raises(ValueError, match="allowed: of one"):
        Packer().packed([group[0], other])
