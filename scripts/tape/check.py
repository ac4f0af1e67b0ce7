"""`main.py tape check`: what is in a tape folder, what is wrong with it, what a backtest may use of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UsageError
from exchange.tape import FRAME_NAMES, Hole, other_frames, read_tape
from exchange.tape_files import NAMES, Candles, TapeFile, tape_file
from exchange.tape_growth import PART
from exchange.tape_store import SUFFIXES
from scripts.questions import Answer
from scripts.tape.review import Place, Review, compare_mark, review
from scripts.tape.words import length, span, stamp

MAX_JUMP: Final = 0.2
MAX_MARK_GAP: Final = 0.02
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Use:
    """What a backtest of these coins takes, in its own words; or why it would refuse."""

    coins: tuple[str, ...]
    from_ms: int | None = None
    to_ms: int | None = None
    notes: tuple[str, ...] = ()
    holes: tuple[Hole, ...] = ()
    refusal: str | None = None
    also: tuple[str, ...] = ()  # what another period would be played on


def check(folder: Path, max_jump: float = MAX_JUMP, max_mark_gap: float = MAX_MARK_GAP) -> Answer:
    """Look at every file; exit code 1 when one cannot be used, or when no backtest can be run.

    max_jump      of a bar, a fraction of the close before it
    max_mark_gap  between the closes of mark and contract, a fraction
    Raises UsageError for what is no folder.
    """
    if not folder.is_dir():
        raise UsageError(f"--tape {str(folder)!r}: an existing folder is needed")
    for option, bound in (("--max-jump", max_jump), ("--max-mark-gap", max_mark_gap)):
        if not 0 < bound < 10:
            raise UsageError(f"{option} {bound}: a fraction above 0 is allowed, like 0.2")
    reviews, others = _reviews(folder, max_jump, max_mark_gap)
    uses = [_use(folder, (coin,)) for coin in sorted({one.coin for one in reviews if one.coin})]
    usable = tuple(one.coins[0] for one in uses if one.refusal is None)
    if len(usable) > 1:
        uses.append(_use(folder, usable))
    is_well = bool(usable) and not any(one.refusal for one in reviews)
    text = "\n".join([*_table(reviews), *_others(others), "", *_advice(folder, uses, usable)])
    return Answer(0 if is_well else 1, text, _data(folder, is_well, reviews, others, uses))


def _reviews(folder: Path, max_jump: float, max_mark_gap: float) -> tuple[list[Review], list[str]]:
    reviews: list[Review] = []
    others: list[str] = []
    bars: defaultdict[tuple[str, str, str, str], list[tuple[Review, Candles]]] = defaultdict(list)
    for path in sorted(folder.iterdir()):
        try:
            file: TapeFile | None = tape_file(path)
        except UsageError as error:
            reviews.append(Review(path.name, refusal=str(error)))
            continue
        if file is None:
            others += [path.name] if path.name.endswith((*SUFFIXES, PART)) else []
            continue
        found, candles = review(file, max_jump)
        reviews.append(found)
        if candles is not None:
            candles.hour_open.clear()  # many files lie in memory at once
            bars[found.venue, found.coin, found.bar, found.kind].append((found, candles))
    for (venue, coin, bar, kind), marks in bars.items():
        if kind == "mark":
            perps = [candles for _, candles in bars.get((venue, coin, bar, "perp"), ())]
            for found, candles in marks:
                found.mark_off = list(compare_mark(candles, perps, max_mark_gap))
    return reviews, others


def _use(folder: Path, coins: tuple[str, ...]) -> Use:
    try:
        tape = read_tape(folder, coins)
    except UsageError as error:
        return Use(coins, refusal=str(error))
    also: tuple[str, ...] = ()
    if len(coins) == 1:
        also = other_frames(folder, coins[0], FRAME_NAMES[tape.coins[0].spot.bar_ms])
    return Use(coins, tape.start_ms, tape.end_ms, tape.notes, tape.holes, also=also)


# --- for people -------------------------------------------------------------------------------------


def _table(reviews: Sequence[Review]) -> Iterator[str]:
    if not reviews:
        yield f"no tape files, allowed: files named {NAMES}"
        return
    width = max(len(one.file) for one in reviews)
    yield f"{'file':<{width}} {'rows':>9}  {'from':<16}  {'to':<16}  findings"
    for one in reviews:
        period = f"{_stamp(one.from_ms):<16}  {_stamp(one.to_ms):<16}"
        first, *more = _findings(one) or ["whole"]
        yield f"{one.file:<{width}} {one.rows:>9,}  {period}  {first}"
        yield from (f"{'':<{width + 47}}{line}".rstrip() for line in more)


def _findings(one: Review) -> list[str]:
    said = [f"UNUSABLE {one.refusal.removeprefix(one.file).lstrip(', :')}"] if one.refusal else []
    for what, gaps in (("gaps", one.gaps), ("irregular intervals", one.irregular)):
        if gaps:
            said.append(f"{len(gaps):,} {what}: " + _some([span(*gap) for gap in gaps]))
    for what, places in _places(one).items():
        if places:
            said.append(f"{len(places):,} {what}: " + _some([_place(place) for place in places]))
    return said


def _places(one: Review) -> dict[str, list[Place]]:
    return {
        "duplicates": one.duplicates,
        "out of order": one.disorder,
        "impossible": one.impossible,
        "jumps": one.jumps,
        "far from the contract": one.mark_off,
    }


def _place(place: Place) -> str:
    at = f", {stamp(place.ts_ms)}" if place.ts_ms is not None else ""
    return f"line {place.line}{at}, {place.what}"


def _some(words: list[str]) -> str:
    return "; ".join(words[:SHOWN]) + (" ..." if len(words) > SHOWN else "")


def _stamp(at_ms: int | None) -> str:
    return "" if at_ms is None else stamp(at_ms)


def _others(others: list[str]) -> Iterator[str]:
    parts = [name for name in others if name.endswith(PART)]
    rest = [name for name in others if not name.endswith(PART)]
    if parts:
        yield f"begun and not finished, `download` goes on with them: {', '.join(parts)}"
    if rest:
        yield f"not looked at: {', '.join(rest)}"


def _advice(folder: Path, uses: list[Use], usable: tuple[str, ...]) -> Iterator[str]:
    yield "A backtest may use:" if usable else "No backtest can be run on this folder:"
    for use in uses:
        names = ", ".join(f"{coin}-USDT" for coin in use.coins)
        if use.from_ms is None or use.to_ms is None:
            yield f"  {names}: nothing. {use.refusal}"
            continue
        lead = "together " if len(use.coins) > 1 else ""
        period = f"{stamp(use.from_ms)} to {stamp(use.to_ms)}, {length(use.to_ms - use.from_ms)}"
        yield f"  {lead}{names}: {period}"
        if len(use.coins) == 1:
            yield from (f"    {note}" for note in use.notes)
            yield from (f"    over another period: {frame}" for frame in use.also)
    if usable:
        names = ",".join(f"{coin}-USDT" for coin in usable)
        yield f"python main.py backtest --tape {folder} --instruments {names}"


# --- for programs -----------------------------------------------------------------------------------


def _data(
    folder: Path, is_well: bool, reviews: list[Review], others: list[str], uses: list[Use]
) -> dict[str, Any]:
    files = []
    for one in reviews:
        row = asdict(one)
        for name in ("gaps", "irregular"):
            row[name] = [gap._asdict() for gap in getattr(one, name)]
        for name in ("duplicates", "disorder", "impossible", "jumps", "mark_off"):
            row[name] = [place._asdict() for place in getattr(one, name)]
        files.append(row)
    return {
        "tape": str(folder),
        "ok": is_well,
        "files": files,
        "others": others,
        "backtests": [
            {
                "instruments": [f"{coin}-USDT" for coin in use.coins],
                "from_ms": use.from_ms,
                "to_ms": use.to_ms,
                "notes": list(use.notes),
                "holes": [asdict(hole) for hole in use.holes],
                "refusal": use.refusal,
                "also": list(use.also),
            }
            for use in uses
        ],
    }
