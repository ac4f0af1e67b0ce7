"""Where faults become real: what a request, a message or a push is seen as, and what is done to the venue.

The plan decides (faults/plan.py). What happens to requests is in struck_rest.py, to streams in
struck_lines.py; here is what both need, and what is done to the venue itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

import msgspec

from exchange.sim.faults.plan import FaultPlan
from exchange.sim.faults.reading import Known
from exchange.sim.faults.rules import Effect, Occasion, Place
from exchange.sim.markets.distortion import Distortion
from exchange.sim.model import ZERO, Reject
from exchange.sim.seam import Venue
from exchange.sim.surface.control.api import NotAllowed, NotThere
from exchange.sim.surface.entry.order_entry import MOST_IN_BATCH, OrderEntry
from exchange.sim.surface.streams.session import StreamSession
from exchange.sim.surface.wires import Request

FIRST_ORDER_CODE: Final = 51000  # codes from here on refuse an order, those before it a request

Items = list[dict[str, Any]]


class Levers(Protocol):
    """What faults move inside the venue; faults/levers.py."""

    def skew_clock(self, ms: int) -> None: ...

    def show(self, inst_id: str, distortion: Distortion | None) -> None: ...

    def reset_sequence(self, inst_id: str) -> None: ...

    def close_venue(self, begin_ms: int, end_ms: int, title: str) -> None: ...

    def revoke_key(self, name: str) -> None: ...

    def spare(self, inst_id: str, left: Decimal) -> Decimal: ...

    def give_back(self, inst_id: str, taken: Decimal) -> None: ...


class FaultDesk:
    """`edit` is the control interface's (what, name, changes); `retire` announces the end of sessions;
    `note` records what was done.
    """

    def __init__(
        self,
        plan: FaultPlan,
        venue: Venue,
        levers: Levers,
        entry: OrderEntry,
        edit: Callable[[str, str, Mapping[str, Any]], object],
        retire: Callable[[int, Iterable[StreamSession]], int],
        note: Callable[[str, dict[str, object]], None],
    ) -> None:
        self.plan = plan
        self.venue = venue
        self._levers = levers
        self._entry = entry
        self._edit = edit
        self.retire = retire
        self._note = note
        self._names = {str(i.code): i.inst_id for i in venue.instruments.values()}

    def known(self) -> Known:
        return Known(self.venue.now_ms, self.venue.accounts, self.venue.instruments)

    def watches(self, place: Place) -> bool:
        return self.plan.watches(place)

    def decide(self, occasion: Occasion) -> list[Effect]:
        """What strikes; recorded."""
        struck = self.plan.decide(occasion)
        for effect in struck:
            self.tell(effect, occasion.described())
        return struck

    def tell(self, effect: Effect, struck: Mapping[str, object], failed: str = "") -> None:
        """Record a fault: what it struck, and why it came to nothing, if it did."""
        told: dict[str, object] = {"rule": effect.rule_id, "what": effect.kind, "struck": struck}
        self._note("fault", told | ({"failed": failed} if failed else {}))

    # --- what things are seen as --------------------------------------------------------------

    def request(self, request: Request) -> Occasion:
        account = self.venue.account_by_key(request.headers.get("ok-access-key", ""))
        return Occasion(
            Place.REST,
            self.venue.now_ms,
            method=request.method.upper(),
            path=request.path,
            account=account.name if account else "",
            inst_ids=self.named(items_of(request)),
        )

    def named(self, items: Items) -> tuple[str, ...]:
        """The instruments that order bodies or parameters name, each once."""
        found = [
            str(item.get("instId") or self._names.get(str(item.get("instIdCode")), "")) for item in items
        ]
        return tuple(dict.fromkeys(name for name in found if name))

    # --- orders -------------------------------------------------------------------------------

    @contextmanager
    def around_orders(self, effects: list[Effect], items: Items) -> Iterator[None]:
        """While orders are taken: refuse the items a rule rejects, and leave the market only a share."""
        for effect in effects:
            if effect.kind == "reject" and refuses_orders(effect):
                no = Reject(effect["code"], effect["msg"])
                struck = range(MOST_IN_BATCH) if effect["item"] is None else (effect["item"] - 1,)
                self._entry.refusals.update(dict.fromkeys(struck, no))
        taken = [
            (inst_id, self._levers.spare(inst_id, left))
            for effect in effects
            if effect.kind == "fill"
            for inst_id, left in self._shares(items, effect["fraction"]).items()
        ]
        try:
            yield
        finally:
            self._entry.refusals.clear()
            for inst_id, size in taken:
                self._levers.give_back(inst_id, size)

    def _shares(self, items: Items, fraction: Decimal) -> dict[str, Decimal]:
        """How much of each instrument the orders may have between them, in its own unit."""
        left: dict[str, Decimal] = {}
        for item in items:
            [inst_id] = self.named([item]) or [""]
            instrument = self.venue.instruments.get(inst_id)
            size = str(item.get("sz", ""))
            if instrument is None or not size.replace(".", "", 1).isdecimal():
                continue  # refused anyway
            wanted = Decimal(size)
            market_buy = item.get("ordType") == "market" and item.get("side") == "buy"
            if not instrument.is_swap and market_buy and item.get("tgtCcy", "quote_ccy") == "quote_ccy":
                wanted /= self.venue.markets[inst_id].last
            left[inst_id] = left.get(inst_id, ZERO) + wanted * fraction // instrument.lot * instrument.lot
        return left

    # --- the venue itself ---------------------------------------------------------------------

    def strike_venue(self, effect: Effect) -> None:
        """Do what is due to the venue. An edit that makes no sense by now is recorded as failed."""
        failed = ""
        try:
            self._move(effect)
        except (NotAllowed, NotThere, Reject, ValueError) as no:
            failed = str(no)
        self.tell(effect, {"place": Place.VENUE.value}, failed)

    def _move(self, effect: Effect) -> None:
        now_ms, levers = self.venue.now_ms, self._levers
        match effect.kind:
            case "seq_reset":
                levers.reset_sequence(effect["inst_id"])
            case "book":
                levers.show(effect["inst_id"], Distortion(effect["shape"]))
                self._ends(effect, "undistort", inst_id=effect["inst_id"])
            case "spike":
                levers.show(effect["inst_id"], Distortion(change=effect["change"], of=effect["of"]))
                self._ends(effect, "undistort", inst_id=effect["inst_id"])
            case "undistort":
                levers.show(effect["inst_id"], None)
            case "clock":
                levers.skew_clock(effect["ms"])
                if effect["ms"]:
                    self._ends(effect, "clock", ms=0, lasts=None)
            case "suspend":
                self._edit("instrument", effect["inst_id"], {"state": "suspend"})
                self._ends(effect, "instrument", inst_id=effect["inst_id"], set={"state": "live"})
            case "delist":
                expires_ms = now_ms + effect["after"]
                self._edit("instrument", effect["inst_id"], {"expires_ms": expires_ms})
            case "maintenance":
                begin_ms = now_ms + effect["after"]
                levers.close_venue(begin_ms, begin_ms + effect["lasts"], effect["title"])
            case "revoke":
                levers.revoke_key(effect["account"])
            case "account":
                self._edit("account", effect["account"], effect["set"])
            case "instrument":
                self._edit("instrument", effect["inst_id"], effect["set"])
            case "adl":
                closed = {effect["inst_id"]: f"{effect['fraction']:f}"}
                self._edit("account", effect["account"], {"adl": closed})

    def _ends(self, effect: Effect, kind: str, **fields: Any) -> None:
        """Enter what undoes an effect; one that lasts 0 ends with the venue's next step."""
        lasts = effect["lasts"]
        if lasts is not None:
            end_ms = self.venue.now_ms + max(1, lasts)
            self.plan.follow_up(end_ms, Effect(effect.rule_id, kind, fields))


def refuses_orders(effect: Effect) -> bool:
    """Whether a `reject` refuses single orders, not the request they came in."""
    return int(effect["code"]) >= FIRST_ORDER_CODE and not effect["code"].startswith("6")


def items_of(request: Request) -> Items:
    """The parameters of a request as objects: one, or a batch; [] when they cannot be read."""
    if request.method.upper() != "POST":
        return [{name: values[-1] for name, values in parse_qs(request.query).items()}]
    return decoded_items(request.body)


def decoded_items(raw: bytes | str) -> Items:
    try:
        body = msgspec.json.decode(raw, type=dict[str, Any] | list[dict[str, Any]])
    except (msgspec.MsgspecError, UnicodeError):
        return []
    return body if isinstance(body, list) else [body]
