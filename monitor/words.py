"""The engine's single words in the reader's language: states, permissions, conditions, table heads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from monitor.cause_words import CAUSES, EXITS, REASONS
from monitor.chat_texts import CHAT_LABELS
from monitor.phrases import Phrases
from monitor.verdict_words import NOES
from monitor.verdict_words import SENTENCES as SAID

Language = Literal["en", "zh"]

# English reads as written; only the Chinese side needs a table.
SENTENCES: Final[Mapping[str, str]] = {
    **REASONS,
    **EXITS,
    **SAID,
    "The engine finishes what is under way, holds its hedges and starts again with the new settings, "
    "which takes some seconds.": "引擎做完手头的事，保持对冲，再以新配置重新启动，约需数秒。",
}
# Sentences with something filled in. {rule} is a sentence, {names} a list; purpose, outcome,
# status and state are words, anything else is taken over as it is. The page has the same (words.ts).
REPORTS: Final[Mapping[str, str]] = {
    "{purpose} {instrument}: {outcome} with {spot} coins and {contracts} contracts short, "
    "target {target} coins ({rule})": (
        "{purpose} {instrument}：{outcome}，现货 {spot} 枚，合约空头 {contracts} 张，"
        "目标 {target} 枚（{rule}）"
    ),
    "{purpose} of {amount} {ccy}: {status}": "{purpose} {amount} {ccy}：{status}",
    "a price of {names} has jumped and is not confirmed yet": "{names} 的价格跳变，尚未确认",
    "not judged: a price of {names} has jumped and is not confirmed yet": (
        "不判断：{names} 的价格跳变，尚未确认"
    ),
    "margin_emergency: {rule}": "保证金紧急：{rule}",
    "liquidation_near: {rule}": "接近强平：{rule}",
    "drawdown: {rule}": "回撤：{rule}",
    "{state} took too long": "{state}超时",
    "start": "启动",
    "operator": "操作员",
    "dropped: busy or not due": "丢弃：正忙或未到时候",
    "breach before the restart": "重启前已触线",
}
NAMES: Final[Mapping[str, str]] = {
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
    "configure": "更改配置",
    "change refused": "拒绝更改配置",
    "review": "复核",
    "account": "账户",
    "settle": "结算",
    "opened": "已开仓",
    "open_failed": "开仓失败",
    "rebalanced": "已再平衡",
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
    "funding wallet": "资金账户",
    "trading wallet": "交易账户",
    "unresolved_orders": "订单结果未知",
    "unexplained": "账目不符",
    "unexplained balance": "余额无法解释",
    "unexplained_balance": "余额无法解释",
    "external position": "外部持仓",
    "external_position": "外部持仓",
    "another engine": "另有引擎",
    "another_engine": "另有引擎",
    "adopt": "收编",
    "refuse": "不收编",
    "forced deleveraging": "被自动减仓（ADL）",
    "deleveraging near": "接近自动减仓",
    "partial liquidation": "被部分强平",
    "liquidation": "被强平",
    "top-up failed": "补充保证金失败",
    "frozen pair": "交易对冻结",
    "funding bill missing": "缺少资金费账单",
    "round amended": "轮次结果已修正",
    "tick lost": "错过定时任务",
    "the sleeve has ended": "信号模块的资金已结束",
    "no stop at the venue": "交易所没有止损",
    "a position takes too long": "仓位动作过久",
    "no account of the sleeve": "没有信号模块的账户",
    "sleeve stream": "信号模块的数据流",
    "sleeve": "信号模块的资金",
    "candles": "K 线",
    "errand failed": "后台任务失败",
    "last review failed": "最后复核失败",
    "close refused": "拒绝平仓",
    "stream": "数据流",
    "web page": "网页",
    "runtime_state.json": "状态文件",
    "margin_emergency": "保证金紧急",
    "liquidation_near": "接近强平",
    "drawdown": "回撤",
    "clock_offset": "时钟偏差",
    "venue_errors": "交易所错误",
    "rate_pressure": "限频压力",
    "permission": "权限",
    "journal_failed": "账本写入失败",
    "backup failed": "备份失败",
    "task_dead": "部件停止",
    "task_stuck": "部件卡住",
    "task": "部件",
    "loop_lag": "事件循环停顿",
    "disk_full": "磁盘已满",
    "journal": "账本",
    "disk": "磁盘",
    "journal_lag": "账本延迟",
    "missed_ticks": "错过定时任务",
    "scan_late": "扫描延迟",
    "channel_down": "消息通道中断",
    "heartbeat": "心跳",
    "halt marker": "HALT 标记",
    "dead_man": "交易所自动撤单开关",
    "resume refused": "拒绝恢复",
    "clock_drift": "时钟漂移",
    "fees changed": "费率变动",
    "chat": "聊天指令",
    "kept messages": "待发消息",
    "pause": "暂停",
    "unpause": "取消暂停",
    "close": "平掉一个对冲",
    "balanced": "两腿平衡",
    "flat": "无持仓",
    "broken": "失衡",
    "success": "成功",
    "pending": "待定",
    "failed": "失败",
}
_WORDS: Final[Mapping[str, str]] = {**CAUSES, **SENTENCES, **NAMES}

LABELS: Final[Mapping[str, tuple[str, str]]] = {
    **CHAT_LABELS,
    "title": ("funding engine", "资金费引擎"),
    "since": ("since", "自"),
    "permission": ("permission", "权限"),
    "breaker": ("breaker open", "熔断中"),
    "equity": ("equity", "权益"),
    "today": ("today", "当日"),
    "unrealised": ("held hedges", "持仓盈亏"),
    "funding": ("funding", "资金费"),
    "fees": ("fees", "手续费"),
    "margin": ("margin", "保证金率"),
    "scans": ("scans", "扫描"),
    "orders": ("orders", "订单"),
    "rejects": ("rejects", "拒单"),
    "settled": ("settlements", "结算"),
    "rounds": ("openings today", "当日开仓"),
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
    "web": ("Page and API", "页面与 API"),
    "starting": ("starting ...", "启动中 ..."),
}


def word(value: object, language: Language) -> str:
    """A word of the engine (a state, a permission, a condition) in the reader's language."""
    text = str(value)
    if language == "zh":
        return _WORDS.get(text, text)
    return text.replace("_", " ") if text.islower() else text


def sentence(text: str, language: Language) -> str:
    """A reason of the engine's, also with something filled in; an operator's own words stay as they are."""
    if language == "en":
        return text
    return SENTENCES.get(text) or _REPORTED.said(text) or text


def verdict_sentence(guard: str, ok: bool, reason: str, language: Language) -> str:
    """What a guard says, in the reader's language."""
    if not ok and guard in NOES:
        return NOES[guard][language == "zh"]
    return sentence(reason, language)


def _chinese(text: str) -> str:
    return word(text, "zh")


_REPORTED: Final = Phrases(
    REPORTS,
    {
        **dict.fromkeys(("purpose", "outcome", "status", "state"), _chinese),
        "rule": lambda text: sentence(text, "zh"),
        "names": lambda names: names.replace(", ", "、"),
    },
    {"purpose": r"[a-z_]+", "state": r"[A-Z]+", "status": r"[a-z]+", "names": r"[A-Z0-9, -]+"},
)


def label(key: str, language: Language) -> str:
    """The head of a table or a figure. Raises KeyError for a key that is not in LABELS."""
    return LABELS[key][1 if language == "zh" else 0]
