"""Everything the engine says to people, in English and Chinese: one catalogue, one pure function.

A text names its fields in braces with how they read: `{pnl:signed}` is USDT with its sign. The ways are
the functions of monitor/formats.py, `list` (comma separated) and `word` (translated where a translation
exists). What stands in square brackets is said when its fields are there. Fields a text does not use are
ignored, so callers may pass what they have.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from string import Formatter
from typing import Any, Final

from monitor import formats
from monitor.chat_texts import CHAT_TEXTS
from monitor.words import Language, word

_OPTIONAL = re.compile(r"\[([^\]]*)\]")


class TextError(ValueError):
    """A message cannot be rendered: unknown topic, missing field, or a field of the wrong kind."""


# topic -> (English, Chinese); both use the same fields, a test holds them to it
TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "start": (
        "Engine starting in {mode:word} mode[, version {version}]: {instruments:list}.",
        "引擎启动，{mode:word}模式[，版本 {version}]：{instruments:list}。",
    ),
    "connected": (
        "Connected to {venue}.[ Equity {equity:usdt} USDT.]"
        "[ State {state:word}, permission {permission:word}.]",
        "已连接 {venue}。[权益 {equity:usdt} USDT。][状态 {state:word}，权限 {permission:word}。]",
    ),
    "opened": (
        "Opened {instrument}: {size:coins} coins long spot and short swap"
        "[, {notional:usdt} USDT][, funding rate {rate:rate}]. Reason: {reason:word}",
        "已开仓 {instrument}：现货多、合约空各 {size:coins} 枚"
        "[，名义 {notional:usdt} USDT][，资金费率 {rate:rate}]。原因：{reason:word}",
    ),
    "closed": (
        "Closed {instrument}[ after {held_ms:span}][: {pnl:signed} USDT][, funding {funding:signed} USDT]"
        "[, fees {fees:usdt} USDT][, {settlements} settlements]. Reason: {reason:word}",
        "已平仓 {instrument}[，持有 {held_ms:span}][，盈亏 {pnl:signed} USDT][，资金费 {funding:signed} USDT]"
        "[，手续费 {fees:usdt} USDT][，结算 {settlements} 次]。原因：{reason:word}",
    ),
    "sleeve_entering": (
        "Signal of {module} in {instrument}: {side:word}, strength {strength}.",
        "{module} 在 {instrument} 发出信号：{side:word}，强度 {strength}。",
    ),
    "sleeve_closed": (
        "Position of {module} in {instrument} is closed: {net:signed} USDT. Reason: {reason}",
        "{module} 在 {instrument} 的仓位已平：{net:signed} USDT。原因：{reason}",
    ),
    "rebalanced": (
        "Rebalanced {instrument} ({purpose:word}), now {size:coins}. Reason: {reason:word}",
        "已调整 {instrument}（{purpose:word}），数量 {size:coins}。原因：{reason:word}",
    ),
    "moved": (
        "Moved {size:usdt} {instrument} to the {to:word} ({purpose:word}). Reason: {reason:word}",
        "已将 {size:usdt} {instrument} 划转到{to:word}（{purpose:word}）。原因：{reason:word}",
    ),
    "settlement": (
        "Funding {instrument}: {amount:signed} USDT[ at {rate:rate}][, mark price {mark:coins}]"
        "[, position {size:coins} contracts][, {total:signed} USDT since opening].",
        "资金费 {instrument}：{amount:signed} USDT[，费率 {rate:rate}][，标记价 {mark:coins}]"
        "[，持仓 {size:coins} 张][，开仓以来 {total:signed} USDT]。",
    ),
    "breach": (
        "BREACH: {what:word}: {detail:word}[. Now: {action}]",
        "触线：{what:word}：{detail:word}[。处理：{action}]",
    ),
    "alarm": ("ALARM: {what:word}: {detail}", "警报：{what:word}：{detail}"),
    "permission": (
        "Permission is now {level:word}[ (was {previous:word})][, {cause:word}][: {reason:word}]",
        "权限变为 {level:word}[（原为 {previous:word}）][，{cause:word}][：{reason:word}]",
    ),
    "breaker": (
        "Circuit breaker tripped: {reason:word}[. Today {day_pnl:signed} USDT]"
        "[. {losing_rounds} losing rounds in a row]",
        "熔断触发：{reason:word}[。当日 {day_pnl:signed} USDT][。连续亏损 {losing_rounds} 轮]",
    ),
    "stop": (
        "Engine stopped: {reason}[. State {state:word}][. Equity {equity:usdt} USDT]",
        "引擎停止：{reason}[。状态 {state:word}][。权益 {equity:usdt} USDT]",
    ),
    "trouble": ("Trouble: {what:word}: {detail}", "异常：{what:word}：{detail}"),
    "recovered": (
        "Recovered: {what:word}[ after {lasted_ms:span}]",
        "已恢复：{what:word}[，历时 {lasted_ms:span}]",
    ),
    "self_check_failed": (
        "The self-check refuses to start: {check}: {detail}[. To do: {advice}]",
        "自检未通过，拒绝启动：{check}：{detail}[。处理：{advice}]",
    ),
    "ownership": ("Ownership: {detail}", "归属：{detail}"),
    "operator": ("Operator: {command:word}[: {result}]", "人工指令：{command:word}[：{result}]"),
    **CHAT_TEXTS,
    # the process beside the engine, and close_all
    "watchdog.watches": (
        "Watchdog: watching {folder}; takes over after {after_s} s.",
        "看门狗：正在监视 {folder}，失联 {after_s} 秒后接管。",
    ),
    "watchdog.suspects": (
        "Watchdog: the engine's {why} is missing.",
        "看门狗：引擎异常，缺失 {why}。",
    ),
    "watchdog.calm": ("Watchdog: the engine is well again.", "看门狗：引擎已恢复正常。"),
    "watchdog.blind": ("Watchdog: the venue cannot be asked: {detail}", "看门狗：无法查询交易所：{detail}"),
    "watchdog.sighted": ("Watchdog: the venue answers again.", "看门狗：交易所已恢复应答。"),
    "watchdog.strikes": (
        "WATCHDOG TAKES OVER: {why}. The HALT marker is set; everything of ours is being closed.",
        "看门狗接管：{why}。已设置 HALT 标记，正在平掉本引擎的全部持仓。",
    ),
    "watchdog.flat": (
        "FLAT, by the venue's own figures, with {orders} orders: {detail}",
        "已全部平仓（以交易所数据为准，共 {orders} 笔订单）：{detail}",
    ),
    "watchdog.not_flat": (
        "NOT FLAT: {detail}",
        "尚未平仓：{detail}",
    ),
    # conditions of health_check.py
    "health.stream_down": ("stream {streams:list} is down", "行情/账户流 {streams:list} 中断"),
    "health.market_stale": (
        "market data of {instruments:list} is {age_ms:span} old",
        "{instruments:list} 行情已过期 {age_ms:span}",
    ),
    "health.account_stale": ("account snapshot is {age_ms:span} old", "账户快照已过期 {age_ms:span}"),
    "health.account_unknown": ("the account has not been seen yet", "尚未取得账户数据"),
    "health.margin_low": (
        "margin ratio {ratio:percent} is below {floor:percent}",
        "保证金率 {ratio:percent} 低于 {floor:percent}",
    ),
    "health.journal_failed": ("the journal cannot be written", "日志账本无法写入"),
    "health.task_dead": ("a part of the engine is dead: {tasks:list}", "引擎部件已停止：{tasks:list}"),
    "health.task_stuck": ("a part of the engine is stuck: {tasks:list}", "引擎部件卡住：{tasks:list}"),
    "health.loop_lag": (
        "the event loop was away for {lag_ms} ms",
        "事件循环停顿 {lag_ms} 毫秒",
    ),
    "health.disk_full": (
        "the disk is full; the journal stands in the room kept for that",
        "磁盘已满，账本正在使用预留空间",
    ),
    "health.journal_lag": ("the journal is {lag_ms} ms behind", "日志账本落后 {lag_ms} 毫秒"),
    "health.clock_offset": ("the venue's clock is {offset_ms} ms off", "与交易所时钟相差 {offset_ms} 毫秒"),
    "health.latency": ("the venue answers in {latency_ms} ms", "交易所响应耗时 {latency_ms} 毫秒"),
    "health.venue_errors": (
        "{errors} errors and {rejects} rejects in the last minute",
        "最近一分钟 {errors} 次错误，{rejects} 次拒单",
    ),
    "health.rate_pressure": ("request limits are used to {use:percent}", "请求限额已用 {use:percent}"),
    "health.maintenance": (
        "venue maintenance {title}, from {begin_ms:utc}",
        "交易所维护 {title}，开始于 {begin_ms:utc}",
    ),
    "health.permission": (
        "permission is {level:word}: {reason:word}[; causes: {causes}]",
        "权限为 {level:word}：{reason:word}[；原因：{causes}]",
    ),
    "health.clock_drift": (
        "this machine's clock drifts {drift_ms} ms a day",
        "本机时钟每天漂移 {drift_ms} 毫秒",
    ),
    "health.breaker": ("the circuit breaker is open: {reason}", "熔断中：{reason}"),
    "health.unresolved_orders": (
        "the outcome of {count} orders is not known",
        "{count} 笔订单结果未知",
    ),
    "health.unexplained": ("books and venue differ: {reason}", "账本与交易所不一致：{reason}"),
    "health.unhedged": ("a leg of {instruments:list} stands unhedged", "{instruments:list} 存在单腿敞口"),
    "health.missed_ticks": ("{count} scheduled ticks were missed", "错过 {count} 次定时任务"),
    "health.scan_late": ("the last scan was {age_ms:span} ago", "距上次扫描已 {age_ms:span}"),
    "health.channel_down": ("messages to {channels:list} do not get through", "{channels:list} 消息无法送达"),
}


def render(topic: str, fields: Mapping[str, object], language: Language) -> str:
    """Return the text of `topic` with `fields` filled in.

    Raises TextError naming topic and field when the topic is unknown, a field is missing, or a field
    cannot be read the way the text wants it.
    """
    if topic not in TEXTS:
        raise TextError(f"no text for topic {topic!r}; known: {', '.join(TEXTS)}")
    given = {name for name, value in fields.items() if value not in (None, "")}
    text = _OPTIONAL.sub(lambda part: part[1] if _names(part[1]) <= given else "", _text(topic, language))
    return _Filler(topic, language).vformat(text, (), fields)


def required_fields(topic: str, language: Language = "en") -> frozenset[str]:
    """The fields a caller must pass for `topic`."""
    return _names(_OPTIONAL.sub("", _text(topic, language)))


def optional_fields(topic: str, language: Language = "en") -> frozenset[str]:
    """The fields a caller may leave out; what they belong to is then not said."""
    return _names(_text(topic, language)) - required_fields(topic, language)


def _text(topic: str, language: Language) -> str:
    return TEXTS[topic][1 if language == "zh" else 0]


def _names(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _amount(read: Callable[[Decimal], str]) -> Callable[[Any], str]:
    # Journal rows carry Decimals as text, so text that is a number is one.
    return lambda value: read(Decimal(value) if isinstance(value, str | int) else value)


_WAYS: Final[Mapping[str, Callable[[Any], str]]] = {
    "usdt": _amount(formats.usdt),
    "signed": _amount(formats.signed_usdt),
    "coins": _amount(formats.coins),
    "rate": _amount(formats.rate),
    "percent": _amount(formats.percent),
    "utc": formats.utc,
    "span": formats.span,
    "": str,
}


class _Filler(Formatter):
    def __init__(self, topic: str, language: Language) -> None:
        self._topic, self._language = topic, language

    def get_value(self, key: int | str, args: Any, kwargs: Mapping[str, Any]) -> Any:
        if key not in kwargs:
            raise TextError(f"the text {self._topic!r} needs the field {key!r}")
        return kwargs[str(key)]

    def format_field(self, value: Any, format_spec: str) -> str:
        if value is None:
            return formats.ABSENT
        if format_spec == "word":
            return word(value, self._language)
        if format_spec == "list":
            return _listed(value)
        try:
            return _WAYS[format_spec](value)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise TextError(f"the text {self._topic!r} cannot read {value!r} as {format_spec}") from error


def _listed(value: str | Iterable[object]) -> str:
    return value if isinstance(value, str) else ", ".join(str(item) for item in value)
