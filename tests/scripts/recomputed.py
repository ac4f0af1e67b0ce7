"""A backtest's figures reckoned again from the files it wrote, with nothing of the project's own code.

What the report says must follow from trades.csv, funding.csv, equity.csv and the tape alone.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

D = Decimal
DAY_MS = 86_400_000
YEAR_MS = 365 * DAY_MS
ZERO = D(0)


def table(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@dataclass
class Files:
    """What `--out` wrote."""

    folder: Path

    def __post_init__(self) -> None:
        self.trades = table(self.folder / "trades.csv")
        self.funding = table(self.folder / "funding.csv")
        self.curve = [(int(r["ts"]), D(r["equity"])) for r in table(self.folder / "equity.csv")]
        self.said: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        self.names = sorted({trade["instrument"] for trade in self.trades})

    # --- money ------------------------------------------------------------------------------------

    def fees(self, name: str | None = None) -> Decimal:
        """USDT, positive: a fee taken in the coin counts at the price of its trade."""
        own = [t for t in self.trades if name in (None, t["instrument"])]
        return sum((-D(t["fee"]) * (1 if t["fee_ccy"] == "USDT" else D(t["px"])) for t in own), ZERO)

    def slippage(self, name: str | None = None) -> Decimal:
        return sum((D(t["slippage_usdt"]) for t in self.trades if name in (None, t["instrument"])), ZERO)

    def paid(self, name: str | None = None) -> Decimal:
        """Funding, USDT: coins x mark x rate of every settlement."""
        own = [r for r in self.funding if name in (None, r["instrument"])]
        return sum((D(r["base_qty"]) * D(r["mark_px"]) * D(r["rate"]) for r in own), ZERO)

    def traded(self, name: str | None = None) -> Decimal:
        own = [t for t in self.trades if name in (None, t["instrument"])]
        return sum((D(t["base_qty"]) * D(t["px"]) for t in own), ZERO)

    def short_at(self, name: str, ts_ms: int) -> Decimal:
        """Coins short just before an instant."""
        own = (
            t for t in self.trades if (t["instrument"], t["leg"]) == (name, "swap") and int(t["ts"]) < ts_ms
        )
        return sum((D(t["base_qty"]) * (1 if t["side"] == "sell" else -1) for t in own), ZERO)

    # --- rounds -----------------------------------------------------------------------------------

    def rounds(self) -> dict[str, tuple[bool, Decimal, Decimal]]:
        """By hedge id: whether it is closed, its net result, and what that may be wrong by.

        A closed round's result is the cash it moved, and the grains of coin it left at its last spot price.
        The books value these at the price of another second, and hand them on to the next round.
        """
        found, dust = {}, dict.fromkeys(self.names, ZERO)
        for hedge_id in dict.fromkeys(t["hedge_id"] for t in self.trades):
            own = [t for t in self.trades if t["hedge_id"] == hedge_id]
            name, cash, spot, short = own[0]["instrument"], ZERO, dust[own[0]["instrument"]], ZERO
            for t in own:
                sign = 1 if t["side"] == "buy" else -1
                cash -= sign * D(t["base_qty"]) * D(t["px"])
                if t["leg"] == "swap":
                    short -= sign * D(t["base_qty"])
                else:
                    spot += sign * D(t["base_qty"])
                if t["fee_ccy"] == "USDT":
                    cash += D(t["fee"])
                else:
                    spot += D(t["fee"])
            px = D([t for t in own if t["leg"] == "spot"][-1]["px"])
            funding = sum((D(r["amount"]) for r in self.funding if r["hedge_id"] == hedge_id), ZERO)
            grains = abs(spot) + abs(dust[name])
            net = cash + funding + (spot - dust[name]) * px
            found[hedge_id] = (short == 0, net, grains * px * D("0.05") + D("1e-8"))
            dust[name] = spot
        return found

    def nets(self) -> list[Decimal]:
        return [net for closed, net, _ in self.rounds().values() if closed]

    # --- the curve --------------------------------------------------------------------------------

    def net(self) -> Decimal:
        return self.curve[-1][1] - self.curve[0][1]

    def net_apr(self) -> Decimal:
        lasting = self.curve[-1][0] - self.curve[0][0]
        return self.net() / self.curve[0][1] * YEAR_MS / lasting

    def fall(self) -> tuple[Decimal, int, int, int | None]:
        """The deepest fall: fraction, and the times of its peak, its trough and its recovery."""
        deepest, found = ZERO, (self.curve[0][0], self.curve[0][0], 0)
        for n, (ts_ms, equity) in enumerate(self.curve):
            high_ms, high = max(self.curve[: n + 1], key=lambda point: point[1])
            if 1 - equity / high > deepest:
                deepest, found = 1 - equity / high, (high_ms, ts_ms, n)
        peak_ms, trough_ms, at = found
        peak = dict(self.curve)[peak_ms]
        back = [ts_ms for ts_ms, equity in self.curve[at:] if equity >= peak]
        return deepest, peak_ms, trough_ms, back[0] if back else None

    def under_water_ms(self) -> int:
        """The longest time between two times at a highest equity so far, the end counting as one."""
        at_peak, high = [self.curve[0][0]], self.curve[0][1]
        for ts_ms, equity in self.curve:
            if equity >= high:
                high = equity
                at_peak.append(ts_ms)
        return max((b - a for a, b in pairwise([*at_peak, self.curve[-1][0]]) if self._dips(a, b)), default=0)

    def _dips(self, begin_ms: int, end_ms: int) -> bool:
        high = dict(self.curve)[begin_ms]
        return any(equity < high for ts_ms, equity in self.curve if begin_ms < ts_ms <= end_ms)

    def returns(self) -> list[float]:
        """Of every whole day since the start."""
        begin_ms, values = self.curve[0][0], []
        for day in range((self.curve[-1][0] - begin_ms) // DAY_MS + 1):
            values.append([e for ts_ms, e in self.curve if ts_ms <= begin_ms + day * DAY_MS][-1])
        return [float(b / a) - 1 for a, b in pairwise(values)]

    def mean_equity(self) -> Decimal:
        """Over time, every equity until the next one."""
        lasting = self.curve[-1][0] - self.curve[0][0]
        spans = pairwise(self.curve)
        return sum((a * (next_ms - ts_ms) for (ts_ms, a), (next_ms, _) in spans), ZERO) / lasting

    # --- decisions --------------------------------------------------------------------------------

    def switch_cost(self, name: str) -> Decimal:
        swap = [t for t in self.trades if (t["instrument"], t["leg"]) == (name, "swap")]
        return (self.fees(name) + self.slippage(name)) / sum(D(t["base_qty"]) * D(t["px"]) for t in swap)

    def own_way(self, name: str, settled: list[tuple[int, Decimal]]) -> Decimal:
        """What this run's decisions come to per unit of notional, flat at both ends."""
        held = [self.short_at(name, ts_ms) > 0 for ts_ms, _ in settled]
        income = sum((rate for (_, rate), now in zip(settled, held, strict=True) if now), ZERO)
        turns = sum(a != b for a, b in zip([False, *held], [*held, False], strict=True))
        return income - turns * self.switch_cost(name)


def best_way(rates: list[Decimal], cost: Decimal) -> Decimal:
    """The most that any set of stretches earns: each pays for its opening and its closing.

    By the end of the last stretch: best(i) = the best without settlement i, or with a stretch j..i.
    """
    best = [ZERO]
    for i in range(1, len(rates) + 1):
        stretches = [best[j] + sum(rates[j:i], ZERO) - 2 * cost for j in range(i)]
        best.append(max(best[i - 1], *stretches))
    return best[-1]


class Shown(HTMLParser):
    """The tables of the page: rows of texts, by the id of the section or figure they stand in."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self._place, self._in, self._quiet = "", "", 0
        self.feed(page)

    def cell(self, place: str, row: list[str], head: str) -> str:
        """The cell of a row under a column's head."""
        return row[self.rows[place][0].index(head)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("section", "figure") and (place := dict(attrs).get("id")):
            self._place = place
        if tag == "tr":
            self.rows.setdefault(self._place, []).append([])
        if tag in ("td", "th"):
            self._in = tag
            self.rows[self._place][-1].append("")
        self._quiet += tag in ("small", "script", "style")

    def handle_endtag(self, tag: str) -> None:
        self._in = "" if tag in ("td", "th") else self._in
        self._quiet -= tag in ("small", "script", "style")

    def handle_data(self, data: str) -> None:
        if self._in and not self._quiet:
            self.rows[self._place][-1][-1] += data

    def row(self, place: str, *first: str) -> list[str]:
        """The cells after these first ones. Fails unless exactly one row begins with them."""
        [found] = [row for row in self.rows[place] if row[: len(first)] == list(first)]
        return found[len(first) :]


def agrees(shown: str, value: Decimal | float | None, *, scale: int = 1) -> bool:
    """Whether a text shows a value to its last decimal; a dash shows that there is none."""
    if value is None or shown == "–":
        return value is None and shown == "–"
    number = D(shown.replace(",", "").replace("+", "").replace("%", "").strip())
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return abs(number - D(value) * scale) <= D("0.500001") * D(10) ** exponent
