"""What may be asked: every question reads, none changes anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from core.facts import Kind
from monitor.status import CandidateLine, HedgeLine, Status
from monitor.web.answers import Decided, Entry, Form, Funding, Machine, Moment, Ordered, Performance, Problem
from monitor.web.archive import Archive
from monitor.web.desk import Desk
from monitor.web.library import Library
from monitor.web.machine import machine as picture

NOT_YET: Final = "the engine has decided nothing yet; ask again in a moment"
NAME: Final = r"^[A-Z0-9]{1,20}-USDT$"
MOST_MS: Final = 253_402_300_799_999  # the last instant of the year 9999
Instrument = Annotated[str | None, Query(pattern=NAME, examples=["BTC-USDT"])]
Before = Annotated[int | None, Query(ge=1, le=2**62)]
Find = Annotated[str | None, Query(min_length=1, max_length=100, examples=["repair"])]
Status_ = Annotated[str | None, Query(pattern=r"^[a-z_]{1,20}$", examples=["filled"])]


def add_questions(api: FastAPI, desk: Desk, library: Library, archive: Archive) -> None:
    _add_now(api, desk)
    _add_earned(api, library)
    _add_then(api, library, archive)


def _add_now(api: FastAPI, desk: Desk) -> None:
    tags: list[Any] = ["questions"]

    def now() -> Status:
        status = desk.status()
        if status is None:
            raise HTTPException(503, NOT_YET)
        return status

    @api.get("/api/status", tags=tags)
    def status() -> Status:
        """Everything at a glance."""
        return now()

    @api.get("/api/positions", tags=tags)
    def positions(instrument: Instrument = None) -> tuple[HedgeLine, ...]:
        """The hedges that are held, both legs of each."""
        return tuple(hedge for hedge in now().hedges if instrument in (None, hedge.instrument))

    @api.get("/api/signals", tags=tags)
    def signals() -> tuple[CandidateLine, ...]:
        """What the strategy last thought of every instrument, and the first thing against it."""
        return now().candidates

    @api.get("/api/machine", tags=tags)
    def machine() -> Machine:
        """The states, and every way from one to another with the guards that must say yes."""
        return picture()

    @api.get("/api/config", tags=tags)
    def config() -> dict[str, Any]:
        """The configuration in force, by file and key. Secrets are not part of it."""
        return dict(desk.settings())

    @api.get("/api/config/form", tags=tags, response_model=Form)
    def form() -> Response:
        """What a form needs to change the configuration: version, changes, schemas, locks, meanings."""
        return JSONResponse(asdict(desk.form()))  # a schema's bounds are numbers, unlike money

    @api.get("/api/logs", tags=tags)
    def logs(most: Annotated[int, Query(ge=1, le=2000)] = 200) -> tuple[str, ...]:
        """The newest lines of the log, oldest first, each one JSON object."""
        return tuple(desk.log_lines(most))


def _add_earned(api: FastAPI, library: Library) -> None:
    tags: list[Any] = ["questions"]

    @api.get("/api/performance", tags=tags, response_model=Performance)
    def performance() -> bytes:
        """What was earned, and from what."""
        return library.performance_json()

    @api.get("/api/funding", tags=tags, response_model=Funding)
    def funding() -> bytes:
        """What shorts were paid, by instrument and day."""
        return library.funding_json()


def _add_then(api: FastAPI, library: Library, archive: Archive) -> None:
    tags: list[Any] = ["questions"]

    @api.get("/api/decisions", tags=tags, response_model=tuple[Decided, ...])
    def decisions(
        instrument: Instrument = None,
        most: Annotated[int, Query(ge=1, le=500)] = 50,
        before_seq: Before = None,
        moved: bool = False,
    ) -> bytes:
        """Decisions with every verdict, youngest first. `moved`: only those that changed the state."""
        return archive.decisions_json(most, before_seq, instrument, moved)

    @api.get("/api/moment", tags=tags, responses={404: {"model": Problem}})
    def moment(at_ms: Annotated[int, Query(ge=0, le=MOST_MS, examples=[1_767_225_600_000])]) -> Moment:
        """State, permission and hedges as they were at an instant, and the decision that was in force."""
        found = archive.moment(at_ms)
        if found is None:
            raise HTTPException(404, f"at_ms: {at_ms} is before the first row of the journal")
        return found

    @api.get("/api/orders", tags=tags)
    def orders(
        most: Annotated[int, Query(ge=1, le=1000)] = 100,
        instrument: Instrument = None,
        status: Status_ = None,
        find: Find = None,
    ) -> tuple[Ordered, ...]:
        """The newest orders, youngest first. `find`: a part of an id, a name, the side or the purpose."""
        return library.orders(most, instrument, status, find)

    @api.get("/api/journal", tags=tags)
    def journal(
        most: Annotated[int, Query(ge=1, le=500)] = 50,
        before_seq: Before = None,
        kind: Kind | None = None,
        instrument: Instrument = None,
        find: Find = None,
    ) -> tuple[Entry, ...]:
        """Rows of the journal, youngest first. `find`: text anywhere in the row."""
        return archive.entries(most, before_seq, kind, instrument, find)

    @api.get("/api/export", tags=tags, response_class=StreamingResponse)
    def export() -> Response:
        """The whole journal, a row a line, with its hashes: what `journal export` writes."""
        headers = {"content-disposition": 'attachment; filename="journal.jsonl"'}
        return StreamingResponse(_rows(archive), media_type="application/x-ndjson", headers=headers)


def _rows(archive: Archive) -> Iterator[bytes]:
    for line in archive.export():
        yield line.encode()
