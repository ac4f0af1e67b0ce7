"""What a scanner must not forget goes through the journal's text and comes back as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.facts import canonical, plain
from core.types import DAY_MS
from strategy.auxiliary.scanner import Memory
from strategy.auxiliary.scanning.blacklist import BanRules, Blacklist, Cause
from strategy.auxiliary.scanning.health import Ward
from strategy.auxiliary.scanning.keeping import Kept, body_of, kept_in
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Outcome
from tests.fakes import START_MS
from tests.strategy.auxiliary.scan_scenes import NAME, Toy, kept, scan, scanner_of, signal


def through_the_journal(body: Any) -> Any:
    return json.loads(canonical(plain(body)))


def test_a_scanner_goes_on_where_its_earlier_life_ended() -> None:
    good, bad = Toy("good", says=lambda look: signal(look, "good")), Toy("bad", says=lambda look: 1 / 0)
    names = [NAME, "ETH-USDT"]
    blacklist = Blacklist(BanRules(most_failures=1), frozenset({"XRP-USDT"}))
    blacklist.failed("ETH-USDT", "51001", START_MS)
    scanner = scanner_of(good, bad, blacklist=blacklist, ward=Ward(["good", "bad"], most=1))
    store = kept([good, bad], names)
    first = scan(scanner, Sights(store), instruments=names)
    assert len(first.signals) == 1 and not first.health["bad"].is_on

    found = kept_in(through_the_journal(body_of(scanner, START_MS)))
    assert found.memory == scanner.memory and found.health == scanner.ward.all()
    assert [ban.cause for ban in found.bans] == [Cause.FAILURES]

    again = Blacklist(BanRules(), frozenset({"XRP-USDT"}))
    again.restore(found.bans)
    ward = Ward(["good", "bad"], most=1, known=found.health)
    later = scanner_of(good, bad, blacklist=again, ward=ward, memory=found.memory)
    second = scan(later, Sights(store), START_MS + 1, names)
    assert [line.outcome for line in second.lines] == [
        Outcome.NOT_NEW,
        Outcome.SWITCHED_OFF,
        Outcome.KEPT_OUT,
        Outcome.SWITCHED_OFF,
    ]


def test_where_nothing_was_kept_there_is_nothing() -> None:
    assert kept_in({}) == Kept()
    assert kept_in(through_the_journal(body_of(scanner_of(), START_MS + DAY_MS))) == Kept()


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"asked": {"toy": {NAME: "soon"}}}, "asked"),
        ({"asked": [1]}, "asked"),
        ({"said": {"toy": None}}, "said"),
        ({"bans": [{"instrument": NAME}]}, "bans"),
        ({"bans": [{"instrument": NAME, "cause": "mood", "until_ms": 1}]}, "bans"),
        ({"health": {"toy": {}}}, "health"),
    ],
)
def test_what_cannot_be_read_is_named(body: dict[str, Any], part: str) -> None:
    with pytest.raises(ValueError, match=f"what a scanner kept: {part} cannot be read"):
        kept_in(body)


def test_memory_is_by_module_and_instrument() -> None:
    found = kept_in({"asked": {"toy": {NAME: START_MS}}})
    assert found.memory == Memory({("toy", NAME): START_MS})
