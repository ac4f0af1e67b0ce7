"""E-mail as a message channel: the standard library's SMTP client, always encrypted where it logs in."""

from __future__ import annotations

import asyncio
import hashlib
import smtplib
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate
from typing import Final

from config.monitor import Email
from monitor.delivery import ChannelDown, ChannelRefused, real_ms

TIMEOUT_S: Final = 10.0  # of one step with the server
SEND_WITHIN_S: Final = 30.0  # of all of them
OUR_NAME: Final = (
    "[127.0.0.1]"  # what we greet with: neither this host's name nor a question to a name server
)
PERMANENT: Final = 500  # replies from here on say never


class EmailChannel:
    """One mail to every recipient, at most four a minute.

    The client blocks, so each mail has a thread of its own; one that hangs holds up no other channel and no
    end. `context` is what certificates are checked with.
    """

    name = "email"
    max_chars = 50_000
    pace_s = 15.0

    def __init__(
        self,
        config: Email,
        password: str,
        context: ssl.SSLContext | None = None,
        wall_ms: Callable[[], int] = real_ms,
    ) -> None:
        self._config, self._password, self._wall_ms = config, password, wall_ms
        self._host, self._sender = config.host or "localhost", config.sender or ""
        self._context = context or ssl.create_default_context()

    async def send(self, text: str, level: str) -> None:
        message = self._message(text, level)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()

        def finish(error: Exception | None) -> None:
            if done.done():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def work() -> None:
            error: Exception | None = None
            try:
                self._deliver(message)
            except (ChannelDown, ChannelRefused) as known:
                error = known
            except Exception as unknown:  # noqa: BLE001  # a thread's error would be nobody's
                error = ChannelDown(f"{type(unknown).__name__}")
            with suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits any more
                loop.call_soon_threadsafe(finish, error)

        threading.Thread(target=work, name="mail", daemon=True).start()
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                await done
        except TimeoutError:
            raise ChannelDown(f"not sent within {SEND_WITHIN_S:g} s") from None

    async def close(self) -> None:
        """Nothing is kept open between two mails."""

    def _message(self, text: str, level: str) -> EmailMessage:
        first = next(iter(text.splitlines()), "")
        message = EmailMessage()
        message["Subject"] = f"[funding engine] {level}: {first[:100]}"
        message["From"] = self._sender
        message["To"] = ", ".join(self._config.recipients)
        message["Date"] = formatdate(self._wall_ms() / 1000)
        # The same text sent again is the same mail to whoever sorts them out.
        number = hashlib.sha256(text.encode()).hexdigest()[:32]
        message["Message-ID"] = f"<{number}@{self._sender.rpartition('@')[2]}>"
        message.set_content(text)
        return message

    def _deliver(self, message: EmailMessage) -> None:
        config = self._config
        try:
            with self._connected() as server:
                if config.security == "starttls":
                    server.starttls(context=self._context)
                if config.user is not None:
                    server.login(config.user, self._password)
                server.send_message(message)
        except smtplib.SMTPAuthenticationError as error:
            raise ChannelRefused(f"user or password not accepted ({error.smtp_code})") from None
        except smtplib.SMTPNotSupportedError as error:
            raise ChannelRefused(f"the server cannot do it: {error}") from None
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            _judge(min(codes), "no recipient is accepted")
        except smtplib.SMTPResponseException as error:
            words = error.smtp_error
            said = words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
            _judge(error.smtp_code, said)
        except ssl.SSLCertVerificationError as error:
            raise ChannelDown(f"the server's certificate is not valid: {error.verify_message}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelDown(f"no answer: {type(error).__name__}") from None

    def _connected(self) -> smtplib.SMTP:
        host, port = self._host, self._config.port
        if self._config.security == "tls":
            return smtplib.SMTP_SSL(host, port, OUR_NAME, timeout=TIMEOUT_S, context=self._context)
        return smtplib.SMTP(host, port, OUR_NAME, timeout=TIMEOUT_S)


def _judge(code: int, said: str) -> None:
    if code >= PERMANENT:
        raise ChannelRefused(f"{code}: {said}") from None
    raise ChannelDown(f"{code}: {said}") from None
