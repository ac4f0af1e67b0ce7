"""Which message channels the operator has configured.

A channel's library is imported only for who uses it: Telegram's alone is a seventh of the start.
"""

from __future__ import annotations

from config.monitor import Monitor
from config.secrets import Secrets
from core.errors import UsageError
from monitor.delivery import Channel


def channels_of(monitor: Monitor, secrets: Secrets) -> tuple[Channel, ...]:
    """Build them. Raises UsageError when one is enabled and its secret is missing."""
    channels: list[Channel] = []
    if monitor.telegram.enabled:
        if secrets.telegram_bot_token is None:
            raise UsageError("monitor.yaml enables telegram: TELEGRAM_BOT_TOKEN (or its _FILE) is needed")
        from monitor.telegram import telegram_channels

        channels += telegram_channels(monitor.telegram, secrets.telegram_bot_token.get_secret_value())
    if monitor.dingtalk.enabled:
        if secrets.dingtalk_webhook is None or secrets.dingtalk_secret is None:
            raise UsageError(
                "monitor.yaml enables dingtalk: DINGTALK_WEBHOOK and DINGTALK_SECRET "
                "(or their _FILE) are needed"
            )
        from monitor.dingtalk import DingTalkChannel

        channels.append(
            DingTalkChannel(
                secrets.dingtalk_webhook.get_secret_value(), secrets.dingtalk_secret.get_secret_value()
            )
        )
    return tuple(channels)
