"""Stream connections under faults: what a client says may not arrive, what it is told may not either.

Every line's wire is a StruckWire. While no rule looks at pushes and nothing is held back it only hands
on what it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import msgspec

from exchange.sim.faults.rules import Effect, Occasion, Place
from exchange.sim.surface.control.agenda import Agenda
from exchange.sim.surface.control.fault_desk import FaultDesk, refuses_orders
from exchange.sim.surface.streams.session import LOGIN_FAILED, StreamSession
from exchange.sim.surface.wires import Wire

UNKNOWN_RESULT: Final = ("50004", "API endpoint request timeout (does not mean success or failure)")
_ORDER_OPS: Final = ("order", "batch-orders", "cancel-order", "batch-cancel-orders", "amend-order",
                     "batch-amend-orders")  # fmt: skip


class _Push(msgspec.Struct):
    """What faults ask of a push; its rows stay as they are until somebody does."""

    arg: dict[str, Any]
    data: msgspec.Raw = msgspec.Raw(b"[]")
    action: str = ""


_PUSH: Final = msgspec.json.Decoder(_Push)


class StruckWire:
    """Between a session and its real wire. Itself a Wire."""

    def __init__(self, inner: Wire, session: StreamSession, desk: FaultDesk, agenda: Agenda) -> None:
        self.inner = inner
        self.session = session
        self._desk = desk
        self._agenda = agenda
        self._behind: dict[str, int] = {}  # topic -> until when its frames queue up
        self._swapped: list[bytes] = []  # waiting for the next frame to pass
        self._last: dict[str, bytes] = {}  # topic -> the last frame sent, for rules that repeat it
        self._over = False

    # --- Wire ---------------------------------------------------------------------------------

    def send(self, frames: list[bytes]) -> None:
        if self._over:
            return
        if not (self._desk.watches(Place.PUSH) or self._behind or self._swapped):
            self.inner.send(frames)
            return
        for frame in frames:
            self._pass(frame)

    def end(self, code: int, reason: str) -> None:
        self._over = True
        self.inner.end(code, reason)

    def reset(self) -> None:
        self._over = True
        self.inner.reset()

    def mute(self) -> None:
        self._over = True
        self.inner.mute()

    # --- pushes -------------------------------------------------------------------------------

    def _pass(self, frame: bytes) -> None:
        """Decide on one frame and send what becomes of it, now or later."""
        if not frame.startswith(b'{"arg"'):  # an answer, a pong, a notice: never held back for a push's sake
            self._emit([frame])
            return
        push = _PUSH.decode(frame)
        topic = msgspec.json.encode(push.arg).decode()
        effects = self._desk.decide(self._occasion(push)) if self._desk.watches(Place.PUSH) else []
        now_ms, copies, late_ms = self._desk.venue.now_ms, [frame], 0
        for effect in effects:
            match effect.kind:
                case "drop" | "gap":
                    copies = []
                case "stale":
                    copies = [self._last[topic]] if effect["repeat"] and topic in self._last else []
                case "duplicate":
                    copies = copies * (1 + effect["times"])
                case "delay":
                    late_ms = max(late_ms, effect["ms"])
                case "reorder":
                    self._swapped += copies
                    copies = []
                    self._agenda.add(now_ms + effect["ms"], partial(self._emit, []))
                case _:
                    self.strike(effect)
        if not copies or self._over:
            return
        due_ms = max(now_ms + late_ms, self._behind.get(topic, 0))
        self._last[topic] = copies[-1]
        if due_ms > now_ms:
            self._behind[topic] = due_ms
            self._agenda.add(due_ms, partial(self._arrive, topic, copies))
        else:
            self._emit(copies)

    def _arrive(self, topic: str, frames: list[bytes]) -> None:
        if self._behind.get(topic, 0) <= self._desk.venue.now_ms:
            self._behind.pop(topic, None)
        self._emit(frames)

    def _emit(self, frames: list[bytes]) -> None:
        """Send frames, and behind them what was to be passed by something."""
        swapped, self._swapped = self._swapped, []
        if not self._over and (frames or swapped):
            self.inner.send([*frames, *swapped])

    def _occasion(self, push: _Push) -> Occasion:
        arg, session = push.arg, self.session
        named = [arg["instId"]] if "instId" in arg else [
            row["instId"]
            for row in msgspec.json.decode(push.data)
            if isinstance(row, dict) and "instId" in row
        ]  # fmt: skip
        return Occasion(
            Place.PUSH,
            self._desk.venue.now_ms,
            stream=session.kind,
            op=push.action,
            channel=arg["channel"],
            account=session.account.name if session.account else "",
            inst_ids=tuple(dict.fromkeys(named)),
        )

    # --- what ends a connection ---------------------------------------------------------------

    def strike(self, effect: Effect) -> None:
        """Reset, close or silence this connection, or announce its end."""
        match effect.kind:
            case "reset":
                self.reset()
            case "half_open":
                self.mute()
            case "close":
                self.end(effect["code"], effect["reason"])
            case "notice":
                self._desk.retire(effect["after"], [self.session])


# --- what a client says -------------------------------------------------------------------------


def struck_message(
    desk: FaultDesk, wire: StruckWire, agenda: Agenda, text: str, hear: Callable[[str], list[bytes]]
) -> list[bytes]:
    """Take a client's message under its faults; return what it is answered now.

    hear  lets the session take the message, and returns its answer
    """
    occasion, items = _occasion(desk, wire, text)
    effects = desk.decide(occasion)
    now_ms = desk.venue.now_ms
    late_ms = sum(e["ms"] for e in effects if e.kind == "delay" and e["part"] == "request")
    carry_out = partial(_carried_out, desk, wire, agenda, text, occasion, items, effects, hear)
    if not late_ms:
        return carry_out()
    agenda.add(now_ms + late_ms, lambda: wire.send(carry_out()))
    return []


def _carried_out(
    desk: FaultDesk,
    wire: StruckWire,
    agenda: Agenda,
    text: str,
    occasion: Occasion,
    items: list[dict[str, Any]],
    effects: list[Effect],
    hear: Callable[[str], list[bytes]],
) -> list[bytes]:
    session = wire.session
    for effect in effects:
        match effect.kind:
            case "drop" if effect["part"] == "request":
                return []
            case "reset" if effect["part"] == "request":
                wire.reset()
                return []
            case "half_open":
                wire.mute()
                return []
            case "rate_limit":
                return [_refusal(session, text, occasion, "60014", "Requests too frequent")]
            case "reject" if not (refuses_orders(effect) and occasion.op in _ORDER_OPS):
                if occasion.op == "login":
                    session.closing = LOGIN_FAILED
                return [_refusal(session, text, occasion, effect["code"], effect["msg"])]
    extra = sum(effect["times"] for effect in effects if effect.kind == "duplicate")
    frames: list[bytes] = []
    with desk.around_orders(effects, items):
        for _ in range(1 + extra):
            frames += hear(text)
    late_ms = 0
    for effect in effects:
        match effect.kind:
            case "drop" if effect["part"] == "answer":
                frames = []
            case "ack_lost":
                lost = [_refusal(session, text, occasion, *UNKNOWN_RESULT)]
                frames = lost if effect["answer"] == "timeout" else []
                if effect["answer"] == "reset":
                    wire.reset()
            case "reset":
                wire.reset()
            case "delay" if effect["part"] == "answer":
                late_ms += effect["ms"]
            case "close" | "notice":
                wire.strike(effect)
    if late_ms and frames:
        agenda.add(desk.venue.now_ms + late_ms, partial(wire.send, frames))
        return []
    return frames


def _refusal(session: StreamSession, text: str, occasion: Occasion, code: str, msg: str) -> bytes:
    ident = _decoded(text).get("id")
    if occasion.op not in _ORDER_OPS:
        return session.event(ident or None, event="error", code=code, msg=msg)
    return msgspec.json.encode({"id": ident or "", "op": occasion.op, "data": [], "code": code, "msg": msg})


def _occasion(desk: FaultDesk, wire: StruckWire, text: str) -> tuple[Occasion, list[dict[str, Any]]]:
    session, message = wire.session, _decoded(text)
    args = message.get("args")
    items = [arg for arg in args if isinstance(arg, dict)] if isinstance(args, list) else []
    account = session.account
    if message.get("op") == "login" and items:
        account = desk.venue.account_by_key(str(items[0].get("apiKey")))
    occasion = Occasion(
        Place.MESSAGE,
        desk.venue.now_ms,
        stream=session.kind,
        op="ping" if text == "ping" else str(message.get("op", "")),
        account=account.name if account else "",
        inst_ids=desk.named(items),
    )
    return occasion, items


def _decoded(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError):
        return {}
