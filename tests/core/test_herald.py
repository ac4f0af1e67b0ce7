"""What is counted and told is what came about, not what was tried."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from core.events import HedgeTarget, Outcome, Purpose, Report, TransferTarget
from core.herald import Herald
from core.projections import Books
from core.types import Base, Wallet
from tests.core.story import StillClock, Story

D = Decimal


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[str, Mapping[str, object]]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.told.append((topic, fields))


def after(story: Story, purpose: Purpose, outcome: Outcome) -> tuple[Herald, Heard]:
    """The herald of these books, once a target of BTC has been worked on."""
    books, heard = Books(), Heard()
    for row in story.rows:
        books.apply(row)
    herald = Herald(heard, books, StillClock())
    size = D(1) if purpose.adds_risk else D(0)
    herald.worked((HedgeTarget("BTC-USDT", Base(size), purpose, "because"),), Report(outcome, "done"))
    return herald, heard


def story(*, held: bool) -> Story:
    """A round that is over, and with `held` the next one still open."""
    told = Story()
    told.boot({"USDT": "1000"})
    told.round(hedge_id="FE1H1", sell="101")
    if held:
        told.hedge("opened", "FE1H2")
        told.fill("spot", "buy", "1", "100", hedge_id="FE1H2")
        told.fill("swap", "sell", "100", "100", hedge_id="FE1H2")
    return told


@pytest.mark.parametrize("purpose", [Purpose.EXIT, Purpose.FLATTEN])
def test_a_close_the_venue_refused_is_neither_counted_nor_told(purpose: Purpose) -> None:
    """The legs are equal afterwards, because not one of them could be traded."""
    herald, heard = after(story(held=True), purpose, Outcome.BALANCED)
    assert herald.totals.closes == 0 and heard.told == []


def test_a_close_is_told_with_what_its_round_came_to() -> None:
    herald, heard = after(story(held=False), Purpose.EXIT, Outcome.FLAT)
    [(topic, fields)] = heard.told
    assert herald.totals.closes == 1 and topic == "closed" and fields["pnl"] == 1


@pytest.mark.parametrize(("held", "opens"), [(True, 1), (False, 0)])
def test_an_opening_counts_once_something_is_held(held: bool, opens: int) -> None:
    """Of several targets one may have found nothing to buy: together they still end balanced."""
    herald, heard = after(story(held=held), Purpose.OPEN, Outcome.BALANCED)
    assert herald.totals.opens == opens == len(heard.told)


def test_a_transfer_is_told_with_the_wallet_it_went_to() -> None:
    heard = Heard()
    herald = Herald(heard, Books(), StillClock())
    swept = TransferTarget("USDT", D(50), Wallet.TRADING, Wallet.FUNDING, Purpose.SWEEP, "because")
    herald.worked((swept,), Report(Outcome.FLAT, "done"))
    [(topic, fields)] = heard.told
    assert (topic, fields["size"], fields["to"]) == ("moved", D(50), "funding wallet")
