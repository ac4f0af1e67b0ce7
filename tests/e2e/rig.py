"""Real processes around a test: the venue, the daemon, and questions asked of the venue itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from okx.Account import AccountAPI
from okx.Trade import TradeAPI

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


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process and leave it running."""
    return subprocess.Popen(
        [sys.executable, script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    )


@contextmanager
def venue(*arguments: str) -> Iterator[str]:
    """A simulated venue that outlives engines; its clock stands still while no engine is attached."""
    child = start(
        str(ROOT / "main.py"), "venue", "--port", "0", "--lockstep", "--until-stdin-closes", *arguments
    )
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
    """Ask the venue with the real client library."""
    keys = ("demo-key", "demo-secret", "demo-pass")
    account, trade = AccountAPI(*keys, flag="1", domain=url), TradeAPI(*keys, flag="1", domain=url)
    balance = account.get_account_balance()["data"][0]["details"]
    positions = account.get_positions()["data"]
    orders = [order for kind in ("SPOT", "SWAP") for order in trade.get_orders_history(instType=kind)["data"]]
    return Books(
        coins={row["ccy"]: Decimal(row["cashBal"]) for row in balance if row["ccy"] != "USDT"},
        contracts={row["instId"]: Decimal(row["pos"]) for row in positions},
        orders=orders,
    )
