"""docs/api.zh.md: the Chinese for every text of docs/api.md, by its English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

HEAD: Final = """\
# HTTP 接口 {#http-api}

由 `make docs` 从接口自己的描述生成，守护进程在 `/openapi.json` 提供这份描述。English: [api.md](api.md)

除非 `monitor.yaml` 的 `web` 另有规定，守护进程在任何模式下都在 `http://127.0.0.1:8788/` 应答；
`--no-web` 关闭它。它在自己的线程里运行：提问由最近一次决策的冻结快照与磁盘上的账本行回答；
命令与操作员的任何命令走同一条路，所以在做任何事之前，它已是账本的一行。
端口打不开时告知一次，不妨碍引擎做任何事。

金额为 USDT，写作十进制文本；时间为引擎时钟的 UTC 毫秒；费率与比率为小数。

**谁可以问。** 在 127.0.0.1 与 ::1 上，本机的任何人。设置了 `WEB_TOKEN`（或 `WEB_TOKEN_FILE`）之后，
出示它的人：`Authorization: Bearer ...`；监听任何其他地址都必须设置它，否则拒绝启动。
五次错误的令牌会把一个地址锁在外面五分钟。Host 头必须是监听的地址、localhost 或 `web.names` 之一；
其他服务器的页面凭 Origin 与 Sec-Fetch-Site 拒绝，没有 CORS。命令是 JSON。正文至多 65,536 字节；
一个地址每秒可以提问 30 次，每两秒可以下一个命令，突发至多 120 次与 10 次。

**谁被拒绝**记在账本里：类别 `note`、`what` 为 `refused` 的行，即
`/api/journal?kind=note&find="what":"refused"`。每行有原因（`error`）、地址（IPv6 记其 /64 网段）、
请求次数（`count`）与其中最近一次（`detail`）。第一次拒绝在一秒之内成为一行；继续者每个地址、每种原因每分
钟一行。总共至多连续 20 行，其后每分钟两行：超出的合并为一行，原因记作 `several`；每次拒绝因此都计入，而整
天敲门所占不到一兆字节。日志只记每种的第一次。根本不是 HTTP 的在门外就被丢弃，只进日志。

    curl -s http://127.0.0.1:8788/api/status
    curl -s http://127.0.0.1:8788/api/pause -H 'content-type: application/json' -d '{"reason": "I leave"}'

一切不是所求的回答都是 `{"error": ..., "detail": ...}`；`detail` 指明位置、值与允许什么。
"""
TITLES: Final[Mapping[str, str]] = {
    "Health": "健康",
    "Questions": "提问",
    "Commands": "命令",
    "What the answers are made of": "回答由什么组成",
}
WORDS: Final[Mapping[str, str]] = {
    "| field | is | |": "| 字段 | 类型 | |",
    "| field | is |": "| 字段 | 类型 |",
    "Answers {}: {}.": "回答 {}：{}。",
    "a stream of text": "文本流",
    "needed": "必填",
    "optional": "可省略",
    " or ": " 或 ",
    "list of {}": "{} 的列表",
    "mapping": "映射",
    "mapping to {}": "值为 {} 的映射",
    "({})": "（{}）",
    ", ": "、",
    "string": "文本",
    "whole number": "整数",
    "boolean": "布尔值",
    "null": "null",
    "from {}": "不小于 {}",
    "to {}": "不大于 {}",
    "of at least {}": "至少 {} 个字符",
    "of at most {}": "至多 {} 个字符",
}
SENTENCES: Final[Mapping[str, str]] = {
    "The process answers. Nothing is said about trading: ask /readyz.": (
        "进程在应答。这与能否交易无关：那要问 /readyz。"
    ),
    "The engine has decided something, and nothing critical holds; else 503.": (
        "引擎已经做过决定，且没有严重状况；否则 503。"
    ),
    "Every metric, in Prometheus' text format or as OpenMetrics: docs/metrics.md.": (
        "全部指标，Prometheus 文本格式或 OpenMetrics：docs/metrics.zh.md。"
    ),
    "Everything at a glance.": "全部情况，一目了然。",
    "The hedges that are held, both legs of each.": "所持的对冲，每组都含两条腿。",
    "What the strategy last thought of every instrument, and the first thing against it.": (
        "策略对每个品种最近一次的看法，以及第一条反对的理由。"
    ),
    "The states, and every way from one to another with the guards that must say yes.": (
        "全部状态，以及状态之间的每一条转移和必须同意的守卫。"
    ),
    "The configuration in force, by file and key. Secrets are not part of it.": (
        "当前生效的配置，按文件与键；不含密钥。"
    ),
    "Change the configuration: judged with the files as one, journalled with its diff, laid over them. "
    "The engine finishes what is under way, holds its hedges and starts again with it. Keys that "
    "decide whose money it is, whether orders are real, or who may command are changed in the files "
    "only.": (
        "更改配置：与文件合在一起校验，连同每个值的前后写入账本，再叠加在文件之上。引擎做完手头的事，保"
        "持对冲，以新配置重新启动。决定资金归谁、订单是否真实、谁可以下命令的键，只能在文件中更改。"
    ),
    "What a form needs to change the configuration: version, changes, schemas, locks, meanings.": (
        "更改配置的表单所需的一切：版本、改动、模式（schema）、哪些锁定、每个键的含义。"
    ),
    "The newest lines of the log, oldest first, each one JSON object.": (
        "日志中最新的若干行，旧的在前，每行一个 JSON 对象。"
    ),
    "What was earned, and from what.": "赚了多少，从哪里来。",
    "What shorts were paid, by instrument and day.": "空头收到的资金费，按品种与日。",
    "Decisions with every verdict, youngest first. `moved`: only those that changed the state.": (
        "决策及其全部结论，新的在前。`moved`：只要改变了状态的。"
    ),
    "State, permission and hedges as they were at an instant, and the decision that was in force.": (
        "某一时刻的状态、权限与对冲，以及当时生效的决策。"
    ),
    "The newest orders, youngest first. `find`: a part of an id, a name, the side or the purpose.": (
        "最新的订单，新的在前。`find`：订单号、名称、方向或用途的一部分。"
    ),
    "Rows of the journal, youngest first. `find`: text anywhere in the row.": (
        "账本的行，新的在前。`find`：行中任意位置的文字。"
    ),
    "The whole journal, a row a line, with its hashes: what `journal export` writes.": (
        "整个账本，一行一条记录，含哈希：与 `journal export` 写出的相同。"
    ),
    "Stop: hold what is held, or flatten it. Only `resume` ends it.": (
        "停止：保留所持的对冲，或全部平掉。只有 `resume` 能结束停止。"
    ),
    "Leave STOPPED, when the self-check passes and the books agree with the venue.": (
        "离开 STOPPED，前提是自检通过、账目与交易所一致。"
    ),
    "No new risk until `unpause`; exits and repairs go on.": "在 `unpause` 之前不新增风险；退出与补腿照常。",
    "The end of a pause.": "结束暂停。",
    "Give up one hedge, both legs, by the next decision. After `exit.cooldown_hours` it may be opened "
    "again.": ("由下一次决策放弃一组对冲，平掉两腿。`exit.cooldown_hours` 之后可以再开。"),
    "One scan now, with all its guards, as if five minutes had passed.": (
        "立即扫描一次，守卫一个不少，如同五分钟已到。"
    ),
    "Server-sent events: `status`, the whole picture, whenever it has changed; a slow listener gets "
    "the newest and misses what lay between.": (
        "服务器推送的事件（SSE）：`status`，即全部情况，每有变化就推送；读得慢的得到最新的一份，错过中间的。"
    ),
    "A command lies in the engine's box. What came of it stands in the journal, and on the stream.": (
        "命令已放进引擎的信箱。结果见账本，也见推送。"
    ),
    "What the strategy last thought of an instrument: `refusal` is the first no, None when it pays.": (
        "策略对一个品种最近一次的看法：`refusal` 是第一个否定的结论，划算时为 null。"
    ),
    "One cause that lowers the permission.": "降低权限的一个原因。",
    "confirm the instrument's name once more, typed by a person.": "`confirm`：由人再输入一遍的品种名。",
    "One round, from its opening to its closing.": "一轮，从开仓到平仓。",
    "Something that is not as it should be, since `since_ms` (UTC, engine clock).": (
        "自 `since_ms`（UTC，引擎时钟）起不正常的一件事。"
    ),
    "version of the overlay the change was made against, from /api/config/form. changes dotted keys "
    "and their values as written in YAML; null goes back to what the file says.": (
        "`version`：改动所依据的叠加层版本，取自 /api/config/form。`changes`：带点的键及其值，写法同 "
        "YAML；null 恢复文件中的值。"
    ),
    "One decision as the journal has it.": "账本所记的一个决策。",
    "One row of the journal; `body` as docs/architecture.md has it for its kind.": (
        "账本的一行；`body` 的内容由种类决定，见 docs/architecture.zh.md。"
    ),
    "Received so far, by instrument and by UTC day, and the newest payments, youngest first.": (
        "至今收到的资金费，按品种与 UTC 日，以及最近的各笔，新的在前。"
    ),
    "flatten unwind both legs of everything, instead of holding what is held. confirm the word HALT, "
    "or FLATTEN, typed by a person.": (
        "`flatten`：平掉一切对冲的两腿，而不是保留。`confirm`：由人输入的 HALT，或 FLATTEN。"
    ),
    "`ok`: nothing critical holds. `problems`: what does, in words.": (
        "`ok`：没有严重状况。`problems`：有哪些严重状况，用文字说明。"
    ),
    "One hedge. `margin_ratio` is the account's: in cross margin all swaps share their backing.": (
        "一组对冲。`margin_ratio` 是整个账户的：全仓模式下所有合约共用支撑它们的权益。"
    ),
    "One hedge as the books had it; `notional` the most that was ever paid for its coins.": (
        "当时账目中的一组对冲；`notional` 是为它的币付出过的最高金额。"
    ),
    "The engine at an instant, by its journal until then. seq the last row that was written. equity by "
    "the last review, net of money that was moved in or out, as in Performance.": (
        "某一时刻的引擎，依据到那时为止的账本。`seq`：写下的最后一行。`equity`：以最近一次复核为准，转"
        "入转出的资金不计在内，与 Performance 相同。"
    ),
    "One value of the configuration that becomes another one, as written in YAML. asked the change names "
    "it; else it was edited in the files since the engine started, which reads them again with every "
    "change.": (
        "配置中将要改变的一个值，写法同 YAML。`asked`：改动点名了它；否则是引擎启动以来在文件里改过的，"
        "每次改动都会重新读取文件。"
    ),
    "One order: what was intended, and what came of it. `status`: intent, accepted or unknown while it "
    "is open; rejected, filled, canceled or absent at the end. `size` in the market's own unit.": (
        "一张订单：意图与结果。`status`：未了结时为 intent、accepted 或 unknown；了结后为 rejected、"
        "filled、canceled 或 absent。`size` 以该市场自己的单位计。"
    ),
    "One funding payment; `amount` positive when received.": "一笔资金费；`amount` 收到为正。",
    "What the books say was earned. `equity` is net of money that came in or went out; `win_rate` of "
    "closed rounds, None before the first; `max_drawdown` a fraction of the peak; `net_apr` simple, "
    "not compounded.": (
        "账目所记的收益。`equity` 不计转入转出的资金；`win_rate` 为已平各轮的胜率，第一轮平仓之前为 "
        "null；`max_drawdown` 为占最高点的比例；`net_apr` 为单利，不计复利。"
    ),
    "A state of the machine.": "状态机的一个状态。",
    "Every answer that is not the one asked for. `detail` names the place, the value and what is allowed. "
    "zh the same in Chinese, where it is said to people: why a change of the configuration is refused.": (
        "一切不是所求的回答。`detail` 指明位置、值与允许什么。`zh`：说给人听之处的中文，即更改配置为何被拒。"
    ),
    "A change lies in the engine's box. `version`: the overlay's, once it is in force. `diff`: all that "
    "becomes another one then.": (
        "改动已放进引擎的信箱。`version`：生效之后叠加层的版本。`diff`：届时将改变的全部内容。"
    ),
    "One guard's or condition's verdict. `figures`: what it looked at, by name.": (
        "一个守卫或条件的结论。`figures`：它所看的数字，按名称。"
    ),
    "An instrument's next funding time, with the venue's forecast; it is not booked before it is billed.": (
        "一个品种的下次资金费时间，以及交易所的预测；有账单之前不入账。"
    ),
    "The engine at `now_ms`. Amounts in USDT, times UTC ms by the engine's clock, ratios fractions. "
    "equity the trading account by our own books, and the USDT in the funding wallet, where sweeps go.": (
        "引擎在 `now_ms` 的情况。金额为 USDT，时间为引擎时钟的 UTC 毫秒，比率为小数。`equity`：按我们自"
        "己账目的交易账户，加上资金账户里的 USDT，划出的保证金就在那里。"
    ),
    "A task of the engine: how long it has been at its present piece of work, 0 while it waits for one.": (
        "引擎的一个任务：做手头这件事已有多久；等待时为 0。"
    ),
    "Where money came from and went, USDT. Fees, slippage and interest are costs, >= 0 as a rule. "
    "basis price result of both legs, measured at the mid prices the decisions saw. other what the "
    "venue booked beside trades: penalties, clawbacks, adjustments.": (
        "钱从哪里来、到哪里去，USDT。手续费、滑点与利息是成本，一般 >= 0。`basis`：两腿的价格损益，按决"
        "策时所见的中间价计。`other`：交易所在成交之外入账的：罚金、追回、调整。"
    ),
    "Counts since the first start of these books; money in USDT, fees a cost >= 0.": (
        "自这套账首次启动以来的计数；金额为 USDT，手续费为成本，>= 0。"
    ),
    "What one guard or one strategy condition said, and why. ok True lets the row through. guard the "
    "speaker's name, the same in the journal, on the page and in chat. reason one plain sentence "
    "without figures, so that equal reasons can be counted. figures (name, value) pairs; the name "
    "carries the unit (`_bps`, `_ratio`, `_usdt`, `_ms`). instrument the pair it speaks about, None "
    "for the whole account.": (
        "一个守卫或一个策略条件说了什么，以及为什么。`ok`：true 即放行这一行。`guard`：发言者的名字，在"
        "账本、页面与聊天中都相同。`reason`：不带数字的一句话，相同的理由因而可以计数。`figures`：成对"
        "的名称与值；名称带着单位（`_bps`、`_ratio`、`_usdt`、`_ms`）。`instrument`：所说的交易对，说整"
        "个账户时为 null。"
    ),
    "A row of the table of transitions. `dst` null: it stays. `act`: what is handed to execution. Rows "
    "of one event and state are tried in this order; the first whose guards all say yes is taken.": (
        "转移表的一行。`dst` 为 null：留在原来的状态。`act`：交给执行层的事。同一事件与状态的各行按这个"
        "顺序尝试，取第一行守卫全部同意的。"
    ),
    "Every command says why; the journal keeps it.": "每个命令都要说明原因；账本会留存它。",
    "What a file, a section or a key of the configuration means, in either language.": (
        "配置的一个文件、一节或一个键的含义，两种语言各一。"
    ),
    "What a form for the configuration needs. version of the overlay; a change names it, so that two "
    "people cannot overwrite each other. changes what the overlay says now, by dotted key, as written "
    "in YAML. files the JSON schema of each file. locked keys, or beginnings of keys, that only the "
    "files on the host may change. applies when a change takes effect. meanings of every file, section "
    "and key, by dotted path. edited what was edited in the files since the engine started: it comes "
    'along with any change. problem why the files as they are now would refuse every change; "" when '
    "they would not. problem_zh the same in Chinese.": (
        "配置表单所需的一切。`version`：叠加层的版本；改动须写明它，两个人因而不会互相覆盖。`changes`："
        "叠加层现在的内容，按带点的键，写法同 YAML。`files`：每个文件的 JSON schema。`locked`：只能在主"
        "机上的文件里更改的键，或键的开头部分。`applies`：改动何时生效。`meanings`：每个文件、每一节、"
        "每个键的含义，按带点的路径。`edited`：引擎启动以来在文件里改过的内容，任何改动都会连它一起生效。"
        "`problem`：文件现状使任何改动都会被拒绝的原因；没有则为空。`problem_zh`：其中文。"
    ),
}
