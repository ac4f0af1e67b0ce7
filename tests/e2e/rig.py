"""Real processes around a test: the venue, the daemon, and questions asked of the venue itself."""

from __future__ import annotations

import base64
import hmac
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.standing import still_of
from tests.canaries import found_in

ROOT = Path(__file__).resolve().parents[2]
TAPE = ROOT.parent / "shared" / "data"
PATIENCE_S = 300

needs_tape = pytest.mark.skipif(
    not TAPE.is_dir(), reason=f"the tape folder {TAPE.name} is not beside the project"
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended. `summary` is the object on its last line of stdout."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        """No process of any test may show a planted secret."""
        assert not found_in((self.out + self.err).encode())

    @property
    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out.strip().splitlines()[-1])
        return found


def main(*arguments: str, timeout: float = PATIENCE_S) -> Ended:
    """Run one command of main.py to its end."""
    return run(str(ROOT / "main.py"), *arguments, timeout=timeout)


def run(script: str, *arguments: str, timeout: float = PATIENCE_S) -> Ended:
    done = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, cwd=ROOT, timeout=timeout
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def start(script: str, *arguments: str, talks: bool = False) -> subprocess.Popen[str]:
    """Start a process and leave it running; with `talks` its stdin and stdout are pipes."""
    pipe = subprocess.PIPE if talks else subprocess.DEVNULL
    return subprocess.Popen(
        [sys.executable, script, *arguments],
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


@contextmanager
def venue(*arguments: str) -> Iterator[str]:
    """A simulated venue that outlives engines; its clock stands still while no engine is attached."""
    command = ("venue", "--port", "0", "--lockstep", "--until-stdin-closes", *arguments)
    child = start(str(ROOT / "main.py"), *command, talks=True)
    assert child.stdout is not None and child.stdin is not None
    try:
        yield f"http://127.0.0.1:{json.loads(child.stdout.readline())['port']}"
    finally:
        child.stdin.close()
        child.wait(timeout=10)
        child.stdout.close()


@dataclass(frozen=True, slots=True)
class Books:
    """What the venue says the demo account holds."""

    coins: dict[str, Decimal]
    contracts: dict[str, Decimal]  # by swap, negative when short
    orders: list[dict[str, Any]]

    def naked(self, coin: str, ct_val: str) -> Decimal:
        """Coins not hedged: spot plus signed contracts."""
        return self.coins.get(coin, Decimal(0)) + self.contracts.get(
            f"{coin}-USDT-SWAP", Decimal(0)
        ) * Decimal(ct_val)


def books_of(url: str) -> Books:
    """Ask the venue, with requests signed for the venue's own time: its clock is not the wall's, and stands
    still meanwhile."""
    with still_of(url)(), httpx.Client(base_url=url, trust_env=False) as client:

        def get(path: str) -> list[dict[str, Any]]:
            at_ms = int(client.get("/sim/state").json()["now_ms"])  # no request of the account's budget
            stamp = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
            digest = hmac.digest(b"demo-secret", f"{stamp}GET{path}".encode(), "sha256")
            answer = client.get(
                path,
                headers={
                    "OK-ACCESS-KEY": "demo-key",
                    "OK-ACCESS-PASSPHRASE": "demo-pass",
                    "OK-ACCESS-TIMESTAMP": stamp,
                    "OK-ACCESS-SIGN": base64.b64encode(digest).decode(),
                },
            ).json()
            assert answer["code"] == "0", answer
            rows: list[dict[str, Any]] = answer["data"]
            return rows

        balance = get("/api/v5/account/balance")[0]["details"]
        positions = get("/api/v5/account/positions")
        orders = [
            o for kind in ("SPOT", "SWAP") for o in get(f"/api/v5/trade/orders-history?instType={kind}")
        ]
    return Books(
        coins={row["ccy"]: Decimal(row["cashBal"]) for row in balance if row["ccy"] != "USDT"},
        contracts={row["instId"]: Decimal(row["pos"]) for row in positions},
        orders=orders,
    )
