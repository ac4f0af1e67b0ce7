"""Logging: structlog on the standard library, JSON lines in a daily file, plain lines for people.

    structlog / logging / loguru / apscheduler -> root logger -> queue -> thread -> file, console

Writing happens in the queue's thread: a disk that stalls does not stall the loop. Redaction comes last,
on the finished line, so a secret inside an exception's text or a library's message is caught as well.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from loguru import logger as loguru_logger

from monitor import formats
from monitor.log_file import DailyFile
from monitor.redaction import MASK, SECRET_KEY, Redactor

FILE_NAME = "engine.log"
MAX_BYTES: Final = 50_000_000
LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
# At INFO these name URLs with tokens in them, or every frame and every tick.
QUIET: Final = (
    "transitions",
    "httpx",
    "httpcore",
    "hpack",
    "websockets",
    "telegram",
    "apscheduler",
    "asyncio",
    "aiosqlite",
)

Processor = Callable[[Any, str, MutableMapping[str, Any]], MutableMapping[str, Any]]


class Logs:
    """The running log system. `close` writes what is queued and gives the root logger back."""

    def __init__(self, listener: logging.handlers.QueueListener, entry: logging.Handler) -> None:
        self._listener, self._entry = listener, entry
        root = logging.getLogger()
        self._level_before = root.level
        root.addHandler(entry)
        listener.start()

    def close(self) -> None:
        root = logging.getLogger()
        if self._entry in root.handlers:
            root.removeHandler(self._entry)
            root.setLevel(self._level_before)
            self._listener.stop()
            for handler in self._listener.handlers:
                handler.close()
            loguru_logger.remove()
            structlog.reset_defaults()


def set_up_logs(
    folder: Path,
    level: str,
    keep_days: int,
    redact: Redactor,
    console: TextIO | None = None,
    engine_ms: Callable[[], int] | None = None,
    max_bytes: int = MAX_BYTES,
) -> Logs:
    """Send every log line of the process to `folder`/engine.log and, if given, to `console`.

    level      debug, info, warning or error; library loggers stay at warning.
    keep_days  the file turns over at 00:00 UTC; files of so many days are kept.
    max_bytes  it also turns over when the next line would make it longer than this.
    engine_ms  the engine's clock, where it is not the wall's: adds the engine's time as `at`.

    Raises OSError when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    marks: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        mask_keys,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *marks,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.format_exc_info,  # here, where the exception is still the current one
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    file = DailyFile(folder / FILE_NAME, keep_days, max_bytes)
    as_json = structlog.processors.JSONRenderer(default=str, ensure_ascii=False)
    file.setFormatter(_Formatter(as_json, marks, redact))
    handlers: list[logging.Handler] = [file]
    if console is not None:
        people = logging.StreamHandler(console)
        people.setFormatter(_Formatter(_plain_line, marks, redact))
        handlers.append(people)

    entry = _Entry(queue.SimpleQueue(), engine_ms)
    logs = Logs(logging.handlers.QueueListener(entry.queue, *handlers), entry)
    logging.getLogger().setLevel(LEVELS[level])
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    loguru_logger.remove()
    loguru_logger.add(_from_loguru, level=LEVELS[level], format="{message}", backtrace=False, diagnose=False)
    return logs


class _Entry(logging.handlers.QueueHandler):
    """Hands records over as they are; the base class would flatten structlog's mappings to text."""

    def __init__(self, lines: Any, engine_ms: Callable[[], int] | None) -> None:
        super().__init__(lines)
        self._engine_ms = engine_ms

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        if isinstance(record.msg, str):  # arguments may change before the thread comes to the line
            record.msg, record.args = record.getMessage(), None
        if self._engine_ms is not None:
            record.engine_ms = self._engine_ms()
        return record


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record and takes the secrets out of the result."""

    def __init__(self, renderer: Any, marks: list[Processor], redact: Redactor) -> None:
        super().__init__(
            foreign_pre_chain=marks,
            processors=[
                _stamp,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def mask_keys(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank the values of keys that are named like secrets, at any depth of mappings."""
    return {key: MASK if _is_secret(key, value) else _masked(value) for key, value in event.items()}


def _is_secret(key: object, value: object) -> bool:
    return isinstance(value, str | bytes) and bool(SECRET_KEY.search(str(key)))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: MASK if _is_secret(k, v) else _masked(v) for k, v in value.items()}
    return value


def _stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    # The record's own times: this runs later, in the queue's thread.
    record = event["_record"]
    at = {"at": formats.utc(record.engine_ms)} if hasattr(record, "engine_ms") else {}
    return {"ts": formats.moment(int(record.created * 1000)).isoformat("T", "milliseconds"), **at, **event}


def _plain_line(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
    # time level event key=value ..., the traceback below
    rest = dict(event)
    time, level = rest.pop("ts"), rest.pop("level")
    logger, trace = rest.pop("logger", ""), rest.pop("exception", None)
    values = " ".join(f"{key}={value}" for key, value in rest.items() if key != "event")
    line = f"{time[:19]}Z {level:<8} {rest['event']} {values}".rstrip()
    return f"{line} [{logger}]" + (f"\n{trace}" if trace else "")


def _from_loguru(message: Any) -> None:
    record = message.record
    logging.getLogger(record["name"] or "loguru").log(record["level"].no, "%s", record["message"])
