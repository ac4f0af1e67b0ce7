"""What every key of instruments.yaml means: (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

INSTRUMENTS: Final[Mapping[str, tuple[str, str]]] = {
    "instruments": (
        "What may be hedged: pairs of a USDT spot market and its USDT perpetual.",
        "可以对冲什么：USDT 现货市场与其 USDT 永续合约组成的交易对。",
    ),
    "instruments.instruments": (
        "Spot names; the swap of BTC-USDT is BTC-USDT-SWAP.",
        "现货名；BTC-USDT 的永续合约是 BTC-USDT-SWAP",
    ),
    "instruments.universe": (
        "Instead of the list above: rank the venue's own swaps by 24 h volume.",
        "代替上面的列表：把交易所自己的永续合约按 24 小时成交额排名",
    ),
    "instruments.universe.enabled": (
        "true takes the ranking, false the list above.",
        "true 用排名，false 用上面的列表",
    ),
    "instruments.universe.size": (
        "Instruments kept after ranking.",
        "排名之后保留的品种数",
    ),
    "instruments.universe.min_volume_usdt": (
        "24 h swap volume, USDT, below which a coin is left out.",
        "永续合约的 24 小时成交额，USDT；低于此值的币不选",
    ),
    "instruments.universe.exclude": (
        "Spot names never taken, whatever their rank.",
        "无论排名如何都不选的现货名",
    ),
}
