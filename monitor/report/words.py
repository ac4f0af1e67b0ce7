"""Every text of the report in English and Chinese: one catalogue. Fields stand in braces, as in texts.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.words import Language

# key -> (English, Chinese); both use the same fields, a test holds them to it
REPORT: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Backtest report", "回测报告"),
    "period": ("{begin} to {end} UTC, {days} days", "{begin} 至 {end}（UTC），共 {days} 天"),
    "source": ("{coin} from {venue}, bars of {bars}, {mark}", "{coin} 来自 {venue}，K 线周期 {bars}，{mark}"),
    "source.feed": ("order book of {market}", "{market} 盘口录制"),
    "source.mark": ("mark price {bars}", "标记价格 {bars}"),
    "source.no_mark": ("mark price of the swap itself", "标记价格取合约自身价格"),
    "data": ("Data: {sources}.", "数据：{sources}。"),
    "holes": (
        "Gaps in the tape: {n}, {hours} hours in all; the venue was closed there.",
        "录制数据有 {n} 处缺口，共 {hours} 小时，其间视为交易所停机。",
    ),
    "changes": ("Changed for this run: {changes}.", "本次运行更改的设置：{changes}。"),
    "account": ("Account: {mode}.", "账户：{mode}。"),
    "account.futures": (
        "futures mode, only USDT backs the swaps",
        "合约模式，只有 USDT 为合约作保证金",
    ),
    "account.multi": (
        "multi-currency mode, coins back the swaps too, at the venue's discount",
        "跨币种模式，现货也按交易所折算率为合约作保证金",
    ),
    "account.unknown": ("mode not known", "模式未知"),
    "exit": ("exit mode {mode}", "退出模式 {mode}"),
    "capital": ("start {start} USDT, end {end} USDT", "期初 {start} USDT，期末 {end} USDT"),
    "ended": ("ended {state}, permission {permission}", "结束状态 {state}，权限 {permission}"),
    "violations": ("Violated invariants", "违反的不变量"),
    "unexplained": (
        "Books and venue differ by {amount} USDT that nothing explains.",
        "账本与交易所相差 {amount} USDT，原因不明。",
    ),
    "closes": (
        "Books and venue agree to a millionth of a USDT: nothing is unexplained.",
        "账本与交易所相差不到百万分之一 USDT，没有无法解释的差额。",
    ),
    "no_data": ("Nothing was recorded.", "没有记录。"),
    "total": ("total", "合计"),
    "of": ("{part} of {whole}", "{part} / {whole}"),
    "made_of": (
        "Reckoned from the journal beside this page, up to {head}; the same tape and configuration give the "
        "same journal.",
        "由同目录的账本计算，账本末行哈希 {head}；相同的录制数据与配置得到相同的账本。",
    ),
    "page_note": (
        "All times UTC. Amounts in USDT. Trades, settlements and equity stand in trades.csv, funding.csv and "
        "equity.csv beside this page; every figure can be reckoned again from them.",
        "时间均为 UTC，金额单位 USDT。成交、结算与权益见同目录的 trades.csv、funding.csv、equity.csv，"
        "所有数字都可据此重新计算。",
    ),
    "hover": (
        "Point at a chart or tap it to read its values; with the keyboard: Tab, then the arrow keys.",
        "将光标移到图上或轻触即可读数；键盘：按 Tab 选中后使用方向键。",
    ),
    # --- sections ---------------------------------------------------------------------------------
    "section.money": ("Money", "资金"),
    "section.funding": ("Funding", "资金费"),
    "section.risk": ("Risk", "风险"),
    "section.figures": ("Figures", "指标"),
    "section.decisions": ("Decisions", "决策"),
    "section.instruments": ("Instruments", "品种"),
    "section.rounds": ("Rounds", "轮次"),
    # --- charts -----------------------------------------------------------------------------------
    "equity": ("Equity", "权益"),
    "equity.note": ("USDT, net of money moved in and out", "USDT，已扣除出入金"),
    "drawdown": ("Drawdown", "回撤"),
    "drawdown.note": ("below the highest equity so far", "相对此前最高权益"),
    "waterfall": ("From funding to net result", "从资金费到净收益"),
    "waterfall.note": ("USDT; each term booked from facts", "USDT，各项均按实际记账"),
    "months": ("Funding by month", "每月资金费"),
    "months.note": ("USDT received, by instrument; below zero: paid", "按品种的 USDT 收入，零以下为支出"),
    "basis": ("Basis", "基差"),
    "basis.note": ("swap over spot, bps of spot, once an hour", "合约相对现货，单位为现货的 bps，每小时一次"),
    "basis.days": (
        "swap over spot, bps of spot: each day's mean, and shaded its lowest and highest hour",
        "合约相对现货，单位为现货的 bps：线为每日均值，阴影为当日最低与最高",
    ),
    "margin": ("Margin ratio", "保证金率"),
    "margin.note": (
        "equity behind the swaps / their notional; 100 % is unlevered",
        "支持合约的权益 / 合约名义价值，100 % 即无杠杆",
    ),
    "margin.rebalance": ("rebalance below {ratio}", "低于 {ratio} 再平衡"),
    "margin.emergency": ("emergency below {ratio}", "低于 {ratio} 紧急平仓"),
    "margin.red": ("red line {ratio}", "红线 {ratio}"),
    "margin.above": ("values above {ratio} are drawn at the edge", "高于 {ratio} 的值画在边缘"),
    "states": ("Time in state", "各状态时长"),
    "states.note": ("the central machine, from start to end", "中央状态机，从开始到结束"),
    "naked": ("Naked seconds", "单腿敞口秒数"),
    "naked.note": (
        "how long legs stood unequal by a lot or more, by the venue's times",
        "两腿相差一手以上的时长，按交易所时间",
    ),
    "naked.none": ("No leg stood alone for a measurable time.", "没有可测量的单腿敞口时间。"),
    "naked.deadline": ("repair deadline {s} s", "补腿时限 {s} 秒"),
    # --- terms of the money -------------------------------------------------------------------------
    "funding": ("funding", "资金费"),
    "price_result": ("basis", "基差损益"),
    "fees": ("fees", "手续费"),
    "slippage": ("slippage", "滑点"),
    "interest": ("interest", "利息"),
    "other": ("other", "其他"),
    "net": ("net", "净收益"),
    # --- figures: name, and how it is reckoned -------------------------------------------------------
    "figures.return": ("Return", "收益"),
    "figures.fall": ("Risk", "风险"),
    "figures.rounds": ("Rounds", "轮次"),
    "figures.decisions": ("Decisions", "决策"),
    "net_pnl": ("net result", "净收益"),
    "net_pnl.how": ("change of equity, after all costs", "扣除全部成本后的权益变化"),
    "net_apr": ("net APR", "净年化"),
    "net_apr.how": (
        "net result / start equity × 365 d / length, simple",
        "净收益 / 期初权益 × 365 天 / 时长，单利",
    ),
    "sharpe": ("Sharpe", "夏普比率"),
    "sharpe.how": ("mean / deviation of {n} daily returns × √365", "{n} 个日收益的均值 / 标准差 × √365"),
    "sortino": ("Sortino", "索提诺比率"),
    "sortino.how": ("mean / deviation below zero × √365", "均值 / 下行标准差 × √365"),
    "calmar": ("Calmar", "卡玛比率"),
    "calmar.how": ("net APR / deepest drawdown", "净年化 / 最大回撤"),
    "omega": ("Omega", "欧米伽比率"),
    "omega.how": ("gains / losses of daily returns, threshold 0", "日收益之盈利 / 亏损，阈值 0"),
    "max_drawdown": ("max drawdown", "最大回撤"),
    "max_drawdown.how": ("{peak} to {trough}", "{peak} 至 {trough}"),
    "recovery": ("recovery time", "恢复时间"),
    "recovery.how": ("from the trough to the old peak", "从谷底回到前高"),
    "recovery.not": ("not recovered", "尚未恢复"),
    "under_water": ("longest below a peak", "最长水下时间"),
    "under_water.how": ("from a peak until it was seen again", "从高点到再次回到该点"),
    "lowest_margin": ("lowest margin ratio", "最低保证金率"),
    "lowest_margin.how": ("at the hourly looks", "按每小时检查"),
    "max_leverage": ("highest leverage", "最高杠杆"),
    "max_leverage.how": (
        "swap notional / equity behind it, at every decision",
        "合约名义价值 / 支持权益，每次决策时",
    ),
    "longest_naked": ("longest naked leg", "最长单腿敞口"),
    "longest_naked.how": ("seconds; all spells together {s} s", "秒；合计 {s} 秒"),
    "win_rate": ("win rate", "胜率"),
    "rounds.open": ("no round was closed, {n} held at the end", "没有已平仓轮次，期末持有 {n} 轮"),
    "win_rate.how": ("closed rounds with a net gain", "净盈利的已平仓轮次"),
    "payoff": ("payoff", "盈亏比"),
    "payoff.how": ("mean gain / mean loss of closed rounds", "已平仓轮次的平均盈利 / 平均亏损"),
    "expectancy": ("expectancy", "期望值"),
    "expectancy.how": ("mean net result of a closed round, USDT", "每个已平仓轮次的平均净收益，USDT"),
    "turnover": ("turnover", "换手率"),
    "turnover.how": ("both legs' fills / mean equity, a year", "两腿成交额 / 平均权益，年化"),
    "traded": ("traded", "成交额"),
    "traded.how": ("value of all fills, both legs", "两腿全部成交的价值"),
    "capture": ("capture ratio", "捕获率"),
    "capture.how": (
        "this run's decisions / perfect foresight, at constant notional with the same costs",
        "本次决策 / 完美预见，名义价值不变、成本相同",
    ),
    "regret": ("regret against {mode}", "相对 {mode} 的遗憾值"),
    "regret.how": (
        "what that exit mode would have made minus this run, bps of notional",
        "该退出模式的结果减去本次结果，名义价值的 bps",
    ),
    # --- decisions table --------------------------------------------------------------------------
    "decisions.note": (
        "Every way through the same settlements at constant swap notional and the same costs, flat at both "
        "ends: only the decisions count. Perfect foresight knows every rate beforehand.",
        "在相同的结算序列上比较各种决策：合约名义价值不变、成本相同、首尾均为空仓，只比较决策本身。"
        "完美预见事先知道所有费率。",
    ),
    "way": ("way", "方式"),
    "way.run": ("this run", "本次"),
    "way.foresight": ("perfect foresight", "完美预见"),
    "net_bps": ("net, bps", "净收益 bps"),
    "switches": ("switches", "开平次数"),
    "held_n": ("held", "持有"),
    "captured": ("captured", "捕获"),
    "regret_bps": ("regret, bps", "遗憾值 bps"),
    "cost_bps": ("cost per switch, bps", "每次开平成本 bps"),
    # --- tables -----------------------------------------------------------------------------------
    "instrument": ("instrument", "品种"),
    "month": ("month", "月份"),
    "state": ("state", "状态"),
    "time": ("time", "时长"),
    "share": ("share", "占比"),
    "opened": ("opened", "开仓"),
    "closed": ("closed", "平仓"),
    "held_for": ("held for", "持有时长"),
    "notional": ("notional", "名义价值"),
    "settlements": ("settlements", "结算次数"),
    "reason": ("reason", "原因"),
    "still_held": ("held at the end", "期末持有"),
    "forced": ("forced", "强制"),
    "rounds.none": ("No round was opened.", "没有开仓。"),
    "rounds.more": (
        "The last {shown} of {all} rounds; all of them stand in summary.json.",
        "仅显示最近 {shown} 轮，共 {all} 轮，全部见 summary.json。",
    ),
    "series.more": (
        "Drawn: the {shown} of {all} instruments with the largest turnover.",
        "仅绘制成交额最大的 {shown} 个品种，共 {all} 个。",
    ),
    "show_table": ("as a table", "表格"),
}


class Said:
    """A catalogue in one language: the report's, or one in the same shape."""

    def __init__(self, language: Language, catalogue: Mapping[str, tuple[str, str]] = REPORT) -> None:
        self.language: Language = language
        self._catalogue, self._at = catalogue, 1 if language == "zh" else 0

    def __call__(self, key: str, **fields: object) -> str:
        """The text of `key`. Raises KeyError for an unknown key or a missing field."""
        return self._catalogue[key][self._at].format(**fields)
