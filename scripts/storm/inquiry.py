"""What a simulated venue says of the demo account, and whether an engine's books say the same.

Asked from outside, over the venue's own REST interface: nothing of the engine's client or books is between.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx

from core.facts import Kind
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from scripts.door import DEMO_CREDENTIALS
from scripts.questions import read_books
from scripts.standing import still_of

ZERO: Final = Decimal(0)
MOST_ORDERS: Final = 100  # in one answer of the venue
SWAP: Final = "-SWAP"


@dataclass(frozen=True, slots=True)
class Books:
    """What the venue says the demo account holds; `orders` are those it still shows (7 days)."""

    coins: dict[str, Decimal]
    contracts: dict[str, Decimal]  # by swap, negative when short
    orders: list[dict[str, Any]]
    ct_val: dict[str, Decimal]  # coins per contract, by swap
    lots: dict[str, Decimal]  # one smallest step of the swap in coins, by swap

    def naked(self, coin: str) -> Decimal:
        """Coins not hedged: spot plus signed contracts."""
        swap = f"{coin}-USDT{SWAP}"
        return self.coins.get(coin, ZERO) + self.contracts.get(swap, ZERO) * self.ct_val[swap]

    def lot(self, coin: str) -> Decimal:
        return self.lots[f"{coin}-USDT{SWAP}"]


def books_of(url: str) -> Books:
    """Ask the venue, with requests signed for the venue's own time: its clock is not the wall's, and stands
    still meanwhile. Raises VenueDown when there is none, AssertionError for a refusal."""
    with still_of(url)(), httpx.Client(base_url=url, trust_env=False, timeout=30.0) as client:
        asker = _Asker(client)
        balance = asker.get("/api/v5/account/balance")[0]["details"]
        positions = asker.get("/api/v5/account/positions")
        swaps = asker.get("/api/v5/public/instruments?instType=SWAP")
        orders = [order for kind in ("SPOT", "SWAP") for order in asker.history(kind)]
    ct_val = {row["instId"]: Decimal(row["ctVal"]) for row in swaps}
    return Books(
        coins={row["ccy"]: Decimal(row["cashBal"]) for row in balance if row["ccy"] != "USDT"},
        contracts={row["instId"]: Decimal(row["pos"]) for row in positions},
        orders=orders,
        ct_val=ct_val,
        lots={row["instId"]: Decimal(row["lotSz"]) * ct_val[row["instId"]] for row in swaps},
    )


@dataclass(frozen=True, slots=True)
class _Asker:
    client: httpx.Client

    def get(self, path: str) -> list[dict[str, Any]]:
        at_ms = int(self.client.get("/sim/state").json()["now_ms"])  # no request of the account's budget
        stamp = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
        digest = hmac.digest(DEMO_CREDENTIALS.secret.encode(), f"{stamp}GET{path}".encode(), "sha256")
        headers = {
            "OK-ACCESS-KEY": DEMO_CREDENTIALS.key,
            "OK-ACCESS-PASSPHRASE": DEMO_CREDENTIALS.passphrase,
            "OK-ACCESS-TIMESTAMP": stamp,
            "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
        }
        answer = self.client.get(path, headers=headers).json()
        assert answer["code"] == "0", answer
        rows: list[dict[str, Any]] = answer["data"]
        return rows

    def history(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every order the venue still shows, youngest first."""
        path = f"/api/v5/trade/orders-history?instType={kind}&limit={MOST_ORDERS}"
        page = self.get(path)
        while page:
            yield from page
            page = self.get(f"{path}&after={page[-1]['ordId']}") if len(page) == MOST_ORDERS else []


def sent_twice(log: Path) -> list[str]:
    """Client ids that the venue, by its own event log, was asked to place more than once."""
    ids: Counter[str] = Counter()
    with log.open("rb") as lines:
        for line in lines:
            if b'"name":"place"' in line:
                ids[json.loads(line)["args"][1]["cl_id"]] += 1
    return sorted(cl_id for cl_id, times in ids.items() if cl_id and times > 1)


def findings(url: str, folder: Path, coins: tuple[str, ...]) -> list[str]:
    """What is wrong between venue and books, in words; empty when all is well.

    Every client id once, legs equal to a lot, the same coins and contracts in both, no order without an
    outcome, an intact journal whose intents are unique and cover what the venue was sent.
    """
    held, books = books_of(url), read_books(folder)
    found: list[str] = []
    ids = Counter(order["clOrdId"] for order in held.orders if order["clOrdId"])  # none: forced on us
    found += [f"{cl_id} stands {times} times at the venue" for cl_id, times in ids.items() if times > 1]
    for coin in coins:
        hedge = books.hedge(f"{coin}-USDT")
        spot, short = (hedge.spot_base, hedge.contracts) if hedge else (ZERO, ZERO)
        spot += books.dust.get(coin, ZERO)
        at_venue = held.coins.get(coin, ZERO), -held.contracts.get(f"{coin}-USDT{SWAP}", ZERO)
        if abs(held.naked(coin)) >= held.lot(coin):
            found.append(f"{coin}: {held.naked(coin):f} coins are naked")
        if (spot, short) != at_venue:
            theirs = f"{at_venue[0]:f} and {at_venue[1]:f}"
            found.append(f"{coin}: the books have {spot:f} and {short:f}, the venue {theirs}")
    found += [f"{cl_id} has no outcome" for cl_id in books.unresolved_orders()]
    return found + _in_journal(folder, set(ids))


def _in_journal(folder: Path, at_venue: set[str]) -> list[str]:
    found: list[str] = []
    open_hedges: dict[str, str] = {}
    with JournalReader(folder / FILE_NAME) as reader:
        verified = reader.verify()
        if not verified.ok:
            return [f"the journal does not verify: {verified.message}"]
        sent: Counter[str] = Counter()
        for row in reader.rows(Kind.INTENT, Kind.HEDGE):
            if row.kind is Kind.INTENT:
                sent[row.body["order"]["cl_id"]] += 1
                continue
            name, hedge_id = row.body["instrument"], row.body["hedge_id"]
            if row.body["event"] == "closed":
                open_hedges.pop(name, None)
            elif open_hedges.setdefault(name, hedge_id) != hedge_id:
                found.append(f"{name}: {hedge_id} was opened beside {open_hedges[name]}")
    found += [f"{cl_id} was meant {times} times" for cl_id, times in sent.items() if times > 1]
    return found + [f"{cl_id} is at the venue, not in the journal" for cl_id in sorted(at_venue - set(sent))]
