"""The score card: how votes become one figure, how frames agree, and what grade that is. All of it linear.

    S[f]  = sum over g of w[g] r[g] V[f, g] / sum over g of w[g] |r[g]|        one frame, its four sets
    card  = sum over g of w[g] r[g] V[g]    / sum over g of w[g] |r[g]|        everything, times 1 or -1

V[f, g]  mean of the votes of set g on frame f.    V[g] of a set asked of every frame: the mean of V[f, g],
weighted by u[f]; of patterns, microstructure and sentiment: the mean of their votes.
w, u     parameters, searched offline and then fixed.
r        how a strategy reads a set: 1 follows it, -1 goes against it, 0 does not ask it.

A set in which nobody voted (no book was seen, no crowd is known) is left out of both sums; a vote of 0 is
not.

                     momentum trend volatility volume patterns microstructure sentiment
    A oscillation       -1      0       -1       0       1           1            1
    B breakout           1      1        1       1       1           1            1
    C pullback           1      1        0       1       1           1            1

A frame agrees when S in the direction of the signal reaches `agree_at`, and dissents when it is as far on
the other side. Grade 1: one frame agrees; 2: two; 3: three or more, and the card confirms, that is, reaches
`confirm_at`.

    strength = 20 * grade + 40 * card - 5 * frames that dissent           cut to 0 and 100
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from core.types import ONE, ZERO, Side
from core.verdict import Figures
from strategy.auxiliary.language import STRONGEST
from strategy.auxiliary.modules.ensemble.strategies import Strategy
from strategy.auxiliary.modules.ensemble.votes import FRAMED, Group, Vote
from strategy.auxiliary.modules.proposal import count, exact, number

FRAMES: Final = ("1m", "5m", "15m", "1H", "4H")
GRADE_POINTS: Final = 20
CARD_POINTS: Final = 40
DISSENT_POINTS: Final = 5
THIRD_GRADE: Final = 3
DIGITS: Final = Decimal("0.000001")  # of a term: what is added up is what the evidence shows

PARAMETERS: Final = (
    *(number(f"weight_{group}", f"weight of the {group} votes", "", "1", "0", "1") for group in Group),
    *(number(f"weight_{frame.lower()}", f"weight of {frame} bars", "", "1", "0", "1") for frame in FRAMES),
    number("agree_at", "score at which a frame agrees or dissents", "", "0.1", "0.01", "0.8"),
    number("confirm_at", "card from which the third grade is confirmed", "", "0.25", "0", "1"),
    number("least_card", "card from which there is a signal", "", "0.1", "0", "0.8"),
    count("least_grade", "grade from which there is a signal", 2, 1, 3, unit=""),
)

_F, _A, _N = 1, -1, 0  # follows, goes against, does not ask
READ: Final[Mapping[Strategy, Mapping[Group, int]]] = {
    strategy: dict(zip(Group, row, strict=True))
    for strategy, row in {
        Strategy.OSCILLATION: (_A, _N, _A, _N, _F, _F, _F),
        Strategy.BREAKOUT: (_F, _F, _F, _F, _F, _F, _F),
        Strategy.PULLBACK: (_F, _F, _N, _F, _F, _F, _F),
    }.items()
}


@dataclass(frozen=True, slots=True)
class Score:
    """A card filled in, in the direction of a signal: above 0 speaks for it.

    terms   w r V / sum of w |r|, per set; they add up to `card`.
    frames  S per frame.
    """

    terms: Mapping[Group, Decimal]
    frames: Mapping[str, Decimal]
    agree_at: Decimal
    confirm_at: Decimal

    @property
    def card(self) -> Decimal:
        return sum(self.terms.values(), ZERO)

    @property
    def agreeing(self) -> int:
        return sum(score >= self.agree_at for score in self.frames.values())

    @property
    def dissenting(self) -> int:
        return sum(score <= -self.agree_at for score in self.frames.values())

    @property
    def grade(self) -> int:
        """0 to 3; without the card's confirmation three frames are worth as much as two."""
        confirmed = self.card >= self.confirm_at
        return min(self.agreeing, THIRD_GRADE if confirmed else THIRD_GRADE - 1)

    @property
    def points(self) -> tuple[tuple[str, Decimal], ...]:
        """What the strength is the sum of, before it is cut."""
        return (
            ("grade_points", Decimal(GRADE_POINTS * self.grade)),
            ("card_points", CARD_POINTS * self.card),
            ("dissent_points", Decimal(-DISSENT_POINTS * self.dissenting)),
        )

    @property
    def strength(self) -> Decimal:
        return min(STRONGEST, max(ZERO, sum((worth for _, worth in self.points), ZERO)))

    @property
    def figures(self) -> Figures:
        return (
            ("grade", self.grade),
            ("frames_agreeing", self.agreeing),
            ("frames_dissenting", self.dissenting),
            ("card", self.card),
            *((f"{group}_term", term) for group, term in self.terms.items()),
            *((f"{frame}_score", score) for frame, score in self.frames.items()),
            *self.points,
        )


def score(
    strategy: Strategy,
    side: Side,
    by_frame: Mapping[str, tuple[Vote, ...]],
    others: tuple[Vote, ...],
    settings: Mapping[str, Decimal],
) -> Score:
    """Return the card of these votes for a signal of this side.

    by_frame  votes of the four sets, of every frame of FRAMES.    others  all that are of no frame.
    """
    weight = {group: settings[f"weight_{group}"] * read for group, read in READ[strategy].items()}
    means = {frame: {group: _mean(votes, group) for group in FRAMED} for frame, votes in by_frame.items()}
    share = _shares({frame: settings[f"weight_{frame.lower()}"] for frame in by_frame})
    heard = {
        group: sum((share[frame] * means[frame][group] for frame in by_frame), ZERO)
        if group in FRAMED
        else _mean(others, group)
        for group in Group
        if group in FRAMED or any(each.group is group for each in others)
    }
    return Score(
        _terms(weight, heard, side),
        {frame: sum(_terms(weight, sets, side).values(), ZERO) for frame, sets in means.items()},
        settings["agree_at"],
        settings["confirm_at"],
    )


def _terms(
    weight: Mapping[Group, Decimal], heard: Mapping[Group, Decimal], side: Side
) -> dict[Group, Decimal]:
    total = sum((abs(weight[group]) for group in heard), ZERO) or ONE  # all weights 0: all terms are
    return {
        group: (side.sign * weight[group] * mean / total).quantize(DIGITS) + ZERO
        for group, mean in heard.items()
    }


def _shares(weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    total = sum(weights.values(), ZERO)
    return {frame: weight / total if total else ZERO for frame, weight in weights.items()}


def _mean(votes: Iterable[Vote], group: Group) -> Decimal:
    values = [vote.value for vote in votes if vote.group is group]
    return exact(sum(values) / len(values))
