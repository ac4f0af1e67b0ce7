import json
from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.tally import Terms
from core.types import DAY_MS
from monitor.summary import Counts, RunFacts, summary, text
from tests.monitor.samples import NOW_MS

# docs/architecture.md, section 7, word for word
KEYS = [
    *("mode", "account", "instruments", "from_ms", "to_ms", "state", "permission"),
    *("equity_start", "equity_end", "net_pnl", "net_apr", "max_drawdown"),
    *("funding", "basis", "fees", "slippage", "interest", "other", "unexplained"),
    *("rounds", "opens", "closes", "rebalances", "orders", "rejects", "max_naked_s"),
    *("naked_p99_s", "max_leverage", "scans"),
    *(
        "rest_requests",
        "ws_messages",
        "violations",
        "journal_head",
        "wall_s",
        "path",
        "instants",
        "per_instrument",
    ),
]
RUN = RunFacts(
    mode="demo",
    instruments=("BTC-USDT", "ETH-USDT"),
    from_ms=NOW_MS,
    to_ms=NOW_MS + 30 * DAY_MS,
    state="RUNNING",
    permission="FULL",
    equity=((NOW_MS, D(100_000)), (NOW_MS + DAY_MS, D(99_000)), (NOW_MS + 30 * DAY_MS, D("100820.50"))),
    money=Terms(D(900), D("-20.5"), D(50), D(9), D(0), D(0)),
    counts=Counts(1, 2, 1, 3, 40, 4, 8640, 1200, 500_000),
    journal_head="ab12",
    wall_s=12.34567,
    naked_ms=1_250,
    naked_p99_ms=40,
    max_leverage=D("1.0400"),
    violations=("margin_emergency: ratio below its floor",),
    per_instrument={"ETH-USDT": Terms(funding=D(300)), "BTC-USDT": Terms(funding=D(600), fees=D("0.10"))},
)
MONEY = ("funding", "basis", "fees", "slippage", "interest", "other")


def test_the_summary_has_exactly_the_documented_keys_in_their_order() -> None:
    assert list(summary(RUN)) == KEYS


def test_the_figures_are_where_they_belong() -> None:
    s = summary(RUN)
    assert (s["equity_start"], s["equity_end"], s["net_pnl"]) == ("100000", "100820.5", "820.5")
    assert (s["net_apr"], s["max_drawdown"]) == ("0.0998275", "0.01")
    assert [s[k] for k in MONEY] == ["900", "-20.5", "50", "9", "0", "0"]
    assert [s[k] for k in ("rounds", "opens", "closes", "rebalances", "orders", "rejects", "scans")] == [
        *(1, 2, 1, 3, 40, 4, 8640)
    ]
    assert (s["rest_requests"], s["ws_messages"]) == (1200, 500_000)
    assert (s["max_naked_s"], s["naked_p99_s"]) == (1.25, 0.04)
    assert (s["max_leverage"], s["wall_s"]) == ("1.04", 12.346)
    assert s["violations"] == ["margin_emergency: ratio below its floor"]


def test_each_instrument_has_the_same_money_terms() -> None:
    per = summary(RUN)["per_instrument"]
    assert list(per) == ["BTC-USDT", "ETH-USDT"]
    assert all(tuple(terms) == MONEY for terms in per.values())
    assert (per["BTC-USDT"]["funding"], per["BTC-USDT"]["fees"]) == ("600", "0.1")


def test_it_is_one_line_of_json() -> None:
    line = json.dumps(summary(RUN))
    assert "\n" not in line
    assert json.loads(line) == summary(RUN)


def test_a_deposit_is_not_earned() -> None:
    s = summary(replace(RUN, flows=((NOW_MS + 2 * DAY_MS, D(800)),)))
    assert (s["equity_end"], s["net_pnl"]) == ("100820.5", "20.5")


def test_without_equity_there_is_no_summary() -> None:
    with pytest.raises(ValueError, match="equity"):
        summary(replace(RUN, equity=()))


def test_a_run_of_one_instant_has_no_return() -> None:
    s = summary(replace(RUN, equity=RUN.equity[:1], to_ms=NOW_MS))
    assert (s["net_pnl"], s["net_apr"], s["max_drawdown"]) == ("0", "0", "0")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("12.50", "12.5"),
        ("1E+3", "1000"),
        ("-0.00000001", "-0.00000001"),
        ("1E-20", "0"),
        ("-1E-20", "0"),
        ("100", "100"),
    ],
)
def test_amounts_are_plain_decimal_text(value: str, said: str) -> None:
    assert text(D(value)) == said


@example([D(f"{sign}4.9e-9") for sign in "++---+"])  # every term rounded the same way
@given(st.lists(st.decimals(-(10**6), 10**6, places=20), min_size=6, max_size=6))
def test_rounded_terms_still_add_up_to_the_books_precision(values: list[D]) -> None:
    terms = Terms(*values)
    read = Terms(*(D(text(v)) for v in values))
    assert abs(terms.net - read.net) < D("1e-8")
