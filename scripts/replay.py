"""`main.py journal replay`: fold the books again, prove that it is the same, and ask "what if"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.loader import fingerprint
from config.schema import Settings
from core.errors import UsageError
from core.facts import Kind
from core.journal import FILE_NAME
from core.journal_reader import JournalReader
from core.replay import Replay, digest
from scripts.counterfactual import SETTINGS, Counterfactual, Difference, value_at
from scripts.questions import Answer, figure, parse_time, status_of, when

SHOWN = 20
NOT_RECOMPUTED = (
    "plans (sizes, forecasts, which hedge is best)",
    "guards the decision did not ask",
    "what would have followed: each decision is judged on the books as they really were",
)


def replay(folder: Path, settings: Settings, at: str | None, changes: Sequence[str]) -> Answer:
    """Rebuild the books until `at` (None: to the end) and judge recorded decisions with changed settings.

    Exit code 1 when the chain does not hold, a prefix is not a legal state, or the live engine's own
    digests are not met. changes: NAME=VALUE, of settings a decision's figures can be compared with.
    """
    changed = changed_settings(settings, changes) if changes else None
    what_if = Counterfactual(settings, changed) if changed else None
    played, differences = Replay(), []
    with JournalReader(folder / FILE_NAME) as reader:
        verified = reader.verify()
        last = next(reader.backwards(), None) if verified.ok else None
        until_ms = None if at is None else parse_time(at, last.at_ms if last else 0)
        fingerprints = set()
        for row in reader.rows() if verified.ok else ():
            if until_ms is not None and row.at_ms > until_ms:
                break
            played.apply(row)
            if row.kind is Kind.BOOT:
                fingerprints.add(row.body["fingerprint"])
            if what_if is not None and row.kind is Kind.DECISION:
                difference = what_if.judge(row)
                differences += [difference] if difference else []
    illegal = [] if verified.ok else [verified.message]
    illegal += played.illegal
    if verified.ok and until_ms is None and played.decision_head.hex() != verified.decision_head:
        illegal.append("the decisions replayed are not those of the chain")
    state = status_of(played.books, None, 0)
    data: dict[str, Any] = {
        "ok": not illegal,
        "rows": played.rows,
        "until_ms": until_ms,
        "head": played.head.hex(),
        "decision_head": played.decision_head.hex(),
        "books": digest(played.books),
        "checkpoints": played.checkpoints,
        "illegal": illegal,
        "status": state.data,
    }
    text = _proof(data) + "\n\n" + state.text
    if what_if is not None:
        same = fingerprints <= {fingerprint(settings)}
        data["what_if"] = {
            "changes": list(changes),
            "settings_are_the_journals": same,
            "decisions_judged": what_if.judged,
            "verdicts_turned": what_if.turned,
            "different": sum(d.told for d in differences),
            "cannot_be_told": sum(not d.told for d in differences),
            "recomputed": [
                f"{c.partition('=')[0].strip()} against the figures in each decision" for c in changes
            ],
            "not_recomputed": list(NOT_RECOMPUTED),
            "differences": [asdict(d) for d in differences],
        }
        text += "\n\n" + _what_if(data["what_if"], differences)
    return Answer(0 if not illegal else 1, text, data)


def changed_settings(settings: Settings, changes: Sequence[str]) -> Settings:
    """The settings with NAME=VALUE applied, bounds and contradictions judged as in the files.

    Raises UsageError naming what is allowed.
    """
    raw = settings.model_dump()
    for change in changes:
        name, is_pair, text = (part.strip() for part in change.partition("="))
        if not is_pair or name not in SETTINGS:
            allowed = "\n  ".join(SETTINGS)
            raise UsageError(f"--set {change!r}: NAME=VALUE is needed, with one of the names\n  {allowed}")
        *sections, key = name.split(".")
        place = raw
        for section in sections:
            place = place[section]
        kind = type(value_at(settings, name))
        try:
            place[key] = kind(text) if kind is not Decimal else Decimal(text)
        except (ValueError, ArithmeticError) as error:
            raise UsageError(f"--set {change!r}: a number is allowed, like {place[key]}") from error
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise UsageError(f"--set {', '.join(changes)}: {said}") from error


def _proof(data: dict[str, Any]) -> str:
    if not data["ok"]:
        return f"THE REPLAY DOES NOT HOLD, {data['rows']} rows:\n  " + "\n  ".join(data["illegal"][:SHOWN])
    until = f" until {when(data['until_ms'])}" if data["until_ms"] is not None else ""
    return (
        f"{data['rows']} rows replayed{until}: every prefix is a legal state\n"
        f"the live engine's books were met {data['checkpoints']} times, to the last digit\n"
        f"decisions {data['decision_head']}\nbooks     {data['books']}"
    )


def _what_if(data: dict[str, Any], differences: Sequence[Difference]) -> str:
    lines = [
        f"with {', '.join(data['changes'])}:",
        f"  {data['decisions_judged']} decisions rest on it, {data['verdicts_turned']} verdicts would turn",
        f"  {data['different']} decisions would have been others, {data['cannot_be_told']} cannot be told",
        "  recomputed: " + "; ".join(data["recomputed"]),
        "  not recomputed: " + "; ".join(data["not_recomputed"]),
    ]
    if not data["settings_are_the_journals"]:
        lines.append(
            "  the configuration is not the one all of the journal was written with: --config names it"
        )
    for d in differences[:SHOWN]:
        turns = "; ".join(
            f"{t.guard}{' ' + t.instrument if t.instrument else ''} would say {'yes' if t.ok else 'NO'}"
            f" ({', '.join(f'{n} = {figure(n, v)}' for n, v in t.figures)})"
            for t in d.turned
        )
        lines.append(f"  {d.seq}, {when(d.at_ms)}, {d.on}: was {d.was}, would be {d.would}; {turns}")
    if len(differences) > SHOWN:
        lines.append(f"  and {len(differences) - SHOWN} more: --json has them all")
    return "\n".join(lines)
