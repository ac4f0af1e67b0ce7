"""Where a mode's venue is, and the key to it."""

from __future__ import annotations

from typing import Final

from pydantic import SecretStr

from config.schema import Settings
from config.secrets import Secrets
from exchange.okx.endpoints import Credentials, Endpoints
from scripts.options import Mode, RunOptions

DEMO_CREDENTIALS: Final = Credentials("demo-key", "demo-secret", "demo-pass")
DEMO_SLEEVE: Final = Credentials("sleeve-key", "sleeve-secret", "sleeve-pass")


def door_of(
    options: RunOptions, settings: Settings, secrets: Secrets, base_url: str | None
) -> tuple[Endpoints, Credentials | None]:
    """Where the venue is, and the key to it; None where there is none, and for a dry run in any case."""
    if base_url is not None:
        return Endpoints(base_url, base_url.replace("http", "ws", 1) + "/ws/v5", False), DEMO_CREDENTIALS
    return Endpoints.of(settings.account), None if options.mode is Mode.DRY_RUN else _credentials(secrets)


def sleeve_key_of(secrets: Secrets, base_url: str | None) -> Credentials | None:
    """The key to the sleeve's own account; None where there is none."""
    if base_url is not None:
        return DEMO_SLEEVE
    return _made_of(secrets.okx_sleeve_api_key, secrets.okx_sleeve_api_secret, secrets.okx_sleeve_passphrase)


def _credentials(secrets: Secrets) -> Credentials | None:
    return _made_of(secrets.okx_api_key, secrets.okx_api_secret, secrets.okx_passphrase)


def _made_of(
    key: SecretStr | None, secret: SecretStr | None, passphrase: SecretStr | None
) -> Credentials | None:
    if key is None or secret is None or passphrase is None:
        return None
    return Credentials(key.get_secret_value(), secret.get_secret_value(), passphrase.get_secret_value())
