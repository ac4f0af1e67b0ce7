"""docs/metrics.zh.md: the Chinese for every text of docs/metrics.md, by its English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TITLES: Final[Mapping[str, str]] = {
    "At a glance": "概览",
    "Hedges, margin and orders": "对冲、保证金与订单",
    "Earnings": "收益",
    "The venue": "交易所",
    "Machinery": "引擎内部",
}
KINDS: Final[Mapping[str, str]] = {
    "gauge": "仪表 gauge",
    "counter": "计数器 counter",
    "histogram": "直方图 histogram",
}
HEAD: Final = """\
# 指标 {#metrics}

由 `make docs` 从守护进程在 `/metrics` 提供的指标目录生成，格式为 Prometheus 文本或 OpenMetrics。
English: [metrics.md](metrics.md)

看板（[deploy/grafana](../deploy/grafana/funding-engine.json)）与告警规则
（[deploy/prometheus/alerts.yml](../deploy/prometheus/alerts.yml)）只用这里的指标；告警来了怎么办，见
[处置手册](runbooks.zh.md)；如何把这一切架起来，见[部署](deployment.zh.md)。

    curl -s http://127.0.0.1:8788/metrics

设置了 `WEB_TOKEN` 时，采集者与其他人一样要出示它：`Authorization: Bearer ...`。
采集由网页自己的线程从冻结的快照与计数器回答：不向引擎的循环要任何东西，也没有哪个决定因此等待。

所有名字以 `funding_engine_` 开头，以单位结尾：`_seconds`、`_usdt`、`_coins`、`_ratio`（小数）、`_rows`；
`_total` 是本进程的计数，除非含义里写明“自首次启动以来”。未知的不出现，而不是 0：第一个决定之前没有状态，
没有合约就没有保证金率。直方图有 `_bucket`、`_count`、`_sum` 三个序列。演示中的时间是交易所的时间，
所以一小时行情可能只用一秒；写明“机器自己的时间”的始终是真实时间。金额在这里取整为浮点数，账目里不是。

此外，进程还像任何客户端一样报告自己：`process_resident_memory_bytes`、`process_virtual_memory_bytes`、
`process_cpu_seconds_total`、`process_open_fds`、`process_max_fds` 与 `process_start_time_seconds`。
"""
MEANINGS: Final[Mapping[str, str]] = {
    # At a glance
    "Always 1; what is running, in the labels.": "恒为 1；运行的是什么，写在标签里",
    "1 for the state the engine is in, 0 for every other.": "引擎所处的状态为 1，其余为 0",
    "How long it has been in that state.": "处于这一状态多久了",
    "1 for the permission in force, 0 for every other.": "当前的权限为 1，其余为 0",
    "How long a lowered permission has been in force.": "降低的权限已持续多久",
    "1 for every cause that lowers the permission now; `level` is what it allows at most.": (
        "当前降低权限的每个原因为 1；`level` 是它至多允许的权限"
    ),
    "1 for every health condition that holds now; `level` is info, warning or critical.": (
        "当前成立的每个健康状况为 1；`level` 为 info、warning 或 critical"
    ),
    "How long a health condition has held.": "一个健康状况已持续多久",
    "1 while the circuit breaker is open.": "熔断期间为 1",
    "Losing rounds in a row, as the breaker counts them.": "连续亏损的轮数，按熔断的口径",
    "Repairs in a row that did not make the legs equal; three end in STOPPED.": (
        "连续多少次补腿没有使两腿相等；三次之后 STOPPED"
    ),
    "Age of the picture the other gauges are read from, on the engine's clock: it takes one every few "
    "seconds and at every event.": ("其余指标所依据的快照有多旧，按引擎的时钟：每隔几秒、每个事件都会更新"),
    "Scans decided by this process.": "本进程决定过的扫描次数",
    "Hedges opened by this process.": "本进程开出的对冲数",
    "Hedges closed by this process.": "本进程平掉的对冲数",
    "Adjustments by this process: margin, size, legs.": "本进程做过的调整次数：保证金、数量、两腿",
    "Ticks that found the machine busy and were dropped.": "到来时状态机正忙、因而丢弃的定时次数",
    "Breaches by which this process began to unwind everything.": "使本进程开始全部平仓的触线次数",
    "What waits in a queue: `mailbox` events, `jobs` for execution, `errands` beside the consumer.": (
        "各队列中等待的数量：`mailbox` 事件，`jobs` 待执行，`errands` 消费者旁边的杂务"
    ),
    # Hedges, margin and orders
    "Hedges held.": "持有的对冲数",
    "Coins the hedge owns.": "对冲拥有的币，枚",
    "Contracts held short, in coins.": "持有的空头合约，折合成币",
    "The larger leg at mark price.": "较大的一腿，按标记价格",
    "Spot coins minus short coins.": "现货枚数减去空头枚数",
    "Net delta as a fraction of the hedge's notional, signed.": "净敞口占对冲名义价值的比例，带正负号",
    "Net delta of all hedges at mark price.": "全部对冲的净敞口，按标记价格",
    "What the hedge has earned since its opening, costs off.": "对冲自开仓以来的收益，已扣成本",
    "Funding the hedge has received since its opening.": "对冲自开仓以来收到的资金费",
    "Settlements the hedge has been through.": "对冲经历过的结算次数",
    "How long the hedge has been held.": "对冲已持有多久",
    "How far the mark price may rise before the venue takes the short over, by the venue's own "
    "liquidation price.": ("标记价格再上涨多大比例，交易所就会接管空头，按交易所自己给出的强平价"),
    "The venue's own margin ratio of the position: liquidation at 1.": (
        "交易所自己对该仓位的保证金率：到 1 即强平"
    ),
    "Place of the short in the venue's queue for forced deleveraging, 0 to 5, 5 is first in line.": (
        "空头在交易所自动减仓队列中的位置，0 到 5，5 为最先被减"
    ),
    "Equity that backs the swaps / their notional at mark: 1 is unlevered, 0.33 is 3x. The account's: "
    "in cross margin all hedges share it. Absent without a swap.": (
        "支撑合约的权益 / 合约名义价值（按标记价格）：1 为无杠杆，0.33 即 3 倍。整个账户的：全仓模式下各"
        "对冲共用。没有合约时不出现"
    ),
    "Below which the engine acts: `rebalance` tops up or shrinks, `emergency` unwinds everything.": (
        "低于它引擎就动手：`rebalance` 补足保证金或缩小对冲，`emergency` 全部平仓"
    ),
    "The venue's own margin ratio of the account: liquidation at 1.": (
        "交易所自己对账户的保证金率：到 1 即强平"
    ),
    "How long an instrument's legs have been apart by a lot or more; 0 while they are equal.": (
        "一个品种的两腿相差一手或以上已有多久；相等时为 0"
    ),
    "Times in which legs stood apart, by the venue's instants, since the first start; their sum is all "
    "naked time.": ("自首次启动以来每一段两腿不等的时间，以交易所的时间计；合计即全部裸露时间"),
    "From the moment the engine knew of unequal legs to their being equal again.": (
        "从引擎得知两腿不等，到两腿重新相等"
    ),
    "Within which a naked leg must be hedged or gone.": "裸露的一腿必须在此时间内补齐或平掉",
    "Orders whose outcome is not known and is being asked for.": "结果未知、正在查询的订单数",
    "Orders of this process by how they ended: `filled`, `partial`, `canceled` unfilled, `refused` by "
    "the venue, `denied` by our own guards, `absent` never arrived.": (
        "本进程的订单，按结局：`filled` 全部成交，`partial` 部分成交，`canceled` 未成交而撤销，"
        "`refused` 被交易所拒绝，`denied` 被我们自己的守卫拒绝，`absent` 从未到达"
    ),
    "`work` decision to execution, `wire` order wanted to handed to the network (guards, disk); from "
    "the wire on `ack` the REST answer, `push` the first word on the stream, `fill` the first "
    "execution.": (
        "`work` 从决策到开始执行，`wire` 从要下单到交给网络（守卫、落盘）；自交给网络起，`ack` 为 REST "
        "的回答，`push` 为数据流的第一句话，`fill` 为第一笔成交"
    ),
    # Earnings
    "Both wallets, by our own books.": "两个账户合计，按我们自己的账目",
    "The trading account alone, by our own books at present prices.": (
        "仅交易账户，按我们自己的账目与当前价格"
    ),
    "The trading account's highest since the breaker's last reset, moved along with transfers.": (
        "交易账户自上次熔断复位以来的最高点，随划转一同移动"
    ),
    "How far it is below that peak, a fraction.": "交易账户低于该最高点的幅度，小数",
    "Result of the UTC day, as the circuit breaker counts it.": "UTC 当日的盈亏，按熔断的口径",
    "What the hedges held now have earned so far.": "当前所持对冲至今的收益",
    "Where money came from and went since the first start, by term; costs are negative, and all terms "
    'add up to the change of equity. Instrument "" is the account.': (
        '自首次启动以来钱从哪里来、到哪里去，按各项；成本为负，各项之和即权益的变化。品种为 "" 的是整个账户'
    ),
    "Funding received since the first start; falls when shorts pay.": (
        "自首次启动以来收到的资金费；空头付费时下降"
    ),
    "Trading fees since the first start; falls with a rebate.": "自首次启动以来的交易手续费；有返佣时下降",
    "Funding payments booked since the first start.": "自首次启动以来入账的资金费次数",
    "What the decisions kept of what perfect foresight would have earned over the same settlements, "
    "costs off; absent where nothing could be earned.": (
        "在同样的结算上，各项决定保住了完美预见所能赚到的几成，已扣成本；本来就赚不到时不出现"
    ),
    "The venue's forecast for the next settlement, per interval; a short receives it while positive.": (
        "交易所对下一次结算的预测，按每个资金费间隔；为正时空头收取"
    ),
    "What the next settlement would pay the hedge held now.": "下一次结算会付给当前所持对冲的金额",
    "Until the instrument's next settlement.": "距该品种的下一次结算还有多久",
    "Swap mid over spot mid, minus 1.": "合约中间价 / 现货中间价，减 1",
    # The venue
    "Request sent to answer read, by family of endpoints.": "从发出请求到读完回答，按接口类别",
    "How requests ended: `answered`, `rejected` by its rules, `throttled`, `unauthorized`, `failed` "
    "without a usable answer.": (
        "请求的结局：`answered` 有回答，`rejected` 被其规则拒绝，`throttled` 被限频，`unauthorized` 未"
        "授权，`failed` 没有有效的回答"
    ),
    "Waited for our own request budget before sending.": "发送之前，因我们自己的请求额度而等待的时间",
    "Median round trip of the last ten minutes: what guards look at.": (
        "最近十分钟往返时间的中位数：守卫看的就是它"
    ),
    "Above which nothing new is opened.": "高于它不开新仓",
    "How full the busiest order budget is; 1 leaves nothing.": "最紧张的那份订单限频额度用了多少；1 即用尽",
    "Requests without a usable answer in the last minute.": "最近一分钟没有得到有效回答的请求数",
    "Refused orders and transfers in the last minute.": "最近一分钟被拒的订单与划转数",
    "The venue's clock minus ours.": "交易所的时钟减去我们的",
    "How fast our clock runs away from the venue's, seconds a second; known after some hours.": (
        "我们的时钟偏离交易所时钟的快慢，每秒多少秒；数小时之后才知道"
    ),
    "1 while an announced maintenance of the venue runs.": "交易所已公告的维护正在进行时为 1",
    "What a USDT is worth in dollars, by the venue's index.": "一个 USDT 值多少美元，按交易所的指数",
    "1 while a WebSocket connection is subscribed and heard.": "一个 WebSocket 连接已订阅且有数据时为 1",
    "Since the last frame of a connection.": "距一个连接的上一帧多久",
    "Connections after the first, by stream.": "首次之后的重新连接次数，按数据流",
    "Frames received on all connections.": "所有连接收到的帧数",
    "The venue's time stamp to our reading of a push, the clocks' offset taken out, by channel.": (
        "从交易所的时间戳到我们读到这条推送，已扣除两个时钟之差，按频道"
    ),
    "Age of what is known of an instrument: `spot_book`, `swap_book`, `mark_price`, `funding_rate`.": (
        "对一个品种所知的数据有多旧：`spot_book` 现货盘口，`swap_book` 合约盘口，`mark_price` 标记价格"
        "，`funding_rate` 资金费率"
    ),
    "Above which books and mark prices are too old to act on.": "盘口与标记价格比它更旧，就不能据以行动",
    "Age of the picture of the account.": "账户快照有多旧",
    # Machinery
    "From taking an event to its decision being in the journal's queue and told to every listener, by "
    "event; the machine's own time.": (
        "从取出一个事件，到它的决策进入账本队列并告知每个监听者，按事件；机器自己的时间"
    ),
    "Rows of the journal, all processes together.": "账本的行数，所有进程合计",
    "Rows that are not on the disk yet.": "尚未落盘的行数",
    "Age of the oldest row that is not on the disk yet.": "最旧的一行未落盘的记录有多旧",
    "How long a transaction took, fsync included.": "一次事务用了多久，含 fsync",
    "1 while the journal cannot be written.": "账本写不进时为 1",
    "1 while the disk is full and the journal lives on its reserve.": "磁盘已满、账本靠预留空间时为 1",
    "Room left on the disk of the data folder.": "数据目录所在磁盘的剩余空间",
    "How full that disk is, a fraction.": "该磁盘的已用比例，小数",
    "Age of the youngest copy of the books; absent without one.": "最新一份账本备份有多旧；没有备份时不出现",
    "How long the event loop took to answer when asked last, once a second.": (
        "事件循环最近一次被问到时多久才应答，每秒问一次"
    ),
    "Every such answer.": "每一次这样的应答",
    "Times the event loop did not answer for five seconds.": "事件循环五秒没有应答的次数",
    "Parts of the engine that are `dead` or `stuck`.": "已停止（`dead`）或卡住（`stuck`）的引擎部件数",
    "How long a task has been at its present piece of work.": "一个任务做手头这件事已有多久",
    "Messages in the outbox of a channel.": "一个通道发件箱中的消息数",
    "Messages a channel took.": "一个通道已收下的消息数",
    "Messages that were given up; they are in the log.": "放弃发送的消息数；它们在日志里",
    "1 while deliveries of a channel keep failing.": "一个通道持续发送失败时为 1",
}
