import json
from typing import Any

import pytest

from exchange.sim.surface.control.api import ControlApi
from tests.exchange.sim.surface.stub_venue import START_MS, D, Edited, StubVenue


class Control:
    def __init__(self) -> None:
        self.venue, self.edited = StubVenue(), Edited()
        self.retired: list[int] = []
        self.noted: list[tuple[str, dict[str, object]]] = []
        self.api = ControlApi(
            self.venue,
            lambda: {"driver": "lock-step"},
            self.edited,
            self._retire,
            lambda kind, details: self.noted.append((kind, details)),
            lambda: {"lines": 0},
            {},
        )

    def _retire(self, after_ms: int) -> int:
        self.retired.append(after_ms)
        return 3

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, answer = self.api.handle(method, path, "", raw)
        return status, json.loads(answer)


def test_the_state_is_told_with_a_digest() -> None:
    control = Control()
    status, state = control.ask("GET", "/sim/state")
    assert (status, state["now_ms"]) == (200, START_MS)
    control.venue.demo.trading["USDT"] += 1
    assert control.ask("GET", "/sim/state")[1]["hash"] != state["hash"]


def test_the_clock_is_described_by_the_server() -> None:
    assert Control().ask("GET", "/sim/clock") == (200, {"driver": "lock-step"})


def test_accounts_are_listed_without_their_secrets() -> None:
    status, accounts = Control().ask("GET", "/sim/accounts")
    assert status == 200
    assert accounts[0]["name"] == "demo" and accounts[0]["cash"]["USDT"] == "100000"
    assert "demo-secret" not in json.dumps(accounts) and "demo-pass" not in json.dumps(accounts)


def test_an_account_needs_only_a_name() -> None:
    control = Control()
    status, account = control.ask("POST", "/sim/accounts", {"name": "two"})
    assert (status, account["key"], account["cash"]) == (200, "two-key", {"USDT": "100000"})
    made = control.venue.accounts["two"]
    assert (made.secret, made.passphrase, made.level) == ("two-secret", "two-pass", "2")


def test_an_account_may_be_a_sub_account_of_a_main_one_but_not_of_another_sub_account() -> None:
    control = Control()
    _, account = control.ask("POST", "/sim/accounts", {"name": "sub", "main": "demo"})
    assert account["main_uid"] == control.venue.demo.uid == control.venue.accounts["sub"].family
    status, answer = control.ask("POST", "/sim/accounts", {"name": "subsub", "main": "sub"})
    assert (status, answer["error"]["field"], answer["error"]["allowed"]) == (400, "main", "demo")


def test_an_account_may_choose_everything() -> None:
    control = Control()
    body = {
        "name": "three", "key": "k", "secret": "s", "passphrase": "p", "level": "3",
        "cash": {"USDT": "5.5", "BTC": "1"},
    }  # fmt: skip
    assert control.ask("POST", "/sim/accounts", body)[0] == 200
    made = control.venue.accounts["three"]
    assert (made.key, made.level, made.trading) == ("k", "3", {"USDT": D("5.5"), "BTC": D(1)})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": "demo"}, "name"),
        ({"name": "x", "key": "demo-key"}, "key"),
        ({"name": "x", "level": "4"}, "level"),
        ({"name": "x", "level": ["2"]}, "level"),
        ({"name": "x", "cash": [1]}, "cash"),
        ({"name": "x", "cash": {"USDT": "-1"}}, "cash.USDT"),
        ({"name": "x", "cash": {"USDT": 5}}, "cash.USDT"),
        ({"name": "x", "cash": {"USDT": "many"}}, "cash.USDT"),
        ({"name": "x", "cash": {"USDT": "NaN"}}, "cash.USDT"),
        ({"name": "x", "colour": "red"}, "colour"),
        ({"name": "x", "main": "nobody"}, "main"),
        (b"{", "body"),
        (b"\xff", "body"),
        ([], "body"),
    ],
)
def test_a_senseless_account_is_refused_naming_field_and_what_is_allowed(body: object, field: str) -> None:
    control = Control()
    status, answer = control.ask("POST", "/sim/accounts", body)
    assert (status, answer["error"]["field"]) == (400, field)
    assert answer["error"]["allowed"]
    assert list(control.venue.accounts) == ["demo"]


def test_an_account_is_edited() -> None:
    control = Control()
    body = {"cash": {"USDT": "5"}, "position": {"BTC-USDT-SWAP": "-3"}, "adl": {"BTC-USDT-SWAP": "0.5"}}
    assert control.ask("POST", "/sim/account/demo", body)[0] == 200
    assert control.edited.calls == [
        ("cash", "demo", "USDT", D(5)),
        ("position", "demo", "BTC-USDT-SWAP", D(-3)),
        ("adl", "demo", "BTC-USDT-SWAP", D("0.5")),
    ]


def test_an_instrument_is_edited() -> None:
    control = Control()
    body = {"state": "suspend", "expires_ms": START_MS + 1, "funding_interval_h": 4}
    assert control.ask("POST", "/sim/instrument/BTC-USDT-SWAP", body)[0] == 200
    assert control.ask("POST", "/sim/instrument/BTC-USDT-SWAP", {"expires_ms": None})[0] == 200
    assert control.edited.calls == [
        ("state", "BTC-USDT-SWAP", "suspend"),
        ("expiry", "BTC-USDT-SWAP", START_MS + 1),
        ("interval", "BTC-USDT-SWAP", 4),
        ("expiry", "BTC-USDT-SWAP", None),
    ]


def test_an_edit_that_makes_no_sense_is_told() -> None:
    control = Control()
    control.edited.refuse = "state is gone, allowed: live"
    status, answer = control.ask("POST", "/sim/instrument/BTC-USDT-SWAP", {"state": "gone"})
    assert (status, answer["error"]["allowed"]) == (400, "state is gone, allowed: live")
    status, answer = control.ask("POST", "/sim/account/demo", {"cash": {"USDT": "1"}})
    assert (status, answer["error"]["field"]) == (400, "cash.USDT")
    assert control.ask("POST", "/sim/account/demo", {"fame": {}})[0] == 400
    assert control.ask("POST", "/sim/instrument/X", {"funding_interval_h": "4"})[0] == 400


def test_an_unknown_place_is_404_and_told_what_there_is() -> None:
    for method, path in (
        ("GET", "/sim/nothing"),
        ("POST", "/sim/state"),
        ("POST", "/sim/account/nobody"),
        ("GET", "/sim/account/demo"),
    ):
        status, answer = Control().ask(method, path, {})
        assert status == 404 and "GET /sim/state" in answer["error"]["allowed"]


def test_streams_are_ended_after_a_notice() -> None:
    control = Control()
    assert control.ask("POST", "/sim/streams", {}) == (200, {"told": 3})
    assert control.ask("POST", "/sim/streams", {"notice_s": 5}) == (200, {"told": 3})
    assert control.retired == [60_000, 5_000]
    for senseless in (-1, "5", True, 3601):
        status, answer = control.ask("POST", "/sim/streams", {"notice_s": senseless})
        assert (status, answer["error"]["field"]) == (400, "notice_s")


def test_settings_of_an_account_are_words_when_it_is_made_and_later() -> None:
    control = Control()
    made = {"name": "two", "permissions": "read_only", "ip": "10.0.0.1", "auto_loan": "true"}
    assert control.ask("POST", "/sim/accounts", made)[0] == 200
    edited = {"fee_level": "VIP1", "liquidate": "BTC-USDT-SWAP"}
    assert control.ask("POST", "/sim/account/demo", edited)[0] == 200
    assert control.edited.calls == [
        ("permissions", "two", "read_only"),
        ("ip", "two", "10.0.0.1"),
        ("auto_loan", "two", "true"),
        ("fee_level", "demo", "VIP1"),
        ("liquidate", "demo", "BTC-USDT-SWAP"),
    ]
    status, answer = control.ask("POST", "/sim/account/demo", {"level": 3})
    assert (status, answer["error"]["field"], answer["error"]["allowed"]) == (400, "level", "a text")
    control.edited.refuse = "fee_level is X, allowed: Lv1"
    status, answer = control.ask("POST", "/sim/account/demo", {"fee_level": "X"})
    assert (status, answer["error"]["field"], answer["error"]["value"]) == (400, "fee_level", "X")
