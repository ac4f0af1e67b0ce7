"""What `--out` writes beside the page: every trade, and every amount it is the sum of.

Whole files or none. Amounts are USDT, times UTC ms, numbers decimal text. From fills.csv alone, with the
starting side of each trade, every line of trades.csv can be reckoned again:

    net = - sum(side * base * px) - sum(fee) + sum(funding)          side 1 for a buy, -1 for a sale
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from scripts.backtest.files import write_whole
from scripts.modules.claims import CLAIMS
from scripts.modules.measures import Figures
from scripts.modules.study import Measured, Study
from scripts.modules.trade import Trade
from scripts.modules.walk import Walk, plain

TRADES: Final = ("trade", "module", "label", "plan", "instrument", "side", "strength", "leverage",
                 "opened_ms", "closed_ms", "stop_px", "notional", "risk", "gross", "slippage", "fees",
                 "funding", "net", "r")  # fmt: skip
FILLS: Final = (
    "trade",
    "ts",
    "instrument",
    "kind",
    "side",
    "base",
    "shown_px",
    "px",
    "fee",
    "rate",
    "funding",
)
TOGETHER: Final = "together"


def write_trades(folder: Path, study: Study) -> None:
    """trades.csv and fills.csv. Trades of the common sleeve are named together-1, together-2, ..."""
    named = list(_named(study))
    _write_csv(folder / "trades.csv", TRADES, (_trade_row(name, trade) for name, trade in named))
    _write_csv(folder / "fills.csv", FILLS, (row for name, trade in named for row in _fill_rows(name, trade)))


def _named(study: Study) -> Iterator[tuple[str, Trade]]:
    for each in study.measured:
        for number, trade in enumerate(each.played.trades, 1):
            yield f"{each.subject.name}-{number}", trade
    for number, trade in enumerate(study.together.trades, 1):
        yield f"{TOGETHER}-{number}", trade


def _trade_row(name: str, trade: Trade) -> Sequence[object]:
    return (
        name, trade.module, trade.label, trade.plan, trade.instrument, trade.side.value, trade.strength,
        trade.leverage, trade.opened_ms, trade.closed_ms, trade.stop_px, trade.notional, trade.risk,
        trade.gross, trade.slippage, trade.fees, trade.funding, trade.net, f"{trade.r:.6f}",
    )  # fmt: skip


def _fill_rows(name: str, trade: Trade) -> Iterator[Sequence[object]]:
    rows: list[tuple[int, int, Sequence[object]]] = []
    for fill in trade.fills:
        rows.append((fill.at_ms, 1, (name, fill.at_ms, trade.instrument, fill.reason, fill.side.value,
                                     fill.base, fill.shown_px, fill.px, fill.fee, "", "")))  # fmt: skip
    for charge in trade.charges:
        rows.append((charge.at_ms, 0, (name, charge.at_ms, trade.instrument, "funding", "", charge.base,
                                       charge.mark_px, "", "", charge.rate, charge.amount)))  # fmt: skip
    yield from (row for _, _, row in sorted(rows, key=lambda one: one[:2]))


def study_object(study: Study) -> dict[str, Any]:
    """The measurement for programs: amounts as decimal text, in USDT; rates as fractions; times in UTC ms."""
    order = study.order
    return {
        "from_ms": order.from_ms,
        "to_ms": order.to_ms,
        "instruments": [coin.instrument for coin in study.coins],
        "sources": {coin.instrument: {"candles": coin.venue, "funding": coin.funding_venue}
                    for coin in study.coins},
        "capital": f"{order.limits.capital:f}",
        "taker": f"{order.costs.taker:f}",
        "slippage": f"{order.costs.slippage:f}",
        "seed": order.seed,
        "modules": [_measured_object(each) for each in study.measured],
        "together": _figures_object(study.together_figures) | {"refused": dict(study.together.refused)},
        "holding": {
            each.instrument: {"net_ratio": f"{each.net_ratio:f}", "largest_fall": f"{each.fall:f}"}
            for each in study.holdings
        },
    }  # fmt: skip


def _measured_object(each: Measured) -> dict[str, Any]:
    claims = [claim for claim in CLAIMS if claim.subject == each.subject.name]
    return {
        "name": each.subject.name,
        "system": each.subject.system,
        "is_module": each.subject.is_module,
        "lacks": list(each.subject.lacks),
        "bars": each.frame,
        "days": each.days,
        "proposals": each.proposals,
        "refused": dict(each.played.refused),
        "figures": _figures_object(each.figures),
        "coin_toss": None if each.toss is None else {"mean_r": each.toss[0], "win_rate": each.toss[1]},
        "by_instrument": {name: _figures_object(one) for name, one in each.by_coin.items()},
        "by_label": {name: _figures_object(one) for name, one in each.by_label.items()},
        "by_plan": {name: _figures_object(one) for name, one in each.presets.items()},
        "claims": [
            {"row": c.row, "label": c.label, "win_rate": _text(c.win_rate), "payoff": _text(c.payoff)}
            for c in claims
        ],
        "walk_forward": None if each.walk is None else _walk_object(each.walk),
    }


def _walk_object(walk: Walk) -> dict[str, Any]:
    return {
        "sets": walk.sets,
        "judged": _figures_object(walk.judged),
        "default_on_the_same": _figures_object(walk.usual),
        "best_in_hindsight": _figures_object(walk.best_figures) | {"settings": plain(walk.best)},
        "best_merit_alone": walk.best_naive_merit,
        "parts": [
            {
                "from_ms": part.judged_on[0],
                "to_ms": part.judged_on[1],
                "settings": plain(part.chosen),
                "judged": _figures_object(part.judged),
                "default_on_the_same": _figures_object(part.usual),
            }
            for part in walk.parts
        ],
    }


def _figures_object(one: Figures) -> dict[str, Any]:
    money = ("gross", "slippage", "fees", "funding", "net", "fall")
    rates = ("win_rate", "payoff", "even_win", "mean_r", "low_r", "high_r", "held_h", "merit")
    return {
        "trades": one.trades,
        **{name: f"{getattr(one, name):f}" for name in money},
        **{name: getattr(one, name) for name in rates},
    }


def _text(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{v:f}" if isinstance(v, Decimal) else v for v in row] for row in rows)
    write_whole(path, text.getvalue())
