"""How many orders per second the simulated venue takes and matches, in process, on one core.

`python -m benchmarks.matching [--orders N] [--json]`

Everything a client's order goes through is in it: all checks, margin, matching, booking with bills, and
the events for the streams, which are thrown away as the streams would take them. Two dozen accounts trade
one instrument around a market that stands still. Of a hundred commands 39 are limit orders from two ticks
past the middle to forty behind it, so that some cross and most rest; 10 take at once (ioc), 8 are post only
and 43 cancel, so that the book keeps its size. A command is one order or one cancel; seconds are those of
the processor, so that what else runs on the machine does not count. The garbage collector is set as
`main.py venue` sets it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from time import process_time

from benchmarks.figures import Figure, report
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import GeneratedMarket
from exchange.sim.model import AccountState, Order, Reject
from exchange.sim.seam import OrderParams
from scripts.collector import expect_to_keep

COMMANDS = 200_000
TARGET_PER_S = 50_000
ACCOUNTS = 24
PAST_TICKS, BEHIND_TICKS = 2, 40
EVENTS_KEPT = 4_000  # the streams take them about that often
_MASK = (1 << 64) - 1


class Crowd:
    """Traders who draw what they do next from one seeded sequence."""

    def __init__(self, inst_id: str, seed: int = 7) -> None:
        self.venue = Exchange(GeneratedMarket(seed, ("BTC",)), seed)
        self.accounts = [self._open(n) for n in range(ACCOUNTS)]
        self.refused = 0
        self._inst_id = inst_id
        self._mode = "cross" if self.venue.instruments[inst_id].is_swap else "cash"
        self._sizes = [self.venue.instruments[inst_id].min_size * n for n in range(1, 51)]
        ticks = range(-PAST_TICKS, BEHIND_TICKS + 1)
        mid, tick = self.venue.markets[inst_id].last, self.venue.instruments[inst_id].tick
        self._prices = {"buy": [mid - tick * n for n in ticks], "sell": [mid + tick * n for n in ticks]}
        self._open_orders: list[tuple[AccountState, Order]] = []
        self._drawn = seed

    def _open(self, n: int) -> AccountState:
        cash = {"USDT": Decimal(10_000_000), "BTC": Decimal(100)}
        return self.venue.create_account(f"trader{n}", f"key{n}", "secret", "phrase", cash)

    def _draw(self, below: int) -> int:
        self._drawn = (self._drawn * 6364136223846793005 + 1442695040888963407) & _MASK
        return (self._drawn >> 33) % below

    def act(self) -> None:
        """One command of somebody's."""
        what = self._draw(100)
        if what < 43 and self._open_orders:
            self._cancel()
        else:
            self._place("limit" if what < 82 else "ioc" if what < 92 else "post_only")
        if len(self.venue.outbox) > EVENTS_KEPT:
            self.venue.outbox.clear()

    def _cancel(self) -> None:
        place = self._draw(len(self._open_orders))
        account, order = self._open_orders[place]
        self._open_orders[place] = self._open_orders[-1]
        self._open_orders.pop()
        if order.is_open:
            self.venue.cancel(account, order)

    def _place(self, kind: str) -> None:
        account = self.accounts[self._draw(ACCOUNTS)]
        side = ("buy", "sell")[self._draw(2)]
        prices = self._prices[side]
        price = prices[self._draw(len(prices)) if kind != "ioc" else 0]
        size = self._sizes[self._draw(len(self._sizes))]
        params = OrderParams(self._inst_id, self._mode, side, kind, size, price)
        try:
            order = self.venue.place(account, params)
        except Reject:
            self.refused += 1
            return
        if order.is_open:
            self._open_orders.append((account, order))


def measure(inst_id: str, commands: int) -> list[Figure]:
    """Commands and fills per second on one instrument; the first tenth of the commands warms up."""
    crowd = Crowd(inst_id)
    for _ in range(commands // 10):
        crowd.act()
    filled = _fills(crowd)
    started = process_time()
    for _ in range(commands):
        crowd.act()
    elapsed = process_time() - started
    return [
        Figure(f"commands per second, {inst_id}", commands / elapsed, "1/s", TARGET_PER_S, True),
        Figure(f"fills per command, {inst_id}", (_fills(crowd) - filled) / commands, "", 0.1, True),
        Figure(f"refused commands, {inst_id}", crowd.refused / commands, "share", 0.05, False),
    ]


def _fills(crowd: Crowd) -> int:
    return sum(len(account.executions) for account in crowd.accounts)


def main(argv: Sequence[str]) -> int:
    expect_to_keep()
    commands = int(argv[argv.index("--orders") + 1]) if "--orders" in argv else COMMANDS
    figures = [figure for inst_id in ("BTC-USDT-SWAP", "BTC-USDT") for figure in measure(inst_id, commands)]
    return report(figures, argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
