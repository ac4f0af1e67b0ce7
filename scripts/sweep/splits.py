"""Walk-forward: parameters are chosen on one part of the time and judged on another they never saw.

A set is chosen by what its decisions came to, and a decision is paid for over the forecast's horizon. So the
chosen-on part ends `purge` before the judged part begins, and the judged part begins `embargo` after the
boundary, because what is known there at first is still the rates that the set was chosen on. Source: Lopez
de Prado, Advances in Financial Machine Learning, chapter 7 (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import UsageError
from core.types import DAY_MS
from scripts.sweep.record import Span


@dataclass(frozen=True, slots=True)
class Split:
    """`chosen_on`: one span, or two around the judged one.   `judged_on`: the span of the report."""

    name: str
    chosen_on: tuple[Span, ...]
    judged_on: Span


def walk_forward(span: Span, folds: int, purge_ms: int, embargo_ms: int) -> tuple[Split, ...]:
    """The time in `folds` + 1 equal parts: each but the first is judged by what was chosen on all before it.

    Raises UsageError when a part is shorter than what is left out of it.
    """
    parts = _parts(span, folds + 1, purge_ms, embargo_ms)
    return tuple(
        Split(f"fold {n}", ((span[0], begin - purge_ms),), (begin + embargo_ms, end))
        for n, (begin, end) in enumerate(parts[1:], 1)
    )


def purged_folds(span: Span, folds: int, purge_ms: int, embargo_ms: int) -> tuple[Split, ...]:
    """The time in `folds` equal parts: each is judged by what was chosen on all others, later ones too.

    More to choose on than `walk_forward` has, and less like life. What is chosen on goes on `purge` and
    `embargo` after the judged part: until then a decision of that part is being paid for, and known.
    """
    found = []
    for n, (begin, end) in enumerate(_parts(span, folds, purge_ms, embargo_ms), 1):
        before, after = (span[0], begin - purge_ms), (end + purge_ms + embargo_ms, span[1])
        chosen_on = tuple(one for one in (before, after) if one[0] < one[1])
        found.append(Split(f"fold {n}", chosen_on, (begin, end)))
    return tuple(found)


SCHEMES = {"walk": walk_forward, "kfold": purged_folds}


def _parts(span: Span, count: int, purge_ms: int, embargo_ms: int) -> list[Span]:
    each = (span[1] - span[0]) // count
    if each <= purge_ms + embargo_ms:
        raise UsageError(
            f"--folds: {each // DAY_MS} days a part, allowed: more than the "
            f"{(purge_ms + embargo_ms) // DAY_MS} that --purge-days and --embargo-days leave out of it; "
            "0 leaves walk-forward out"
        )
    return [(span[0] + n * each, span[0] + (n + 1) * each) for n in range(count)]
