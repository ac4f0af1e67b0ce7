"""The engine's names as the page shows them, in both languages; `catalogue` is the page's whole vocabulary.

The page's own file of it, monitor/dashboard/src/i18n/catalogue.ts, is written from here by `make docs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.cause_words import CAUSES
from monitor.verdict_words import FIGURES, GUARDS, NOES
from monitor.words import NAMES, REPORTS, SENTENCES, word

Pair = tuple[str, str]

# Names that messages and the page share, where the page's English is not what the engine writes.
_ENGLISH: Final[Mapping[str, str]] = {
    "IDLE": "Idle",
    "OPENING": "Opening",
    "RUNNING": "Running",
    "REBALANCING": "Rebalancing",
    "STOPPED": "Stopped",
    "FULL": "Full",
    "NO_NEW_RISK": "No new risk",
    "REDUCE_ONLY": "Reduce only",
    "HALTED": "Halted",
    "demo": "Demo",
    "live": "Live money",
    "dry-run": "Dry run",
    "boot": "start",
    "settle": "settlement",
    "open_failed": "opening failed",
    "top_up": "top-up",
    "unreachable": "venue unreachable",
    "rate_limits": "request limits",
    "key": "API key",
    "books": "order books",
    "drought": "thin books",
    "market_stale": "old market data",
    "account_stale": "old account data",
    "margin_low": "low margin",
    "rate_pressure": "request limits",
    "loop_lag": "event loop lag",
    "scan_late": "late scan",
}

# Names that only the page shows, or shows in another sense than a message does: (English, Chinese).
_ONLY_HERE: Final[Mapping[str, Pair]] = {
    "account": ("account push", "账户推送"),
    "settlement": ("settlement", "结算"),
    "start": ("start", "启动"),
    "connected": ("connected", "已连接"),
    "moved": ("moved between wallets", "资金划转"),
    "trouble": ("trouble", "异常"),
    "recovered": ("recovered", "已恢复"),
    "alarm": ("alarm", "警报"),
    "self_check_failed": ("self-check", "自检"),
    "uvicorn.error": ("web server", "网页服务"),
    "adjust": ("adjust", "调整"),
    "unwind": ("unwind", "平仓"),
    "error": ("error", "错误"),
    "debug": ("debug", "调试"),
    "decision": ("decision", "决策"),
    "intent": ("order intent", "下单意图"),
    "ack": ("venue's answer", "交易所回答"),
    "order": ("order", "订单"),
    "fill": ("fill", "成交"),
    "bill": ("bill", "账单"),
    "transfer": ("transfer", "划转"),
    "hedge": ("hedge", "对冲"),
    "ownership": ("ownership", "归属"),
    "report": ("report", "执行报告"),
    "equity": ("equity", "权益"),
    "signal": ("signal", "信号"),
    "position": ("position", "仓位"),
    "protection": ("stop at the venue", "交易所止损"),
    "note": ("note", "备注"),
    "stop": ("stop", "停止"),
    "accepted": ("accepted", "已接受"),
    "unknown": ("unknown", "未知"),
    "rejected": ("rejected", "被拒"),
    "filled": ("filled", "已成交"),
    "canceled": ("canceled", "已撤单"),
    "absent": ("absent", "不存在"),
    "public": ("public", "公共"),
    "private": ("private", "私有"),
    "business": ("business", "业务"),
    "consumer": ("consumer", "决策"),
    "worker": ("worker", "执行"),
    "errands": ("errands", "后台"),
    "bad_header": ("a header given twice", "请求头重复"),
    "bad_path": ("a path that cannot be", "路径不合法"),
    "unknown_host": ("another host's name", "主机名不符"),
    "foreign_origin": ("a page of another server", "来自其他服务器的页面"),
    "not_json": ("a command that is not JSON", "命令不是 JSON"),
    "too_large": ("too large a body", "内容过大"),
    "too_often": ("too often", "过于频繁"),
    "locked_out": ("locked out", "地址已被锁定"),
    "no_token": ("no token", "没有令牌"),
    "wrong_token": ("wrong token", "令牌错误"),
    "several": ("various", "多种原因"),
}


def names() -> dict[str, Pair]:
    """Every name the page may meet: states, events, records, conditions, causes. A cause is meant before
    anything else of its name."""
    shared = {name: (word(name, "en"), chinese) for name, chinese in {**NAMES, **CAUSES}.items()}
    english = {name: (text, shared[name][1]) for name, text in _ENGLISH.items()}
    return shared | english | dict(_ONLY_HERE)


def catalogue() -> dict[str, Mapping[str, Pair] | Mapping[str, str]]:
    """Each table of the page's vocabulary; sentences have their Chinese only."""
    return {
        "NAMES": names(),
        "GUARDS": GUARDS,
        "NOES": NOES,
        "FIGURES": FIGURES,
        "SENTENCES": SENTENCES,
        "REPORTS": REPORTS,
    }
