"""Telegram for the dialogue: long polling in, pages out, on python-telegram-bot's Application.

Runs on a real-time loop of its own thread. Nothing here decides: an update becomes something heard, and
what the dialogue makes of it is carried out in order, the engine's part first.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final

from telegram import BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.constants import ParseMode
from telegram.error import BadRequest, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import Application, ApplicationBuilder, CallbackContext, TypeHandler
from telegram.request import HTTPXRequest

from core.errors import EngineError
from monitor.chat.desk import Desk
from monitor.chat.dialogue import Dialogue, Do, Effect, Notice, Pressed, Refuse, Show, Written, described
from monitor.chat.layout import Keyboard, Page
from monitor.chat.painter import painted
from monitor.redaction import Redactor
from monitor.telegram import PUBLIC_SERVER, TIMEOUT_S, proxies_for
from monitor.texts import render
from monitor.words import Language

log = logging.getLogger(__name__)

POLL_S: Final = 25  # one long poll
PAUSES_S: Final = (1.0, 5.0, 15.0)  # between tries to send an answer
LONGEST_WAIT_S: Final = 60.0
CALM_MS: Final = 120_000  # so long without a conflict it is over: two pollers take turns at being refused
GOODBYE_S: Final = 3.0
KINDS: Final = ("message", "callback_query")
CONFLICT, OK, NO_TOKEN = 409, 200, frozenset({401, 404})
REFUSALS_LOGGED_MS: Final = 10 * 60_000  # the same stranger is logged once in so long

App = Application[Any, Any, Any, Any, Any, Any]


class _Polling(HTTPXRequest):
    """What the library asks for updates with; says how each question was answered."""

    def __init__(self, on_code: Callable[[int], None], **options: Any) -> None:
        super().__init__(**options)
        self._on_code = on_code

    async def do_request(self, *args: Any, **options: Any) -> tuple[int, bytes]:
        code, body = await super().do_request(*args, **options)
        self._on_code(code)
        return code, body


class TelegramBot:
    """Listens to one bot's chats. `run` may be called once.

    tell     core.ports.Notifier.tell, safe to call from this thread.
    wall_ms  real UTC: the service's own times are that, whatever clock the engine lives by.
    """

    def __init__(
        self,
        token: str,
        base_url: str | None,
        dialogue: Dialogue,
        desk: Desk,
        language: Language,
        redact: Redactor,
        tell: Callable[[str, str, Mapping[str, object]], None],
        wall_ms: Callable[[], int],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        os.environ["PTB_TIMEDELTA"] = "true"  # see monitor/telegram.py
        logging.getLogger("telegram.ext").setLevel(logging.CRITICAL)  # what fails is told here, and once
        self._dialogue, self._desk, self._language = dialogue, desk, language
        self._redact, self._tell, self._wall_ms, self._sleep = redact, tell, wall_ms, sleep
        self._lost = asyncio.Event()
        self._conflict_ms = 0  # of the last one, while the condition holds
        self._refused: dict[tuple[int, int], int] = {}
        limits: dict[str, Any] = {
            "connect_timeout": TIMEOUT_S,
            "write_timeout": TIMEOUT_S,
            "pool_timeout": TIMEOUT_S,
            "httpx_kwargs": proxies_for(base_url),
        }
        self._requests = (
            HTTPXRequest(connection_pool_size=4, read_timeout=TIMEOUT_S, **limits),
            _Polling(self._on_code, connection_pool_size=1, read_timeout=TIMEOUT_S, **limits),
        )
        self._app: App = (
            ApplicationBuilder()
            .token(token)
            .base_url(f"{(base_url or PUBLIC_SERVER).rstrip('/')}/bot")
            .request(self._requests[0])
            .get_updates_request(self._requests[1])
            .job_queue(None)
            .concurrent_updates(False)
            .build()
        )
        self._app.add_handler(TypeHandler(Update, self._on_update))
        self._app.add_error_handler(self._on_error)

    async def run(self, over: asyncio.Event) -> None:
        """Listen until `over` is set, or until the service does not know the token."""
        work = asyncio.create_task(self._listen())
        ends = [asyncio.create_task(event.wait()) for event in (over, self._lost)]
        try:
            await asyncio.wait({work, *ends}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, *ends):
                task.cancel()
            done = await asyncio.gather(work, *ends, return_exceptions=True)
            await self._close()
        if isinstance(done[0], Exception):
            raise done[0]

    async def _listen(self) -> None:
        await self._connect()
        if self._lost.is_set():
            return
        self._dialogue.bot_name = self._app.bot.username
        updater = self._app.updater
        assert updater is not None
        await self._app.start()
        await updater.start_polling(
            timeout=POLL_S,
            bootstrap_retries=-1,
            allowed_updates=KINDS,
            drop_pending_updates=False,
            error_callback=self._on_polling_error,
        )
        await self._offer_menu()
        await asyncio.Event().wait()

    async def _connect(self) -> None:
        """Learn who the bot is; a service that does not answer is waited for."""
        pause_s = PAUSES_S[0]
        while True:
            try:
                await self._app.initialize()
                return
            except InvalidToken:
                self._lose()
                return
            except TelegramError as error:
                self._log(logging.WARNING, "chat_waits", repr(error.message))
            await self._sleep(pause_s)
            pause_s = min(LONGEST_WAIT_S, 2 * pause_s)

    async def _offer_menu(self) -> None:
        """The service's own list of commands: in Chinese for who uses it in Chinese, else as configured."""
        menus: tuple[tuple[Language, str | None], ...] = ((self._language, None), ("en", "en"), ("zh", "zh"))
        for language, code in menus:
            commands = [BotCommand(name, text) for name, text in described(language)]
            await self._send(partial(self._app.bot.set_my_commands, commands, language_code=code))

    async def _close(self) -> None:
        updater = self._app.updater
        assert updater is not None
        for is_open, close in (
            (updater.running, updater.stop),
            (self._app.running, self._app.stop),
            (True, self._app.shutdown),
            *((True, request.shutdown) for request in self._requests),  # an app that never began leaves them
        ):
            if is_open:
                with suppress(TimeoutError):
                    await asyncio.wait_for(close(), GOODBYE_S)

    # --- in ----------------------------------------------------------------------------------------

    async def _on_update(self, update: Update, _: CallbackContext[Any, Any, Any, Any]) -> None:
        heard = heard_in(update, self._wall_ms())
        if heard is None:
            return
        for effect in self._dialogue.hear(heard, self._wall_ms()):
            await self._perform(effect)

    async def _on_error(self, _: object, context: CallbackContext[Any, Any, Any, Any]) -> None:
        self._log(logging.ERROR, "chat_failed", repr(context.error))

    def _on_polling_error(self, error: TelegramError) -> None:
        self._log(logging.DEBUG, "chat_poll_failed", repr(error.message))

    def _on_code(self, code: int) -> None:
        """How a question for updates was answered: with a conflict when somebody else asks too."""
        now_ms = self._wall_ms()
        if code in NO_TOKEN:
            self._lose()
        elif code == CONFLICT:
            if not self._conflict_ms:
                self._trouble("chat.conflict")
            self._conflict_ms = now_ms
        elif code == OK and self._conflict_ms and now_ms - self._conflict_ms > CALM_MS:
            self._conflict_ms = 0
            self._tell("recovered", "info", {"condition": "chat", "what": "chat"})

    def _lose(self) -> None:
        if not self._lost.is_set():
            self._lost.set()
            self._trouble("chat.bad_token")

    def _trouble(self, topic: str) -> None:
        detail = render(topic, {}, self._language)
        self._tell("trouble", "warning", {"condition": "chat", "what": "chat", "detail": detail})

    # --- out ---------------------------------------------------------------------------------------

    async def _perform(self, effect: Effect) -> None:
        bot = self._app.bot
        match effect:
            case Do():
                await self._do(effect)
            case Notice():
                # Fails when the press is older than a few minutes, which harms nobody.
                await self._send(
                    lambda: bot.answer_callback_query(effect.query_id, effect.text[:200] or None)
                )
            case Show():
                await self._show(effect)
            case Refuse():
                self._note_refusal(effect)

    async def _do(self, effect: Do) -> None:
        wish, page = effect.wish, effect.done
        try:
            self._desk.command(wish.verb, f"{wish.command} by {wish.user_id}", wish.instrument)
        except (EngineError, OSError) as error:
            fields = {"command": wish.command, "detail": str(error)}
            page = Page("❌ " + render("chat.not_sent", fields, self._language))
        await self._show(Show(wish.chat_id, page, effect.message_id))

    async def _show(self, show: Show) -> None:
        bot, html, markup = self._app.bot, show.page.as_html(self._redact), _markup(show.page.buttons)
        if show.message_id is None:
            await self._send(
                lambda: bot.send_message(show.chat_id, html, parse_mode=ParseMode.HTML, reply_markup=markup)
            )
        else:
            await self._send(
                lambda: bot.edit_message_text(
                    html, show.chat_id, show.message_id, parse_mode=ParseMode.HTML, reply_markup=markup
                )
            )
        if show.chart is not None:
            picture = await painted(show.chart, self._language)
            if picture is not None:
                await self._send(lambda: bot.send_photo(show.chat_id, picture))

    async def _send(self, call: Callable[[], Awaitable[object]]) -> None:
        """Try a few times; an answer that cannot be given is given up, and asking again is easy."""
        last: TelegramError | None = None
        for pause_s in (*PAUSES_S, None):
            try:
                await call()
                return
            except RetryAfter as error:
                last, wait = error, error.retry_after
                told_s = wait.total_seconds() if isinstance(wait, timedelta) else wait
                pause_s = None if pause_s is None else min(LONGEST_WAIT_S, told_s)
            except BadRequest as error:  # such as a page turned to what it shows already
                last, pause_s = error, None
            except NetworkError as error:
                last = error
            except TelegramError as error:
                last, pause_s = error, None
            if pause_s is None:
                break
            await self._sleep(pause_s)
        self._log(logging.WARNING, "answer_not_sent", repr(last.message if last else ""))

    def _note_refusal(self, refusal: Refuse) -> None:
        heard, now_ms = refusal.heard, self._wall_ms()
        who = (heard.chat_id, heard.user_id)
        if now_ms - self._refused.get(who, 0) < REFUSALS_LOGGED_MS:
            return
        if len(self._refused) >= 1_000:
            self._refused.clear()
        self._refused[who] = now_ms
        said = heard.text if isinstance(heard, Written) else heard.data if isinstance(heard, Pressed) else ""
        self._log(
            logging.WARNING, "chat_refused", f"chat={heard.chat_id} user={heard.user_id} said={said[:80]!r}"
        )

    def _log(self, level: int, event: str, rest: str) -> None:
        log.log(level, "%s", self._redact(f"{event} {rest}"))


def heard_in(update: Update, now_ms: int) -> Written | Pressed | None:
    """What a service's update says; None for anything that is neither a line of text nor a pressed button."""
    message, query = update.message, update.callback_query
    if message is not None and message.text is not None and message.from_user is not None:
        sent_ms = int(message.date.timestamp() * 1000)
        return Written(update.update_id, message.chat.id, message.from_user.id, sent_ms, message.text)
    if query is not None and query.message is not None and query.data is not None:
        chat_id, message_id = query.message.chat.id, query.message.message_id
        return Pressed(
            update.update_id, chat_id, query.from_user.id, now_ms, query.data, message_id, query.id
        )
    return None


def _markup(buttons: Keyboard) -> InlineKeyboardMarkup | None:
    if not buttons:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(b.text, callback_data=b.data) for b in row] for row in buttons]
    )
