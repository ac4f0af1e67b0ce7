"""Telegram as a message channel, on python-telegram-bot's Bot."""

from __future__ import annotations

import os
from datetime import timedelta

from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, RetryAfter, TelegramError
from telegram.request import HTTPXRequest

from config.monitor import Telegram
from monitor.delivery import ChannelBusy, ChannelDown, ChannelRefused

PUBLIC_SERVER = "https://api.telegram.org"
TIMEOUT_S = 5.0


def proxies_for(base_url: str | None) -> dict[str, bool]:
    """Proxies of the environment lead to the public service, not to a server of one's own."""
    return {"trust_env": base_url is None}


class TelegramChannel:
    """Sends to one chat. A bot may send one message a second to a chat, twenty a minute to a group.

    The token is part of every URL the library builds: its loggers stay at WARNING (monitor/logs.py) and
    errors raised here carry the service's words only.
    """

    max_chars = 4000  # the service takes 4096, counted after it has parsed entities
    pace_s = 3.0

    def __init__(self, token: str, chat_id: int, base_url: str | None = None) -> None:
        # The documented opt-in to timedelta; without it the library warns about its own error class.
        os.environ["PTB_TIMEDELTA"] = "true"
        self.name = f"telegram:{chat_id}"
        self._chat_id = chat_id
        self._request = HTTPXRequest(
            connection_pool_size=2,
            connect_timeout=TIMEOUT_S,
            read_timeout=TIMEOUT_S,
            write_timeout=TIMEOUT_S,
            pool_timeout=TIMEOUT_S,
            httpx_kwargs=proxies_for(base_url),
        )
        self._bot = Bot(
            token,
            base_url=f"{(base_url or PUBLIC_SERVER).rstrip('/')}/bot",
            request=self._request,
            get_updates_request=self._request,
        )

    async def send(self, text: str, level: str) -> None:
        quietly = level == "info"  # a phone shows it and does not ring
        try:
            await self._bot.send_message(
                self._chat_id, text, disable_web_page_preview=True, disable_notification=quietly
            )
        except RetryAfter as error:
            wait = error.retry_after
            seconds = wait.total_seconds() if isinstance(wait, timedelta) else wait
            raise ChannelBusy(seconds) from None
        except InvalidToken:
            raise ChannelRefused("the bot token is not accepted") from None
        except (BadRequest, ChatMigrated, Forbidden) as error:
            raise ChannelRefused(error.message) from None
        except TelegramError as error:
            raise ChannelDown(error.message) from None
        except (KeyError, TypeError, ValueError) as error:  # the library trusts an answer's shape
            raise ChannelDown(f"unreadable answer: {type(error).__name__}") from None

    async def close(self) -> None:
        await self._request.shutdown()


def telegram_channels(config: Telegram, token: str) -> tuple[TelegramChannel, ...]:
    """One channel per chat, so that a chat that fails is retried without repeating to the others."""
    return tuple(TelegramChannel(token, chat_id, config.base_url) for chat_id in config.chat_ids)
