"""The questions and commands of the API; docs/api.md is generated from here."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Request
from fastapi import Path as PathParameter
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from core.errors import EngineError, UsageError
from core.facts import plain
from monitor.status import CandidateLine, HedgeLine, Status
from monitor.web.answers import Accepted, Decided, Funding, Health, Ordered, Performance, Problem
from monitor.web.desk import Desk
from monitor.web.library import Library
from monitor.web.stream import Hub

NOT_YET: Final = "the engine has decided nothing yet; ask again in a moment"
NAME: Final = r"^[A-Z0-9]{1,20}-USDT$"
Instrument = Annotated[str | None, Query(pattern=NAME, examples=["BTC-USDT"])]
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Problem, "description": text}
    for status, text in (
        (400, "the request cannot be understood"),
        (401, "the token is missing or wrong"),
        (403, "a page of another server may not ask here"),
        (413, "the body is too large"),
        (415, "commands are JSON"),
        (421, "the Host header names somebody else"),
        (422, "a value is not allowed; `detail` names it"),
        (429, "too often, or locked out; see Retry-After"),
        (503, "the engine cannot answer yet"),
    )
}


class Why(BaseModel):
    """Every command says why; the journal keeps it."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=3, max_length=200, examples=["I leave for two weeks"])]


class Halt(Why):
    """flatten  unwind both legs of everything, instead of holding what is held.
    confirm  the word HALT, or FLATTEN, typed by a person."""

    flatten: bool = False
    confirm: Annotated[str, Field(max_length=20, examples=["HALT"])]


class Close(Why):
    """confirm  the instrument's name once more, typed by a person."""

    confirm: Annotated[str, Field(max_length=30, examples=["BTC-USDT"])]


def build_api(desk: Desk, library: Library, version: str, redact: Callable[[str], str] = str) -> FastAPI:
    """The application, without the door in front of it. Build it in the loop it will run in.

    redact  takes known secrets out of everything that leaves.
    """

    class Redacted(JSONResponse):
        def render(self, content: Any) -> bytes:
            return redact(super().render(content).decode()).encode()

    api = FastAPI(
        title="Funding engine",
        version=version,
        description="Amounts in USDT as decimal strings, times UTC milliseconds, rates fractions.",
        docs_url=None,  # its page would ask strangers' servers for scripts
        redoc_url=None,
        responses=_PROBLEMS,
        default_response_class=Redacted,
    )
    hub = Hub(lambda: _line(desk, redact))
    _add_errors(api)
    _add_health(api, desk)
    _add_questions(api, desk, library)
    _add_commands(api, desk)

    @api.get("/api/stream", tags=["questions"], response_class=StreamingResponse)
    async def stream() -> Response:
        """Server-sent events: `status`, the whole picture, whenever it has changed; a slow listener gets the
        newest and misses what lay between."""
        if hub.is_full:
            return _problem(503, "too_many_listeners", f"{hub.listeners} listen already")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(_encoded(hub), media_type="text/event-stream", headers=headers)

    return api


async def _encoded(hub: Hub) -> AsyncIterator[bytes]:
    async for event in hub.listen():
        yield event.encode()


def _line(desk: Desk, redact: Callable[[str], str]) -> str | None:
    status = desk.status()
    if status is None:
        return None
    return redact(json.dumps(plain(status), ensure_ascii=False, separators=(",", ":")))


def _add_health(api: FastAPI, desk: Desk) -> None:
    @api.get("/healthz", tags=["health"])
    def healthz() -> Health:
        """The process answers. Nothing is said about trading: ask /readyz."""
        status = desk.status()
        return Health(True, status.state.value if status else None, ())

    @api.get("/readyz", tags=["health"], responses={503: {"model": Health}})
    def readyz(response: Response) -> Health:
        """The engine has decided something, and nothing critical holds; else 503."""
        status = desk.status()
        if status is None:
            response.status_code = 503
            return Health(False, None, (NOT_YET,))
        critical = tuple(one.text for one in status.warnings if one.level == "critical")
        response.status_code = 503 if critical else 200
        return Health(not critical, status.state.value, critical)


def _add_questions(api: FastAPI, desk: Desk, library: Library) -> None:
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

    @api.get("/api/decisions", tags=tags)
    def decisions(
        instrument: Instrument = None,
        most: Annotated[int, Query(ge=1, le=500)] = 50,
        before_seq: Annotated[int | None, Query(ge=1, le=2**62)] = None,
        moved: bool = False,
    ) -> tuple[Decided, ...]:
        """Decisions with every verdict, youngest first. `moved`: only those that changed the state."""
        return library.decisions(most, before_seq, instrument, moved)

    @api.get("/api/performance", tags=tags)
    def performance() -> Performance:
        """What was earned, and from what."""
        return library.performance()

    @api.get("/api/funding", tags=tags)
    def funding() -> Funding:
        """What shorts were paid, by instrument and day."""
        return library.funding()

    @api.get("/api/orders", tags=tags)
    def orders(most: Annotated[int, Query(ge=1, le=1000)] = 100) -> tuple[Ordered, ...]:
        """The newest orders, youngest first."""
        return library.orders(most)

    @api.get("/api/config", tags=tags)
    def config() -> dict[str, Any]:
        """The configuration in force, by file and key. Secrets are not part of it."""
        return dict(desk.settings())

    @api.get("/api/logs", tags=tags)
    def logs(most: Annotated[int, Query(ge=1, le=2000)] = 200) -> tuple[str, ...]:
        """The newest lines of the log, oldest first, each one JSON object."""
        return tuple(desk.log_lines(most))

    @api.get("/api/export", tags=tags, response_class=StreamingResponse)
    def export() -> Response:
        """The whole journal, a row a line, with its hashes: what `journal export` writes."""
        headers = {"content-disposition": 'attachment; filename="journal.jsonl"'}
        return StreamingResponse(_rows(library), media_type="application/x-ndjson", headers=headers)


def _rows(library: Library) -> Iterator[bytes]:
    for line in library.export():
        yield line.encode()


def _add_commands(api: FastAPI, desk: Desk) -> None:
    tags: list[Any] = ["commands"]

    def tell(verb: str, why: Why, instrument: str = "") -> Accepted:
        desk.command(verb, why.reason, instrument)
        return Accepted(verb, instrument, why.reason)

    @api.post("/api/halt", tags=tags, status_code=202)
    def halt(order: Halt) -> Accepted:
        """Stop: hold what is held, or flatten it. Only `resume` ends it."""
        verb = "flatten" if order.flatten else "halt"
        if order.confirm != verb.upper():
            raise HTTPException(422, f"confirm: {order.confirm!r} is not {verb.upper()}, typed out")
        return tell(verb, order)

    @api.post("/api/resume", tags=tags, status_code=202)
    def resume(why: Why) -> Accepted:
        """Leave STOPPED, when the self-check passes and the books agree with the venue."""
        return tell("resume", why)

    @api.post("/api/pause", tags=tags, status_code=202)
    def pause(why: Why) -> Accepted:
        """No new risk until `unpause`; exits and repairs go on."""
        return tell("pause", why)

    @api.post("/api/unpause", tags=tags, status_code=202)
    def unpause(why: Why) -> Accepted:
        """The end of a pause."""
        return tell("unpause", why)

    @api.post("/api/positions/{instrument}/close", tags=tags, status_code=202)
    def close(
        instrument: Annotated[str, PathParameter(pattern=NAME, examples=["BTC-USDT"])], order: Close
    ) -> Accepted:
        """Give up one hedge, both legs, by the next decision. After `exit.cooldown_hours` it may be opened
        again."""
        if order.confirm != instrument:
            raise HTTPException(422, f"confirm: {order.confirm!r} is not {instrument}, typed out")
        return tell("close", order, instrument)

    @api.post("/api/scan/manual", tags=tags, status_code=202)
    def scan(why: Why) -> Accepted:
        """One scan now, with all its guards, as if five minutes had passed."""
        return tell("scan", why)


def _add_errors(api: FastAPI) -> None:
    @api.exception_handler(RequestValidationError)
    async def not_allowed(_: Request, error: RequestValidationError) -> Response:
        told = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        return _problem(422, "not_allowed", "; ".join(told))

    @api.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        names = {404: "not_found", 405: "method_not_allowed", 422: "not_allowed", 503: "not_yet"}
        return _problem(
            error.status_code, names.get(error.status_code, "refused"), error.detail, error.headers
        )

    @api.exception_handler(UsageError)
    async def bad_usage(_: Request, error: UsageError) -> Response:
        return _problem(422, "not_allowed", str(error))

    @api.exception_handler(EngineError)
    async def unable(_: Request, error: EngineError) -> Response:
        return _problem(503, "unavailable", str(error))


def _problem(status: int, error: str, detail: str, headers: Any = None) -> Response:
    return JSONResponse({"error": error, "detail": detail}, status, headers)
