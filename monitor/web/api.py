"""The API put together: its health, its stream, its errors; docs/api.md is generated from here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

from core.errors import EngineError, UsageError
from core.facts import encoded
from monitor.refusal_words import refusal_in_chinese
from monitor.web import examples
from monitor.web.answers import Health, Problem
from monitor.web.archive import Archive
from monitor.web.commands import add_commands
from monitor.web.desk import Desk
from monitor.web.library import Library
from monitor.web.questions import NOT_YET, add_questions
from monitor.web.route import plain_route
from monitor.web.scrape import add_scrape
from monitor.web.stream import Hub

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


def build_api(
    desk: Desk, library: Library, archive: Archive, version: str, redact: Callable[[str], str] = str
) -> FastAPI:
    """The application, without the door in front of it. Build it in the loop it will run in.

    redact  takes known secrets out of everything that leaves.
    """

    class Redacted(JSONResponse):
        def render(self, content: Any) -> bytes:
            told = content if isinstance(content, bytes) else encoded(content)
            return redact(told.decode()).encode()

    api = FastAPI(
        title="Funding engine",
        version=version,
        description="Amounts in USDT as decimal strings, times UTC milliseconds, rates fractions.",
        docs_url=None,  # its page would ask strangers' servers for scripts
        redoc_url=None,
        responses=_PROBLEMS,
        default_response_class=Redacted,
    )
    api.router.route_class = plain_route(Redacted)
    hub = Hub(lambda: _line(desk, redact))
    _add_errors(api)
    _add_health(api, desk, Redacted)
    add_scrape(api, desk)
    add_questions(api, desk, library, archive)
    add_commands(api, desk)

    @api.get("/api/stream", tags=["questions"], response_class=StreamingResponse)
    async def stream() -> Response:
        """Server-sent events: `status`, the whole picture, whenever it has changed; a slow listener gets the
        newest and misses what lay between."""
        if hub.is_full:
            return _problem(503, "too_many_listeners", f"{hub.listeners} listen already")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(hub.listen(), media_type="text/event-stream", headers=headers)

    describe = api.openapi
    api.openapi = lambda: examples.put_into(describe())  # type: ignore[method-assign]  # FastAPI's documented way
    return api


def _line(desk: Desk, redact: Callable[[str], str]) -> str | None:
    status = desk.status()
    if status is None:
        return None
    return redact(encoded(status).decode())


def _add_health(api: FastAPI, desk: Desk, answer: type[JSONResponse]) -> None:
    # Both answer in the loop itself: a supervisor does not wait behind somebody's long question.
    @api.get("/healthz", tags=["health"], response_model=Health)
    async def healthz() -> Response:
        """The process answers. Nothing is said about trading: ask /readyz."""
        status = desk.status()
        return answer(Health(True, status.state.value if status else None, ()))

    @api.get("/readyz", tags=["health"], response_model=Health, responses={503: {"model": Health}})
    async def readyz() -> Response:
        """The engine has decided something, and nothing critical holds; else 503."""
        status = desk.status()
        critical = tuple(w.text for w in status.warnings if w.level == "critical") if status else (NOT_YET,)
        health = Health(not critical, status.state.value if status else None, critical)
        return answer(health, 503 if critical else 200)


def _add_errors(api: FastAPI) -> None:
    @api.exception_handler(RequestValidationError)
    async def not_allowed(_: Request, error: RequestValidationError) -> Response:
        told = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        return _problem(422, "not_allowed", "; ".join(told))

    @api.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        names = {
            404: "not_found",
            405: "method_not_allowed",
            409: "conflict",
            422: "not_allowed",
            503: "not_yet",
        }
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
    chinese = refusal_in_chinese(detail)
    told = {"error": error, "detail": detail} | ({"zh": chinese} if chinese != detail else {})
    return JSONResponse(told, status, headers)
