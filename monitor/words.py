"""The engine's single words in the reader's language: states, permissions, conditions, table heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Language = Literal["en", "zh"]

# English reads as written; only the Chinese side needs a table.
_WORDS: Final[Mapping[str, str]] = {
    "IDLE": "空闲",
    "OPENING": "开仓中",
    "RUNNING": "运行中",
    "REBALANCING": "再平衡中",
    "STOPPED": "已停止",
    "FULL": "完全",
    "NO_NEW_RISK": "禁止新增风险",
    "REDUCE_ONLY": "只减仓",
    "HALTED": "全部停止",
    "live": "实盘",
    "dry-run": "空跑",
    "demo": "演示",
    "open": "开仓",
    "exit": "退出",
    "shrink": "缩仓",
    "grow": "加仓",
    "repair": "补腿",
    "flatten": "清仓",
    "top_up": "补充保证金",
    "sweep": "划出盈余",
    "boot": "启动",
    "scan": "扫描",
    "review": "复核",
    "account": "账户",
    "settle": "结算",
    "opened": "已开仓",
    "open_failed": "开仓失败",
    "rebalanced": "已再平衡",
    "deadline": "超时",
    "breach": "触线",
    "halt": "停止",
    "resume": "恢复",
    "info": "提示",
    "warning": "警告",
    "critical": "严重",
    "buy": "买入",
    "sell": "卖出",
    "stream_down": "数据流中断",
    "market_stale": "行情过期",
    "account_stale": "账户数据过期",
    "account_unknown": "账户未知",
    "margin_low": "保证金不足",
    "unhedged": "单腿敞口",
    "hedge broken": "对冲失衡",
    "broken hedge": "对冲失衡",
    "unresolved_orders": "订单结果未知",
    "unexplained": "账目不符",
    "unexplained balance": "余额无法解释",
    "forced deleveraging": "被自动减仓（ADL）",
    "deleveraging near": "接近自动减仓",
    "partial liquidation": "被部分强平",
    "liquidation": "被强平",
    "frozen pair": "交易对冻结",
    "funding bill missing": "缺少资金费账单",
    "tick lost": "错过定时任务",
    "errand failed": "后台任务失败",
    "clock_offset": "时钟偏差",
    "latency": "响应缓慢",
    "venue_errors": "交易所错误",
    "rate_pressure": "限频压力",
    "maintenance": "交易所维护",
    "permission": "权限",
    "breaker": "熔断",
    "journal_failed": "账本写入失败",
    "backup failed": "备份失败",
    "disk_full": "磁盘已满",
    "journal": "账本",
    "disk": "磁盘",
    "journal_lag": "账本延迟",
    "missed_ticks": "错过定时任务",
    "scan_late": "扫描延迟",
    "channel_down": "消息通道中断",
}

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("funding engine", "资金费引擎"),
    "since": ("since", "自"),
    "permission": ("permission", "权限"),
    "breaker": ("breaker open", "熔断中"),
    "equity": ("equity", "权益"),
    "today": ("today", "当日"),
    "unrealised": ("unrealised", "浮动盈亏"),
    "funding": ("funding", "资金费"),
    "fees": ("fees", "手续费"),
    "margin": ("margin", "保证金率"),
    "scans": ("scans", "扫描"),
    "orders": ("orders", "订单"),
    "rejects": ("rejects", "拒单"),
    "settled": ("settlements", "结算"),
    "rounds": ("rounds today", "当日轮数"),
    "hedges": ("hedges", "对冲持仓"),
    "instrument": ("instrument", "品种"),
    "spot": ("spot", "现货"),
    "contracts": ("short", "合约空头"),
    "delta": ("net delta", "净敞口"),
    "drift": ("drift", "偏差"),
    "notional": ("notional", "名义价值"),
    "pnl": ("PnL", "盈亏"),
    "held": ("held", "持有"),
    "nothing_held": ("nothing held", "无持仓"),
    "candidates": ("funding and candidates", "资金费与候选"),
    "rate": ("rate", "费率"),
    "next": ("settles in", "距结算"),
    "basis": ("basis bps", "基差 bps"),
    "expected": ("expected", "预计"),
    "verdict": ("verdict", "结论"),
    "pays": ("pays", "可开仓"),
    "not_judged": ("not judged yet", "尚未评估"),
    "decisions": ("decisions", "决策"),
    "time": ("time", "时间"),
    "event": ("event", "事件"),
    "state": ("state", "状态"),
    "why": ("why", "原因"),
    "none_yet": ("none yet", "暂无"),
    "warnings": ("warnings", "告警"),
    "all_well": ("all well", "一切正常"),
    "streams": ("streams", "数据流"),
    "messages": ("messages", "消息"),
    "starting": ("starting ...", "启动中 ..."),
}


def word(value: object, language: Language) -> str:
    """A word of the engine (a state, a permission, a condition) in the reader's language."""
    text = str(value)
    if language == "zh":
        return _WORDS.get(text, text)
    return text.replace("_", " ") if text.islower() else text


def label(key: str, language: Language) -> str:
    """The head of a table or a figure. Raises KeyError for a key that is not in LABELS."""
    return LABELS[key][1 if language == "zh" else 0]
