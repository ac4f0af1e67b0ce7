from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import JournalFailed, UsageError
from core.facts import Kind
from core.journal import FILE_NAME, SqliteJournal
from core.lock import FolderLock
from core.types import DAY_MS, BillKind
from scripts.questions import (
    Answer,
    figure,
    journal_export,
    journal_verify,
    parse_time,
    pnl,
    status,
    why,
)
from tests.core.story import START_MS, D, StillClock, Story

MINUTE_MS = 60_000


async def write(folder: Path, story: Story) -> None:
    journal = await SqliteJournal.open(folder / FILE_NAME, StillClock())
    for row in story.rows:
        journal.append(row.kind, row.at_ms, row.body)
    await journal.close()


def verdict(ok: bool, guard: str, instrument: str | None, **figures: object) -> dict[str, Any]:
    return {
        "ok": ok,
        "guard": guard,
        "reason": f"{guard} said {'yes' if ok else 'no'}",
        "figures": [[name, value] for name, value in figures.items()],
        "instrument": instrument,
    }


def running_story() -> Story:
    """Two days: BTC opened and held, ETH opened and closed at a loss, a refusal for ETH at 08:05."""
    story = Story()
    story.boot({"USDT": "1000"})
    story.hedge("opened", target="1")
    story.fill("spot", "buy", "1", "100", fee="-0.1")
    story.fill("swap", "sell", "100", "100", fee="-0.05")
    target = {"instrument": "BTC-USDT", "base": D(1), "purpose": "open", "reason": "pays", "figures": []}
    story.decision(
        "scan",
        "IDLE",
        "OPENING",
        verdicts=(verdict(True, "band", "BTC-USDT", rate_8h=D("0.0001")), verdict(True, "funds_ok", None)),
        targets=(target,),
    )
    story.decision("opened", "OPENING", "RUNNING")
    story.now_ms = START_MS + 8 * 60 * MINUTE_MS
    story.funding("2")
    story.now_ms += 5 * MINUTE_MS
    story.decision(
        "scan",
        "RUNNING",
        "RUNNING",
        verdicts=(
            verdict(True, "band", "BTC-USDT", rate_8h=D("0.0001")),
            verdict(True, "quoted", "ETH-USDT", spread_bps=D("1.23456789012345")),
            verdict(False, "band", "ETH-USDT", rate_8h=D("0.00005"), floor_8h=D("0.0001")),
            verdict(True, "funds_ok", None, free_usdt=D(800)),
        ),
    )
    story.equity("1001.85", BTC_USDT=("101", "101"))
    story.now_ms += DAY_MS
    story.decision("account", "RUNNING", "RUNNING")
    story.fill("spot", "buy", "2", "10", hedge_id="FE1H2", instrument="ETH-USDT")
    story.fill("spot", "sell", "2", "9", hedge_id="FE1H2", instrument="ETH-USDT")
    story.hedge("closed", "FE1H2", "ETH-USDT", target="0", purpose="exit")
    story.bill(BillKind.INTEREST, "-0.25", instrument="", hedge_id="")
    return story


# --- status -------------------------------------------------------------------------------------


async def test_status_tells_what_is_held_and_whether_anybody_is_at_work(tmp_path: Path) -> None:
    story = running_story()
    story.intent("FE1H3S1N1")
    await write(tmp_path, story)
    answer = status(tmp_path)
    assert answer.code == 0
    data = answer.data
    assert (data["state"], data["permission"], data["running_pid"]) == ("RUNNING", "FULL", None)
    assert data["equity"] == "999.60"
    assert data["unresolved_orders"] == ["FE1H3S1N1"]
    assert data["hedges"]["BTC-USDT"]["contracts"] == "100"
    assert data["hedges"]["BTC-USDT"]["pnl"] == "1.85"
    assert "did not say good-bye" in answer.text
    for word in ("RUNNING", "BTC-USDT", "999.60", "FE1H3S1N1", "2026-01-02 08:05:00 UTC"):
        assert word in answer.text
    with FolderLock(tmp_path):
        assert "running, process" in status(tmp_path).text


async def test_status_names_the_reason_of_a_lowered_permission(tmp_path: Path) -> None:
    story = running_story()
    story.add(Kind.PERMISSION, {"cause": "breaker", "level": "NO_NEW_RISK", "reason": "3 losing rounds"})
    story.stop()
    await write(tmp_path, story)
    answer = status(tmp_path)
    assert "NO_NEW_RISK (3 losing rounds)" in answer.text
    assert answer.text.splitlines()[0].split() == ["engine", "stopped"]


async def test_a_question_works_while_the_journal_is_being_written(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path / FILE_NAME, StillClock())
    for row in running_story().rows:
        journal.append(row.kind, row.at_ms, row.body)
    await journal.durable()
    assert status(tmp_path).data["state"] == "RUNNING"
    assert journal_verify(tmp_path).data["head"] == journal.head
    await journal.close()


def test_a_folder_without_a_journal_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed, match="there is no journal"):
        status(tmp_path)


# --- why ----------------------------------------------------------------------------------------


async def test_why_shows_the_refusals_first_with_their_figures(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    answer = why(tmp_path, "ETH-USDT")
    assert answer.code == 0
    guards = [(v["guard"], v["ok"], v["instrument"]) for v in answer.data["decision"]["verdicts"]]
    assert guards == [("band", False, "ETH-USDT"), ("quoted", True, "ETH-USDT"), ("funds_ok", True, None)]
    text = answer.text
    assert "2026-01-01 08:05:00 UTC" in text
    assert "1 of 3 verdicts" in text
    assert "rate_8h = 0.00005" in text and "floor_8h = 0.0001" in text
    assert "spread_bps = 1.2345678901" in text
    assert "BTC-USDT" not in text
    assert text.index("band said no") < text.index("quoted said yes")


async def test_why_goes_back_to_the_time_it_is_asked_about(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    later, earlier = why(tmp_path, "BTC-USDT"), why(tmp_path, "BTC-USDT", "2026-01-01T08:00")
    assert later.data["decision"]["src"] == "RUNNING"
    assert earlier.data["decision"]["dst"] == "OPENING"
    assert "IDLE -> OPENING" in earlier.text
    assert "hold 1 of BTC-USDT (open: pays)" in earlier.text


async def test_why_without_an_instrument_shows_the_last_decision_that_said_anything(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    verdicts = why(tmp_path).data["decision"]["verdicts"]
    assert len(verdicts) == 4
    assert not verdicts[0]["ok"]


async def test_why_about_the_unheard_of_is_answered_with_a_no(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    assert why(tmp_path, "DOGE-USDT").code == 1
    answer = why(tmp_path, "ETH-USDT", "2026-01-01T08:04:59")
    assert answer.code == 1
    assert answer.data["decision"] is None
    assert "no decision about ETH-USDT was made until 2026-01-01 08:04:59 UTC" in answer.text


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        ("2026-01-01T08:05", START_MS + 485 * MINUTE_MS),
        ("2026-01-01 08:05:00", START_MS + 485 * MINUTE_MS),
        ("2026-01-01T08:05+08:00", START_MS + 5 * MINUTE_MS),
        ("1767225600123", START_MS + 123),
        ("08:05", START_MS + DAY_MS + 485 * MINUTE_MS),
        ("23:00", START_MS + 23 * 60 * MINUTE_MS),
    ],
)
def test_a_time_is_read_as_people_write_it(text: str, at_ms: int) -> None:
    now_ms = START_MS + DAY_MS + 12 * 60 * MINUTE_MS
    assert parse_time(text, now_ms) == at_ms


@pytest.mark.parametrize("text", ["yesterday", "25:00", "2026-13-01", ""])
def test_a_time_nobody_can_read_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="--at"):
        parse_time(text, START_MS)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("rate", "0.00010000", "0.0001"),
        ("funding_time_ms", START_MS, "2026-01-01 00:00:00 UTC"),
        ("age_ms", 1500, "1500"),
        ("live", True, "yes"),
        ("word", "trend", "trend"),
        ("zero", "0.000", "0"),
        ("none", None, "None"),
        ("ratio", "NaN", "NaN"),
        ("huge", "1" * 30, "1" * 30),
    ],
)
def test_figures_are_shown_in_their_own_unit(name: str, value: object, shown: str) -> None:
    assert figure(name, value) == shown


# --- pnl ----------------------------------------------------------------------------------------


def net_of_groups(answer: Answer) -> Any:
    return sum((D(g["net"]) for g in answer.data["groups"].values()), D(0))


async def test_pnl_adds_up_to_the_change_of_equity(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    data = pnl(tmp_path).data
    assert D(data["equity_end"]) - D(data["equity_start"]) == D(data["total"]["net"]) == D("-0.40")
    assert (data["total"]["funding"], data["total"]["fees"], data["total"]["interest"]) == (
        "2",
        "0.15",
        "0.25",
    )


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("instrument", ["BTC-USDT", "ETH-USDT", "account"]),
        ("day", ["2026-01-01", "2026-01-02"]),
    ],
)
async def test_the_groups_of_pnl_add_up_to_its_total(tmp_path: Path, by: str, names: list[str]) -> None:
    await write(tmp_path, running_story())
    answer = pnl(tmp_path, by)
    assert list(answer.data["groups"]) == names
    assert net_of_groups(answer) == D(answer.data["total"]["net"])
    assert all(name in answer.text for name in names)


async def test_each_day_has_its_own_money(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    first, second = pnl(tmp_path, "day").data["groups"].values()
    assert (first["funding"], first["fees"], first["net"]) == ("2", "0.15", "1.85")
    assert [D(second[name]) for name in ("funding", "basis", "interest")] == [D(0), D(-2), D("0.25")]


async def test_pnl_by_round_lists_closed_rounds(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    (group,) = pnl(tmp_path, "round").data["groups"].items()
    assert group[0] == "ETH-USDT 2026-01-02 08:05:00 UTC"
    assert group[1]["net"] == "-2"


def test_an_unknown_grouping_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="instrument, day, round"):
        pnl(tmp_path, "mood")


# --- journal ------------------------------------------------------------------------------------


async def test_a_sound_journal_verifies_and_a_cut_one_does_not(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    answer = journal_verify(tmp_path)
    assert (answer.code, answer.data["ok"]) == (0, True)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes().replace(b'"free_usdt","800"', b'"free_usdt","900"'))
    answer = journal_verify(tmp_path)
    assert (answer.code, answer.data["ok"]) == (1, False)
    assert "BROKEN" in answer.text and "was changed" in answer.text


async def test_an_export_holds_every_row_or_the_kinds_asked_for(tmp_path: Path) -> None:
    story = running_story()
    await write(tmp_path, story)
    out = io.StringIO()
    assert journal_export(tmp_path, out).data == {"rows": len(story.rows)}
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(story.rows) + 1))
    assert [line["body"] for line in lines] == [row.body for row in story.rows]
    out = io.StringIO()
    journal_export(tmp_path, out, ["bill"])
    assert {json.loads(line)["kind"] for line in out.getvalue().splitlines()} == {"bill"}


async def test_an_unknown_kind_is_a_usage_error(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    with pytest.raises(UsageError, match="decision"):
        journal_export(tmp_path, io.StringIO(), ["gossip"])


async def test_every_answer_is_also_json(tmp_path: Path) -> None:
    await write(tmp_path, running_story())
    answers = [status(tmp_path), why(tmp_path), pnl(tmp_path, "day"), journal_verify(tmp_path)]
    for answer in answers:
        assert json.loads(json.dumps(answer.data)) == answer.data
