"""What the chat says back, in English and Chinese; part of the catalogue in texts.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# topic -> (English, Chinese)
CHAT_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "chat.unknown_command": (
        "{command} is no command here; /help lists them.",
        "没有 {command} 这个指令；/help 列出全部。",
    ),
    "chat.bad_argument": (
        "{command}: {value} is not understood. Allowed: {allowed:list}",
        "{command}：无法识别 {value}。可用：{allowed:list}",
    ),
    "chat.starting": (
        "The engine is starting: there is nothing to show yet.",
        "引擎正在启动，暂无可显示的内容。",
    ),
    "chat.unreadable": ("The books cannot be read right now: {detail}", "账本暂时无法读取：{detail}"),
    "chat.not_held": (
        "{instrument} is not held. Held: {held:list}",
        "未持有 {instrument}。当前持有：{held:list}",
    ),
    "chat.young_curve": (
        "The curve gains a point every hour; so far it is hardly more than the beginning and now. The next"
        " point comes after {at_ms:utc}.",
        "曲线每小时增加一个点；目前几乎只有起点与现在，下一个点在 {at_ms:utc} 之后。",
    ),
    "chat.nothing_held": ("Nothing is held.", "当前无持仓。"),
    "chat.too_old": (
        "{command} was sent {age_ms:span} ago and was not carried out. If you still want it, say it again.",
        "{command} 是 {age_ms:span} 前发出的，未执行。如仍需要，请重新发送。",
    ),
    "chat.confirm": ("Confirm {command} within {seconds} s", "请在 {seconds} 秒内确认 {command}"),
    "chat.expired": (
        "Too late, or asked before the engine started: nothing was done. Say it again.",
        "已过期，或是引擎启动之前的请求：未执行任何操作。请重新发送。",
    ),
    "chat.used": ("That question is no longer open.", "该请求已失效。"),
    "chat.not_yours": ("Only who asked may confirm.", "只有发起人可以确认。"),
    "chat.cancelled": ("{command}: cancelled, nothing was done.", "{command}：已取消，未执行任何操作。"),
    "chat.sent": (
        "{command} was handed to the engine. It tells what comes of it; /status shows it.",
        "{command} 已交给引擎，结果会另行通知；/status 可查看。",
    ),
    "chat.not_sent": ("{command} could NOT be handed over: {detail}", "{command} 未能提交：{detail}"),
    # what a confirmation says will be done
    "chat.plan.flatten": (
        "Sell all spot and buy back all shorts listed above, then STOPPED. "
        "What is held when you confirm counts.",
        "卖出以上全部现货、买回以上全部合约空头，然后进入 STOPPED。以确认时的持仓为准。",
    ),
    "chat.plan.flatten_nothing": (
        "Nothing is held, so there is nothing to close; the engine goes to STOPPED.",
        "当前无持仓，无需平仓；引擎进入 STOPPED。",
    ),
    "chat.plan.flatten_unseen": (
        "The engine is starting: as soon as it is up, everything it holds is closed, then STOPPED.",
        "引擎正在启动：启动后立即平掉全部持仓，然后进入 STOPPED。",
    ),
    "chat.plan.close": (
        "Sell this spot and buy back this short; the other hedges stay. "
        "The engine goes on, and may open it again later.",
        "卖出该现货并买回该合约空头，其余对冲不变。引擎继续运行，之后可能再次开仓。",
    ),
    "chat.plan.halt": (
        "Go to STOPPED. What is held stays, and nobody tops up its margin until /resume.",
        "进入 STOPPED。持仓保留，在 /resume 之前不再补充保证金。",
    ),
    "chat.plan.resume": (
        "Compare books and venue, then leave STOPPED: trading goes on. Causes that wait for you are lifted.",
        "先与交易所对账，然后离开 STOPPED，恢复交易。等待人工处理的限制将被解除。",
    ),
    "chat.plan.pause": (
        "Open nothing new until /unpause. What is held is looked after as before.",
        "在 /unpause 之前不再新开仓，现有持仓照常管理。",
    ),
    "chat.plan.unpause": ("New hedges may be opened again.", "恢复允许新开仓。"),
    "chat.plan.scan": (
        "Look for a hedge now, as if the time had come. If one pays, it is opened.",
        "立即扫描一次，如同到了定时。若有合适机会将会开仓。",
    ),
    "chat.conflict": (
        "another program takes this bot's messages; chat commands may not arrive. One of the two must stop",
        "另有程序在接收此机器人的消息，聊天指令可能收不到，须停掉其中一个",
    ),
    "chat.bad_token": (
        "the bot token is not accepted; chat commands do not work until the next start",
        "机器人 token 被拒，下次启动之前聊天指令不可用",
    ),
    # messages that could not be delivered in time
    "late": ("({age_ms:span} late) {text}", "（迟到 {age_ms:span}）{text}"),
    "digest": (
        "While it was quiet: {warnings} warnings, {infos} notes",
        "静默时段：告警 {warnings} 条，提示 {infos} 条",
    ),
    "digest.more": ("... and {count} more, in the log.", "……另有 {count} 条，见日志。"),
    "daily_report": ("Daily report, {at_ms:utc}", "每日报告，{at_ms:utc}"),
}

# key -> (English, Chinese): names of figures, short enough for a phone
CHAT_LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "as_of": ("as of", "时间"),
    "day": ("today (UTC)", "今日（UTC）"),
    "week": ("7 days", "近 7 天"),
    "month": ("30 days", "近 30 天"),
    "total": ("since start", "开始至今"),
    "last_24h": ("last 24 h", "近 24 小时"),
    "basis_term": ("basis", "基差"),
    "slippage": ("slippage", "滑点"),
    "interest": ("interest", "利息"),
    "other": ("other", "其他"),
    "net": ("net", "净额"),
    "drawdown": ("max drawdown", "最大回撤"),
    "closed_rounds": ("rounds closed", "平仓轮数"),
    "legs": ("legs", "两腿"),
    "settles": ("settles", "结算"),
    "received": ("received", "已收"),
    "next_settlements": ("next settlements", "下次结算"),
    "losing_rounds": ("losing rounds", "连亏轮数"),
    "margin_floor": ("tops up below", "低于则补充"),
    "margin_emergency": ("unwinds below", "低于则平仓"),
    "cash": ("cash", "现金"),
    "swept": ("moved out", "已划出"),
    "coin": ("coin", "币"),
    "last_move": ("last move", "最近动作"),
    "not_held": ("not held", "未持有"),
    "checks_passed": ("checks passed", "通过检查"),
    "never_judged": ("not judged yet", "尚未评估"),
    "no_rounds": ("no closed rounds yet", "暂无平仓记录"),
    "no_logs": ("no log lines", "暂无日志"),
    "balance": ("balance", "资金"),
    "risk": ("risk", "风险"),
    "history": ("closed rounds", "平仓记录"),
    "logs": ("log", "日志"),
    "help": ("commands", "指令"),
    "refresh": ("refresh", "刷新"),
    "yes": ("Yes, do it", "确认执行"),
    "no": ("Cancel", "取消"),
    "close": ("close", "平仓"),
    "pause": ("pause", "暂停"),
    "unpause": ("unpause", "取消暂停"),
    "halt": ("halt", "停止"),
    "flatten": ("flatten", "清仓"),
}
