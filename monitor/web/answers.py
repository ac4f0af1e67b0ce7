"""What the API answers, as frozen data: amounts in USDT as decimal strings, times UTC ms, rates fractions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.tally import Terms


@dataclass(frozen=True, slots=True)
class Health:
    """`ok`: nothing critical holds. `problems`: what does, in words."""

    ok: bool
    state: str | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command lies in the engine's box. What came of it stands in the journal, and on the stream."""

    command: str
    instrument: str
    reason: str


@dataclass(frozen=True, slots=True)
class Moved:
    """One value of the configuration that becomes another one, as written in YAML.

    asked  the change names it; else it was edited in the files since the engine started, which reads them
           again with every change.
    """

    key: str
    before: str
    after: str
    asked: bool = True


@dataclass(frozen=True, slots=True)
class Reconfigured:
    """A change lies in the engine's box. `version`: the overlay's, once it is in force. `diff`: all that
    becomes another one then."""

    version: int
    diff: tuple[Moved, ...]
    applies: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a file, a section or a key of the configuration means, in either language."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Form:
    """What a form for the configuration needs.

    version   of the overlay; a change names it, so that two people cannot overwrite each other.
    changes   what the overlay says now, by dotted key, as written in YAML.
    files     the JSON schema of each file.
    locked    keys, or beginnings of keys, that only the files on the host may change.
    applies   when a change takes effect.
    meanings  of every file, section and key, by dotted path.
    edited    what was edited in the files since the engine started: it comes along with any change.
    problem   why the files as they are now would refuse every change; "" when they would not.
    problem_zh  the same in Chinese.
    """

    version: int
    changes: dict[str, str]
    files: dict[str, Any]
    locked: tuple[str, ...]
    applies: str
    meanings: dict[str, Meaning]
    edited: tuple[Moved, ...] = ()
    problem: str = ""
    problem_zh: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """One guard's or condition's verdict. `figures`: what it looked at, by name."""

    guard: str
    ok: bool
    instrument: str | None
    reason: str
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as the journal has it."""

    seq: int
    at_ms: int
    on: str
    instrument: str | None
    src: str
    dst: str
    moved: bool
    reason: str
    verdicts: tuple[Said, ...]
    targets: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the journal; `body` as docs/architecture.md has it for its kind."""

    seq: int
    at_ms: int
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HedgeThen:
    """One hedge as the books had it; `notional` the most that was ever paid for its coins."""

    instrument: str
    spot_base: Decimal
    contracts: Decimal
    notional: Decimal
    opened_ms: int
    funding: Decimal
    pnl: Decimal
    settlements: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The engine at an instant, by its journal until then.

    seq     the last row that was written.
    equity  by the last review, net of money that was moved in or out, as in Performance.
    """

    at_ms: int
    seq: int
    state: str
    permission: str
    permission_reason: str
    equity: Decimal
    hedges: tuple[HedgeThen, ...]
    decision: Decided | None


@dataclass(frozen=True, slots=True)
class Place:
    """A state of the machine."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Way:
    """A row of the table of transitions. `dst` null: it stays. `act`: what is handed to execution.

    Rows of one event and state are tried in this order; the first whose guards all say yes is taken.
    """

    on: str
    src: str
    dst: str | None
    guards: tuple[str, ...]
    act: str


@dataclass(frozen=True, slots=True)
class Machine:
    states: tuple[Place, ...]
    transitions: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order: what was intended, and what came of it. `status`: intent, accepted or unknown while it is
    open; rejected, filled, canceled or absent at the end. `size` in the market's own unit."""

    seq: int
    at_ms: int
    cl_id: str
    ord_id: str
    instrument: str
    inst_id: str
    side: str
    size: Decimal
    limit_px: Decimal
    reduce_only: bool
    purpose: str
    status: str
    filled: Decimal
    avg_px: Decimal | None


@dataclass(frozen=True, slots=True)
class Paid:
    """One funding payment; `amount` positive when received."""

    ts_ms: int
    instrument: str
    rate: Decimal | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Funding:
    """Received so far, by instrument and by UTC day, and the newest payments, youngest first."""

    total: Decimal
    by_instrument: dict[str, Decimal]
    by_day: dict[str, Decimal]
    payments: tuple[Paid, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """One round, from its opening to its closing."""

    instrument: str
    hedge_id: str
    opened_ms: int
    closed_ms: int
    notional: Decimal
    net: Decimal
    terms: Terms
    reason: str
    forced: bool


@dataclass(frozen=True, slots=True)
class Point:
    ts_ms: int
    equity: Decimal


@dataclass(frozen=True, slots=True)
class Performance:
    """What the books say was earned. `equity` is net of money that came in or went out; `win_rate` of closed
    rounds, None before the first; `max_drawdown` a fraction of the peak; `net_apr` simple, not compounded."""

    from_ms: int
    to_ms: int
    net: Decimal
    net_apr: Decimal
    max_drawdown: Decimal
    win_rate: Decimal | None
    terms: Terms
    by_instrument: dict[str, Terms]
    by_day: dict[str, Terms]
    rounds: tuple[Closed, ...]
    equity: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Every answer that is not the one asked for. `detail` names the place, the value and what is allowed.

    zh  the same in Chinese, where it is said to people: why a change of the configuration is refused.
    """

    error: str
    detail: str
    zh: str = ""
