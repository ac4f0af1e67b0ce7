"""The benchmark of a portfolio: over the recorded years it earns what it should, within every limit."""

from __future__ import annotations

from benchmarks.portfolio import measure, records_of
from config.loader import load
from scripts.options import instant_ms
from tests.e2e.rig import ROOT, TAPE, needs_tape


@needs_tape
def test_two_places_over_six_coins_earn_what_they_should_from_2020_to_2025() -> None:
    settings = load(ROOT / "config")
    records = records_of(TAPE, settings, instant_ms("2020-01-01", ""), instant_ms("2026-01-01", ""))
    assert sorted(records) == ["ADA", "BNB", "BTC", "DOGE", "ETH", "LTC"]
    missed = [one.name for one in measure(records, settings, 2) if not one.met]
    assert missed == []
