"""Two voices within five minutes: FOMO and Alpha of one coin, told by an outside feed.

    score = 0.4 * time proximity + 0.3 * FOMO strength + 0.3 * freshness          (each 0 to 1)

time proximity  1 for no time between the two. `linear`: down to 0 at the window's end. `logistic`: the
                curve through 0.99 after one minute and 0.20 after four.
FOMO strength   1.0 for an intensified one (112), 0.8 for a plain one (113).
freshness       1 while the older of the two is younger than `fresh_ms`; then it halves every `half_life_ms`.

A printed example of the reference gives 0.92 for 1 minute, 113, fresh. No curve gives that: with the
linear one it is 0.4 * 0.80 + 0.24 + 0.30 = 0.86, with the 0.99 printed beside it 0.396 + 0.24 + 0.30 = 0.936.

A question costs 20 us of one core with a handful of events.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from core.types import DAY_MS, HOUR_MS, ONE, Side
from strategy.auxiliary.feed import ALPHA, FOMO, INTENSIFIED
from strategy.auxiliary.language import FeedEvent, Look, Needs, Parameter, Signal, settings_of
from strategy.auxiliary.modules.proposal import count, exact, number
from strategy.auxiliary.presets import PRESETS

D = Decimal
MINUTE_MS: Final = D(60_000)
TIME_WEIGHT: Final = D("0.4")
STRENGTH_WEIGHT: Final = D("0.3")
FRESH_WEIGHT: Final = D("0.3")
FOMO_STRENGTH: Final = {INTENSIFIED: ONE, FOMO: D("0.8")}

LINEAR, LOGISTIC = 0, 1
PLANS: Final = ("vs", "vs_conservative", "vs_aggressive", "vs_trailing")
CURVES: Final = {LINEAR: "linear", LOGISTIC: "logistic"}
# p = 1 / (1 + exp(slope * (minutes - centre))) with p(1) = 0.99 and p(4) = 0.20.
LOGISTIC_SLOPE: Final = (D(99).ln() + D(4).ln()) / 3  # 1.9938 a minute
LOGISTIC_CENTRE: Final = 1 + D(99).ln() / LOGISTIC_SLOPE  # 3.3047 minutes
DIGITS: Final = D("0.000001")  # of a term: what is added up is what the evidence shows

PARAMETERS: Final = (
    count("window_ms", "time between the two, at most", 300_000, 10_000, HOUR_MS, "ms"),
    number("least_score", "score from which the two are a signal", "", "0.6", "0", "1"),
    count("curve", "time proximity: 0 linear, 1 logistic", LINEAR, LINEAR, LOGISTIC, ""),
    count("fomo_intensify", "whether intensified FOMO (112) counts: 0 no, 1 yes", 1, 0, 1, ""),
    count("fresh_ms", "age up to which the two are fresh", HOUR_MS, 0, DAY_MS, "ms"),
    count("half_life_ms", "time in which freshness then halves", HOUR_MS, 60_000, DAY_MS, "ms"),
    count("valid_ms", "age at which the two are history", 2 * HOUR_MS, 60_000, DAY_MS, "ms"),
    count("plan", f"exit plan: {', '.join(f'{n} {name}' for n, name in enumerate(PLANS))}", 0, 0, 3, ""),
)


class Terms(NamedTuple):
    """What a score is the sum of; each 0 to 1."""

    proximity: Decimal
    strength: Decimal
    freshness: Decimal

    @property
    def score(self) -> Decimal:
        return TIME_WEIGHT * self.proximity + STRENGTH_WEIGHT * self.strength + FRESH_WEIGHT * self.freshness


class Match(NamedTuple):
    fomo: FeedEvent
    alpha: FeedEvent
    terms: Terms

    @property
    def known_ms(self) -> int:
        return max(self.fomo.at_ms, self.alpha.at_ms)

    @property
    def gap_ms(self) -> int:
        return abs(self.fomo.at_ms - self.alpha.at_ms)


def time_proximity(gap_ms: int, window_ms: Decimal, curve: int = LINEAR) -> Decimal:
    """Return 0 to 1 for a gap that is not longer than the window.

    240,000 ms of 300,000: 0.20 on both curves. 60,000 ms: 0.80 linear, 0.99 logistic.
    """
    if curve == LINEAR:
        return (1 - gap_ms / window_ms).quantize(DIGITS)
    return (1 / (1 + (LOGISTIC_SLOPE * (gap_ms / MINUTE_MS - LOGISTIC_CENTRE)).exp())).quantize(DIGITS)


def freshness(age_ms: int, fresh_ms: Decimal, half_life_ms: Decimal) -> Decimal:
    """Return 1 up to `fresh_ms` of age; 0.5 a half-life later, 0.25 after two of them."""
    over_ms = age_ms - fresh_ms
    return ONE if over_ms <= 0 else (-D(2).ln() * over_ms / half_life_ms).exp().quantize(DIGITS)


@dataclass(frozen=True, slots=True, init=False)
class Confluence:
    """Buys what two independent signals of one feed name within the window. It never sells short: FOMO and
    Alpha both speak of a rise, and nothing in the feed speaks of a fall."""

    settings: Mapping[str, Decimal]

    def __init__(self, given: Mapping[str, Decimal] | None = None) -> None:
        object.__setattr__(self, "settings", settings_of(PARAMETERS, given))

    @property
    def name(self) -> str:
        return "confluence"

    @property
    def about(self) -> str:
        return "A coin that two independent signals of a feed name within five minutes goes on rising."

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return PARAMETERS

    @property
    def needs(self) -> Needs:
        return Needs(bars={"1m": 1}, events=True)

    def signal(self, look: Look) -> Signal | None:
        """Return a buy for the match that became known last among those that still reach the score.

        Asked again it gives the same proposal under the same name until the match is history.
        """
        reached = [m for m in self.matches(look) if m.terms.score >= self.settings["least_score"]]
        if not reached:
            return None
        best = max(reached, key=lambda match: (match.known_ms, match.terms.score))
        return self._signal(look, best)

    def matches(self, look: Look) -> list[Match]:
        """Return every FOMO with every Alpha of the window, whatever they score."""
        known = self._known(look)
        alphas = [event for event in known if event.kind == ALPHA]
        fomos = [event for event in known if event.kind in FOMO_STRENGTH]
        if not self.settings["fomo_intensify"]:
            fomos = [event for event in fomos if event.kind != INTENSIFIED]
        return [
            Match(fomo, alpha, self._terms(look.now_ms, fomo, alpha))
            for fomo in fomos
            for alpha in alphas
            if abs(fomo.at_ms - alpha.at_ms) <= self.settings["window_ms"]
            and max(fomo.at_ms, alpha.at_ms) > look.now_ms - self.settings["valid_ms"]
        ]

    def _known(self, look: Look) -> list[FeedEvent]:
        # A feed's clock may run ahead of ours: an event is looked at once its time has come. An id that
        # comes again is the same message, whatever else it says.
        first: dict[tuple[str, str], FeedEvent] = {}
        for event in look.events:
            if event.instrument == look.instrument and event.at_ms <= look.now_ms:
                first.setdefault((event.source, event.event_id), event)
        return list(first.values())

    def _terms(self, now_ms: int, fomo: FeedEvent, alpha: FeedEvent) -> Terms:
        older_ms = min(fomo.at_ms, alpha.at_ms)
        return Terms(
            time_proximity(
                abs(fomo.at_ms - alpha.at_ms), self.settings["window_ms"], int(self.settings["curve"])
            ),
            FOMO_STRENGTH[fomo.kind],
            freshness(now_ms - older_ms, self.settings["fresh_ms"], self.settings["half_life_ms"]),
        )

    def _signal(self, look: Look, match: Match) -> Signal:
        score, preset = match.terms.score, PRESETS[PLANS[int(self.settings["plan"])]]
        return Signal(
            module=self.name,
            instrument=look.instrument,
            side=Side.BUY,
            strength=100 * score,
            px=_price(look),
            at_ms=match.known_ms,
            valid_until_ms=match.known_ms + int(self.settings["valid_ms"]),
            evidence=(
                ("fomo_id", match.fomo.event_id),
                ("fomo_kind", match.fomo.kind),
                ("alpha_id", match.alpha.event_id),
                ("gap_ms", match.gap_ms),
                ("curve", CURVES[int(self.settings["curve"])]),
                ("time_proximity_score", match.terms.proximity),
                ("fomo_strength_score", match.terms.strength),
                ("freshness_score", match.terms.freshness),
                ("time_term", TIME_WEIGHT * match.terms.proximity),
                ("strength_term", STRENGTH_WEIGHT * match.terms.strength),
                ("freshness_term", FRESH_WEIGHT * match.terms.freshness),
                ("score", score),
                ("least_score", self.settings["least_score"]),
            ),
            plan=preset.plan,
            wished_leverage=preset.wished_leverage,
        )


def _price(look: Look) -> Decimal:
    book = look.market.swap if look.market else None
    return book.mid if book and book.is_sane else exact(look.bars["1m"].close[-1])
