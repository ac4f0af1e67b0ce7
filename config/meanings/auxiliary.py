"""What every key of strategy.yaml, section auxiliary, means: (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AUXILIARY: Final[Mapping[str, tuple[str, str]]] = {
    "strategy.auxiliary": (
        "Optional signal modules; they have their own sleeve and obey the same guards.",
        "可选的信号模块；它们有自己的策略资金，服从同样的守卫",
    ),
    "strategy.auxiliary.enabled": (
        "true lets the modules below trade, on their own account; needs auxiliary_ratio in account.yaml.",
        "true 让下面的模块交易，用自己的账户；需要 account.yaml 的 auxiliary_ratio",
    ),
    "strategy.auxiliary.modules": (
        "Names of modules in strategy/auxiliary.",
        "strategy/auxiliary 中模块的名字",
    ),
    "strategy.auxiliary.parameters": (
        "Numbers of modules that differ from their defaults, each as "
        '"trend_breakout.ma_bars = 30"; what a module declares, and its bounds, are checked '
        "when it is loaded.",
        '模块的参数中与默认值不同的，每项写作 "trend_breakout.ma_bars = 30"；'
        "有没有这个参数、范围如何，加载时检查",
    ),
    "strategy.auxiliary.symbols": (
        "Instruments the modules look at; empty: those that may be hedged.",
        "模块查看的品种；留空：可对冲的那些",
    ),
    "strategy.auxiliary.exclude": (
        "Instruments in which no module ever enters.",
        "任何模块都不得进场的品种",
    ),
    "strategy.auxiliary.exit_preset": (
        "Plan by which positions end: own is each module's; a preset also brings its size, "
        "its limits and its wish for leverage, as far as they are stricter than the ones "
        "below.",
        "持仓按哪个方案结束：own 是各模块自己的；预设还带来它的仓位、限制与杠杆意愿，但只在比下面更严时有效",
    ),
    "strategy.auxiliary.blacklist": (
        "Coins that keep losing are left alone for a while.",
        "连续亏损的币，暂时不碰",
    ),
    "strategy.auxiliary.blacklist.enabled": (
        "true: no module enters a coin that has lost so often in a row.",
        "true：连续亏损达到次数的币，任何模块都不进场",
    ),
    "strategy.auxiliary.blacklist.losses": (
        "Positions of one coin in a row that ended with a loss, over all modules.",
        "同一个币连续以亏损结束的持仓数，所有模块合计",
    ),
    "strategy.auxiliary.blacklist.hours": (
        "Hours after the last of them in which nothing is entered there.",
        "最后一次亏损之后，多少小时不再进场",
    ),
    "strategy.auxiliary.limits": (
        "What the gate lets through at most, over all modules unless it says otherwise.",
        "闸门最多放行多少；除非另有说明，所有模块合计",
    ),
    "strategy.auxiliary.limits.max_leverage": (
        "Leverage of a position at most; 3 is a red line.",
        "单个持仓的杠杆上限；3 是红线",
    ),
    "strategy.auxiliary.limits.max_risk_ratio": (
        "Of the sleeve, lost when the stop of one position is hit, at most; 0.02 is a red line.",
        "一个持仓触及止损时的亏损，占策略资金的比例上限；0.02 是红线",
    ),
    "strategy.auxiliary.limits.max_entries_per_day": (
        "Entries of one module within any 24 hours; 4 is a red line.",
        "任意 24 小时内单个模块的进场次数；4 是红线",
    ),
    "strategy.auxiliary.limits.min_entry_gap_s": (
        "Seconds between two entries of one module; one hour is a red line.",
        "单个模块两次进场之间的秒数；一小时是红线",
    ),
    "strategy.auxiliary.limits.max_trades_per_day": (
        "Entries of all modules within any 24 hours.",
        "任意 24 小时内所有模块的进场次数",
    ),
    "strategy.auxiliary.limits.max_positions": (
        "Positions held at the same time.",
        "同时持有的仓位数",
    ),
    "strategy.auxiliary.limits.max_notional": (
        "USDT notional of one position at most.",
        "单个持仓的名义价值上限，USDT",
    ),
    "strategy.auxiliary.limits.min_notional": (
        "USDT notional below which nothing is entered.",
        "名义价值低于此值则不进场，USDT",
    ),
    "strategy.auxiliary.limits.max_coin_ratio": (
        "Notional in one coin / the sleeve.",
        "单个币的名义价值 / 策略资金",
    ),
    "strategy.auxiliary.limits.max_total_ratio": (
        "Notional of all positions / the sleeve; the rest stays in cash.",
        "全部持仓的名义价值 / 策略资金；其余保持现金",
    ),
    "strategy.auxiliary.limits.daily_loss_ratio": (
        "Loss since 00:00 UTC, of the sleeve, from which nothing is entered that day.",
        "自 00:00 UTC 起的亏损占策略资金的比例，达到后当天不再进场",
    ),
    "strategy.auxiliary.limits.daily_loss_limit": (
        "The same in USDT; the stricter of the two counts.",
        "同上，以 USDT 计；两者取更严的",
    ),
    "strategy.auxiliary.limits.max_correlation": (
        "Correlation of returns with what is held on the same side; from there on nothing is entered.",
        "与同方向持仓的收益率相关系数，达到后不进场",
    ),
    "strategy.auxiliary.limits.max_deviation_ratio": (
        "Distance of the price from the signal's, a fraction of it; further away it is another trade.",
        "现价距信号价的距离（占信号价的比例）；更远就是另一笔交易",
    ),
    "strategy.auxiliary.limits.max_slippage_bps": (
        "How far from the mid an entry may pay, bps.",
        "进场价距中间价最远多少 bps",
    ),
    "strategy.auxiliary.limits.max_depth_share": (
        "Of the depth within the slippage, taken at most.",
        "滑点范围内的深度，最多吃掉的比例",
    ),
    "strategy.auxiliary.limits.max_market_age_s": (
        "Seconds; an older book enters nothing.",
        "秒；订单簿更旧则不进场",
    ),
}
