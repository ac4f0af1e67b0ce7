"""What may be commanded. Every command is a fact in the journal before anything is done about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from monitor.web.answers import Accepted
from monitor.web.desk import Desk
from monitor.web.questions import NAME


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


def add_commands(api: FastAPI, desk: Desk) -> None:
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
