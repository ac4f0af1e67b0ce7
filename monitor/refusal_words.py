"""What a change of the configuration is refused with, in Chinese, line by line.

The engine's own words stay as they are written: in the log, on the command line, in the API. Whoever shows
them to a reader of Chinese asks here; a line nobody has foreseen is shown as it was said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from monitor.phrases import Phrases

# English -> Chinese. {rule} is said by another line of these tables, {what} is a key and its value as it was
# written, {names} a list, {bounds} numbers; anything else in braces is taken over as it is.
LINES: Final[Mapping[str, str]] = {
    "{n} problem in configuration folder {folder} and the changes over it:": (
        "配置目录 {folder} 及其上的更改有 {n} 处问题："
    ),
    "{n} problems in configuration folder {folder} and the changes over it:": (
        "配置目录 {folder} 及其上的更改有 {n} 处问题："
    ),
    "{n} problem in configuration folder {folder}:": "配置目录 {folder} 有 {n} 处问题：",
    "{n} problems in configuration folder {folder}:": "配置目录 {folder} 有 {n} 处问题：",
    "configuration folder {folder} does not exist or is not a folder": "配置目录 {folder} 不存在或不是目录",
    "{file} line {line}: {what}; {rule}": "{file} 第 {line} 行：{what}；{rule}",
    "version: {version}; allowed: {now}, the present one": "版本 {version}：允许 {now}，即当前版本",
    "changes: none; allowed: at least one key with a value, or null to take it back": (
        "更改：没有；允许：至少一个键及其值，或以 null 收回"
    ),
    "changes: {what}; only the files on the host may change it": "更改 {what}：只有主机上的文件可以更改它",
    "changes: {key}; allowed: a value of at most {most} characters": "更改 {key}：允许至多 {most} 个字符的值",
    "changes: {n} keys; allowed: at most {most}": "更改 {n} 个键：允许至多 {most} 个",
    "changes: {names}; nothing in force would become another": "更改 {names}：没有任何生效的值会改变",
    "{path} cannot be read ({why}): mend it, or remove it to go back to the files alone": (
        "{path} 无法读取（{why}）：请修复，或将其移走，回到只有文件的配置"
    ),
}

# What is allowed, as config/fields.py and config/yaml_lines.py say it.
KINDS: Final[Mapping[str, str]] = {
    "allowed: {rule}": "允许：{rule}",
    "{rule}; without quotes": "{rule}；不加引号",
    "{rule}; as text it needs quotes: {text}": "{rule}；作为文本需加引号：{text}",
    "{rule}, or nothing (null)": "{rule}，或留空（null）",
    "a list of {least} to {most} entries, each {rule}": "列表，{least} 至 {most} 项，每项是{rule}",
    "a list, each {rule}": "列表，每项是{rule}",
    "true or false": "true 或 false",
    "one of {names}": "{names} 之一",
    "a whole number{bounds}": "整数{bounds}",
    "a whole number": "整数",
    "a number{bounds}": "数{bounds}",
    "a number": "数",
    "text matching {pattern}": "格式为 {pattern} 的文本",
    "text": "文本",
    "a section with the keys {names}": "含有以下键的一节：{names}",
    "keys with values": "带值的键",
    "a number in plain decimal digits: write {number}": "普通十进制数字：写作 {number}",
    "a number in plain decimal digits, at most {most} of them, such as 0.0001 or 12000": (
        "普通十进制数字，至多 {most} 位，如 0.0001 或 12000"
    ),
    "the value written out": "写出完整的值",
    "each key once; first on line {line}": "每个键一次；首次在第 {line} 行",
    "a name; quote it if it reads as something else": "名称；若会被读作别的东西，请加引号",
    "a plain value without a tag": "不带标签的普通值",
    "a file of at most {most} bytes": "至多 {most} 字节的文件",
    "text encoded as UTF-8": "UTF-8 编码的文本",
    "valid YAML": "合法的 YAML",
    "printable text": "可打印的文本",
    "at most a few levels of nesting": "至多几层嵌套",
    "this file must exist; the shipped one is a good start": "此文件必须存在；随附的文件是好的起点",
    "the file must be readable": "文件必须可读",
    "only the files on the host may change it": "只有主机上的文件可以更改它",
    "unknown key; allowed: a file's name and its key, with dots": (
        "未知的键；允许：文件名与其中的键，以点连接"
    ),
    "unknown key; did you mean {key}? allowed: {names}": "未知的键；是否指 {key}？允许：{names}",
    "unknown key; allowed: {names}": "未知的键；允许：{names}",
    "not a configuration file; allowed: {names}": "不是配置文件；允许：{names}",
    "no secret in YAML: put it in .env or the environment, see .env.example": (
        "YAML 中不放密钥：请放入 .env 或环境变量，见 .env.example"
    ),
}

# What keys may not say against each other: the models' own words.
CONTRADICTIONS: Final[Mapping[str, str]] = {
    "spot_ratio + futures_ratio must be at most 1, not {sum}": (
        "spot_ratio + futures_ratio 不得大于 1，现为 {sum}"
    ),
    "core_ratio + auxiliary_ratio must be at most 1, not {sum}": (
        "core_ratio + auxiliary_ratio 不得大于 1，现为 {sum}"
    ),
    "max_position_value {value} is above total_capital {most}": (
        "max_position_value {value} 高于 total_capital {most}"
    ),
    "futures_ratio / spot_ratio below 1/3 would open above 3x leverage": (
        "futures_ratio / spot_ratio 低于 1/3 会使开仓杠杆超过 3 倍"
    ),
    "instruments names one twice: {names}": "instruments 中有重复：{names}",
    "{names} is both in instruments and in universe.exclude": (
        "{names} 同时在 instruments 与 universe.exclude 中"
    ),
    "{low} {least} must be below {high} {most}": "{low} {least} 必须小于 {high} {most}",
    "this version trades by no auxiliary module yet: enabled: false and modules: [] are allowed": (
        "此版本尚不按辅助模块交易：只允许 enabled: false 与 modules: []"
    ),
    "need emergency_below < rebalance_below <= target < sweep_above, not {names}": (
        "须满足 emergency_below < rebalance_below <= target < sweep_above，现为 {names}"
    ),
    "open_above {value} is below rebalance_below {least}": "open_above {value} 低于 rebalance_below {least}",
    "emergency_below {value} must stay above 0.3334 (3x, a red line)": (
        "emergency_below {value} 必须高于 0.3334（3 倍，红线）"
    ),
    "need degradation.latency_notice_ms <= exchange.max_latency_ms <= "
    "degradation.latency_reduce_ms, not {names}": (
        "须满足 degradation.latency_notice_ms <= exchange.max_latency_ms <= "
        "degradation.latency_reduce_ms，现为 {names}"
    ),
    "risk.liquidity.max_spread_bps is above twice strategy.opening.max_slippage_bps: "
    "an order inside the slippage bound could never fill": (
        "risk.liquidity.max_spread_bps 高于 strategy.opening.max_slippage_bps 的两倍："
        "滑点界内的订单永远无法成交"
    ),
    "account leaves no budget for the spot leg": "account 没有给现货腿留下资金",
    "risk.circuit_breaker.daily_loss_limit is above account.total_capital: the breaker could never trip": (
        "risk.circuit_breaker.daily_loss_limit 高于 account.total_capital：熔断永远不会触发"
    ),
    "telegram.enabled needs at least one chat id in chat_ids": (
        "telegram.enabled 需要 chat_ids 中至少一个聊天编号"
    ),
    "email.enabled needs host, sender and at least one address in recipients": (
        "email.enabled 需要 host、sender 与 recipients 中至少一个地址"
    ),
    "email.user with security none would send the password in the clear": (
        "email.user 配 security none 会以明文发送密码"
    ),
    "receiver.enabled needs url": "receiver.enabled 需要 url",
    "need drought_severe_ratio < drought_medium_ratio < drought_mild_ratio, not {names}": (
        "须满足 drought_severe_ratio < drought_medium_ratio < drought_mild_ratio，现为 {names}"
    ),
    "after_exit_s {value} is below after_s {least}": "after_exit_s {value} 低于 after_s {least}",
}

# What stands in the place of a value.
_STANDINGS: Final[Mapping[str, str]] = {
    "missing": "缺少",
    "unreadable": "不可读",
    "empty": "空",
    "no keys": "没有键",
    "unknown file": "未知的文件",
    "a section": "一节",
    "too many levels": "层数过多",
    "a second time": "第二次出现",
    "an alias (*name)": "别名（*name）",
}
_BOUNDS: Final[Mapping[str, str]] = {
    "above": "大于",
    "at least": "不小于",
    "below": "小于",
    "at most": "不大于",
}
_BOUND: Final = rf"({'|'.join(_BOUNDS)}) ([-0-9.]+)"
_SHAPES: Final[Mapping[str, str]] = {
    "n": r"\d+",
    "line": r"\d+",
    "bounds": rf" {_BOUND}(?: and {_BOUND})*",
    "low": r"[a-z_]+",
    "high": r"[a-z_]+",
}


def refusal_in_chinese(text: str) -> str:
    """The refusal, line by line; a line without Chinese stays as it is."""
    lines = [(line, line.lstrip()) for line in text.split("\n")]
    return "\n".join(line[: len(line) - len(said)] + _said(said) for line, said in lines)


def _said(text: str) -> str:
    return _PHRASES.said(text) or text


def _standing(text: str) -> str:
    """A key and its value; keys of other files stand with their place."""
    key, sign, value = text.partition(" = ")
    placed = re.sub(r" \((\S+) line (\d+)\)", r"（\1 第 \2 行）", key)
    return placed + sign + _STANDINGS.get(value, value) if sign else _STANDINGS.get(text, placed)


def _bounds(text: str) -> str:
    return "".join(f"，{_BOUNDS[word]} {bound}" for word, bound in re.findall(_BOUND, text))


def _names(text: str) -> str:
    return text.replace(", ", "、")


_PHRASES: Final = Phrases(
    {**LINES, **KINDS, **CONTRADICTIONS},
    {"rule": _said, "what": _standing, "bounds": _bounds, "names": _names},
    _SHAPES,
)
