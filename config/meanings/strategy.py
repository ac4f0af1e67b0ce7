"""What every key of strategy.yaml means: (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from config.meanings.auxiliary import AUXILIARY

STRATEGY: Final[Mapping[str, tuple[str, str]]] = {
    "strategy": (
        "Should we: when a hedge is worth opening, and when it is given up.",
        "该不该做：何时值得开一组对冲，何时放弃它。",
    ),
    "strategy.enabled": (
        "false: nothing is opened and no exit is judged on income; risk exits always work.",
        "false：不开仓，也不按收入判断退出；风控退出始终有效",
    ),
    "strategy.dry_run": (
        "Live mode refuses to start while this is true.",
        "为 true 时，实盘模式拒绝启动",
    ),
    "strategy.auto_trading": (
        "false: scan and explain, never open; exits and repairs still run.",
        "false：只扫描和解释，不开仓；退出与补腿照常",
    ),
    "strategy.funding_rate_threshold": (
        "Funding band in which a hedge may be opened, converted by each instrument's own interval.",
        "可以开仓的资金费率区间，按每个品种自己的资金费间隔换算",
    ),
    "strategy.funding_rate_threshold.min": (
        "Fraction per 8 h; 0.0001 is 0.01 %.",
        "下限，每 8 小时的费率，小数；0.0001 即 0.01 %",
    ),
    "strategy.funding_rate_threshold.max": (
        "Fraction per 8 h; 0.01 is 1 %. Above it something is wrong with the coin.",
        "上限，每 8 小时的费率，小数；0.01 即 1 %。再高就说明这个币有问题",
    ),
    "strategy.forecast": (
        "Exponentially weighted, mean-reverting forecast of funding.",
        "资金费预测：指数加权，向均值回归",
    ),
    "strategy.forecast.half_life_hours": (
        "Hours after which a past settlement counts half.",
        "半衰期，小时：一次结算过去这么久之后，权重只剩一半",
    ),
    "strategy.forecast.horizon_hours": (
        "Hours ahead over which income is counted against cost.",
        "预测期，小时：向前看多久，用这段时间的收入与成本相比",
    ),
    "strategy.forecast.reversion_half_life_hours": (
        "Hours in which the rate comes half way back to its long mean.",
        "费率向长期均值回归一半所需的时间，小时",
    ),
    "strategy.forecast.min_settlements": (
        "Settlements known, below which nothing is opened.",
        "已知的结算次数；少于此数不开仓",
    ),
    "strategy.exit": (
        "When a hedge is given up.",
        "何时放弃一组对冲",
    ),
    "strategy.exit.mode": (
        "expected_cost: when staying is forecast to cost more than leaving and coming back; hysteresis: "
        "after n negative settlements; sign: at the first negative one.",
        "expected_cost：预测留下的损失超过离开再回来的成本时；hysteresis：连续 n 次结算为负之后；sign：第一"
        "次为负时",
    ),
    "strategy.exit.negative_settlements": (
        "For hysteresis: settlements in a row below zero.",
        "用于 hysteresis：连续多少次结算低于零",
    ),
    "strategy.exit.take_profit_ratio": (
        "Gain at which the pair is closed, of the pair's capital; 0.05 is +5 %.",
        "止盈：盈利达到这组对冲资金的这一比例时平掉两腿；0.05 即 +5 %",
    ),
    "strategy.exit.stop_loss_ratio": (
        "Loss at which the pair is closed, of the pair's capital, never of one leg; 0.02 is -2 %.",
        "止损：亏损达到这组对冲资金的这一比例时平掉两腿，绝不按单腿计；0.02 即 -2 %",
    ),
    "strategy.exit.min_hold_hours": (
        "Hours a hedge is kept before an exit on forecast; risk exits do not wait.",
        "按预测退出之前，一组对冲至少持有的小时数；风控退出不等",
    ),
    "strategy.exit.cooldown_hours": (
        "Hours after a close before the same coin is opened again.",
        "平仓之后过多少小时，同一个币才会再次开仓",
    ),
    "strategy.rotation": (
        "When all places are taken: the weakest hedge may give its own to a better coin.",
        "名额已满时：最弱的一组对冲可以把名额让给更好的币",
    ),
    "strategy.rotation.enabled": (
        "false: a hedge is left for its own reasons only.",
        "false：对冲只因它自己的理由退出",
    ),
    "strategy.rotation.min_gain_bps": (
        "Bps of notional over the horizon: forecast of the new coin less that of the held one less the "
        "round trip.",
        "换仓至少要多得的收益，预测期内名义价值的 bps：新币的预测收入，减所持币的预测收入，再减往返成本",
    ),
    "strategy.regime": (
        "Candle figures that can keep a scan from opening.",
        "由 K 线算出、可以阻止一次扫描开仓的指标",
    ),
    "strategy.regime.max_hourly_range_ratio": (
        "High minus low of the last hour / close; above it the market is not calm.",
        "最近一小时的最高价减最低价 / 收盘价；高于此值，行情不算平稳",
    ),
    "strategy.regime.max_funding_percentile": (
        "Rank of today's funding among its own history; above it crowding is extreme; 1 turns it off.",
        "当前费率在自身历史中的分位；高于此值视为极度拥挤；1 为关闭",
    ),
    "strategy.regime.max_open_interest_rise_ratio": (
        "Rise of open interest in 24 h, a fraction, above which crowding is extreme.",
        "持仓量 24 小时的增幅，小数；高于此值视为极度拥挤",
    ),
    "strategy.opening": (
        "How a hedge is opened.",
        "如何开仓",
    ),
    "strategy.opening.min_net_carry_bps": (
        "Expected net carry over the horizon, bps of notional, at least.",
        "预测期内的预期净收益，名义价值的 bps，下限",
    ),
    "strategy.opening.max_slippage_bps": (
        "Slippage per leg, bps from the mid price at decision, at most.",
        "每条腿的滑点，距决策时的中间价，bps，上限",
    ),
    "strategy.opening.maker_first": (
        "true rests the first leg as maker before taking.",
        "true：第一条腿先挂单（maker），之后再吃单",
    ),
    "strategy.opening.maker_wait_s": (
        "Seconds the maker order rests.",
        "挂单（maker）等待的秒数",
    ),
    "strategy.opening.max_basis_bps": (
        "Distance of swap from spot, bps of spot, either way, beyond which nothing is opened.",
        "基差（合约价距现货价，不论高低），现货价的 bps；超过此值不开仓",
    ),
    "strategy.opening.settlement_quiet_s": (
        "Seconds before and after a settlement in which nothing is opened.",
        "结算之前与之后各有多少秒不开仓",
    ),
    **AUXILIARY,
}
