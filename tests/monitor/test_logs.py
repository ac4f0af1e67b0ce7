import base64
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import assume, given
from hypothesis import strategies as st
from loguru import logger as loguru_logger

from monitor.logs import FILE_NAME, set_up_logs
from monitor.redaction import MASK, Redactor

SECRET = 'CANARY/pass+"phrase" é'


@contextmanager
def logging_to(folder: Path, console: io.StringIO | None = None, **options: Any) -> Iterator[None]:
    logs = set_up_logs(folder, options.pop("level", "info"), 3, Redactor([SECRET]), console, **options)
    try:
        yield
    finally:
        logs.close()


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / FILE_NAME).read_text("utf-8").splitlines()]


def test_a_line_is_json_with_event_values_and_utc_time(tmp_path: Path) -> None:
    with logging_to(tmp_path / "logs"):
        structlog.get_logger("engine").info("opened", instrument="BTC-USDT", size=D("0.40"), why="费率")
    (line,) = lines(tmp_path / "logs")
    assert line["ts"].endswith("+00:00")
    assert {k: line[k] for k in ("event", "level", "logger", "instrument", "size", "why")} == {
        "event": "opened",
        "level": "info",
        "logger": "engine",
        "instrument": "BTC-USDT",
        "size": "0.40",
        "why": "费率",
    }


def test_context_travels_with_every_line(tmp_path: Path) -> None:
    with logging_to(tmp_path), structlog.contextvars.bound_contextvars(cycle="c7"):
        structlog.get_logger("engine").info("slice")
    assert lines(tmp_path)[0]["cycle"] == "c7"


def test_the_engines_own_time_stands_beside_the_walls(tmp_path: Path) -> None:
    with logging_to(tmp_path, engine_ms=lambda: 1_773_302_700_000):
        structlog.get_logger("engine").info("own")
        logging.getLogger("library").warning("foreign")
    assert [line["at"] for line in lines(tmp_path)] == ["2026-03-12 08:05:00Z"] * 2


def test_standard_logging_loguru_and_apscheduler_end_in_the_same_file(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        logging.getLogger("monitor.delivery").error("%s", "message_undelivered")
        logging.getLogger("apscheduler.scheduler").warning("Run time of job %s was missed", "scan")
        loguru_logger.warning("from the sdk {}", 5)
    assert [line["event"] for line in lines(tmp_path)] == [
        "message_undelivered",
        "Run time of job scan was missed",
        "from the sdk 5",
    ]


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "websockets.client", "apscheduler.executors"])
@pytest.mark.fault("DP3")
def test_chatty_libraries_are_quiet_below_warning(tmp_path: Path, name: str) -> None:
    with logging_to(tmp_path, level="debug"):
        logging.getLogger(name).info("POST https://host/botTOKEN/sendMessage")
        logging.getLogger(name).warning("worth knowing")
        logging.getLogger("engine").debug("ours")
    assert [line["event"] for line in lines(tmp_path)] == ["worth knowing", "ours"]


def test_lines_below_the_level_are_left_out(tmp_path: Path) -> None:
    with logging_to(tmp_path, level="warning"):
        structlog.get_logger("engine").info("too quiet")
        loguru_logger.info("too quiet")
        structlog.get_logger("engine").warning("loud")
    assert [line["event"] for line in lines(tmp_path)] == ["loud"]


@pytest.mark.fault("SE1")
def test_a_secret_shows_in_no_form_and_no_place(tmp_path: Path) -> None:
    console = io.StringIO()
    with logging_to(tmp_path, console):
        log = structlog.get_logger("engine")
        log.info(
            f"in the event {SECRET}", url=f"https://x/?p={quote(SECRET, safe='')}", nested={"a": [SECRET]}
        )
        log.info("headers", basic=base64.b64encode(SECRET.encode()).decode(), raw=repr(SECRET))
        logging.getLogger("library").warning("argument %s", SECRET)
        loguru_logger.warning(SECRET)
        for logger in (log, logging.getLogger("library")):
            try:
                raise ValueError(f"refused {SECRET}")
            except ValueError:
                logger.exception("boom")
    written = (tmp_path / FILE_NAME).read_text("utf-8") + console.getvalue()
    assert "CANARY" not in written
    assert base64.b64encode(SECRET.encode()).decode() not in written
    assert written.count("ValueError: refused ***") == 4
    assert len(lines(tmp_path)) == 6  # still JSON, every line


@pytest.mark.fault("SE1")
def test_values_of_keys_named_like_secrets_are_blanked_at_any_depth(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        structlog.get_logger("engine").info(
            "request",
            headers={"OK-ACCESS-KEY": "k", "OK-ACCESS-SIGN": "s", "content-type": "json"},
            bot_token="t",
            DINGTALK_WEBHOOK="w",
            passphrase="p",
            tokens=3,
        )
    (line,) = lines(tmp_path)
    assert line["headers"] == {"OK-ACCESS-KEY": MASK, "OK-ACCESS-SIGN": MASK, "content-type": "json"}
    assert (line["bot_token"], line["DINGTALK_WEBHOOK"], line["passphrase"]) == (MASK, MASK, MASK)
    assert line["tokens"] == 3


def test_people_read_plain_lines(tmp_path: Path) -> None:
    console = io.StringIO()
    with logging_to(tmp_path, console):
        structlog.get_logger("engine").warning("stream_down", name_of="public", age_s=64)
    (line,) = console.getvalue().splitlines()
    time, _, rest = line.partition("Z ")
    assert len(time) == len("2026-03-12T08:05:00")
    assert rest == "warning  stream_down name_of=public age_s=64 [engine]"


def test_arguments_are_read_when_the_line_is_written_not_later(tmp_path: Path) -> None:
    with logging_to(tmp_path):
        changing = ["before"]
        logging.getLogger("library").warning("list %s", changing)
        changing[0] = "after"
    assert lines(tmp_path)[0]["event"] == "list ['before']"


def test_closing_gives_the_root_logger_back(tmp_path: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    logs = set_up_logs(tmp_path, "debug", 3, Redactor())
    logs.close()
    logs.close()
    assert (list(root.handlers), root.level) == before


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        set_up_logs(tmp_path / "file", "info", 3, Redactor())


@given(st.text(), st.text(min_size=4), st.text())
def test_a_known_secret_never_survives_in_any_text(before: str, secret: str, after: str) -> None:
    assume(secret not in MASK * 3)
    clean = Redactor([secret])(f"{before}{secret}{after}")
    assert secret not in clean or secret in before + MASK + after


def test_the_longer_of_two_overlapping_secrets_leaves_no_remainder() -> None:
    assert Redactor(["abcd", "abcd-efgh"])("x abcd-efgh y abcd z") == "x *** y *** z"


def test_empty_and_short_values_blank_nothing() -> None:
    assert Redactor(["", "abc"])("abc words") == "abc words"


def test_the_redactor_does_not_show_what_it_knows() -> None:
    assert "CANARY" not in f"{Redactor([SECRET])!r} {Redactor([SECRET])}"
