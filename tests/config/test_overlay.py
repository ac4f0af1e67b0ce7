from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest

from config.loader import describe, load
from config.overlay import LOCKED, Overlay, StaleVersion, is_locked, read_overlay, write_overlay
from config.schema import Settings
from core.errors import UsageError

SHIPPED = Path(__file__).resolve().parents[2] / "config"
COOLDOWN = "strategy.exit.cooldown_hours"


def laid(**changes: str) -> Settings:
    return load(SHIPPED, Overlay(1, {key.replace("__", "."): value for key, value in changes.items()}))


def test_a_change_lies_over_the_files_and_leaves_the_rest_as_it_is() -> None:
    before, after = describe(load(SHIPPED)), describe(laid(strategy__exit__cooldown_hours="12"))
    assert {key for key in after if after[key] != before[key]} == {COOLDOWN}
    assert after[COOLDOWN] == "12"


def test_values_are_read_as_a_file_would_be() -> None:
    assert laid(monitor__language="zh").monitor.language == "zh"
    assert laid(strategy__auto_trading="false").strategy.auto_trading is False
    assert laid(instruments__instruments="[BTC-USDT, SOL-USDT]").instruments.instruments[1] == "SOL-USDT"
    assert laid(account__total_capital="50_000.5").account.total_capital == D("50000.5")


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        (COOLDOWN, "-1", "at least 0 and at most 2160"),
        (COOLDOWN, "soon", "a number"),
        (COOLDOWN, "1e2", "a number"),
        (COOLDOWN, "", "a number"),
        (COOLDOWN, "[1", "valid YAML"),
        (COOLDOWN, "{a: 1}", "a number"),
        ("account.leverage", "4", "at most 3"),
        ("strategy.exit", "1", "unknown key"),
        ("strategy.exit.cooldown", "1", "unknown key"),
        ("leverage", "2", "did you mean account.leverage? "),
        ("strategy.exit.cooldown_hour", "2", "did you mean strategy.exit.cooldown_hours? "),
        ("nonsense", "2", "unknown key; allowed: a file's name"),
        ("secrets.api_key", "1", "no secret"),
        ("instruments.instruments", "[btc]", "text matching"),
        ("account.venue", "okx", "only the files"),
        ("monitor.log_level", "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", "no secret"),
    ],
)
def test_what_a_file_may_not_say_an_overlay_may_not_either(key: str, value: str, told: str) -> None:
    with pytest.raises(UsageError, match=r"overlay\.json line 1") as refused:
        load(SHIPPED, Overlay(1, {key: value}))
    assert told in str(refused.value) and "ABCDEF" not in str(refused.value)


def test_a_contradiction_with_the_files_names_both_places() -> None:
    with pytest.raises(UsageError, match=r"risk\.margin\.target \(overlay\.json line 1\)") as refused:
        load(SHIPPED, Overlay(1, {"risk.margin.target": "0.1"}))
    assert "risk.yaml line" in str(refused.value)


def test_every_version_follows_from_the_one_before() -> None:
    first = Overlay().changed(0, {COOLDOWN: "12", "monitor.language": "zh"})
    second = first.changed(1, {COOLDOWN: None})
    assert (first.version, second.version) == (1, 2)
    assert second.changes == {"monitor.language": "zh"}
    with pytest.raises(StaleVersion, match="version: 1; allowed: 2"):
        second.changed(1, {COOLDOWN: "9"})


@pytest.mark.parametrize(
    "key",
    # A password and a signature go where host and url say.
    [*LOCKED, "monitor.web.host", "risk.watchdog.after_s", "monitor.email.host", "monitor.receiver.url"],
)
def test_what_decides_whose_money_it_is_and_who_commands_is_locked(key: str) -> None:
    assert is_locked(key)
    with pytest.raises(UsageError, match="only the files on the host"):
        Overlay().changed(0, {key: "1"})


def test_every_locked_name_is_one_of_the_configuration() -> None:
    names = describe(Settings())
    for locked in LOCKED:
        assert any(name == locked or name.startswith(f"{locked}.") for name in names), locked


@pytest.mark.parametrize(
    ("changes", "told"),
    [({}, "none"), ({COOLDOWN: "1" * 2001}, "2000"), ({f"a.k{n}": "1" for n in range(201)}, "at most 200")],
)
def test_a_change_has_a_size(changes: dict[str, str | None], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Overlay().changed(0, changes)


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    assert read_overlay(tmp_path) == Overlay()
    overlay = Overlay(7, {COOLDOWN: "12"})
    write_overlay(tmp_path, overlay)
    assert read_overlay(tmp_path) == overlay
    assert [path.name for path in tmp_path.iterdir()] == ["overlay.json"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 0, "changes": {}}', '{"version": 1, "changes": {"a": 1}}', "\xff"]
)
def test_one_that_cannot_be_read_is_named_with_the_way_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "overlay.json").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"overlay\.json cannot be read .*remove it"):
        read_overlay(tmp_path)
