"""What every key of account.yaml means: (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ACCOUNT: Final[Mapping[str, tuple[str, str]]] = {
    "account": (
        "Whose money, how much of it, and how it is split.",
        "谁的资金、有多少、如何分配。",
    ),
    "account.venue": (
        "okx trades real money; okx-demo is the venue's own demo trading.",
        "okx 用真实资金交易；okx-demo 是交易所自己的模拟盘",
    ),
    "account.region": (
        "Which hosts the API key belongs to: global, eea or us.",
        "API 密钥属于哪个区域的服务器：global、eea 或 us",
    ),
    "account.rest_url": (
        "Another REST base URL, such as a simulated venue's; null takes the region's.",
        "另用的 REST 地址，例如模拟交易所的；null 用该区域的地址",
    ),
    "account.stream_url": (
        "Another WebSocket base URL, without the trailing /public; null takes the region's.",
        "另用的 WebSocket 地址，不含末尾的 /public；null 用该区域的地址",
    ),
    "account.total_capital": (
        "USDT the engine may use in all.",
        "引擎总共可以动用的资金，USDT",
    ),
    "account.compound": (
        "true: capital follows profit and loss in steps of 5 %, never above the account's equity; hedges "
        "grow with it.",
        "true：可用资金随盈亏增减，每 5 % 一档，绝不超过账户权益；已持有的对冲随之加大",
    ),
    "account.core_ratio": (
        "Share of total_capital for cash and carry; what the sleeves leave over is reserve.",
        "total_capital 中用于期现套利的比例；各份策略资金之外余下的是储备",
    ),
    "account.auxiliary_ratio": (
        "Share of total_capital for auxiliary strategies.",
        "total_capital 中用于辅助策略的比例",
    ),
    "account.spot_ratio": (
        "Share of the core sleeve that buys spot.",
        "期现套利的策略资金中用来买入现货的比例",
    ),
    "account.futures_ratio": (
        "Share of the core sleeve that backs the swap as margin.",
        "期现套利的策略资金中用作合约保证金的比例",
    ),
    "account.max_position_value": (
        "Notional of one hedge, at most, USDT per leg.",
        "单个对冲的名义价值上限，按每条腿计，USDT",
    ),
    "account.leverage": (
        "Leverage set at the venue for the swap; above 3 is a red line.",
        "在交易所为永续合约设置的杠杆；高于 3 就是越过红线",
    ),
}
