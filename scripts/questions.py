"""Questions to the books: answered from the journal alone, with the daemon running or stopped.

Every question returns an Answer: an exit code (0 answered, 1 the books are not in order), the text for
people and the same as one JSON object. A folder without a journal raises JournalFailed, an input that
cannot be understood UsageError.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from rich import box
from rich.console import Console
from rich.table import Table

from core.errors import UsageError
from core.facts import Kind, Row, plain
from core.fallback import fallback_of, read_fallback
from core.journal import FILE_NAME
from core.journal_reader import JournalReader, as_json
from core.lock import holder
from core.projections import Books
from core.tally import Terms
from core.types import DAY_MS
from monitor.formats import signed_usdt
from monitor.pnl_tracker import DayTerms
from monitor.words import verdict_sentence

WIDTH = 110
TERM_NAMES = ("funding", "basis", "fees", "slippage", "interest", "other")


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    text: str
    data: dict[str, Any]


# --- status -----------------------------------------------------------------------------------------


def status(folder: Path) -> Answer:
    """What the engine is, holds and is waiting for. Money at the prices of the last equity row."""
    waiting = len(read_fallback(fallback_of(folder / FILE_NAME)))
    return status_of(read_books(folder), holder(folder), waiting)


def status_of(books: Books, pid: int | None, waiting: int) -> Answer:
    """The same of books already folded. waiting: rows that are in the fallback file only."""
    now_ms = books.last_row_ms
    breaker, permission = books.breaker(now_ms), books.permission
    views = books.hedge_views({})
    data: dict[str, Any] = {
        "running_pid": pid,
        "as_of_ms": now_ms,
        "state": books.state.value,
        "state_since_ms": books.state_since_ms,
        "permission": permission.level.name,
        "permission_reason": permission.reason,
        "permission_since_ms": permission.since_ms,
        "causes": {name: {**plain(view), "level": view.level.name} for name, view in books.causes.items()},
        "stopped_clean": books.stopped_clean,
        "starts": len(books.boots_ms),
        "equity": plain(books.ledger.equity({})),
        "day_pnl": plain(breaker.day_pnl),
        "losing_rounds": breaker.losing_rounds,
        "breaker": breaker.tripped,
        "rounds": len(books.rounds),
        "unresolved_orders": list(books.unresolved_orders()),
        "pending_transfer": books.pending_transfer,
        "rows_in_fallback": waiting,
        "dust": plain(books.dust),
        "external": plain(books.external),
        "hedges": {
            name: {**plain(view), "net_delta": plain(view.net_delta), "pnl": plain(view.pnl)}
            for name, view in views.items()
        },
    }
    facts = [
        ("engine", f"running, process {pid}" if pid is not None else _stopped(books)),
        ("as of", when(now_ms)),
        ("state", f"{books.state.value} since {when(books.state_since_ms)}"),
        ("permission", permission.level.name + (f" ({permission.reason})" if permission.reason else "")),
        *_causes(books),
        ("breaker", breaker.tripped or f"not tripped, losing rounds in a row: {breaker.losing_rounds}"),
        ("equity", f"{_equity(books)}, today {signed_usdt(breaker.day_pnl)}"),
        ("open orders", ", ".join(books.unresolved_orders()) or "none"),
        ("dust", ", ".join(f"{amount(q)} {coin}" for coin, q in sorted(books.dust.items())) or "none"),
        ("external", f"{books.external}" or "none"),
    ]
    if waiting:
        facts.append(("journal", f"cannot be written: {waiting} rows wait in {fallback_of(Path(FILE_NAME))}"))
    table = _table(
        "hedge", "spot", "contracts", "target", "net delta", "funding", "pnl", "settled", "since (UTC)"
    )
    for name, view in sorted(views.items()):
        table.add_row(
            name,
            *map(amount, (view.spot_base, view.contracts, view.target_base, view.net_delta)),
            *map(usdt, (view.funding, view.pnl)),
            str(view.settlements),
            when(view.opened_ms)[:16],
        )
    return Answer(0, _page(_aligned(facts), table if views else "no hedge is open"), data)


def _causes(books: Books) -> list[tuple[str, str]]:
    """Everything that lowers the permission, the strictest first, then the oldest."""
    held = sorted(books.causes.items(), key=lambda item: (item[1].level, item[1].since_ms))
    return [
        (
            "cause",
            f"{view.level.name} since {when(view.since_ms)}: {name.replace('_', ' ')}, {view.reason}"
            + ("; ends by `resume`" if view.until_operator else ""),
        )
        for name, view in held
    ]


def _equity(books: Books) -> str:
    """What is ours wherever it lies; what was moved out of the trading account is named."""
    moved = -books.ledger.transfers
    where = f" ({usdt(moved)} of it in the funding wallet)" if moved > 0 else ""
    return f"{usdt(books.ledger.equity({}) + max(moved, Decimal(0)))} USDT{where}"


def _stopped(books: Books) -> str:
    return "stopped" if books.stopped_clean else "not running, and it did not say good-bye"


# --- why ----------------------------------------------------------------------------------------------


def why(folder: Path, instrument: str | None = None, at: str | None = None) -> Answer:
    """The last decision about `instrument` (None: about anything) until `at`, with every verdict.

    A decision is about an instrument when it was made for it, spoke about it, or moved it. `at` is
    milliseconds, an ISO time (UTC unless it says otherwise), or HH:MM of the journal's last day.
    """
    with JournalReader(folder / FILE_NAME) as reader:
        last = next(reader.backwards(), None)
        until_ms = None if at is None else parse_time(at, last.at_ms if last else 0)
        for row in reader.backwards(Kind.DECISION):
            if (until_ms is None or row.at_ms <= until_ms) and _is_about(row.body, instrument):
                return _explained(row, instrument)
    subject, until = instrument or "anything", f" until {when(until_ms)}" if until_ms is not None else ""
    text = f"no decision about {subject} was made{until}"
    return Answer(1, text, {"instrument": instrument, "decision": None})


def _is_about(body: Mapping[str, Any], instrument: str | None) -> bool:
    if instrument is None:
        return bool(body["verdicts"] or body["targets"])
    speakers: Iterable[Mapping[str, Any]] = (body, *body["verdicts"], *body["targets"])
    return any(s.get("instrument") == instrument for s in speakers)


def _explained(row: Row, instrument: str | None) -> Answer:
    body = row.body
    verdicts = [v for v in body["verdicts"] if instrument in (None, v["instrument"]) or not v["instrument"]]
    verdicts.sort(key=lambda v: v["ok"])  # stable: the refusals first, each group as it spoke
    targets = [t for t in body["targets"] if instrument in (None, t.get("instrument"), t.get("ccy"))]
    refusals = sum(not v["ok"] for v in verdicts)
    facts = [
        ("decision", f"{row.seq}, {when(row.at_ms)}"),
        ("event", body["on"] + (f" of {body['instrument']}" if body["instrument"] else "")),
        ("outcome", f"{body['src']} -> {body['dst']}" if body["moved"] else f"stayed {body['src']}"),
        ("reason", body["reason"] or "-"),
        ("refusals", f"{refusals} of {len(verdicts)} verdicts"),
    ]
    facts += [("target", _target(t)) for t in targets]
    table = _table("", "guard", "about", "because", "figures", right_from=99)
    for verdict in verdicts:
        table.add_row(
            "yes" if verdict["ok"] else "NO",
            verdict["guard"],
            verdict["instrument"] or "account",
            verdict_sentence(verdict["guard"], verdict["ok"], verdict["reason"], "en"),
            "\n".join(f"{name} = {figure(name, value)}" for name, value in verdict["figures"]),
        )
    data = {"instrument": instrument, "seq": row.seq, "decision": {**body, "verdicts": verdicts}}
    return Answer(0, _page(_aligned(facts), table if verdicts else "no guard was asked"), data)


def _target(target: Mapping[str, Any]) -> str:
    what = (
        f"hold {amount(target['base'])} of {target['instrument']}"
        if "base" in target
        else f"move {amount(target['amount'])} {target['ccy']} from {target['source']} to {target['dest']}"
    )
    return f"{what} ({target['purpose']}: {target['reason']})"


# --- pnl ----------------------------------------------------------------------------------------------


def pnl(folder: Path, by: str | None = None) -> Answer:
    """Where the money came from: all of it, or by "instrument", "day" or "round".

    Open holdings are valued at the prices of the last equity row; a day ends with its last one.
    """
    if by not in (None, "instrument", "day", "round"):
        raise UsageError(f"--by {by}: allowed are instrument, day, round")
    books, days = Books(), DayTerms()
    with JournalReader(folder / FILE_NAME) as reader:
        for row in reader.rows():
            books.apply(row)
            days.see(row, books)
    ledger = books.ledger
    groups: dict[str, Terms] = {}
    if by == "instrument":
        groups = {name: ledger.terms({}, name) for name in ledger.instruments}
        rest = ledger.terms({}, "")
        groups |= {"account": rest} if rest != Terms() else {}
    elif by == "day":
        groups = days.differences(books)
    elif by == "round":
        groups = {f"{h.instrument} {when(h.closed_ms)}": h.closing_terms for h in books.rounds}
    total, equity = ledger.terms({}), ledger.equity({})
    data = {
        "equity_start": plain(ledger.opening_equity),
        "equity_end": plain(equity),
        "transfers": plain(ledger.transfers),
        "rounds": len(books.rounds),
        "settlements": len(ledger.settlements),
        "by": by,
        "groups": {name: _terms_data(terms) for name, terms in groups.items()},
        "total": _terms_data(total),
    }
    table = _table(by or "", *TERM_NAMES, "net")
    for name, terms in groups.items():
        table.add_row(name, *_terms_cells(terms))
    if groups:
        table.add_section()
    table.add_row("total", *_terms_cells(total))
    facts = [
        ("equity", f"{usdt(ledger.opening_equity)} -> {_equity(books)}"),
        *([("moved in", f"{usdt(ledger.transfers)} USDT")] if ledger.transfers > 0 else []),
        ("rounds", f"{len(books.rounds)} closed, {len(ledger.settlements)} settlements"),
    ]
    return Answer(0, _page(_aligned(facts), table), data)


def _terms_cells(terms: Terms) -> list[str]:
    """Costs with the sign they have for the purse, so that a line adds up to its net."""
    costs = {"fees", "slippage", "interest"}
    values = (getattr(terms, n) * (-1 if n in costs else 1) for n in TERM_NAMES)
    return [*map(usdt, values), usdt(terms.net)]


def _terms_data(terms: Terms) -> dict[str, Any]:
    return {**plain(terms), "net": plain(terms.net)}


# --- journal ------------------------------------------------------------------------------------------


def journal_verify(folder: Path) -> Answer:
    """Recompute the hash chain. Exit code 1 when it does not hold."""
    with JournalReader(folder / FILE_NAME) as reader:
        result = reader.verify()
    verdict = "the journal holds" if result.ok else "THE JOURNAL IS BROKEN"
    text = f"{verdict}: {result.rows} rows, head {result.head}\n{result.message}"
    return Answer(0 if result.ok else 1, text, plain(result))


def journal_export(folder: Path, out: TextIO, kinds: Iterable[str] = ()) -> Answer:
    """Write the rows of these kinds (none: all) to `out`, one JSON object a line."""
    try:
        wanted = tuple(Kind(k) for k in kinds)
    except ValueError as error:
        raise UsageError(f"{error}: allowed are {', '.join(k.value for k in Kind)}") from error
    count = 0
    with JournalReader(folder / FILE_NAME) as reader:
        for row in reader.rows(*wanted):
            out.write(as_json(row) + "\n")
            count += 1
    return Answer(0, f"{count} rows exported", {"rows": count})


# --- shared -------------------------------------------------------------------------------------------


def read_books(folder: Path) -> Books:
    """Fold the whole journal of a data folder."""
    books = Books()
    with JournalReader(folder / FILE_NAME) as reader:
        for row in reader.rows():
            books.apply(row)
    return books


def parse_time(text: str, last_ms: int) -> int:
    """UTC ms of what a person wrote; `last_ms` says which day an HH:MM is on (the last that fits)."""
    if text.isdigit() and len(text) > 10:
        return int(text)
    try:
        if len(text) <= 5 and ":" in text:
            clock = datetime.strptime(text, "%H:%M").replace(tzinfo=UTC)
            at_ms = last_ms - last_ms % DAY_MS + (clock.hour * 60 + clock.minute) * 60_000
            return at_ms if at_ms <= last_ms else at_ms - DAY_MS
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text}: allowed are 2026-01-31T08:05, 08:05 or UTC milliseconds") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1000)


def when(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at_ms else "never"


def usdt(value: Decimal) -> str:
    text = f"{value:,.2f}"
    return "0.00" if text == "-0.00" else text


def amount(value: Decimal | str, decimals: int = 8) -> str:
    """Coins, contracts: no more than these decimals, no zeros at the end."""
    text = f"{Decimal(value):.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def figure(name: str, value: Any) -> str:
    """A verdict's figure in its own unit: times are dates, long fractions are cut to ten digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_ms") and isinstance(value, int) and value > DAY_MS * 365:
        return when(value)
    try:
        number = Decimal(str(value))
    except ArithmeticError:  # a word
        return str(value) or "none"
    return amount(number, 10) if number.is_finite() else str(value)


def _aligned(facts: Iterable[tuple[str, str]]) -> str:
    pairs = list(facts)
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in pairs)


def _table(first: str, *names: str, right_from: int = 0) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number >= right_from else "left")
    return table


def _page(*parts: str | Table) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None, markup=False, highlight=False)
    for part in parts:
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())
