"""Secrets: from a file named by `<NAME>_FILE`, from the environment, or from `.env`. Never from YAML.

The first place that has one wins, in this order. The value of a secret appears in no message: errors
name the variable and the place.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.schema import Settings
from core.errors import UsageError

ENV_FILE: Final = Path(".env")
_OKX: Final = ("okx_api_key", "okx_api_secret", "okx_passphrase")
_OKX_SLEEVE: Final = ("okx_sleeve_api_key", "okx_sleeve_api_secret", "okx_sleeve_passphrase")


class Secrets(BaseSettings):
    """What the engine signs with. None means not given; `str()` and `repr()` show stars."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    okx_api_key: SecretStr | None = None
    okx_api_secret: SecretStr | None = None
    okx_passphrase: SecretStr | None = None
    okx_sleeve_api_key: SecretStr | None = None
    okx_sleeve_api_secret: SecretStr | None = None
    okx_sleeve_passphrase: SecretStr | None = None
    telegram_bot_token: SecretStr | None = None
    dingtalk_webhook: SecretStr | None = None
    dingtalk_secret: SecretStr | None = None
    smtp_password: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    web_token: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        named: dict[str, str | None] = {}
        for source in (dotenv_settings, env_settings):
            assert isinstance(source, EnvSettingsSource)
            named.update(source.env_vars)
        return init_settings, _FilesNamedByVariables(settings_cls, named), env_settings, dotenv_settings

    def presence(self) -> dict[str, str]:
        """Return every variable's name with `set` or `not set`."""
        names = type(self).model_fields
        return {name.upper(): "set" if getattr(self, name) else "not set" for name in names}

    def missing(self, settings: Settings, *, trading: bool) -> tuple[str, ...]:
        """Return the variables this configuration needs and does not have.

        trading  whether a real account is spoken to, so that the OKX variables are needed.
        """
        needed = list(_OKX) if trading else []
        needed += _OKX_SLEEVE if trading and settings.strategy.auxiliary.enabled else ()
        monitor = settings.monitor
        needed += ["telegram_bot_token"] if monitor.telegram.enabled else []
        needed += ["dingtalk_webhook"] if monitor.dingtalk.enabled else []
        needed += ["smtp_password"] if monitor.email.enabled and monitor.email.user is not None else []
        needed += ["webhook_secret"] if monitor.receiver.enabled else []
        return tuple(name.upper() for name in needed if getattr(self, name) is None)

    def values(self) -> tuple[str, ...]:
        """Return the secrets in clear, for whoever must keep them out of logs and messages."""
        found = (getattr(self, name) for name in type(self).model_fields)
        return tuple(secret.get_secret_value() for secret in found if secret)


def load_secrets(env_file: Path = ENV_FILE) -> Secrets:
    """Collect the secrets. `env_file` need not exist.

    Raises UsageError when a file that holds secrets can be read by others than its owner (mode wider
    than 0600), when a named file is missing or empty, or when a secret cannot be sent in a header.
    """
    if env_file.exists():
        _refuse_wide(env_file, str(env_file))
    try:
        secrets = Secrets(_env_file=env_file)  # type: ignore[call-arg]  # an option, not a field
    except UnicodeDecodeError as error:
        raise UsageError(f"{env_file} is not UTF-8 text") from error
    for name in Secrets.model_fields:
        secret: SecretStr | None = getattr(secrets, name)
        if secret and not all(" " <= char <= "~" for char in secret.get_secret_value()):
            raise UsageError(
                f"{name.upper()} holds a character outside printable ASCII, which no request header can "
                "carry: copy it again without line breaks, or choose another passphrase"
            )
    return secrets


class _FilesNamedByVariables(PydanticBaseSettingsSource):
    """Reads `OKX_API_KEY_FILE=<path>` and its kind: how containers and systemd hand over secrets."""

    def __init__(self, settings_cls: type[BaseSettings], named: dict[str, str | None]) -> None:
        super().__init__(settings_cls)
        self._named = named

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        path = self._named.get(f"{field_name}_file")
        return (_read_secret(f"{field_name.upper()}_FILE", Path(path)) if path else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        values = {
            name: self.get_field_value(f, name)[0] for name, f in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in values.items() if value is not None}


def _read_secret(variable: str, path: Path) -> str:
    try:
        _refuse_wide(path, f"{variable} ({path})")
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise UsageError(f"{variable} names {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{variable} names {path}, which is not UTF-8 text") from error
    if not text:
        raise UsageError(f"{variable} names {path}, which is empty")
    return text


def _refuse_wide(path: Path, name: str) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & ~0o600:
        raise UsageError(f"{name} has mode {mode:04o}; allowed: 0600 or narrower. Run: chmod 600 {path}")
