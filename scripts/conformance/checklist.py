"""What a client of this venue must find (the fact sheet's minimal set), and where answers may differ.

Types are named as in the recordings: rest:/path, ws:channel[:action], wsop:operation, wsev:event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_REST: Final = {
    "public": "time instruments funding-rate funding-rate-history mark-price price-limit position-tiers "
    "open-interest discount-rate-interest-free-quota",
    "market": "ticker tickers books candles history-candles trades index-tickers",
    "system": "status",
    "account": "config balance positions positions-history account-position-risk set-position-mode "
    "set-leverage leverage-info max-size max-avail-size max-withdrawal trade-fee bills bills-archive "
    "position/margin-balance interest-accrued",
    "asset": "balances transfer transfer-state",
    "trade": "order batch-orders cancel-order cancel-batch-orders amend-order close-position orders-pending "
    "orders-history orders-history-archive fills fills-history cancel-all-after order-algo cancel-algos "
    "orders-algo-pending",
}
_PUSHES: Final = (
    "tickers books:snapshot books:update books5 bbo-tbt trades mark-price index-tickers funding-rate "
    "price-limit instruments status candle adl-warning orders account positions balance_and_position "
    "liquidation-warning orders-algo"
)
_EVENTS: Final = "login subscribe error notice channel-conn-count"
_OPERATIONS: Final = "order batch-orders cancel-order batch-cancel-orders amend-order batch-amend-orders"


def must_have() -> Iterator[str]:
    for folder, names in _REST.items():
        yield from (f"rest:/{folder}/{name}" for name in names.split())
    for kind, names in (("ws", _PUSHES), ("wsev", _EVENTS), ("wsop", _OPERATIONS)):
        yield from (f"{kind}:{name}" for name in names.split())


# (type, path) of what a recording has and we do not serve, or with another type -> (English, Chinese) why
DEVIATIONS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("rest:/public/discount-rate-interest-free-quota", "data[].discountInfo"): (
        "replaced by `details` in the documents of 2026",
        "在 2026 年的文档里已由 `details` 取代",
    ),
    ("rest:/public/underlying", "data[][2]"): (
        "as many names as there are swaps",
        "有几个合约就有几个名称",
    ),
    ("rest:/account/set-account-level", "data[].isoMode"): (
        "no document has it: the recorded text belongs to set-isolated-mode",
        "文档里都没有：录到的内容属于 set-isolated-mode",
    ),
    ("rest:/account/positions", "data[].closeOrderAlgo[]"): (
        "served empty: stops of a whole position are listed by orders-algo-pending",
        "为空：整个仓位的止损由 orders-algo-pending 列出",
    ),
    ("ws:positions", "data[].closeOrderAlgo[]"): (
        "as in the REST object",
        "与 REST 的对象相同",
    ),
    ("rest:/trade/orders-algo-pending", "data[].notionalUsd"): (
        "only in a fixture written by hand",
        "只出现在一份手写的样本里",
    ),
    ("rest:/asset/deposit-history", "data[]"): (
        "served empty: money comes by the control interface",
        "为空：钱由控制接口放入",
    ),
    ("rest:/asset/withdrawal-history", "data[]"): (
        "served empty: nothing can be withdrawn",
        "为空：什么都提不走",
    ),
    ("rest:/account/interest-accrued", "data[]"): (
        "served empty: nobody has borrowed",
        "为空：没有人借过币",
    ),
    ("ws:balance_and_position", "data[].posData[].uTIme"): (
        "a fixture's misspelling of `uTime`",
        "样本把 `uTime` 拼错了",
    ),
    ("wsev:subscribe", "args"): (
        "a fixture's misspelling of `arg`",
        "样本把 `arg` 拼错了",
    ),
}
