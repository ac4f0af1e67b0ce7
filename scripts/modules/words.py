"""Every text of a measurement of the modules in English and Chinese, told as the reports tell theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from monitor.report.words import Said
from monitor.words import Language

# key -> (English, Chinese); both use the same fields, a test holds them to it
MODULES: Final[Mapping[str, tuple[str, str]]] = {
    "title": ("Signal modules, measured", "信号模块实测"),
    "off": (
        "No module is switched on by default. This is what they would have come to on recorded history.",
        "默认不启用任何模块。以下是它们在历史行情上会得到的结果。",
    ),
    "period": ("{begin} to {end} UTC, {instruments}", "{begin} 至 {end}（UTC），{instruments}"),
    "costs": (
        "Every fill is a market order: {taker} fee and {slippage} of half spread and slippage "
        "each; funding as "
        "it was settled. Sleeve of {capital} USDT, not compounded: {risk} of it at risk in a "
        "trade, {coin} in "
        "a coin, {day} entries a module in 24 h.",
        "每次成交都按市价单计：手续费 {taker}，半个价差加滑点 {slippage}；资金费按实际结算。辅助仓 {capital} "
        "USDT，不计复利：单笔风险 {risk}，单币 {coin}，每个模块 24 小时内最多开仓 {day} 次。",
    ),
    "sources": ("Candles and funding: {sources}.", "K 线与资金费：{sources}。"),
    "source": ("{instrument} {candles}, {funding}", "{instrument} {candles}、{funding}"),
    "source.none": ("no funding on the tape", "行情里没有资金费"),
    "together.told": (
        "All modules measured here in one sleeve: {net} USDT ({ratio} of it) after costs, {trades} trades, "
        "largest fall {fall}. Doing nothing: 0.",
        "此处度量的模块同在一个辅助仓：扣成本后 {net} USDT（占 {ratio}），{trades} 笔，最大回落 {fall}。"
        "什么都不做：0。",
    ),
    "earned": ("Earned alone: {names}.", "单独盈利：{names}。"),
    "lost": ("Lost money alone: {names}.", "单独亏损：{names}。"),
    "nobody": ("none", "无"),
    "told_of": ("{name} {net} USDT", "{name} {net} USDT"),
    "luck": (
        "An interval that holds 0 means: not told apart from chance.",
        "区间包含 0，表示与运气无法区分。",
    ),
    "results": ("results in {folder}, to look at: {page}", "结果在 {folder}，网页：{page}"),
    "promise": (
        "Measured on what was; no promise of what will be.",
        "以上只是对历史的度量，不是对未来的承诺。",
    ),
    "progress": ("asked: {what}, {s} s", "已问：{what}，{s} 秒"),
    "above": ("above {share}", "高于 {share}"),
    "below": ("below {share}", "低于 {share}"),
    # --- columns ----------------------------------------------------------------------------------
    "module": ("module", "模块"),
    "system": ("system", "来源系统"),
    "bars": ("bars", "K 线"),
    "days": ("days", "天数"),
    "trades": ("trades", "笔数"),
    "win": ("wins", "胜率"),
    "payoff": ("payoff", "盈亏比"),
    "even": ("wins needed", "保本胜率"),
    "r": ("mean R", "均值 R"),
    "interval": ("95 %", "95 % 区间"),
    "toss": ("coin toss R", "掷硬币 R"),
    "toss_win": ("coin toss wins", "掷硬币胜率"),
    "net": ("net USDT", "净额 USDT"),
    "ratio": ("of sleeve", "占辅助仓"),
    "fall": ("largest fall", "最大回落"),
    "merit": ("merit", "真本事概率"),
    "held": ("held h", "持有小时"),
    "gross": ("prices", "价格"),
    "slippage": ("slippage", "滑点"),
    "fees": ("fees", "手续费"),
    "funding": ("funding", "资金费"),
    "coin": ("coin", "币"),
    "plan": ("plan", "退出方案"),
    "claim": ("claim", "声称"),
    "row": ("row", "条目"),
    "on": ("measured on", "度量对象"),
    "verdict": ("verdict", "结论"),
    "reason": ("reason", "原因"),
    "count": ("proposals", "信号数"),
    "lacks": ("what the tape lacks", "行情缺少什么"),
    "together": ("all together", "全部合计"),
    "own": ("own", "自带"),
    "chosen": ("chosen: what differs from the default", "选出的参数：与默认不同之处"),
    "judged_on": ("judged on", "评判时段"),
    "span": ("{begin} to {end}", "{begin} 至 {end}"),
    "default": ("default", "默认"),
    "default_r": ("default R", "默认 R"),
    "judged_r": ("judged R", "评判 R"),
    "judged_trades": ("judged trades", "评判笔数"),
    "best_r": ("best R in hindsight", "事后最优 R"),
    "sets": ("sets", "组数"),
    "naive": ("merit, alone", "概率（未计搜索）"),
    "deflated": ("merit, deflated", "概率（去膨胀）"),
    # --- tables -----------------------------------------------------------------------------------
    "overview": ("Each module alone", "各模块单独运行"),
    "overview.note": (
        "Win: something is left after all costs. R: the net in units of what the first stop would lose. Coin "
        "toss: the same instants and plan, the side by chance. Merit: probability that the "
        "true mean is above "
        "0, trades taken as independent. Names ending in _alone and _by_funding are parts of a module, not "
        "modules.",
        "胜：扣除全部成本后仍有盈余。R：净额除以首个止损会亏的金额。掷硬币：同样的时刻与退出方案，方向随机。"
        "真本事概率：真实均值大于 0 的概率，假定各笔独立。以 _alone 和 _by_funding 结尾的是模块的一部分，"
        "不是模块本身。",
    ),
    "claims": ("Claims beside figures", "声称与实测"),
    "claims.note": (
        "Claims are the reference systems' own. Wins needed: the win rate at which the measured payoff earns "
        "nothing. DTRS, VS and LAICAI's advisers state neither win rate nor payoff. The "
        "baseline of ATS-41 is "
        "not named by its author; the fixed stops of the same system are taken for it.",
        "声称出自各参考系统。保本胜率：在实测盈亏比下不赚不亏所需的胜率。DTRS、VS 与 LAICAI "
        "的辅助策略未声称胜率和盈亏比。ATS-41 的作者没有说明基准，这里取同一系统的固定止损。",
    ),
    "verdict.reached": ("reached", "达到"),
    "verdict.missed": ("not reached", "未达到"),
    "verdict.few": ("too few trades", "笔数太少"),
    "verdict.none": ("cannot be measured", "无法度量"),
    "claim.ats": (
        "dynamic stops: win rate +15 %, payoff +38 %, drawdown −25 %",
        "动态止损：胜率 +15 %，盈亏比 +38 %，回撤 −25 %",
    ),
    "claim.ats.on": (
        "factor_score, stretched against fixed: win rate {win}, payoff {payoff}, fall {fall}",
        "factor_score，动态对固定：胜率 {win}，盈亏比 {payoff}，回落 {fall}",
    ),
    "money": ("Where the money went", "钱去了哪里"),
    "money.note": (
        "USDT over the whole period. Prices: what the tape's own prices would have given without any cost.",
        "整个时段的 USDT。价格：不计任何成本时，行情价格本身会给出的结果。",
    ),
    "coins": ("By coin", "分币种"),
    "coins.note": ("Each with its own plan.", "均按自带退出方案。"),
    "presets": ("Entries under every plan", "同样的入场，不同的退出方案"),
    "presets.note": (
        "The modules' entries, ended by each reference system's plan. Averages of 15 minutes "
        "are taken of the "
        "watched bars where those are longer; smart needs bars of 5 minutes; ATS's factor "
        "rules are left out; "
        "a plan that asks for a least strength hears only signals of it.",
        "模块的入场，用各参考系统的方案退出。所用 K 线长于 15 分钟时，15 分钟均线改用该 K 线；smart 需要 "
        "5 分钟 K 线；不使用 ATS 的因子规则；要求最低强度的方案只听达到强度的信号。",
    ),
    "walks": ("Walk-forward", "滚动前推"),
    "walks.note": (
        "Parameters chosen by search on all parts before, judged on the next, 30 days apart. Best in "
        "hindsight: what the search alone would have shown. Merit, deflated: with the number of sets tried "
        "taken into account.",
        "在此前各段上搜索选参，在下一段上评判，中间隔开 30 天。事后最优：只看搜索会得到的数字。"
        "概率（去膨胀）：已计入试过的组数。",
    ),
    "parts": ("What was chosen", "选出了什么"),
    "parts.note": (
        "Sets that change from part to part tell of chance, not of a market that was understood.",
        "参数逐段变来变去，说明的是运气，而不是读懂了市场。",
    ),
    "missing": ("What cannot be measured here", "这里无法度量的"),
    "missing.note": (
        "Nothing is made up for what a tape does not have.",
        "行情里没有的，不编造。",
    ),
    "lack.events": ("messages of an outside feed", "外部信号源的消息"),
    "lack.open_interest": ("history of open interest", "持仓量历史"),
    "lack.long_short": ("ratio of long to short accounts", "多空账户比"),
    "lack.book": (
        "live order book and the crowd: those votes are left out",
        "实时盘口与人群数据：这些投票不计入",
    ),
    "lack.bars": ("bars of {frames} on the chosen coins", "所选币种的 {frames} K 线"),
    "beside": ("Beside it", "对照"),
    "beside.note": (
        "Buying at the first price and keeping, as spot: one fee and slippage each way, no funding.",
        "按首个价格买入并一直持有（现货）：买卖各一次手续费和滑点，无资金费。",
    ),
    "nothing": ("doing nothing", "什么都不做"),
    "keeping": ("buying and keeping {instrument}", "买入并持有 {instrument}"),
    "refusals": ("Proposals that came to nothing", "没有成交的信号"),
    "refusals.note": (
        "By the sleeve's limits: one position a coin, four entries a module in 24 h, an hour apart.",
        "由辅助仓限制所致：每币一个仓位，每个模块 24 小时内最多四次，间隔一小时。",
    ),
    "refused.something was held there": ("something was held there", "该币已有仓位"),
    "refused.an entry a moment ago": ("an entry a moment ago", "刚刚开过仓"),
    "refused.entries of the day used up": ("entries of the day used up", "当日次数已用完"),
    "refused.the plan cannot be measured there": (
        "the plan cannot be measured there",
        "该处无法度量退出方案",
    ),
    "refused.no bar to enter at": ("no bar to enter at", "没有可入场的 K 线"),
    "refused.the price had run away": ("the price had run away", "价格已跑远"),
    "refused.the plan has no stop there": ("the plan has no stop there", "该处没有可用的止损"),
    # --- the chart --------------------------------------------------------------------------------
    "course": ("Over time", "走势"),
    "running": ("Running net, USDT", "累计净额，USDT"),
    "running.note": (
        "Counted where positions close, all costs deducted, not compounded.",
        "在平仓时计入，已扣全部成本，不计复利。",
    ),
}


def said_in(language: Language) -> Said:
    """The catalogue in one language."""
    return Said(language, MODULES)
