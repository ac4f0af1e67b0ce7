"""Secrets: where they come from, which place wins, and that no message shows one."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.schema import Settings
from config.secrets import Secrets, load_secrets
from core.errors import UsageError

NONE = Path("there-is-no-such-file")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Secrets.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"{name.upper()}_FILE", raising=False)


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def key_of(secrets: Secrets) -> str | None:
    return secrets.okx_api_key.get_secret_value() if secrets.okx_api_key else None


def test_nothing_given_is_none_everywhere() -> None:
    assert load_secrets(NONE).values() == ()


def test_a_named_file_wins_over_the_environment_and_that_over_dotenv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = private(tmp_path / ".env", "OKX_API_KEY=from-dotenv\n")
    assert key_of(load_secrets(env_file)) == "from-dotenv"
    monkeypatch.setenv("OKX_API_KEY", "from-environment")
    assert key_of(load_secrets(env_file)) == "from-environment"
    monkeypatch.setenv("OKX_API_KEY_FILE", str(private(tmp_path / "key", "from-file\n")))
    assert key_of(load_secrets(env_file)) == "from-file"


def test_dotenv_may_name_a_file(tmp_path: Path) -> None:
    key = private(tmp_path / "key", "from-file")
    env_file = private(tmp_path / ".env", f"OKX_API_KEY_FILE={key}\n")
    assert key_of(load_secrets(env_file)) == "from-file"


def test_an_empty_variable_is_not_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_KEY", "")
    assert load_secrets(NONE).okx_api_key is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o700, 0o644])
@pytest.mark.fault("SE2")
def test_a_file_others_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    env_file = private(tmp_path / ".env", "OKX_API_KEY=hunter2\n", mode)
    with pytest.raises(UsageError, match=f"mode {mode:04o}.*chmod 600") as caught:
        load_secrets(env_file)
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("OKX_API_KEY_FILE", str(env_file))
    with pytest.raises(UsageError, match="OKX_API_KEY_FILE"):
        load_secrets(NONE)


def test_a_file_only_its_owner_can_read_is_fine(tmp_path: Path) -> None:
    assert key_of(load_secrets(private(tmp_path / ".env", "OKX_API_KEY=k\n", 0o400))) == "k"


def test_a_missing_or_empty_named_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_KEY_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match=r"OKX_API_KEY_FILE names .*No such file"):
        load_secrets(NONE)
    monkeypatch.setenv("OKX_API_KEY_FILE", str(private(tmp_path / "empty", "\n")))
    with pytest.raises(UsageError, match="empty"):
        load_secrets(NONE)


@pytest.mark.parametrize("value", ["pässword", "line\nbreak", "tab\tbed"])
def test_a_secret_no_header_can_carry_is_told_without_its_value(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("OKX_PASSPHRASE", value)
    with pytest.raises(UsageError, match="OKX_PASSPHRASE holds a character") as caught:
        load_secrets(NONE)
    assert value not in str(caught.value)


def test_a_file_that_is_not_text_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = tmp_path / "key"
    binary.write_bytes(b"\xff\xfe")
    binary.chmod(0o600)
    with pytest.raises(UsageError, match="UTF-8"):
        load_secrets(binary)
    monkeypatch.setenv("OKX_API_KEY_FILE", str(binary))
    with pytest.raises(UsageError, match="UTF-8"):
        load_secrets(NONE)


@pytest.mark.fault("SE1")
def test_no_way_of_printing_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_SECRET", "hunter2")
    secrets = load_secrets(NONE)
    assert "hunter2" not in f"{secrets} {secrets!r} {secrets.model_dump()} {secrets.model_dump_json()}"
    assert secrets.values() == ("hunter2",)


def test_what_is_missing_depends_on_what_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_KEY", "k")
    secrets = load_secrets(NONE)
    plain = Settings()
    assert secrets.missing(plain, trading=False) == ()
    assert secrets.missing(plain, trading=True) == ("OKX_API_SECRET", "OKX_PASSPHRASE")
    monitor = {"telegram": {"enabled": True, "chat_ids": (7,)}, "dingtalk": {"enabled": True}}
    loud = Settings.model_validate({"monitor": monitor})
    assert secrets.missing(loud, trading=False) == ("TELEGRAM_BOT_TOKEN", "DINGTALK_WEBHOOK")
