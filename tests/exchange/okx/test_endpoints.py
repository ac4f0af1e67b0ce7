"""Which hosts a configured account reaches, and what printing a key shows."""

from __future__ import annotations

import pytest

from config.schema import Account
from exchange.okx.endpoints import Credentials, Endpoints


@pytest.mark.parametrize(
    ("account", "endpoints"),
    [
        (
            Account(venue="okx"),
            Endpoints("https://www.okx.com", "wss://ws.okx.com:8443/ws/v5", demo=False),
        ),
        (
            Account(venue="okx-demo"),
            Endpoints("https://www.okx.com", "wss://wspap.okx.com:8443/ws/v5", demo=True),
        ),
        (
            Account(venue="okx", region="eea"),
            Endpoints("https://eea.okx.com", "wss://wseea.okx.com:8443/ws/v5", demo=False),
        ),
        (
            Account(venue="okx-demo", region="us"),
            Endpoints("https://us.okx.com", "wss://wsuspap.okx.com:8443/ws/v5", demo=True),
        ),
        (
            Account(
                venue="okx-demo", rest_url="http://127.0.0.1:8080/", stream_url="ws://127.0.0.1:8080/ws/v5"
            ),
            Endpoints("http://127.0.0.1:8080", "ws://127.0.0.1:8080/ws/v5", demo=True),
        ),
    ],
)
def test_an_account_has_its_regions_hosts_unless_it_names_others(
    account: Account, endpoints: Endpoints
) -> None:
    assert Endpoints.of(account) == endpoints


def test_printing_a_key_shows_nothing() -> None:
    assert str(Credentials("k", "s", "p")) == "Credentials()"
