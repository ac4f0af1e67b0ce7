from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from config.schema import Universe
from strategy import Listing, rank
from tests.risk.scenes import NOW, D, pair


def row(coin: str, millions: int, rate: str | None = None) -> Listing:
    return Listing(pair(f"{coin}-USDT"), D(millions) * 1_000_000, D(rate) if rate else None)


def test_membership_is_by_volume_and_order_by_funding() -> None:
    rows = [row("AAA", 900, "0.0001"), row("BBB", 800, "0.0005"), row("CCC", 700, "0.01")]
    assert rank(rows, Universe(enabled=True, size=2)) == ("BBB-USDT", "AAA-USDT")


def test_small_excluded_and_untradable_pairs_are_left_out() -> None:
    gone = row("DDD", 900)
    leaving = replace(gone, pair=replace(gone.pair, swap=replace(gone.pair.swap, exp_time_ms=NOW)))
    halted = row("EEE", 900)
    halted = replace(halted, pair=replace(halted.pair, spot=replace(halted.pair.spot, state="suspend")))
    rows = [row("AAA", 9), row("BBB", 10), row("CCC", 999), leaving, halted]
    assert rank(rows, Universe(enabled=True, exclude=("CCC-USDT",))) == ("BBB-USDT",)


def test_an_unknown_rate_counts_as_zero() -> None:
    rows = [row("AAA", 90), row("BBB", 80, "-0.0001"), row("CCC", 70, "0.0001")]
    assert rank(rows, Universe(enabled=True)) == ("CCC-USDT", "AAA-USDT", "BBB-USDT")


@given(order=st.permutations(["AAA", "BBB", "CCC", "DDD"]))
def test_the_order_of_the_rows_does_not_matter(order: list[str]) -> None:
    rows = [row(coin, 50) for coin in order]
    assert rank(rows, Universe(enabled=True, size=3)) == ("AAA-USDT", "BBB-USDT", "CCC-USDT")
