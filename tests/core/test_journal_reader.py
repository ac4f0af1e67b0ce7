"""Rows as whoever follows a journal reads them: sealed, in outline, and whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import JournalBroken
from core.facts import Kind
from core.journal import FILE_NAME
from core.journal_reader import JournalReader, as_json
from tests.core.test_journal import journal_in, tamper


async def test_a_sealed_row_says_the_same_as_an_opened_one_packed_or_not(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        for n in range(60):
            journal.append(
                Kind.NOTE, n, {"what": 'Überraschung \u2028 "quoted"', "n": n, "long": "x" * (n * 60)}
            )
    with JournalReader(tmp_path / FILE_NAME) as reader:
        sealed = list(reader.sealed(page_rows=7))
        assert [row.seq for row in sealed] == list(range(60, 0, -1))
        for row in sealed:
            assert row.text() == as_json(row.open())
            assert row.outline() == row.open()  # only a decision is more than its outline


async def test_an_outline_leaves_a_decisions_verdicts_out_and_nothing_else(tmp_path: Path) -> None:
    verdict = {
        "ok": True,
        "guard": "liquid",
        "reason": "well",
        "figures": [["n", "1"]] * 100,
        "instrument": None,
    }
    body = {
        "on": "scan", "src": "IDLE", "dst": "OPENING", "moved": True, "instrument": "BTC-USDT",
        "reason": "why", "at_ms": 7, "targets": [{"base": "1"}], "verdicts": [verdict],
    }  # fmt: skip
    async with journal_in(tmp_path) as journal:
        for _ in range(3):
            journal.append(Kind.DECISION, 7, body)
    with JournalReader(tmp_path / FILE_NAME) as reader:
        for whole, outline in zip(reader.rows(), reader.outlines(), strict=True):
            assert (outline.seq, outline.kind, outline.at_ms, outline.hash) == (
                whole.seq, whole.kind, whole.at_ms, whole.hash,
            )  # fmt: skip
            assert set(outline.body) == {"on", "src", "dst", "moved", "instrument", "reason"}
            assert {name: whole.body[name] for name in outline.body} == outline.body
        assert [row.seq for row in reader.outlines(2)] == [3]


async def test_a_sealed_row_that_is_damaged_is_told_by_whoever_reads_it(tmp_path: Path) -> None:
    async with journal_in(tmp_path) as journal:
        journal.append(Kind.NOTE, 1, {"what": "long", "text": "y" * 5_000})
    tamper(tmp_path, "UPDATE events SET packed = x'00112233'")
    with JournalReader(tmp_path / FILE_NAME) as reader:
        (row,) = reader.sealed()
        for read in (row.open, row.outline, row.text):
            with pytest.raises(JournalBroken, match="damaged"):
                read()
