"""Every text of a sweep in English and Chinese: one catalogue, told as the backtest report tells its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.report.words import Said
from monitor.words import Language

# key -> (English, Chinese); both use the same fields, a test holds them to it
SWEEP: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Parameter sweep", "参数搜索"),
    "period": (
        "{begin} to {end} UTC, {days} days with funding",
        "{begin} 至 {end}（UTC），有资金费的 {days} 天",
    ),
    "drawn": (
        "{tried} sets tried, sampler {sampler}, seed {seed}",
        "共试 {tried} 组，采样器 {sampler}，种子 {seed}",
    ),
    "told": (
        "{instruments}: {tried} sets on {days} days in {wall_s} s",
        "{instruments}：{days} 天上试了 {tried} 组，用时 {wall_s} 秒",
    ),
    "results": ("results in {folder}, to look at: {page}", "结果在 {folder}，网页：{page}"),
    "promise": (
        "Measured on what was; no promise of what will be.",
        "以上只是对历史的度量，不是对未来的承诺。",
    ),
    # --- while it runs ----------------------------------------------------------------------------
    "study.whole": ("whole", "全部时段"),
    "study.fold": ("fold {n}", "第 {n} 段"),
    "progress": ("{study}: {done} sets, {s} s", "{study}：{done} 组，{s} 秒"),
    "progress.of": ("{study}: {done} of {all} sets, {s} s", "{study}：{done}/{all} 组，{s} 秒"),
    "leader": (
        "{net} a year, fall {fall}, set {n}: {set}",
        "年净收益 {net}，回落 {fall}，第 {n} 组：{set}",
    ),
    # --- figures ----------------------------------------------------------------------------------
    "best": ("net a year, best set", "年净收益，最优组"),
    "usual": ("net a year, as configured", "年净收益，现有配置"),
    "walked": ("net a year, walk-forward", "年净收益，滚动前推"),
    "deflated": ("deflated Sharpe ratio", "去膨胀夏普比率"),
    "above": ("above {share}", "高于 {share}"),
    "below": ("below {share}", "低于 {share}"),
    "a_year": ("{share} a year", "每年 {share}"),
    # --- the chart --------------------------------------------------------------------------------
    "course": ("Over time", "走势"),
    "running": ("Running net", "累计净收益"),
    "running.note": (
        "Equal parts of all instruments, per cent of swap notional, costs deducted, not compounded.",
        "各品种等权，占合约名义价值的百分比，已扣成本，不计复利。",
    ),
    "running.best": ("best set", "最优组"),
    "as_configured": ("as configured", "现有配置"),
    # --- tables -----------------------------------------------------------------------------------
    "sets": ("Best sets", "最优各组"),
    "sets.note.worst": (
        "Net a year per unit of swap notional, the worst of the instruments counts, costs deducted.",
        "单位合约名义价值的年净收益，取最差品种，已扣成本。",
    ),
    "sets.note.mean": (
        "Net a year per unit of swap notional, mean of the instruments, costs deducted.",
        "单位合约名义价值的年净收益，取各品种均值，已扣成本。",
    ),
    "front": ("Front", "帕累托前沿"),
    "front.note": (
        "No other set has both a higher net and a lower {second}.",
        "没有其他组的净收益更高、同时{second}更低。",
    ),
    "set": ("set", "组"),
    "net": ("net", "净收益"),
    "drawdown": ("drawdown", "回撤"),
    "regret": ("regret", "遗憾值"),
    "switches": ("switches", "开平次数"),
    "held": ("held", "持有时间"),
    "sharpe": ("Sharpe a day", "日夏普比率"),
    "walks": ("Walk-forward", "滚动前推"),
    "walks.note": (
        "Each part is judged by the set that was best on other parts, chosen without seeing this one.",
        "每一段都由在其他时段上最优的一组来评判，选择时没有见过这一段。",
    ),
    "judged_on": ("judged on", "评判时段"),
    "span": ("{begin} to {end}", "{begin} 至 {end}"),
    "chosen_net": ("net where chosen", "选择时段净收益"),
    "judged_net": ("net where judged", "评判时段净收益"),
    "usual_net": ("as configured there", "同段现有配置"),
    "mean": ("mean", "平均"),
    "chance": ("Chance", "运气"),
    "chance.note": (
        "Days are taken as independent, which funding is not: read it as too good, never as certainty.",
        "把每一天当作相互独立，而资金费并非如此：这个数字偏乐观，绝不是定论。",
    ),
    "figure": ("figure", "指标"),
    "value": ("value", "数值"),
    "chance.best": ("Sharpe ratio of the best, a day", "最优组的日夏普比率"),
    "chance.lucky": (
        "expected of the best of {tried} without merit",
        "{tried} 组都没有真本事时，最优者的期望值",
    ),
    "chance.merit": (
        "probability that it has merit (deflated Sharpe ratio)",
        "确有真本事的概率（去膨胀夏普比率）",
    ),
    "outlook": ("Monte-Carlo", "蒙特卡洛"),
    "outlook.note": (
        "{paths} years made of random stretches of the record. A loss below zero is a gain. "
        "What never was in the record is in none of them.",
        "由历史的随机片段拼成的 {paths} 个年份。亏损为负即盈利。历史上没有出现过的，这里也不会有。",
    ),
    "of_notional": ("of the notional", "占名义价值"),
    "outlook.mean": ("mean of a year", "年平均"),
    "outlook.losing": ("years below zero", "亏损年份占比"),
    "outlook.var": ("loss of a year, VaR {level}", "年亏损，VaR {level}"),
    "outlook.cvar": ("mean loss beyond it, CVaR {level}", "超出部分的平均亏损，CVaR {level}"),
    "outlook.fall": ("largest fall, {level} of paths below", "最大回落，{level} 的路径低于此值"),
    "stress": ("Stress", "压力情景"),
    "stress.note": (
        "What each does to the net of the best set.",
        "每种情景对最优组净收益的影响。",
    ),
    "scenario": ("scenario", "情景"),
    "effect": ("effect", "影响"),
    "detail": ("detail", "说明"),
    "fees_x2": ("every switch at double cost", "每次开平成本加倍"),
    "fees_x2.detail": ("{bps} bps a switch, and the decisions know it", "每次 {bps} bps，决策时已知"),
    "negative_30_days": ("a month of negative funding", "一个月资金费全为负"),
    "negative_30_days.detail": (
        "every rate of {days} days from {begin} on turned against the short; the worst of {starts} starts",
        "自 {begin} 起 {days} 天的费率全部不利于空头；{starts} 个起点中最差的一个",
    ),
    "negative_30_days.short": ("the record is too short", "历史太短"),
    "basis_blow_out": ("swap and spot torn apart", "合约与现货价差骤然拉开"),
    "basis_blow_out.detail": (
        "{bps} bps for {days} days, closings within: {closings}; as much on paper if held",
        "{days} 天内价差 {bps} bps，其间平仓 {closings} 次；若持有则为同等账面亏损",
    ),
    "runs": ("Confirmed", "完整引擎确认"),
    "runs.note": (
        "The whole engine on the tape, on its capital, with books, margin and compounding.",
        "完整引擎在录制行情上运行，按资金计算，含盘口、保证金与复利。",
    ),
    "runs.net": ("net APR on capital", "资金净年化"),
    "runs.fall": ("largest fall", "最大回落"),
    "runs.opens": ("opened", "开仓"),
    "runs.unexplained": ("unexplained", "账目不符"),
}


def said_in(language: Language) -> Said:
    """The catalogue in one language."""
    return Said(language, SWEEP)


def study_of(name: str, said: Said) -> str:
    """A study's name, `whole` or `fold 2`, in the reader's language."""
    kind, _, n = name.partition(" ")
    return said(f"study.{kind}", n=n)
