"""What may be commanded. Every command is a fact in the journal before anything is done about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from config.overlay import StaleVersion
from monitor.web.answers import Accepted, Problem, Reconfigured
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


Key = Annotated[str, Field(pattern=r"^[a-z0-9_.]{3,100}$")]
Text = Annotated[str, Field(max_length=2000)]


class Configure(Why):
    """version  of the overlay the change was made against, from /api/config/form.
    changes  dotted keys and their values as written in YAML; null goes back to what the file says."""

    version: Annotated[int, Field(ge=0, examples=[0])]
    changes: Annotated[
        dict[Key, Text | None],
        Field(min_length=1, max_length=200, examples=[{"strategy.exit.cooldown_hours": "12"}]),
    ]


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

    @api.post("/api/config", tags=tags, status_code=202, responses={409: {"model": Problem}})
    def configure(change: Configure) -> Reconfigured:
        """Change the configuration: judged with the files as one, journalled with its diff, laid over them.

        The engine finishes what is under way, holds its hedges and starts again with it. Keys that decide
        whose money it is, whether orders are real, or who may command are changed in the files only."""
        try:
            return desk.configure(change.version, change.changes, change.reason)
        except StaleVersion as error:
            raise HTTPException(409, str(error)) from error
