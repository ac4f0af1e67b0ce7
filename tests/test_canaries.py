"""The search for planted secrets finds them, and the engine lets none out where one is asked for."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from config.secrets import Secrets, load_secrets
from core.errors import VenueDown
from core.facts import Kind
from core.journal import FILE_NAME, SqliteJournal
from core.journal_reader import JournalReader
from monitor.redaction import Redactor, redacted_errors, redacted_stream
from tests.canaries import CANARIES, MARK, found_in, leaks
from tests.core.story import StillClock
from tests.e2e.rig import ROOT, venue
from tests.e2e.test_modes import change, config_copy

SECRET = CANARIES["OKX_API_SECRET"]
NOWHERE = Path("there-is-no-such-file")


def redactor() -> Redactor:
    return Redactor(load_secrets(NOWHERE).values())


def test_every_secret_the_engine_reads_is_planted() -> None:
    assert {name.upper() for name in Secrets.model_fields} == set(CANARIES)
    assert set(load_secrets(NOWHERE).values()) == set(CANARIES.values())


@pytest.mark.parametrize(
    "form",
    [
        SECRET.encode(),
        quote(SECRET, safe="").encode(),
        base64.b64encode(SECRET.encode()),
        base64.b64encode(b"user:" + SECRET.encode()),
        base64.b64encode(b"x" + SECRET.encode()),
        SECRET.encode().hex().encode(),
    ],
)
def test_the_search_finds(form: bytes, tmp_path: Path) -> None:
    held = b"some text " + form + b" and more"
    assert found_in(held)
    path = tmp_path / "deep" / "file"
    path.parent.mkdir()
    path.write_bytes(held)
    assert list(leaks(tmp_path)) == [path]
    path.unlink()  # the last look of the session must not find it


def test_a_test_that_prints_a_secret_fails(tmp_path: Path) -> None:
    test = "import logging, os\ndef test_it():\n    logging.warning('key %s', os.environ['OKX_API_KEY'])\n"
    (tmp_path / "test_leak.py").write_text(test)
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "test_leak.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "a planted secret was printed, logged or raised" in done.stdout
    assert MARK not in done.stdout


# --- what the engine writes -----------------------------------------------------------------------


@pytest.mark.fault("SE1")
async def test_free_text_in_the_journal_is_cleaned_for_listeners_and_on_the_disk(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    journal.redact = redactor()
    heard = []
    journal.listeners.append(heard.append)
    journal.append(Kind.NOTE, 1, {"what": "errand failed", "detail": f"GET with {SECRET} failed"})
    report = {"detail": f"no {SECRET}", "errors": [f"a {SECRET}", "b"], "orders": 1}
    journal.append(Kind.REPORT, 2, {"on": "opened", "report": report})
    journal.append(Kind.ACK, 3, {"cl_id": "x", "message": SECRET, "ord_id": "7"})
    await journal.close()
    assert [row.body.get("detail") for row in heard] == ["GET with *** failed", None, None]
    with JournalReader(tmp_path / FILE_NAME) as reader:
        rows = list(reader.rows())
        assert reader.verify().ok
    assert rows == heard
    assert rows[1].body["report"] == {"detail": "no ***", "errors": ["a ***", "b"], "orders": 1}
    assert list(leaks(tmp_path)) == []


async def test_a_secret_that_looks_like_a_number_changes_no_amount(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    journal.redact = Redactor(["1234"])
    journal.append(Kind.NOTE, 1, {"amount": "1234.5", "trade_id": "912345", "detail": "pass 1234"})
    await journal.close()
    with JournalReader(tmp_path / FILE_NAME) as reader:
        (row,) = reader.rows()
    assert row.body == {"amount": "1234.5", "trade_id": "912345", "detail": "pass ***"}


@pytest.mark.fault("SE1")
def test_an_error_that_ends_the_process_says_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(VenueDown) as ours, redacted_errors(redactor()):
        raise VenueDown(f"signed with {SECRET}", "50113")
    assert str(ours.value) == "50113: signed with ***"
    with pytest.raises(SystemExit) as ended, redacted_errors(redactor()):
        raise ValueError(f"header {SECRET}")
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert "ValueError: header ***" in said and "Traceback" in said and not found_in(said.encode())


def test_what_is_shown_is_cleaned(tmp_path: Path) -> None:
    with (tmp_path / "screen").open("w") as file:
        shown = redacted_stream(file, redactor())
        assert not shown.isatty()
        print("refused:", SECRET, file=shown)
    assert (tmp_path / "screen").read_text() == "refused: ***\n"


@pytest.mark.fault("SE1")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "table"])
def test_a_live_start_with_a_key_the_venue_refuses_tells_why_and_shows_no_secret(
    tmp_path: Path, as_json: bool
) -> None:
    config = config_copy(tmp_path / "config", strategy=("dry_run: true", "dry_run: false"))
    change(config, "monitor", "log_level: info", "log_level: debug")
    with venue("--seed", "7") as url:
        change(config, "account", "rest_url: null", f"rest_url: {url}")
        change(config, "account", "stream_url: null", f"stream_url: {url.replace('http', 'ws')}/ws/v5")
        for command in (
            ["main.py", "run", "--mode", "live", "--for", "1s", "--data", str(tmp_path / "data")],
            ["scripts/bootstrap.py", "--data", str(tmp_path / "data")],
        ):
            more = ["--config", str(config), *(["--json"] if as_json else [])]
            done = subprocess.run(
                [sys.executable, str(ROOT / command[0]), *command[1:], *more],
                cwd=tmp_path,
                env=dict(os.environ),
                capture_output=True,
                check=False,
            )
            assert done.returncode == 3, done.stderr.decode()
            assert not found_in(done.stdout + done.stderr)
    assert (tmp_path / "data" / "logs").is_dir()
    assert list(leaks(tmp_path)) == []
