"""The currencies a client asks for when it starts, and the deposits that never come."""

from __future__ import annotations

from tests.exchange.sim.surface.client import Rest


def test_every_currency_of_an_instrument_is_listed_and_none_can_leave() -> None:
    rows = Rest().rows("/asset/currencies")
    assert [(row["ccy"], row["chain"]) for row in rows] == [("BTC", "BTC-BTC"), ("USDT", "USDT-USDT")]
    assert not any(row["canDep"] or row["canWd"] or row["canInternal"] for row in rows)


def test_currencies_can_be_asked_for_by_name() -> None:
    assert [row["ccy"] for row in Rest().rows("/asset/currencies", ccy="USDT")] == ["USDT"]


def test_nothing_was_ever_deposited_or_withdrawn() -> None:
    assert Rest().rows("/asset/deposit-history") == Rest().rows("/asset/withdrawal-history") == []
