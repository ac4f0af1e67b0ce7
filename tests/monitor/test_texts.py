from decimal import Decimal as D
from typing import Literal

import pytest

from monitor.texts import TEXTS, TextError, optional_fields, render, required_fields
from monitor.words import LABELS, label, word

# every field any text uses, so that each topic can be rendered in full
FIELDS: dict[str, object] = {
    "mode": "demo",
    "version": "0.1.0",
    "instruments": ("BTC-USDT", "ETH-USDT"),
    "venue": "okx-demo",
    "equity": D("100212.444"),
    "state": "RUNNING",
    "permission": "NO_NEW_RISK",
    "instrument": "BTC-USDT",
    "size": D("0.40000000"),
    "notional": D("26000"),
    "rate": D("0.0001"),
    "reason": "best net carry",
    "held_ms": 183_600_000,
    "pnl": D("-12.3"),
    "funding": "43.21",
    "fees": D("18.02"),
    "settlements": 6,
    "purpose": "top_up",
    "to": "funding wallet",
    "amount": D("3.25"),
    "mark": D("65000.10"),
    "total": D("46.46"),
    "what": "stream_down",
    "detail": "stream public is down",
    "action": "unwinding",
    "level": "REDUCE_ONLY",
    "previous": "FULL",
    "cause": "deadline",
    "day_pnl": D("-501"),
    "losing_rounds": 3,
    "lasted_ms": 90_000,
    "check": "clock offset",
    "advice": "start the time service",
    "command": "halt",
    "result": "accepted",
    "condition": "stream_down",
    "streams": ["public"],
    "tasks": ["worker"],
    "age_ms": 64_000,
    "ratio": D("0.516"),
    "floor": D("0.8"),
    "lag_ms": 2500,
    "offset_ms": -1200,
    "latency_ms": 900,
    "errors": 5,
    "rejects": 3,
    "use": D("0.9"),
    "title": "upgrade",
    "begin_ms": 1_773_302_700_000,
    "count": 2,
    "module": "trend_breakout",
    "side": "buy",
    "strength": D("75.66"),
    "net": D("-13.18"),
    "drift_ms": -1500,
    "causes": "latency, clock",
    "channels": ("telegram:1",),
    "folder": "data/live",
    "after_s": "10",
    "why": "heartbeat lost for 10.0 s",
    "orders": 10,
    "value": "DOGE",
    "allowed": ("BTC-USDT", "ETH-USDT"),
    "held": ("BTC-USDT",),
    "seconds": 60,
    "text": "Engine stopped",
    "warnings": 3,
    "infos": 5,
    "at_ms": 1_773_302_700_000,
}
PROMISED = (
    *("start", "connected", "opened", "closed", "rebalanced", "settlement", "breach", "alarm"),
    *("permission", "breaker", "stop", "trouble", "self_check_failed", "recovered", "operator"),
)
LANGUAGES: tuple[Literal["en", "zh"], ...] = ("en", "zh")


@pytest.mark.parametrize("topic", PROMISED)
def test_every_promised_topic_has_a_text(topic: str) -> None:
    assert topic in TEXTS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", TEXTS)
def test_every_text_renders_with_all_its_fields(topic: str, language: Literal["en", "zh"]) -> None:
    text = render(topic, FIELDS, language)
    assert text.strip()
    assert not set("{}[]") & set(text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", TEXTS)
def test_every_text_renders_with_nothing_but_what_it_requires(
    topic: str, language: Literal["en", "zh"]
) -> None:
    only = {name: FIELDS[name] for name in required_fields(topic)}
    text = render(topic, only, language)
    assert not set("{}[]") & set(text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("topic", TEXTS)
def test_each_missing_field_is_named(topic: str, language: Literal["en", "zh"]) -> None:
    for name in required_fields(topic):
        with pytest.raises(TextError, match=f"{topic}.*'{name}'"):
            render(topic, {k: v for k, v in FIELDS.items() if k != name}, language)


@pytest.mark.parametrize("topic", TEXTS)
def test_both_languages_say_the_same_things(topic: str) -> None:
    assert required_fields(topic, "en") == required_fields(topic, "zh")
    assert optional_fields(topic, "en") == optional_fields(topic, "zh")


@pytest.mark.parametrize("topic", [t for t in TEXTS if optional_fields(t)])
def test_an_optional_part_is_said_only_when_it_is_known(topic: str) -> None:
    full = render(topic, FIELDS, "en")
    for name in optional_fields(topic):
        assert len(render(topic, {**FIELDS, name: None}, "en")) < len(full)


def test_chinese_is_not_english() -> None:
    for topic in TEXTS:
        assert any("\u4e00" <= c <= "\u9fff" for c in render(topic, FIELDS, "zh")), topic
        assert render(topic, FIELDS, "en").replace("–", "-").isascii(), topic


def test_a_closing_reads_well() -> None:
    assert render("closed", FIELDS, "en") == (
        "Closed BTC-USDT after 2d 3h: -12.30 USDT, funding +43.21 USDT, fees 18.02 USDT, 6 settlements. "
        "Reason: best net carry"
    )


def test_what_the_engine_passes_is_enough() -> None:
    assert render("opened", {"instrument": "BTC-USDT", "size": D("0.4"), "reason": "pays"}, "en") == (
        "Opened BTC-USDT: 0.4 coins long spot and short swap. Reason: pays"
    )
    assert render("alarm", {"what": "hedge broken", "detail": "gap 0.1"}, "zh") == "警报：对冲失衡：gap 0.1"


def test_an_unknown_topic_is_refused_by_name() -> None:
    with pytest.raises(TextError, match="'nonsense'"):
        render("nonsense", {}, "en")


def test_a_field_of_the_wrong_kind_is_named() -> None:
    with pytest.raises(TextError, match=r"settlement.*'a lot' as signed"):
        render("settlement", {"instrument": "BTC-USDT", "amount": "a lot"}, "en")


def test_text_in_a_field_is_never_read_as_a_template() -> None:
    said = render("trouble", {"what": "{reason}", "detail": "[x] {secret} {0}"}, "en")
    assert said == "Trouble: {reason}: [x] {secret} {0}"


def test_words_translate_where_there_is_a_translation() -> None:
    assert word("RUNNING", "zh") == "运行中"
    assert word("RUNNING", "en") == "RUNNING"
    assert word("NO_NEW_RISK", "en") == "NO_NEW_RISK"
    assert word("top_up", "en") == "top up"
    assert word("never heard of", "zh") == "never heard of"


def test_every_label_has_two_languages() -> None:
    for key in LABELS:
        assert label(key, "en")
        assert label(key, "zh")
