"""The control interface `/sim/...`: what a real venue does not offer, kept outside of /api/v5.

    GET  /sim/state               now, a digest of the world and one of its history
    GET  /sim/clock               who moves the time
    GET  /sim/accounts            POST makes one: name, and optionally key, secret, passphrase, cash,
                                  level, main
    POST /sim/account/NAME        edits: cash, position, adl, liquidate, permissions, ip, fee_level, level,
                                  auto_loan; the last five may be said when an account is made, too
    POST /sim/instrument/INST_ID  edits: state, expires_ms, funding_interval_h
    POST /sim/streams             notice_s: announce an upgrade (64008), end every stream so much later

Faults, event log and snapshots: lab_api.py. Errors are 400 with {"error": {"field", "value", "allowed"}}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec

from exchange.sim.model import AccountState, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.rendering.text import num

_NAME = re.compile(r"[A-Za-z0-9-]{1,32}")
_LEVELS = ("2", "3")
_SETTINGS = ("permissions", "ip", "fee_level", "level", "auto_loan")
_NEW_ACCOUNT = ("name", "key", "secret", "passphrase", "cash", "main", *_SETTINGS)


class NotAllowed(Exception):
    """A control request's field has a value it must not have."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name} {value!r}: {allowed} is allowed")
        self.body = {"error": {"field": name, "value": value, "allowed": allowed}}


class Edits(Protocol):
    """Changes by hand, offered by the economics. Each raises ValueError for what makes no sense."""

    def set_cash(self, account: AccountState, ccy: str, amount: Decimal) -> None: ...

    def set_position(self, account: AccountState, inst_id: str, contracts: Decimal) -> None: ...

    def force_adl(self, account: AccountState, inst_id: str, fraction: Decimal) -> None: ...

    def liquidate(self, account: AccountState, inst_id: str) -> None: ...

    def set_permissions(self, account: AccountState, permissions: str) -> None: ...

    def set_ip(self, account: AccountState, ip: str) -> None: ...

    def set_fee_level(self, account: AccountState, level: str) -> None: ...

    def set_level(self, account: AccountState, level: str) -> None: ...

    def set_auto_loan(self, account: AccountState, text: str) -> None: ...

    def set_state(self, inst_id: str, state: str) -> None: ...

    def set_expiry(self, inst_id: str, at_ms: int | None) -> None: ...

    def set_funding_interval(self, inst_id: str, hours: int) -> None: ...


class NotThere(Exception):
    """The path names nothing that exists."""


Act = Callable[[str, dict[str, Any]], object]  # (NAME of the path or "", body or query) -> answer
Routes = dict[tuple[str, str], Act]
PLACEHOLDERS = ("NAME", "INST_ID", "ID")


class ControlApi:
    """`clock` describes who moves the time; `retire` ends all streams, so many ms after a notice; `note`
    records what was changed by hand; `log` is told with the state; `more` are further routes.
    """

    def __init__(
        self,
        venue: Venue,
        clock: Callable[[], dict[str, object]],
        edits: Edits,
        retire: Callable[[int], int],
        note: Callable[[str, dict[str, object]], None],
        log: Callable[[], dict[str, object]],
        more: Routes,
    ) -> None:
        self._venue = venue
        self._edits = edits
        self._retire = retire
        self._note = note
        self._log = log
        self._routes: Routes = {
            ("GET", "/sim/state"): self._state,
            ("GET", "/sim/clock"): lambda _, __: clock(),
            ("GET", "/sim/accounts"): lambda _, __: [_account(one) for one in venue.accounts.values()],
            ("POST", "/sim/accounts"): self._create,
            ("POST", "/sim/account/NAME"): lambda name, body: self.edit("account", name, body),
            ("POST", "/sim/instrument/INST_ID"): lambda name, body: self.edit("instrument", name, body),
            ("POST", "/sim/streams"): self._retire_streams,
            **more,
        }

    def handle(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        try:
            act, name = self._find(method, path)
            given = _object(body) if method == "POST" else dict(parse_qsl(query, keep_blank_values=True))
            return 200, msgspec.json.encode(act(name, given), enc_hook=str)
        except NotThere:
            known = [f"{verb} {route}" for verb, route in self._routes]
            missing = {"error": {"field": "path", "value": f"{method} {path}", "allowed": known}}
            return 404, msgspec.json.encode(missing)
        except NotAllowed as no:
            return 400, msgspec.json.encode(no.body, enc_hook=str)
        except Reject as no:
            return 400, msgspec.json.encode({"error": {"field": "", "value": no.code, "allowed": no.msg}})

    def _find(self, method: str, path: str) -> tuple[Act, str]:
        """The route of a path and the name in it. Raises NotThere."""
        if (act := self._routes.get((method, path))) is not None:
            return act, ""
        parent, _, name = path.rpartition("/")
        for placeholder in PLACEHOLDERS:
            if (act := self._routes.get((method, f"{parent}/{placeholder}"))) is not None:
                return act, name
        raise NotThere

    def edit(self, what: str, name: str, body: dict[str, Any]) -> object:
        """Change an account or an instrument by hand. Raises NotAllowed; NotThere for an unknown account."""
        if what == "instrument":
            answer = self._edit_instrument(name, body)
        else:
            account = self._venue.accounts.get(name)
            if account is None:
                raise NotThere
            answer = self._edit_account(account, body)
        self._note("edit", {"what": what, "name": name, "set": body})
        return answer

    def _edit_account(self, account: AccountState, body: dict[str, Any]) -> object:
        """Settings are words. Other fields map names to numbers as text: coins to cash, swaps to contracts
        or shares; `liquidate` names a swap."""
        edits = {
            "cash": self._edits.set_cash,
            "position": self._edits.set_position,
            "adl": self._edits.force_adl,
        }
        _only(body, (*edits, *_SETTINGS, "liquidate"))
        self._set(account, body)
        for field, edit in edits.items():
            for name, value in _numbers(field, body.get(field, {})).items():
                try:
                    edit(account, name, value)
                except ValueError as no:
                    raise NotAllowed(f"{field}.{name}", num(value), str(no)) from None
        return _account(account)

    def _set(self, account: AccountState, body: dict[str, Any]) -> None:
        """Settings of an account, each a word, and `liquidate`."""
        words = {
            "permissions": self._edits.set_permissions,
            "ip": self._edits.set_ip,
            "fee_level": self._edits.set_fee_level,
            "level": self._edits.set_level,
            "auto_loan": self._edits.set_auto_loan,
            "liquidate": self._edits.liquidate,
        }
        for field, change in words.items():
            if (word := body.get(field)) is not None:
                if not isinstance(word, str):
                    raise NotAllowed(field, word, "a text")
                try:
                    change(account, word)
                except ValueError as no:
                    raise NotAllowed(field, word, str(no)) from None

    def _edit_instrument(self, inst_id: str, body: dict[str, Any]) -> object:
        _only(body, ("state", "expires_ms", "funding_interval_h"))
        expires_ms, hours = body.get("expires_ms"), body.get("funding_interval_h")
        for field, value in (("expires_ms", expires_ms), ("funding_interval_h", hours)):
            if not isinstance(value, int | None):
                raise NotAllowed(field, value, "a whole number")
        try:
            if "state" in body:
                self._edits.set_state(inst_id, str(body["state"]))
            if "expires_ms" in body:
                self._edits.set_expiry(inst_id, expires_ms)
            if hours is not None:
                self._edits.set_funding_interval(inst_id, hours)
        except ValueError as no:
            raise NotAllowed(inst_id, body, str(no)) from None
        return {"inst_id": inst_id, **body}

    def _retire_streams(self, _: str, body: dict[str, Any]) -> object:
        _only(body, ("notice_s",))
        notice_s = body.get("notice_s", 60)
        if not isinstance(notice_s, int) or isinstance(notice_s, bool) or not 0 <= notice_s <= 3600:
            raise NotAllowed("notice_s", notice_s, "a whole number from 0 to 3600")
        return {"told": self._retire(notice_s * 1000)}

    def _state(self, _: str, __: dict[str, Any]) -> object:
        """Equal worlds have equal hashes: for comparing two runs, or a run and its repetition."""
        return {"now_ms": self._venue.now_ms, "hash": self._venue.snapshot_hash(), "log": self._log()}

    def _create(self, _: str, body: dict[str, Any]) -> object:
        """Only `name` is required; the credentials default to <name>-key, -secret and -pass."""
        _only(body, _NEW_ACCOUNT)
        name = _text(body, "name", None)
        if name in self._venue.accounts:
            raise NotAllowed("name", name, "a name that is not taken")
        key = _text(body, "key", f"{name}-key")
        if self._venue.account_by_key(key) is not None:
            raise NotAllowed("key", key, "a key that is not taken")
        level = body.get("level", "2")
        if level not in _LEVELS:
            raise NotAllowed("level", level, "2 (futures) or 3 (multi-currency)")
        main = self._main(body)
        account = self._venue.create_account(
            name,
            key,
            _text(body, "secret", f"{name}-secret"),
            _text(body, "passphrase", f"{name}-pass"),
            _cash(body.get("cash", {"USDT": "100000"})),
            level,
        )
        account.master = main.uid if main else ""
        self._set(account, body)
        self._note("new_account", _account(account))
        return _account(account)

    def _main(self, body: dict[str, Any]) -> AccountState | None:
        """The account a new one is a sub-account of; accounts of one main account do not trade together."""
        if "main" not in body:
            return None
        name = _text(body, "main", None)
        main = self._venue.accounts.get(name)
        if main is None or main.master:
            mains = [one.name for one in self._venue.accounts.values() if not one.master]
            raise NotAllowed("main", name, ", ".join(mains))
        return main


def _account(account: AccountState) -> dict[str, object]:
    """Without its secrets."""
    return {
        "name": account.name,
        "uid": account.uid,
        "key": account.key,
        "main_uid": account.family,
        "level": account.level,
        "fee_level": account.fee_level,
        "auto_loan": account.auto_loan,
        "permissions": account.permissions,
        "ip": account.ip,
        "cash": {ccy: num(amount) for ccy, amount in account.trading.items()},
        "funding": {ccy: num(amount) for ccy, amount in account.funding.items()},
    }


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotAllowed("body", body[:200].decode("utf-8", "replace"), "a JSON object") from None


def _text(body: dict[str, Any], name: str, default: str | None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise NotAllowed(name, value, "1 to 32 letters, digits and hyphens")
    return value


def _only(body: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in body:
        if name not in names:
            raise NotAllowed(name, body[name], f"only {', '.join(names)}")


def _cash(raw: object) -> dict[str, Decimal]:
    cash = _numbers("cash", raw)
    for ccy, amount in cash.items():
        if amount < 0:
            raise NotAllowed(f"cash.{ccy}", num(amount), "a number at or above 0")
    return cash


def _numbers(field: str, raw: object) -> dict[str, Decimal]:
    if not isinstance(raw, dict):
        raise NotAllowed(field, raw, "an object of names and numbers as text")
    numbers = {}
    for name, text in raw.items():
        try:
            number = Decimal(text) if isinstance(text, str) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise NotAllowed(f"{field}.{name}", text, "a number as text")
        numbers[str(name)] = number
    return numbers
