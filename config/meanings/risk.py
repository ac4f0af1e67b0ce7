"""What every key of risk.yaml means: (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

RISK: Final[Mapping[str, tuple[str, str]]] = {
    "risk": (
        "May we: the limits. Red lines are not here: they are code and cannot be configured away.",
        "能不能做：限值。红线不在这里：它们是代码，不能通过配置取消。",
    ),
    "risk.margin": (
        "Margin ratio = equity that backs the swap / swap notional at mark; 1 = unlevered, 0.33 = 3x.",
        "保证金率 = 支撑合约的权益 / 合约名义价值（按标记价格）；1 为无杠杆，0.33 即 3 倍",
    ),
    "risk.margin.open_above": (
        "Ratio an opening needs.",
        "开仓所需的保证金率",
    ),
    "risk.margin.rebalance_below": (
        "Ratio below which margin is topped up or the hedge made smaller.",
        "保证金率低于此值，就补足保证金或缩小对冲",
    ),
    "risk.margin.emergency_below": (
        "Ratio below which everything is unwound.",
        "保证金率低于此值，就全部平仓",
    ),
    "risk.margin.target": (
        "Ratio a top-up restores.",
        "补足之后恢复到的保证金率",
    ),
    "risk.margin.sweep_above": (
        "Ratio above which what exceeds the target is swept out.",
        "保证金率高于此值，就把超出目标的部分划出",
    ),
    "risk.margin.min_transfer_usdt": (
        "USDT; smaller transfers are not made.",
        "小于此金额的划转不做，USDT",
    ),
    "risk.margin.venue_ratio_warning": (
        "The venue's own mgnRatio (it liquidates at 1): no opening at or below this, below half of it all is "
        "unwound.",
        "交易所自己的 mgnRatio，另一种尺度：到 1 即强平；不高于此值时不开仓，低于它的一半时全部平仓",
    ),
    "risk.margin.max_age_s": (
        "Seconds; an older account snapshot refuses.",
        "账户快照的最大时效，秒；更旧则拒绝",
    ),
    "risk.margin.project_sigmas": (
        "A rise of so many standard deviations of the last hour is prepared for; 0 looks at now only.",
        "为多大的上涨预留保证金，以最近一小时的标准差计；0 只看现在",
    ),
    "risk.margin.project_minutes": (
        "Minutes within which it may come.",
        "这一上涨可能在多少分钟之内到来",
    ),
    "risk.margin.stress_rise_ratio": (
        "Rise of all prices at once, a fraction, after which an opening must leave more than the venue "
        "liquidates at; no debt either.",
        "所有价格同时上涨的幅度，小数；开仓之后必须经得住它，余下的仍高于交易所的强平线；也不得欠债",
    ),
    "risk.drift": (
        "Drift = |net delta| / hedge quantity.",
        "偏差 = |净敞口| / 对冲数量",
    ),
    "risk.drift.rebalance_above": (
        "Fraction above which the legs are made equal; 0.01 is 1 %.",
        "偏差高于此值，就使两腿重新相等，小数；0.01 即 1 %",
    ),
    "risk.deleveraging": (
        "The venue's indicator of forced deleveraging on the short, 0 to 5 = first in line.",
        "交易所对空头的自动减仓（ADL）指示，0 到 5，5 为最先被减",
    ),
    "risk.deleveraging.warn_rank": (
        "Rank from which on a look counts.",
        "从这一级起，一次查看才算数",
    ),
    "risk.deleveraging.samples": (
        "Looks in a row, a second or more apart, before it is answered.",
        "连续多少次查看都达到这一级（每次相隔一秒以上）才应对",
    ),
    "risk.deleveraging.shrink_share": (
        "Share of both legs given up by choice, before one is taken by force.",
        "在一条腿被强制减掉之前，两腿主动放弃的比例",
    ),
    "risk.circuit_breaker": (
        "What stops new risk after losses.",
        "亏损之后，什么会停止新增风险",
    ),
    "risk.circuit_breaker.losing_rounds": (
        "Closed rounds in a row with a net loss; ends by `resume` only.",
        "连续多少轮净亏损即熔断；只能用 `resume` 结束",
    ),
    "risk.circuit_breaker.daily_loss_limit": (
        "USDT lost since 00:00 UTC.",
        "自 UTC 00:00 起的亏损达到多少即熔断，USDT",
    ),
    "risk.circuit_breaker.max_drawdown_ratio": (
        "Fall from the equity peak, a fraction; a breach unwinds everything.",
        "权益自最高点的回撤，小数；触线即全部平仓",
    ),
    "risk.circuit_breaker.max_opens_per_day": (
        "Openings per UTC day.",
        "每个 UTC 日的开仓次数上限",
    ),
    "risk.circuit_breaker.cooldown_hours": (
        "Hours after which a daily-loss trip ends by itself.",
        "当日亏损引起的熔断在多少小时后自行结束",
    ),
    "risk.liquidity": (
        "The book must carry our size.",
        "盘口必须容得下我们的数量",
    ),
    "risk.liquidity.max_depth_share": (
        "Share of the depth within the band that we may take.",
        "深度带内的深度，我们至多吃掉的比例",
    ),
    "risk.liquidity.depth_band_bps": (
        "Width of the band from the mid price, bps.",
        "深度带的宽度，距中间价，bps",
    ),
    "risk.liquidity.min_depth_usdt": (
        "USDT within the band on each leg's side, at least.",
        "深度带内的深度，每条腿所吃的一侧，USDT，下限",
    ),
    "risk.liquidity.max_spread_bps": (
        "Spread of either book, bps of mid, at most.",
        "任一盘口的买卖价差，中间价的 bps，上限",
    ),
    "risk.liquidity.max_wick_ratio": (
        "Wick of the last closed 3m bar / close, at most.",
        "最近一根收盘的 3m K 线的影线 / 收盘价，上限",
    ),
    "risk.exchange": (
        "When the venue is not fit to open on.",
        "交易所何时不适合开仓",
    ),
    "risk.exchange.max_errors_per_minute": (
        "Requests without a usable answer per minute; this many stop new risk.",
        "每分钟没有得到有效回答的请求数；达到此数就停止新增风险",
    ),
    "risk.exchange.max_rejects_per_minute": (
        "Refused orders per minute; this many stop new risk.",
        "每分钟的拒单数；达到此数就停止新增风险",
    ),
    "risk.exchange.max_market_age_s": (
        "Seconds; older books or mark prices refuse.",
        "盘口与标记价格的最大时效，秒；更旧则拒绝",
    ),
    "risk.exchange.max_clock_offset_ms": (
        "Milliseconds between the venue's clock and ours, either way.",
        "交易所时钟与我们的时钟之差，不论快慢，毫秒；超过此值不开仓",
    ),
    "risk.exchange.maintenance_lead_minutes": (
        "Minutes before announced maintenance from which nothing is opened.",
        "距已公告的维护多少分钟起不开仓",
    ),
    "risk.exchange.max_latency_ms": (
        "Milliseconds, median REST round trip; above it nothing is opened.",
        "REST 往返时间的中位数，毫秒；高于此值不开仓",
    ),
    "risk.degradation": (
        "When the permission is lowered (docs/operations.md, section 8), and when it is given back.",
        "权限何时降低（docs/operations.zh.md 第 8 节），何时恢复",
    ),
    "risk.degradation.look_every_s": (
        "Seconds between two looks at everything; every event adds its own.",
        "两次全面检查的间隔，秒；每个事件另查一次",
    ),
    "risk.degradation.ask_every_s": (
        "Seconds between two rounds of questions to the venue (its time, its status, USDT-USD).",
        "两轮询问交易所（它的时间、状态、USDT-USD）的间隔，秒",
    ),
    "risk.degradation.recover_s": (
        "Seconds a cause must have been well before it ends.",
        "一个原因须好转多少秒才结束",
    ),
    "risk.degradation.samples": (
        "Looks in a row that must agree before a jump of a price or a thin book counts.",
        "价格跳变或盘口太薄，须连续多少次检查一致才算数",
    ),
    "risk.degradation.max_jump_ratio": (
        "Step of a price between two looks, a fraction, beyond which it is doubted.",
        "两次检查之间价格变动的幅度，小数；超过此值先存疑",
    ),
    "risk.degradation.latency_notice_ms": (
        "Milliseconds, median REST round trip; above it health shows it (exchange.max_latency_ms stops new "
        "risk).",
        "REST 往返时间的中位数，毫秒；高于此值在健康状况中显示（停止新增风险看 exchange.max_latency_ms）",
    ),
    "risk.degradation.latency_reduce_ms": (
        "Milliseconds, median REST round trip; above it REDUCE_ONLY, unless a leg is being repaired.",
        "REST 往返时间的中位数，毫秒；高于此值 REDUCE_ONLY，正在补腿时除外",
    ),
    "risk.degradation.unreachable_s": (
        "Seconds without an answer to any request; from then on NO_NEW_RISK.",
        "任何请求都没有回答的秒数；从此 NO_NEW_RISK",
    ),
    "risk.degradation.unreachable_reduce_s": (
        "Seconds without an answer to any request; from then on REDUCE_ONLY.",
        "任何请求都没有回答的秒数；从此 REDUCE_ONLY",
    ),
    "risk.degradation.max_rate_use_ratio": (
        "Share of the busiest order budget; from there on NO_NEW_RISK.",
        "最紧张的那份订单限频额度的已用比例；从此 NO_NEW_RISK",
    ),
    "risk.degradation.max_key_refusals": (
        "Requests in a row refused for key, signature or permission; this many halt, and the key rests.",
        "因密钥、签名或权限而连续被拒的请求数；达到此数就 HALTED，密钥不再使用",
    ),
    "risk.degradation.max_data_age_s": (
        "Seconds; older books, mark prices or account data stop new risk (a quiet book is repeated every 60 "
        "s).",
        "盘口、标记价格与账户数据的最大时效，秒；更旧则停止新增风险（安静的盘口每 60 秒重发一次）",
    ),
    "risk.degradation.max_funding_age_s": (
        "Seconds; older funding quotes of what is held stop new risk.",
        "所持品种资金费率报价的最大时效，秒；更旧则停止新增风险",
    ),
    "risk.degradation.max_stream_down_s": (
        "Seconds a stream may be down before new risk stops.",
        "数据流可以中断的秒数；更久就停止新增风险",
    ),
    "risk.degradation.drought_mild_ratio": (
        "Share of liquidity.min_depth_usdt (or of max_spread_bps over the spread) below which new risk "
        "stops.",
        "实际深度与 liquidity.min_depth_usdt 之比（或 max_spread_bps 与实际价差之比）；低于此值就停止新增风"
        "险",
    ),
    "risk.degradation.drought_medium_ratio": (
        "The same; REDUCE_ONLY below it.",
        "同上；低于此值 REDUCE_ONLY",
    ),
    "risk.degradation.drought_severe_ratio": (
        "The same; REDUCE_ONLY and a critical message below it.",
        "同上；低于此值 REDUCE_ONLY，并发出严重消息",
    ),
    "risk.degradation.max_depeg_ratio": (
        "Deviation of USDT-USD from 1, a fraction, beyond which nothing is opened.",
        "USDT-USD 偏离 1 的幅度，小数；超过此值不开仓",
    ),
    "risk.degradation.depeg_reduce_ratio": (
        "Deviation of USDT-USD from 1, a fraction, beyond which only reducing is allowed.",
        "USDT-USD 偏离 1 的幅度，小数；超过此值只许减仓",
    ),
    "risk.degradation.max_skip_s": (
        "Seconds the clock may jump (suspend, step); beyond it everything is compared with the venue first.",
        "时钟可以跳变（休眠、改时间）的秒数；超过此值先与交易所全部对账",
    ),
    "risk.degradation.max_drift_ms_day": (
        "Milliseconds a day our clock may run away from the venue's before health warns.",
        "我们的时钟每天可以偏离交易所时钟的毫秒数；超过此值健康状况告警",
    ),
    "risk.degradation.crashes": (
        "Starts after an abnormal end within the window below that make a crash loop: HALTED.",
        "下面的时间窗之内，异常退出之后的启动有多少次算反复崩溃：HALTED",
    ),
    "risk.degradation.crash_window_minutes": (
        "Minutes in which crashes are counted.",
        "统计异常退出的时间窗，分钟",
    ),
    "risk.execution": (
        "Deadlines and prices of the hedge routines.",
        "对冲各项操作的期限与价格",
    ),
    "risk.execution.repair_deadline_s": (
        "Seconds a leg may stand naked before it is completed or unwound.",
        "一条腿最多可以裸露的秒数；到时必须已经补齐或平掉",
    ),
    "risk.execution.opening_deadline_s": (
        "Seconds OPENING may last.",
        "OPENING 最多持续的秒数",
    ),
    "risk.execution.rebalancing_deadline_s": (
        "Seconds REBALANCING may last.",
        "REBALANCING 最多持续的秒数",
    ),
    "risk.execution.repair_slippage_bps": (
        "How far a repair may go from the mid price, bps.",
        "补腿最多可以偏离中间价多远，bps",
    ),
    "risk.execution.flatten_slippage_bps": (
        "How far an emergency unwind may go from the mid price, bps.",
        "紧急平仓最多可以偏离中间价多远，bps",
    ),
    "risk.execution.order_timeout_s": (
        "Seconds until an order without an answer is looked up.",
        "订单没有回答，多少秒之后就去查询",
    ),
    "risk.execution.dead_man_s": (
        "Seconds after which the venue itself cancels what rests of ours, unless it is told again.",
        "多少秒没有续期，交易所就自行撤掉我们的挂单",
    ),
    "risk.caps": (
        "Ceilings over all hedges.",
        "全部对冲的上限",
    ),
    "risk.caps.max_instruments": (
        "Hedges held at a time.",
        "同时持有的对冲数，上限",
    ),
    "risk.caps.max_concentration": (
        "One hedge's notional / the core sleeve's spot budget.",
        "单个对冲的名义价值 / 期现套利的现货预算，上限",
    ),
    "risk.caps.max_total_value": (
        "USDT notional of all hedges together.",
        "全部对冲合计的名义价值，USDT，上限",
    ),
    "risk.shutdown": (
        "How a stop from outside is taken.",
        "如何对待来自外部的停止",
    ),
    "risk.shutdown.on_signal": (
        "What SIGTERM and Ctrl-C do with open hedges: hold keeps them, flatten closes both legs.",
        "SIGTERM 与 Ctrl-C 如何处理所持对冲：hold 保留，flatten 平掉两腿",
    ),
    "risk.watchdog": (
        "The process beside the engine that can only reduce: `python main.py watchdog`.",
        "引擎旁边只能减仓的进程：`python main.py watchdog`",
    ),
    "risk.watchdog.after_s": (
        "Seconds for which heartbeat, clock or equal legs may be lost before it takes over.",
        "心跳、时钟或两腿相等丢失多少秒之后接管",
    ),
    "risk.watchdog.after_exit_s": (
        "The same when the engine's process is gone: a supervisor has until then to start it again.",
        "引擎进程已经退出时的同一期限，秒：留给进程管理器重新启动它",
    ),
    "risk.watchdog.max_clock_offset_s": (
        "Seconds between the engine's clock and the venue's; at 30 the venue takes no signature any more.",
        "引擎时钟与交易所时钟之差，秒；到 30，交易所不再接受任何签名",
    ),
    "risk.watchdog.slice_usdt": (
        "USDT of a hedge taken off at a time: what may stand unhedged between two orders.",
        "每次平掉的那一份对冲，USDT：两个订单之间至多这么多没有对冲",
    ),
    "risk.watchdog.patience_s": (
        "Seconds after which it tells that it is not flat yet; it goes on.",
        "多少秒之后告知尚未平完；然后继续",
    ),
}
