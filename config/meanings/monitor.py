"""What every key of monitor.yaml means: (English, Chinese)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

MONITOR: Final[Mapping[str, tuple[str, str]]] = {
    "monitor": (
        "The human side. This file may be absent.",
        "面向人的部分：消息、页面与日志。此文件可以省略。",
    ),
    "monitor.language": (
        "Language of messages and pages: en or zh.",
        "消息与页面的语言：en 或 zh",
    ),
    "monitor.telegram": (
        "Messages to Telegram and commands from there; the token comes from TELEGRAM_BOT_TOKEN or its _FILE.",
        "发往 Telegram 的消息，与来自那里的指令；token 来自 TELEGRAM_BOT_TOKEN 或它的 _FILE",
    ),
    "monitor.telegram.enabled": (
        "true sends, and needs chat_ids and the token.",
        "true 发送，需要 chat_ids 与 token",
    ),
    "monitor.telegram.chat_ids": (
        "Numeric ids of the chats that are written to, and that commands are taken from.",
        "接收消息、也可以发指令的会话的数字 id",
    ),
    "monitor.telegram.user_ids": (
        "Numeric ids of who may command. Empty: whoever owns a private chat of chat_ids, and nobody in a "
        "group.",
        "可以发指令的人的数字 id。留空：chat_ids 中私聊的主人可以，群里无人可以",
    ),
    "monitor.telegram.commands": (
        "false takes no commands: messages only go out.",
        "false 不接受指令：只发出消息",
    ),
    "monitor.telegram.min_level": (
        "Least level that is sent there: info, warning or critical.",
        "发往那里的最低级别：info、warning 或 critical",
    ),
    "monitor.telegram.base_url": (
        "Another API server, for tests; null takes Telegram's.",
        "另用的 API 服务器，供测试；null 用 Telegram 的",
    ),
    "monitor.dingtalk": (
        "Messages to DingTalk; DINGTALK_WEBHOOK and DINGTALK_SECRET or their _FILE.",
        "发往钉钉（DingTalk）的消息；DINGTALK_WEBHOOK 与 DINGTALK_SECRET，或它们的 _FILE",
    ),
    "monitor.dingtalk.enabled": (
        "true sends, and needs the webhook, and the secret or a keyword.",
        "true 发送，需要 webhook，以及加签密钥或关键词",
    ),
    "monitor.dingtalk.keyword": (
        "Word the group's robot wants in every message, if it checks one; put into those that lack it.",
        "群机器人要求每条消息包含的关键词，若它有此要求；消息中没有时自动加上",
    ),
    "monitor.dingtalk.min_level": (
        "Least level that is sent there: info, warning or critical.",
        "发往那里的最低级别：info、warning 或 critical",
    ),
    "monitor.email": (
        "Messages by e-mail; the password comes from SMTP_PASSWORD or its _FILE.",
        "以邮件发出的消息；密码来自 SMTP_PASSWORD 或它的 _FILE",
    ),
    "monitor.email.enabled": (
        "true sends, and needs host, sender and recipients.",
        "true 发送，需要 host、sender 与 recipients",
    ),
    "monitor.email.host": (
        "Name of the mail server.",
        "邮件服务器的名字",
    ),
    "monitor.email.port": (
        "Its port: 587 with starttls and 465 with tls, as a rule.",
        "它的端口：starttls 一般为 587，tls 为 465",
    ),
    "monitor.email.security": (
        "starttls or tls; none only for a server on this host that wants no password.",
        "starttls 或 tls；none 仅用于本机上不要密码的服务器",
    ),
    "monitor.email.user": (
        "Name to log in with; null does not log in.",
        "登录名；null 不登录",
    ),
    "monitor.email.sender": (
        "Address the mails come from.",
        "发件地址",
    ),
    "monitor.email.recipients": (
        "Addresses they go to.",
        "收件地址",
    ),
    "monitor.email.min_level": (
        "Least level that is sent there: info, warning or critical.",
        "发往那里的最低级别：info、warning 或 critical",
    ),
    "monitor.receiver": (
        "Messages as signed JSON to any HTTP receiver; the secret comes from WEBHOOK_SECRET or its _FILE.",
        "以带签名的 JSON 发往任意 HTTP 接收端的消息；密钥来自 WEBHOOK_SECRET 或它的 _FILE",
    ),
    "monitor.receiver.enabled": (
        "true sends, and needs url and the secret.",
        "true 发送，需要 url 与密钥",
    ),
    "monitor.receiver.url": (
        "Where to post; without any token in it, which would stand here for everybody to read.",
        "发往何处；其中不可含 token：写在这里人人可读",
    ),
    "monitor.receiver.min_level": (
        "Least level that is sent there: info, warning or critical.",
        "发往那里的最低级别：info、warning 或 critical",
    ),
    "monitor.quiet_hours": (
        "Part of the UTC day in which only critical messages are sent, like 22:00-07:00; the rest comes as "
        "one digest.",
        "UTC 一天中只发严重消息的时段，如 22:00-07:00；其余的之后合为一条摘要",
    ),
    "monitor.daily_report_hour": (
        "UTC hour of the daily report to all channels; null sends none.",
        "每天向所有通道发送日报的 UTC 小时；null 不发",
    ),
    "monitor.web": (
        "The HTTP API of the daemon: docs/api.md.",
        "守护进程的 HTTP 接口：docs/api.zh.md",
    ),
    "monitor.web.enabled": (
        "false opens no port.",
        "false 不开放任何端口",
    ),
    "monitor.web.host": (
        "Address to listen on. Anything but this host's own (127.0.0.1, ::1) needs WEB_TOKEN or its _FILE.",
        "监听的地址。除本机自己的（127.0.0.1、::1）之外，都需要 WEB_TOKEN 或它的 _FILE",
    ),
    "monitor.web.port": (
        "Port to listen on; 0 takes any that is free.",
        "监听的端口；0 任选一个空闲的",
    ),
    "monitor.web.names": (
        "Names this host is called by besides the address and localhost; requests for any other are refused.",
        "除地址与 localhost 之外，本机的其他名称；以别的名称发来的请求一律拒绝",
    ),
    "monitor.log_level": (
        "Least level that is logged: debug, info, warning or error.",
        "写入日志的最低级别：debug、info、warning 或 error",
    ),
    "monitor.keep_logs_days": (
        "Days after which log files are deleted.",
        "日志文件多少天之后删除",
    ),
    "monitor.max_log_mb": (
        "MB of one log file; a full one is followed by another before the day is over.",
        "单个日志文件的 MB 数；写满就换下一个，不等一天结束",
    ),
    "monitor.backup": (
        "Copies of the journal that the daemon makes by itself, in live and dry-run mode, without stopping.",
        "守护进程在实盘与空跑模式下自动制作的账本副本，不必停下",
    ),
    "monitor.backup.every_hours": (
        "Hours between two; 0 makes none.",
        "两份之间的小时数；0 不制作",
    ),
    "monitor.backup.keep": (
        "How many stay; the oldest goes. A keep of 14 with 24 hours reaches back two weeks.",
        "留下多少份；最旧的先删。keep 为 14、每 24 小时一份，可以回到两周之前",
    ),
    "monitor.backup.folder": (
        "Where they go, best on another disk; null takes backups/ in the data folder.",
        "存放何处，最好在另一块磁盘；null 用数据目录中的 backups/",
    ),
}
