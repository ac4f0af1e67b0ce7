"""Which message channels the operator has configured, and how they are written to.

A channel's library is imported only for who uses it: Telegram's alone is a seventh of the start.
"""

from __future__ import annotations

from pydantic import SecretStr

from config.monitor import Monitor
from config.secrets import Secrets
from core.errors import UsageError
from monitor.delivery import Channel
from monitor.habits import Habits, Quiet


def channels_of(monitor: Monitor, secrets: Secrets) -> tuple[Channel, ...]:
    """Build them. Raises UsageError when one is enabled and its secret is missing."""
    channels: list[Channel] = []
    if monitor.telegram.enabled:
        if secrets.telegram_bot_token is None:
            raise UsageError("monitor.yaml enables telegram: TELEGRAM_BOT_TOKEN (or its _FILE) is needed")
        from monitor.telegram import telegram_channels

        channels += telegram_channels(monitor.telegram, secrets.telegram_bot_token.get_secret_value())
    if monitor.dingtalk.enabled:
        keyword = monitor.dingtalk.keyword or ""
        if secrets.dingtalk_webhook is None or (secrets.dingtalk_secret is None and not keyword):
            raise UsageError(
                "monitor.yaml enables dingtalk: DINGTALK_WEBHOOK and DINGTALK_SECRET "
                "(or their _FILE) are needed; without a secret dingtalk.keyword is"
            )
        from monitor.dingtalk import DingTalkChannel

        channels.append(
            DingTalkChannel(
                secrets.dingtalk_webhook.get_secret_value(), _clear(secrets.dingtalk_secret), keyword
            )
        )
    if monitor.email.enabled:
        if monitor.email.user is not None and secrets.smtp_password is None:
            raise UsageError("monitor.yaml email.user: SMTP_PASSWORD (or its _FILE) is needed")
        from monitor.mail import EmailChannel

        channels.append(EmailChannel(monitor.email, _clear(secrets.smtp_password)))
    if monitor.receiver.enabled:
        if secrets.webhook_secret is None or monitor.receiver.url is None:
            raise UsageError("monitor.yaml enables receiver: WEBHOOK_SECRET (or its _FILE) is needed")
        from monitor.webhook import WebhookChannel

        channels.append(WebhookChannel(monitor.receiver.url, _clear(secrets.webhook_secret)))
    return tuple(channels)


def habits_of(monitor: Monitor) -> Habits:
    """What each channel is sent, and when it is left in peace."""
    least: dict[str, str] = {
        f"telegram:{chat}": monitor.telegram.min_level for chat in monitor.telegram.chat_ids
    }
    least |= {"dingtalk": monitor.dingtalk.min_level, "email": monitor.email.min_level}
    least |= {"webhook": monitor.receiver.min_level}
    quiet = Quiet.of(monitor.quiet_hours) if monitor.quiet_hours is not None else None
    return Habits(monitor.language, quiet, least)


def _clear(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret is not None else ""
