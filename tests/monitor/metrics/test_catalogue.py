from __future__ import annotations

import re

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from core.context import Permission
from core.events import State
from core.meters import Reading
from monitor.figures import Figures
from monitor.metrics.catalogue import METRICS, registry_of
from monitor.metrics.metric import Metric
from tests.monitor.metrics.scene import figures

# What a number is a count of, or a flag; everything else has its unit at the end of its name.
UNITS = ("_seconds", "_usdt", "_coins", "_ratio", "_rows", "_bytes", "_total")
COUNTS = {
    "build_info", "state", "permission", "permission_cause", "condition", "breaker_tripped", "losing_rounds",
    "repairs_in_a_row", "queue_depth", "hedges", "hedge_settlements", "hedge_adl_rank", "unresolved_orders",
    "margin_ratio_threshold", "venue_errors", "venue_rejects", "maintenance", "stream_live", "journal_failed",
    "journal_on_reserve", "tasks_ailing", "messages_waiting", "channel_down",
}  # fmt: skip


def scraped(now: Figures | None) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample a Prometheus would take, by name and labels."""
    text = generate_latest(registry_of(lambda: now)).decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for told in text_string_to_metric_families(text)
        for sample in told.samples
    }


def value(now: Figures, name: str, **labels: str) -> float | None:
    return scraped(now).get((f"funding_engine_{name}", frozenset(labels.items())))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_has_a_name_with_its_unit_a_meaning_and_labels_for_every_sample(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z]", metric.name)
    assert metric.name in COUNTS or metric.name.endswith(UNITS), "its unit is missing"
    assert (metric.kind == "counter") == metric.name.endswith("_total")
    assert metric.kind != "histogram" or metric.name.endswith("_seconds")
    assert metric.help.endswith(".") and len(metric.help) > 10
    samples = list(metric.read(figures()))
    assert samples, "the busy engine of the scene has a sample of everything"
    for labels, figure in samples:
        assert len(labels) == len(metric.labels)
        assert isinstance(figure, Reading) == (metric.kind == "histogram")


def test_no_name_stands_twice() -> None:
    names = [name for metric in METRICS for name in metric.series]
    assert len(names) == len(set(names))


def test_exactly_one_state_and_one_permission_is_lit() -> None:
    told = scraped(figures())
    for name, label, all_of in (
        ("state", "state", [state.value for state in State]),
        ("permission", "permission", [level.name for level in Permission]),
    ):
        lit = {one: told[f"funding_engine_{name}", frozenset({(label, one)})] for one in all_of}
        assert sorted(lit.values()) == [0.0] * (len(lit) - 1) + [1.0]
    assert value(figures(), "permission", permission="REDUCE_ONLY") == 1


def test_a_scrape_tells_what_the_engine_knows_of_a_leg_that_stands_alone() -> None:
    now = figures()
    assert value(now, "naked_seconds", instrument="BTC-USDT") == 1.5
    assert value(now, "naked_seconds", instrument="ETH-USDT") == 0
    assert value(now, "condition", condition="unhedged", level="critical") == 1
    assert value(now, "condition_seconds", condition="unhedged") == 5
    assert value(now, "permission_cause", cause="broken hedge", level="REDUCE_ONLY") == 1
    assert value(now, "naked_spell_seconds_sum") == pytest.approx(0.6)


def test_the_terms_add_up_to_what_was_earned_with_costs_negative() -> None:
    now = figures()
    told = {labels: worth for (name, labels), worth in scraped(now).items() if name.endswith("pnl_usdt")}
    terms = [v for labels, v in told.items() if {"instrument", "term"} == {label for label, _ in labels}]
    assert sum(terms) == pytest.approx(float(sum(t.net for t in now.money.values())))
    assert value(now, "pnl_usdt", instrument="BTC-USDT", term="fees") == -18.02


def test_buckets_are_cumulative_and_end_with_everything() -> None:
    now = figures()
    assert value(now, "order_stage_seconds_bucket", stage="ack", le="0.05") == 1
    assert value(now, "order_stage_seconds_bucket", stage="ack", le="0.3") == 2
    assert value(now, "order_stage_seconds_bucket", stage="ack", le="+Inf") == 2
    assert value(now, "order_stage_seconds_count", stage="ack") == 2


def test_the_disk_and_the_youngest_copy_of_the_books_are_told() -> None:
    assert value(figures(), "disk_used_ratio") == 0.75
    assert value(figures(), "backup_age_seconds") == 3_600


def test_what_is_not_known_is_absent_and_not_zero() -> None:
    told = scraped(figures(status=None, ctx=None, loop=None, capture={}))
    names = {name for name, _ in told}
    assert "funding_engine_build_info" in names and "funding_engine_orders_total" in names
    for unknown in ("state", "equity_usdt", "margin_ratio", "loop_lag_seconds", "capture_ratio"):
        assert f"funding_engine_{unknown}" not in names


def test_before_the_engine_is_put_together_only_the_process_is_told_of() -> None:
    names = {name for name, _ in scraped(None)}
    assert names and all(name.startswith("process_") for name in names)


def test_no_label_carries_words_of_the_engine_that_would_make_a_series_each() -> None:
    text = generate_latest(registry_of(figures)).decode()
    assert "a leg stands alone" not in text and "stands unhedged" not in text
