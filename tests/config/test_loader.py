"""The configuration folder: what it accepts, and what it says about what it does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.loader import describe, fingerprint, load
from config.schema import Settings
from config.secrets import Secrets
from core.errors import UsageError

SHIPPED = Path(__file__).parents[2] / "config"
FILES = ("account", "instruments", "strategy", "risk", "monitor")

Edit = Callable[[str, str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(SHIPPED / f"{name}.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Replace one passage of a shipped file; the passage must stand there exactly once."""

    def change(file: str, old: str, new: str) -> Path:
        path = folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))
        return folder

    return change


def complaint(folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        load(folder)
    return str(caught.value)


# --- what is accepted -------------------------------------------------------------------------


def test_the_shipped_files_say_what_the_models_default_to(folder: Path) -> None:
    assert load(folder) == Settings()


def test_the_shipped_files_name_every_key(folder: Path) -> None:
    written = "\n".join((folder / f"{name}.yaml").read_text() for name in FILES)
    for path in describe(Settings()):
        assert f"{path.rsplit('.', 1)[-1]}:" in written, path


def test_every_key_of_the_shipped_files_has_a_comment_above_it(folder: Path) -> None:
    for name in FILES:
        above = ""
        for line in (folder / f"{name}.yaml").read_text().splitlines():
            is_value = ":" in line and not line.lstrip().startswith("#") and not line.rstrip().endswith(":")
            assert not is_value or above.lstrip().startswith("#"), f"{name}.yaml: {line}"
            above = line


def test_decimals_are_read_as_written(edit: Edit) -> None:
    got = load(edit("strategy.yaml", "min: 0.0001", "min: 0.00010000000000000000001"))
    assert got.strategy.funding_rate_threshold.min == Decimal("0.00010000000000000000001")


def test_another_venue_may_be_named(edit: Edit) -> None:
    edit("account.yaml", "rest_url: null", "rest_url: http://127.0.0.1:8080")
    got = load(edit("account.yaml", "stream_url: null", "stream_url: ws://127.0.0.1:8080/ws/v5"))
    assert (got.account.rest_url, got.account.stream_url) == (
        "http://127.0.0.1:8080",
        "ws://127.0.0.1:8080/ws/v5",
    )


def test_thousands_may_be_grouped(edit: Edit) -> None:
    assert load(
        edit("account.yaml", "total_capital: 100000", "total_capital: 250_000")
    ).account.total_capital == (Decimal(250_000))


def test_a_key_left_out_takes_its_default(edit: Edit) -> None:
    assert load(edit("account.yaml", "leverage: 3", "")).account.leverage == Decimal(3)


def test_only_the_monitor_file_may_be_missing(folder: Path) -> None:
    (folder / "monitor.yaml").unlink()
    assert load(folder) == Settings()
    (folder / "risk.yaml").unlink()
    text = complaint(folder)
    assert "risk.yaml" in text and "missing" in text


def test_lists_become_tuples(edit: Edit) -> None:
    got = load(edit("monitor.yaml", "chat_ids: []", "chat_ids: [-100123, 7]"))
    assert got.monitor.telegram.chat_ids == (-100123, 7)


# --- what is refused --------------------------------------------------------------------------


@dataclass(frozen=True)
class Broken:
    """One edit to a shipped file, and what the one resulting problem must name.

    `below` is how many lines below the edit's first line the problem stands.
    """

    file: str
    old: str
    new: str
    key: str
    says: tuple[str, ...]
    below: int = 0


def broken(file: str, old: str, new: str, key: str, *says: str, below: int = 0) -> Broken:
    return Broken(f"{file}.yaml", old, new, key, says, below)


def capital(written: str, *says: str) -> Broken:
    return broken("account", "total_capital: 100000", f"total_capital: {written}", "total_capital", *says)


BTC_ETH = "instruments:\n  - BTC-USDT\n  - ETH-USDT"
DINGTALK = (
    "dingtalk:\n  # true sends, and needs the webhook, and the secret or a keyword.\n  enabled: false\n"
    "  # Word the group's robot wants in every message, if it checks one; put into those that lack it.\n"
    "  keyword: null\n  # Least level that is sent there: info, warning or critical.\n  min_level: info\n\n"
    "# Messages by"
)
MODULES = "  # Names of modules in strategy/auxiliary.\n  modules: []"

NUMBERS = (
    broken("strategy", "min: 0.0001", "min: 1e-4", "funding_rate_threshold.min", "= 1e-4;", "write 0.0001"),
    broken("strategy", "min: 0.0001", "min: 1.0e-4", "funding_rate_threshold.min", "write 0.0001"),
    capital("1e5", "= 1e5;", "write 100000"),
    capital("1e999", "= 1e999;", "plain decimal digits"),
    capital("'100000'", "= 100000;", "a number above 0", "without quotes"),
    capital("plenty", "= plenty;", "a number above 0 and at most 1000000000"),
    capital("true", "= true;", "a number above 0"),
    capital("yes", "= yes;", "a number above 0"),
    capital(".inf", "= .inf;", "plain decimal digits"),
    capital(".nan", "= .nan;", "plain decimal digits"),
    capital("0100", "= 0100;", "plain decimal digits"),
    capital("0x10", "= 0x10;", "plain decimal digits"),
    capital("1:30", "= 1:30;", "plain decimal digits"),
    capital("100,000", "= 100,000;", "a number above 0"),
    capital("", "total_capital", "a number above 0"),
    capital("[1]", "= [1];", "a number above 0"),
    capital("{usdt: 1}", "= a section;", "a number above 0"),
    capital("0." + "1" * 40, "at most 28 of them"),
    capital("!money 1", "= !money 1;", "without a tag"),
    capital("2024-01-01", "= 2024-01-01;", "a number above 0"),
    broken(
        "risk", "losing_rounds: 3", "losing_rounds: 3.5", "circuit_breaker.losing_rounds", "a whole number"
    ),
    broken(
        "risk", "losing_rounds: 3", "losing_rounds: 3.0", "circuit_breaker.losing_rounds", "a whole number"
    ),
    broken("risk", "losing_rounds: 3", "losing_rounds: false", "circuit_breaker.losing_rounds", "= false;"),
)
BOUNDS = (
    broken("account", "leverage: 3", "leverage: 25", "leverage", "= 25;", "at least 1 and at most 3"),
    broken("account", "leverage: 3", "leverage: 3.01", "leverage", "= 3.01;", "at most 3"),
    broken("account", "leverage: 3", "leverage: 0", "leverage", "= 0;", "at least 1"),
    capital("-5", "= -5;", "above 0"),
    capital("0", "= 0;", "above 0"),
    broken("account", "core_ratio: 0.8", "core_ratio: 80", "core_ratio", "= 80;", "at most 1"),
    broken("account", "spot_ratio: 0.5", "spot_ratio: 1", "spot_ratio", "= 1;", "below 1"),
    broken("strategy", "max: 0.01", "max: 1", "funding_rate_threshold.max", "= 1;", "at most 0.1"),
    broken(
        "strategy", "loss_ratio: 0.02", "loss_ratio: -0.02", "exit.stop_loss_ratio", "= -0.02;", "above 0"
    ),
    broken("strategy", "quiet_s: 60", "quiet_s: 601", "opening.settlement_quiet_s", "= 601;", "at most 600"),
    broken(
        "risk", "down_ratio: 0.05", "down_ratio: 0.2", "circuit_breaker.max_drawdown_ratio", "at most 0.15"
    ),
    broken(
        "risk", "repair_deadline_s: 5", "repair_deadline_s: 61", "execution.repair_deadline_s", "at most 60"
    ),
    broken("monitor", "keep_logs_days: 30", "keep_logs_days: 0", "keep_logs_days", "= 0;", "at least 1"),
)
WORDS = (
    broken("account", "venue: okx-demo", "venue: binance", "venue", "= binance;", "one of okx, okx-demo"),
    broken("account", "venue: okx-demo", "venue: OKX", "venue", "= OKX;", "one of okx, okx-demo"),
    broken("account", "venue: okx-demo", "venue: null", "venue", "one of okx, okx-demo"),
    broken("account", "region: global", "region: no", "region", "= no;", "needs quotes"),
    broken("account", "rest_url: null", "rest_url: www.okx.com", "rest_url", "= www.okx.com;", "https?"),
    broken("account", "stream_url: null", "stream_url: https://a.example", "stream_url", "wss?"),
    broken("strategy", "mode: expected_cost", "mode: never", "exit.mode", "= never;", "hysteresis, sign"),
    broken("strategy", "dry_run: true", "dry_run: maybe", "dry_run", "= maybe;", "true or false"),
    broken("strategy", "dry_run: true", "dry_run: 1", "dry_run", "= 1;", "true or false"),
    broken("strategy", "dry_run: true", "dry_run: 'true'", "dry_run", "true or false"),
    broken("risk", "on_signal: hold", "on_signal: panic", "shutdown.on_signal", "one of hold, flatten"),
    broken("monitor", "language: en", "language: fr", "language", "= fr;", "one of en, zh"),
)
LISTS = (
    broken("instruments", "- BTC-USDT", "- BTCUSDT", "instruments[0]", "= BTCUSDT;", "-USDT$"),
    broken("instruments", "- ETH-USDT", "- ETH-USDC", "instruments[1]", "= ETH-USDC;", "-USDT$"),
    broken("instruments", "- BTC-USDT", "- 12", "instruments", "= 12;", "needs quotes"),
    broken("instruments", BTC_ETH, "instruments: BTC-USDT", "instruments", "a list of 1 to 100"),
    broken("instruments", BTC_ETH, "instruments: []", "instruments", "= [];", "1 to 100 entries"),
    broken("monitor", "chat_ids: []", "chat_ids: [7, me]", "telegram.chat_ids", "= me;", "a whole number"),
    broken("monitor", "chat_ids: []", "chat_ids: 5", "telegram.chat_ids", "= 5;", "a list"),
)
SHAPES = (
    broken(
        "risk",
        "max_spread_bps: 10",
        "max_spred_bps: 10",
        "liquidity.max_spred_bps",
        "did you mean max_spread",
    ),
    broken("account", "venue: okx-demo", "venue: okx-demo\nmargin: 1", "margin", "unknown key", below=1),
    broken(
        "risk", "rounds: 3", "rounds: 3\n  losing_rounds: 9", "circuit_breaker.losing_rounds", "once", below=1
    ),
    broken("strategy", "auto_trading: true", "auto_trading: true\n0.5: 1", "", "0.5 as a key", below=1),
    broken("strategy", "auto_trading: true", "auto_trading: true\non: 1", "", "on as a key", below=1),
    broken("strategy", "auto_trading: true", "auto_trading: true\n<<: {a: 1}", "", "<< as a key", below=1),
    broken("strategy", "auto_trading: true", "auto_trading: true\n? [a]\n: 1", "", "as a key", below=1),
    broken("risk", "  rebalance_above: 0.01", "", "drift", "section with the keys rebalance_above", below=-2),
    broken("monitor", DINGTALK, "dingtalk: on\n# Messages by", "dingtalk", "= on;", "keys enabled"),
    broken(
        "strategy",
        "  enabled: false\n" + MODULES,
        "  enabled: true\n" + MODULES,
        "auxiliary.enabled",
        "modules names none",
    ),
    broken("strategy", MODULES, "  modules: &a [*a]", "auxiliary.modules[0]", "alias", "written out"),
    broken("strategy", MODULES, "  modules: *gone", "", "undefined alias", "valid YAML"),
    broken("strategy", MODULES, "  modules: [", "", "valid YAML", below=5),
    broken("strategy", MODULES, "---\na: 1", "", "valid YAML"),
    broken("strategy", MODULES, "\tmodules: []", "", "valid YAML"),
    broken("strategy", MODULES, "  modules: []\nx: \x07", "", "printable text", below=1),
)
AUXILIARY = (
    broken("strategy", MODULES, "  modules: [Grid]", "auxiliary.modules[0]", "= Grid;", "text matching"),
    broken("strategy", MODULES, "  modules: [a, a]", "auxiliary.modules", "modules names one twice: a"),
    broken(
        "strategy",
        "parameters: []",
        "parameters: [grid.lines]",
        "auxiliary.parameters[0]",
        "= grid.lines;",
        "text matching",
    ),
    broken(
        "strategy",
        "parameters: []",
        "parameters: [grid.lines = 3]",
        "auxiliary.parameters",
        "grid.lines = 3 is for a module that is not in modules",
    ),
    broken("strategy", "exit_preset: own", "exit_preset: mine", "auxiliary.exit_preset", "one of own, dtrs"),
    broken("strategy", "leverage: 3", "leverage: 3.01", "auxiliary.limits.max_leverage", "at most 3"),
    broken("strategy", "risk_ratio: 0.02", "risk_ratio: 0.03", "auxiliary.limits.max_risk_ratio", "0.02"),
    broken("strategy", "per_day: 4", "per_day: 5", "auxiliary.limits.max_entries_per_day", "at most 4"),
    broken("strategy", "gap_s: 3600", "gap_s: 3599", "auxiliary.limits.min_entry_gap_s", "at least 3600"),
    broken(
        "strategy",
        "max_notional: 10000",
        "max_notional: 5",
        "auxiliary.limits.min_notional, auxiliary.limits.max_notional",
        "min_notional 10 is above max_notional 5",
        below=2,
    ),
)
CONTRADICTIONS = (
    broken(
        "account", "spot_ratio: 0.5", "spot_ratio: 0.7", "spot_ratio, futures_ratio", "at most 1, not 1.2"
    ),
    broken(
        "account",
        "auxiliary_ratio: 0",
        "auxiliary_ratio: 0.3",
        "core_ratio, auxiliary_ratio",
        "not 1.1",
        below=-2,
    ),
    broken(
        "account", "value: 50000", "value: 200000", "max_position_value, total_capital", "200000 is above"
    ),
    broken(
        "account",
        "futures_ratio: 0.5",
        "futures_ratio: 0.1",
        "futures_ratio, spot_ratio",
        "above 3x leverage",
    ),
    broken(
        "strategy",
        "min: 0.0001",
        "min: 0.02",
        "funding_rate_threshold.min, funding_rate_threshold.max",
        "0.02",
    ),
    broken(
        "risk",
        "emergency_below: 0.5",
        "emergency_below: 0.9",
        "margin.emergency_below, margin.rebalance_below",
    ),
    broken(
        "risk", "emergency_below: 0.5", "emergency_below: 0.3", "margin.emergency_below", "3x, a red line"
    ),
    broken("risk", "open_above: 0.8", "open_above: 0.7", "margin.open_above, margin.rebalance_below", "0.7"),
    broken("instruments", "- ETH-USDT", "- BTC-USDT", "instruments", "twice: BTC-USDT", below=-2),
    broken(
        "instruments",
        "exclude: []",
        "exclude: [BTC-USDT]",
        "instruments, universe.exclude",
        "both",
        below=-13,
    ),
    broken(
        "monitor", "enabled: false\n  # Num", "enabled: true\n  # Num", "telegram.enabled, telegram.chat_ids"
    ),
    broken(
        "monitor",
        "security: starttls\n  # Name to log in with; null does not log in.\n  user: null",
        "security: none\n  # Name to log in with; null does not log in.\n  user: me",
        "email.user, email.security",
        "in the clear",
        below=2,
    ),
    broken("monitor", "quiet_hours: null", "quiet_hours: 22-7", "quiet_hours", "matching"),
    broken("monitor", "daily_report_hour: 0", "daily_report_hour: 24", "daily_report_hour", "at most 23"),
)
SECRETS = (
    broken("account", "region: global", "region: global\napi_key: hunter2", "api_key", ".env", below=1),
    broken(
        "account",
        "region: global",
        "region: global\nOKX_PASSPHRASE: hunter2",
        "OKX_PASSPHRASE",
        ".env",
        below=1,
    ),
    broken("account", "rest_url: null", "rest_url: https://me:hunter2@a.example", "rest_url", ".env"),
    broken("monitor", "language: en", "language: en\nbot_token: hunter2", "bot_token", ".env", below=1),
    broken(
        "monitor",
        "language: en",
        "language: '12345678:hunter2_hunter2_hunter2_hunter2'",
        "language",
        ".env",
    ),
    broken(
        "monitor",
        "dingtalk:",
        "webhook: https://a.example/?access_token=hunter2\ndingtalk:",
        "webhook",
        ".env",
    ),
    broken(
        "account", "region: global", "region: global\nkeys: {secret: hunter2}", "keys", "unknown key", below=1
    ),
)
CORPUS = NUMBERS + BOUNDS + WORDS + LISTS + SHAPES + AUXILIARY + CONTRADICTIONS + SECRETS


@pytest.mark.fault("CF2")
@pytest.mark.parametrize("case", CORPUS, ids=lambda c: f"{c.file}: {c.new[-40:]!r}")
@pytest.mark.fault("CF1")
def test_a_broken_configuration_is_told_with_its_place_and_what_is_allowed(case: Broken, edit: Edit) -> None:
    before = (SHIPPED / case.file).read_text().partition(case.old)[0]
    text = complaint(edit(case.file, case.old, case.new))
    heading, _, told = text.partition("\n  ")
    assert heading.startswith("1 problem in configuration folder"), text
    assert told.startswith(f"{case.file} line {before.count(chr(10)) + 1 + case.below}: {case.key}"), text
    assert all(part in told for part in case.says), text
    assert "hunter2" not in text


def test_every_problem_is_told_at_once(folder: Path, edit: Edit) -> None:
    for case in (NUMBERS[0], BOUNDS[0], WORDS[-1], LISTS[0], SHAPES[0], SECRETS[0]):
        if case.file != "account.yaml" or case is BOUNDS[0]:
            edit(case.file, case.old, case.new)
    text = complaint(folder)
    assert text.startswith("5 problems")
    for file in ("account", "instruments", "monitor", "risk", "strategy"):
        assert f"{file}.yaml line" in text


@pytest.mark.fault("CF2")
def test_a_contradiction_across_files_names_both_places(edit: Edit) -> None:
    text = complaint(edit("risk.yaml", "max_spread_bps: 10", "max_spread_bps: 31"))
    assert "risk.yaml line 64: liquidity.max_spread_bps, opening.max_slippage_bps (strategy.yaml line" in text


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    assert "does not exist" in complaint(tmp_path / "none")


def test_an_unreadable_value_does_not_cause_a_second_complaint(edit: Edit) -> None:
    folder = edit("account.yaml", "max_position_value: 50000", "max_position_value: 150_000")
    edit("account.yaml", "total_capital: 100000", "total_capital: many")
    assert complaint(folder).startswith("1 problem ")
    edit("account.yaml", "total_capital: many", "total_capital: 120_000")
    assert "max_position_value, total_capital" in complaint(folder)
    edit("account.yaml", "total_capital: 120_000", "total_capital: 150_000")
    assert load(folder).account.max_position_value == Decimal(150_000)


@pytest.mark.parametrize(
    "content", [b"", b"# nothing\n", b"- a\n", b"42\n", b"\xff\xfe\x00", b"null\n", b"[" * 5000]
)
def test_a_file_without_keys_is_told(folder: Path, content: bytes) -> None:
    (folder / "risk.yaml").write_bytes(content)
    assert "risk.yaml line 1" in complaint(folder)


@pytest.mark.parametrize("name", ["riks.yaml", "risk.yml"])
def test_a_misspelt_file_is_told_instead_of_ignored(folder: Path, name: str) -> None:
    (folder / name).write_text("margin: {}\n")
    assert f"{name} line 1: unknown file" in complaint(folder)


def test_a_folder_in_place_of_a_file_is_told(folder: Path) -> None:
    (folder / "risk.yaml").unlink()
    (folder / "risk.yaml").mkdir()
    assert "risk.yaml line 1: unreadable" in complaint(folder)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    content=st.binary(max_size=200)
    | st.text(alphabet="ab:-[]{}&*!|>'\"#?%@ \n0.5e", max_size=80).map(str.encode)
)
def test_no_content_escapes_as_anything_but_a_usage_error(folder: Path, content: bytes) -> None:
    (folder / "monitor.yaml").write_bytes(content)
    try:
        assert load(folder) == Settings()  # only an empty mapping
    except UsageError as error:
        assert "monitor.yaml line" in str(error)


# --- fingerprint and description --------------------------------------------------------------


def test_the_fingerprint_is_of_values_not_of_their_writing(edit: Edit) -> None:
    same = load(edit("account.yaml", "core_ratio: 0.8", "core_ratio: 0.800"))
    assert fingerprint(same) == fingerprint(Settings())


@pytest.mark.fault("CF3")
def test_the_fingerprint_changes_with_every_value(edit: Edit) -> None:
    other = load(edit("account.yaml", "core_ratio: 0.8", "core_ratio: 0.8000000000000000000001"))
    assert fingerprint(other) != fingerprint(Settings())
    assert len(fingerprint(other)) == 64


def test_the_description_has_every_key_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OKX_PASSPHRASE", raising=False)
    monkeypatch.setenv("OKX_API_SECRET", "hunter2")
    text = describe(Settings(), Secrets())
    assert text["account.total_capital"] == "100000"
    assert text["instruments.instruments"] == "[BTC-USDT, ETH-USDT]"
    assert (text["OKX_API_SECRET"], text["OKX_PASSPHRASE"]) == ("set", "not set")
    assert "hunter2" not in str(text)
