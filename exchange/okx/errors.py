"""The venue's codes, HTTP statuses and transport failures, folded into what is known about the world.

Classes after the official code table. A code not listed here, in a well-formed answer below
HTTP 500, is a refusal: the venue understood us and said no.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from core.errors import AuthFailed, BadPayload, RateLimited, VenueDown, VenueError, VenueRejected
from exchange.okx import wire

W = TypeVar("W")

CLOCK_CODE: Final = "50102"  # our signature's time is outside the window
EXPIRED: Final = "50036"  # by the venue's clock; so is an order that waited too long on its way (50037)
NO_SUCH_ORDER: Final = "51603"
ALREADY_OVER: Final = "51400"  # nothing to cancel: done, cancelled, or never there
BAD_PARAMETER: Final = "51000"  # also a posSide that does not fit the account's position mode
NO_SUCH_INSTRUMENT: Final = "51001"

_AUTH: Final = frozenset(
    # API frozen, wrong environment, headers, address, key, signature, permission
    [f"501{n:02d}" for n in (0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 19, 20)]
    # the account itself is blocked, frozen or restricted
    + ["50007", "50008", "50009", "50012", "50027", "50028", "50029", "50030", "50035", "51024"]
    # the same by stream login
    + ["60004", "60005", "60006", "60007", "60009", "60024", "60032"]
)
_THROTTLED: Final = frozenset({"50011", "50040", "50061", "51113", "58102", "60014", "60023"})
_UNKNOWN: Final = frozenset(
    {
        "50001",  # service unavailable
        "50004",  # endpoint timeout, success not known
        "50013",  # busy
        "50026",  # system error
        "51054",  # timeouts with unknown result
        "51149",
        "51412",
        "50071",  # the id exists: it is our own earlier attempt, ask what became of it
        "51011",
        "51016",
        "51065",
        "58124",  # transfer being processed
        "63999",
        "64007",
    }
)
_HEAD: Final = msgspec.json.Decoder(wire.Head)
_DECODERS: Final[dict[Any, msgspec.json.Decoder[Any]]] = {}  # by row type, made when first needed


class ShutOut(VenueDown):
    """The edge in front of the venue answered instead of the venue: an address ban, a captcha page."""


class HttpReply(NamedTuple):
    """What came back over HTTP, unread."""

    status: int
    body: bytes


def refusal(code: str, message: str, status: int = 200) -> VenueError:
    """Return the error a venue code stands for; the code decides before the HTTP status does."""
    if code in _AUTH:
        return AuthFailed(message, code)
    if code in _THROTTLED:
        return RateLimited(message, code)
    if code in _UNKNOWN or status >= 500:
        return VenueDown(message, code)
    return VenueRejected(message, code)


def unpack(reply: HttpReply, row: type[W]) -> list[W]:
    """Return the rows of a successful reply; raise what the reply says otherwise.

    An item's own code counts before the one on top: success on top does not prove an item's, and a
    failure on top hides the reason. Raises BadPayload for JSON of another shape.
    """
    try:
        head = _HEAD.decode(reply.body)
    except msgspec.DecodeError as exc:
        raise _without_envelope(reply) from exc
    if head.code not in ("0", "1", "2"):
        raise refusal(head.code, head.msg or "", reply.status)
    try:
        rows = _decoder(row).decode(reply.body).data or []
    except msgspec.DecodeError as exc:
        raise BadPayload(f"{exc} in {reply.body!r:.600}") from exc
    for item in rows:
        if isinstance(item, wire.Ack) and item.s_code and item.s_code != "0":
            raise refusal(item.s_code, item.s_msg or "", reply.status)
    if head.code != "0" or reply.status >= 400:
        raise VenueDown(f"HTTP {reply.status} without a reason: {head.msg or ''}", head.code)
    return rows


def _without_envelope(reply: HttpReply) -> VenueError:
    if reply.status == 429:
        return RateLimited("too many requests")
    is_page = reply.body.lstrip()[:1] == b"<"
    if reply.status == 403 or (is_page and reply.status < 500):
        return ShutOut(f"HTTP {reply.status} from the edge: {reply.body!r:.100}")
    return VenueDown(f"HTTP {reply.status} without an envelope: {reply.body!r:.200}")


def _decoder(row: type[W]) -> msgspec.json.Decoder[wire.Reply[W]]:
    if row not in _DECODERS:
        _DECODERS[row] = msgspec.json.Decoder(wire.Reply[row])  # type: ignore[valid-type]
    return _DECODERS[row]
